"""Speaker draws, percentile intervals, paired differences with a two-sided bootstrap p, and Holm's correction.

A speaker gives many utterances, so speakers are resampled, never utterances: copies of an utterance narrow nothing.
The draws depend only on the number of speakers, their count and the seed; two systems that are measured on the same
speakers therefore see the same draws, and their difference is paired.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 1000
SEED = 762
LEVEL = 0.95
_MOST_UNDEFINED = 0.05


class Undefined(Exception):  # noqa: N818 (a state of the data, not an error of the caller)
    """A statistic has no value on these rows; the message is the reason to report beside the NaN."""


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval, the number of rows and of speakers behind it.

    `reason` says why value, or only the interval, is NaN; None when all three are finite.
    """

    value: float
    low: float
    high: float
    n: int
    speakers: int
    reason: str | None = None


@dataclass(frozen=True)
class Difference:
    """Paired difference of two systems with its 95 % interval and two-sided bootstrap p; NaN with a reason."""

    value: float
    low: float
    high: float
    p: float
    reason: str | None = None


def speaker_draws(speakers: int, resamples: int = RESAMPLES, seed: int = SEED) -> np.ndarray:
    """Weights (resamples + 1, speakers): row 0 all ones (the value itself), then multinomial bootstrap draws."""
    if speakers < 1 or resamples < 0:
        raise ValueError(f"{speakers} speakers and {resamples} resamples: at least 1 and 0 are needed")
    counts = np.random.default_rng(seed).multinomial(speakers, np.full(speakers, 1 / speakers), size=resamples)
    return np.vstack([np.ones((1, speakers)), counts.astype(np.float64)])


def undefined(reason: str, n: int = 0, speakers: int = 0) -> Estimate:
    """An estimate that has no value, and why."""
    return Estimate(math.nan, math.nan, math.nan, n, speakers, reason)


def estimate(values: np.ndarray, n: int, speakers: int) -> Estimate:
    """Percentile interval of `values` (R + 1,), whose first entry is the value on all speakers.

    The interval is NaN with a reason when only one speaker is there, without draws, or when more than 5 % of the
    draws leave the statistic undefined; up to that the defined draws make the interval.
    """
    value, draws = float(values[0]), values[1:]
    if math.isnan(value):
        return undefined("undefined on these rows", n, speakers)
    reason = _no_interval(draws, speakers)
    if reason:
        return Estimate(value, math.nan, math.nan, n, speakers, reason)
    low, high = _interval(draws)
    return Estimate(value, low, high, n, speakers)


def difference(a: np.ndarray, b: np.ndarray, speakers: int) -> Difference:
    """Paired difference a - b of two systems' values (R + 1,) on the same draws.

    p is two-sided: twice the smaller share of draws at or beyond zero, with one added to count and draws so that it
    is never 0 (Davison & Hinkley 1997, section 4.2). Raises ValueError when the lengths differ.
    """
    if a.shape != b.shape:
        raise ValueError(f"values of {a.shape} and {b.shape} draws are not paired")
    gaps = a - b
    value, draws = float(gaps[0]), gaps[1:]
    if math.isnan(value):
        return Difference(math.nan, math.nan, math.nan, math.nan, "undefined for one of the two")
    reason = _no_interval(draws, speakers)
    if reason:
        return Difference(value, math.nan, math.nan, math.nan, reason)
    draws = draws[~np.isnan(draws)]
    low, high = _interval(draws)
    beyond = min(int((draws <= 0).sum()), int((draws >= 0).sum()))
    return Difference(value, low, high, min(1.0, 2 * (1 + beyond) / (1 + len(draws))))


def holm(p: Sequence[float]) -> tuple[float, ...]:
    """Holm's step-down adjustment of a family of p values (Holm 1979); NaN stays NaN and does not count."""
    values = np.asarray(p, dtype=float)
    adjusted = np.full(len(values), math.nan)
    order = [int(i) for i in np.argsort(values, kind="stable") if not math.isnan(values[i])]
    running = 0.0
    for rank, i in enumerate(order):
        running = max(running, min(1.0, (len(order) - rank) * values[i]))
        adjusted[i] = running
    return tuple(float(x) for x in adjusted)


def _interval(draws: np.ndarray) -> tuple[float, float]:
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(draws[~np.isnan(draws)], [tail, 100 - tail])
    return float(low), float(high)


def _no_interval(draws: np.ndarray, speakers: int) -> str | None:
    if speakers < 2:
        return "one speaker: no interval"
    if not len(draws):
        return "no resamples: no interval"
    lost = int(np.isnan(draws).sum())
    if lost > _MOST_UNDEFINED * len(draws):
        return f"undefined in {lost} of {len(draws)} resamples: no interval"
    return None
