"""CTC evidence of an utterance: of one model (`CTCEvidence`), or of several at once (`FusedEvidence`, `average`).

Two ways to fuse late, which are not the same. `average` mixes the distributions frame by frame; it assumes that the
frames of two models mean the same moment. CTC models put their peaks where they like: two perfect models whose peaks
lie one frame apart, averaged in the log domain, leave only blank, and the PER is 100 %. `FusedEvidence` adds up the
log-likelihoods of whole sequences; it never compares frames, so it is immune to that and mixes any frame rates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from phonobench import ctc
from phonobench.types import PhonobenchError, Posteriors, Rivals


@dataclass(frozen=True, eq=False)
class CTCEvidence:
    """Evidence of one model: `logp` (T, V) log-posteriors, blank first, one row every `hop` seconds.

    `decoder` makes the hypothesis; likelihoods, rivals and alignments are of the posteriors as they are. Every method
    raises PhonobenchError where `logp` holds no log-probabilities and for ids outside the columns.

    Example:
        >>> evidence = CTCEvidence(np.log([[0.1, 0.7, 0.2], [0.8, 0.1, 0.1]]), hop=0.02)
        >>> evidence.best(), evidence.duration, round(evidence.loglik((2,)), 3)
        ((1,), 0.04, -1.661)
    """

    logp: np.ndarray
    hop: float
    decoder: ctc.Decoder = ctc.GREEDY

    @property
    def duration(self) -> float:
        """Seconds covered by the frames."""
        return len(self.logp) * self.hop

    def best(self) -> tuple[int, ...]:
        """The phone ids that the decoder finds."""
        return self.decoder.decode(self.logp)

    def loglik(self, ids: tuple[int, ...]) -> float:
        """log P(ids | audio), nats; -inf where no path exists."""
        return ctc.forward(self.logp, ids)

    def rivals(self, ids: tuple[int, ...]) -> Rivals:
        """Log-likelihoods of `ids` with each phone replaced by every phone, or deleted."""
        return ctc.rivals(self.logp, ids)

    def insertions(self, ids: tuple[int, ...]) -> np.ndarray:
        """Log-likelihoods (N + 1, V - 1) of `ids` with any phone inserted before phone j, or after the last."""
        return ctc.insertions(self.logp, ids)

    def align(self, ids: tuple[int, ...]) -> ctc.Alignment:
        """Frames of each phone on the best path; `.seconds(hop)` gives times.

        Raises:
            PhonobenchError: where no path exists.
        """
        return ctc.align(self.logp, ids)


_Edit = tuple[float, int, int]
"""Log-likelihood after it, place (2 j: before phone j; 2 i + 1: at phone i), phone id put there (0: none)."""


def _edited(ids: tuple[int, ...], edits: Sequence[_Edit]) -> tuple[int, ...]:
    """`ids` after all `edits`."""
    there = {place: q for _, place, q in edits}
    places = [there.get(place, ids[place // 2] if place % 2 else 0) for place in range(2 * len(ids) + 1)]
    return tuple(q for q in places if q)


@dataclass(frozen=True, eq=False)
class FusedEvidence:
    """Likelihood fusion: log-likelihoods are the weighted sums of the parts', sequence by sequence.

    `weights`: one a part, not negative, sum 1. The parts may have different frame rates. A part of weight 0 is not
    computed at all. Fusion of fused evidence works too.

    Example:
        >>> one, other = (CTCEvidence(np.log([row]), 0.02) for row in ([0.2, 0.5, 0.3], [0.2, 0.1, 0.7]))
        >>> fused = FusedEvidence((one, other), (0.5, 0.5))
        >>> fused.best(), round(float(np.exp(fused.loglik((2,)))), 3)
        ((2,), 0.458)
    """

    parts: tuple[CTCEvidence | FusedEvidence, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        check_weights(self.weights, len(self.parts))

    def loglik(self, ids: tuple[int, ...]) -> float:
        """Weighted sum of the parts' log P(ids | audio), nats; -inf where one of them has no path."""
        return float(sum(weight * part.loglik(ids) for part, weight in self._weighted_parts()))

    def rivals(self, ids: tuple[int, ...]) -> Rivals:
        """Weighted sums of the parts' rivals."""
        found = [(part.rivals(ids), weight) for part, weight in self._weighted_parts()]
        return Rivals(
            float(sum(weight * rivals.loglik for rivals, weight in found)),
            np.asarray(sum(weight * rivals.substitute for rivals, weight in found)),
            np.asarray(sum(weight * rivals.delete for rivals, weight in found)),
        )

    def insertions(self, ids: tuple[int, ...]) -> np.ndarray:
        """Weighted sums of the parts' insertions."""
        return np.asarray(sum(weight * part.insertions(ids) for part, weight in self._weighted_parts()))

    def best(self) -> tuple[int, ...]:
        """The phone ids of the highest fused likelihood that hill climbing finds from the hypotheses of the parts.

        Each step makes the best of all single substitutions, deletions and insertions, and with it those that improve
        the sequence elsewhere if together they gain more. The end is a sequence that no single edit improves, and that
        is at least as likely as the hypothesis of any part; a likelier one further away can be missed.
        """
        starts = dict.fromkeys(part.best() for part, _ in self._weighted_parts())
        climbed = [self._climb(ids) for ids in starts]
        return max(climbed, key=lambda found: found[1])[0]

    def _climb(self, ids: tuple[int, ...]) -> tuple[tuple[int, ...], float]:
        current = self.loglik(ids)
        while True:
            edits = self._improvements(ids, current + 1e-9 * max(1.0, abs(current)))  # rounding must not send it round
            if not edits:
                return ids, current
            value = edits[0][0]
            together = _edited(ids, edits)
            gained = self.loglik(together) if len(edits) > 1 else -np.inf
            ids, current = (together, gained) if gained > value else (_edited(ids, edits[:1]), value)

    def _improvements(self, ids: tuple[int, ...], least: float) -> list[_Edit]:
        """Single edits that lift the log-likelihood above `least`, best first, none beside a better one."""
        insertions = self.insertions(ids)
        found = [(float(row.max()), 2 * j, int(row.argmax()) + 1) for j, row in enumerate(insertions)]
        if ids:
            rivals = self.rivals(ids)
            others = np.column_stack([rivals.delete, rivals.substitute])
            others[np.arange(len(ids)), list(ids)] = -np.inf
            found += [(float(row.max()), 2 * i + 1, int(row.argmax())) for i, row in enumerate(others)]
        chosen: list[_Edit] = []
        for edit in sorted(found, reverse=True):
            if edit[0] > least and all(abs(edit[1] - other[1]) > 2 for other in chosen):
                chosen.append(edit)
        return chosen

    def _weighted_parts(self) -> list[tuple[CTCEvidence | FusedEvidence, float]]:
        return [(part, weight) for part, weight in zip(self.parts, self.weights, strict=True) if weight > 0]


