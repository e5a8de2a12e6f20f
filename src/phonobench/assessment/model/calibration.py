"""From a network's output to calibrated estimates: fitted on predictions for speakers it was not fitted to.

Intervals are split conformal (Vovk et al. 2005), apart by the height of the prediction (Mondrian): within each of a few
bands of equal size, quantiles of what raters gave above the prediction. Error probabilities are rescaled by a logistic
function of their log-odds (Platt 1999), which keeps their order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from phonobench.assessment.types import COVERAGE, SCORE_SCALE, ScoreEstimate
from phonobench.types import PhonobenchError

BANDS = 12
FALSE_ALARMS = tuple(float(rate) for rate in (*np.arange(1, 21) / 200, *np.arange(3, 11) / 20))
"""Shares of well pronounced phones flagged, for which a threshold is kept."""
PRIOR = 1e-3
"""Precision of the prior that holds Platt's slope to 1 and his offset to 0: it decides only where data do not."""
_EDGE = 1e-6


@dataclass(frozen=True)
class Interval:
    """`edges` (K - 1,) of the predictions that part K bands; `low`, `high` (K,) to be added to a prediction."""

    edges: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    def around(self, value: np.ndarray, top: float) -> ScoreEstimate:
        """The prediction with its interval, all within 0 and `top`; a prediction always lies within its interval.

        Example:
            >>> found = Interval((5.0,), (-1.0, -2.0), (0.5, 1.0)).around(np.array([4.0, 5.0, 9.5]), 10.0)
            >>> found.low.tolist(), found.high.tolist()
            ([3.0, 3.0, 7.5], [4.5, 6.0, 10.0])
        """
        band = np.searchsorted(self.edges, value, side="right")
        value = np.clip(value, 0.0, top)
        low = np.clip(value + np.array(self.low)[band], 0.0, top)
        high = np.clip(value + np.array(self.high)[band], 0.0, top)
        return ScoreEstimate(value, np.minimum(low, value), np.maximum(high, value))


@dataclass(frozen=True)
class Calibration:
    """`intervals` by score, `slope` and `offset` of the error's log-odds, `thresholds` by share of false alarms."""

    intervals: Mapping[str, Interval]
    slope: float
    offset: float
    thresholds: Mapping[float, float]

    def probability(self, error: np.ndarray) -> np.ndarray:
        """The calibrated probability of a mispronunciation for a network's output (0 to 1).

        Example:
            >>> Calibration({}, 2.0, 0.0, {}).probability(np.array([0.5, 0.75])).round(3).tolist()
            [0.5, 0.9]
        """
        return logistic(self.slope * _log_odds(error) + self.offset)

    def threshold(self, false_alarms: float) -> float:
        """The probability from which that share of well pronounced phones is flagged, between kept shares linearly.

        Raises:
            PhonobenchError: for a share outside those for which a threshold is kept.

        Example:
            >>> Calibration({}, 1.0, 0.0, {0.05: 0.6, 0.1: 0.4}).threshold(0.075)
            0.5
        """
        rates = np.array(sorted(self.thresholds))
        if not rates[0] <= false_alarms <= rates[-1]:
            raise PhonobenchError(f"false alarms {false_alarms:g}: choose from {rates[0]:g} to {rates[-1]:g}")
        return float(np.interp(false_alarms, rates, [self.thresholds[rate] for rate in rates]))

    def to_json(self) -> dict[str, Any]:
        """As JSON keeps it."""
        parts = {name: [list(i.edges), list(i.low), list(i.high)] for name, i in self.intervals.items()}
        marks = {f"{rate:g}": at for rate, at in self.thresholds.items()}
        return {"intervals": parts, "slope": self.slope, "offset": self.offset, "thresholds": marks}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Calibration:
        """The inverse of `to_json`."""
        intervals = {name: Interval(*(tuple(part) for part in parts)) for name, parts in fields["intervals"].items()}
        marks = {float(rate): at for rate, at in fields["thresholds"].items()}
        return cls(intervals, fields["slope"], fields["offset"], marks)


