"""Fits a scorer to what recognisers heard of speakers they were not trained on, and makes a run of it.

The runs are folds of one training (`phonobench train SYSTEM --recipe scoring --fold k`); each describes the speakers
that it held out. Folds of several trainings describe them side by side, as a panel. Cross-validation leaves out one
fifth of the speakers at a time: its predictions calibrate the scorer and are its figures on train speakers. The
networks that are kept are then fitted to all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from phonobench import fusion, provenance, store
from phonobench.assessment import PHONE_SCALE, SCORE_SCALE, SENTENCE_SCORES, WORD_SCORES
from phonobench.corpora import FOLDS, folded
from phonobench.fitting import descriptions
from phonobench.fitting.descriptions import by_panel, ear_of_run
from phonobench.scorer.calibration import Calibration, calibrate
from phonobench.scorer.examples import Course, Example
from phonobench.scorer.features import NAMES, Description
from phonobench.scorer.network import Answer
from phonobench.stats import best_f1_threshold
from phonobench.tasks.detection import TARGETS
from phonobench.types import Corpus, PhonobenchError, Progress, Utterance

Report = Callable[[Progress], None]

SWAPPED_EVERY, REPLACED_EVERY = 4, 20
"""Of which utterances a scorer is also shown the prompt against another's audio, and against silence and noise."""
LEVEL = -19.0
"""dBFS of the loud parts of a recording (`audio.levelled`): the median of SpeechOcean762's train speakers. How loud a
microphone records says nothing of who speaks, but a recogniser hears it, and a scorer learns what goes with it."""
NETWORK, CROSS_VALIDATED = "scorer.onnx", "cross-validated.safetensors"


def fit(
    runs: Sequence[Path], corpus: Corpus, runs_root: Path, *, listeners: Sequence[Path] | None = None,
    layers: Sequence[int] = (), level: float | None = LEVEL, course: Course | None = None,
    seeds: Sequence[int] = (0, 1, 2), report: Report = lambda _: None,
) -> Path:  # fmt: skip
    """Fit a scorer and write it as a run under `runs_root`; returns its folder. A finished one is returned as it is.

    `runs` are folds of one training, or the same folds of several, which the network then reads side by side.
    `listeners` are those of them that listen when it scores (the first fold where none is named; several folds vote),
    `layers` the encoders' layers whose states it reads, `level` (dBFS) the loudness to which recordings are brought
    before they are heard. Raises PhonobenchError for runs that are no folds, or not the
    same ones.
    """
    from phonobench.neural import portable, scorer_training

    course = course or Course()
    folds = _folds(runs)
    first = [store.read_run(run) for run in next(iter(folds.values()))]
    voting = _folds(listeners, [_training(run) for run in first]).values() if listeners else [*folds.values()][:1]
    listeners = [run for panel in voting for run in panel]
    facts = {
        "runs": [store.read_run(run)["key"] for panel in folds.values() for run in panel],
        "listeners": [store.read_run(run)["key"] for run in listeners],
        "layers": list(layers), "level": level, "course": asdict(course), "seeds": list(seeds), "features": list(NAMES),
        "corpus": corpus.fingerprint, "controls": [SWAPPED_EVERY, REPLACED_EVERY],
    }  # fmt: skip
    key = store.fingerprint(facts)
    system, votes = "+".join(run["card"] for run in first), len(listeners) // len(first)
    run_dir = runs_root / f"{system}.scorer{votes if votes > 1 else ''}.{key[:8]}"
    if (run_dir / store.RUN_FILE).exists() and store.read_run(run_dir).get("status") == "fitted":
        return run_dir
    utterances: list[Utterance] = []
    found: dict[str, Description] = {}
    nonsense: list[tuple[Example, Utterance]] = []
    for fold, panel in folds.items():
        part, ears = folded(corpus, fold), [ear_of_run(run, layers, level) for run in panel]
        held_out = part.split("dev")[: first[0].get("limit")]
        found |= by_panel(ears, part, "dev", descriptions.of(held_out), report=report)
        jobs = descriptions.named(descriptions.of_controls(held_out, SWAPPED_EVERY, REPLACED_EVERY))
        by_id = {u.id: u for u in held_out}
        for name, one in by_panel(ears, part, "dev-controls", jobs, lenient=True, report=report).items():
            kind, _, id = name.partition(" ")
            nonsense.append((unread(one, kind), by_id[id]))
        utterances += held_out
    examples = [example(found[u.id], u) for u in utterances]
    answers = _cross_validate(examples, utterances, nonsense, course, seeds, report)
    network = scorer_training.fit([*examples, *(one for one, _ in nonsense)], course, seeds, report)
    portable.write_scorer(network, run_dir / NETWORK)
    _keep_answers(run_dir / CROSS_VALIDATED, utterances, answers)
    manifest = {
        **fusion.together(first), "versions": provenance.versions(),
        "run_id": run_dir.name, "key": key, "kind": "scorer",
        "runs": [run.name for panel in folds.values() for run in panel],
        "listeners": [run.name for run in listeners], "panel": len(first),
        "layers": list(layers), "level": level, "seeds": list(seeds),
        "recipe": {"name": f"scorer, {votes} votes" if votes > 1 else "scorer", **asdict(course),
                   "acoustic": [run["recipe"] for run in first]},
        "corpus": {**first[0]["corpus"], "fingerprint": corpus.fingerprint, "train_utterances": len(utterances),
                   "train_speakers": len({u.speaker for u in utterances})},
        "trained_parameters": sum(p.numel() for p in network.parameters()),
        "calibration": calibrated(answers, utterances).to_json(), "thresholds": _thresholds(answers, utterances),
        "status": "fitted",
    }  # fmt: skip
    store.write_run(run_dir, manifest)
    return run_dir


