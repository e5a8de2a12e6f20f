"""Fits a scorer to the features of speakers that its recognisers were not trained on, and makes a run of it.

A scorer is networks and boosted trees, which weigh the same, and a gate: whether the prompt was read at all. Networks
and trees are fitted to prompts that were read, the gate also to prompts against audio in which nobody reads them.

The runs are folds of one training (`phonobench train SYSTEM --recipe scoring --fold k`); each gives the features of the
speakers that it held out. Folds of several trainings give them side by side, as a panel. Cross-validation leaves out
one fifth of the speakers at a time: its predictions calibrate the scorer and are its figures on train speakers. The
scorer that is kept is then fitted to all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from phonobench import fusion, store
from phonobench.assessment.model.calibration import Calibration, calibrate
from phonobench.assessment.model.examples import FitConfig
from phonobench.assessment.model.features import NAMES
from phonobench.assessment.model.output import ModelOutput
from phonobench.assessment.model.presence import PRESENCE_FEATURES
from phonobench.assessment.model.readers import readers_of
from phonobench.assessment.model.scorer import FOREST, NETWORK
from phonobench.assessment.types import PHONE_SCALE, SCORE_SCALE, SENTENCE_SCORES, WORD_SCORES
from phonobench.fitting import boosting
from phonobench.fitting.cross_validation import cross_validate, write_outputs
from phonobench.fitting.dataset import REPLACED_EVERY, SWAPPED_EVERY, gather, refuse_unscored
from phonobench.fitting.folds import folds_of, in_panels
from phonobench.fitting.presence import LOST, PRIOR, STRENGTH, fit_presence
from phonobench.stats import best_f1_threshold
from phonobench.store import outputs, provenance
from phonobench.tasks.detection import POSITIVE
from phonobench.types import Corpus, OnProgress, Utterance

LEVEL = -19.0
"""dBFS of the loud parts of a recording (`audio.levelled`): the median of SpeechOcean762's train speakers. How loud a
microphone records tells nothing of the speaker, but it changes the outputs of a recogniser, and a scorer would learn
what goes with it."""


def fit(
    runs: Sequence[Path],
    corpus: Corpus,
    runs_root: Path,
    *,
    acoustic_models: Sequence[Path] | None = None,
    layers: Sequence[int] = (),
    level: float | None = LEVEL,
    config: FitConfig | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    report: OnProgress = lambda _: None,
) -> Path:
    """Fit a scorer and write it as a run under `runs_root`; returns its folder. A finished one is returned as it is.

    Args:
        runs: Folds of one training, or the same folds of several, whose features then stand side by side.
        corpus: The one that they were trained on.
        runs_root: Where the scorer's run is made.
        acoustic_models: Those of the runs that it scores with; several folds vote. None: the first fold.
        layers: Encoder layers whose states the networks read: 0 before the first, -1 after the last.
        level: Loudness to which recordings are brought, dBFS; None: they stay as they are.
        config: How networks, trees and gate are fitted; None: as chosen by cross-validation.
        seeds: Networks that vote, one a seed.
        report: Is told of the progress.

    Raises:
        PhonobenchError: For runs that are no folds, or not the same ones, for too few speakers, and for a corpus that
            lacks a human score.
    """
    refuse_unscored(corpus)
    config = config or FitConfig()
    plan = _plan(runs, corpus, acoustic_models, layers, level, config, seeds)
    run_dir = runs_root / run_id(plan.system, plan.votes, plan.key)
    with outputs.sole_owner(run_dir):
        return _fit(plan, run_dir, corpus, layers, level, config, seeds, report)


def _fit(
    plan: _Plan,
    run_dir: Path,
    corpus: Corpus,
    layers: Sequence[int],
    level: float | None,
    config: FitConfig,
    seeds: Sequence[int],
    report: OnProgress,
) -> Path:
    from phonobench.neural.assessment import training
    from phonobench.neural.checkpoints import onnx

    if (run_dir / store.RUN_FILE).exists() and store.read_run(run_dir).get("status") == "fitted":
        return run_dir
    data = gather(plan.folds, corpus, layers, level, limit=plan.first[0].get("limit"), report=report)
    outputs = cross_validate(data, config, seeds, report)
    network = training.fit(data.examples, config, seeds, report)
    forest = boosting.fit_forest(data.examples, NAMES, config, report)
    gate = boosting.fit_gate(data.examples, [one for one, _ in data.negatives], NAMES, config)
    onnx.write_scorer(network, run_dir / NETWORK)
    forest.write(run_dir / FOREST)
    write_outputs(run_dir, data.utterances, outputs)
    fitted = {
        "trained_parameters": sum(p.numel() for p in network.parameters()),
        "gate": gate.to_json(),
        "presence": fit_presence(
            [(boosting.description_of(e), u) for e, u in zip(data.examples, data.utterances, strict=True)],
            data.changed,
            NAMES,
        ).to_json(),
        "readers": readers_of(np.stack([SCORE_SCALE * output[3] for output in outputs])).to_json(),
        "calibration": calibrated(outputs, data.utterances).to_json(),
        "thresholds": _thresholds(outputs, data.utterances),
    }
    store.write_run(run_dir, {**_manifest(plan, run_dir.name, corpus, data.utterances), **fitted, "status": "fitted"})
    return run_dir


@dataclass(frozen=True, eq=False)
class _Plan:
    """What is to be fitted: `first` are the manifests of the first fold's panel, `facts` what the key hashes."""

    folds: dict[int, list[Path]]
    first: list[dict[str, Any]]
    acoustic_models: list[Path]
    config: FitConfig
    facts: dict[str, Any]

    @property
    def key(self) -> str:
        """The hash of all inputs."""
        return store.fingerprint(self.facts)

    @property
    def system(self) -> str:
        """The cards of a panel."""
        return "+".join(run["card"] for run in self.first)

    @property
    def votes(self) -> int:
        """Panels that vote when it scores."""
        return len(self.acoustic_models) // len(self.first)


