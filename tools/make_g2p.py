"""Fits the letter-to-phone model to CMUdict as it ships, measures it on held-out words, writes pronounce/g2p.npz.

    python tools/make_g2p.py            # measure only
    python tools/make_g2p.py --write    # then fit to all words and write

Letters and phones are aligned by expectation maximisation (a letter makes 0 to 2 phones), the units' n-grams are
counted, smoothed by interpolated modified Kneser-Ney, and pruned by what leaving one out would cost. Words are held
out at random, one in twenty: inflected forms of some are still in training, as a user's unknown words are too.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numba import njit

from phonobench.edits import align
from phonobench.phones import PHONES, encode
from phonobench.pronounce import g2p, lexicon
from phonobench.pronounce.g2p import BITS, END, LETTERS, START

ORDER = 7
PRUNE = 1.0
"""Nats of training likelihood that an n-gram must be worth to stay."""
RARE = 5
"""Units seen less often are left out, with their words: loan words, initials, slips of the dictionary."""
SAMPLE = 2000
"""Held-out words that are decoded."""

CHUNKS = 1 + 39 + 39 * 39
MASK = (1 << BITS) - 1
Entry = tuple[str, tuple[int, ...]]


def entries() -> list[Entry]:
    """Words of letters and apostrophes, and the phone ids of each variant."""
    known = {word: variants for word, variants in lexicon.entries().items() if set(word) <= set(LETTERS)}
    return [(word, encode(variant)) for word, variants in known.items() for variant in variants]


def held_out(word: str) -> bool:
    """One word in twenty."""
    return zlib.crc32(word.encode()) % 20 == 0


@njit
def chunk(said: np.ndarray, end: int, size: int) -> int:
    """Number of the chunk of the `size` phones before `end`."""
    if size == 0:
        return 0
    if size == 1:
        return said[end - 1]
    return 39 * said[end - 2] + said[end - 1]


@njit
def forward(word: np.ndarray, said: np.ndarray, logp: np.ndarray, best: bool) -> np.ndarray:
    """Log-probability of all alignments (or of the best) of the first i letters and j phones."""
    table = np.full((len(word) + 1, len(said) + 1), -np.inf)
    table[0, 0] = 0.0
    for i in range(1, len(word) + 1):
        for j in range(len(said) + 1):
            for size in range(min(2, j) + 1):
                step = table[i - 1, j - size] + logp[word[i - 1], chunk(said, j, size)]
                table[i, j] = max(table[i, j], step) if best else np.logaddexp(table[i, j], step)
    return table


@njit
def collect(word: np.ndarray, said: np.ndarray, logp: np.ndarray, counts: np.ndarray) -> None:
    """Adds the expected use of every unit in one entry to `counts`."""
    ahead = forward(word, said, logp, False)
    total = ahead[-1, -1]
    if total == -np.inf:
        return
    behind = np.full_like(ahead, -np.inf)
    behind[-1, -1] = 0.0
    for i in range(len(word), 0, -1):
        for j in range(len(said) + 1):
            for size in range(min(2, j) + 1):
                unit = chunk(said, j, size)
                rest = logp[word[i - 1], unit] + behind[i, j]
                behind[i - 1, j - size] = np.logaddexp(behind[i - 1, j - size], rest)
                counts[word[i - 1], unit] += np.exp(ahead[i - 1, j - size] + rest - total)


@njit
def trace(word: np.ndarray, said: np.ndarray, logp: np.ndarray) -> np.ndarray:
    """Chunk of every letter on the best alignment; empty where there is none."""
    table = forward(word, said, logp, True)
    chunks = np.zeros(len(word) if table[-1, -1] > -np.inf else 0, dtype=np.int64)
    j = len(said)
    for i in range(len(chunks), 0, -1):
        for size in range(min(2, j) + 1):
            unit = chunk(said, j, size)
            if table[i - 1, j - size] + logp[word[i - 1], unit] == table[i, j]:
                chunks[i - 1] = unit
                j -= size
                break
    return chunks


def aligned(known: Sequence[Entry], rounds: int = 5) -> list[tuple[str, np.ndarray]]:
    """Each word with the chunk of every letter; entries that cannot be aligned are dropped."""
    pairs = [(np.array([LETTERS.index(c) for c in word]), np.array(said)) for word, said in known]
    logp = np.zeros((len(LETTERS), CHUNKS))
    logp[:, 0], logp[:, 40:] = -2.0, -4.0
    for _ in range(rounds):
        counts = np.full(logp.shape, 1e-6)
        for word, said in pairs:
            collect(word, said, logp, counts)
        logp = np.log(counts / counts.sum(axis=1, keepdims=True))
    found = [(entry[0], trace(word, said, logp)) for entry, (word, said) in zip(known, pairs, strict=True)]
    return [(word, chunks) for word, chunks in found if len(chunks)]


@dataclass(frozen=True)
class Units:
    """Letter and chunk of each unit (id less 2)."""

    letters: np.ndarray
    chunks: np.ndarray

    @property
    def phones(self) -> tuple[tuple[str, ...], ...]:
        """Phones of each unit."""
        made = []
        for one in self.chunks.tolist():
            first, second = divmod(one - 1, 39) if one else (0, 0)
            made.append(() if not one else (PHONES[second],) if not first else (PHONES[first - 1], PHONES[second]))
        return tuple(made)


def units_of(words: Sequence[tuple[str, np.ndarray]]) -> tuple[Units, list[np.ndarray]]:
    """The units that are not rare, and the unit ids of every word that has no rare one."""
    coded = [np.array([LETTERS.index(c) for c in word]) * CHUNKS + chunks for word, chunks in words]
    kinds, counts = np.unique(np.concatenate(coded), return_counts=True)
    kinds = kinds[counts >= RARE]
    if len(kinds) + 2 > MASK:
        raise SystemExit(f"{len(kinds)} units do not fit into {BITS} bits")
    frequent = [one for one in coded if np.isin(one, kinds).all()]
    return Units(kinds // CHUNKS, kinds % CHUNKS), [np.searchsorted(kinds, one) + 2 for one in frequent]


def count(sequences: Sequence[np.ndarray], order: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Packed n-grams and their Kneser-Ney counts, for each length from 1 to `order`: how often they were seen, or
    for shorter ones that do not begin the word after how many different units."""
    text = np.concatenate([np.concatenate([np.full(order - 1, START), one, [END]]) for one in sequences])
    packed = np.zeros(len(text) - order + 1, dtype=np.int64)
    for place in range(order):
        packed = (packed << BITS) | text[place : place + len(packed)]
    packed = packed[text[order - 1 :] != START]  # windows that end in the padding of the next word
    levels = [np.unique(packed, return_counts=True)]
    for length in range(order - 1, 0, -1):
        low = (1 << BITS * length) - 1
        kinds, continued = np.unique(levels[0][0] & low, return_counts=True)
        raw_kinds, raw = np.unique(packed & low, return_counts=True)
        begins = (raw_kinds >> BITS * (length - 1)) == START if length > 1 else np.zeros(len(kinds), dtype=bool)
        assert (kinds == raw_kinds).all()
        levels.insert(0, (kinds, np.where(begins, raw, continued)))
    return levels


