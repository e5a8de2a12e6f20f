"""Loudness and pitch of a recording, frame by frame, in plain numpy: what fluency, stress and prosody need.

Frames are 10 ms apart and 40 ms long. Pitch is the peak of the normalised autocorrelation (Boersma 1993), which needs
no more than one Fourier transform a frame; it serves statistics over phones, not intonation research.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from phonobench.types import SAMPLE_RATE

HOP, WINDOW = 160, 640
LOWEST, HIGHEST = 70.0, 400.0
"""Hz between which pitch is looked for."""
VOICED = 0.5
"""Normalised autocorrelation from which a frame counts as voiced."""
OCTAVE_COST = 0.05
"""What each octave down costs a candidate: two periods correlate as well as one."""
FLOOR_DB = -60.0
"""Loudness under the loudest frame at which silence is cut off."""


@dataclass(frozen=True, eq=False)
class Prosody:
    """Of F frames: `loudness` in dB under the loudest frame (0 to `FLOOR_DB`), `pitch` in semitones over 100 Hz (NaN
    where unvoiced), `voicing` the autocorrelation at the pitch (0 to 1). Frame f covers the samples from f * `HOP`.
    """

    loudness: np.ndarray
    pitch: np.ndarray
    voicing: np.ndarray


def measure(wave: np.ndarray) -> Prosody:
    """Loudness and pitch of a wave (float32, 16 kHz). A wave shorter than one frame is padded to one."""
    padded = np.pad(wave.astype(np.float32), (0, max(0, WINDOW - len(wave)) + HOP))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    frames = frames - frames.mean(axis=1, keepdims=True)
    power = np.mean(frames**2, axis=1)
    level = 10 * np.log10(np.maximum(power, 1e-12))
    correlation = _autocorrelation(frames)
    shortest, longest = int(SAMPLE_RATE / HIGHEST), int(SAMPLE_RATE / LOWEST)
    octaves = np.log2(np.arange(shortest, longest + 1) / shortest)
    lag = shortest + (correlation[:, shortest : longest + 1] - OCTAVE_COST * octaves).argmax(axis=1)
    voicing = np.clip(correlation[np.arange(len(lag)), lag], 0.0, 1.0)
    loudness = np.maximum(level - level.max(), FLOOR_DB)
    voiced = (voicing >= VOICED) & (loudness > FLOOR_DB / 2)
    pitch = np.where(voiced, 12 * np.log2(SAMPLE_RATE / lag / 100.0), np.nan)
    return Prosody(loudness, pitch, voicing)


def _autocorrelation(frames: np.ndarray) -> np.ndarray:
    """Of each windowed frame, divided by that of the window, so that a perfect period gives 1: (F, WINDOW)."""
    window = np.hanning(WINDOW).astype(np.float32)

    def correlate(x: np.ndarray) -> np.ndarray:
        spectrum = np.fft.rfft(x, 2 * WINDOW)
        return np.fft.irfft(np.abs(spectrum) ** 2)[..., :WINDOW]

    own = correlate(frames * window)
    weight = correlate(window)
    energy = np.maximum(own[:, :1], 1e-9)
    result: np.ndarray = own / energy / np.maximum(weight / weight[0], 1e-3)
    return result
