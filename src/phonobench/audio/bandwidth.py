"""Whether a wave holds the frequencies that tell consonants apart, however high its sampling rate is."""

from __future__ import annotations

import numpy as np

from phonobench.types import SAMPLE_RATE

LOWEST_SHARE = -55.0
"""dB of the loud parts from 2.2 to 3.8 kHz against those from 0.3 to 2 kHz. Of 700 recordings of SpeechOcean762 the
lowest has -43, cut off at 2.5 kHz -51; cut off at 2 kHz the highest has -74."""
_LOW, _HIGH = (300.0, 2000.0), (2200.0, 3800.0)
_FRAME = SAMPLE_RATE // 40
_BLOCK = 4096
"""Frames that are transformed at once."""


def lack(wave: np.ndarray) -> str | None:
    """A message where a wave (16 kHz) has next to nothing above 2 kHz, else None.

    Example:
        >>> import numpy as np
        >>> hum = np.sin(2 * np.pi * 500 * np.arange(16_000) / 16_000)
        >>> lack(hum)
        'too little of the speech is there: next to nothing above 2 kHz; record at 16000 Hz'
        >>> lack(np.random.default_rng(0).standard_normal(16_000))
    """
    frames = wave[: len(wave) // _FRAME * _FRAME].reshape(-1, _FRAME)
    hertz = np.fft.rfftfreq(_FRAME, 1 / SAMPLE_RATE)
    inside = [(hertz >= first) & (hertz < last) for first, last in (_LOW, _HIGH)]
    power = [np.zeros((0, 2))]
    for start in range(0, len(frames), _BLOCK):
        spectrum = np.abs(np.fft.rfft(frames[start : start + _BLOCK] * np.hanning(_FRAME))) ** 2
        power.append(np.stack([spectrum[:, band].sum(axis=1) for band in inside], axis=1))
    low, high = np.percentile(np.concatenate(power), 95, axis=0)
    if low == 0 or 10 * np.log10((high + 1e-12) / (low + 1e-12)) >= LOWEST_SHARE:
        return None
    return "too little of the speech is there: next to nothing above 2 kHz; record at 16000 Hz"
