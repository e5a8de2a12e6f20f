"""Several channels to one: their mean where they agree, else the one in which there is speech."""

from __future__ import annotations

import numpy as np

ALIKE = 0.5
"""Correlation with the best channel from which a channel holds the same speech, in the same phase."""
_FLOOR = -70.0
"""dBFS below which a channel's pauses are taken to be silent."""
_FRAME = 0.025
"""Seconds over which levels are measured."""


def mono(samples: np.ndarray, rate: int) -> tuple[np.ndarray, str | None]:
    """One channel of (samples, channels), and a message where it is not the mean of all.

    Channels agree where each correlates with the best one. The best is the one whose loud parts stand highest above
    its pauses: hum and noise are loud throughout.
    """
    count = samples.shape[1]
    if count == 1:
        return samples[:, 0], None
    best = int(np.argmax([_contrast(samples[:, one], rate) for one in range(count)]))
    if all(_correlation(samples[:, best], samples[:, one]) >= ALIKE for one in range(count)):
        return samples.mean(axis=1), None
    others = [one for one in range(count) if one != best]
    loudest = max(float(np.abs(samples[:, one]).max()) for one in others)
    if loudest < 10 ** (-60 / 20):
        reason = "the others are silent" if count > 2 else "the other is silent"
    elif min(_correlation(samples[:, best], samples[:, one]) for one in others) <= -ALIKE:
        reason = "they cancel each other"
    else:
        reason = "they hold different sound"
    return samples[:, best], f"only channel {best + 1} of {count} is scored: {reason}"


def _contrast(channel: np.ndarray, rate: int) -> float:
    """Decibels of the loud parts over the quiet parts, these at `_FLOOR` at least."""
    size = min(len(channel), max(1, int(_FRAME * rate)))
    frames = channel[: len(channel) // size * size].reshape(-1, size).astype(np.float64)
    levels = 10 * np.log10(np.square(frames).mean(axis=1) + 1e-12)
    quiet, loud = np.percentile(levels, [5, 95])
    return float(max(loud, _FLOOR) - max(quiet, _FLOOR))


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Pearson's, 0 where either is constant."""
    first, second = (wave.astype(np.float64) - wave.mean(dtype=np.float64) for wave in (one, other))
    power = float(np.sqrt(np.dot(first, first) * np.dot(second, second)))
    return float(np.dot(first, second)) / power if power else 0.0
