"""`evaluate`: the figures of one run, written as one result file a split and task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, cast

import numpy as np

from phonobench import ctc, results, stats, store, tasks
from phonobench.evaluate.intervals import bands, measure, within
from phonobench.evaluate.predictions import SplitPredictions, decoder, has_posteriors, predict_split
from phonobench.results import Result, ThresholdFacts
from phonobench.stats.bootstrap import RESAMPLES, SEED
from phonobench.store import provenance
from phonobench.tasks import Task
from phonobench.types import Corpus, OnProgress, PhonobenchError, Progress, Split


def evaluate(
    run_dir: Path,
    corpus: Corpus,
    results_root: Path,
    splits: Sequence[str] = ("dev", "test"),
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    report: OnProgress = lambda _: None,
) -> list[Result]:
    """Measures every task on the splits and writes the results under `results_root/<run_id>/`; returns them.

    Thresholds are chosen on dev, whether or not dev is among `splits`; without dev posteriors the metrics that need
    them are null with a reason. Raises PhonobenchError when inference is missing, incomplete or of another corpus.
    """
    run = store.read_run(run_dir)
    dev = _dev_answers(run_dir, corpus, with_controls="dev" in splits, report=report)
    thresholds = choose_thresholds(dev)
    found = []
    for split in dict.fromkeys(splits):
        known = dev if split == "dev" and dev is not None else None
        answered = known or predict_split(run_dir, corpus, cast(Split, split), report=report)
        report(Progress(f"measure {split}", 0, 1))
        for result in _results(run, corpus, answered, thresholds, resamples, seed):
            results.write(result, results_root)
            found.append(result)
        report(Progress(f"measure {split}", 1, 1))
    return found


def choose_thresholds(dev: SplitPredictions | None) -> dict[str, ThresholdFacts]:
    """The threshold of each detection target with the best F1 on dev; null with a reason where there is none."""
    found = {}
    rows = None if dev is None else tasks.collect(tasks.detection.TASK, dev.predictions, dev.utterances)
    for threshold in tasks.detection.TASK.thresholds:
        if rows is None:
            found[threshold.name] = ThresholdFacts(value=None, reason="no dev posteriors")
            continue
        try:
            found[threshold.name] = ThresholdFacts(value=threshold.choose(rows[threshold.unit]))
        except stats.Undefined as reason:
            found[threshold.name] = ThresholdFacts(value=None, reason=f"{reason} on dev")
    return found


def constants(thresholds: Mapping[str, ThresholdFacts]) -> dict[str, float]:
    """The thresholds that have a value, by target."""
    return {name: facts.value for name, facts in thresholds.items() if facts.value is not None}


def _dev_answers(run_dir: Path, corpus: Corpus, with_controls: bool, report: OnProgress) -> SplitPredictions | None:
    if not has_posteriors(run_dir, "dev"):
        return None
    return predict_split(run_dir, corpus, "dev", controls=with_controls, report=report)


def _results(
    run: Mapping[str, Any], corpus: Corpus, answered: SplitPredictions, thresholds: dict[str, ThresholdFacts],
    resamples: int, seed: int,
) -> list[Result]:  # fmt: skip
    draws = stats.speaker_draws(len({u.speaker for u in answered.utterances}), resamples, seed)
    shared: dict[str, Any] = {
        "protocol_version": results.PROTOCOL_VERSION,
        "run_id": run["run_id"],
        "split": answered.split,
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "provenance": _provenance(run, corpus, answered, resamples, seed),
    }
    notes = _notes(run, corpus, answered)
    made = [_task_result(task, shared, answered, thresholds, draws, notes) for task in tasks.TASKS.values()]
    rows = tasks.controls.rows(answered.utterances, answered.predictions, answered.controls)
    measured = measure(tasks.controls.METRICS, {"utterance": rows}, draws)
    return [*made, Result(**shared, task="controls", metrics=measured, notes=notes)]


def _task_result(
    task: Task, shared: Mapping[str, Any], answered: SplitPredictions, thresholds: dict[str, ThresholdFacts],
    draws: np.ndarray, notes: list[str],
) -> Result:  # fmt: skip
    collected = tasks.collect(task, answered.predictions, answered.utterances)
    rows = {unit: table.with_constants(constants(thresholds)) for unit, table in collected.items()}
    headline = [metric for metric in task.metrics if metric.name in task.headline]
    breakdowns = {
        dimension: {band: measure(headline, within(rows, mask), draws) for band, mask in masks.items()}
        for dimension, masks in bands(answered.utterances).items()
    }
    extra: dict[str, Any] = {}
    if task.name == "recognition":
        extra["confusion"] = tasks.recognition.confusions(answered.predictions, answered.utterances)
        extra["counts"] = {"unmapped_symbols": 0}  # posteriors have the 39 phones only: there is nothing to map
    else:
        extra["counts"] = {"floored_phone_scores": sum(p.floored for p in answered.predictions)}
    if task.thresholds:
        extra["thresholds"] = thresholds
        if answered.split == "dev":
            notes = [*notes, "thresholds were chosen on this split: F1, MCC, precision and recall are flattered here"]
    metrics = measure(task.metrics, rows, draws)
    name = cast(results.TaskName, task.name)
    return Result(**shared, task=name, metrics=metrics, breakdowns=breakdowns, notes=notes, **extra)


def _notes(run: Mapping[str, Any], corpus: Corpus, answered: SplitPredictions) -> list[str]:
    notes = ["figures are of synthetic speech and of simulated raters"] if corpus.synthetic else []
    if not answered.complete:
        notes.append(f"a trial on the first {len(answered.utterances)} utterances of the split: not to be cited")
    if run.get("weights") == "int8":
        notes.append("weights were restored from an int8 copy of the run")
    facts = decoder_facts(run)
    if facts.name != ctc.GREEDY.name:
        chosen = f", chosen on {facts.chosen_on}" if facts.chosen_on else ""
        notes.append(f"phones were decoded by {facts.name}{chosen}; phone scores are of the posteriors as they are")
    return notes


def decoder_facts(run: Mapping[str, Any]) -> results.DecoderFacts:
    """The decoder that a run's manifest names, and on what it was chosen."""
    return results.DecoderFacts(name=decoder(run).name, chosen_on=run.get("decoder", {}).get("chosen_on"))


