"""Likelihoods of whole phone sequences, and of all sequences one edit away, exact and in milliseconds.

Formulas: the forward-backward recursions of Graves et al. (2006); the rivals share the prefix (alpha) and suffix (beta)
passes of the expected sequence, and each costs one short recursion over the frames of its own phone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from phonobench.ctc import checks, kernels
from phonobench.types import Rivals


def forward(logp: np.ndarray, ids: Sequence[int]) -> float:
    """log P(ids | logp), nats: the sum over all CTC paths; -inf where none exists (too few frames, or probability 0).

    Raises PhonobenchError for posteriors that are none and for ids outside the columns.
    """
    logp = checks.posteriors(logp)
    return _total(kernels.prefixes(logp, checks.labels(ids, logp.shape[1])))


def rivals(logp: np.ndarray, ids: Sequence[int]) -> Rivals:
    """The expected phones against all their rivals; `substitute` (N, V - 1), `delete` (N,), whole-sequence nats.

    Every entry is what `forward` gives for that sequence (-inf where it has no path). Raises as `forward` does.
    """
    logp = checks.posteriors(logp)
    labels = checks.labels(ids, logp.shape[1])
    alpha, beta = _lattice(logp, labels)
    blanks = 2 * np.arange(len(labels))
    substitute, _ = kernels.slots(logp, labels, alpha, beta, blanks, blanks + 2)
    loglik = _total(alpha)
    substitute[np.arange(len(labels)), labels] = loglik  # equal but for rounding; exactly equal is easier to use
    return Rivals(loglik, substitute[:, 1:], kernels.deletions(labels, alpha, beta))


def insertions(logp: np.ndarray, ids: Sequence[int]) -> np.ndarray:
    """Log-likelihoods (N + 1, V - 1), nats: entry [j, q] is of `ids` with phone id q + 1 put in before phone j.

    Every entry is what `forward` gives for that sequence. Raises as `forward` does.
    """
    logp = checks.posteriors(logp)
    labels = checks.labels(ids, logp.shape[1])
    blanks = 2 * np.arange(len(labels) + 1)
    found, _ = kernels.slots(logp, labels, *_lattice(logp, labels), blanks, blanks)
    return found[:, 1:]


def occupancy(logp: np.ndarray, ids: Sequence[int]) -> np.ndarray:
    """Expected number of frames (N,) that each phone emits, over all paths; NaN where no path exists.

    Raises as `forward` does.
    """
    logp = checks.posteriors(logp)
    labels = checks.labels(ids, logp.shape[1])
    alpha, beta = _lattice(logp, labels)
    total = _total(alpha)
    if total == -np.inf:
        return np.full(len(labels), np.nan)
    emitted = logp[:, labels]  # counted in alpha as well as in beta
    possible = emitted > -np.inf
    joint = np.full(emitted.shape, -np.inf)
    np.subtract(alpha[1:, 1::2] + beta[:-1, 1::2], emitted, out=joint, where=possible)
    return np.exp(joint - total).sum(axis=0)


def _lattice(logp: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Prefix and suffix variables; the suffixes are the prefixes of everything reversed."""
    alpha = kernels.prefixes(logp, labels)
    reversed_ = kernels.prefixes(np.ascontiguousarray(logp[::-1]), np.ascontiguousarray(labels[::-1]))
    return alpha, np.ascontiguousarray(reversed_[::-1, ::-1])


def _total(alpha: np.ndarray) -> float:
    return float(np.logaddexp.reduce(alpha[-1, -2:]))
