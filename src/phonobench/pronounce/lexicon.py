"""Pronunciations of words: CMUdict as it ships in this package, and lexicons of the user's own.

The shipped file holds one line a word, ascending: the spelling, then every variant with one character a phone
(`CODES`); of stress only what `UNSTRESSED` tells is kept. It is
searched as bytes and never turned into objects, so that a cold start stays quick.
"""

from __future__ import annotations

import bisect
import importlib.resources
import os
import re
import unicodedata
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np

from phonobench.phones import PHONES, encode, strip_stress
from phonobench.pronounce import accents
from phonobench.pronounce.accents import Sound
from phonobench.store import door
from phonobench.types import PhonobenchError

Phones = tuple[str, ...]
Source = Literal["lexicon", "weak form", "regional", "reduced", "derived", "own", "guessed", "given"]
"""Where a pronunciation comes from: CMUdict, the table of weak forms, a form of `accents`, a lexicon word
and an ending, the user's lexicon, the letter-to-phone model, or the caller's own phones."""

FILE = "cmudict.txt.zlib"
CODES = "".join(chr(ord("A") + i) if i < 26 else chr(ord("a") + i - 26) for i in range(len(PHONES)))
"""One character a phone, in the order of `PHONES`."""
UNSTRESSED = {"AH": "0", "IY": "1", "ER": "2"}
"""Characters of the vowels whose reduced forms sound different, where they bear no stress."""
_SOUND: dict[str, Sound] = {
    **{code: (phone, False) for code, phone in zip(CODES, PHONES, strict=True)},
    **{code: (phone, True) for phone, code in UNSTRESSED.items()},
}

WEAK: dict[str, str] = {
    "a": "AH", "am": "AH M", "an": "AH N", "and": "AH N D|AH N", "are": "ER", "as": "AH Z", "at": "AH T",
    "be": "B IY|B IH", "been": "B IH N|B IY N", "but": "B AH T", "can": "K AH N", "could": "K AH D", "do": "D UW|D AH",
    "does": "D AH Z", "for": "F ER", "from": "F R AH M", "had": "HH AH D", "has": "HH AH Z",
    "have": "HH AH V", "her": "HH ER", "just": "JH AH S T",
    "me": "M IY|M IH", "must": "M AH S T|M AH S", "my": "M AY|M IH", "of": "AH V", "or": "ER", "our": "AA R|AW ER",
    "shall": "SH AH L", "she": "SH IY|SH IH", "should": "SH AH D", "so": "S OW|S AH", "some": "S AH M",
    "than": "DH AH N", "that": "DH AH T", "the": "DH AH|DH IY", "their": "DH ER", "them": "DH AH M", "there": "DH ER",
    "to": "T AH|T UW|T IH", "us": "AH S", "was": "W AH Z", "we": "W IY|W IH", "were": "W ER", "will": "W AH L",
    "would": "W AH D|AH D", "you": "Y UW|Y AH", "your": "Y ER|Y AO R",
}  # fmt: skip
"""Unstressed forms of function words, tried besides those of the lexicon; `|` between forms."""

NEVER_AROUND = '"“”„«»()[]{}<>,;:!?¡¿|'
"""Punctuation that is taken from both ends of a piece of text before it is looked up."""
_SAME = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "‐": "-", "‑": "-"})
_CONTRACTED = {"'ll": "AH L", "'ve": "AH V", "'re": "ER", "'d": "D"}
"""Endings of contractions that the dictionary lacks (`that'd`)."""
_VOICELESS = frozenset({"P", "T", "K", "F", "TH"})
_HISSING = frozenset({"S", "Z", "SH", "ZH", "CH", "JH"})


class Lexicon(dict[str, tuple[Phones, ...]]):
    """A user's lexicon whose entries were checked: by `read` or `of_mapping`."""


@dataclass(frozen=True)
class Pronunciation:
    """One way to say a word, and where it is from."""

    phones: Phones
    source: Source


def look_up(word: str) -> tuple[Phones, ...]:
    """Pronunciations of a word (lower case) in CMUdict, in its order; () for one that it does not hold.

    Example:
        >>> look_up("read")
        (('R', 'EH', 'D'), ('R', 'IY', 'D'))
        >>> look_up("blorf")
        ()
    """
    return tuple(tuple(phone for phone, _ in sounds) for sounds in _look_up(word))