def _provenance(
    run: Mapping[str, Any], corpus: Corpus, answered: SplitPredictions, resamples: int, seed: int
) -> results.Provenance:
    trained = run["corpus"]
    try:
        return results.Provenance(
            corpus=results.CorpusFacts(name=corpus.name, fingerprint=corpus.fingerprint, synthetic=corpus.synthetic),
            split=results.SplitFacts(
                utterances=len(answered.utterances),
                speakers=len({u.speaker for u in answered.utterances}),
                words=sum(len(u.prompt.words) for u in answered.utterances),
                phones=sum(len(u.prompt.phones) for u in answered.utterances),
                complete=answered.complete,
            ),
            model=results.ModelFacts(
                card=run["card"],
                card_key=run["card_key"],
                id=run["model"]["id"],
                revision=run["model"]["revision"],
                parameters=run["parameters"],
                trained_parameters=run.get("trained_parameters"),
            ),
            training=results.TrainingFacts(
                corpus=trained["name"],
                fingerprint=trained["fingerprint"],
                synthetic=trained["synthetic"],
                utterances=trained["train_utterances"],
                speakers=trained["train_speakers"],
                seed=run["seed"],
                recipe=run["recipe"],
                best_epoch=run.get("best_epoch"),
            ),
            code=results.CodeFacts(version=provenance.versions()["phonobench"], revision=provenance.git_revision()),
            bootstrap=results.BootstrapFacts(resamples=resamples, seed=seed),
            posteriors=answered.keys,
            decoder=decoder_facts(run),
        )
    except KeyError as missing:
        raise PhonobenchError(f"run {run['run_id']}: {store.RUN_FILE} lacks {missing}; train it again") from missing
