"""What a trained scorer says of one utterance, on the scales of the human raters, with honest uncertainty.

Shapes: N phones and W words of the prompt. Phone accuracy runs from 0 to 2, everything else from 0 to 10.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from phonobench.types import Prompt

SENTENCE_SCORES = ("accuracy", "fluency", "prosodic", "total")
"""What raters judge of a whole sentence and the scorer estimates."""
WORD_SCORES = ("accuracy", "stress", "total")
"""What raters judge of a word."""
PHONE_SCALE, SCORE_SCALE = 2.0, 10.0
"""Highest score of a phone, and of a word or a sentence."""
COVERAGE = 0.9
"""Share of mean human scores of unseen speakers that lie between `low` and `high`."""


@dataclass(frozen=True, eq=False)
class ScoreEstimate:
    """Estimated mean human scores and the interval that holds `COVERAGE` of them; all of one shape."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True, eq=False)
class Assessment:
    """`phone` (N,); `phone_error` (N,), the calibrated probability that raters call the phone mispronounced (mean
    accuracy under 0.5); `word[name]` (W,) for `WORD_SCORES`; `sentence[name]` () for `SENTENCE_SCORES`; `read`, the
    probability that the prompt was read at all, by which all else but stress is lowered already.
    """

    phone: ScoreEstimate
    phone_error: np.ndarray
    word: dict[str, ScoreEstimate]
    sentence: dict[str, ScoreEstimate]
    read: float = 1.0


@dataclass(frozen=True, eq=False)
class HeadOutput:
    """What a recogniser that was taught to judge brings along: the `states` (T, D) that it judges by, and `estimate`,
    from their means over each phone (N, D) and over all (D,), and the phones' ids (N,), to shares of the scales: phone
    (N,) and sentence (4,)."""

    states: np.ndarray
    estimate: Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class AcousticOutput:
    """What an acoustic model makes of one recording: all that a scorer sees besides the prompt.

    `logp` (T, 40) log-posteriors, blank first, one row every `hop` seconds; `states` (T, D) of the encoder, D = 0
    where the scorer reads none; `wave` float32 at 16 kHz. `others`: what further models heard in the same wave, where
    a scorer asks several. `judging`: of a model that was taught to judge.
    """

    logp: np.ndarray
    states: np.ndarray
    wave: np.ndarray
    hop: float
    others: tuple[AcousticOutput, ...] = ()
    judging: HeadOutput | None = None


class Scorer(Protocol):
    """A fitted scorer."""

    def assess(self, listening: AcousticOutput, prompt: Prompt) -> Assessment:
        """Scores of every phone and word of the prompt, and of the sentence.

        Raises PhonobenchError where the audio is too short to hold the phones.
        """
        ...

    def threshold(self, false_alarms: float) -> float:
        """The `phone_error` from which a phone is flagged, for a wanted share of well-said phones flagged wrongly."""
        ...
