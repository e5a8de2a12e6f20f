"""Goodness of pronunciation: one number for each expected phone, higher is better, nothing fitted.

Two registries of functions. `SCORERS` need no alignment: they take `types.Rivals`, the likelihoods of the whole
sequence with a phone replaced or deleted (Cao et al. 2024, "A framework for phoneme-level pronunciation assessment
using CTC"). `DETAILED` also use the frames: they take a `Detail`, which holds the rivals, the forced alignment and
the expected number of frames, so that each is computed once for all scorers. Every scorer returns (N,), one score a
phone.

Scores are in nats unless said otherwise. Where the expected sequence is impossible but a rival is not, a score is
-inf; where neither is possible (audio too short for every variant), it is undefined: NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from phonobench import ctc
from phonobench.evidence import CTCEvidence
from phonobench.types import Rivals


@dataclass(frozen=True, eq=False)
class Detail:
    """CTC evidence of one model for N expected phones.

    `logp`: (T, V), float64. `frames`: (N,), expected number of frames of each phone.
    """

    ids: tuple[int, ...]
    rivals: Rivals
    alignment: ctc.Alignment
    frames: np.ndarray
    logp: np.ndarray


def detail(evidence: CTCEvidence, ids: Sequence[int]) -> Detail:
    """Rivals, alignment and expected durations of phones in one model's evidence.

    Args:
        evidence: posteriors of an utterance.
        ids: the N expected phones.

    Raises:
        PhonobenchError: where the phones cannot be aligned (too few frames).

    Example:
        >>> found = detail(CTCEvidence(np.log([[0.1, 0.7, 0.2], [0.8, 0.1, 0.1]]), hop=0.02), (1,))
        >>> found.frames.round(2).tolist(), found.alignment.start.tolist()
        ([1.11], [0])
    """
    ids = tuple(ids)
    logp = np.asarray(evidence.logp, dtype=np.float64)
    return Detail(ids, evidence.rivals(ids), evidence.align(ids), ctc.occupancy(logp, ids), logp)


def sd(rivals: Rivals) -> np.ndarray:
    """log P(expected) - log of the sum over all 39 substitutions (the phone itself among them) and the deletion.

    At most 0: the log-posterior of the phone among all that could be in its place, or nothing.

    Example:
        >>> rivals = Rivals(-1.0, np.log([[np.exp(-1.0), 0.1, 0.02]]), np.log([0.05]))
        >>> sd(rivals).round(3).tolist()
        [-0.38]
    """
    return _ratio(rivals.loglik, np.logaddexp(np.logaddexp.reduce(rivals.substitute, axis=1), rivals.delete))


def s(rivals: Rivals) -> np.ndarray:
    """As `sd` without the deletion.

    Example:
        >>> rivals = Rivals(-1.0, np.log([[np.exp(-1.0), 0.1, 0.02]]), np.log([0.05]))
        >>> s(rivals).round(3).tolist()
        [-0.282]
    """
    return _ratio(rivals.loglik, np.logaddexp.reduce(rivals.substitute, axis=1))


def d(rivals: Rivals) -> np.ndarray:
    """As `sd` with the deletion only: was the phone there at all?

    Example:
        >>> rivals = Rivals(-1.0, np.log([[np.exp(-1.0), 0.1, 0.02]]), np.log([0.05]))
        >>> d(rivals).round(3).tolist()
        [-0.127]
    """
    return _ratio(rivals.loglik, np.logaddexp(rivals.loglik, rivals.delete))


def best(rivals: Rivals) -> np.ndarray:
    """log P(expected) - the highest of all other substitutions and the deletion. Positive if the phone wins.

    Example:
        >>> rivals = Rivals(-1.0, np.log([[np.exp(-1.0), 0.1, 0.02]]), np.log([0.05]))
        >>> best(rivals).round(3).tolist()
        [1.303]
    """
    return _ratio(rivals.loglik, np.maximum(_others(rivals).max(axis=1, initial=-np.inf), rivals.delete))


def odds(rivals: Rivals) -> np.ndarray:
    """log P(expected) - log of the sum over all other substitutions and the deletion: the log-odds of `sd`'s posterior.

    Ranks as `sd`, but does not saturate where the phone is nearly certain.

    Example:
        >>> rivals = Rivals(-1.0, np.log([[np.exp(-1.0), 0.1, 0.02]]), np.log([0.05]))
        >>> odds(rivals).round(3).tolist()
        [0.772]
    """
    return _ratio(rivals.loglik, np.logaddexp(np.logaddexp.reduce(_others(rivals), axis=1), rivals.delete))


def probability(rivals: Rivals) -> np.ndarray:
    """exp of `sd`: the posterior of the phone among its rivals, 0 to 1.

    Example:
        >>> rivals = Rivals(-1.0, np.log([[np.exp(-1.0), 0.1, 0.02]]), np.log([0.05]))
        >>> probability(rivals).round(3).tolist()
        [0.684]
    """
    result: np.ndarray = np.exp(sd(rivals))
    return result


SCORERS: dict[str, Callable[[Rivals], np.ndarray]] = {
    "sd": sd,
    "s": s,
    "d": d,
    "best": best,
    "odds": odds,
    "probability": probability,
}
"""Alignment-free scorers: `Rivals` of N phones -> (N,)."""

DEFAULT = "sd"
"""The phone score of the protocol's tables."""


