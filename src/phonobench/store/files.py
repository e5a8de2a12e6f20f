"""Atomic files: JSON and arrays (safetensors), and the fingerprint of a value.

A write goes to a hidden temporary file in the same folder, is synced, then renamed over its place, so that a kill or
a full disk leaves the former content. Faults that the user can mend are PhonobenchError naming the file.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from phonobench.store import door
from phonobench.store.atomic import write_bytes
from phonobench.store.door import read_json as read_json
from phonobench.types import PhonobenchError

Arrays = tuple[dict[str, np.ndarray], dict[str, Any]]
"""Arrays by name, and the facts beside them."""


def fingerprint(value: Any) -> str:
    """sha256 of a value as canonical JSON: sorted keys, no spaces.

    Returns:
        64 hex digits.

    Raises:
        TypeError: for what JSON cannot hold.
        ValueError: for NaN or an infinity.

    Example:
        >>> fingerprint({"b": [1.0, None], "a": "é"}) == fingerprint({"a": "é", "b": [1.0, None]})
        True
        >>> fingerprint({})[:8]
        '44136fa3'
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def without_nan(value: Any) -> Any:
    """`value` as JSON holds it: NaN and infinities, which it lacks, are null; keys are text, tuples lists.

    Example:
        >>> without_nan({"p": float("nan"), 1: (0.5, None)})
        {'p': None, '1': [0.5, None]}
    """
    if isinstance(value, dict):
        return {str(key): without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def hash_file(path: Path) -> str:
    """sha256 of a file's bytes, 64 hex digits.

    Raises:
        PhonobenchError: it is no file, or cannot be read.
    """
    digest = hashlib.sha256()
    door.look(path)
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise door.unreadable(path, error) from error
    return digest.hexdigest()


def write_json(path: Path, value: Any) -> None:
    """Writes a value as indented UTF-8 JSON, atomically.

    Raises:
        ValueError: for NaN or an infinity; write null and a reason.
        PhonobenchError: as `write_bytes`.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_json(Path(folder) / "new" / "facts.json", {"seed": 0})
        ...     read_json(Path(folder) / "new" / "facts.json")
        {'seed': 0}
    """
    write_bytes(path, (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, Any]) -> None:
    """Writes named arrays and JSON-able metadata as one safetensors file, atomically.

    Raises:
        PhonobenchError: as `write_bytes`.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_arrays(Path(folder) / "rows.safetensors", {"x": np.arange(3)}, {"ids": ["a"]})
        ...     arrays, metadata = read_arrays(Path(folder) / "rows.safetensors")
        >>> arrays["x"].tolist(), metadata
        ([0, 1, 2], {'ids': ['a']})
    """
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    write_bytes(path, save(contiguous, {"phonobench": json.dumps(metadata, ensure_ascii=False, allow_nan=False)}))


def read_arrays(path: Path, remedy: str = "delete it and run the same command again") -> Arrays:
    """Reads what `write_arrays` wrote.

    Args:
        path: the file.
        remedy: ends the error.

    Returns:
        The arrays by name, and the metadata.

    Raises:
        PhonobenchError: when the file is absent, damaged or not written by `write_arrays`.
    """
    door.look(path)
    try:
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping: it cannot be iterated)
            written = (file.metadata() or {})["phonobench"]
    except FileNotFoundError as error:
        raise PhonobenchError(f"{path} does not exist") from error
    except (SafetensorError, AttributeError, LookupError, TypeError, ValueError, ArithmeticError, OSError) as error:
        raise PhonobenchError(f"{path} is damaged ({str(error)[:200]}): {remedy}") from error
    metadata = door.parse(path, written.encode(), remedy)
    if not isinstance(metadata, dict):
        raise PhonobenchError(f"{path} is damaged (its facts are no table): {remedy}")
    return arrays, metadata
