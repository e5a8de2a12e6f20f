"""`compare`: paired differences of runs on the same speakers and the same draws, with Holm over each metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, cast

import numpy as np

from phonobench import stats, store, tasks
from phonobench.evaluate.intervals import draw_values
from phonobench.evaluate.predictions import SplitPredictions, has_posteriors, predict_split
from phonobench.evaluate.run import choose_thresholds, task_rows
from phonobench.results import ThresholdFacts
from phonobench.stats.bootstrap import RESAMPLES, SEED
from phonobench.tasks import Metric
from phonobench.types import Corpus, OnProgress, PhonobenchError, Split, Utterance

Values = dict[str, tuple[np.ndarray, int]]
"""Metric -> its values (R + 1,) over the draws, and the number of speakers behind it."""


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
        return cast(dict[str, Any], store.without_nan(asdict(self)))


def headline() -> tuple[str, ...]:
    """The metrics that `compare` shows when none are named: those of the tasks that are shown everywhere.

    Example:
        >>> headline()[:3]
        ('per_hq', 'per', 'per_ipa_char_hq')
    """
    return tuple(m.name for task in tasks.TASKS.values() for m in task.metrics if m.shown == "everywhere")


def compare(
    run_dirs: Sequence[Path],
    corpus: Corpus,
    split: Split = "test",
    *,
    metrics: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    report: OnProgress = lambda _: None,
) -> Comparison:
    """Measures the runs on the same draws and compares each pair. Each run keeps its own thresholds, from dev.

    Args:
        run_dirs: folders of two or more runs.
        corpus: that their posteriors are of.
        split: to be measured.
        metrics: names of metrics; `headline()` where None.
        resamples: bootstrap draws of speakers.
        seed: of the draws.
        report: called after each step.

    Raises:
        PhonobenchError: for fewer than two runs, one named twice, an unknown metric, or runs that do not cover the
            same utterances.
    """
    if len(run_dirs) < 2:
        raise PhonobenchError(f"{len(run_dirs)} run to compare: name at least two")
    wanted = _wanted(headline() if metrics is None else metrics)
    values: dict[str, Values] = {}
    first: SplitPredictions | None = None
    for run_dir in run_dirs:
        predicted = predict_split(run_dir, corpus, split, controls=False, report=report)
        first = first or predicted
        _check_same(first, predicted)
        thresholds = {}
        if any(tasks.TASKS[task].thresholds for task in wanted):
            thresholds = choose_thresholds(_dev(run_dir, corpus, predicted, report))
        values[predicted.run_id] = _values(predicted, wanted, thresholds, resamples, seed)
    assert first is not None
    return of_values(corpus, split, first.utterances, values, len(run_dirs), resamples)


def of_values(
    corpus: Corpus,
    split: Split,
    utterances: Sequence[Utterance],
    values: Mapping[str, Values],
    named: int,
    resamples: int,
) -> Comparison:
    """All pairs of runs by `values`: run -> metric -> its values over the same draws, and the speakers behind it.

    Raises:
        PhonobenchError: for fewer than two runs, and where the `named` ones were not all different.
    """
    runs = tuple(values)
    if named < 2:
        raise PhonobenchError(f"{named} run to compare: name at least two")
    if len(runs) < named:
        raise PhonobenchError(f"two of the {named} folders hold the same run: {', '.join(runs)}")
    differences = [
        one for name in values[runs[0]] for one in _differences(name, {run: values[run][name] for run in runs})
    ]
    speakers = len({u.speaker for u in utterances})
    size = (len(utterances), speakers, resamples)
    return Comparison(corpus.name, corpus.synthetic, split, *size, runs, tuple(differences))


def _wanted(names: Sequence[str]) -> dict[str, list[Metric]]:
    """The metrics by their task."""
    found = {task.name: [metric for metric in task.metrics if metric.name in names] for task in tasks.TASKS.values()}
    known = {metric.name for group in found.values() for metric in group}
    for name in names:
        if name not in known:
            shown = ", ".join(headline())
            raise PhonobenchError(f"unknown metric {name!r}; known: {shown} and others in a result file")
    return {task: metrics for task, metrics in found.items() if metrics}


def _check_same(first: SplitPredictions, other: SplitPredictions) -> None:
    ours, theirs = ({u.id for u in predicted.utterances} for predicted in (first, other))
    if ours != theirs:
        raise PhonobenchError(
            f"runs {first.run_id} and {other.run_id} do not cover the same {first.split} utterances "
            f"({len(ours)} and {len(theirs)}; {min(ours ^ theirs)} is in one only): infer both on the same corpus"
        )


def _dev(run_dir: Path, corpus: Corpus, predicted: SplitPredictions, report: OnProgress) -> SplitPredictions | None:
    """The predictions on dev, on which the thresholds are chosen; None without dev posteriors."""
    if predicted.split == "dev":
        return predicted
    if not has_posteriors(run_dir, "dev"):
        return None
    return predict_split(run_dir, corpus, "dev", controls=False, report=report)


def _values(
    predicted: SplitPredictions,
    wanted: Mapping[str, Sequence[Metric]],
    thresholds: Mapping[str, ThresholdFacts],
    resamples: int,
    seed: int,
) -> Values:
    draws = stats.speaker_draws(len({u.speaker for u in predicted.utterances}), resamples, seed)
    found: Values = {}
    for task, metrics in wanted.items():
        rows = task_rows(tasks.TASKS[task], predicted, thresholds)
        found |= {metric.name: draw_values(metric, rows, draws) for metric in metrics}
    return found


def _differences(name: str, values: Values) -> list[MetricDifference]:
    """All pairs of runs in one metric; `values` by run."""
    pairs = list(combinations(values, 2))
    found = [stats.difference(values[a][0], values[b][0], values[a][1]) for a, b in pairs]
    adjusted = stats.holm([one.p for one in found])
    return [
        MetricDifference(
            metric=name,
            a=a,
            b=b,
            value_a=float(values[a][0][0]),
            value_b=float(values[b][0][0]),
            difference=one.value,
            low=one.low,
            high=one.high,
            p=one.p,
            p_holm=p_holm,
            better=_better(name, a, b, one.value),
            reason=one.reason,
        )
        for (a, b), one, p_holm in zip(pairs, found, adjusted, strict=True)
    ]


def _better(name: str, a: str, b: str, difference: float) -> str | None:
    good = tasks.metrics()[name].better
    if good == "none" or not abs(difference) > 0:  # it only describes, or they are equal, or NaN
        return None
    a_is_better = difference > 0 if good == "high" else difference < 0
    return a if a_is_better else b
