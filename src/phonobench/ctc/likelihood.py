"""Likelihoods of whole phone sequences, and of all sequences one edit away, exact and in milliseconds.

Formulas: the forward-backward recursions of Graves et al. (2006). The rivals share the prefix (alpha) and suffix (beta)
passes of the expected sequence; each costs one short recursion over the frames of its own phone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from phonobench.ctc import checks, kernels
from phonobench.types import Rivals


def forward(logp: np.ndarray, ids: Sequence[int]) -> float:
    """log P(ids | logp): the sum over all CTC paths of a phone sequence.

    Args:
        logp: (T, V), log-probabilities, blank in column 0.
        ids: the N phones, columns 1 to V - 1.

    Returns:
        Nats; -inf where no path exists (too few frames, or probability 0).

    Raises:
        PhonobenchError: where `logp` holds no log-probabilities, and for ids outside the columns.

    Example:
        >>> two_frames = np.log([[0.6, 0.4], [0.6, 0.4]])
        >>> round(float(np.exp(forward(two_frames, (1,)))), 3)  # 1 1, blank 1, 1 blank
        0.64
        >>> forward(two_frames, (1, 1))  # needs a blank between
        -inf
    """
    logp = checks.posteriors(logp)
    return _total(kernels.prefixes(logp, checks.labels(ids, logp.shape[1])))


def rivals(logp: np.ndarray, ids: Sequence[int]) -> Rivals:
    """The expected phones against all their rivals: each phone replaced by every phone, or deleted.

    Args:
        logp: (T, V), log-probabilities, blank in column 0.
        ids: the N expected phones.

    Returns:
        `substitute` (N, V - 1) and `delete` (N,), whole-sequence log-likelihoods in nats. Every entry is what
        `forward` gives for that sequence, -inf where it has no path.

    Raises:
        PhonobenchError: as `forward`.

    Example:
        >>> found = rivals(np.log([[0.1, 0.7, 0.2], [0.8, 0.1, 0.1]]), (1,))
        >>> np.exp(found.substitute).round(2).tolist(), np.exp(found.delete).round(2).tolist()
        ([[0.64, 0.19]], [0.08])
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
    """Log-likelihoods of the sequence with one phone inserted.

    Args:
        logp: (T, V), log-probabilities, blank in column 0.
        ids: the N expected phones.

    Returns:
        (N + 1, V - 1), nats: entry [j, q] is of `ids` with phone id q + 1 inserted before phone j (N: after the
        last). Every entry is what `forward` gives for that sequence.

    Raises:
        PhonobenchError: as `forward`.

    Example:
        >>> found = insertions(np.log([[0.1, 0.7, 0.2], [0.2, 0.1, 0.7]]), (1,))
        >>> np.exp(found).round(2).tolist()
        [[0.0, 0.02], [0.0, 0.49]]
    """
    logp = checks.posteriors(logp)
    labels = checks.labels(ids, logp.shape[1])
    blanks = 2 * np.arange(len(labels) + 1)
    found, _ = kernels.slots(logp, labels, *_lattice(logp, labels), blanks, blanks)
    return found[:, 1:]


def occupancy(logp: np.ndarray, ids: Sequence[int]) -> np.ndarray:
    """Expected number of frames that each phone emits, over all paths.

    Args:
        logp: (T, V), log-probabilities, blank in column 0.
        ids: the N expected phones.

    Returns:
        (N,), at least 1 each; NaN where no path exists.

    Raises:
        PhonobenchError: as `forward`.

    Example:
        >>> occupancy(np.log([[0.5, 0.5], [0.5, 0.5]]), (1,)).round(3).tolist()  # one or two frames, 4 in 3 paths
        [1.333]
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
    result: np.ndarray = np.exp(joint - total).sum(axis=0)
    return result


def _lattice(logp: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Prefix and suffix variables; the suffixes are the prefixes of everything reversed."""
    alpha = kernels.prefixes(logp, labels)
    reversed_ = kernels.prefixes(np.ascontiguousarray(logp[::-1]), np.ascontiguousarray(labels[::-1]))
    return alpha, np.ascontiguousarray(reversed_[::-1, ::-1])


def _total(alpha: np.ndarray) -> float:
    return float(np.logaddexp.reduce(alpha[-1, -2:]))
