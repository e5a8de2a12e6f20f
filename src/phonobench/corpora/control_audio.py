"""Audio that replaces a recording in the negative controls: silence, or white noise, of the same length."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from phonobench import audio
from phonobench.types import Utterance

EVERY = 10
"""Every tenth utterance of a split is replaced: two of the twenty of each speaker of SpeechOcean762."""
NOISE_RMS = 0.05
"""Root mean square of the noise; full scale is 1."""


def silence(utterance: Utterance) -> np.ndarray:
    """Zeros, as many samples as the recording has at 16 kHz, float32.

    Raises:
        PhonobenchError: if the recording cannot be read.
    """
    return np.zeros_like(audio.read(utterance.audio))


def white_noise(utterance: Utterance) -> np.ndarray:
    """White noise of `NOISE_RMS`, as many samples as the recording has at 16 kHz, float32.

    The utterance's id is the seed, so that the noise is the same in every run.

    Raises:
        PhonobenchError: if the recording cannot be read.
    """
    wave = audio.read(utterance.audio)
    rng = np.random.default_rng(list(utterance.id.encode()))
    return (NOISE_RMS * rng.standard_normal(len(wave))).astype(np.float32)


CONTROL_AUDIO: dict[str, Callable[[Utterance], np.ndarray]] = {"silence": silence, "noise": white_noise}
"""What makes the audio, by the name of the control. `tasks.controls` takes its names from here."""
