"""Rows and draws to figures: every metric with its interval, on the whole split and in each band of its speakers.

Bands: age (a child is younger than `types.ADULT`, 18 years), gender as the corpus has it, and proficiency by the human
sentence accuracy. An utterance whose age, gender or score is not known is in no band of that kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from phonobench import stats
from phonobench.results import Value
from phonobench.stats import Rows
from phonobench.tasks.task import Metric, Unit
from phonobench.types import Utterance

BANDS: dict[str, Callable[[Utterance], str | None]] = {
    "age": lambda u: None if u.is_child is None else ("child" if u.is_child else "adult"),
    "gender": lambda u: u.gender or None,
    "proficiency": lambda u: _proficiency(u.judgement.accuracy),
}
"""For each dimension the band of an utterance; None leaves it out."""


def _proficiency(accuracy: float) -> str | None:
    """Band of a sentence accuracy of 0 to 10; between two integers the lower bound of the band counts."""
    for band, above in (("9-10", 8.0), ("7-8", 6.0), ("5-6", 4.0), ("0-4", -np.inf)):
        if accuracy > above:
            return band
    return None  # NaN: no score


def bands(utterances: Sequence[Utterance]) -> dict[str, dict[str, np.ndarray]]:
    """dimension -> band -> mask over the utterances; only bands that occur, in sorted order."""
    found: dict[str, dict[str, np.ndarray]] = {}
    for dimension, band_of in BANDS.items():
        labels = [band_of(u) for u in utterances]
        present = sorted({label for label in labels if label is not None})
        found[dimension] = {band: np.array([label == band for label in labels]) for band in present}
    return found


def breakdowns(
    metrics: Sequence[Metric], rows: Mapping[Unit, Rows], utterances: Sequence[Utterance], draws: np.ndarray
) -> dict[str, dict[str, dict[str, Value]]]:
    """Every metric within each band of each dimension (age, gender, proficiency).

    Args:
        metrics: What is measured.
        rows: By unit the rows of a task.
        utterances: Those that the rows are of.
        draws: Speaker weights of all speakers, (R + 1, speakers).

    Returns:
        dimension -> band -> metric -> value.
    """
    return {
        dimension: {band: measure(metrics, within(rows, mask), draws) for band, mask in masks.items()}
        for dimension, masks in bands(utterances).items()
    }


def measure(metrics: Iterable[Metric], rows: Mapping[Unit, Rows], draws: np.ndarray) -> dict[str, Value]:
    """Every metric on the rows of its unit, with the interval over the draws.

    Args:
        metrics: What is measured.
        rows: By unit the rows of a task.
        draws: Speaker weights, (R + 1, speakers).

    Returns:
        By metric its value, with the reason where it has none.
    """
    return {metric.name: Value.of(estimate(metric, rows, draws)) for metric in metrics}


def estimate(metric: Metric, rows: Mapping[Unit, Rows], draws: np.ndarray) -> stats.Estimate:
    """One metric with its interval; NaN with a reason where it is undefined.

    Args:
        metric: to be measured.
        rows: by unit.
        draws: weights (R + 1, S), row 0 all ones (`stats.speaker_draws`).
    """
    try:
        kept = _kept(metric, rows)
    except stats.Undefined as reason:
        return stats.undefined(str(reason))
    try:
        values = metric.value(kept, draws)
    except stats.Undefined as reason:
        return stats.undefined(str(reason), len(kept), kept.speakers_present)
    return stats.estimate(values, len(kept), kept.speakers_present)


def draw_values(metric: Metric, rows: Mapping[Unit, Rows], draws: np.ndarray) -> tuple[np.ndarray, int]:
    """One metric over the draws.

    Args:
        metric: What is measured.
        rows: By unit the rows of a task.
        draws: Speaker weights, (R + 1, speakers).

    Returns:
        The values (R + 1,), NaN where undefined, and the number of speakers behind them.
    """
    speakers = 0
    try:
        kept = _kept(metric, rows)
        speakers = kept.speakers_present
        return metric.value(kept, draws), speakers
    except stats.Undefined:
        return np.full(len(draws), np.nan), speakers


def within(rows: Mapping[Unit, Rows], mask: np.ndarray) -> dict[Unit, Rows]:
    """The rows of the utterances in a mask over utterances."""
    return {unit: table.keep(mask[table["utterance"]]) for unit, table in rows.items()}


def _kept(metric: Metric, rows: Mapping[Unit, Rows]) -> Rows:
    table = rows[metric.unit]
    return table if metric.keep is None else table.keep(metric.keep(table))
