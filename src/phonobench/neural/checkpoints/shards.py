"""Tensors of a part of a checkpoint, read from the safetensors files that hold them and from no others.

A large model lies in several files (shards) with an index that names the file of each tensor. The others need not be
there.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from phonobench.neural.checkpoints.families import read_json
from phonobench.store import door
from phonobench.types import PhonobenchError

INDEX = "model.safetensors.index.json"


def holding(folder: Path, part: str) -> dict[str, dict[str, str]]:
    """Where the tensors of a part lie.

    Args:
        folder: The checkpoint.
        part: Prefix of their names ("audio_tower."); "" is all.

    Returns:
        File -> tensor's name in it -> its name inside the part.

    Raises:
        PhonobenchError: Where no file of the folder has any.
    """
    pattern = re.compile(rf"^(?:.*\.)?{re.escape(part)}(.+)$" if part else r"^(.+)$")
    found: dict[str, dict[str, str]] = {}
    for name, file in _listed(folder):
        if match := pattern.match(name):
            found.setdefault(file, {})[name] = match.group(1)
    if not found:
        raise PhonobenchError(f"{folder}: no tensor {part}* in it; is it the whole checkpoint? Give it by --model")
    return found


def read(folder: Path, part: str) -> dict[str, Tensor]:
    """The tensors of a part, float32.

    Args:
        folder: The checkpoint.
        part: Prefix of their names; "" is all.

    Returns:
        By name inside the part the tensor.

    Raises:
        PhonobenchError: Where a file that holds some is missing or damaged.
    """
    tensors: dict[str, Tensor] = {}
    for file, names in holding(folder, part).items():
        if not (folder / file).is_file():
            raise PhonobenchError(
                f"{folder / file} is missing and holds {len(names)} tensors of the encoder; fetch that file too"
            )
        with _opened(folder / file) as opened:
            for name, inner in names.items():
                tensor = opened.get_tensor(name)
                tensors[inner] = tensor.to(torch.float32) if tensor.is_floating_point() else tensor
    return tensors


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """A file of tensors. Raises PhonobenchError where it is damaged."""
    try:
        with safe_open(path, framework="pt") as opened:
            yield opened
    except (SafetensorError, OSError, ValueError, KeyError, RuntimeError) as fault:
        raise PhonobenchError(f"{path} cannot be read: {str(fault)[:200]}; fetch the file again") from fault


def _is_plain(file: Any) -> bool:
    try:
        return isinstance(file, str) and bool(door.plain_name(file))
    except ValueError:
        return False


def _listed(folder: Path) -> list[tuple[str, str]]:
    """(tensor, file) of all that the index lists."""
    if (folder / INDEX).exists():
        listed_files = read_json(folder / INDEX).get("weight_map")
        if not isinstance(listed_files, dict) or not all(_is_plain(file) for file in listed_files.values()):
            raise PhonobenchError(f"{folder / INDEX}: weight_map names no files of the folder; fetch it again")
        return list(listed_files.items())
    listed = []
    for path in sorted(folder.glob("*.safetensors")):
        with _opened(path) as opened:
            listed += [(name, path.name) for name in opened.keys()]  # noqa: SIM118 - it is no dictionary
    return listed
