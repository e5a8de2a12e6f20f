"""Words that were not said: what is scored without them, and what they score themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from phonobench.assessment.model.presence import OMITTED, REPLACED, SAID
from phonobench.assessment.types import PHONE_SCALE, SCORE_SCALE, Assessment, Miscue, ScoreEstimate
from phonobench.types import Prompt

MISCUES: tuple[Miscue, ...] = ("none", "omission", "substitution")
"""By class of `presence.CLASSES`."""
HIGHEST = 0.1
"""Share of its scale that an absent word and its phones score at most."""
MOST = 0.5
"""Share of absent words from which the prompt is scored as a whole, as one that was hardly read."""
LOWERED = ("accuracy", "total")
"""Scores of a sentence that fall with the share of words that were left out of it: raters gave them to the whole."""


@dataclass(frozen=True, eq=False)
class Absence:
    """What became of the W words: `classes` (W,) indices of `presence.CLASSES`, and `said` (W,) probabilities."""

    classes: np.ndarray
    said: np.ndarray

    @property
    def share_said(self) -> float:
        """Share of the words that were said."""
        return float(np.mean(self.classes == SAID))

    def rest(self, prompt: Prompt) -> Prompt | None:
        """The prompt without its omitted words; None where none is omitted, or so much that it was hardly read.

        Words that were replaced stay: something was said in their place.
        """
        kept = tuple(word for word, found in zip(prompt.words, self.classes, strict=True) if found != OMITTED)
        if len(kept) == len(prompt.words) or not kept or self.share_said <= 1 - MOST:
            return None
        return Prompt(kept)


def absence(probabilities: np.ndarray, threshold: float) -> Absence:
    """Which words are absent.

    Args:
        probabilities: (W, 3), of `presence.CLASSES`.
        threshold: probability of having been said below which a word is absent.

    Example:
        >>> absence(np.array([[0.9, 0.05, 0.05], [0.01, 0.9, 0.09]]), 0.1).classes.tolist()
        [0, 1]
    """
    absent = np.where(probabilities[:, OMITTED] >= probabilities[:, REPLACED], OMITTED, REPLACED)
    return Absence(np.where(probabilities[:, SAID] >= threshold, SAID, absent), probabilities[:, SAID])


def merged(whole: Assessment, rest: Assessment | None, found: Absence, words: Sequence[int]) -> Assessment:
    """The assessment of a prompt of which some words are absent.

    Words that were said score as in the `rest`. An absent word and its phones score at most `HIGHEST`, and less the
    surer it is that they are absent; its interval reaches up to what it would score, had it been said. Where there is
    a rest, the accuracy and the total of the sentence are those of the rest times its share of the words; else the
    whole was scored with its absent words already. Stress stays.

    Args:
        whole: of the whole prompt.
        rest: of the prompt without its omitted words (`Absence.rest`); None: of the whole.
        found: which words are absent.
        words: (N,), the word of each phone of the whole prompt.
    """
    miscues = tuple(MISCUES[k] for k in found.classes)
    of_phone = np.asarray(words)
    in_rest = found.classes != OMITTED
    base = whole if rest is None else _spread(whole, rest, in_rest, in_rest[of_phone])
    gone, said = found.classes != SAID, found.said
    gone_phones, said_phones = gone[of_phone], said[of_phone]
    share = 1.0 if rest is None else float(np.mean(in_rest))
    return replace(
        base,
        phone=_lowered(base.phone, whole.phone, gone_phones, said_phones, PHONE_SCALE),
        phone_error=np.where(gone_phones, 1 - said_phones * (1 - whole.phone_error), base.phone_error),
        word={
            name: one if name == "stress" else _lowered(one, whole.word[name], gone, said, SCORE_SCALE)
            for name, one in base.word.items()
        },
        sentence={
            name: ScoreEstimate(one.value * share, one.low * share, one.high) if name in LOWERED else one
            for name, one in base.sentence.items()
        },
        miscues=miscues,
        said=said,
    )


def _spread(whole: Assessment, rest: Assessment, words: np.ndarray, phones: np.ndarray) -> Assessment:
    """The scores of the rest in the places of the whole: `words` (W,) and `phones` (N,) bool say which are in it."""

    def place(all_: ScoreEstimate, part: ScoreEstimate, here: np.ndarray) -> ScoreEstimate:
        return ScoreEstimate(*(_placed(getattr(all_, n), getattr(part, n), here) for n in ("value", "low", "high")))

    return replace(
        rest,
        phone=place(whole.phone, rest.phone, phones),
        phone_error=_placed(whole.phone_error, rest.phone_error, phones),
        word={name: place(one, rest.word[name], words) for name, one in whole.word.items()},
    )


def _placed(whole: np.ndarray, part: np.ndarray, here: np.ndarray) -> np.ndarray:
    found = np.array(whole, dtype=np.float64)
    found[here] = part
    return found


def _lowered(
    one: ScoreEstimate, whole: ScoreEstimate, gone: np.ndarray, said: np.ndarray, scale: float
) -> ScoreEstimate:
    value = np.minimum(whole.value * said, HIGHEST * scale)
    return ScoreEstimate(
        np.where(gone, value, one.value), np.where(gone, 0.0, one.low), np.where(gone, whole.value, one.high)
    )