def smooth(levels: Sequence[tuple[np.ndarray, np.ndarray]], units: int) -> list[np.ndarray]:
    """Interpolated modified Kneser-Ney: log P(last unit | the others) of every n-gram (Chen and Goodman 1998)."""
    lower_keys, lower = np.zeros(0, dtype=np.int64), np.zeros(0)
    found = []
    for length, (keys, counts) in enumerate(levels, start=1):
        n = [max(1, int((counts == c).sum())) for c in (1, 2, 3, 4)]
        y = n[0] / (n[0] + 2 * n[1])
        discount = np.array([0, 1 - 2 * y * n[1] / n[0], 2 - 3 * y * n[2] / n[1], 3 - 4 * y * n[3] / n[2]])
        off = np.clip(discount, 0.05, None)[np.minimum(counts, 3)]
        _, group = np.unique(keys >> BITS, return_inverse=True)
        total = np.bincount(group, counts)[group]
        spare = (np.bincount(group, off) / np.bincount(group, counts))[group]
        if length == 1:
            below = np.full(len(keys), 1 / units)
        else:
            below = lower[np.searchsorted(lower_keys, keys & ((1 << BITS * (length - 1)) - 1))]
        lower_keys, lower = keys, np.maximum(counts - off, 0) / total + spare * below
        found.append(np.log(lower))
    return found


