"""A description as tables, for learners that see one row at a time: of each phone, of each word, of the sentence.

What stands around a phone or a word is put beside it. Past the ends of the utterance stands NaN. Trees of exported
scorers know columns by their place: whoever moves one raises `assessment.bundle.FORMAT`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from phonobench import phones
from phonobench.assessment.model.features import UTTERANCE_FEATURES, Description

NEIGHBOURED = (
    "judged", "odds", "best", "posterior", "deleted", "inserted_before", "frames", "gap_before", "loudness", "pitch",
)  # fmt: skip
"""What of a phone also stands beside its neighbours, and REACH, how far away."""
REACH = 2
WORD_NEIGHBOURED = ("judged", "odds", "best", "posterior")
"""Whose mean over a word also stands beside the words next to it."""
LOW = 0.1
"""Quantile that stands for the worst phones of a sentence."""


@dataclass(frozen=True, eq=False)
class Tables:
    """`phones` (N, P), `words` (W, Q), `sentence` (1, S), all float32."""

    phones: np.ndarray
    words: np.ndarray
    sentence: np.ndarray


def tabulate(description: Description, names: Sequence[str]) -> Tables:
    """The tables of a description of N phones by M models, whose rows hold `names` of each model."""
    rows, words = description.rows, description.words
    count = len(rows)
    by_model = rows.reshape(count, -1, len(names))
    first = np.flatnonzero(np.diff(words, prepend=-1))
    size = np.diff(np.append(first, count))[:, None]
    identity = np.eye(len(phones.PHONES), dtype=np.float32)[description.ids - 1]

    odds = _of(by_model, names, ["odds"])
    word_odds = np.hstack([np.add.reduceat(odds, first) / size, np.minimum.reduceat(odds, first)])
    near = _around(_of(by_model, names, NEIGHBOURED), REACH)
    of_phones = np.hstack([rows, identity, near, word_odds[words]])

    whole = by_model[0, :, [k for k, name in enumerate(names) if name in UTTERANCE_FEATURES]].reshape(1, -1)
    own = _of(by_model, names, [name for name in names if name not in UTTERANCE_FEATURES])
    means = np.add.reduceat(own, first) / size
    chosen = np.add.reduceat(_of(by_model, names, WORD_NEIGHBOURED), first) / size
    of_words = np.hstack([
        means, np.minimum.reduceat(own, first), np.repeat(whole, len(first), axis=0), _around(chosen, 1), size,
    ])  # fmt: skip

    told = _of(by_model, names, [n for n in names if n not in UTTERANCE_FEATURES and not n.startswith("rival_")])
    of_sentence = np.hstack([told.mean(0), told.std(0), np.quantile(told, LOW, axis=0), whole[0]])[None]
    return Tables(*(part.astype(np.float32) for part in (of_phones, of_words, of_sentence)))


def _of(by_model: np.ndarray, names: Sequence[str], wanted: Sequence[str]) -> np.ndarray:
    """The wanted columns of every model: (N, M * wanted)."""
    at = [names.index(name) for name in wanted if name in names]
    return by_model[:, :, at].reshape(len(by_model), -1)


def _around(rows: np.ndarray, reach: int) -> np.ndarray:
    """What stands in the rows up to `reach` before and after each: (N, 2 * reach * columns)."""
    padded = np.pad(rows, ((reach, reach), (0, 0)), constant_values=np.nan)
    return np.hstack([padded[shift : shift + len(rows)] for shift in range(2 * reach + 1) if shift != reach])
