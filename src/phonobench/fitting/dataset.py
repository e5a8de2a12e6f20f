"""What a scorer is fitted to: features by recognisers that were not trained on the speakers, beside human scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from phonobench.assessment.model.examples import Example
from phonobench.assessment.model.features import Description
from phonobench.assessment.types import PHONE_SCALE, SCORE_SCALE, SENTENCE_SCORES, WORD_SCORES
from phonobench.corpora import folded
from phonobench.fitting import feature_cache
from phonobench.fitting.acoustic import acoustic_model_of_run
from phonobench.fitting.feature_cache import panel_features
from phonobench.fitting.presence import ChangedPrompt, changed_prompts, requests_of
from phonobench.tasks.controls import SWAPPED
from phonobench.tasks.detection import POSITIVE
from phonobench.types import Corpus, OnProgress, PhonobenchError, Utterance

SWAPPED_EVERY, REPLACED_EVERY = 4, 20
"""Every so many utterances give a negative with another speaker's audio, and with silence and noise."""


@dataclass(frozen=True, eq=False)
class FittingData:
    """`examples` belong to `utterances`, one each.

    `negatives` are prompts against audio in which nobody reads them, with the utterance of the prompt. `changed` are
    prompts of which one word was not read.
    """

    utterances: list[Utterance]
    examples: list[Example]
    negatives: list[tuple[Example, Utterance]]
    changed: list[tuple[Description, ChangedPrompt]]


def gather(
    folds: Mapping[int, Sequence[Path]],
    corpus: Corpus,
    layers: Sequence[int],
    level: float | None,
    *,
    limit: int | None = None,
    report: OnProgress = lambda _: None,
) -> FittingData:
    """The speakers that each fold held out, in the features of its panel of recognisers.

    Args:
        folds: By fold its runs, as `folds_of` gives them.
        corpus: Must be the one that the runs were trained on.
        layers: Encoder layers whose states are read.
        level: Loudness to which recordings are brought, dBFS; None: they stay as they are.
        limit: Only so many utterances of each fold.
        report: Is told of the progress of the recognition.

    Raises:
        PhonobenchError: Where a run has no weights, or a recording is too short for its text.
    """
    made = FittingData([], [], [], [])
    for fold, panel in folds.items():
        part, models = folded(corpus, fold), [acoustic_model_of_run(run, layers, level) for run in panel]
        held_out = part.split("dev")[:limit]
        found = panel_features(models, part, "dev", feature_cache.recorded(held_out), report=report)
        made.utterances.extend(held_out)
        made.examples.extend(example(found[u.id], u) for u in held_out)
        requests = feature_cache.together(feature_cache.mismatched(held_out, SWAPPED_EVERY, REPLACED_EVERY))
        by_id = {u.id: u for u in held_out}
        negatives = panel_features(models, part, "dev-controls", requests, lenient=True, report=report)
        for name, one in negatives.items():
            kind, _, id = name.partition(" ")
            made.negatives.append((negative(one, kind), by_id[id]))
        prompts = changed_prompts(held_out)
        described = panel_features(models, part, "dev-changed", requests_of(prompts), lenient=True, report=report)
        made.changed.extend((one, prompts[name]) for name, one in described.items())
    return made


def refuse_unscored(corpus: Corpus) -> None:
    """Raises PhonobenchError where the train and dev speakers have no human value of a score that is fitted."""
    humans = [u.judgement for split in ("train", "dev") for u in corpus.split(split)]
    fields = ["phone_accuracy", *(f"word_{name}" for name in WORD_SCORES), *SENTENCE_SCORES]
    missing = [f for f in fields if not any(np.isfinite(np.asarray(getattr(j, f), dtype=float)).any() for j in humans)]
    if missing:
        raise PhonobenchError(
            f"{corpus.name} has no human score to fit to: {', '.join(missing).replace('_', ' ')} of no train speaker "
            "is known; `phonobench corpus` shows what a corpus has"
        )


def example(description: Description, utterance: Utterance) -> Example:
    """A description beside its human scores, as shares of their scales."""
    human = utterance.judgement
    phone = np.asarray(human.phone_accuracy, dtype=np.float64)
    wrong = np.where(np.isfinite(phone), POSITIVE["phone"](phone), np.nan)
    word = np.stack([np.asarray(getattr(human, f"word_{name}"), dtype=np.float64) for name in WORD_SCORES], axis=1)
    sentence = np.array([getattr(human, name) for name in SENTENCE_SCORES], dtype=np.float64)
    d = description
    return Example(
        d.rows,
        d.states,
        d.ids,
        d.words,
        d.word_rows,
        phone / PHONE_SCALE,
        wrong,
        word / SCORE_SCALE,
        sentence / SCORE_SCALE,
    )


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
    return Example(
        d.rows, d.states, d.ids, d.words, d.word_rows, np.zeros(len(d.ids)), np.ones(len(d.ids)), word, sentence
    )
