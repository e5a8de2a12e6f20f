"""The figures of a fitted scorer: on train speakers from its cross-validation, on test from what its listeners hear."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, cast

import numpy as np

from phonobench import results, stats
from phonobench.assessment.model.output import ModelOutput, mean
from phonobench.assessment.model.scorer import assessment as assessment_of
from phonobench.assessment.model.scorer import panels
from phonobench.assessment.types import Assessment
from phonobench.corpora import control_audio
from phonobench.evaluate import comparison
from phonobench.evaluate.comparison import Comparison
from phonobench.evaluate.intervals import bands, draw_values, measure, within
from phonobench.fitting import feature_cache
from phonobench.fitting.feature_cache import FeatureRequest, by_panel
from phonobench.fitting.fit import cross_validated
from phonobench.fitting.open import OpenScorer, open_scorer
from phonobench.results import Result, ThresholdFacts
from phonobench.stats import Rows
from phonobench.store import provenance
from phonobench.tasks import assessment, controls
from phonobench.tasks.task import Metric, Unit
from phonobench.types import Corpus, OnProgress, PhonobenchError, Split, Utterance


def evaluate(
    folder: Path, corpus: Corpus, results_root: Path, splits: Sequence[str] | None = None, *, kept: Path,
    resamples: int = stats.bootstrap.RESAMPLES, seed: int = stats.bootstrap.SEED, report: OnProgress = lambda _: None,
) -> list[Result]:  # fmt: skip
    """Measures the scorer in `folder`, a fitted run or an export, and writes a result a split; returns them.

    "train" (runs alone): cross-validated, on all speakers that it was fitted to. "test": its listeners listen to the
    recordings, to swapped ones, to silence and noise. Both where no `splits` are named. `kept` is as in `open_scorer`.
    Raises PhonobenchError for other splits and for missing runs.
    """
    opened = open_scorer(folder, kept)
    run, made = opened.run, []
    for split in splits or (["test"] if opened.exported else ["train", "test"]):
        notes = ["as exported: int8 weights, ONNX Runtime, no torch"] if opened.exported else []
        if run["level"] is not None:
            notes.append(f"recordings are brought to {run['level']:g} dBFS before they are heard")
        if split == "train" and not opened.exported:
            utterances, answers = cross_validated(folder, corpus)
            told = [assessment_of(answer, opened.scorer.calibration) for answer in answers]
            others: list[dict[str, Assessment]] = [{} for _ in told]
            notes.append("cross-validated over speakers, calibration and thresholds chosen on these predictions")
        elif split == "test":
            utterances = list(corpus.split("test")[: run["limit"]])
            told, others, refused = _test(opened, corpus, utterances, report)
            notes += refused
        else:
            raise PhonobenchError(
                "a scorer is fitted to train and dev together: evaluate it on train (cross-validated, not an export) "
                f"or on test, not on {split}"
            )
        result = _result(run, corpus, split, utterances, told, others, notes, (resamples, seed))
        results.write(result, results_root)
        made.append(result)
    return made


def assess(folder: Path, corpus: Corpus, kept: Path, report: OnProgress = lambda _: None) -> dict[str, Assessment]:
    """What a scorer says of every test recording, by id; reads what `evaluate` left, else it listens."""
    opened = open_scorer(folder, kept)
    utterances = list(corpus.split("test")[: opened.run["limit"]])
    told, _, _ = _test(opened, corpus, utterances, report)
    return {u.id: one for u, one in zip(utterances, told, strict=True)}


def compare(
    folders: Sequence[Path], corpus: Corpus, kept: Path, *, metrics: Sequence[str] | None = None,
    resamples: int = stats.bootstrap.RESAMPLES, seed: int = stats.bootstrap.SEED, report: OnProgress = lambda _: None,
) -> Comparison:  # fmt: skip
    """Scorers on the test split, paired: each metric's difference for each pair. `metrics`: the headline if None.

    Raises PhonobenchError for fewer than two scorers, one given twice, an unknown metric, or trials of other lengths.
    """
    wanted = [_metric(name) for name in metrics or assessment.HEADLINE]
    values: dict[str, dict[str, tuple[np.ndarray, int]]] = {}
    heard: list[Utterance] = []
    for folder in folders:
        opened = open_scorer(folder, kept)
        utterances = list(corpus.split("test")[: opened.run["limit"]])
        if heard and len(heard) != len(utterances):
            raise PhonobenchError(f"{folder.name} is a trial on other utterances: compare scorers of the same ones")
        heard = utterances
        told, others, _ = _test(opened, corpus, utterances, report)
        draws = stats.speaker_draws(len({u.speaker for u in utterances}), resamples, seed)
        rows = _rows(told, utterances, others, opened.run["thresholds"])
        values[opened.run["run_id"]] = {metric.name: draw_values(metric, rows, draws) for metric in wanted}
    return comparison.of_values(corpus, "test", heard, values, len(folders), resamples)


def _metric(name: str) -> Metric:
    found = next((metric for metric in assessment.METRICS if metric.name == name), None)
    if found is None:
        raise PhonobenchError(f"unknown metric of scorers {name!r}; for example {', '.join(assessment.HEADLINE)}")
    return found


def _test(
    opened: OpenScorer, corpus: Corpus, utterances: list[Utterance], report: OnProgress
) -> tuple[list[Assessment], list[dict[str, Assessment]], list[str]]:
    """Assessments of the recordings, those of the controls, and how many controls were refused."""
    jobs = {"true": feature_cache.of(utterances), **feature_cache.of_controls(utterances, 1, control_audio.EVERY)}
    heard = _answers(opened, corpus, jobs, report)
    calibration = opened.scorer.calibration
    told = {name: {id: assessment_of(a, calibration) for id, a in answers.items()} for name, answers in heard.items()}
    notes = []
    for name in controls.CONTROLS:
        if refused := len(jobs[name]) - len(told[name]):
            notes.append(
                f"{refused} of {len(jobs[name])} {name} recordings are too short for the text: refused, left out"
            )
    others = [{name: told[name][u.id] for name in controls.CONTROLS if u.id in told[name]} for u in utterances]
    return [told["true"][u.id] for u in utterances], others, notes


def _answers(
    opened: OpenScorer, corpus: Corpus, jobs: dict[str, list[FeatureRequest]], report: OnProgress
) -> dict[str, dict[str, ModelOutput]]:
    """Answers by kind of audio and utterance, the mean of the panels of listeners."""
    together: dict[str, dict[str, list[ModelOutput]]] = {name: {} for name in jobs}
    flat = feature_cache.named(jobs)
    for panel in panels(opened.ears, opened.scorer.panel):
        found = by_panel(panel, corpus, "test", flat, lenient=True, report=report)
        for name, part in jobs.items():
            for job in part:
                if f"{name} {job.name}" in found:
                    answer = opened.scorer.predict(found[f"{name} {job.name}"])
                    together[name].setdefault(job.name, []).append(answer)
    short = [job.name for job in jobs["true"] if job.name not in together["true"]]
    if short:
        raise PhonobenchError(
            f"{corpus.name}: the audio of {short[0]} is too short for its text; copy the corpus again"
        )
    return {name: {id: mean(several) for id, several in part.items()} for name, part in together.items()}


def _rows(
    told: Sequence[Assessment], utterances: Sequence[Utterance], others: Sequence[dict[str, Assessment]],
    thresholds: dict[str, float],
) -> dict[Unit, Rows]:  # fmt: skip
    collected = assessment.collect(told, utterances, others)
    return {unit: table.with_constants(thresholds) for unit, table in collected.items()}


def _result(
    run: dict[str, Any], corpus: Corpus, split: str, utterances: Sequence[Utterance], told: Sequence[Assessment],
    others: Sequence[dict[str, Assessment]], notes: list[str], bootstrap: tuple[int, int],
) -> Result:  # fmt: skip
    rows = _rows(told, utterances, others, run["thresholds"])
    draws = stats.speaker_draws(len({u.speaker for u in utterances}), *bootstrap)
    headline = [metric for metric in assessment.METRICS if metric.name in assessment.HEADLINE]
    broken = {
        dimension: {band: measure(headline, within(rows, mask), draws) for band, mask in masks.items()}
        for dimension, masks in bands(utterances).items()
    }
    if corpus.synthetic:
        notes = [*notes, "figures are of synthetic speech and of simulated raters"]
    if run["limit"] is not None:
        notes = [*notes, f"a trial on the first {len(utterances)} utterances of the split: not to be cited"]
    trained = run["corpus"]
    return Result(
        protocol_version=results.PROTOCOL_VERSION, run_id=run["run_id"], split=cast(Split, split), task="assessment",
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        provenance=results.Provenance(
            corpus=results.CorpusFacts(name=corpus.name, fingerprint=corpus.fingerprint, synthetic=corpus.synthetic),
            split=results.SplitFacts(
                utterances=len(utterances), speakers=len({u.speaker for u in utterances}),
                words=sum(len(u.prompt.words) for u in utterances),
                phones=sum(len(u.prompt.phones) for u in utterances), complete=run["limit"] is None,
            ),
            model=results.ModelFacts(
                card=run["card"], card_key=run["card_key"], id=run["model"]["id"], revision=run["model"]["revision"],
                parameters=run["parameters"], trained_parameters=run["trained_parameters"],
            ),
            training=results.TrainingFacts(
                corpus=trained["name"], fingerprint=trained["fingerprint"], synthetic=trained["synthetic"],
                utterances=trained["train_utterances"], speakers=trained["train_speakers"], seed=run["seed"],
                recipe={**run["recipe"], "folds": run["runs"], "listeners": run["listeners"], "layers": run["layers"]},
                chosen_on="cross-validation",
            ),
            code=results.CodeFacts(version=provenance.versions()["phonobench"], revision=provenance.git_revision()),
            bootstrap=results.BootstrapFacts(resamples=bootstrap[0], seed=bootstrap[1]),
            posteriors={},
        ),
        metrics=measure(assessment.METRICS, rows, draws), breakdowns=broken, notes=notes,
        thresholds={
            name: ThresholdFacts(value=at, chosen_on="cross-validation") for name, at in run["thresholds"].items()
        },
    )  # fmt: skip