def interval(predicted: np.ndarray, human: np.ndarray, bands: int = BANDS) -> Interval:
    """The conformal interval of one score.

    In a band of n pairs, `low` and `high` are the residuals `human - predicted` of the ranks that `ranks` gives. If a
    new pair of the band is exchangeable with them, each end is missed with a probability of 5 % at most, so that the
    interval holds the human score with a probability of at least `COVERAGE`, and, where no two residuals are equal, of
    at most `COVERAGE` + 2 / (n + 1). A band of fewer than 19 pairs promises nothing narrower than the whole scale.
    Utterances of one speaker are not exchangeable with those of another: with few speakers coverage varies by more.

    Args:
        predicted: (n,) on the human scale, for speakers that the predictor was not fitted to.
        human: (n,) mean human scores; pairs with NaN are left out.
        bands: of the prediction, of equal size; fewer where many predictions are equal.
    """
    known = np.isfinite(human)
    predicted, human = predicted[known], human[known]
    edges = np.unique(np.quantile(predicted, np.arange(1, bands) / bands))
    band = np.searchsorted(edges, predicted, side="right")
    parts = [np.sort((human - predicted)[band == k]) for k in range(len(edges) + 1)]
    ends = [_ends(part) for part in parts]
    return Interval(tuple(edges.tolist()), tuple(low for low, _ in ends), tuple(high for _, high in ends))


def ranks(count: int) -> tuple[int, int]:
    """Ranks (1 is the smallest) of the residuals that are the ends of an interval that holds `COVERAGE`.

    With alpha = 1 - `COVERAGE`: floor((n + 1) alpha / 2) and ceil((n + 1) (1 - alpha / 2)), the standard of split
    conformal prediction for either end. 0 and `count` + 1 mean that there are too few residuals for an end.

    Example:
        >>> ranks(18), ranks(19), ranks(100), ranks(399)
        ((0, 19), (1, 19), (5, 96), (20, 380))
    """
    lower = int(np.floor((count + 1) * (1 - COVERAGE) / 2 + 1e-9))  # 20 * 0.05 is a little less than 1
    return lower, count + 1 - lower


def _ends(residuals: np.ndarray) -> tuple[float, float]:
    """The ends of a band from its sorted residuals; the whole scale where these are too few."""
    lower, upper = ranks(len(residuals))
    low = float(residuals[lower - 1]) if lower >= 1 else -SCORE_SCALE
    high = float(residuals[upper - 1]) if upper <= len(residuals) else SCORE_SCALE
    return low, high


def calibrate(
    scores: Mapping[str, tuple[np.ndarray, np.ndarray]], error: np.ndarray, mispronounced: np.ndarray
) -> Calibration:
    """Fits everything.

    Args:
        scores: by name, predictions and human scores on the human scale, both (m,).
        error: (n,) a network's outputs for the phones, 0 to 1.
        mispronounced: (n,) what raters say of them: 1, 0 or NaN.
    """
    known = np.isfinite(mispronounced)
    odds, truth = _log_odds(error[known]), mispronounced[known]
    slope, offset = platt(odds, truth)
    well_pronounced = logistic(slope * odds[truth == 0] + offset)
    thresholds = {rate: float(np.quantile(well_pronounced, 1 - rate)) for rate in FALSE_ALARMS}
    intervals = {name: interval(*pair) for name, pair in scores.items()}
    return Calibration(intervals, slope, offset, thresholds)


def platt(odds: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Slope and offset of the logistic regression of `truth` (n,), 0 or 1, on the log-odds `odds` (n,).

    The penalised maximum of likelihood by Newton's method: a normal prior of precision `PRIOR` holds the slope to 1 and
    the offset to 0, so that separable or absent data have an answer too.

    Example:
        >>> platt(np.array([]), np.array([]))
        (1.0, 0.0)
    """
    prior = np.array([1.0, 0.0])
    design, at = np.column_stack([odds, np.ones_like(odds)]), prior
    for _ in range(50):
        p = logistic(design @ at)
        gradient = design.T @ (p - truth) + PRIOR * (at - prior)
        curvature = (design * (p * (1 - p))[:, None]).T @ design + PRIOR * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        at = at - step * min(1.0, 1.0 / float(np.abs(step).max() + 1e-12))
        if np.abs(step).max() < 1e-9:
            break
    return float(at[0]), float(at[1])


def _log_odds(share: np.ndarray) -> np.ndarray:
    share = np.clip(share.astype(np.float64), _EDGE, 1 - _EDGE)
    odds: np.ndarray = np.log(share / (1 - share))
    return odds


def logistic(z: np.ndarray) -> np.ndarray:
    """Log-odds to probabilities.

    Example:
        >>> logistic(np.array([0.0, np.log(3)])).tolist()
        [0.5, 0.75]
    """
    probability: np.ndarray = 1 / (1 + np.exp(-z))
    return probability