def example(description: Description, utterance: Utterance) -> Example:
    """A description beside its human scores, as shares of their scales."""
    human = utterance.judgement
    phone = np.asarray(human.phone_accuracy, dtype=np.float64)
    wrong = np.where(np.isfinite(phone), _POSITIVE["phone"](phone), np.nan)
    word = np.stack([np.asarray(getattr(human, f"word_{name}"), dtype=np.float64) for name in WORD_SCORES], axis=1)
    sentence = np.array([getattr(human, name) for name in SENTENCE_SCORES], dtype=np.float64)
    d = description
    return Example(d.rows, d.states, d.ids, d.words, phone / PHONE_SCALE, wrong, word / SCORE_SCALE,
                   sentence / SCORE_SCALE)  # fmt: skip


def unread(description: Description, kind: str) -> Example:
    """A prompt against audio in which nobody reads it: every phone is wrong, and so are the words and the sentence.

    How fluent another's sentence was is not known; silence and noise are not fluent at all.
    """
    d = description
    words = int(d.words.max()) + 1
    word = np.zeros((words, len(WORD_SCORES)))
    word[:, WORD_SCORES.index("stress")] = np.nan
    sentence = np.zeros(len(SENTENCE_SCORES))
    if kind == "swapped":
        sentence[[SENTENCE_SCORES.index("fluency"), SENTENCE_SCORES.index("prosodic")]] = np.nan
    return Example(d.rows, d.states, d.ids, d.words, np.zeros(len(d.ids)), np.ones(len(d.ids)), word, sentence)


def calibrated(answers: Sequence[Answer], utterances: Sequence[Utterance]) -> Calibration:
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
    wrong = np.where(np.isfinite(accuracy), _POSITIVE["phone"](accuracy), np.nan)
    return calibrate(scores, np.concatenate([a[1] for a in answers]), wrong)


_POSITIVE = {target.name: target.is_positive for target in TARGETS}


