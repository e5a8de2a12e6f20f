"""Edit alignment of a hypothesis with its reference, and the distance of the two in articulatory features.

`align` counts whole tokens (phones, or the characters of a string). In `feature_distance` a substitution of similar
phones costs less than one of unlike phones.
"""

from __future__ import annotations

import json
import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from rapidfuzz.distance import Levenshtein

from phonobench import phones


@dataclass(frozen=True)
class Edits:
    """A cheapest alignment of a reference and a hypothesis, and its counts.

    `pairs`: (reference index, hypothesis index) in order, each index once; None on the left for an insertion, on the
    right for a deletion. The total of errors is the smallest possible; where several alignments reach it, how it
    splits into substitutions, deletions and insertions is a convention (rapidfuzz's).
    """

    pairs: tuple[tuple[int | None, int | None], ...]
    hits: int
    substitutions: int
    deletions: int
    insertions: int

    @property
    def errors(self) -> int:
        """Substitutions, deletions and insertions together: the Levenshtein distance."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def length(self) -> int:
        """Number of reference tokens."""
        return self.hits + self.substitutions + self.deletions

    @property
    def rate(self) -> float:
        """Errors per reference token (PER); may exceed 1. NaN for an empty reference, where no rate is defined."""
        return self.errors / self.length if self.length else math.nan


def align(reference: Sequence[Hashable], hypothesis: Sequence[Hashable]) -> Edits:
    """Aligns two sequences of tokens at the least number of edits.

    Args:
        reference: the expected tokens. A string is a sequence of characters.
        hypothesis: the recognised tokens.

    Returns:
        One of the cheapest alignments, with its counts; which one among equals is rapidfuzz's convention.

    Example:
        >>> edits = align(["K", "AE", "T"], ["K", "EH", "T", "S"])
        >>> edits.hits, edits.substitutions, edits.deletions, edits.insertions
        (2, 1, 0, 1)
        >>> edits.pairs
        ((0, 0), (1, 1), (2, 2), (None, 3))
        >>> round(edits.rate, 3)
        0.667
    """
    operations = Levenshtein.editops(list(reference), list(hypothesis))
    pairs: list[tuple[int | None, int | None]] = []
    counts = {"replace": 0, "delete": 0, "insert": 0}
    i = j = 0
    for operation in operations:
        while i < operation.src_pos and j < operation.dest_pos:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        counts[operation.tag] += 1
        left = None if operation.tag == "insert" else i
        right = None if operation.tag == "delete" else j
        pairs.append((left, right))
        i, j = i + (left is not None), j + (right is not None)
    pairs.extend(zip(range(i, len(reference)), range(j, len(hypothesis)), strict=True))
    hits = len(reference) - counts["replace"] - counts["delete"]
    return Edits(tuple(pairs), hits, counts["replace"], counts["delete"], counts["insert"])


def feature_distance(reference: Sequence[int], hypothesis: Sequence[int]) -> float:
    """Articulatory-feature edit distance of two sequences of phone ids (the numerator of PFER).

    As panphon's `feature_edit_distance` (Mortensen et al. 2016) over segments: a substitution costs half the summed
    difference of 24 features in {-1, 0, 1}, divided by 24; a deletion or insertion 1, less half of 1/24 for each
    feature that the segment leaves open. A diphthong is two segments, an affricate one, ER a syllabic r.

    Args:
        reference: expected phone ids, 1 to 39.
        hypothesis: recognised phone ids, 1 to 39.

    Returns:
        The least total cost of an alignment, 0 for equal sequences; it may be fractional.

    Raises:
        PhonobenchError: for an id that is no phone.

    Example:
        >>> voiced = feature_distance(phones.encode("B"), phones.encode("P"))  # they differ in voice alone
        >>> round(voiced, 4), round(feature_distance(phones.encode("B"), phones.encode(["IY"])), 4)
        (0.0417, 0.2917)
    """
    table = _articulation()
    rows = [segment for phone in phones.decode(reference) for segment in table.segments[phone]]
    columns = [segment for phone in phones.decode(hypothesis) for segment in table.segments[phone]]
    inserted = np.concatenate([[0.0], np.cumsum(table.alone[columns])])
    best = inserted.copy()
    for segment in rows:
        through = best + table.alone[segment]
        through[1:] = np.minimum(through[1:], best[:-1] + table.between[segment, columns])
        best = np.minimum.accumulate(through - inserted) + inserted  # any run of insertions after the best of these
    return float(best[-1])


@dataclass(frozen=True, eq=False)
class _Articulation:
    """Costs over S segments: `between` (S, S) of a substitution, `alone` (S,) of a deletion or an insertion."""

    segments: dict[str, tuple[int, ...]]
    between: np.ndarray
    alone: np.ndarray


@cache
def _articulation() -> _Articulation:
    text = resources.files("phonobench").joinpath("articulation.json").read_text(encoding="utf-8")
    stored = json.loads(text)
    signs = {"+": 1.0, "-": -1.0, "0": 0.0}
    vectors = np.array([[signs[sign] for sign in row] for row in stored["segments"].values()])
    place = {segment: row for row, segment in enumerate(stored["segments"])}
    segments = {phone: tuple(place[s] for s in stored["phones"][phone]) for phone in phones.PHONES}
    between = np.abs(vectors[:, None] - vectors[None]).mean(axis=2) / 2
    return _Articulation(segments, between, np.where(vectors == 0, 0.5, 1.0).mean(axis=1))
