"""Decoding without a prompt: best path and prefix beam search."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from phonobench.ctc import checks
from phonobench.ctc.search import search
from phonobench.types import PhonobenchError


def greedy(logp: np.ndarray) -> tuple[int, ...]:
    """Best-path decoding: the best column of every frame, repeats merged, blanks dropped. Ties go to the lower column.

    Args:
        logp: (T, V), log-probabilities, blank in column 0.

    Raises:
        PhonobenchError: where `logp` holds no log-probabilities.

    Example:
        >>> greedy(np.log([[0.2, 0.8], [0.2, 0.8], [0.9, 0.1], [0.2, 0.8]]))
        (1, 1)
    """
    best = checks.posteriors(logp).argmax(axis=1)
    fresh = np.ones(len(best), dtype=bool)
    fresh[1:] = best[1:] != best[:-1]
    return tuple(best[fresh & (best > 0)].tolist())


def beam(logp: np.ndarray, width: int = 16) -> list[tuple[tuple[int, ...], float]]:
    """Prefix beam search.

    Paths of one sequence are merged exactly, whether they met before or after pruning; a log-probability is the sum
    over the paths that were kept, `forward`'s value if `width` never pruned one of them, else below it.

    Args:
        logp: (T, V), log-probabilities, blank in column 0.
        width: number of prefixes that are kept after each frame.

    Returns:
        At most `width` sequences with their log-probabilities, best first.

    Raises:
        PhonobenchError: where `logp` holds no log-probabilities, and for a width below 1.

    Example:
        >>> two_frames = np.log([[0.6, 0.4], [0.6, 0.4]])
        >>> [(ids, round(value, 3)) for ids, value in beam(two_frames, width=2)]  # greedy finds ()
        [((1,), -0.446), ((), -1.022)]
    """
    logp = checks.posteriors(logp)
    if width < 1:
        raise PhonobenchError(f"beam width {width}: must be at least 1")
    parent, label, nodes, scores = search(logp, width)
    return [(_sequence(int(node), parent, label), float(score)) for node, score in zip(nodes, scores, strict=True)]


def _sequence(node: int, parent: np.ndarray, label: np.ndarray) -> tuple[int, ...]:
    labels = []
    while node:
        labels.append(int(label[node]))
        node = int(parent[node])
    return tuple(reversed(labels))


@dataclass(frozen=True)
class Decoder:
    """How posteriors become phones: the best path (`width` 1) or the best sequence of a beam of `width` prefixes.

    `blank` nats are added to the blank's log-probability first (less than 0: fewer deletions). The best value differs
    between a best path and a beam, because a beam sums what a phone has in several frames.

    Example:
        >>> Decoder(width=8, blank=0.25).name
        'beam:8:+0.25'
        >>> Decoder(blank=-1.0).decode(np.log([[0.6, 0.4]]))
        (1,)
    """

    width: int = 1
    blank: float = 0.0

    def __post_init__(self) -> None:
        if self.width < 1 or not math.isfinite(self.blank):
            raise PhonobenchError(f"decoder {self.name}: a width of at least 1 and a finite shift of the blank")

    @property
    def name(self) -> str:
        """As it is written: `greedy`, `beam:8`, `beam:8:+0.25`."""
        kind = "greedy" if self.width == 1 else f"beam:{self.width}"
        return f"{kind}:{self.blank:+g}" if self.blank else kind

    def decode(self, logp: np.ndarray) -> tuple[int, ...]:
        """The hypothesis for one utterance.

        Args:
            logp: (T, V), log-probabilities, blank in column 0.

        Raises:
            PhonobenchError: where `logp` holds no log-probabilities.
        """
        if self.blank:
            # Not normalised again: a constant a frame changes no ranking of sequences, and a best path none either.
            logp = checks.posteriors(logp).copy()
            logp[:, 0] += self.blank
            logp -= max(0.0, self.blank)
        return greedy(logp) if self.width == 1 else beam(logp, self.width)[0][0]


GREEDY = Decoder()
"""The best path of the posteriors as they are."""


def decoder(text: str) -> Decoder:
    """The decoder of a name, as `Decoder.name` writes it.

    Raises:
        PhonobenchError: for any other text.

    Example:
        >>> decoder("beam:8:-0.5")
        Decoder(width=8, blank=-0.5)
    """
    kind, *rest = text.split(":")
    try:
        if kind == "greedy" and len(rest) <= 1:
            return Decoder(1, *map(float, rest))
        if kind == "beam" and 1 <= len(rest) <= 2 and int(rest[0]) > 1:
            return Decoder(int(rest[0]), *map(float, rest[1:]))
    except ValueError:
        pass
    raise PhonobenchError(f"unknown decoder {text!r}: greedy, beam:WIDTH (from 2) or beam:WIDTH:NATS-ON-THE-BLANK")
