"""Statistics that are functions of sums: rates, means, Pearson, and counts at a fixed threshold.

They are summed once a speaker, then one matrix product serves all draws. `speaker` (U,) indexes the columns of
`weights` (R, S); values are (R,), NaN where a draw leaves nothing to divide by. `Undefined` is raised when the rows
themselves have no value.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from phonobench.stats.bootstrap import Undefined

_FLAT = 1e-12
"""Variance relative to the largest square below which a variable counts as constant."""


def sums(column: np.ndarray, speaker: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted sum of a column.

    Args:
        column: (U,).
        speaker: (U,), column of `weights` of each row.
        weights: (R, S), one row a draw.

    Returns:
        (R,).

    Example:
        >>> sums(np.array([1.0, 2.0, 4.0]), np.array([0, 0, 1]), np.array([[1.0, 1.0], [2.0, 0.0]])).tolist()
        [7.0, 6.0]
    """
    return weights @ np.bincount(speaker, weights=column, minlength=weights.shape[1])


def ratio(numerator: np.ndarray, denominator: np.ndarray, speaker: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Pooled rate: the sum of one column over the sum of another.

    Args:
        numerator: (U,), for example errors.
        denominator: (U,), for example phones.
        speaker: (U,), column of `weights` of each row.
        weights: (R, S), one row a draw.

    Returns:
        (R,); NaN where a draw has nothing to divide by.

    Raises:
        Undefined: when the denominator sums to 0.

    Example:
        >>> errors, length = np.array([1.0, 0.0, 2.0]), np.array([4.0, 4.0, 2.0])
        >>> ratio(errors, length, np.array([0, 0, 1]), np.array([[1.0, 1.0], [2.0, 0.0]])).tolist()
        [0.3, 0.125]
    """
    if denominator.sum() == 0:
        raise Undefined("nothing to count")
    return _divide(sums(numerator, speaker, weights), sums(denominator, speaker, weights))


def mean(column: np.ndarray, speaker: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted mean over rows.

    Args:
        column: (U,).
        speaker: (U,), column of `weights` of each row.
        weights: (R, S), one row a draw.

    Returns:
        (R,); NaN where a draw has no row.

    Raises:
        Undefined: when there is no row.

    Example:
        >>> mean(np.array([1.0, 3.0, 8.0]), np.array([0, 0, 1]), np.array([[1.0, 1.0], [1.0, 0.0]])).tolist()
        [4.0, 2.0]
    """
    return ratio(column, np.ones(len(column)), speaker, weights)


def pearson(x: np.ndarray, y: np.ndarray, speaker: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Pearson correlation over rows.

    Args:
        x: (U,), finite.
        y: (U,), finite.
        speaker: (U,), column of `weights` of each row.
        weights: (R, S), one row a draw.

    Returns:
        (R,), -1 to 1; NaN where a draw leaves one side constant.

    Raises:
        Undefined: for fewer than two rows, or where one side is constant.
        ValueError: for values that are not finite.

    Example:
        >>> x, y = np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 1.0])
        >>> pearson(x, y, np.arange(3), np.array([[1.0, 1.0, 1.0], [2.0, 1.0, 0.0]])).round(3).tolist()
        [0.0, 1.0]
    """
    check_pair(x, y)
    x, y = x - x.mean(), y - y.mean()
    total = sums(np.ones(len(x)), speaker, weights)
    mx, my = (_divide(sums(c, speaker, weights), total) for c in (x, y))
    vx = _divide(sums(x * x, speaker, weights), total) - mx * mx
    vy = _divide(sums(y * y, speaker, weights), total) - my * my
    cov = _divide(sums(x * y, speaker, weights), total) - mx * my
    flat = (vx <= _FLAT * np.max(x * x)) | (vy <= _FLAT * np.max(y * y))
    result: np.ndarray = np.clip(_divide(cov, np.where(flat, 0.0, np.sqrt(np.maximum(vx * vy, 0)))), -1, 1)
    return result


def check_pair(x: np.ndarray, y: np.ndarray) -> None:
    """Checks the two sides of a correlation.

    Raises:
        Undefined: when a correlation has no value (too few rows, or one side constant).
        ValueError: for values that are not finite.

    Example:
        >>> check_pair(np.array([1.0, 2.0]), np.array([3.0, 1.0]))
    """
    if len(x) < 2:
        raise Undefined(f"{len(x)} rows: a correlation needs two")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("correlation of values that are not finite")
    for side, values in (("score", x), ("human score", y)):
        if values.min() == values.max():
            raise Undefined(f"every {side} is the same")


@dataclass(frozen=True, eq=False)
class Confusion:
    """Weighted counts of a yes/no decision, each (R,)."""

    tp: np.ndarray
    fp: np.ndarray
    fn: np.ndarray
    tn: np.ndarray


def confusion(flagged: np.ndarray, truth: np.ndarray, speaker: np.ndarray, weights: np.ndarray) -> Confusion:
    """Counts of decisions against the truth.

    Args:
        flagged: (U,), boolean, the decisions.
        truth: (U,), boolean.
        speaker: (U,), column of `weights` of each row.
        weights: (R, S), one row a draw.

    Raises:
        Undefined: when the rows have one class only.

    Example:
        >>> flagged, truth = np.array([True, True, False, False]), np.array([True, False, True, False])
        >>> counts = confusion(flagged, truth, np.zeros(4, dtype=int), np.ones((1, 1)))
        >>> [float(cell[0]) for cell in (counts.tp, counts.fp, counts.fn, counts.tn)]
        [1.0, 1.0, 1.0, 1.0]
    """
    check_classes(truth)
    cells = (flagged & truth, flagged & ~truth, ~flagged & truth, ~flagged & ~truth)
    return Confusion(*(sums(cell.astype(float), speaker, weights) for cell in cells))


def check_classes(truth: np.ndarray) -> None:
    """Checks that there are positives and negatives.

    Raises:
        Undefined: when only one class is there.

    Example:
        >>> check_classes(np.array([True, False]))
    """
    if not truth.any():
        raise Undefined("no positives")
    if truth.all():
        raise Undefined("no negatives")


def precision(counts: Confusion) -> np.ndarray:
    """TP / (TP + FP); NaN where nothing was flagged.

    Example:
        >>> precision(Confusion(*np.array([[3.0], [1.0], [2.0], [4.0]]))).tolist()
        [0.75]
    """
    return _divide(counts.tp, counts.tp + counts.fp)


def recall(counts: Confusion) -> np.ndarray:
    """TP / (TP + FN); NaN where a draw has no positive.

    Example:
        >>> recall(Confusion(*np.array([[3.0], [1.0], [2.0], [4.0]]))).tolist()
        [0.6]
    """
    return _divide(counts.tp, counts.tp + counts.fn)


def f1(counts: Confusion) -> np.ndarray:
    """2 TP / (2 TP + FP + FN); NaN where a draw has neither a positive nor a flagged row.

    Example:
        >>> f1(Confusion(*np.array([[3.0], [1.0], [2.0], [4.0]]))).round(3).tolist()
        [0.667]
    """
    return _divide(2 * counts.tp, 2 * counts.tp + counts.fp + counts.fn)


def mcc(counts: Confusion) -> np.ndarray:
    """Matthews correlation, -1 to 1; NaN where a margin is empty (scikit-learn gives 0).

    Example:
        >>> mcc(Confusion(*np.array([[3.0], [1.0], [2.0], [4.0]]))).round(3).tolist()
        [0.408]
    """
    tp, fp, fn, tn = counts.tp, counts.fp, counts.fn, counts.tn
    return _divide(tp * tn - fp * fn, np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)))


def _divide(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    result: np.ndarray = np.divide(above, below, out=np.full(np.shape(above), np.nan), where=below != 0)
    return result
