"""From a network's answers to calibrated estimates: fitted on predictions for speakers it was not fitted to.

Intervals are conformal, apart by the height of the prediction (Mondrian): within each of a few bands of equal size
the 5 % and 95 % quantiles of what people scored above the prediction. Error probabilities are rescaled by a logistic
function of their log-odds (Platt 1999), which keeps their order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from phonobench.assessment.types import COVERAGE, ScoreEstimate
from phonobench.types import PhonobenchError

BANDS = 12
FALSE_ALARMS = tuple(float(rate) for rate in (*np.arange(1, 21) / 200, *np.arange(3, 11) / 20))
"""Shares of well-said phones flagged, for which a threshold is kept."""
_EDGE = 1e-6


@dataclass(frozen=True)
class Interval:
    """`edges` (K - 1,) of the predictions that part K bands; `low`, `high` (K,) to be added to a prediction."""

    edges: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    def around(self, value: np.ndarray, top: float) -> ScoreEstimate:
        """The prediction with its interval, all within 0 and `top`."""
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
        """The calibrated probability of a mispronunciation for a network's answer (0 to 1)."""
        return logistic(self.slope * _log_odds(error) + self.offset)

    def threshold(self, false_alarms: float) -> float:
        """The probability from which that share of well-said phones is flagged. PhonobenchError off the kept range."""
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
    """The conformal interval of one score. Pairs without a human score are left out."""
    known = np.isfinite(human)
    predicted, human = predicted[known], human[known]
    edges = np.unique(np.quantile(predicted, np.arange(1, bands) / bands))
    band = np.searchsorted(edges, predicted, side="right")
    tail = (1 - COVERAGE) / 2
    low, high = [], []
    for k in range(len(edges) + 1):
        left = (human - predicted)[band == k]
        share = np.clip([tail * (1 - 1 / len(left)), 1 - tail * (1 - 1 / len(left))], 0, 1)
        low.append(float(np.quantile(left, share[0], method="lower")))
        high.append(float(np.quantile(left, share[1], method="higher")))
    return Interval(tuple(edges.tolist()), tuple(low), tuple(high))


def calibrate(
    scores: Mapping[str, tuple[np.ndarray, np.ndarray]], error: np.ndarray, mispronounced: np.ndarray
) -> Calibration:
    """Fits everything. `scores`: by name, predictions and human scores on the human scale; `error` (n,) a network's
    answers, `mispronounced` (n,) 1, 0 or NaN."""
    known = np.isfinite(mispronounced)
    odds, truth = _log_odds(error[known]), mispronounced[known]
    slope, offset = _platt(odds, truth)
    said_well = logistic(slope * odds[truth == 0] + offset)
    thresholds = {rate: float(np.quantile(said_well, 1 - rate)) for rate in FALSE_ALARMS}
    intervals = {name: interval(*pair) for name, pair in scores.items()}
    return Calibration(intervals, float(slope), float(offset), thresholds)


def _platt(odds: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Slope and offset of the logistic regression of `truth` on `odds`, by Newton's method, faintly held to 1 and 0."""
    design, at, held = np.column_stack([odds, np.ones_like(odds)]), np.array([1.0, 0.0]), 1e-3
    for _ in range(50):
        p = logistic(design @ at)
        gradient = design.T @ (p - truth) + held * (at - np.array([1.0, 0.0]))
        curvature = (design * (p * (1 - p))[:, None]).T @ design + held * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        at = at - step * min(1.0, 1.0 / float(np.abs(step).max() + 1e-12))
        if np.abs(step).max() < 1e-9:
            break
    return float(at[0]), float(at[1])


def _log_odds(share: np.ndarray) -> np.ndarray:
    share = np.clip(share.astype(np.float64), _EDGE, 1 - _EDGE)
    return np.log(share / (1 - share))


def logistic(z: np.ndarray) -> np.ndarray:
    """Log-odds to probabilities."""
    return 1 / (1 + np.exp(-z))
