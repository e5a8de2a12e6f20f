"""Statistics of order: AUC, average precision, Spearman, and the threshold with the best F1.

Rows are sorted once; a draw is one pass over them in which equal scores count as one group, so that ties are exact
for any weights. Shapes and errors as in `weighted`: `speaker` (U,), `weights` (R, S), values (R,), NaN where a draw
leaves a statistic undefined.
"""

from __future__ import annotations

import numpy as np

from phonobench.compiled import compiled
from phonobench.stats.weighted import check_classes, check_pair


def auc(score: np.ndarray, truth: np.ndarray, speaker: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties counting half.

    Args:
        score: (U,), finite.
        truth: (U,), boolean.
        speaker: (U,), column of `weights` of each row.
        weights: (R, S), one row a draw.

    Returns:
        (R,), 0 to 1; NaN where a draw has one class only.

    Raises:
        Undefined: when the rows have one class only.

    Example:
        >>> score, truth = np.array([0.9, 0.4, 0.4, 0.1]), np.array([True, True, False, False])
        >>> auc(score, truth, speaker=np.arange(4), weights=np.ones((1, 4))).tolist()  # 3.5 of 4 pairs
        [0.875]
    """
    check_classes(truth)
    order, last = _sorted(score)
    return _auc(truth[order], speaker[order], last, weights)


def average_precision(score: np.ndarray, truth: np.ndarray, speaker: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Average precision: precision at each distinct score, from the highest, weighted by the gain in recall.

    Args:
        score: (U,), finite.
        truth: (U,), boolean.
        speaker: (U,), column of `weights` of each row.
        weights: (R, S), one row a draw.

    Returns:
        (R,), 0 to 1; NaN where a draw has one class only.

    Raises:
        Undefined: when the rows have one class only.

    Example:
        >>> score, truth = np.array([0.9, 0.6, 0.5, 0.1]), np.array([True, False, True, False])
        >>> average_precision(score, truth, speaker=np.arange(4), weights=np.ones((1, 4))).round(3).tolist()
        [0.833]
    """
    check_classes(truth)
    order, last = _sorted(-score)
    return _average_precision(truth[order], speaker[order], last, weights)


def spearman(x: np.ndarray, y: np.ndarray, speaker: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Spearman's rank correlation: Pearson over midranks, which are recomputed in every draw.

    Args:
        x: (U,), finite.
        y: (U,), finite.
        speaker: (U,), column of `weights` of each row.
        weights: (R, S), one row a draw.

    Returns:
        (R,), -1 to 1; NaN where a draw leaves one side constant.

    Raises:
        Undefined: for fewer than two rows, or where one side is constant.

    Example:
        >>> x, y = np.array([1.0, 2.0, 3.0]), np.array([1.0, 10.0, 100.0])
        >>> spearman(x, y, speaker=np.arange(3), weights=np.ones((1, 3))).round(3).tolist()
        [1.0]
    """
    check_pair(x, y)
    order_x, last_x = _sorted(x)
    order_y, last_y = _sorted(y)
    # rows are laid out in the order of x, so that only the ranks of y are scattered
    place = np.empty(len(x), dtype=np.int64)
    place[order_x] = np.arange(len(x))
    return _spearman(speaker[order_x], last_x, speaker[order_y], last_y, place[order_y], weights)


def best_f1_threshold(score: np.ndarray, truth: np.ndarray) -> float:
    """The threshold t whose decision `score >= t` has the highest F1.

    Args:
        score: (U,), finite.
        truth: (U,), boolean.

    Returns:
        Half-way between the two neighbouring scores, or the lowest score when all are flagged; of equal F1 the highest
        threshold is taken.

    Raises:
        Undefined: when only one class is there.

    Example:
        >>> best_f1_threshold(np.array([0.1, 0.5, 0.7, 0.9]), np.array([False, False, True, True]))
        0.6
    """
    check_classes(truth)
    order, last = _sorted(-score)
    ends = np.flatnonzero(last)
    tp = np.cumsum(truth[order])[ends]
    values = 2 * tp / (ends + 1 + truth.sum())
    best = int(np.argmax(values))
    at = float(score[order][ends[best]])
    below = float(score[order][ends[best + 1]]) if best + 1 < len(ends) else at
    middle = at + (below - at) / 2
    return middle if below < middle <= at else at


def _sorted(score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ascending order (U,) and, in that order, whether a row is the last of its group of equal scores."""
    if not np.isfinite(score).all():
        raise ValueError("ranking scores that are not finite")
    order = np.argsort(score, kind="stable")
    ranked = score[order]
    return order, np.append(ranked[1:] != ranked[:-1], True)


@compiled
def _auc(
    truth: np.ndarray, speaker: np.ndarray, last: np.ndarray, weights: np.ndarray
) -> np.ndarray:  # pragma: no cover (compiled)
    out = np.empty(weights.shape[0])
    for r in range(weights.shape[0]):
        negatives = positives = group_n = group_p = area = 0.0
        for i in range(len(truth)):
            w = weights[r, speaker[i]]
            if truth[i]:
                group_p += w
            else:
                group_n += w
            if last[i]:
                area += group_p * (negatives + 0.5 * group_n)
                negatives += group_n
                positives += group_p
                group_n = group_p = 0.0
        out[r] = area / (positives * negatives) if positives > 0 and negatives > 0 else np.nan
    return out


@compiled
def _average_precision(
    truth: np.ndarray, speaker: np.ndarray, last: np.ndarray, weights: np.ndarray
) -> np.ndarray:  # pragma: no cover (compiled)
    out = np.empty(weights.shape[0])
    for r in range(weights.shape[0]):
        positives = flagged = group_p = area = 0.0
        for i in range(len(truth)):
            w = weights[r, speaker[i]]
            flagged += w
            if truth[i]:
                group_p += w
            if last[i] and group_p > 0:
                positives += group_p
                area += group_p * positives / flagged
                group_p = 0.0
        out[r] = area / positives if positives > 0 and flagged > positives else np.nan
    return out


@compiled
def _midranks(
    speaker: np.ndarray, last: np.ndarray, weight: np.ndarray, into: np.ndarray
) -> float:  # pragma: no cover (compiled)
    """Writes the midrank of each sorted row less half the total weight, i.e. centred on zero; returns the total."""
    total = 0.0
    for i in range(len(speaker)):
        total += weight[speaker[i]]
    below, start, group = 0.0, 0, 0.0
    for i in range(len(speaker)):
        group += weight[speaker[i]]
        if last[i]:
            rank = below + 0.5 * group - 0.5 * total
            for j in range(start, i + 1):
                into[j] = rank
            below += group
            start, group = i + 1, 0.0
    return total


@compiled
def _spearman(
    speaker_x: np.ndarray,
    last_x: np.ndarray,
    speaker_y: np.ndarray,
    last_y: np.ndarray,
    place: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:  # pragma: no cover (compiled)
    n = len(speaker_x)
    out = np.empty(weights.shape[0])
    rank_x, rank_y = np.empty(n), np.empty(n)
    for r in range(weights.shape[0]):
        weight = weights[r]
        _midranks(speaker_x, last_x, weight, rank_x)
        _midranks(speaker_y, last_y, weight, rank_y)
        xx = yy = xy = 0.0
        for i in range(n):
            w = weight[speaker_y[i]]
            x, y = rank_x[place[i]], rank_y[i]
            xx += w * x * x
            yy += w * y * y
            xy += w * x * y
        out[r] = xy / np.sqrt(xx * yy) if xx > 0 and yy > 0 else np.nan
    return out
