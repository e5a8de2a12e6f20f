"""What the negative controls hear in place of a recording: silence, or white noise, as long as it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from phonobench import audio
from phonobench.types import Utterance

EVERY = 10
"""Every tenth utterance of a split is replaced: two of each speaker's twenty."""
NOISE_RMS = 0.05


def silence(utterance: Utterance) -> np.ndarray:
    """Nothing, as long as the recording."""
    return np.zeros_like(audio.read(utterance.audio))


def white_noise(utterance: Utterance) -> np.ndarray:
    """White noise as long as the recording, drawn from the utterance's id."""
    wave = audio.read(utterance.audio)
    rng = np.random.default_rng(list(utterance.id.encode()))
    return (NOISE_RMS * rng.standard_normal(len(wave))).astype(np.float32)


CONTROL_AUDIO: dict[str, Callable[[Utterance], np.ndarray]] = {"silence": silence, "noise": white_noise}
"""By the name of the control."""
