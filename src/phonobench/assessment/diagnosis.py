"""What was recognised in place of each expected phone, when, and what was inserted: from likelihoods, nothing fitted.

Probabilities are shares of whole-sequence likelihood among the sequences one edit away from the expected one. Times
are for the eye and the ear: CTC says when a phone is certain, not where it begins, so that the boundary of two phones
is put half-way between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from phonobench import phones
from phonobench.assessment.types import PHONE_SCALE
from phonobench.ctc import Alignment
from phonobench.evidence import CTCEvidence
from phonobench.types import Rivals

ErrorType = Literal["none", "substitution", "deletion", "accent"]

ACCENTED = 0.75 * PHONE_SCALE
"""Phone accuracy below which a phone counts as accented: nearer to the raters' 1 (strong accent) than to their 2."""
BEST = 5
"""Heard phones that are told of each expected one, at most."""
LEAST = 0.01
"""Probability below which a candidate is not named, unless it is the first or the expected one."""
NAMED = 0.7
"""Probability from which the phone of a substitution is named, if it is a vowel in place of a vowel or a consonant in
place of a consonant. Of well-read phones of dev that stand under another name in the prompt, 80 % are then named, 94 %
of these rightly; from 0.5 on 88 %, 91 % of them rightly."""
INSERTED = 0.9
"""Probability from which a phone counts as inserted."""
HALF_WIDTH = 0.15
"""Seconds to either side of a phone's certainty that are taken for it at most, where pauses are near."""


@dataclass(frozen=True)
class Candidate:
    """What may have been said in the place of a phone: a phone, or None for nothing."""

    phone: str | None
    probability: float


@dataclass(frozen=True)
class Finding:
    """One expected phone: when it was said (seconds), the likeliest candidates best first, the kind of error."""

    expected: str
    start: float
    end: float
    candidates: tuple[Candidate, ...]
    error: ErrorType

    @property
    def likeliest(self) -> str | None:
        """The likeliest candidate; None for nothing."""
        return self.candidates[0].phone

    @property
    def instead(self) -> str | None:
        """Of a substitution the phone that was said instead; None where that is not likely enough to be named."""
        first = self.candidates[0]
        if self.error != "substitution" or first.phone is None or first.probability < NAMED:
            return None
        return first.phone if (first.phone in phones.VOWELS) == (self.expected in phones.VOWELS) else None


@dataclass(frozen=True)
class Insertion:
    """A phone that was said between expected ones: before the one of index `before` (N: after the last)."""

    phone: str
    before: int
    start: float
    end: float
    probability: float


@dataclass(frozen=True)
class Diagnosis:
    """Findings of the N expected phones in order, and the insertions."""

    findings: tuple[Finding, ...]
    insertions: tuple[Insertion, ...]


def diagnose(
    evidence: Sequence[CTCEvidence],
    ids: Sequence[int],
    accuracy: np.ndarray,
    flagged: np.ndarray,
    omitted: np.ndarray | None = None,
    begin: float = 0.0,
) -> Diagnosis:
    """Findings for the expected phone `ids`, given their accuracy (N,), 0 to 2, and which are flagged (N,), bool.

    Where several models gave `evidence`, probabilities are means over them, and times are those of the first. Phones
    of words that were `omitted` (N,), bool, are deletions without a duration, and the others are found without them.
    Times are of the recording, of which `begin` seconds stand before the evidence.

    A flagged phone is a substitution or a deletion if another phone or nothing is likelier than itself. One that is
    flagged, or below `ACCENTED`, is an accent otherwise. Raises PhonobenchError where the audio is too short.
    """
    if omitted is not None and omitted.any():
        said = ~omitted
        rest_ids = [q for q, here in zip(ids, said, strict=True) if here]
        rest = diagnose(evidence, rest_ids, accuracy[said], flagged[said], begin=begin)
        return _with_omitted(rest, ids, omitted)
    ids = tuple(ids)
    first, rivals = evidence[0], [one.rivals(ids) for one in evidence]
    start, end = (np.maximum(begin + times, 0) for times in spans(first.align(ids), first.hop, first.duration))
    probability = np.mean([shares(one) for one in rivals], axis=0)
    findings = []
    for i, expected in enumerate(phones.decode(ids)):
        candidates = _candidates(probability[i], ids[i])
        error = _error(candidates[0].phone, expected, bool(flagged[i]), float(accuracy[i]))
        findings.append(Finding(expected, float(start[i]), float(end[i]), candidates, error))
    added = np.mean([_added(one, ids, found) for one, found in zip(evidence, rivals, strict=True)], axis=0)
    insertions = (
        replace(one, start=max(0.0, begin + one.start), end=begin + one.end) for one in _insertions(first, ids, added)
    )
    return Diagnosis(tuple(findings), tuple(insertions))


