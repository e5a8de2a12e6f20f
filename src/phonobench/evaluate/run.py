"""`evaluate`: the figures of one run, written as one result file a split and task.

The flow: predictions of dev, thresholds from them; then for each split its predictions, the rows of each task, the
metrics over these rows, and a `Result` that also says where all of this comes from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np

from phonobench import ctc, results, stats, store, tasks
from phonobench.evaluate.intervals import breakdowns, measure
from phonobench.evaluate.predictions import SplitPredictions, decoder, has_posteriors, predict_split
from phonobench.results import Result, ThresholdFacts
from phonobench.stats import Rows
from phonobench.stats.bootstrap import RESAMPLES, SEED
from phonobench.store import provenance
from phonobench.tasks import Task
from phonobench.tasks.task import Unit
from phonobench.types import Corpus, OnProgress, PhonobenchError, Progress, Split

FLATTERED = "thresholds were chosen on this split: F1, MCC, precision and recall are flattered here"

Thresholds = Mapping[str, ThresholdFacts]


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
    """Measures every task on the splits and writes the results under `results_root/<run_id>/`.

    Thresholds are chosen on dev, whether or not dev is among `splits`; without dev posteriors the metrics that need
    them are null with a reason.

    Args:
        run_dir: folder of the run.
        corpus: that its posteriors are of.
        results_root: where results lie.
        splits: to be measured.
        resamples: bootstrap draws of speakers.
        seed: of the draws.
        report: called after each step.

    Returns:
        The results, by split and then by task, the negative controls last.

    Raises:
        PhonobenchError: when inference is missing, incomplete or of another corpus.
    """
    run = store.read_run(run_dir)
    dev = None
    if has_posteriors(run_dir, "dev"):
        dev = predict_split(run_dir, corpus, "dev", controls="dev" in splits, report=report)
    thresholds = choose_thresholds(dev)
    made: list[Result] = []
    for split in dict.fromkeys(splits):
        known = dev if split == "dev" else None
        predicted = known or predict_split(run_dir, corpus, cast(Split, split), report=report)
        report(Progress(f"measure {split}", 0, 1))
        origin = _Origin(run, corpus, predicted, resamples, seed)
        found = [_of_task(task, origin, thresholds) for task in tasks.TASKS.values()]
        found.append(_of_controls(origin))
        for result in found:
            results.write(result, results_root)
        made += found
        report(Progress(f"measure {split}", 1, 1))
    return made


def choose_thresholds(dev: SplitPredictions | None) -> dict[str, ThresholdFacts]:
    """The threshold of each decision with the best F1 on dev; null with a reason where there is none."""
    found = {}
    for task in tasks.TASKS.values():
        rows = None if dev is None or not task.thresholds else tasks.collect(task, dev.of(task), dev.utterances)
        for threshold in task.thresholds:
            if rows is None:
                found[threshold.name] = ThresholdFacts(value=None, reason="no dev posteriors")
                continue
            try:
                found[threshold.name] = ThresholdFacts(value=threshold.choose(rows[threshold.unit]))
            except stats.Undefined as reason:
                found[threshold.name] = ThresholdFacts(value=None, reason=f"{reason} on dev")
    return found


def task_rows(task: Task, predicted: SplitPredictions, thresholds: Thresholds) -> dict[Unit, Rows]:
    """The rows of a task on a split.

    Args:
        task: The task.
        predicted: The predictions of a run on the split.
        thresholds: Those that were chosen on dev; the ones with a value become constants of the rows.

    Returns:
        By unit the rows.
    """
    constants = {name: facts.value for name, facts in thresholds.items() if facts.value is not None}
    collected = tasks.collect(task, predicted.of(task), predicted.utterances)
    return {unit: table.with_constants(constants) for unit, table in collected.items()}


def decoder_facts(run: Mapping[str, Any]) -> results.DecoderFacts:
    """The decoder that a run's manifest names, and on what it was chosen."""
    return results.DecoderFacts(name=decoder(run).name, chosen_on=run.get("decoder", {}).get("chosen_on"))


