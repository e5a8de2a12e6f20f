"""The utterances that can be played in a page: which are chosen, and what each system made of them, phone by phone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from phonobench import edits, phones, store
from phonobench.evaluate import SplitPredictions
from phonobench.evidence import CTCEvidence
from phonobench.report import runs
from phonobench.types import HQ_ACCURACY, PhonobenchError, Utterance

EACH = 12
"""Utterances of each kind and system."""
HALF_WIDTH = 0.15
"""Seconds. A CTC peak is a frame or two; a phone is drawn half-way to its neighbours, but no further than this."""
LISTED = 12
"""Utterances that a confusion cell lists."""

Confusions = dict[str, list[int]]
"""`expected>recognised` -> the utterances (indices, with repeats) with that confusion."""


def confusions(predicted: SplitPredictions) -> Confusions:
    """Where each canonical phone was recognised as another, deleted (`<DEL>`), or one was inserted (`<INS>`).

    Args:
        predicted: The predictions of a run on a split.

    Returns:
        By confusion the utterances (indices, with repeats), in order.
    """
    found: Confusions = {}
    for index, (utterance, prediction) in enumerate(zip(predicted.utterances, predicted.predictions, strict=True)):
        expected, hypothesis = utterance.prompt.phones, phones.decode(prediction.hypothesis)
        for i, j in edits.align(expected, hypothesis).pairs:
            left = phones.INSERTED if i is None else expected[i]
            right = phones.DELETED if j is None else hypothesis[j]
            if left != right:
                found.setdefault(f"{left}>{right}", []).append(index)
    return found


def choose(
    utterances: Sequence[Utterance], pers: np.ndarray, gap_cases: Mapping[str, Sequence[int]],
    confused: Sequence[Confusions], budget: int,
) -> dict[int, list[str]]:  # fmt: skip
    """Utterances to embed, with the reasons.

    First come the worst and the disputed of each system, those that split the systems, the gap cases and the poorest
    speech; then, until the budget is spent, one for each confusion, the commonest first.

    Args:
        utterances: Those of the split, (U,).
        pers: PER of each system and utterance, (systems, U).
        gap_cases: By kind the indices of its utterances.
        confused: The confusions of each system.
        budget: Bytes that their sound files may take.

    Returns:
        By index the reasons.
    """
    wanted = _reasons(utterances, pers) | {f"gap: {kind}": list(found) for kind, found in gap_cases.items()}
    size = [u.audio.stat().st_size for u in utterances]
    chosen: dict[int, list[str]] = {}
    left = budget
    longest = max((len(found) for found in wanted.values()), default=0)
    for place in range(longest):  # in turns, so that a small budget holds some of each
        for tag, found in wanted.items():
            if place < len(found) and (found[place] in chosen or size[found[place]] <= left):
                left -= 0 if found[place] in chosen else size[found[place]]
                chosen.setdefault(found[place], []).append(tag)
    cells = sorted((cell for table in confused for cell in table.values()), key=len, reverse=True)
    for cell in cells:
        smallest = min(cell, key=lambda i: size[i])
        if not chosen.keys() & set(cell) and size[smallest] <= left:
            chosen[smallest] = ["confusion"]
            left -= size[smallest]
    return chosen


def _reasons(utterances: Sequence[Utterance], pers: np.ndarray) -> dict[str, list[int]]:
    accuracy = np.array([u.judgement.accuracy for u in utterances])
    scored = np.isfinite(accuracy)
    well = np.flatnonzero(accuracy >= HQ_ACCURACY)
    worst, disputed = [], []
    for per in pers:
        worst.append(well[np.argsort(-per[well], kind="stable")][:EACH])
        apart = np.where(scored, np.abs(_midranks(-per) - _midranks(np.where(scored, accuracy, 0))), -1)
        disputed.append(np.argsort(-apart, kind="stable")[:EACH])
    poorest = np.argsort(np.where(scored, accuracy, np.inf), kind="stable")[:EACH]
    found = {"worst": _merged(worst), "disputed": _merged(disputed), "poorest speech": [int(i) for i in poorest]}
    if len(pers) > 1:
        spread = pers.max(axis=0) - pers.min(axis=0)
        apart = np.argsort(-spread, kind="stable")[:EACH]
        found["systems differ"] = [int(i) for i in apart if spread[i] > 0]
    return found


def _midranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, equal values sharing their mean rank."""
    _, group, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[group]


