"""Fits a scorer to what recognisers heard of speakers they were not trained on, and makes a run of it.

A scorer is networks and boosted trees, which have as much to say, and a gate: whether the prompt was read at all. The
former are fitted to prompts that were read, the gate also to prompts against audio in which nobody reads them.

The runs are folds of one training (`phonobench train SYSTEM --recipe scoring --fold k`); each describes the speakers
that it held out. Folds of several trainings describe them side by side, as a panel. Cross-validation leaves out one
fifth of the speakers at a time: its predictions calibrate the scorer and are its figures on train speakers. What is
kept is then fitted to all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from phonobench import fusion, store
from phonobench.assessment.model.calibration import Calibration, calibrate
from phonobench.assessment.model.examples import FitConfig
from phonobench.assessment.model.features import NAMES
from phonobench.assessment.model.output import ModelOutput, combine
from phonobench.assessment.model.scorer import FOREST, NETWORK
from phonobench.assessment.model.tables import tabulate
from phonobench.assessment.types import PHONE_SCALE, SCORE_SCALE, SENTENCE_SCORES, WORD_SCORES
from phonobench.corpora import FOLDS
from phonobench.fitting import boosting
from phonobench.fitting.dataset import (
    POSITIVE,
    REPLACED_EVERY,
    SWAPPED_EVERY,
    FittingData,
    folds_of,
    gather,
    training_of,
)
from phonobench.stats import best_f1_threshold
from phonobench.store import provenance
from phonobench.types import Corpus, OnProgress, PhonobenchError, Utterance

LEVEL = -19.0
"""dBFS of the loud parts of a recording (`audio.levelled`): the median of SpeechOcean762's train speakers. How loud a
microphone records says nothing of who speaks, but a recogniser hears it, and a scorer learns what goes with it."""
CROSS_VALIDATED = "cross-validated.safetensors"


def fit(
    runs: Sequence[Path], corpus: Corpus, runs_root: Path, *, listeners: Sequence[Path] | None = None,
    layers: Sequence[int] = (), level: float | None = LEVEL, course: FitConfig | None = None,
    seeds: Sequence[int] = (0, 1, 2), report: OnProgress = lambda _: None,
) -> Path:  # fmt: skip
    """Fit a scorer and write it as a run under `runs_root`; returns its folder. A finished one is returned as it is.

    `runs` are folds of one training, or the same folds of several, which are then read side by side.
    `listeners` are those of them that listen when it scores (the first fold where none is named; several folds vote),
    `layers` the encoders' layers whose states the networks read, `level` (dBFS) the loudness to which recordings are
    brought before they are heard. Raises PhonobenchError for runs that are no folds, or not the same ones.
    """
    from phonobench.neural.assessment import training
    from phonobench.neural.checkpoints import onnx

    course = course or FitConfig()
    folds = folds_of(runs)
    first = [store.read_run(run) for run in next(iter(folds.values()))]
    listeners = voters(listeners, first) if listeners else next(iter(folds.values()))
    facts = {
        "runs": [store.read_run(run)["key"] for panel in folds.values() for run in panel],
        "listeners": [store.read_run(run)["key"] for run in listeners],
        "layers": list(layers), "level": level, "course": asdict(course), "seeds": list(seeds), "features": list(NAMES),
        "corpus": corpus.fingerprint, "controls": [SWAPPED_EVERY, REPLACED_EVERY],
        "growth": [boosting.GROWTH, boosting.SHARE],
    }  # fmt: skip
    key = store.fingerprint(facts)
    system, votes = "+".join(run["card"] for run in first), len(listeners) // len(first)
    run_dir = runs_root / run_id(system, votes, key)
    if (run_dir / store.RUN_FILE).exists() and store.read_run(run_dir).get("status") == "fitted":
        return run_dir
    material = gather(folds, corpus, layers, level, limit=first[0].get("limit"), report=report)
    utterances = material.utterances
    answers = cross_validate(material, course, seeds, report)
    network = training.fit(material.examples, course, seeds, report)
    onnx.write_scorer(network, run_dir / NETWORK)
    boosting.grow(material.examples, NAMES, course, report).write(run_dir / FOREST)
    gate = boosting.open_gate(material.examples, [one for one, _ in material.nonsense], NAMES, course)
    _keep_answers(run_dir / CROSS_VALIDATED, utterances, answers)
    manifest = {
        **fusion.together(first), "versions": provenance.versions(),
        "run_id": run_dir.name, "key": key, "kind": "scorer",
        "runs": [run.name for panel in folds.values() for run in panel],
        "listeners": [run.name for run in listeners], "panel": len(first),
        "layers": list(layers), "level": level, "seeds": list(seeds), "features": list(NAMES),
        "recipe": {"name": recipe_name(votes), **asdict(course),
                   "acoustic": [run["recipe"] for run in first]},
        "corpus": {**first[0]["corpus"], "fingerprint": corpus.fingerprint, "train_utterances": len(utterances),
                   "train_speakers": len({u.speaker for u in utterances})},
        "trained_parameters": sum(p.numel() for p in network.parameters()),
        "gate": gate.to_json(), "calibration": calibrated(answers, utterances).to_json(),
        "thresholds": _thresholds(answers, utterances),
        "status": "fitted",
    }  # fmt: skip
    store.write_run(run_dir, manifest)
    return run_dir


def voters(listeners: Sequence[Path], first: Sequence[Mapping[str, Any]]) -> list[Path]:
    """The listeners panel after panel; `first` are the manifests of one fold's panel, whose trainings theirs must be.

    Raises PhonobenchError as `folds_of` does.
    """
    return [run for panel in folds_of(listeners, [training_of(run) for run in first]).values() for run in panel]


def run_id(system: str, votes: int, key: str) -> str:
    """What a scorer is called whose listeners are so many panels."""
    return f"{system}.scorer{votes if votes > 1 else ''}.{key[:8]}"


def recipe_name(votes: int) -> str:
    """What stands in tables in place of a recipe."""
    return f"scorer, {votes} votes" if votes > 1 else "scorer"


def calibrated(answers: Sequence[ModelOutput], utterances: Sequence[Utterance]) -> Calibration:
    """Calibration from predictions for speakers that the networks were not fitted to."""
    people = [u.judgement for u in utterances]
    phone = np.concatenate([PHONE_SCALE * a[0] for a in answers])
    accuracy = np.concatenate([np.asarray(j.phone_accuracy, dtype=float) for j in people])
    scores = {"phone": (phone, accuracy)}
    for k, name in enumerate(WORD_SCORES):
        told = np.concatenate([np.asarray(getattr(j, f"word_{name}"), dtype=float) for j in people])
        scores[f"word.{name}"] = (np.concatenate([SCORE_SCALE * a[2][:, k] for a in answers]), told)
    for k, name in enumerate(SENTENCE_SCORES):
        told = np.array([getattr(j, name) for j in people], dtype=float)
        scores[f"sentence.{name}"] = (np.array([SCORE_SCALE * float(a[3][k]) for a in answers]), told)
    wrong = np.where(np.isfinite(accuracy), POSITIVE["phone"](accuracy), np.nan)
    return calibrate(scores, np.concatenate([a[1] for a in answers]), wrong)


def _thresholds(answers: Sequence[ModelOutput], utterances: Sequence[Utterance]) -> dict[str, float]:
    """The decisions with the best F1 among the cross-validated answers: on `phone_error` and minus the accuracy."""
    calibration = calibrated(answers, utterances)
    accuracy = np.concatenate([np.asarray(u.judgement.phone_accuracy, dtype=float) for u in utterances])
    error = calibration.probability(np.concatenate([a[1] for a in answers]))
    known = np.isfinite(accuracy)
    sentence = np.array([u.judgement.accuracy for u in utterances])
    judged = np.isfinite(sentence)
    estimate = np.array([-SCORE_SCALE * float(a[3][0]) for a in answers])
    return {
        "phone_model": best_f1_threshold(error[known], POSITIVE["phone"](accuracy[known])),
        "utterance_model": best_f1_threshold(estimate[judged], POSITIVE["utterance"](sentence[judged])),
    }


def cross_validate(
    material: FittingData, course: FitConfig, seeds: Sequence[int], report: OnProgress = lambda _: None
) -> list[ModelOutput]:
    """Each utterance's answer by a scorer that was fitted without a fifth of the speakers, its own among them."""
    told = network_answers(material, course, seeds, report), forest_answers(material, course, report)
    read = gate_answers(material, course)
    return [combine(pair, share) for *pair, share in zip(*told, read, strict=True)]


