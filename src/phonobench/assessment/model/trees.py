"""Boosted regression trees as arrays: the library that fits them is not needed to evaluate them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from phonobench import store
from phonobench.assessment.model.calibration import logistic
from phonobench.assessment.model.output import ModelOutput
from phonobench.assessment.model.tables import Tables
from phonobench.assessment.types import SENTENCE_SCORES, WORD_SCORES
from phonobench.compiled import compiled
from phonobench.types import PhonobenchError

TABLES = {
    "phone": "phones",
    "error": "phones",
    **{f"word.{name}": "words" for name in WORD_SCORES},
    **{f"sentence.{name}": "sentence" for name in SENTENCE_SCORES},
}
"""By score the table whose rows it is predicted from."""


@dataclass(frozen=True, eq=False)
class Trees:
    """The sum of `start` (1,) and of one leaf of every tree.

    `roots` (T,) are indices among the M nodes, whose arrays are: `column` of the table and `threshold`, up to which a
    row goes `left` (the index of a node, -1 at a leaf), else `right`; `absent_left`, whether a row without a value
    (NaN) goes left; `value` of a leaf.
    """

    start: np.ndarray
    roots: np.ndarray
    column: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    absent_left: np.ndarray
    value: np.ndarray

    def fault(self) -> str:
        """What makes these arrays no trees, "" if nothing does: then no walk leaves them or goes on for ever."""
        nodes = (self.column, self.threshold, self.left, self.right, self.absent_left, self.value)
        whole = (self.roots, self.column, self.left, self.right)
        if any(part.ndim != 1 or len(part) != len(self.left) for part in nodes) or self.start.shape != (1,):
            return "are not of one length"
        if any(part.dtype.kind != "i" for part in whole) or self.absent_left.dtype != bool or self.roots.ndim != 1:
            return "have indices that are no integers"
        if any(part.dtype.kind != "f" or not np.isfinite(part).all() for part in (self.start, self.value)):
            return "have values that are no finite numbers"
        if self.threshold.dtype.kind != "f" or np.isnan(self.threshold).any():
            return "have thresholds that are no numbers"
        place, inner = np.arange(len(self.left)), self.left >= 0
        below = (self.left[inner], self.right[inner])
        if any((child <= place[inner]).any() or (child >= len(place)).any() for child in below):
            return "have branches that do not lead downwards"
        if not ((self.roots >= 0) & (self.roots < len(place))).all() or (self.column < 0).any():
            return "have roots or columns outside"
        return ""

    def predict(self, table: np.ndarray) -> np.ndarray:
        """The sum for each row of the table (N, columns): (N,) float64.

        Example:
            One tree: 1 up to 0.5, above it and without a value 2.

            >>> nodes = {"column": [0, 0, 0], "left": [1, -1, -1], "right": [2, -1, -1], "value": [0.0, 1.0, 2.0]}
            >>> arrays = {name: np.array(values) for name, values in nodes.items()}
            >>> limits = {"threshold": np.full(3, 0.5), "absent_left": np.array([False] * 3)}
            >>> tree = Trees(start=np.array([10.0]), roots=np.array([0]), **arrays, **limits)
            >>> tree.predict(np.array([[0.2], [0.5], [0.6], [np.nan]])).tolist()
            [11.0, 11.0, 12.0, 12.0]
        """
        if self.column.max(initial=0) >= table.shape[1]:
            raise PhonobenchError(f"trees read column {self.column.max()} of a table that has {table.shape[1]}")
        nodes = (self.column, self.threshold, self.left, self.right, self.absent_left, self.value)
        sums: np.ndarray = _sums(np.ascontiguousarray(table, np.float32), self.start[0], self.roots, *nodes)
        return sums


@dataclass(frozen=True, eq=False)
class Forest:
    """Trees by score, for every one of `TABLES`; those of `error` give its log-odds."""

    trees: Mapping[str, Trees]

    def predict(self, tables: Tables) -> ModelOutput:
        """The trees' output for one utterance."""
        predicted = {name: self.trees[name].predict(getattr(tables, table)) for name, table in TABLES.items()}
        word = np.stack([predicted[f"word.{name}"] for name in WORD_SCORES], axis=1)
        sentence = np.concatenate([predicted[f"sentence.{name}"] for name in SENTENCE_SCORES])
        return predicted["phone"], logistic(predicted["error"]), word, sentence

    def write(self, path: Path) -> None:
        """Keeps all trees in one file."""
        arrays = {
            f"{name} {part.name}": getattr(trees, part.name)
            for name, trees in self.trees.items()
            for part in fields(Trees)
        }
        store.write_arrays(path, arrays, {})

    @classmethod
    def read(cls, path: Path) -> Forest:
        """The inverse of `write`.

        Raises:
            PhonobenchError: where the file is absent or damaged.
        """
        arrays, _ = store.read_arrays(path)
        wanted = {f"{name} {part.name}" for name in TABLES for part in fields(Trees)}
        if set(arrays) != wanted:
            odd = sorted(set(arrays) ^ wanted)[0]
            raise PhonobenchError(f"{path}: {odd!r} is missing or does not belong to trees: export the run again")
        trees = {name: Trees(*(arrays[f"{name} {part.name}"] for part in fields(Trees))) for name in TABLES}
        for name, one in trees.items():
            if fault := one.fault():
                raise PhonobenchError(f"{path}: the trees of {name} {fault}: export the run again")
        return cls(trees)


@compiled
def _sums(
    table: np.ndarray,
    start: float,
    roots: np.ndarray,
    column: np.ndarray,
    threshold: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
    absent_left: np.ndarray,
    value: np.ndarray,
) -> np.ndarray:
    total = np.full(len(table), start)
    for row in range(len(table)):
        for root in roots:
            node = root
            while left[node] >= 0:
                cell = table[row, column[node]]
                goes_left = absent_left[node] if np.isnan(cell) else cell <= threshold[node]
                node = left[node] if goes_left else right[node]
            total[row] += value[node]
    return total
