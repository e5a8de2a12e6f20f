"""The result of a scorer's evaluation: figures with intervals, breakdowns, and where they come from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, Final

from phonobench import results, stats
from phonobench.evaluate.intervals import bands, measure, within
from phonobench.fitting.estimates import Estimates
from phonobench.fitting.open import OpenScorer
from phonobench.results import Result, ThresholdFacts
from phonobench.stats import Rows
from phonobench.store import provenance
from phonobench.tasks import assessment
from phonobench.tasks.task import Unit
from phonobench.types import Corpus

CHOSEN_ON: Final = "cross-validation"
"""What thresholds and everything else about a scorer were chosen on."""


def make_result(
    scorer: OpenScorer,
    corpus: Corpus,
    estimates: Estimates,
    rows: Mapping[Unit, Rows],
    resamples: int,
    seed: int,
) -> Result:
    """Measures the rows and says what they are of.

    Args:
        scorer: Made the estimates.
        corpus: What they are of.
        estimates: Of one split.
        rows: The estimates beside human scores, by unit.
        resamples: Bootstrap draws of speakers.
        seed: Of the draws.
    """
    run, utterances = scorer.run, estimates.utterances
    draws = stats.speaker_draws(len({u.speaker for u in utterances}), resamples, seed)
    headline = [metric for metric in assessment.METRICS if metric.name in assessment.HEADLINE]
    return Result(
        protocol_version=results.PROTOCOL_VERSION,
        run_id=run["run_id"],
        split=estimates.split,
        task=assessment.NAME,
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        provenance=_provenance(run, corpus, estimates, results.BootstrapFacts(resamples=resamples, seed=seed)),
        metrics=measure(assessment.METRICS, rows, draws),
        breakdowns={
            dimension: {band: measure(headline, within(rows, mask), draws) for band, mask in masks.items()}
            for dimension, masks in bands(utterances).items()
        },
        notes=_notes(scorer, corpus, estimates),
        thresholds={name: ThresholdFacts(value=at, chosen_on=CHOSEN_ON) for name, at in run["thresholds"].items()},
    )


def _notes(scorer: OpenScorer, corpus: Corpus, estimates: Estimates) -> list[str]:
    run, notes = scorer.run, []
    if scorer.exported:
        notes.append("as exported: int8 weights, ONNX Runtime, no torch")
    if run["level"] is not None:
        notes.append(f"recordings are brought to {run['level']:g} dBFS before they are recognised")
    notes += estimates.notes
    if corpus.synthetic:
        notes.append("figures are of synthetic speech and of simulated raters")
    if run["limit"] is not None:
        notes.append(f"a trial on the first {len(estimates.utterances)} utterances of the split: not to be cited")
    return notes


def _provenance(
    run: Mapping[str, Any], corpus: Corpus, estimates: Estimates, bootstrap: results.BootstrapFacts
) -> results.Provenance:
    utterances, trained = estimates.utterances, run["corpus"]
    fitted_from = {"folds": run["runs"], "listeners": run["listeners"], "layers": run["layers"]}
    return results.Provenance(
        corpus=results.CorpusFacts(name=corpus.name, fingerprint=corpus.fingerprint, synthetic=corpus.synthetic),
        split=results.SplitFacts(
            utterances=len(utterances),
            speakers=len({u.speaker for u in utterances}),
            words=sum(len(u.prompt.words) for u in utterances),
            phones=sum(len(u.prompt.phones) for u in utterances),
            complete=run["limit"] is None,
        ),
        model=results.ModelFacts(
            card=run["card"],
            card_key=run["card_key"],
            id=run["model"]["id"],
            revision=run["model"]["revision"],
            parameters=run["parameters"],
            trained_parameters=run["trained_parameters"],
        ),
        training=results.TrainingFacts(
            corpus=trained["name"],
            fingerprint=trained["fingerprint"],
            synthetic=trained["synthetic"],
            utterances=trained["train_utterances"],
            speakers=trained["train_speakers"],
            seed=run["seed"],
            recipe={**run["recipe"], **fitted_from},
            chosen_on=CHOSEN_ON,
        ),
        code=results.CodeFacts(version=provenance.versions()["phonobench"], revision=provenance.git_revision()),
        bootstrap=bootstrap,
        posteriors={},
    )