@dataclass(frozen=True, eq=False)
class _Origin:
    """What all results of a run on a split have in common."""

    run: Mapping[str, Any]
    corpus: Corpus
    predicted: SplitPredictions
    resamples: int
    seed: int

    @cached_property
    def draws(self) -> np.ndarray:
        """The speaker draws of the split."""
        speakers = len({u.speaker for u in self.predicted.utterances})
        return stats.speaker_draws(speakers, self.resamples, self.seed)

    @cached_property
    def provenance(self) -> results.Provenance:
        """Everything that the figures depend on."""
        return _provenance(self)

    def result(self, task: str, notes: Sequence[str] = (), **fields: Any) -> Result:
        """A result file with these fields."""
        return Result(
            protocol_version=results.PROTOCOL_VERSION,
            run_id=self.run["run_id"],
            split=self.predicted.split,
            task=task,
            created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            provenance=self.provenance,
            notes=[*_notes(self), *notes],
            **fields,
        )


def _of_task(task: Task, origin: _Origin, thresholds: Thresholds) -> Result:
    predicted, draws = origin.predicted, origin.draws
    rows = task_rows(task, predicted, thresholds)
    headline = [metric for metric in task.metrics if metric.name in task.headline]
    fields: dict[str, Any] = {
        "metrics": measure(task.metrics, rows, draws),
        "breakdowns": breakdowns(headline, rows, predicted.utterances, draws),
        "counts": task.counts(predicted.of(task)),
    }
    if task.confusions:
        fields["confusion"] = task.confusions(predicted.of(task), predicted.utterances)
    notes = []
    if task.thresholds:
        fields["thresholds"] = {threshold.name: thresholds[threshold.name] for threshold in task.thresholds}
        notes = [FLATTERED] if predicted.split == "dev" else []
    return origin.result(task.name, notes, **fields)


def _of_controls(origin: _Origin) -> Result:
    predicted = origin.predicted
    rows = tasks.controls.rows(predicted.utterances, predicted.predictions, predicted.controls)
    metrics = measure(tasks.controls.METRICS, {"utterance": rows}, origin.draws)
    return origin.result(tasks.controls.NAME, metrics=metrics)


def _notes(origin: _Origin) -> list[str]:
    run, predicted = origin.run, origin.predicted
    notes = ["figures are of synthetic speech and of simulated raters"] if origin.corpus.synthetic else []
    if not predicted.complete:
        notes.append(f"a trial on the first {len(predicted.utterances)} utterances of the split: not to be cited")
    if run.get("weights") == "int8":
        notes.append("weights were restored from an int8 copy of the run")
    facts = decoder_facts(run)
    if facts.name != ctc.GREEDY.name:
        chosen = f", chosen on {facts.chosen_on}" if facts.chosen_on else ""
        notes.append(f"phones were decoded by {facts.name}{chosen}; phone scores are of the posteriors as they are")
    return notes


def _provenance(origin: _Origin) -> results.Provenance:
    run, corpus, utterances = origin.run, origin.corpus, origin.predicted.utterances
    trained = run["corpus"]
    try:
        return results.Provenance(
            corpus=results.CorpusFacts(name=corpus.name, fingerprint=corpus.fingerprint, synthetic=corpus.synthetic),
            split=results.SplitFacts(
                utterances=len(utterances),
                speakers=len({u.speaker for u in utterances}),
                words=sum(len(u.prompt.words) for u in utterances),
                phones=sum(len(u.prompt.phones) for u in utterances),
                complete=origin.predicted.complete,
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
            bootstrap=results.BootstrapFacts(resamples=origin.resamples, seed=origin.seed),
            posteriors=origin.predicted.keys,
            decoder=decoder_facts(run),
        )
    except KeyError as missing:
        raise PhonobenchError(f"run {run['run_id']}: {store.RUN_FILE} lacks {missing}; train it again") from missing
