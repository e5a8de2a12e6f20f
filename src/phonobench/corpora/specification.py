"""A corpus as a value: what it is called, how its folder is recognised and read, and what it must contain."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from phonobench.corpora import assembly
from phonobench.types import Corpus, PhonobenchError, Utterance

MISPRONOUNCED = 0.5
"""A phone scored below this counts as mispronounced (SpeechOcean762's own definition)."""


@dataclass(frozen=True)
class Counts:
    """Sizes of a part of a corpus; `mispronounced` are the phones scored below `MISPRONOUNCED`."""

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
    """A corpus as data; one row of `corpora.CORPORA`.

    Attributes:
        name: what results, runs and the command line call it.
        title: one line about it.
        licence: of the recordings and labels.
        home: a page about it.
        holds: what a folder must hold to be recognised, in words: errors list it.
        recognises: whether a folder (or file) holds this corpus. It looks at names and a few lines, not at all of
            it, and raises nothing. A damaged copy is recognised too: what is wrong with it is for the reader to say.
        utterances: reads every utterance with its split. Raises PhonobenchError for what is wrong with the files.
            What must hold of any corpus is checked later (`assembly.check`).
        expected: the published counts, which every copy must have; None where there are none.
        general: a layout that anyone's data may have. It is taken where no other corpus recognises the folder, and
            what is read is called after the folder.
        synthetic: whether its speech or its scores are made by a program.
        root: where it lies if it ships with the package.
        urls: addresses of its archive (.tar.gz), the official one first, then mirrors.
    """

    name: str
    title: str
    licence: str
    home: str
    holds: str
    recognises: Callable[[Path], bool]
    utterances: Callable[[Path], Iterable[Utterance]]
    expected: Expected | None = None
    general: bool = False
    synthetic: bool = False
    root: Path | None = None
    urls: tuple[str, ...] = ()

    def read(self, path: str | os.PathLike[str], *, counted: bool = True, limit: int | None = None) -> Corpus:
        """Read and check a copy. No audio is decoded, but each recording must exist and not be empty.

        Args:
            path: the folder (or file) of the copy.
            counted: whether it must have the published counts; False for a part of a corpus.
            limit: keeps, after all checks, only the first so many utterances by id of each of train, dev and test.

        Raises:
            PhonobenchError: for whatever is wrong with the copy.
        """
        path = Path(path)
        root = path.parent if path.is_file() else path
        found = sorted(self.utterances(path), key=lambda u: u.id)
        assembly.check(root, found)
        if counted and self.expected is not None:
            _check_counts(root / "train", count([u for u in found if u.split != "test"]), self.expected.train)
            _check_counts(root / "test", count([u for u in found if u.split == "test"]), self.expected.test)
        if limit is not None:
            found = assembly.first_of_each_split(found, limit)
        name = path.resolve().stem if self.general else self.name
        return Corpus(name, root, tuple(found), assembly.fingerprint(root, found), self.synthetic)


def count(utterances: Sequence[Utterance]) -> Counts:
    """Sizes of some utterances; phones without a score are not among the mispronounced."""
    marks = [mark for u in utterances for mark in u.judgement.phone_accuracy]
    return Counts(
        utterances=len(utterances),
        speakers=len({u.speaker for u in utterances}),
        words=sum(len(u.prompt.words) for u in utterances),
        phones=len(marks),
        mispronounced=sum(mark < MISPRONOUNCED for mark in marks),
    )


def _check_counts(folder: Path, found: Counts, expected: Counts) -> None:
    for field in fields(Counts):
        here, published = getattr(found, field.name), getattr(expected, field.name)
        if here != published:
            raise PhonobenchError(
                f"{folder}: {here:,} {field.name}, published are {published:,}; the copy is incomplete or another "
                "release, copy or download it again"
            )
