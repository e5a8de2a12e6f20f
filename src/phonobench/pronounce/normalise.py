"""From written text to the words that are spoken: punctuation, case, apostrophes, hyphens, numbers, money.

What cannot be read in one way is refused by name, not guessed: an abbreviation such as `St.`, a formula, another
script.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from phonobench.pronounce import numbers
from phonobench.types import PhonobenchError


@dataclass(frozen=True)
class Token:
    """A word as it is said (lower case; the name of a letter ends in a full stop) and the text that it stands for."""

    word: str
    written: str


_SAME = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "‐": "-", "‑": "-", "−": "-", "…": " "})
_DASHES = re.compile(r"--+|[–—/]+|\s-+\s")
_EDGES = '"“”„«»()[]{}<>.,;:!?¡¿*_~|-'

_SHORT = {"vs": "versus"}
_NO_WORDS = frozenset({
    "approx", "bldg", "capt", "cf", "cm", "dept", "eg", "ft", "hwy", "ie", "kg", "km", "lt", "ml", "mm", "nr", "pg",
    "pp", "prof", "pt", "rd", "univ", "vol", "yr",
})  # fmt: skip
"""Abbreviations without a pronunciation of their own."""
_OTHER_WORDS = frozenset({"apt", "ave", "col", "fig", "gen", "gov", "oz", "rev", "sen", "tel"})
"""Abbreviations, where a full stop and more text follow, whose letters are another word."""
_SYMBOLS = {"&": ["and"], "+": ["plus"], "=": ["equals"], "@": ["at"], "%": ["percent"]}
_MONEY = {"$": ("dollar", "cent"), "€": ("euro", "cent"), "£": ("pound", "pence"), "¥": ("yen", "")}
_ELIDED = frozenset({"'em", "'til", "'cause", "'tis", "'twas", "'round", "'bout"})
"""Words that begin with an apostrophe, not in quotation marks."""
_MAGNITUDES = ("thousand", "million", "billion", "trillion")


def words(text: str) -> tuple[Token, ...]:
    """The words of a text in order.

    Raises:
        PhonobenchError: for a text without words, and naming each piece that cannot be read, with the remedy.

    Example:
        >>> [token.word for token in words("It's 5%!")]
        ["it's", 'five', 'percent']
    """
    plain = _DASHES.sub(" ", unicodedata.normalize("NFKC", text).translate(_SAME))
    pieces, found, refused = plain.split(), [], []
    for place, piece in enumerate(pieces):
        after = pieces[place + 1].strip(_EDGES).lower() if place + 1 < len(pieces) else ""
        try:
            said = _read(piece, after)
        except _UnreadableError as fault:
            refused.append(f"{piece} ({fault})")
            continue
        if place and said and said == _of_magnitude(pieces[place - 1], piece):
            currency = _MONEY[pieces[place - 1].strip(_EDGES)[0]][0] + "s"
            said = said if after == currency else [*said, currency]
        found += [Token(word, piece) for word in said]
    if refused:
        raise PhonobenchError(f"cannot read {'; '.join(refused)}: write it as it is said, in words")
    if not found:
        raise PhonobenchError(f"the text {text!r} holds no words: give the sentence that was read")
    return tuple(found)


def initials(letters: str) -> list[str]:
    """`U.S.`, `p.m.` or `BBC` letter by letter; a letter's name is a lexicon's word with a full stop (`u.`).

    Example:
        >>> initials("p.m.")
        ['p.', 'm.']
    """
    return [letter.lower() + "." for letter in letters if letter.isalpha()]


class _UnreadableError(Exception):
    """Why a piece of text cannot be turned into words."""


def _of_magnitude(before: str, piece: str) -> list[str] | None:
    """[`million`] where the piece follows an amount of money (`$3 million`): the currency is said after it."""
    word = piece.strip(_EDGES).lower()
    return [word] if word in _MAGNITUDES and re.fullmatch(r"[$€£¥][\d,.]*\d", before.lstrip("(\"'")) else None


def _read(piece: str, after: str) -> list[str]:
    """The words of one piece without blanks; `after` is the next one."""
    if piece in _SYMBOLS:
        return _SYMBOLS[piece]
    elided = re.match(r"'[a-z]+", piece.lower())
    if elided and elided[0] in _ELIDED:
        return [elided[0]]
    bare = piece.strip(_EDGES + "'")
    if not bare:
        return []
    if re.match(r"-\d", piece):
        bare = "-" + bare
    if piece.startswith(tuple(_MONEY)) or bare.startswith(tuple(_MONEY)):
        return _money(bare, after)
    if re.search(r"\d", bare):
        return _numeric(bare)
    short = bare.lower()
    if short in ("e.g", "i.e"):
        raise _UnreadableError("an abbreviation")
    if re.fullmatch(r"(?:[A-Za-z]\.)+[A-Za-z]?", bare + ".") and "." in bare:
        return initials(bare)
    abbreviated = piece.rstrip("\"”')]},;:!?").endswith(".")
    if short in _NO_WORDS or (abbreviated and after and short in _OTHER_WORDS):
        raise _UnreadableError("an abbreviation")
    if short in _SHORT:
        return [_SHORT[short]]
    return [part for half in _ascii(bare).split("-") for part in _spelled(half)]


def _spelled(part: str) -> list[str]:
    if "&" in part.strip("&"):
        return [word for half in part.split("&") for word in (*_spelled(half), "and")][:-1]
    if not re.fullmatch(r"[a-z']*", part):
        strange = sorted(set(re.sub(r"[a-z']", "", part)))
        raise _UnreadableError(f"{' '.join(strange)} is no letter of English")
    return [part.strip("'")] if part.strip("'") else []


def _ascii(word: str) -> str:
    """Lower case, accents dropped (café -> cafe)."""
    return "".join(c for c in unicodedata.normalize("NFD", word.lower()) if not unicodedata.combining(c))


def _money(bare: str, after: str) -> list[str]:
    one, hundredth = _MONEY[bare[0]]
    amount = re.fullmatch(r"(\d+|\d{1,3}(?:,\d{3})+)(?:\.(\d+))?", bare[1:])
    if not amount:
        raise _UnreadableError("an amount of money in an unknown form")
    whole, fraction = int(amount[1].replace(",", "")), amount[2]
    if after in _MAGNITUDES:  # the currency follows the magnitude: see `words`
        return numbers.decimal(str(whole), fraction) if fraction else numbers.cardinal(whole)
    said = [*numbers.cardinal(whole), one if whole == 1 or one == "yen" else one + "s"]
    if not fraction or not int(fraction):
        return said
    if len(fraction) != 2 or not hundredth:
        return [*numbers.decimal(str(whole), fraction), one if one == "yen" else one + "s"]
    cents = [
        *numbers.cardinal(int(fraction)),
        hundredth if int(fraction) == 1 or hundredth == "pence" else hundredth + "s",
    ]
    return [*said, "and", *cents] if whole else cents


Reader = Callable[[re.Match[str]], list[str]]


def _clock(found: re.Match[str]) -> list[str]:
    hour, minute = int(found[1]), int(found[2])
    half = initials(found[3] or "")
    if not minute:
        return [*numbers.cardinal(hour), *(half or ["o'clock"])]
    return [*numbers.cardinal(hour), *(["oh"] if minute < 10 else []), *numbers.cardinal(minute), *half]


_FORMS: tuple[tuple[str, Reader], ...] = (
    (r"-?0\d+", lambda m: numbers.digits(m[0].lstrip("-"))),
    (r"(1[1-9]\d\d|20\d\d)", lambda m: numbers.year(int(m[0]))),
    (r"(\d+)", lambda m: numbers.cardinal(int(m[0]))),
    (r"-(\d+)", lambda m: ["minus", *numbers.cardinal(int(m[1]))]),
    (r"(\d{1,3}(?:,\d{3})+)", lambda m: numbers.cardinal(int(m[0].replace(",", "")))),
    (r"(\d*)\.(\d+)", lambda m: numbers.decimal(m[1], m[2])),
    (r"(\d+)(?:st|nd|rd|th)", lambda m: numbers.ordinal(int(m[1]))),
    (r"([\d,]+(?:\.\d+)?)%", lambda m: [*_numeric(m[1]), "percent"]),
    (r"(\d{3,4})'?s", lambda m: numbers.plural(numbers.year(int(m[1])))),
    (r"(\d0)'?s", lambda m: numbers.plural(numbers.cardinal(int(m[1])))),
    (r"([01]?\d|2[0-3]):([0-5]\d)([ap]\.?m)?", _clock),
    (r"(\d+)([ap]\.?m)", lambda m: [*numbers.cardinal(int(m[1])), *initials(m[2])]),
    (r"(\d+)-([a-z][a-z-]*)", lambda m: [*numbers.cardinal(int(m[1])), *_read(m[2], "")]),
)
"""Forms with figures and how they are read; the first that fits the whole piece."""


def _numeric(bare: str) -> list[str]:
    for form, reader in _FORMS:
        found = re.fullmatch(form, bare.lower())
        if found:
            return reader(found)
    raise _UnreadableError("a number in an unknown form")
