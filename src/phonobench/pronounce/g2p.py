"""A guess at how an unknown word is said: joint letter-phone n-grams, fitted to CMUdict by `tools/make_g2p.py`.

A unit is a letter with the 0 to 2 phones that it stands for; a pronunciation is a sequence of units that spells the
word, and the model gives its probability (interpolated modified Kneser-Ney, pruned; Bisani and Ney 2008 for the idea).
N-grams are packed into 63 bits, `BITS` a unit, the last unit lowest. Phone error rate on held-out words of CMUdict:
see `pronounce/README.md`. What comes out is a guess and is to be called one.
"""

from __future__ import annotations

import importlib.resources
import io
import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from phonobench.phones import PHONES

FILE = "g2p.npz"
BITS = 9
START, END = 0, 1
"""Unit ids that stand for what lies outside the word; real units come after."""
STEP = 1 / 16
"""Nats between two stored values of a log-probability or a log back-off weight."""
LETTERS = "abcdefghijklmnopqrstuvwxyz'"

BEAM = 24
GUESSES = 3
LIKELY = 0.1
"""A second guess is given if it has this share of the probability of all that the beam holds."""


@dataclass(frozen=True, eq=False)
class Grams:
    """A back-off model of unit sequences.

    `letters` and `phones` say of unit u + 2 which letter it is and which phones it makes. `keys[k]`: the packed
    (k + 1)-grams in ascending order; `logp[k]` and `backoff[k]` are aligned with them.
    """

    letters: str
    phones: tuple[tuple[str, ...], ...]
    keys: tuple[np.ndarray, ...]
    logp: tuple[np.ndarray, ...]
    backoff: tuple[np.ndarray, ...]

    @property
    def order(self) -> int:
        """Length of the longest n-grams."""
        return len(self.keys)

    def score(self, histories: np.ndarray, units: np.ndarray) -> np.ndarray:
        """log P(unit | history), nats, (M,), for packed histories and unit ids, both (M,) int64."""
        score = np.zeros(len(units))
        open_ = np.arange(len(units))
        for length in range(self.order, 0, -1):
            history = histories[open_] & ((1 << BITS * (length - 1)) - 1)
            place, found = _find(self.keys[length - 1], (history << BITS) | units[open_])
            score[open_[found]] += self.logp[length - 1][place[found]]
            open_, history = open_[~found], history[~found]
            if not len(open_):
                return score
            if length > 1:
                place, known = _find(self.keys[length - 2], history)
                score[open_[known]] += self.backoff[length - 2][place[known]]
        score[open_] = -np.inf
        return score


@dataclass(frozen=True)
class Guess:
    """A pronunciation and its share of the probability of all that were considered."""

    phones: tuple[str, ...]
    probability: float


def guess(word: str, grams: Grams | None = None) -> tuple[Guess, ...]:
    """The likeliest pronunciations of a word in letters a to z and apostrophes, best first; () where none is found.

    At most `GUESSES`, the second and third only where they have `LIKELY` of the probability.

    Args:
        word: lower case.
        grams: the model; the shipped one if nothing is given.

    Example:
        >>> guess("blorf")[0].phones
        ('B', 'L', 'ER', 'F')
        >>> guess("a1")
        ()
    """
    grams = grams or shipped()
    best: dict[tuple[str, ...], float] = {}
    for phones, score in decode(word, grams):
        if phones:  # several unit sequences may spell the same phones
            best[phones] = float(np.logaddexp(best.get(phones, -np.inf), score))
    if not best:
        return ()
    total = float(np.logaddexp.reduce(list(best.values())))
    ranked = sorted(best.items(), key=lambda item: -item[1])[:GUESSES]
    shares = [Guess(phones, math.exp(score - total)) for phones, score in ranked]
    return tuple(one for place, one in enumerate(shares) if place == 0 or one.probability >= LIKELY)