def _thresholds(answers: Sequence[Answer], utterances: Sequence[Utterance]) -> dict[str, float]:
    """The decisions with the best F1 among the cross-validated answers: on `phone_error` and minus the accuracy."""
    calibration = calibrated(answers, utterances)
    accuracy = np.concatenate([np.asarray(u.judgement.phone_accuracy, dtype=float) for u in utterances])
    error = calibration.probability(np.concatenate([a[1] for a in answers]))
    known = np.isfinite(accuracy)
    sentence = np.array([u.judgement.accuracy for u in utterances])
    estimate = np.array([-SCORE_SCALE * float(a[3][0]) for a in answers])
    return {
        "phone_model": best_f1_threshold(error[known], _POSITIVE["phone"](accuracy[known])),
        "utterance_model": best_f1_threshold(estimate, _POSITIVE["utterance"](sentence)),
    }


def _cross_validate(
    examples: Sequence[Example], utterances: Sequence[Utterance], nonsense: Sequence[tuple[Example, Utterance]],
    course: Course, seeds: Sequence[int], report: Report,
) -> list[Answer]:  # fmt: skip
    """Each utterance's answer by networks that were fitted without a fifth of the speakers, its own among them."""
    from phonobench.neural import scorer_training

    speakers = sorted({u.speaker for u in utterances})
    if len(speakers) < FOLDS:
        raise PhonobenchError(f"{len(speakers)} speakers are too few to cross-validate a scorer: {FOLDS} at least")
    left_out = [set(speakers[fold::FOLDS]) for fold in range(FOLDS)]
    material = [*zip(examples, utterances, strict=True), *nonsense]
    parts = [[e for e, u in material if u.speaker not in out] for out in left_out]
    networks = scorer_training.fit_all(parts, course, seeds, report)
    answers: dict[int, Answer] = {}
    for out, network in zip(left_out, networks, strict=True):
        places = [i for i, u in enumerate(utterances) if u.speaker in out]
        answers |= dict(zip(places, scorer_training.predict(network, [examples[i] for i in places]), strict=True))
    return [answers[i] for i in range(len(examples))]


def _folds(runs: Sequence[Path], trainings: Sequence[Training] | None = None) -> dict[int, list[Path]]:
    """By fold, in order, its runs: one a training, the trainings in the order in which they first come.

    `trainings`: those that there must be. Raises PhonobenchError for unfinished runs, a fold that is given twice, and
    trainings that differ in their folds.
    """
    by_training: dict[Training, dict[int, Path]] = {one: {} for one in trainings or ()}
    for run in runs:
        manifest = store.read_run(run)
        if manifest.get("status") != "trained":
            raise PhonobenchError(f"{run.name} is not trained to its end: `phonobench train` continues it")
        training, fold = _training(manifest), manifest.get("fold", 0)
        if trainings is not None and training not in by_training:
            raise PhonobenchError(f"{run.name} is of another training than the runs that are fitted to: it cannot vote")
        known = by_training.setdefault(training, {})
        if fold in known:
            raise PhonobenchError(f"{known[fold].name} and {run.name} are both fold {fold}: each may be given once")
        known[fold] = run
    first, *others = by_training.values()
    for other in others:
        if lacking := sorted(set(first) ^ set(other)):
            name = next(iter({**first, **other}.values())).name
            raise PhonobenchError(
                f"fold {lacking[0]} is there of one training only, beside {name}: a panel needs the same folds of all"
            )
    return {fold: [part[fold] for part in by_training.values()] for fold in sorted(first)}


Training = tuple[str, str]
"""What all folds of a training share: the system, and its recipe's fingerprint."""


def _training(manifest: Mapping[str, Any]) -> Training:
    return manifest["card"], store.fingerprint(manifest["recipe"])


def _keep_answers(path: Path, utterances: Sequence[Utterance], answers: Sequence[Answer]) -> None:
    arrays = {
        "phone": np.concatenate([a[0] for a in answers]), "error": np.concatenate([a[1] for a in answers]),
        "word": np.concatenate([a[2] for a in answers]), "sentence": np.stack([a[3] for a in answers]),
    }  # fmt: skip
    store.write_arrays(path, arrays, {"ids": [u.id for u in utterances]})


def cross_validated(run_dir: Path, corpus: Corpus) -> tuple[list[Utterance], list[Answer]]:
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
