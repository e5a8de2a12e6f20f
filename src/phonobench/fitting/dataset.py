"""What a scorer is fitted to: utterances described by recognisers that did not hear them, beside their human scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from phonobench import store
from phonobench.assessment.model.examples import Example
from phonobench.assessment.model.features import Description
from phonobench.assessment.types import PHONE_SCALE, SCORE_SCALE, SENTENCE_SCORES, WORD_SCORES
from phonobench.corpora import folded
from phonobench.fitting import feature_cache
from phonobench.fitting.feature_cache import acoustic_model_of_run, by_panel
from phonobench.systems.identity import identifying
from phonobench.tasks.controls import SWAPPED
from phonobench.tasks.detection import TARGETS
from phonobench.types import Corpus, PhonobenchError, Progress, Utterance

SWAPPED_EVERY, REPLACED_EVERY = 4, 20
"""Of which utterances a scorer is also shown the prompt against another's audio, and against silence and noise."""
POSITIVE = {target.name: target.is_positive for target in TARGETS}
"""By target what is to be detected, of human accuracies."""


@dataclass(frozen=True, eq=False)
class FittingData:
    """`examples` belong to `utterances`, one each; `nonsense` are prompts against audio in which nobody reads them,
    with the utterance of the prompt."""

    utterances: list[Utterance]
    examples: list[Example]
    nonsense: list[tuple[Example, Utterance]]


def gather(
    folds: Mapping[int, Sequence[Path]], corpus: Corpus, layers: Sequence[int], level: float | None, *,
    limit: int | None = None, report: Callable[[Progress], None] = lambda _: None,
) -> FittingData:  # fmt: skip
    """The speakers that each fold held out, as its panel of recognisers describes them (`fit` says how)."""
    made = FittingData([], [], [])
    for fold, panel in folds.items():
        part, ears = folded(corpus, fold), [acoustic_model_of_run(run, layers, level) for run in panel]
        held_out = part.split("dev")[:limit]
        found = by_panel(ears, part, "dev", feature_cache.of(held_out), report=report)
        made.utterances.extend(held_out)
        made.examples.extend(example(found[u.id], u) for u in held_out)
        jobs = feature_cache.named(feature_cache.of_controls(held_out, SWAPPED_EVERY, REPLACED_EVERY))
        by_id = {u.id: u for u in held_out}
        for name, one in by_panel(ears, part, "dev-controls", jobs, lenient=True, report=report).items():
            kind, _, id = name.partition(" ")
            made.nonsense.append((negative(one, kind), by_id[id]))
    return made


def example(description: Description, utterance: Utterance) -> Example:
    """A description beside its human scores, as shares of their scales."""
    human = utterance.judgement
    phone = np.asarray(human.phone_accuracy, dtype=np.float64)
    wrong = np.where(np.isfinite(phone), POSITIVE["phone"](phone), np.nan)
    word = np.stack([np.asarray(getattr(human, f"word_{name}"), dtype=np.float64) for name in WORD_SCORES], axis=1)
    sentence = np.array([getattr(human, name) for name in SENTENCE_SCORES], dtype=np.float64)
    d = description
    return Example(d.rows, d.states, d.ids, d.words, phone / PHONE_SCALE, wrong, word / SCORE_SCALE,
                   sentence / SCORE_SCALE)  # fmt: skip


def negative(description: Description, kind: str) -> Example:
    """A prompt against audio in which nobody reads it: every phone is wrong, and so are the words and the sentence.

    How fluent another's sentence was is not known; silence and noise are not fluent at all.
    """
    d = description
    words = int(d.words.max()) + 1
    word = np.zeros((words, len(WORD_SCORES)))
    word[:, WORD_SCORES.index("stress")] = np.nan
    sentence = np.zeros(len(SENTENCE_SCORES))
    if kind == SWAPPED:
        sentence[[SENTENCE_SCORES.index("fluency"), SENTENCE_SCORES.index("prosodic")]] = np.nan
    return Example(d.rows, d.states, d.ids, d.words, np.zeros(len(d.ids)), np.ones(len(d.ids)), word, sentence)


Training = tuple[str, str]
"""What all folds of a training share: the system, and its recipe's fingerprint."""


def training_of(manifest: Mapping[str, Any]) -> Training:
    """The training that a run is a fold of."""
    return manifest["card"], store.fingerprint(identifying(manifest["recipe"]))


def folds_of(runs: Sequence[Path], trainings: Sequence[Training] | None = None) -> dict[int, list[Path]]:
    """By fold, in order, its runs: one a training, the trainings in the order in which they first come.

    `trainings`: those that there must be. Raises PhonobenchError for unfinished runs, a fold that is given twice, and
    trainings that differ in their folds.
    """
    by_training: dict[Training, dict[int, Path]] = {one: {} for one in trainings or ()}
    for run in runs:
        manifest = store.read_run(run)
        if manifest.get("status") != "trained":
            raise PhonobenchError(f"{run.name} is not trained to its end: `phonobench train` continues it")
        training, fold = training_of(manifest), manifest.get("fold", 0)
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
