"""What about a recording or its text lowers the trust in its scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from phonobench import audio, edits
from phonobench.assessment.schema import ScoringWarning
from phonobench.evidence import CTCEvidence
from phonobench.phones import encode
from phonobench.pronounce import reading
from phonobench.pronounce.reading import Reading
from phonobench.types import SAMPLE_RATE

QUIET_PEAK = 10 ** (-30 / 20)
NOISY = 15.0
"""Decibels between the loud and the quiet parts of a recording below which noise is taken to cover the speech."""
MISMATCH = 0.75
"""Phone error rate of the free transcription from which the audio hardly holds the text."""
DOUBTFUL = 0.5
"""Probability that the text was read below which its scores are lowered by more than half."""
FEWEST = 5
"""Expected phones below which such a rate says nothing."""


def warnings(
    sound: audio.Sound, readings: Sequence[Reading], evidence: CTCEvidence, read: float
) -> tuple[ScoringWarning, ...]:
    """Remarks on the sound, on how it fits its text, and on guessed pronunciations; () if all is well.

    `read` is the probability that the text was read at all.
    """
    wave = sound.wave
    found = [ScoringWarning(code=note.code, message=note.message) for note in sound.notes]
    found += [
        ScoringWarning(code="clipped", message=fault) for fault in audio.faults(wave) if fault.startswith("clipped")
    ]
    peak = float(np.abs(wave).max())
    if peak < QUIET_PEAK:
        found.append(ScoringWarning(code="quiet", message=f"very quiet: the peak is {20 * np.log10(peak):.0f} dBFS"))
    contrast = dynamics(wave)
    if contrast < NOISY:
        message = f"noisy: only {contrast:.0f} dB lie between the loudest and the quietest parts"
        found.append(ScoringWarning(code="noisy", message=message))
    expected = encode(reading.prompt(readings).phones)
    rate = edits.align(expected, evidence.best()).rate
    if read < DOUBTFUL or (len(expected) >= FEWEST and rate >= MISMATCH):
        message = "the audio hardly fits the text: was another sentence read? Scores are low for that, or of little use"
        found.append(ScoringWarning(code="mismatch", message=message))
    guessed = [one.word for one in readings if one.pronunciation.source == "guessed"]
    if guessed:
        message = f"pronunciation guessed: {', '.join(dict.fromkeys(guessed))}; a lexicon of your own would be surer"
        found.append(ScoringWarning(code="guessed", message=message))
    return tuple(found)


def dynamics(wave: np.ndarray) -> float:
    """Decibels between the 95th and the 5th percentile of the energy of 25 ms frames: high for clean speech."""
    size = SAMPLE_RATE // 40
    frames = wave[: len(wave) // size * size].reshape(-1, size)
    energy = np.square(frames, dtype=np.float64).mean(axis=1) + 1e-12
    quiet, loud = np.percentile(10 * np.log10(energy), [5, 95])
    return float(loud - quiet)
