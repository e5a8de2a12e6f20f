"""The weights of a run, `weights/model.safetensors`: read with their facts, checked against the run's manifest.

Matrices of a kept copy are int8 with one scale a row (`neural.checkpoints.archive`); everywhere else all are floats.
Shapes are the model's to check: it is built from the facts without memory first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from phonobench.store import door
from phonobench.store.array_checks import check_finite
from phonobench.store.files import read_arrays
from phonobench.store.run_facts import BlankPart, Positive
from phonobench.types import PhonobenchError

FILE = Path("weights") / "model.safetensors"
SCALE = "::scale"
"""Ends the name of the scales of an int8 array."""
_AGAIN = "put the run's own file back, or train it again"


class WeightFacts(door.Checked):
    """What stands beside the weights: of which run and epoch they are, and how the encoder is rebuilt."""

    card_key: door.Sha256
    key: door.Sha256
    epoch: Positive
    frozen: bool
    encoder: dict[str, Any] | None
    blank: BlankPart = door.ABSENT
    packed: Literal[True] = door.ABSENT


@dataclass(frozen=True, eq=False)
class Weights:
    """Tensors by name, and the facts beside them."""

    arrays: dict[str, np.ndarray]
    facts: dict[str, Any]


def read_weights(run_dir: Path, manifest: Mapping[str, Any], *, packed: bool = False) -> Weights:
    """The weights of a run.

    Args:
        run_dir: its folder.
        manifest: what `read_run` gives.
        packed: they are those of a kept copy, in int8.

    Raises:
        PhonobenchError: They are missing, damaged, of another run, not finite, or packed where they should not be.
    """
    path = run_dir / FILE
    if not path.exists():
        raise PhonobenchError(f"{path} does not exist: the run is not trained yet; `phonobench train` makes it")
    arrays, facts = read_arrays(path, _AGAIN)
    known = door.checked_value(path, facts, WeightFacts, _AGAIN)
    if known.card_key != manifest["card_key"]:
        raise PhonobenchError(f"{path} belongs to another card than {run_dir / 'run.json'}; train the run again")
    if known.key != manifest["key"]:
        raise PhonobenchError(f"{path} belongs to another run than {run_dir / 'run.json'}; {_AGAIN}")
    if packed != bool(known.packed):
        kind = "no kept run: its weights are not packed; make it with `phonobench keep`"
        raise PhonobenchError(f"{run_dir} is {kind if packed else 'a kept run: `phonobench restore` unpacks it'}")
    if not arrays:
        raise PhonobenchError(f"{path} holds no tensors: {_AGAIN}")
    check_finite(path, arrays, _AGAIN)
    _check_kinds(path, arrays, packed)
    return Weights(arrays, facts)


def _check_kinds(path: Path, arrays: Mapping[str, np.ndarray], packed: bool) -> None:
    for name, array in arrays.items():
        scale = arrays.get(name + SCALE)
        if array.dtype.kind != "f" and (not packed or scale is None) and array.dtype != np.int64:
            raise PhonobenchError(f"{path}: {door.shown(name)} is {array.dtype}, floats are expected: {_AGAIN}")
        if scale is not None and (array.dtype != np.int8 or array.ndim < 2 or scale.shape != array.shape[:1]):
            raise PhonobenchError(f"{path}: {door.shown(name)} does not fit its scales: {_AGAIN}")
        if name.endswith(SCALE) and (name.removesuffix(SCALE) not in arrays or (array <= 0).any()):
            raise PhonobenchError(f"{path}: {door.shown(name)} scales nothing, or holds no scales: {_AGAIN}")
