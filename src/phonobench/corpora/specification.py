"""What a corpus is called and must contain: values, one a corpus, that the reader checks a copy against."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from phonobench.types import Utterance

MISPRONOUNCED = 0.5
"""A phone scored below this counts as mispronounced (SpeechOcean762's own definition)."""


@dataclass(frozen=True)
class Counts:
    """Sizes of a part of a corpus; `mispronounced` are the phones scored below 0.5."""

    utterances: int
    speakers: int
    words: int
    phones: int
    mispronounced: int


@dataclass(frozen=True)
class Expected:
    """The published sizes of a corpus; `train` counts the dev speakers too, as the corpus does."""

    train: Counts
    test: Counts


@dataclass(frozen=True)
class Specification:
    """A corpus as data.

    `expected=None`: its counts are not asserted. `root`: where it lies if it ships with the package. `urls`: its
    archive, the official address first, then mirrors. `home`: a page about it.
    """

    name: str
    title: str
    licence: str
    home: str
    expected: Expected | None
    synthetic: bool = False
    root: Path | None = None
    urls: tuple[str, ...] = ()


def count(utterances: list[Utterance] | tuple[Utterance, ...]) -> Counts:
    """Sizes of some utterances."""
    marks = [mark for u in utterances for mark in u.judgement.phone_accuracy]
    return Counts(
        utterances=len(utterances),
        speakers=len({u.speaker for u in utterances}),
        words=sum(len(u.prompt.words) for u in utterances),
        phones=len(marks),
        mispronounced=sum(mark < MISPRONOUNCED for mark in marks),
    )
