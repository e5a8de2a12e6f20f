"""Whether a prompt was read at all: audio of another sentence, noise and silence deserve no score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from phonobench.assessment.model.calibration import logistic
from phonobench.assessment.model.features import UTTERANCE_FEATURES, Description

GATE_FEATURES = tuple(name for name in UTTERANCE_FEATURES if not name.startswith("judged"))
"""What the gate reads: all of the utterance but the score head's estimates, which tell how well it was read, not
whether."""
FAR = 6.0
"""Standard deviations at which a standardised feature is cut off."""


@dataclass(frozen=True)
class PromptGate:
    """A logistic regression on `GATE_FEATURES` of every acoustic model, standardised by `mean` and `scale`."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    offset: float

    def probability(self, description: Description, names: Sequence[str]) -> float:
        """The probability that the prompt was read.

        Args:
            description: of one utterance, by one model or several side by side.
            names: the features that its rows hold of each model.
        """
        odds = standardised(values_of(description, names), self.mean, self.scale) @ self.weights + self.offset
        return float(logistic(odds))

    def to_json(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> PromptGate:
        """The inverse of `to_json`."""
        mean, scale, weights = (tuple(fields[name]) for name in ("mean", "scale", "weights"))
        return cls(mean, scale, weights, fields["offset"])


def values_of(description: Description, names: Sequence[str]) -> np.ndarray:
    """The values of `GATE_FEATURES`, one model after another: (models * len(GATE_FEATURES),) float64."""
    by_model = description.rows[0].reshape(-1, len(names))
    result: np.ndarray = by_model[:, [names.index(name) for name in GATE_FEATURES]].ravel().astype(np.float64)
    return result


def standardised(values: np.ndarray, mean: Sequence[float], scale: Sequence[float]) -> np.ndarray:
    """The values in standard deviations from the mean, cut off at `FAR`.

    Example:
        >>> standardised(np.array([3.0, -100.0]), [1.0, 0.0], [4.0, 2.0]).tolist()
        [0.5, -6.0]
    """
    result: np.ndarray = np.clip((values - np.asarray(mean)) / np.asarray(scale), -FAR, FAR)
    return result
