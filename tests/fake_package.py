"""A package for `phonobench.score` without a model: it recognises given phones, evenly over the audio."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from phonobench import phones
from phonobench.assessment import diagnosis
from phonobench.assessment.types import SENTENCE_SCORES, WORD_SCORES, AcousticOutput, Assessment, ScoreEstimate
from phonobench.evidence import CTCEvidence
from phonobench.types import Prompt

HOP = 0.02
TEXT = "We call it bear."
BEAR = "W IY K AO L IH T B EH R"
"""The phones of the text."""


def posteriors(said: Sequence[int], frames: int, strength: float = 9.0) -> np.ndarray:
    """Log-posteriors (frames, 40): blank, with a peak for each phone at the middle of its equal share of the time."""
    logits = np.zeros((frames, phones.COLUMNS))
    peaks = [int((place + 0.5) * frames / max(1, len(said))) for place in range(len(said))]
    logits[:, phones.BLANK] = strength
    for frame, q in zip(peaks, said, strict=True):
        logits[frame, phones.BLANK], logits[frame, q] = 0.0, strength
    return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)


class FakeScorer:
    """Phone accuracy is twice the share of the expected phone among its rivals; words and sentence are means of it."""

    read_probability = 1.0
    """The probability, in its opinion, that the prompt was read."""

    def assess(self, output: AcousticOutput, prompt: Prompt) -> Assessment:
        ids = phones.encode(prompt.phones)
        share = diagnosis.shares(CTCEvidence(output.logp, output.hop).rivals(ids))
        right = share[np.arange(len(ids)), list(ids)]
        of_word = np.array(prompt.word_of_phone)
        by_word = np.array([right[of_word == w].mean() for w in range(len(prompt.words))])
        return Assessment(
            phone=_around(2 * right, 0.2, 2),
            phone_error=1 - right,
            word={name: _around(10 * by_word, 1.0, 10) for name in WORD_SCORES},
            sentence={name: _around(np.array(10 * right.mean()), 0.5, 10) for name in SENTENCE_SCORES},
            read_probability=self.read_probability,
        )

    def threshold(self, false_alarms: float) -> float:
        return 1 - false_alarms


class FakePackage:
    """Recognises `said`, or whatever `by_length` holds for the number of samples of a wave."""

    def __init__(self, said: Sequence[str] = (), by_length: dict[int, Sequence[str]] | None = None) -> None:
        self.said, self.by_length = said, by_length or {}
        self.scorer = FakeScorer()
        self.facts: dict[str, Any] = {"name": "fake", "version": "0", "licence": "none"}
        self.key = "0" * 64
        self.calls = 0

    def recognise(self, wave: np.ndarray) -> AcousticOutput:
        self.calls += 1
        said = phones.encode(self.by_length.get(len(wave), self.said))
        frames = round(len(wave) / 16_000 / HOP)
        return AcousticOutput(posteriors(said, frames).astype(np.float32), np.zeros((frames, 0)), wave, HOP)


def _around(value: np.ndarray, spread: float, top: float) -> ScoreEstimate:
    return ScoreEstimate(value, np.clip(value - spread, 0, top), np.clip(value + spread, 0, top))


def speech(seconds: float = 2.0, seed: int = 0) -> np.ndarray:
    """A wave that no check takes offence at: a tone with pauses over faint noise, 16 kHz."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(16_000 * seconds)) / 16_000
    voiced = np.sin(2 * np.pi * 2 * time) > -0.5
    return (0.3 * voiced * np.sin(2 * np.pi * 180 * time) + 1e-4 * rng.normal(size=len(time))).astype(np.float32)
