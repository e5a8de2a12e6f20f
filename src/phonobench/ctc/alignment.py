"""Forced alignment: when each expected phone was said, by the most probable CTC path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from phonobench.ctc import checks, kernels
from phonobench.types import PhonobenchError

ENDS = 3
"""Frames from the middle of the first and the last phone to the bounds of their sound."""


@dataclass(frozen=True, eq=False)
class Alignment:
    """Frames and fit of N phones along the best path.

    Phone i emits the frames `start[i]` to `end[i]` (half-open, at least one); frames between phones are blank. `score`
    (N,): mean log-posterior of the phone over its frames, nats. `loglik`: log-probability of the path.
    """

    start: np.ndarray
    end: np.ndarray
    score: np.ndarray
    loglik: float

    def seconds(self, hop: float) -> tuple[np.ndarray, np.ndarray]:
        """Start and end times (N,) for frames `hop` seconds apart."""
        return self.start * hop, self.end * hop

    def bounds(self, frames: int) -> np.ndarray:
        """Where among `frames` the phones part, not whole: (N + 1,). Half-way between neighbours, `ENDS` frames from
        the middles of the outermost: CTC says a phone in a frame or two, its sound lasts as long as there is room."""
        middle = (self.start + self.end) / 2
        edges = np.concatenate([[middle[0] - ENDS], (middle[1:] + middle[:-1]) / 2, [middle[-1] + ENDS]])
        return np.clip(edges, 0, frames)

    def territories(self, frames: int) -> tuple[np.ndarray, np.ndarray]:
        """First and one past the last of the `frames` between the phones' bounds: (N,) each, a frame at least."""
        bounds = self.bounds(frames)
        first = np.minimum(bounds[:-1].round().astype(int), frames - 1)
        return first, np.minimum(np.maximum(bounds[1:].round().astype(int), first + 1), frames)


def needed(ids: Sequence[int]) -> int:
    """Frames without which CTC cannot say `ids`: one a phone, and a blank between equal neighbours."""
    return len(ids) + sum(a == b for a, b in pairwise(ids))


def align(logp: np.ndarray, ids: Sequence[int]) -> Alignment:
    """The most probable path (Viterbi) of `ids` through `logp` (T, V). Ties go to the path that stays longer.

    Raises PhonobenchError, with the numbers, where no path exists, and for input as `forward` does.
    """
    logp = checks.posteriors(logp)
    labels = checks.labels(ids, logp.shape[1])
    least, count = needed(ids), len(labels)
    if len(logp) < least:
        raise PhonobenchError(
            f"cannot align {count} phones ({least - count} repeated, each with a blank between) to {len(logp)} frames: "
            f"at least {least} are needed; the audio is too short for the text"
        )
    path, loglik = kernels.viterbi(logp, labels)
    if loglik == -np.inf:
        raise PhonobenchError(
            f"cannot align {len(labels)} phones to {len(logp)} frames: the posteriors give every path probability 0"
        )
    start = np.searchsorted(path, 2 * np.arange(len(labels)) + 1, side="left")
    end = np.searchsorted(path, 2 * np.arange(len(labels)) + 1, side="right")
    score = np.array([logp[a:b, q].mean() for a, b, q in zip(start, end, labels, strict=True)], dtype=np.float64)
    return Alignment(start, end, score, float(loglik))