def _merged(lists: Sequence[np.ndarray]) -> list[int]:
    return list(dict.fromkeys(int(i) for turn in zip(*lists, strict=True) for i in turn))


def evidence_by_id(run_dir: Path, split: str, ids: Sequence[str]) -> Callable[[str], CTCEvidence | None]:
    """The CTC evidence of a run by utterance, for times (`runs.frames_of`).

    Args:
        run_dir: The run; of a fusion by likelihoods, frames are those of its heaviest member.
        split: The split.
        ids: Utterances that are read.

    Returns:
        A function from an id to the evidence; None where no frames are known.
    """
    folder = runs.frames_of(run_dir)
    if folder is None or not store.posteriors_folder(folder, split).exists():
        return lambda _: None
    read = store.read_posteriors(folder, split, list(ids))
    found = {id: CTCEvidence(logp, read.hop) for id, logp in zip(read.ids, read.logp, strict=True)}
    return found.get


def detail(predicted: SplitPredictions, index: int, evidence: CTCEvidence | None) -> dict[str, Any]:
    """One system on one utterance.

    Args:
        predicted: The predictions of the system on the split.
        index: The utterance.
        evidence: Its CTC evidence; None where no frames are known.

    Returns:
        `spans` (centiseconds), `scores` and `rivals` of the expected phones; `recognised`: phone, span, whether it is
        the expected one; `deleted`: expected phones (indices) that were not recognised.
    """
    utterance, prediction = predicted.utterances[index], predicted.predictions[index]
    expected, hypothesis = phones.encode(utterance.prompt.phones), prediction.hypothesis
    pairs = edits.align(expected, hypothesis).pairs
    right = {j for i, j in pairs if i is not None and j is not None and expected[i] == hypothesis[j]}
    deleted = [i for i, j in pairs if i is not None and j is None]
    names = phones.decode(hypothesis)
    spans = spans_of(evidence, hypothesis)
    return {
        "spans": spans_of(evidence, expected),
        "scores": [round(float(score), 2) for score in prediction.phone_score],
        "rivals": ["" if q == 0 else phones.PHONES[q - 1] for q in prediction.rival],
        "recognised": [[name, span, j in right] for j, (name, span) in enumerate(zip(names, spans, strict=True))],
        "deleted": deleted,
    }


def spans_of(evidence: CTCEvidence | None, ids: Sequence[int]) -> list[list[int] | None]:
    """Start and end of each phone in centiseconds, for the eye: half-way between CTC peaks.

    Args:
        evidence: That of the utterance; None where no frames are known.
        ids: The phones, at least one.

    Returns:
        (start, end) of each phone; None where unknown or where there are too few frames.
    """
    if evidence is None or not ids:
        return [None] * len(ids)
    try:
        start, end = evidence.align(tuple(ids)).seconds(evidence.hop)
    except PhonobenchError:  # too few frames for so many phones: there is no path to draw
        return [None] * len(ids)
    peak = (start + end) / 2
    middle = (peak[1:] + peak[:-1]) / 2
    low = np.maximum(np.concatenate([[0.0], middle]), peak - HALF_WIDTH)
    high = np.minimum(np.concatenate([middle, [evidence.duration]]), peak + HALF_WIDTH)
    bounds = [(round(100 * float(a)), round(100 * float(b))) for a, b in zip(low, high, strict=True)]
    return [[a, max(a + 1, b)] for a, b in bounds]