def entries() -> dict[str, tuple[Phones, ...]]:
    """All of CMUdict: the pronunciations of every word, words in ascending order.

    Example:
        >>> entries()["bear"]
        (('B', 'EH', 'R'),)
    """
    words = [line.split(" ")[0] for line in _shipped().decode("ascii").split("\n")]
    return {word: look_up(word) for word in words if word}


def _look_up(word: str) -> tuple[tuple[Sound, ...], ...]:
    data, breaks = _shipped(), _breaks()

    def spelling(line: int) -> bytes:
        return data[breaks[line] + 1 : data.index(b" ", breaks[line])]

    lines = range(len(breaks) - 1)
    line = bisect.bisect_left(lines, word.encode(), key=spelling)
    if line == len(lines) or spelling(line) != word.encode():
        return ()
    codes = data[breaks[line] + 1 : breaks[line + 1]].decode("ascii").split(" ")[1:]
    return tuple(tuple(_SOUND[code] for code in variant) for variant in codes)


def pronunciations(word: str, own: Mapping[str, tuple[Phones, ...]] | None = None) -> tuple[Pronunciation, ...]:
    """Every way to say a word, without guessing; () where none is known.

    The user's own entries stand in place of all others. Else CMUdict's variants in its order, then weak forms and
    those of `accents` that are not among them. An unknown possessive is its stem and the ending that
    the rules of English give.

    Args:
        word: in any case.
        own: the user's lexicon, as `read` returns it.

    Example:
        >>> [(" ".join(one.phones), one.source) for one in pronunciations("seven")][:2]
        [('S EH V AH N', 'lexicon'), ('S EH V N', 'reduced')]
        >>> pronunciations("bear", {"bear": (("B", "IY", "R"),)})[0].source
        'own'
    """
    word = word.lower()
    if own and word in own:
        return tuple(Pronunciation(phones, "own") for phones in own[word])
    known = look_up(word)
    if known:
        found = {phones: Pronunciation(phones, "lexicon") for phones in known}
        for form in WEAK[word].split("|") if word in WEAK else ():
            found.setdefault(tuple(form.split()), Pronunciation(tuple(form.split()), "weak form"))
        for sounds in _look_up(word):
            for phones, kind in accents.forms(word, sounds).items():
                found.setdefault(phones, Pronunciation(phones, kind))
        return tuple(found.values())
    letter = re.fullmatch(r"([a-z]\.)'?s", word)  # the plural of a letter's name: NGOs
    if letter:
        return tuple(Pronunciation(_possessive(stem.phones), "derived") for stem in pronunciations(letter[1], own))
    if word.endswith("in'"):  # runnin'
        stems = pronunciations(word[:-1] + "g", own)
        return tuple(Pronunciation((*one.phones[:-1], "N"), "derived") for one in stems if one.phones[-1] == "NG")
    for ending, added in _CONTRACTED.items():
        if word.endswith(ending):
            stems = pronunciations(word[: -len(ending)], own)
            return tuple(Pronunciation((*one.phones, *added.split()), "derived") for one in stems)
    if word.endswith("'s"):
        return tuple(Pronunciation(_possessive(stem.phones), "derived") for stem in pronunciations(word[:-2], own))
    if word.endswith("s'"):
        return tuple(Pronunciation(stem.phones, "derived") for stem in pronunciations(word[:-1], own))
    return ()


def read(path: str | os.PathLike[str]) -> Lexicon:
    """A user's lexicon: lines of a word and its ARPAbet phones (stress digits are dropped), variants repeated.

    `#` begins a comment.

    Raises:
        PhonobenchError: naming file, line and fault.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "own.txt"
        ...     _ = path.write_text("Blorf B L AO1 R F", encoding="utf-8")
        ...     read(path)
        {'blorf': (('B', 'L', 'AO', 'R', 'F'),)}
    """
    path = Path(path)
    try:
        lines = door.read_bytes(path).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise PhonobenchError(f"lexicon {path} cannot be read ({error}); give a UTF-8 text file") from error
    except PhonobenchError as error:
        raise PhonobenchError(f"lexicon {error}") from error
    found: dict[str, dict[Phones, None]] = {}
    for number, line in enumerate(lines, start=1):
        word, *symbols = line.partition("#")[0].split() or [""]
        if not word:
            continue
        if not symbols:
            raise PhonobenchError(
                f"lexicon {path}, line {number}: {door.shown(word)} has no phones; write `WORD P HH OW N Z`"
            )
        try:
            _add(found, word, symbols)
        except PhonobenchError as error:
            raise PhonobenchError(f"lexicon {path}, line {number}, {door.shown(word)}: {str(error)[:300]}") from error
    return Lexicon({word: tuple(variants) for word, variants in found.items()})


