"""Whether a prompt was read at all: audio of another sentence, noise and silence deserve no score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from phonobench.assessment.model.calibration import logistic
from phonobench.assessment.model.features import UTTERANCE_FEATURES, Description

READ = tuple(name for name in UTTERANCE_FEATURES if not name.startswith("judged"))
"""What tells it: of the utterance all but what the recogniser judges, which says how well, not whether."""
FAR = 6.0
"""Standard deviations beyond which a number counts as no stranger than that."""


@dataclass(frozen=True)
class PromptGate:
    """A logistic regression on `READ` of every model that listens, standardised by `mean` and `scale`."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    offset: float

    def probability(self, description: Description, names: Sequence[str]) -> float:
        """That the prompt was read; the rows hold `names` of each model."""
        odds = standardised(told(description, names), self.mean, self.scale) @ self.weights + self.offset
        return float(logistic(odds))

    def to_json(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> PromptGate:
        """The inverse of `to_json`."""
        mean, scale, weights = (tuple(fields[name]) for name in ("mean", "scale", "weights"))
        return cls(mean, scale, weights, fields["offset"])


def told(description: Description, names: Sequence[str]) -> np.ndarray:
    """`READ` of an utterance by every model, one after another: (models * len(READ),)."""
    by_model = description.rows[0].reshape(-1, len(names))
    return by_model[:, [names.index(name) for name in READ]].ravel().astype(np.float64)


def standardised(values: np.ndarray, mean: Sequence[float], scale: Sequence[float]) -> np.ndarray:
    """In standard deviations, `FAR` at most."""
    return np.clip((values - np.asarray(mean)) / np.asarray(scale), -FAR, FAR)
