"""Curves of one run for the page: ROC, calibration, and errors by phone and by the length of an utterance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from phonobench import phones, stats, tasks
from phonobench.evaluate import SplitPredictions, measure
from phonobench.evaluate.gap import phone_errors
from phonobench.evaluate.intervals import within
from phonobench.stats import Rows

ROC_POINTS = 120
LENGTHS = ((1, 10), (11, 20), (21, 30), (31, None))
"""Bands of an utterance's number of canonical phones, ends included."""


def roc(score: np.ndarray, truth: np.ndarray) -> list[list[float]]:
    """Points (false positive rate, true positive rate) from (0, 0) to (1, 1), thinned along the curve.

    Args:
        score: Higher means positive, (n,).
        truth: What is positive, bool (n,).

    Returns:
        The points; [] where one class is absent.

    Example:
        >>> roc(np.array([0.9, 0.8, 0.1]), np.array([True, False, False]))
        [[0.0, 0.0], [0.0, 1.0], [0.5, 1.0], [1.0, 1.0]]
    """
    if not truth.any() or truth.all():
        return []
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    tpr = np.concatenate([[0.0], np.cumsum(truth[order])[ends] / truth.sum()])
    fpr = np.concatenate([[0.0], np.cumsum(~truth[order])[ends] / (~truth).sum()])
    if len(tpr) > ROC_POINTS:  # evenly along the curve, not along the thresholds
        way = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(tpr)) + np.abs(np.diff(fpr)))])
        kept = np.unique(np.searchsorted(way, np.linspace(0, way[-1], ROC_POINTS)).clip(max=len(way) - 1))
        tpr, fpr = tpr[kept], fpr[kept]
    return [[round(float(x), 4), round(float(y), 4)] for x, y in zip(fpr, tpr, strict=True)]


def rocs(predicted: SplitPredictions) -> dict[str, list[list[float]]]:
    """The ROC of each detection target."""
    rows = tasks.collect(tasks.detection.TASK, predicted.predictions, predicted.utterances)
    found = {}
    for target in tasks.detection.TARGETS:
        table = rows[target.unit]
        scored = table.keep(np.isfinite(table["accuracy"]))
        found[target.name] = roc(scored["score"], target.is_positive(scored["accuracy"]))
    return found


def calibration(predicted: SplitPredictions, bins: int = 10) -> list[list[float]]:
    """Calibration of phone scores: exp of the score `sd` (gop.probability), the expected phone against all rivals.

    Args:
        predicted: The predictions of a run on a split.
        bins: Bins of equal width; empty ones have no row.

    Returns:
        By bin the mean predicted probability, the share that raters called right (accuracy 0.5 or more), the count.
    """
    probability = np.exp(np.concatenate([p.phone_score for p in predicted.predictions]))
    human = np.concatenate([np.asarray(u.judgement.phone_accuracy, dtype=float) for u in predicted.utterances])
    known = np.isfinite(human)
    probability, right = probability[known], human[known] >= 0.5
    place = np.minimum((probability * bins).astype(int), bins - 1)
    rows = [(probability[place == b], right[place == b]) for b in range(bins)]
    return [[round(float(s.mean()), 4), round(float(r.mean()), 4), len(s)] for s, r in rows if len(s)]


def calibration_error(bins: list[list[float]]) -> float | None:
    """Expected calibration error: the mean distance of predicted and right over the bins, weighted by their counts.

    Args:
        bins: Rows of `calibration`.

    Returns:
        The error; None without phones.

    Example:
        >>> calibration_error([[0.25, 0.5, 10], [1.0, 1.0, 30]])
        0.0625
    """
    total = sum(n for _, _, n in bins)
    return sum(n * abs(predicted - right) for predicted, right, n in bins) / total if total else None


def by_phone(predicted: SplitPredictions, draws: np.ndarray) -> list[dict[str, Any]]:
    """Each canonical phone's error rate (substituted or deleted) with its interval and its commonest wrong hypotheses.

    Args:
        predicted: The predictions of a run on a split.
        draws: Speaker weights, (R + 1, speakers).

    Returns:
        One row a phone that occurs.
    """
    occurs, missed = phone_errors(predicted.utterances, predicted.predictions)
    table = tasks.recognition.confusions(predicted.predictions, predicted.utterances)
    speaker = np.unique([u.speaker for u in predicted.utterances], return_inverse=True)[1]
    found = []
    for q, phone in enumerate(phones.PHONES):
        if not occurs[:, q].any():
            continue
        here = len(np.unique(speaker[occurs[:, q] > 0]))
        values = stats.ratio(missed[:, q], occurs[:, q], speaker, draws)
        rate = stats.estimate(values, int(occurs[:, q].sum()), here)
        wrong = [[other, n] for other, n in table[phone].items() if other != phone][:4]
        ends = [None if np.isnan(end) else round(end, 4) for end in (rate.low, rate.high)]
        found.append({"phone": phone, "n": rate.n, "rate": round(rate.value, 4), "low": ends[0], "high": ends[1],
                      "wrong": wrong})  # fmt: skip
    return found


def by_length(predicted: SplitPredictions, draws: np.ndarray) -> dict[str, dict[str, Any]]:
    """PER, utterance Pearson and phone AUC by the number of canonical phones.

    Args:
        predicted: The predictions of a run on a split.
        draws: Speaker weights, (R + 1, speakers).

    Returns:
        By band and metric the value, as a breakdown of a result file.
    """
    length = np.array([len(u.prompt.phones) for u in predicted.utterances])
    found: dict[str, dict[str, Any]] = {}
    for low, high in LENGTHS:
        mask = (length >= low) & (length <= (high or length.max()))
        if not mask.any():
            continue
        name = f"{low}-{high} phones" if high else f"{low} phones and more"
        found[name] = {}
        for task in tasks.TASKS.values():
            wanted = [m for m in task.metrics if m.name in ("per", "utterance_pearson", "phone_auc")]
            rows: Mapping[Any, Rows] = tasks.collect(task, predicted.predictions, predicted.utterances)
            found[name] |= {k: v.model_dump() for k, v in measure(wanted, within(rows, mask), draws).items()}
    return found
