"""What a trained scorer estimates of one utterance, on the scales of the human raters, with honest uncertainty.

Shapes: N phones and W words of the prompt. Phone accuracy runs from 0 to 2, everything else from 0 to 10.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np

from phonobench.types import Prompt

Miscue = Literal["none", "omission", "substitution"]
"""What became of a word of the prompt: it was said, nothing was said in its place, or something else was."""
SENTENCE_SCORES = ("accuracy", "fluency", "prosodic", "total")
"""Scores of a whole sentence that raters give and the scorer estimates."""
WORD_SCORES = ("accuracy", "stress", "total")
"""Scores of a word that raters give and the scorer estimates."""
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
    """All estimates of one utterance.

    `phone` (N,); `phone_error` (N,), the calibrated probability that raters call the phone mispronounced (mean
    accuracy under 0.5); `word[name]` (W,) for `WORD_SCORES`; `sentence[name]` () for `SENTENCE_SCORES`;
    `read_probability`, that the prompt was read at all. All scores but stress are lowered by it already. `miscues` (W,)
    says what became of each word, () where the scorer cannot tell; `said` (W,) is the probability that it was said.
    `percentiles`, by sentence score, of the corpus' readers; {} where the scorer does not know them.
    """

    phone: ScoreEstimate
    phone_error: np.ndarray
    word: dict[str, ScoreEstimate]
    sentence: dict[str, ScoreEstimate]
    read_probability: float = 1.0
    miscues: tuple[Miscue, ...] = ()
    said: np.ndarray | None = None
    percentiles: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class HeadOutput:
    """What a recogniser with a score head adds: the `states` (T, D) that the head reads, and `estimate`.

    `estimate` takes the states' means over each phone (N, D) and over all frames (D,), and the phone ids (N,). It
    returns shares of the scales: phone accuracy (N,) and the sentence's scores (4,).
    """

    states: np.ndarray
    estimate: Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class AcousticOutput:
    """The output of an acoustic model for one recording: all that a scorer sees besides the prompt.

    `logp` (T, 40) log-posteriors, blank first, one row every `hop` seconds; `states` (T, D) of the encoder, D = 0
    where the scorer reads none; `wave` float32 at 16 kHz. `others`: outputs of further models for the same wave, where
    a scorer uses several. `head`: of a model that has a score head. `start`: seconds of the recording before the wave;
    negative where the wave begins before it.
    """

    logp: np.ndarray
    states: np.ndarray
    wave: np.ndarray
    hop: float
    others: tuple[AcousticOutput, ...] = ()
    head: HeadOutput | None = None
    start: float = 0.0


class Scorer(Protocol):
    """A fitted scorer."""

    def assess(self, output: AcousticOutput, prompt: Prompt) -> Assessment:
        """Scores of every phone and word of the prompt, and of the sentence.

        Args:
            output: of the acoustic models for one recording.
            prompt: the words and phones that were to be read.

        Raises:
            PhonobenchError: where the audio is too short to hold the phones.
        """
        ...

    def threshold(self, false_alarms: float) -> float:
        """The `phone_error` from which a phone is flagged.

        Args:
            false_alarms: the wanted share of well pronounced phones that are flagged wrongly.

        Raises:
            PhonobenchError: for a share outside the calibrated range.
        """
        ...
