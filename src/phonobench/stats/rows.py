"""Rows: what was counted and measured, one row a unit (utterance, word or phone), and whose speech each row is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np


@dataclass(frozen=True, eq=False)
class Rows:
    """Columns of equal length U, the speaker of each row, and constants that hold for all rows (thresholds).

    `speaker` (U,) indexes `speakers`, which is sorted. A subset keeps all speakers, so that one matrix of draws
    serves every subset and every system.

    Example:
        >>> rows = Rows({"errors": np.array([1, 0, 2])}, np.array([0, 0, 1]), ("anna", "ben"))
        >>> len(rows), rows["errors"].tolist(), rows.speakers_present
        (3, [1, 0, 2], 2)
    """

    columns: Mapping[str, np.ndarray]
    speaker: np.ndarray
    speakers: tuple[str, ...]
    constants: Mapping[str, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.speaker)

    def __getitem__(self, column: str) -> np.ndarray:
        return self.columns[column]

    @property
    def speakers_present(self) -> int:
        """How many speakers have at least one row."""
        return len(np.unique(self.speaker))

    def keep(self, mask: np.ndarray) -> Rows:
        """The rows where `mask` (U,) is true; speakers and constants stay.

        Example:
            >>> rows = Rows({"errors": np.array([1, 0, 2])}, np.array([0, 0, 1]), ("anna", "ben"))
            >>> kept = rows.keep(rows["errors"] > 1)
            >>> kept["errors"].tolist(), kept.speakers, kept.speakers_present
            ([2], ('anna', 'ben'), 1)
        """
        return replace(self, columns={k: v[mask] for k, v in self.columns.items()}, speaker=self.speaker[mask])

    def with_constants(self, constants: Mapping[str, float]) -> Rows:
        """The same rows with `constants` added; a constant of the same name is replaced."""
        return replace(self, constants={**self.constants, **constants})


def gather(parts: Sequence[Mapping[str, np.ndarray]], speakers: Sequence[str]) -> Rows:
    """Joins the columns of many utterances.

    Args:
        parts: columns by name, of equal length within an utterance; all utterances have the same names.
        speakers: who spoke each utterance.

    Raises:
        ValueError: when the columns differ in name or length, or when there is no utterance.

    Example:
        >>> rows = gather([{"errors": np.array([1, 0])}, {"errors": np.array([2])}], ["ben", "anna"])
        >>> rows["errors"].tolist(), rows.speakers, rows.speaker.tolist()
        ([1, 0, 2], ('anna', 'ben'), [1, 1, 0])
    """
    if not parts:
        raise ValueError("no utterances to gather")
    names = list(parts[0])
    order = tuple(sorted(set(speakers)))
    index = {speaker: i for i, speaker in enumerate(order)}
    sizes = []
    for part in parts:
        lengths = {len(column) for column in part.values()}
        if list(part) != names or len(lengths) != 1:
            raise ValueError(f"columns {list(part)} with lengths {sorted(lengths)} do not fit columns {names}")
        sizes.append(lengths.pop())
    speaker = np.repeat([index[s] for s in speakers], sizes).astype(np.int32)
    return Rows({name: np.concatenate([part[name] for part in parts]) for name in names}, speaker, order)