def _plan(
    runs: Sequence[Path],
    corpus: Corpus,
    acoustic_models: Sequence[Path] | None,
    layers: Sequence[int],
    level: float | None,
    config: FitConfig,
    seeds: Sequence[int],
) -> _Plan:
    folds = folds_of(runs)
    panel = next(iter(folds.values()))
    first = [store.read_run(run) for run in panel]
    models = in_panels(acoustic_models, first) if acoustic_models else panel
    facts = {  # hashed: another name of a field would fit every scorer again
        "runs": [store.read_run(run)["key"] for panel in folds.values() for run in panel],
        "listeners": [store.read_run(run)["key"] for run in models],
        "layers": list(layers),
        "level": level,
        "course": asdict(config),
        "seeds": list(seeds),
        "features": list(NAMES),
        "corpus": corpus.fingerprint,
        "controls": [SWAPPED_EVERY, REPLACED_EVERY],
        "presence": [*PRESENCE_FEATURES, *PRIOR, LOST, STRENGTH],
        "growth": [boosting.GROWTH, boosting.SHARE],
    }
    return _Plan(folds, first, models, config, facts)


def _manifest(plan: _Plan, name: str, corpus: Corpus, utterances: Sequence[Utterance]) -> dict[str, Any]:
    """What the manifest says before the fit's own findings."""
    acoustic = [run["recipe"] for run in plan.first]
    return {
        **fusion.together(plan.first),
        "versions": provenance.versions(),
        "run_id": name,
        "key": plan.key,
        "kind": "scorer",
        "runs": [run.name for panel in plan.folds.values() for run in panel],
        "listeners": [run.name for run in plan.acoustic_models],
        "panel": len(plan.first),
        **{field: plan.facts[field] for field in ("layers", "level", "seeds", "features")},
        "recipe": {"name": recipe_name(plan.votes), **asdict(plan.config), "acoustic": acoustic},
        "corpus": {
            **plan.first[0]["corpus"],
            "fingerprint": corpus.fingerprint,
            "train_utterances": len(utterances),
            "train_speakers": len({u.speaker for u in utterances}),
        },
    }


def run_id(system: str, votes: int, key: str) -> str:
    """The id of a scorer's run, where `votes` panels vote.

    Example:
        >>> run_id("whisper-base", 1, "0123456789"), run_id("whisper-base", 2, "0123456789")
        ('whisper-base.scorer.01234567', 'whisper-base.scorer2.01234567')
    """
    return f"{system}.scorer{votes if votes > 1 else ''}.{key[:8]}"


def recipe_name(votes: int) -> str:
    """The name that stands in tables in place of a recipe.

    Example:
        >>> recipe_name(1), recipe_name(5)
        ('scorer', 'scorer, 5 votes')
    """
    return f"scorer, {votes} votes" if votes > 1 else "scorer"


def calibrated(outputs: Sequence[ModelOutput], utterances: Sequence[Utterance]) -> Calibration:
    """Calibration from predictions for speakers that the networks were not fitted to."""
    judgements = [u.judgement for u in utterances]
    phone = np.concatenate([PHONE_SCALE * output[0] for output in outputs])
    accuracy = np.concatenate([np.asarray(j.phone_accuracy, dtype=float) for j in judgements])
    scores = {"phone": (phone, accuracy)}
    for k, name in enumerate(WORD_SCORES):
        human = np.concatenate([np.asarray(getattr(j, f"word_{name}"), dtype=float) for j in judgements])
        scores[f"word.{name}"] = (np.concatenate([SCORE_SCALE * output[2][:, k] for output in outputs]), human)
    for k, name in enumerate(SENTENCE_SCORES):
        human = np.array([getattr(j, name) for j in judgements], dtype=float)
        scores[f"sentence.{name}"] = (np.array([SCORE_SCALE * float(output[3][k]) for output in outputs]), human)
    wrong = np.where(np.isfinite(accuracy), POSITIVE["phone"](accuracy), np.nan)
    return calibrate(scores, np.concatenate([output[1] for output in outputs]), wrong)


def _thresholds(outputs: Sequence[ModelOutput], utterances: Sequence[Utterance]) -> dict[str, float]:
    """The decisions with the best F1 among the cross-validated outputs: on `phone_error` and minus the accuracy."""
    calibration = calibrated(outputs, utterances)
    accuracy = np.concatenate([np.asarray(u.judgement.phone_accuracy, dtype=float) for u in utterances])
    error = calibration.probability(np.concatenate([output[1] for output in outputs]))
    known = np.isfinite(accuracy)
    sentence = np.array([u.judgement.accuracy for u in utterances])
    scored = np.isfinite(sentence)
    estimate = np.array([-SCORE_SCALE * float(output[3][0]) for output in outputs])
    return {
        "phone_model": best_f1_threshold(error[known], POSITIVE["phone"](accuracy[known])),
        "utterance_model": best_f1_threshold(estimate[scored], POSITIVE["utterance"](sentence[scored])),
    }
