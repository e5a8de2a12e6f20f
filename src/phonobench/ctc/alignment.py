"""Forced alignment: the frames of each expected phone on the most probable CTC path."""

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
        """Start and end times of the phones.

        Args:
            hop: seconds between frames.

        Returns:
            Two arrays (N,), in seconds.

        Example:
            >>> one = Alignment(np.array([2, 4]), np.array([3, 6]), np.zeros(2), 0.0)
            >>> [[round(float(time), 2) for time in times] for times in one.seconds(0.02)]
            [[0.04, 0.08], [0.06, 0.12]]
        """
        return self.start * hop, self.end * hop

    def bounds(self, frames: int) -> np.ndarray:
        """Boundaries between the sounds of the phones, in frames.

        CTC emits a phone in a frame or two, its sound lasts longer. So a boundary lies half-way between the middles of
        two neighbours; the outermost boundaries lie `ENDS` frames from the middles of the first and the last phone.

        Args:
            frames: length T of the utterance.

        Returns:
            (N + 1,), not rounded, within 0 and `frames`.

        Example:
            >>> one = Alignment(np.array([4, 8]), np.array([5, 10]), np.zeros(2), 0.0)
            >>> one.bounds(20).tolist()
            [1.5, 6.75, 12.0]
        """
        middle = (self.start + self.end) / 2
        edges = np.concatenate([[middle[0] - ENDS], (middle[1:] + middle[:-1]) / 2, [middle[-1] + ENDS]])
        result: np.ndarray = np.clip(edges, 0, frames)
        return result

    def territories(self, frames: int) -> tuple[np.ndarray, np.ndarray]:
        """The whole frames that belong to each phone: `bounds`, rounded.

        Args:
            frames: length T of the utterance.

        Returns:
            First frame and one past the last frame, (N,) each; every phone has at least one frame.

        Example:
            >>> one = Alignment(np.array([4, 8]), np.array([5, 10]), np.zeros(2), 0.0)
            >>> [part.tolist() for part in one.territories(20)]
            [[2, 7], [7, 12]]
        """
        bounds = self.bounds(frames)
        first = np.minimum(bounds[:-1].round().astype(int), frames - 1)
        return first, np.minimum(np.maximum(bounds[1:].round().astype(int), first + 1), frames)


def needed(ids: Sequence[int]) -> int:
    """Least number of frames that CTC needs for a sequence: one a phone, and a blank between equal neighbours.

    Example:
        >>> needed((3, 7, 7, 1))
        5
    """
    return len(ids) + sum(a == b for a, b in pairwise(ids))


def align(logp: np.ndarray, ids: Sequence[int]) -> Alignment:
    """The most probable path (Viterbi) of a phone sequence. Ties go to the path that stays longer.

    Args:
        logp: (T, V), log-probabilities, blank in column 0.
        ids: the N phones, columns 1 to V - 1.

    Raises:
        PhonobenchError: where no path exists, with the numbers; for bad input as `forward`.

    Example:
        >>> logp = np.log([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]])
        >>> one = align(logp, (1, 2))
        >>> one.start.tolist(), one.end.tolist(), round(one.loglik, 3)
        ([1, 3], [3, 4], -0.893)
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
