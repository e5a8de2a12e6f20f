"""Whisper's log-mel spectrogram in numpy: what an exported recogniser reads where there is no torch.

The same numbers as `neural.frontends.mel` gives for one utterance of audio alone, held against it by a test. Frames are
10 ms, two make a state. The filters follow Slaney's Auditory Toolbox: triangles on a scale that is linear to 1 kHz and
logarithmic above it, each of unit area.
"""

from __future__ import annotations

import numpy as np

from phonobench.types import SAMPLE_RATE

WINDOW, STEP = 400, 160
DYNAMIC_RANGE = 8.0
_LINEAR, _BREAK = 200.0 / 3, 1000.0
_PER_STEP = np.log(6.4) / 27


def spectrogram(wave: np.ndarray, bands: int) -> np.ndarray:
    """Scaled log-mels (1, bands, 2 S), float32, S = ceil(samples / 320), of a float wave at 16 kHz."""
    states = -(-len(wave) // (2 * STEP))
    frames = 2 * states + 2  # the loudest bin is looked for where the wave can reach
    # Centred frames: half a window reflected before the first, silence after the last.
    padded = np.zeros(frames * STEP + WINDOW, dtype=np.float64)
    padded[: len(wave)] = wave
    padded = np.concatenate([padded[WINDOW // 2 : 0 : -1], padded])
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    cut = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[: frames * STEP : STEP]
    power = np.abs(np.fft.rfft(cut * window)) ** 2
    log = np.log10(np.maximum(power @ filters(bands), 1e-10))
    mel = (np.maximum(log, log.max() - DYNAMIC_RANGE) + 4.0) / 4.0
    result: np.ndarray = mel[: 2 * states].T[None].astype(np.float32)
    return result


def filters(bands: int) -> np.ndarray:
    """Triangular filters (1 + WINDOW / 2, bands) from 0 to 8 kHz."""
    edges = _hertz(np.linspace(0.0, _mel(SAMPLE_RATE / 2), bands + 2))
    bins = np.linspace(0.0, SAMPLE_RATE / 2, 1 + WINDOW // 2)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    result: np.ndarray = np.maximum(0.0, np.minimum(rising, falling)) * 2.0 / (edges[2:] - edges[:-2])
    return result


def _mel(hertz: float) -> float:
    return hertz / _LINEAR if hertz < _BREAK else _BREAK / _LINEAR + float(np.log(hertz / _BREAK)) / _PER_STEP


def _hertz(mel: np.ndarray) -> np.ndarray:
    start = _BREAK / _LINEAR
    return np.where(mel < start, mel * _LINEAR, _BREAK * np.exp(_PER_STEP * (mel - start)))
