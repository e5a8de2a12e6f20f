"""Whether each word of a prompt was said at all: likelihoods with and without it, and what stands in its place.

Everything is local: the frames from the word before to the word after, whose phones stay as they are. So a word costs
the same in a long text as in a short one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from phonobench import ctc, edits
from phonobench.ctc import Alignment

WORD_FEATURES = ("with_without", "with_free", "free_phones", "matched", "inserted", "aligned_share", "aligned_score")
"""Of each word: log-likelihood with it against without it, and against the phones that are recognised in its place,
both a phone of the word; how many phones these are; by edit alignment with the word the share of its phones that are
among them, and how many are surplus; the mean posterior, and its log, in the frames that its phones are aligned to."""
BOUND = 15.0
"""Nats at which log-ratios are cut off."""


@dataclass(frozen=True)
class Place:
    """Where word `index` stands: its phones from `first` up to `last` among all, and the frames from `begin` to `end`
    that lie between its neighbours' phones."""

    index: int
    first: int
    last: int
    begin: int
    end: int


def places(alignment: Alignment, words: np.ndarray, frames: int) -> list[Place]:
    """The places of all words.

    Args:
        alignment: of the N phones.
        words: (N,), the word of each phone.
        frames: length of the utterance.
    """
    first = np.flatnonzero(np.diff(words, prepend=-1))
    last = np.append(first[1:], len(words))
    return [
        Place(
            k,
            int(a),
            int(b),
            int(alignment.end[a - 1]) if a else 0,
            int(alignment.start[b]) if b < len(words) else frames,
        )
        for k, (a, b) in enumerate(zip(first, last, strict=True))
    ]


def neighbourhood(all_places: Sequence[Place], index: int, frames: int) -> slice:
    """The frames of a word, of the words beside it, and of what lies between these and the words after next.

    Args:
        all_places: as `places` gives them.
        index: of the word.
        frames: length of the utterance.
    """
    begin = all_places[index - 1].begin if index else 0
    end = all_places[index + 1].end if index + 1 < len(all_places) else frames
    return slice(begin, end)


def measure(logp: np.ndarray, ids: Sequence[int], words: np.ndarray, alignment: Alignment) -> np.ndarray:
    """`WORD_FEATURES` of every word: (W, 7) float32.

    Args:
        logp: (T, V), log-posteriors, blank first.
        ids: the N expected phones.
        words: (N,), the word of each phone.
        alignment: of the phones.
    """
    ids, found = tuple(ids), places(alignment, words, len(logp))
    return np.array([_measure(logp, ids, alignment, found, one) for one in found], dtype=np.float32)


def _measure(
    logp: np.ndarray, ids: tuple[int, ...], alignment: Alignment, all_places: Sequence[Place], place: Place
) -> tuple[float, ...]:
    k, expected = place.index, ids[place.first : place.last]
    before = ids[all_places[k - 1].first : place.first] if k else ()
    after = ids[place.last : all_places[k + 1].last] if k + 1 < len(all_places) else ()
    near = logp[neighbourhood(all_places, k, len(logp))]
    free = ctc.GREEDY.decode(logp[place.begin : place.end])
    with_it = ctc.forward(near, (*before, *expected, *after))
    without = ctc.forward(near, (*before, *after))
    best = max(with_it, without, ctc.forward(near, (*before, *free, *after)))
    change = edits.align(expected, free)
    own = alignment.score[place.first : place.last]
    return (
        _bounded((with_it - without) / len(expected)),
        _bounded((with_it - best) / len(expected)),
        float(len(free)),
        1 - (change.substitutions + change.deletions) / len(expected),
        float(change.insertions),
        float(np.exp(own).mean()),
        _bounded(float(own.mean())),
    )


def _bounded(value: float) -> float:
    return float(np.clip(value, -BOUND, BOUND))
