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
    """Weighted sum of a column, (R,)."""
    return weights @ np.bincount(speaker, weights=column, minlength=weights.shape[1])


def ratio(numerator: np.ndarray, denominator: np.ndarray, speaker: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Pooled rate: sum of one column over the sum of another, (R,)."""
    if denominator.sum() == 0:
        raise Undefined("nothing to count")
    return _divide(sums(numerator, speaker, weights), sums(denominator, speaker, weights))


def mean(column: np.ndarray, speaker: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted mean over rows, (R,)."""
    return ratio(column, np.ones(len(column)), speaker, weights)


def pearson(x: np.ndarray, y: np.ndarray, speaker: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Pearson correlation over rows, (R,). Both columns finite."""
    check_pair(x, y)
    x, y = x - x.mean(), y - y.mean()
    total = sums(np.ones(len(x)), speaker, weights)
    mx, my = (_divide(sums(c, speaker, weights), total) for c in (x, y))
    vx = _divide(sums(x * x, speaker, weights), total) - mx * mx
    vy = _divide(sums(y * y, speaker, weights), total) - my * my
    cov = _divide(sums(x * y, speaker, weights), total) - mx * my
    flat = (vx <= _FLAT * np.max(x * x)) | (vy <= _FLAT * np.max(y * y))
    return np.clip(_divide(cov, np.where(flat, 0.0, np.sqrt(np.maximum(vx * vy, 0)))), -1, 1)


def check_pair(x: np.ndarray, y: np.ndarray) -> None:
    """Raises Undefined when a correlation has no value (too few rows, or one side constant)."""
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


def confusion(said: np.ndarray, truth: np.ndarray, speaker: np.ndarray, weights: np.ndarray) -> Confusion:
    """Counts of the decisions `said` against `truth`, boolean (U,) each."""
    check_classes(truth)
    cells = (said & truth, said & ~truth, ~said & truth, ~said & ~truth)
    return Confusion(*(sums(cell.astype(float), speaker, weights) for cell in cells))


def check_classes(truth: np.ndarray) -> None:
    """Raises Undefined when only one class is there."""
    if not truth.any():
        raise Undefined("no positives")
    if truth.all():
        raise Undefined("no negatives")


def precision(counts: Confusion) -> np.ndarray:
    """TP / (TP + FP); NaN where nothing was flagged."""
    return _divide(counts.tp, counts.tp + counts.fp)


def recall(counts: Confusion) -> np.ndarray:
    """TP / (TP + FN)."""
    return _divide(counts.tp, counts.tp + counts.fn)


def f1(counts: Confusion) -> np.ndarray:
    """2 TP / (2 TP + FP + FN)."""
    return _divide(2 * counts.tp, 2 * counts.tp + counts.fp + counts.fn)


def mcc(counts: Confusion) -> np.ndarray:
    """Matthews correlation; NaN where a margin is empty (scikit-learn would say 0)."""
    tp, fp, fn, tn = counts.tp, counts.fp, counts.fn, counts.tn
    return _divide(tp * tn - fp * fn, np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)))


def _divide(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(above, below, out=np.full(np.shape(above), np.nan), where=below != 0)