def _with_omitted(rest: Diagnosis, ids: Sequence[int], omitted: np.ndarray) -> Diagnosis:
    """A diagnosis of all phones from that of the `rest`."""
    places = np.flatnonzero(~omitted)
    found: list[Finding] = []
    spoken = iter(rest.findings)
    now = rest.findings[0].start
    for expected, gone in zip(phones.decode(ids), omitted, strict=True):
        if gone:
            candidates = (Candidate(None, 1.0), Candidate(expected, 0.0))
            found.append(Finding(expected, now, now, candidates, "deletion"))
        else:
            found.append(next(spoken))
            now = found[-1].end
    indices = [*places.tolist(), int(places[-1]) + 1]
    return Diagnosis(tuple(found), tuple(replace(one, before=indices[one.before]) for one in rest.insertions))


def shares(rivals: Rivals) -> np.ndarray:
    """Probability (N, 40) of nothing (column 0) and of each phone in place of each expected one; rows sum to 1."""
    loglik = np.concatenate([rivals.delete[:, None], rivals.substitute], axis=1)
    result: np.ndarray = np.exp(loglik - np.logaddexp.reduce(loglik, axis=1, keepdims=True))
    return result


def spans(alignment: Alignment, hop: float, duration: float) -> tuple[np.ndarray, np.ndarray]:
    """Start and end (N,) of each phone in seconds: half-way to its neighbours, at most `HALF_WIDTH` into a pause.

    Never overlapping, in order, within the `duration`, and never shorter than the frames that the phone emits.
    """
    first, last = alignment.seconds(hop)
    middle = (last[:-1] + first[1:]) / 2
    start = np.maximum(np.concatenate([[0.0], middle]), first - HALF_WIDTH)
    end = np.minimum(np.concatenate([middle, [duration]]), last + HALF_WIDTH)
    return start, end


def _candidates(probability: np.ndarray, expected: int) -> tuple[Candidate, ...]:
    order = [int(q) for q in np.argsort(-probability, kind="stable")]
    told = [q for place, q in enumerate(order[:BEST]) if place == 0 or probability[q] >= LEAST]
    if expected not in told:
        told = [*told[: BEST - 1], expected]
    return tuple(Candidate(phones.PHONES[q - 1] if q else None, float(probability[q])) for q in told)


def _error(hypothesis: str | None, expected: str, flagged: bool, accuracy: float) -> ErrorType:
    if flagged and hypothesis is None:
        return "deletion"
    if flagged and hypothesis != expected:
        return "substitution"
    return "accent" if flagged or accuracy < ACCENTED else "none"


def _added(evidence: CTCEvidence, ids: tuple[int, ...], rivals: Rivals) -> np.ndarray:
    """Probability (N + 1, 39) of each phone inserted at each place, against any change of a neighbour.

    A copy of a neighbour has none: CTC often splits one phone into two peaks.
    """
    loglik = evidence.insertions(ids)
    changes = np.concatenate([rivals.delete[:, None], rivals.substitute], axis=1)
    changes[np.arange(len(ids)), list(ids)] = -np.inf
    change = np.concatenate([[-np.inf], np.logaddexp.reduce(changes, axis=1), [-np.inf]])
    others = np.logaddexp(np.logaddexp(change[:-1], change[1:]), rivals.loglik)  # (N + 1,)
    probability: np.ndarray = np.exp(loglik - np.logaddexp(others, np.logaddexp.reduce(loglik, axis=1))[:, None])
    for i, q in enumerate(ids):
        probability[i : i + 2, q - 1] = 0.0
    return probability


def _insertions(evidence: CTCEvidence, ids: tuple[int, ...], probability: np.ndarray) -> tuple[Insertion, ...]:
    """Inserted phones, by their `probability` (N + 1, 39), and when."""
    found: list[tuple[int, int, float]] = []
    for before in np.flatnonzero(probability.max(axis=1) >= INSERTED):
        q = int(np.argmax(probability[before]))
        share = float(probability[before, q])
        if found and found[-1][:2] == (before - 1, q):  # one sound, explained on either side of a phone
            if found[-1][2] >= share:
                continue
            found.pop()
        found.append((int(before), q, share))
    return tuple(_placed(evidence, ids, before, q, share) for before, q, share in found)


def _placed(evidence: CTCEvidence, ids: tuple[int, ...], before: int, q: int, share: float) -> Insertion:
    alignment = evidence.align((*ids[:before], q + 1, *ids[before:]))
    start, end = spans(alignment, evidence.hop, evidence.duration)
    return Insertion(phones.PHONES[q], before, float(start[before]), float(end[before]), share)
