"""Words in capitals: abbreviations that are spelled or read as a word, Roman numerals, initials."""

from __future__ import annotations

import re
from collections.abc import Callable

from phonobench.pronounce import numbers
from phonobench.pronounce.abbreviations import BEFORE_ROMAN, KINGS
from phonobench.pronounce.numbers import Ways, unique

_ROMAN = re.compile(r"(?=[IVXLCDM])M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
LONGEST = 6
"""Letters of the longest abbreviation that is spelled."""


def initials(letters: str) -> list[str]:
    """`U.S.`, `p.m.` or `BBC` letter by letter; a letter's name is a lexicon's word with a full stop (`u.`).

    Example:
        >>> initials("p.m.")
        ['p.', 'm.']
    """
    return [letter.lower() + "." for letter in letters if letter.isalpha()]


def roman(numeral: str) -> int | None:
    """The value of a Roman numeral; None for anything else.

    Example:
        >>> roman("VIII"), roman("IIX")
        (8, None)
    """
    if not _ROMAN.fullmatch(numeral):
        return None
    values = [_VALUES[letter] for letter in numeral]
    following = [*values[1:], 0]
    return sum(-value if value < after else value for value, after in zip(values, following, strict=True))


def roman_ways(numeral: str, before: str) -> Ways:
    """A Roman numeral after a word (lower case) as a number or an ordinal; [] where it is none.

    `I`, `V`, `X` alone, and numerals with other letters (`XL`, `CD`), are numbers only after words such as `chapter`,
    and after names of kings.

    Example:
        >>> [" ".join(way) for way in roman_ways("II", "war")]
        ['two', 'the second', 'second']
    """
    value = roman(numeral)
    known = before in BEFORE_ROMAN or before in KINGS
    if value is None or not (known or (before and len(numeral) > 1 and not numeral.strip("IVX"))):
        return []
    cardinal, ordinal = numbers.cardinals(value)[:1], numbers.ordinals(value)[:1]
    the = [["the", *way] for way in ordinal]
    return unique(the, cardinal, ordinal) if before in KINGS else unique(cardinal, the, ordinal)


def ways(word: str, known: Callable[[str], bool], *, spell_first: bool = False) -> Ways:
    """A word in capitals (or with several) in a text that is not all in capitals; [] where it is an ordinary one.

    Args:
        word: letters only, perhaps with `s`, `'s` or `s'` behind.
        known: whether a lexicon holds a word (lower case).
        spell_first: whether letters are the more expected.

    Example:
        >>> ways("NGOs", lambda word: False)[0]
        ['n.', 'g.', 'o.s']
        >>> ways("IT", lambda word: True)
        [['it'], ['i.', 't.']]
    """
    if not re.fullmatch(r"[A-Za-z']+", word):
        return []
    found = re.fullmatch(r"([A-Z]{2,})('?s'?)?", word)
    lower = word.lower()
    if found:
        if len(found[1]) > LONGEST:
            return []
        spelled = initials(found[1])
        if found[2]:
            spelled[-1] += "s" if found[2] in ("s", "s'") else "'s"
        as_word = [lower] if known(lower) or _is_readable(found[1]) else None
        word_first = (
            (known(lower) and found[2] != "s") or len(found[1]) > 4 or (len(found[1]) == 4 and _is_readable(found[1]))
        )
        if as_word is None:
            return [spelled]
        return [as_word, spelled] if word_first and not spell_first else [spelled, as_word]
    if known(lower) or not re.search(r"[a-z][A-Z]|[A-Z]{2}", word):
        return []
    parts = re.findall(r"[A-Z]?[a-z']+|[A-Z]+(?![a-z])", word)
    if "".join(parts) == word and len(parts) > 1 and all(known(one.lower()) for one in parts) and len(word) > 4:
        return [[one.lower() for one in parts], [lower]]
    plural = word.endswith("s") and len(word) > 2
    if len(word) - plural <= LONGEST - 1:
        spelled = initials(word[:-1] if plural else word)
        return [[*spelled[:-1], spelled[-1] + "s"] if plural else spelled, [lower]]
    return []


def _is_readable(letters: str) -> bool:
    """Whether it may be read as a word: a vowel, and no long run of consonants."""
    return bool(re.search(r"[AEIOUY]", letters)) and len(letters) > 2 and not re.search(r"[^AEIOUY]{4}", letters)
