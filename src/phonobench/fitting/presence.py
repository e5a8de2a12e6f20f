"""Fits what tells said words from absent ones: prompts with a word put in or exchanged, against the audio of the rest.

Real recordings hardly ever lack a word, so prompts are changed rather than recordings: to the scorer it is the same
whether a word is in the text alone. What readers did say keeps its human scores; a word that stands in the text only is
absent, and no rater has to say so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from phonobench import audio
from phonobench.assessment.model import presence
from phonobench.assessment.model.features import Description
from phonobench.assessment.model.presence import OMITTED, REPLACED, SAID, Presence
from phonobench.corpora import FOLDS
from phonobench.fitting.feature_cache import FeatureRequest
from phonobench.phones import PHONES
from phonobench.types import PhonobenchError, Prompt, Utterance

KINDS = {"word put in": OMITTED, "word exchanged": REPLACED}
"""How a prompt is changed, and what the changed word then is."""
PRIOR = (0.98, 0.01, 0.01)
"""Shares of said, omitted and replaced words that the probabilities reckon with."""
LOST = 0.003
"""Share of the words that readers said which may be called absent, in cross-validation."""
STRENGTH = 20.0
"""Occurrences of a phone as which the general distribution counts in its row of the confusions."""
SEED = 0


@dataclass(frozen=True)
class ChangedPrompt:
    """A prompt of which the word `index` was not read, and what of it is true (`OMITTED` or `REPLACED`)."""

    utterance: Utterance
    prompt: Prompt
    index: int
    truth: int


def changed_prompts(utterances: Sequence[Utterance], seed: int = SEED) -> dict[str, ChangedPrompt]:
    """By name, of every utterance one prompt with a word of another utterance put in, and one with a word exchanged.

    A word does not come beside its like, nor in place of one that sounds the same.

    Args:
        utterances: whose prompts are changed.
        seed: of the choice of words and places.
    """
    rng = np.random.default_rng(seed)
    vocabulary = sorted(
        {word for u in utterances for word in u.prompt.words}, key=lambda word: (word.text, word.phones)
    )
    made = {}
    for u in utterances:
        words = u.prompt.words
        for kind, truth in KINDS.items():
            word, index = vocabulary[rng.integers(len(vocabulary))], int(rng.integers(len(words) + (truth == OMITTED)))
            if word.phones in {near.phones for near in words[max(0, index - 1) : index + 2]}:
                continue
            after = words[index + (truth == REPLACED) :]
            changed = Prompt((*words[:index], word, *after))
            made[f"{kind} {u.id}"] = ChangedPrompt(u, changed, index, truth)
    return made


def requests_of(changed: Mapping[str, ChangedPrompt]) -> list[FeatureRequest]:
    """Requests for the changed prompts against the recordings as they are."""
    return [
        FeatureRequest(name, one.prompt, one.utterance.id, partial(audio.read, one.utterance.audio))
        for name, one in changed.items()
    ]


@dataclass(frozen=True, eq=False)
class WordExamples:
    """`values` (M, F) of `presence.PRESENCE_FEATURES`, `truth` (M,) and `speaker` (M,) of words; `real` (M,): not of a
    changed prompt."""

    values: np.ndarray
    truth: np.ndarray
    speaker: np.ndarray
    real: np.ndarray


def fit_presence(
    read: Sequence[tuple[Description, Utterance]],
    changed: Sequence[tuple[Description, ChangedPrompt]],
    names: Sequence[str],
) -> Presence:
    """The regression, with a threshold that `LOST` of the real words miss when their speakers are left out.

    Args:
        read: prompts that were read, recognised by models that were not trained on the speakers.
        changed: the same of changed prompts.
        names: the features that rows hold of each model.

    Raises:
        PhonobenchError: for fewer speakers than fifths, and where no prompt could be changed.
    """
    if not {one.truth for _, one in changed} >= set(KINDS.values()):
        raise PhonobenchError("no prompt can be changed: the words of all utterances sound the same")
    confusions = confusions_of([one for one, _ in read], names)
    examples = word_examples(read, changed, names, confusions)
    fitted = _fitted(examples, confusions)
    return replace(fitted, threshold=float(np.quantile(cross_validated(examples, confusions)[examples.real], LOST)))


def confusions_of(descriptions: Sequence[Description], names: Sequence[str]) -> np.ndarray:
    """What readers say in place of each phone, from expected counts: (40, 40), rows sum to 1; row 0 is of all."""
    size = len(PHONES) + 1
    counts = np.zeros((size, size))
    for one in descriptions:
        for rows in np.split(one.rows, one.rows.shape[1] // len(names), axis=1):
            np.add.at(counts, one.ids, np.exp(presence.rivals_of(rows, names).astype(np.float64)))
    usual = counts.sum(axis=0) + 1e-3
    usual /= usual.sum()
    counts[0] = usual
    counts[1:] += STRENGTH * usual
    found: np.ndarray = counts / counts.sum(axis=1, keepdims=True)
    return found


def word_examples(
    read: Sequence[tuple[Description, Utterance]],
    changed: Sequence[tuple[Description, ChangedPrompt]],
    names: Sequence[str],
    confusions: np.ndarray,
) -> WordExamples:
    """All words of the prompts that were read, and of the changed ones the words that stand in the text alone."""
    values, truth, speaker, real = [], [], [], []
    for one, utterance in read:
        found = presence.values_of(one, names, confusions)
        values.append(found)
        truth += [SAID] * len(found)
        speaker += [utterance.speaker] * len(found)
        real += [True] * len(found)
    for one, of in changed:
        values.append(presence.values_of(one, names, confusions)[of.index : of.index + 1])
        truth.append(of.truth)
        speaker.append(of.utterance.speaker)
        real.append(False)
    return WordExamples(np.concatenate(values), np.array(truth), np.array(speaker), np.array(real))


def cross_validated(examples: WordExamples, confusions: np.ndarray) -> np.ndarray:
    """Of every word the probability that it was said, (M,), by a regression fitted without its speaker's fifth."""
    speakers = sorted(set(examples.speaker))
    if len(speakers) < FOLDS:
        raise PhonobenchError(f"{len(speakers)} speakers are too few to tell said from absent words: {FOLDS} at least")
    fifth = np.array([speakers.index(name) % FOLDS for name in examples.speaker])
    found = np.empty(len(fifth))
    for fold in range(FOLDS):
        out = fifth == fold
        kept = WordExamples(
            *(part[~out] for part in (examples.values, examples.truth, examples.speaker, examples.real))
        )
        found[out] = _fitted(kept, confusions).of_values(examples.values[out])[:, SAID]
    return found


def _fitted(examples: WordExamples, confusions: np.ndarray) -> Presence:
    from sklearn.linear_model import LogisticRegression

    mean, scale = examples.values.mean(0), np.maximum(examples.values.std(0), 1e-3)
    model = LogisticRegression(C=1.0, max_iter=5000).fit((examples.values - mean) / scale, examples.truth)
    shown = np.bincount(examples.truth, minlength=len(PRIOR)) / len(examples.truth)
    offset = model.intercept_ + np.log(PRIOR) - np.log(shown)
    return Presence(mean, scale, model.coef_, offset, confusions, threshold=0.5)