def decode(word: str, grams: Grams, beam: int = BEAM) -> list[tuple[tuple[str, ...], float]]:
    """Phones and log-probability (nats) of the unit sequences that a beam search holds at the end, best first.

    Example:
        >>> decode("cat", shipped())[0][0]
        ('K', 'AE', 'T')
    """
    memory = (1 << BITS * (grams.order - 1)) - 1
    histories, scores = np.zeros(1, dtype=np.int64), np.zeros(1)
    trails: list[tuple[int, ...]] = [()]
    for letter in word:
        units = np.array([u + 2 for u, one in enumerate(grams.letters) if one == letter], dtype=np.int64)
        if not len(units):
            return []
        spread = np.repeat(np.arange(len(histories)), len(units))
        nexts = np.tile(units, len(histories))
        reached = scores[spread] + grams.score(histories[spread], nexts)
        kept = np.argsort(-reached, kind="stable")[:beam]
        kept = kept[np.isfinite(reached[kept])]
        trails = [(*trails[spread[i]], int(nexts[i])) for i in kept]
        histories = ((histories[spread[kept]] << BITS) | nexts[kept]) & memory
        scores = reached[kept]
    scores = scores + grams.score(histories, np.full(len(histories), END, dtype=np.int64))
    return [
        (tuple(phone for unit in trail for phone in grams.phones[unit - 2]), float(score))
        for trail, score in zip(trails, scores, strict=True)
    ]


@cache
def shipped() -> Grams:
    """The model in this package; read once.

    Example:
        >>> shipped().order
        7
    """
    return unpack(importlib.resources.files("phonobench.pronounce").joinpath(FILE).read_bytes())


def pack(grams: Grams) -> bytes:
    """A model as compressed bytes: a trie, level by level, values rounded to `STEP`.

    Example:
        >>> unpack(pack(shipped())).letters == shipped().letters
        True
    """
    ids = {phone: i for i, phone in enumerate(PHONES, start=1)}
    made = np.array([[ids[p] for p in one] + [0] * (2 - len(one)) for one in grams.phones], dtype=np.uint8)
    arrays: dict[str, np.ndarray] = {"letters": np.frombuffer(grams.letters.encode(), dtype=np.uint8), "phones": made}
    for level, keys in enumerate(grams.keys):
        if level:
            parents, counts = np.unique(keys >> BITS, return_counts=True)
            children = np.zeros(len(grams.keys[level - 1]), dtype=np.uint16)
            children[np.searchsorted(grams.keys[level - 1], parents)] = counts
            arrays[f"children{level}"] = children
        unit = keys & ((1 << BITS) - 1)
        arrays[f"low{level}"], arrays[f"high{level}"] = (unit & 255).astype(np.uint8), (unit >> 8).astype(np.uint8)
        arrays[f"logp{level}"] = np.clip(np.rint(-grams.logp[level] / STEP), 0, 255).astype(np.uint8)
        arrays[f"backoff{level}"] = np.clip(np.rint(grams.backoff[level] / STEP), -128, 127).astype(np.int8)
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def unpack(content: bytes) -> Grams:
    """The model out of the bytes that `pack` made.

    Example:
        >>> unpack(pack(shipped())).order
        7
    """
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        levels = sum(name.startswith("low") for name in arrays.files)
        keys: list[np.ndarray] = []
        for level in range(levels):
            unit = arrays[f"low{level}"].astype(np.int64) | arrays[f"high{level}"].astype(np.int64) << 8
            parents = np.repeat(keys[-1], arrays[f"children{level}"]) if level else np.int64(0)
            keys.append((parents << BITS) | unit)
        letters = arrays["letters"].tobytes().decode()
        phones = tuple(tuple(PHONES[i - 1] for i in row if i) for row in arrays["phones"].tolist())
        logp = tuple(-STEP * arrays[f"logp{level}"].astype(np.float64) for level in range(levels))
        backoff = tuple(STEP * arrays[f"backoff{level}"].astype(np.float64) for level in range(levels))
    return Grams(letters, phones, tuple(keys), logp, backoff)


def _find(keys: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places of `wanted` in the ascending `keys`, and whether they are there."""
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return place, keys[place] == wanted
