"""What the arrays of a file must be: their names, kinds and shapes, and that they hold numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from phonobench.store.door import AGAIN, shown
from phonobench.types import PhonobenchError


@dataclass(frozen=True)
class Wanted:
    """What one array must be.

    Args:
        kind: of its type as numpy has it: "f" floats, "i" integers.
        shape: sizes, or names of sizes, which agree over all arrays of a file.
        finite: without NaN and infinities.
        low: the least value, None: any.
        high: the greatest value, None: any.
    """

    kind: str
    shape: tuple[int | str, ...]
    finite: bool = True
    low: float | None = None
    high: float | None = None


def check_arrays(
    path: Path,
    arrays: Mapping[str, np.ndarray],
    wanted: Mapping[str, Wanted],
    sizes: Mapping[str, int] | None = None,
    remedy: str = AGAIN,
) -> dict[str, int]:
    """The sizes that the arrays agree in, by name.

    Args:
        path: the file, for the error.
        arrays: what it holds.
        wanted: what it must hold, no more and no less.
        sizes: those that are known.
        remedy: ends the error.

    Raises:
        PhonobenchError: An array is missing, unknown, of another kind or shape, or holds what it may not.

    Example:
        >>> arrays = {"codes": np.zeros((5, 2), np.int16), "mean": np.zeros(2)}
        >>> wanted = {"codes": Wanted("i", ("frames", "books")), "mean": Wanted("f", ("books",))}
        >>> check_arrays(Path("a"), arrays, wanted)
        {'frames': 5, 'books': 2}
    """
    if odd := sorted(set(arrays) ^ set(wanted)):
        fault = "is missing" if odd[0] in wanted else "does not belong there"
        raise PhonobenchError(f"{path}: {shown(odd[0])} {fault}: {remedy}")
    known = dict(sizes or {})
    for name, one in wanted.items():
        array = arrays[name]
        if array.dtype.kind != one.kind or array.ndim != len(one.shape):
            raise PhonobenchError(f"{path}: {name} is {array.dtype} of shape {array.shape}: {remedy}")
        for size, want in zip(array.shape, one.shape, strict=True):
            if size != (known.setdefault(want, size) if isinstance(want, str) else want):
                raise PhonobenchError(f"{path}: {name} has shape {array.shape}, which does not fit: {remedy}")
        _check_values(path, name, array, one, remedy)
    return known


def check_bounds(path: Path, bounds: np.ndarray, parts: int, total: int, remedy: str = AGAIN) -> None:
    """See that `bounds` cut `total` rows into `parts` pieces of at least one row each.

    Raises:
        PhonobenchError: They do not.

    Example:
        >>> check_bounds(Path("a"), np.array([0, 2, 5]), 2, 5)
    """
    fits = bounds.dtype.kind == "i" and bounds.shape == (parts + 1,)
    if not fits or bounds[0] != 0 or bounds[-1] != total or (np.diff(bounds) < 1).any():
        raise PhonobenchError(f"{path}: its bounds do not cut {total} rows into {parts} parts: {remedy}")


def check_finite(path: Path, arrays: Mapping[str, np.ndarray], remedy: str = AGAIN) -> None:
    """See that no array holds NaN or an infinity.

    Raises:
        PhonobenchError: One does; it is named.
    """
    for name, array in arrays.items():
        if array.dtype.kind not in "fiub":
            raise PhonobenchError(f"{path}: {shown(name)} is {array.dtype}, no numbers: {remedy}")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise PhonobenchError(f"{path}: {shown(name)} holds values that are no finite numbers: {remedy}")


def check_unique(path: Path, names: Sequence[str], what: str, remedy: str = AGAIN) -> None:
    """See that no name stands in a list twice.

    Raises:
        PhonobenchError: One does.
    """
    if len(set(names)) < len(names):
        twice = next(name for name in names if list(names).count(name) > 1)
        raise PhonobenchError(f"{path}: {what} {shown(twice)} stands there twice: {remedy}")


def _check_values(path: Path, name: str, array: np.ndarray, wanted: Wanted, remedy: str) -> None:
    if wanted.finite and array.dtype.kind == "f" and not np.isfinite(array).all():
        raise PhonobenchError(f"{path}: {name} holds values that are no finite numbers: {remedy}")
    for limit, outside in ((wanted.low, np.less), (wanted.high, np.greater)):
        if limit is not None and outside(array, limit).any():
            raise PhonobenchError(f"{path}: {name} holds values that are out of their range: {remedy}")
