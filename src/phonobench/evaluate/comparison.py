"""`compare`: paired differences of runs on the same speakers and the same draws, with Holm over each metric."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from phonobench import stats, tasks
from phonobench.evaluate.intervals import draw_values
from phonobench.evaluate.predictions import SplitPredictions, has_posteriors, predict_split
from phonobench.evaluate.run import choose_thresholds, constants
from phonobench.stats.bootstrap import RESAMPLES, SEED
from phonobench.types import Corpus, PhonobenchError, Progress, Split, Utterance

HEADLINE = (
    "per_hq", "per", "per_ipa_char_hq", "utterance_pearson", "utterance_spearman", "phone_pearson", "phone_spearman",
    "word_pearson", "utterance_auc", "utterance_f1", "phone_auc", "phone_ap", "phone_f1", "phone_mcc",
)  # fmt: skip
"""Metrics that `compare` shows when none are named."""


@dataclass(frozen=True)
class MetricDifference:
    """One metric of two runs: their values, `difference` = a - b with its interval, p, and p after Holm.

    The family of Holm's correction is all pairs of runs for the metric. `better` is the run with the better value,
    None where they are equal, or the metric only describes (a bias), or is undefined (`reason`).
    """

    metric: str
    a: str
    b: str
    value_a: float
    value_b: float
    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    better: str | None
    reason: str | None = None


@dataclass(frozen=True)
class Comparison:
    """All pairs of some runs on one split: `gaps` by metric, then by pair in the order of `runs`."""

    corpus: str
    synthetic: bool
    split: str
    utterances: int
    speakers: int
    resamples: int
    runs: tuple[str, ...]
    gaps: tuple[MetricDifference, ...]

    def json(self) -> dict[str, Any]:
        """The same as JSON-able data: NaN is null, and the gap's `reason` says why."""
        fields = asdict(self)
        fields["gaps"] = [
            {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in gap.items()} for gap in fields["gaps"]
        ]
        return fields


def compare(
    run_dirs: Sequence[Path],
    corpus: Corpus,
    split: Split = "test",
    *,
    metrics: Sequence[str] = HEADLINE,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    report: Callable[[Progress], None] = lambda _: None,
) -> Comparison:
    """Measures the runs on the same draws and compares each pair. Each run keeps its own thresholds, from dev.

    Raises PhonobenchError for fewer than two runs, one named twice, an unknown metric, or runs that do not cover the
    same utterances.
    """
    _check_names(run_dirs, metrics)
    values: dict[str, dict[str, tuple[np.ndarray, int]]] = {}
    first: SplitPredictions | None = None
    for run_dir in run_dirs:
        answered = predict_split(run_dir, corpus, split, controls=False, report=report)
        first = first or answered
        _check_same(first, answered)
        values[answered.run_id] = _values(run_dir, corpus, answered, metrics, resamples, seed, report)
    assert first is not None
    return of_values(corpus, split, first.utterances, values, len(run_dirs), resamples)


def of_values(
    corpus: Corpus, split: Split, utterances: Sequence[Utterance],
    values: Mapping[str, Mapping[str, tuple[np.ndarray, int]]], named: int, resamples: int,
) -> Comparison:  # fmt: skip
    """All pairs of runs by `values`: run -> metric -> its values over the same draws, and the speakers behind it.

    Raises PhonobenchError for fewer than two runs, and where the `named` ones were not all different.
    """
    runs = tuple(values)
    if named < 2:
        raise PhonobenchError(f"{named} run to compare: name at least two")
    if len(runs) < named:
        raise PhonobenchError(f"two of the {named} folders hold the same run: {', '.join(runs)}")
    gaps = [gap for name in values[runs[0]] for gap in _gaps(name, {run: values[run][name] for run in runs})]
    speakers = len({u.speaker for u in utterances})
    return Comparison(corpus.name, corpus.synthetic, split, len(utterances), speakers, resamples, runs, tuple(gaps))


def _check_names(run_dirs: Sequence[Path], metrics: Sequence[str]) -> None:
    if len(run_dirs) < 2:
        raise PhonobenchError(f"{len(run_dirs)} run to compare: name at least two")
    for name in metrics:
        if not any(metric.name == name for task in tasks.TASKS.values() for metric in task.metrics):
            raise PhonobenchError(f"unknown metric {name!r}; known: {', '.join(HEADLINE)} and others in a result file")


def _check_same(first: SplitPredictions, other: SplitPredictions) -> None:
    ours, theirs = ({u.id for u in answered.utterances} for answered in (first, other))
    if ours != theirs:
        raise PhonobenchError(
            f"runs {first.run_id} and {other.run_id} do not cover the same {first.split} utterances "
            f"({len(ours)} and {len(theirs)}; {min(ours ^ theirs)} is in one only): infer both on the same corpus"
        )


def _values(
    run_dir: Path, corpus: Corpus, answered: SplitPredictions, metrics: Sequence[str], resamples: int, seed: int,
    report: Callable[[Progress], None],
) -> dict[str, tuple[np.ndarray, int]]:  # fmt: skip
    thresholds = {}
    if any(metric.name in metrics for metric in tasks.detection.TASK.metrics):
        thresholds = _own_thresholds(run_dir, corpus, answered, report)
    draws = stats.speaker_draws(len({u.speaker for u in answered.utterances}), resamples, seed)
    found: dict[str, tuple[np.ndarray, int]] = {}
    for task in tasks.TASKS.values():
        wanted = [metric for metric in task.metrics if metric.name in metrics]
        if not wanted:
            continue
        rows = tasks.collect(task, answered.predictions, answered.utterances)
        rows = {unit: table.with_constants(thresholds) for unit, table in rows.items()}
        found |= {metric.name: draw_values(metric, rows, draws) for metric in wanted}
    return found


def _own_thresholds(
    run_dir: Path, corpus: Corpus, answered: SplitPredictions, report: Callable[[Progress], None]
) -> dict[str, float]:
    if answered.split == "dev":
        return constants(choose_thresholds(answered))
    if not has_posteriors(run_dir, "dev"):
        return {}
    return constants(choose_thresholds(predict_split(run_dir, corpus, "dev", controls=False, report=report)))


def _gaps(name: str, values: dict[str, tuple[np.ndarray, int]]) -> list[MetricDifference]:
    pairs = list(combinations(values, 2))
    found = [stats.difference(values[a][0], values[b][0], values[a][1]) for a, b in pairs]
    adjusted = stats.holm([gap.p for gap in found])
    return [
        MetricDifference(
            name, a, b, float(values[a][0][0]), float(values[b][0][0]), gap.value, gap.low, gap.high, gap.p, p_holm,
            _better(name, a, b, gap.value), gap.reason,
        )
        for (a, b), gap, p_holm in zip(pairs, found, adjusted, strict=True)
    ]  # fmt: skip


def _better(name: str, a: str, b: str, gap: float) -> str | None:
    good = tasks.METRICS[name].better
    if good == "none" or not abs(gap) > 0:  # it only describes, or they are equal, or NaN
        return None
    a_is_better = gap > 0 if good == "high" else gap < 0
    return a if a_is_better else b