def of_mapping(given: Mapping[str, object]) -> Lexicon:
    """A user's lexicon from words and their variants: each a text of phones, or a sequence of them.

    Raises:
        PhonobenchError: naming the entry and its fault.

    Example:
        >>> of_mapping({"Blorf": ["B L AO1 R F", ("B", "L", "AA", "R", "F")]})
        {'blorf': (('B', 'L', 'AO', 'R', 'F'), ('B', 'L', 'AA', 'R', 'F'))}
    """
    if isinstance(given, Lexicon):
        return given
    found: dict[str, dict[Phones, None]] = {}
    for word, value in given.items():
        try:
            if not isinstance(word, str) or not word.strip():
                raise PhonobenchError("a word is a string")
            for symbols in _variants(value):
                _add(found, word, symbols)
        except PhonobenchError as error:
            raise PhonobenchError(f"lexicon, {word!r}: {error}") from error
    return Lexicon({word: tuple(variants) for word, variants in found.items()})


def key(written: str) -> str:
    """A spelling as a user's lexicon is searched: lower case, straight apostrophes and plain hyphens.

    Example:
        >>> key("Don’t")
        "don't"
    """
    return unicodedata.normalize("NFC", written.translate(_SAME).lower())


def _variants(value: object) -> list[list[str]]:
    """The pronunciations of one entry."""
    values = [value] if isinstance(value, str) else list(value) if isinstance(value, Sequence) else []
    if values and all(isinstance(one, str) and one and not one.count(" ") for one in values) and len(values) > 1:
        values = [values]  # one pronunciation, phone by phone
    found = [one.split() if isinstance(one, str) else list(one) if isinstance(one, Sequence) else [] for one in values]
    if not found or not all(found) or not all(isinstance(one, str) for variant in found for one in variant):
        raise PhonobenchError("no phones; give a list of pronunciations, ['B EH R']")
    return found


def _add(found: dict[str, dict[Phones, None]], word: str, symbols: Sequence[str]) -> None:
    """Adds a variant. Raises PhonobenchError for an unknown phone and for a word that no text can hold."""
    counted = re.fullmatch(r"(.+)\(\d+\)", word)
    if counted:
        raise PhonobenchError(f"never matches a text: write a variant as a second line of {counted[1]!r}")
    if not any(character.isalnum() for character in word) or word != word.strip(NEVER_AROUND):
        raise PhonobenchError("never matches a text: write the word without the punctuation around it")
    if len(word.split()) != 1:
        raise PhonobenchError("never matches a text: write each word of it as an entry of its own")
    phones = tuple(strip_stress(symbol) for symbol in symbols)
    encode(phones)
    found.setdefault(key(word), {})[phones] = None


def pack(known: Mapping[str, Sequence[Sequence[Sound]]]) -> bytes:
    """Entries as the shipped file holds them. The first byte is a line break, so that every word follows one."""
    code = {sound: code for code, sound in _SOUND.items()}
    lines = [
        f"{word} {' '.join(''.join(code[sound] for sound in sounds) for sounds in known[word])}"
        for word in sorted(known)
    ]
    return zlib.compress(("\n" + "\n".join(lines) + "\n").encode("ascii"), 9)


@cache
def _breaks() -> np.ndarray:
    """Places of the line breaks, one before every word and one at the end."""
    return np.flatnonzero(np.frombuffer(_shipped(), dtype=np.uint8) == ord("\n"))


@cache
def _shipped() -> bytes:
    return zlib.decompress(importlib.resources.files("phonobench.pronounce").joinpath(FILE).read_bytes())


def _possessive(stem: Phones) -> Phones:
    """The ending of a possessive (and of a plural): IH Z after a hiss, S after a voiceless phone, else Z."""
    last = stem[-1]
    return (*stem, *(("IH", "Z") if last in _HISSING else ("S",) if last in _VOICELESS else ("Z",)))
