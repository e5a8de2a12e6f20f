"""Edit alignment against hand counts and its own definition; feature distances against panphon."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonobench import edits, phones
from phonobench.types import PhonobenchError

# reference, hypothesis, hits, substitutions, deletions, insertions; counted by hand
BY_HAND = [
    ("K AE T", "K AE T", 3, 0, 0, 0),
    ("K AE T", "K AH T", 2, 1, 0, 0),
    ("K AE T", "K T", 2, 0, 1, 0),
    ("K AE T", "K AE T S", 3, 0, 0, 1),
    ("K AE T", "", 0, 0, 3, 0),
    ("", "K AE", 0, 0, 0, 2),
    ("", "", 0, 0, 0, 0),
    ("DH AH K AE T", "D AH AH K AE", 3, 1, 1, 1),
    ("S T R IY T", "S AH T AH R IY T AH", 5, 0, 0, 3),
]


@pytest.mark.parametrize(("reference", "hypothesis", "hits", "substitutions", "deletions", "insertions"), BY_HAND)
def test_hand_counts(reference, hypothesis, hits, substitutions, deletions, insertions) -> None:
    found = edits.align(reference.split(), hypothesis.split())
    assert (found.hits, found.substitutions, found.deletions, found.insertions) == (
        hits, substitutions, deletions, insertions,
    )  # fmt: skip
    assert found.errors == substitutions + deletions + insertions
    assert found.length == len(reference.split())


def test_pairs_of_a_known_alignment() -> None:
    found = edits.align(["DH", "AH", "K", "AE", "T", "S"], ["D", "AH", "K", "T", "S", "IY"])
    assert found.pairs == ((0, 0), (1, 1), (2, 2), (3, None), (4, 3), (5, 4), (None, 5))


def test_rate_is_undefined_without_a_reference() -> None:
    assert math.isnan(edits.align([], [1, 2]).rate)
    assert edits.align([1], [1, 2, 3]).rate == 2.0


tokens = st.lists(st.integers(1, 4), max_size=9)


def distance(a: list[int], b: list[int]) -> int:
    """The textbook recursion, one cell at a time."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        above, row = row, [i]
        for j, y in enumerate(b, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (x != y)))
    return row[-1]


@given(tokens, tokens)
def test_alignment_is_an_alignment_and_cheapest(a: list[int], b: list[int]) -> None:
    found = edits.align(a, b)
    assert [i for i, _ in found.pairs if i is not None] == list(range(len(a)))
    assert [j for _, j in found.pairs if j is not None] == list(range(len(b)))
    both = [(i, j) for i, j in found.pairs if i is not None and j is not None]
    assert sum(a[i] == b[j] for i, j in both) == found.hits
    assert sum(a[i] != b[j] for i, j in both) == found.substitutions
    assert sum(j is None for _, j in found.pairs) == found.deletions
    assert sum(i is None for i, _ in found.pairs) == found.insertions
    assert found.errors == distance(a, b)


sequences = st.lists(st.integers(1, 39), max_size=12)


@given(sequences, sequences, sequences)
def test_feature_distance_is_a_metric_below_the_edit_distance_of_segments(a, b, c) -> None:
    ab = edits.feature_distance(a, b)
    assert edits.feature_distance(a, a) == 0
    assert ab == pytest.approx(edits.feature_distance(b, a), abs=1e-12)
    assert edits.feature_distance(a, c) <= ab + edits.feature_distance(b, c) + 1e-9
    assert ab <= 2 * distance(a, b) + 1e-9  # a phone has at most two segments, each edit costs at most 1


def test_feature_distance_knows_near_from_far() -> None:
    p, b, a = phones.encode(["P", "B", "AA"])
    assert edits.feature_distance([p], [b]) == pytest.approx(1 / 24)  # voice
    assert edits.feature_distance([p], [b]) < edits.feature_distance([p], [a])


def test_every_phone_is_told_from_every_other() -> None:
    same = [(p, q) for p in range(1, 40) for q in range(1, p) if edits.feature_distance([p], [q]) == 0]
    assert same == []


def test_feature_distance_refuses_what_is_no_phone() -> None:
    with pytest.raises(PhonobenchError, match="phone id 0"):
        edits.feature_distance([1], [0])


@pytest.mark.slow
def test_against_panphon() -> None:
    distances = pytest.importorskip("panphon.distance")
    panphon = distances.Distance()
    stored = json.loads((Path(edits.__file__).parent / "articulation.json").read_text(encoding="utf-8"))
    spelling = ["".join(stored["phones"][phone]) for phone in phones.PHONES]
    assert [len(stored["phones"][phone]) for phone in ("AY", "CH", "ER", "G")] == [2, 1, 1, 1]
    for segment, signs in stored["segments"].items():
        (vector,) = panphon.fm.word_to_vector_list(segment, numeric=True)
        assert "".join({1: "+", -1: "-", 0: "0"}[value] for value in vector) == signs, segment
    pairs = [([p], [q]) for p in range(1, 40, 3) for q in range(1, 40)]
    pairs += [
        (phones.encode(a.split()), phones.encode(b.split()))
        for a, b in [
            ("HH AH L OW W ER L D", "HH EH L AW ER D Z"),
            ("CH OY S", "SH OW IH S T"),
            ("", "JH AY G"),
            ("DH IH S IH Z ER", ""),
            ("Y UW ZH AH L IY", "JH UW W AH L R IY"),
        ]
    ]
    for a, b in pairs:
        left, right = ("".join(spelling[id - 1] for id in ids) for ids in (a, b))
        assert edits.feature_distance(a, b) == pytest.approx(panphon.feature_edit_distance(left, right), abs=1e-12)


def test_alignment_needs_no_compiler() -> None:
    code = "import sys, phonobench.edits; print(sorted({'numba', 'panphon', 'torch'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
