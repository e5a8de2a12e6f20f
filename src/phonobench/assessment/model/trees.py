"""Boosted regression trees as arrays: what fits them is not needed to ask them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from phonobench import store
from phonobench.assessment.model.answer import ModelOutput
from phonobench.assessment.model.calibration import logistic
from phonobench.assessment.model.tables import Tables
from phonobench.assessment.types import SENTENCE_SCORES, WORD_SCORES
from phonobench.compiled import compiled

TABLES = {
    "phone": "phones", "error": "phones",
    **{f"word.{name}": "words" for name in WORD_SCORES},
    **{f"sentence.{name}": "sentence" for name in SENTENCE_SCORES},
}  # fmt: skip
"""By score the table whose rows it is read from."""


@dataclass(frozen=True, eq=False)
class Trees:
    """The sum of `start` (1,) and of one leaf of every tree. `roots` (T,) are places among the M nodes, whose arrays
    are: `column` of the table and `threshold`, up to which a row goes `left` (the place of a node, -1 at a leaf), else
    `right`; `absent_left`, whether a row without a value (NaN) does; `value` of a leaf."""

    start: np.ndarray
    roots: np.ndarray
    column: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    absent_left: np.ndarray
    value: np.ndarray

    def of(self, table: np.ndarray) -> np.ndarray:
        """The sum for each row of the table (N, columns): (N,) float64."""
        nodes = (self.column, self.threshold, self.left, self.right, self.absent_left, self.value)
        return _sums(np.ascontiguousarray(table, np.float32), self.start[0], self.roots, *nodes)


@dataclass(frozen=True, eq=False)
class Forest:
    """Trees by score, for every one of `TABLES`; those of `error` give its log-odds."""

    trees: Mapping[str, Trees]

    def answer(self, tables: Tables) -> ModelOutput:
        """What the trees say of an utterance."""
        told = {name: self.trees[name].of(getattr(tables, table)) for name, table in TABLES.items()}
        word = np.stack([told[f"word.{name}"] for name in WORD_SCORES], axis=1)
        sentence = np.concatenate([told[f"sentence.{name}"] for name in SENTENCE_SCORES])
        return told["phone"], logistic(told["error"]), word, sentence

    def write(self, path: Path) -> None:
        """Keep it in one file."""
        arrays = {
            f"{name} {part.name}": getattr(trees, part.name)
            for name, trees in self.trees.items()
            for part in fields(Trees)
        }
        store.write_arrays(path, arrays, {})

    @classmethod
    def read(cls, path: Path) -> Forest:
        """The inverse of `write`. Raises PhonobenchError where the file is absent or damaged."""
        arrays, _ = store.read_arrays(path)
        return cls({name: Trees(*(arrays[f"{name} {part.name}"] for part in fields(Trees))) for name in TABLES})


@compiled
def _sums(table, start, roots, column, threshold, left, right, absent_left, value):
    total = np.full(len(table), start)
    for row in range(len(table)):
        for node in roots:
            while left[node] >= 0:
                told = table[row, column[node]]
                goes_left = absent_left[node] if np.isnan(told) else told <= threshold[node]
                node = left[node] if goes_left else right[node]
            total[row] += value[node]
    return total