def sd_frame(detail: Detail) -> np.ndarray:
    """`sd` per expected frame of the phone (at least one), so that long phones are not punished for their length.

    Example:
        >>> logp = np.log([[0.8, 0.1, 0.1], [0.1, 0.7, 0.2], [0.1, 0.5, 0.4]])
        >>> found = detail(CTCEvidence(logp, hop=0.02), (1,))
        >>> sd_frame(found).round(3).tolist()
        [-0.147]
    """
    result: np.ndarray = sd(detail.rivals) / np.maximum(detail.frames, 1.0)
    return result


def best_frame(detail: Detail) -> np.ndarray:
    """`best` per expected frame of the phone (at least one): a log-likelihood ratio normalised by length.

    Example:
        >>> logp = np.log([[0.8, 0.1, 0.1], [0.1, 0.7, 0.2], [0.1, 0.5, 0.4]])
        >>> found = detail(CTCEvidence(logp, hop=0.02), (1,))
        >>> best_frame(found).round(3).tolist()
        [0.662]
    """
    result: np.ndarray = best(detail.rivals) / np.maximum(detail.frames, 1.0)
    return result


def posterior(detail: Detail) -> np.ndarray:
    """Mean log-posterior of the phone over its aligned frames: the classic GOP of DNN systems.

    Example:
        >>> logp = np.log([[0.8, 0.1, 0.1], [0.1, 0.7, 0.2], [0.1, 0.5, 0.4]])
        >>> found = detail(CTCEvidence(logp, hop=0.02), (1,))
        >>> posterior(found).round(3).tolist()
        [-0.525]
    """
    return detail.alignment.score


def peak(detail: Detail) -> np.ndarray:
    """Highest log-posterior of the phone in its aligned frames. CTC emits a phone in few frames; the mean blurs it.

    The nearest to the maximum logit that log-probabilities allow: they do not hold the frame's normaliser.

    Example:
        >>> logp = np.log([[0.8, 0.1, 0.1], [0.1, 0.7, 0.2], [0.1, 0.5, 0.4]])
        >>> found = detail(CTCEvidence(logp, hop=0.02), (1,))
        >>> peak(found).round(3).tolist()
        [-0.357]
    """
    return np.array([detail.logp[frames, q].max() for frames, q in _spans(detail)])


def margin(detail: Detail) -> np.ndarray:
    """Mean over the aligned frames of the log-posterior of the phone less that of its best rival, the blank aside.

    Example:
        >>> logp = np.log([[0.8, 0.1, 0.1], [0.1, 0.7, 0.2], [0.1, 0.5, 0.4]])
        >>> found = detail(CTCEvidence(logp, hop=0.02), (1,))
        >>> margin(found).round(3).tolist()
        [0.738]
    """
    second, first = np.partition(detail.logp[:, 1:], -2, axis=1)[:, -2:].T
    scores = []
    for frames, q in _spans(detail):
        own = detail.logp[frames, q]
        scores.append((own - np.where(own == first[frames], second[frames], first[frames])).mean())
    return np.array(scores)


def certainty(detail: Detail) -> np.ndarray:
    """Minus the mean entropy of the aligned frames: at most 0. It does not depend on the expected phone.

    Example:
        >>> logp = np.log([[0.8, 0.1, 0.1], [0.1, 0.7, 0.2], [0.1, 0.5, 0.4]])
        >>> found = detail(CTCEvidence(logp, hop=0.02), (1,))
        >>> certainty(found).round(3).tolist()
        [-0.873]
    """
    logp = np.maximum(detail.logp, -1e6)  # p log p is 0 at p = 0
    negentropy = (np.exp(logp) * logp).sum(axis=1)
    return np.array([negentropy[frames].mean() for frames, _ in _spans(detail)])


DETAILED: dict[str, Callable[[Detail], np.ndarray]] = {
    "sd_frame": sd_frame,
    "best_frame": best_frame,
    "posterior": posterior,
    "peak": peak,
    "margin": margin,
    "certainty": certainty,
}
"""Scorers that use the frames: `Detail` of N phones -> (N,)."""


def _ratio(expected: float, against: np.ndarray) -> np.ndarray:
    impossible = np.isneginf(against)
    score = expected - np.where(impossible, 0.0, against)
    never = np.nan if np.isneginf(expected) else np.inf
    return np.where(impossible, never, score)


def _others(rivals: Rivals) -> np.ndarray:
    """`substitute` with -inf at the expected phone, which is where it equals `loglik`. Any one of equals will do."""
    itself = rivals.substitute == rivals.loglik
    if not itself.any(axis=1).all():
        raise ValueError("these rivals do not hold the likelihood of the expected sequence among the substitutions")
    others: np.ndarray = rivals.substitute.copy()
    others[np.arange(len(others)), itself.argmax(axis=1)] = -np.inf
    return others


def _spans(detail: Detail) -> list[tuple[slice, int]]:
    """Aligned frames and column of each phone."""
    bounds = zip(detail.alignment.start, detail.alignment.end, detail.ids, strict=True)
    return [(slice(start, end), q) for start, end, q in bounds]
