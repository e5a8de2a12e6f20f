"""Other accepted ways to say a word of an American dictionary, by rule: British vowels, dropped R, reduced vowels.

A sound is a phone and whether it bears no stress. The vowel of British `hot`, which the 39 phones lack, is AH here: the
corpus that the models learn from writes it so. Rules make too much now and then (`gas` with AA); a form that is made
counts only if the audio fits it better than the dictionary's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Literal

from phonobench.phones import VOWELS

Sound = tuple[str, bool]
"""A phone, and whether it is a vowel without stress (known of AH, ER and IY only)."""
Kind = Literal["regional", "reduced"]
Rule = Callable[[str, Sequence[Sound]], list[Sound]]

_CENTRING = frozenset({"EH", "IH", "IY", "UH"})
_BATH = frozenset({"S", "F", "TH"})


def forms(word: str, sounds: Sequence[Sound]) -> dict[tuple[str, ...], Kind]:
    """Every form that the rules make of a pronunciation, alone and together, each with its kind; itself not among them.

    `regional` where a British rule took part, else `reduced`.

    Example:
        >>> forms("hot", [("HH", False), ("AA", False), ("T", False)])
        {('HH', 'AH', 'T'): 'regional'}
    """
    found: dict[tuple[str, ...], Kind] = {}
    itself = tuple(phone for phone, _ in sounds)
    for size in range(1, len(RULES) + 1):
        for names in combinations(RULES, size):
            made = list(sounds)
            for name in names:
                made = RULES[name](word, made)
            phones = tuple(phone for phone, _ in made)
            if phones != itself:
                found.setdefault(phones, "regional" if {"vowels", "dropped r"} & set(names) else "reduced")
    return found


def vowels(word: str, sounds: Sequence[Sound]) -> list[Sound]:
    """`hot`, `across` with AH (spelled with o, or a after w); `last`, `after`, `answer` with AA.

    Example:
        >>> vowels("hot", [("HH", False), ("AA", False), ("T", False)])
        [('HH', False), ('AH', False), ('T', False)]
    """
    round_ = "o" in word.replace("ou", "").replace("oa", "") or "wa" in word or "qua" in word
    made: list[Sound] = []
    for place, (phone, unstressed) in enumerate(sounds):
        after = [one for one, _ in sounds[place + 1 : place + 3]] + ["", ""]
        if phone in ("AA", "AO") and round_ and after[0] not in ("", "R") and after[0] not in VOWELS:
            made.append(("AH", False))
        elif phone == "AE" and (after[0] in _BATH or (after[0] == "N" and after[1] in ("S", "T", "CH"))):
            made.append(("AA", False))
        else:
            made.append((phone, unstressed))
    return made


def dropped_r(word: str, sounds: Sequence[Sound]) -> list[Sound]:
    """R only before a vowel. A schwa stays after a close or mid front vowel (`near`), and for an ER without stress.

    Example:
        >>> dropped_r("near", [("N", False), ("IH", False), ("R", False)])
        [('N', False), ('IH', False), ('AH', True)]
    """
    made: list[Sound] = []
    for place, (phone, unstressed) in enumerate(sounds):
        before_vowel = place + 1 < len(sounds) and sounds[place + 1][0] in VOWELS
        if phone == "R" and made and made[-1][0] in VOWELS and not before_vowel:
            if made[-1][0] in _CENTRING:
                made[-1] = ("IH", False) if made[-1][0] == "IY" else made[-1]
                made.append(("AH", True))
        elif phone == "ER" and unstressed:
            made += [("AH", True), ("R", False)] if before_vowel else [("AH", True)]
        else:
            made.append((phone, unstressed))
    return made


def syllabic(word: str, sounds: Sequence[Sound]) -> list[Sound]:
    """`people`, `seven`: no schwa between a consonant and an L or N that no vowel follows.

    Example:
        >>> syllabic("seven", [("S", False), ("EH", False), ("V", False), ("AH", True), ("N", False)])
        [('S', False), ('EH', False), ('V', False), ('N', False)]
    """
    made: list[Sound] = []
    for place, (phone, unstressed) in enumerate(sounds):
        after = [one for one, _ in sounds[place + 1 : place + 3]]
        between = place > 0 and sounds[place - 1][0] not in VOWELS and after and after[0] in ("L", "N")
        if not (phone == "AH" and unstressed and between and (len(after) == 1 or after[1] not in VOWELS)):
            made.append((phone, unstressed))
    return made


def weak(word: str, sounds: Sequence[Sound]) -> list[Sound]:
    """IH for a schwa inside the word (`basket`), and for an IY without stress (`happy`, `area`).

    Example:
        >>> weak("happy", [("HH", False), ("AE", False), ("P", False), ("IY", True)])
        [('HH', False), ('AE', False), ('P', False), ('IH', False)]
    """
    inside = len(sounds) - 1
    made: list[Sound] = []
    for place, (phone, unstressed) in enumerate(sounds):
        lax = unstressed and (phone == "IY" or (phone == "AH" and 0 < place < inside))
        made.append(("IH", False) if lax else (phone, unstressed))
    return made


RULES: dict[str, Rule] = {"vowels": vowels, "dropped r": dropped_r, "syllabic": syllabic, "weak": weak}
