"""The pronunciation lexicon of a corpus: `resource/lexicon.txt`, lines of a word and its phones, variants repeated."""

from __future__ import annotations

import os
from pathlib import Path

from phonobench.corpora.layout import read_lines
from phonobench.phones import encode, strip_stress
from phonobench.types import PhonobenchError

LEXICON = "resource/lexicon.txt"


def read(root: str | os.PathLike[str]) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Pronunciations of each word, in the order of the file: {word: variants of phones without stress}.

    Variants that differ in stress only are one. Raises PhonobenchError for a missing file, a word without phones
    and an unknown phone.
    """
    path = Path(root) / LEXICON
    variants: dict[str, dict[tuple[str, ...], None]] = {}
    for number, line in read_lines(path):
        word, *symbols = line.split()
        phones = tuple(strip_stress(symbol) for symbol in symbols)
        if not phones:
            raise PhonobenchError(f"{path}, line {number}: {word!r} has no phones; copy the corpus again")
        try:
            encode(phones)
        except PhonobenchError as error:
            raise PhonobenchError(f"{path}, line {number}, {word!r}: {error}") from error
        variants.setdefault(word, {})[phones] = None
    return {word: tuple(known) for word, known in variants.items()}