def network_answers(
    material: FittingData, course: FitConfig, seeds: Sequence[int], report: OnProgress = lambda _: None
) -> list[ModelOutput]:
    """What the networks alone say in a cross-validation."""
    from phonobench.neural.assessment import training

    parts = _fifths(material)
    networks = training.fit_all([[material.examples[i] for i in kept] for kept, _ in parts], course, seeds, report)
    told = [training.predict(network, [material.examples[i] for i in out])
            for network, (_, out) in zip(networks, parts, strict=True)]  # fmt: skip
    return _in_order([out for _, out in parts], told)


def forest_answers(material: FittingData, course: FitConfig, report: OnProgress = lambda _: None) -> list[ModelOutput]:
    """What the trees alone say in a cross-validation."""
    parts, told = _fifths(material), []
    for kept, out in parts:
        forest = boosting.grow([material.examples[i] for i in kept], NAMES, course, report)
        tables = (tabulate(boosting.described(material.examples[i]), NAMES) for i in out)
        told.append([forest.predict(one) for one in tables])
    return _in_order([out for _, out in parts], told)


def gate_answers(material: FittingData, course: FitConfig) -> list[float]:
    """What the gate says of each utterance in a cross-validation: the probability that it was read."""
    parts, told = _fifths(material), []
    for kept, out in parts:
        left_out = {material.utterances[i].speaker for i in out}
        nonsense = [one for one, u in material.nonsense if u.speaker not in left_out]
        gate = boosting.open_gate([material.examples[i] for i in kept], nonsense, NAMES, course)
        told.append([gate.probability(boosting.described(material.examples[i]), NAMES) for i in out])
    return _in_order([out for _, out in parts], told)


