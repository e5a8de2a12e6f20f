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
    """A statistic has no value on these rows. The message is the reason that is reported beside the NaN."""


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
    """Weights of speakers in bootstrap draws.

    Args:
        speakers: how many there are, S.
        resamples: number of draws, R.
        seed: the same numbers of speakers and draws and the same seed give the same draws.

    Returns:
        (R + 1, S): row 0 is all ones (the value itself), then multinomial draws, whose rows sum to S.

    Raises:
        ValueError: for no speaker or a negative number of draws.

    Example:
        >>> draws = speaker_draws(3, resamples=2)
        >>> draws.shape, draws[0].tolist(), draws.sum(axis=1).tolist()
        ((3, 3), [1.0, 1.0, 1.0], [3.0, 3.0, 3.0])
    """
    if speakers < 1 or resamples < 0:
        raise ValueError(f"{speakers} speakers and {resamples} resamples: at least 1 and 0 are needed")
    counts = np.random.default_rng(seed).multinomial(speakers, np.full(speakers, 1 / speakers), size=resamples)
    return np.vstack([np.ones((1, speakers)), counts.astype(np.float64)])


def undefined(reason: str, n: int = 0, speakers: int = 0) -> Estimate:
    """An estimate that has no value, and the reason.

    Example:
        >>> undefined("no positives").reason
        'no positives'
    """
    return Estimate(math.nan, math.nan, math.nan, n, speakers, reason)


def estimate(values: np.ndarray, n: int, speakers: int) -> Estimate:
    """A value with its percentile interval.

    Args:
        values: (R + 1,), first the value on all speakers, then those of R draws.
        n: number of rows behind the value.
        speakers: number of speakers behind the value.

    Returns:
        The estimate. Its interval is NaN with a reason when only one speaker is there, without draws, or when more
        than 5 % of the draws leave the statistic undefined; up to that the defined draws make the interval.

    Example:
        >>> one = estimate(np.array([0.5, *np.linspace(0, 1, 1001)]), n=40, speakers=10)
        >>> one.value, round(one.low, 3), round(one.high, 3)
        (0.5, 0.025, 0.975)
        >>> estimate(np.array([0.5, 0.4, 0.6]), n=4, speakers=1).reason
        'one speaker: no interval'
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
    """Paired difference of two systems on the same draws.

    p is two-sided: twice the smaller share of draws at or beyond zero, with one added to count and draws so that it
    is never 0 (Davison & Hinkley 1997, section 4.2).

    Args:
        a: (R + 1,), values of one system as `estimate` takes them.
        b: (R + 1,), values of the other, which is subtracted.
        speakers: number of speakers behind the values.

    Returns:
        The difference a - b. NaN, with a reason, where `estimate` has no interval.

    Raises:
        ValueError: when the lengths differ.

    Example:
        >>> one = difference(np.array([0.3, 0.2, 0.4, 0.3]), np.array([0.1, 0.1, 0.1, 0.1]), speakers=3)
        >>> round(one.value, 2), one.p
        (0.2, 0.5)
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
    """Holm's step-down adjustment of a family of p values (Holm 1979).

    Returns:
        Adjusted values in the order of `p`, at most 1. NaN stays NaN and does not count in the family.

    Example:
        >>> holm([0.01, 0.04, 0.03, float("nan")])
        (0.03, 0.06, 0.06, nan)
    """
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