def average(
    posteriors: Sequence[Posteriors],
    weights: Sequence[float],
    *,
    domain: Literal["log", "probability"] = "log",
    slack: int = 0,
) -> Posteriors:
    """Frame fusion: the weighted mean of log-probabilities (renormalised) or of probabilities.

    Args:
        posteriors: of the same utterances, at the same hop.
        weights: one a model, not negative, sum 1.
        domain: "log" averages log-probabilities, "probability" probabilities.
        slack: frames by which lengths of an utterance may differ; the longer ones are cut to the shortest.

    Returns:
        Posteriors in float32, utterances in the order of the first.

    Raises:
        PhonobenchError: where utterances, hops or lengths do not agree, or for other weights.

    Example:
        >>> one, other = (Posteriors(("a",), (np.log([row]),), 0.02) for row in ([0.8, 0.2], [0.4, 0.6]))
        >>> mixed = average([one, other], [0.5, 0.5], domain="probability")
        >>> [round(float(p), 3) for p in np.exp(mixed.logp[0][0])]
        [0.6, 0.4]
    """
    if domain not in ("log", "probability"):
        raise PhonobenchError(f"cannot average in the domain {domain!r}: 'log' or 'probability'")
    posteriors = list(posteriors)
    check_weights(weights, len(posteriors))
    first = posteriors[0]
    places = [{id: place for place, id in enumerate(one.ids)} for one in posteriors]
    for one, place in zip(posteriors, places, strict=True):
        unknown = sorted(set(first.ids) ^ set(place))
        if unknown:
            raise PhonobenchError(f"cannot average posteriors of different utterances: {unknown[0]} is not in all")
        if abs(one.hop - first.hop) > 1e-9:
            raise PhonobenchError(
                f"cannot average posteriors {first.hop:g} s and {one.hop:g} s a frame: use evidence.FusedEvidence, "
                "which adds likelihoods and takes any frame rates"
            )
    kept = [(one, place, w) for one, place, w in zip(posteriors, places, weights, strict=True) if w > 0]
    fused = []
    for id in first.ids:
        parts = [np.asarray(one.logp[place[id]], dtype=np.float64) for one, place, _ in kept]
        fused.append(_mean(id, parts, [w for _, _, w in kept], domain, slack))
    return Posteriors(first.ids, tuple(fused), first.hop)


def _mean(
    id: str, parts: list[np.ndarray], weights: list[float], domain: Literal["log", "probability"], slack: int
) -> np.ndarray:
    lengths = [len(part) for part in parts]
    if max(lengths) - min(lengths) > slack or len({part.shape[1] for part in parts}) > 1:
        raise PhonobenchError(
            f"cannot average the frames of {id}: shapes {', '.join(str(part.shape) for part in parts)}, slack {slack}; "
            "use evidence.FusedEvidence, or allow a few frames with slack"
        )
    parts = [part[: min(lengths)] for part in parts]
    if domain == "log":
        mixed = np.asarray(sum(w * part for w, part in zip(weights, parts, strict=True)))
    else:
        mixed = np.logaddexp.reduce([np.log(w) + part for w, part in zip(weights, parts, strict=True)], axis=0)
    total = np.logaddexp.reduce(mixed, axis=1, keepdims=True)
    if np.isneginf(total).any():
        frame = int(np.flatnonzero(np.isneginf(total))[0])
        raise PhonobenchError(f"cannot average {id}: in frame {frame} the parts exclude each other; use 'probability'")
    return (mixed - total).astype(np.float32)


def check_weights(weights: Sequence[float], parts: int) -> tuple[float, ...]:
    """Checks weights of a fusion.

    Args:
        weights: one a part, not negative, sum 1 (within 1e-6).
        parts: number of parts.

    Returns:
        The weights as floats.

    Raises:
        PhonobenchError: for any other weights, and for no part.

    Example:
        >>> check_weights([1, 0], parts=2)
        (1.0, 0.0)
    """
    if parts == 0 or len(weights) != parts:
        raise PhonobenchError(f"fusion needs one weight a part: {len(weights)} weights, {parts} parts")
    if not all(weight >= 0 for weight in weights) or abs(sum(weights) - 1.0) > 1e-6:
        raise PhonobenchError(f"fusion weights {', '.join(f'{w:g}' for w in weights)}: must be 0 or more and sum to 1")
    return tuple(float(weight) for weight in weights)