def _fifths(material: FittingData) -> list[tuple[list[int], list[int]]]:
    """For each fifth of the speakers the places of the others' utterances, and of their own."""
    speakers = sorted({u.speaker for u in material.utterances})
    if len(speakers) < FOLDS:
        raise PhonobenchError(f"{len(speakers)} speakers are too few to cross-validate a scorer: {FOLDS} at least")
    fifth = {name: place % FOLDS for place, name in enumerate(speakers)}
    of = [fifth[u.speaker] for u in material.utterances]
    return [([i for i, k in enumerate(of) if k != fold], [i for i, k in enumerate(of) if k == fold])
            for fold in range(FOLDS)]  # fmt: skip


T = TypeVar("T")


def _in_order(places: Sequence[Sequence[int]], told: Sequence[Sequence[T]]) -> list[T]:
    """What was told of utterances in groups, in the order of the utterances."""
    found = {i: one for out, part in zip(places, told, strict=True) for i, one in zip(out, part, strict=True)}
    return [found[i] for i in range(len(found))]


def _keep_answers(path: Path, utterances: Sequence[Utterance], answers: Sequence[ModelOutput]) -> None:
    arrays = {
        "phone": np.concatenate([a[0] for a in answers]), "error": np.concatenate([a[1] for a in answers]),
        "word": np.concatenate([a[2] for a in answers]), "sentence": np.stack([a[3] for a in answers]),
    }  # fmt: skip
    store.write_arrays(path, arrays, {"ids": [u.id for u in utterances]})


def cross_validated(run_dir: Path, corpus: Corpus) -> tuple[list[Utterance], list[ModelOutput]]:
    """What `fit` kept of its cross-validation: the utterances and their answers."""
    arrays, facts = store.read_arrays(run_dir / CROSS_VALIDATED)
    by_id = {u.id: u for u in corpus.utterances}
    utterances = [by_id[id] for id in facts["ids"]]
    phones = np.cumsum([0, *(len(u.prompt.phones) for u in utterances)])
    words = np.cumsum([0, *(len(u.prompt.words) for u in utterances)])
    answers = [
        (arrays["phone"][phones[i] : phones[i + 1]], arrays["error"][phones[i] : phones[i + 1]],
         arrays["word"][words[i] : words[i + 1]], arrays["sentence"][i])
        for i in range(len(utterances))
    ]  # fmt: skip
    return utterances, answers