def prune(levels: Sequence[tuple[np.ndarray, np.ndarray]], logps: Sequence[np.ndarray], worth: float) -> list:
    """Whether each n-gram stays: it is worth enough, or begins one that stays."""
    kept: list[np.ndarray] = [np.ones(len(levels[0][0]), dtype=bool)]
    for length in range(2, len(levels) + 1):
        keys, counts = levels[length - 1]
        below = logps[length - 2][np.searchsorted(levels[length - 2][0], keys & ((1 << BITS * (length - 1)) - 1))]
        kept.append(counts * np.abs(logps[length - 1] - below) >= worth)
    for length in range(len(levels), 1, -1):
        begun = np.unique(levels[length - 1][0][kept[length - 1]] >> BITS)
        known = np.isin(levels[length - 2][0], begun)
        kept[length - 2] |= known
    return kept


def fit(known: Sequence[Entry], order: int = ORDER, worth: float = PRUNE) -> g2p.Grams:
    """The model of some entries."""
    units, sequences = units_of(aligned(known))
    levels = count(sequences, order)
    logps = smooth(levels, len(units.letters) + 1)
    kept = prune(levels, logps, worth)
    letters = "".join(LETTERS[i] for i in units.letters)
    # the padding is a history although it is never predicted: it needs its back-off weight, level by level
    keys, logp = [], []
    for length, ((all_keys, _), all_logp, stays) in enumerate(zip(levels, logps, kept, strict=True), start=1):
        here, value = all_keys[stays], all_logp[stays]
        if length < order:
            here, value = np.concatenate([[START], here]), np.concatenate([[-STEPS_OF_NEVER], value])
            here, first = np.unique(here, return_index=True)
            value = value[first]
        keys.append(here)
        logp.append(value)
    grams = g2p.Grams(letters, units.phones, tuple(keys), tuple(logp), tuple(np.zeros(len(k)) for k in keys))
    return _with_backoff(grams)


STEPS_OF_NEVER = 255 * g2p.STEP


def _with_backoff(grams: g2p.Grams) -> g2p.Grams:
    """Weights by which each history passes on the probability that its own n-grams leave over."""
    backoff = [np.zeros(len(keys)) for keys in grams.keys]
    for length in range(1, grams.order):
        longer = grams.keys[length]
        histories, units = longer >> BITS, longer & MASK
        lower = g2p.Grams(
            grams.letters, grams.phones, grams.keys[:length], grams.logp[:length], tuple(backoff[:length])
        )
        below = np.exp(lower.score(histories & ((1 << BITS * (length - 1)) - 1), units))
        place = np.searchsorted(grams.keys[length - 1], histories)
        size = len(grams.keys[length - 1])
        left = np.clip(1 - np.bincount(place, np.exp(grams.logp[length]), size), 1e-4, 1)
        rest = np.clip(1 - np.bincount(place, below, size), 1e-4, 1)
        backoff[length - 1] = np.log(left / rest)
    return g2p.Grams(grams.letters, grams.phones, grams.keys, grams.logp, tuple(backoff))


def measure(grams: g2p.Grams, known: Sequence[Entry]) -> str:
    """Phone and word error rates of the first guess against the nearest variant."""
    variants: dict[str, list[tuple[int, ...]]] = {}
    for word, said in known:
        variants.setdefault(word, []).append(said)
    errors = phones = wrong = 0
    chosen = list(variants)[:: max(1, len(variants) // SAMPLE)]
    for word in chosen:
        guesses = g2p.guess(word, grams)
        first = encode(guesses[0].phones) if guesses else ()
        near = min((align(said, first) for said in variants[word]), key=lambda found: found.errors)
        errors, phones, wrong = errors + near.errors, phones + near.length, wrong + (near.errors > 0)
    return f"{len(chosen)} words: PER {100 * errors / phones:.2f} %, WER {100 * wrong / len(chosen):.2f} %"


def main() -> None:
    """Measures, and writes the model of all words if told so."""
    known = entries()
    grams = g2p.unpack(g2p.pack(fit([one for one in known if not held_out(one[0])])))
    print("held out,", measure(grams, [one for one in known if held_out(one[0])]))
    if "--write" in sys.argv:
        content = g2p.pack(fit(known))
        (Path(g2p.__file__).parent / g2p.FILE).write_bytes(content)
        print(len(content), "bytes")


if __name__ == "__main__":
    main()
