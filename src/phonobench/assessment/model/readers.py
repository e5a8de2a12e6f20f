"""Where a sentence stands among those of the corpus' readers, by the scorer's own estimates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from phonobench.assessment.types import SENTENCE_SCORES

LEVELS = tuple(range(0, 101, 5))
"""Percentiles that are kept."""


@dataclass(frozen=True)
class Readers:
    """By sentence score its estimates at `LEVELS` percent of the readers' sentences, ascending, 0 to 10."""

    quantiles: dict[str, tuple[float, ...]]

    def percentile(self, name: str, value: float) -> float:
        """Percent of the readers' sentences with a lower estimate.

        Args:
            name: of `SENTENCE_SCORES`.
            value: an estimate, 0 to 10.

        Example:
            >>> readers = readers_of(np.tile(np.arange(101.0)[:, None] / 10, (1, 4)))
            >>> readers.percentile("total", 8.6), readers.percentile("total", 11.0)
            (86.0, 100.0)
        """
        return round(float(np.interp(value, self.quantiles[name], LEVELS)), 6)

    def to_json(self) -> dict[str, list[float]]:
        """As JSON keeps it."""
        return {name: list(values) for name, values in self.quantiles.items()}

    @classmethod
    def from_json(cls, fields: Mapping[str, Sequence[float]]) -> Readers:
        """The inverse of `to_json`."""
        return cls({name: tuple(values) for name, values in fields.items()})


def readers_of(estimates: np.ndarray) -> Readers:
    """The readers whose sentences have these estimates: (sentences, scores in the order of `SENTENCE_SCORES`)."""
    quantiles = np.percentile(estimates, LEVELS, axis=0)
    return Readers({name: tuple(np.round(quantiles[:, k], 3).tolist()) for k, name in enumerate(SENTENCE_SCORES)})
