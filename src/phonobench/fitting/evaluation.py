"""The figures of a scorer: open it, estimate a split, collect rows, measure them, write a result."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from phonobench import results, stats
from phonobench.assessment.types import Assessment
from phonobench.evaluate import comparison
from phonobench.evaluate.comparison import Comparison
from phonobench.evaluate.intervals import draw_values
from phonobench.fitting.estimates import Estimates, estimate_test, estimate_train
from phonobench.fitting.open import OpenScorer, open_scorer
from phonobench.fitting.result import make_result
from phonobench.results import Result
from phonobench.stats import Rows
from phonobench.stats.bootstrap import RESAMPLES, SEED
from phonobench.tasks import assessment
from phonobench.tasks.task import Metric, Unit
from phonobench.types import Corpus, OnProgress, PhonobenchError, Utterance


def evaluate(
    folder: Path,
    corpus: Corpus,
    results_root: Path,
    splits: Sequence[str] | None = None,
    *,
    kept: Path,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    report: OnProgress = lambda _: None,
) -> list[Result]:
    """Measures the scorer in `folder`, a fitted run or an export, and writes a result a split; returns them.

    Args:
        folder: A fitted run or an export.
        corpus: What it is measured on.
        results_root: Where results are written.
        splits: "train" (runs alone): cross-validated, on all speakers that it was fitted to. "test": recordings,
            swapped recordings, silence and noise. None: both, of an export test.
        kept: Keeps the features of exports, as in `open_scorer`.
        resamples: Bootstrap draws of speakers.
        seed: Of the draws.
        report: Is told of the progress of the recognition.

    Raises:
        PhonobenchError: For other splits, and where the scorer or its acoustic models are missing.
    """
    scorer = open_scorer(folder, kept)
    chosen = list(splits or (["test"] if scorer.exported else ["train", "test"]))
    _check_splits(scorer, chosen)
    made = []
    for split in chosen:
        if split == "train":
            estimates = estimate_train(folder, scorer, corpus)
        else:
            estimates = estimate_test(scorer, corpus, report)
        rows = rows_of(estimates, scorer.run["thresholds"])
        result = make_result(scorer, corpus, estimates, rows, resamples, seed)
        results.write(result, results_root)
        made.append(result)
    return made


def assess(folder: Path, corpus: Corpus, kept: Path, report: OnProgress = lambda _: None) -> dict[str, Assessment]:
    """The assessment of every test recording, by id, from the cache of features where it is filled.

    Raises:
        PhonobenchError: As `evaluate`.
    """
    estimates = estimate_test(open_scorer(folder, kept), corpus, report)
    return {u.id: one for u, one in zip(estimates.utterances, estimates.assessments, strict=True)}


def compare(
    folders: Sequence[Path],
    corpus: Corpus,
    kept: Path,
    *,
    metrics: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    report: OnProgress = lambda _: None,
) -> Comparison:
    """Scorers on the test split, paired: each metric's difference for each pair.

    Args:
        folders: Fitted runs or exports, two at least.
        corpus: What they are measured on.
        kept: Keeps the features of exports, as in `open_scorer`.
        metrics: Names; None: the headline.
        resamples: Bootstrap draws of speakers, the same for all.
        seed: Of the draws.
        report: Is told of the progress of the recognition.

    Raises:
        PhonobenchError: For fewer than two scorers, one given twice, an unknown metric, or trials of other lengths.
    """
    wanted = [_metric(name) for name in metrics or assessment.HEADLINE]
    values: dict[str, dict[str, tuple[np.ndarray, int]]] = {}
    utterances: list[Utterance] = []
    for folder in folders:
        scorer = open_scorer(folder, kept)
        if utterances and len(utterances) != len(scorer.test_utterances(corpus)):
            raise PhonobenchError(f"{folder.name} is a trial on other utterances: compare scorers of the same ones")
        estimates = estimate_test(scorer, corpus, report)
        utterances = estimates.utterances
        rows = rows_of(estimates, scorer.run["thresholds"])
        draws = stats.speaker_draws(len({u.speaker for u in utterances}), resamples, seed)
        values[scorer.run["run_id"]] = {metric.name: draw_values(metric, rows, draws) for metric in wanted}
    return comparison.of_values(corpus, "test", utterances, values, len(folders), resamples)


def rows_of(estimates: Estimates, thresholds: dict[str, float]) -> dict[Unit, Rows]:
    """Estimates beside human scores by unit, with the scorer's thresholds as constants."""
    collected = assessment.collect(estimates.assessments, estimates.utterances, estimates.controls)
    return {unit: table.with_constants(thresholds) for unit, table in collected.items()}


def _check_splits(scorer: OpenScorer, splits: Sequence[str]) -> None:
    known = ("test",) if scorer.exported else ("train", "test")
    for split in splits:
        if split not in known:
            raise PhonobenchError(
                "a scorer is fitted to train and dev together: evaluate it on train (cross-validated, not an export) "
                f"or on test, not on {split}"
            )


def _metric(name: str) -> Metric:
    found = next((metric for metric in assessment.METRICS if metric.name == name), None)
    if found is None:
        raise PhonobenchError(f"unknown metric of scorers {name!r}; for example {', '.join(assessment.HEADLINE)}")
    return found
