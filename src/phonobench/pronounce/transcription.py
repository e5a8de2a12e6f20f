"""Phones as people write them: ARPAbet with or without stress, and customary IPA, symbol by symbol or run together."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import islice, product

from phonobench.phones import ARPABET_TO_IPA, PHONES, VOWELS, encode, strip_stress
from phonobench.types import PhonobenchError

Phones = tuple[str, ...]

MOST = 16
"""Pronunciations that one transcription may stand for."""

_MARKS = frozenset(
    "ˈˌ'’ːˑ:.‿|/[]()"  # stress, length, syllables, brackets
    "\u0361\u035c\u0303\u0325\u030a\u032a\u032f\u031a\u0308\u031d\u031e\u031f\u0320\u0330\u0324\u032c\u0339\u031c"
    "ʰʲʷˠˤⁿˡ"
)
"""What the 39 phones do not tell apart: left out."""
_SYLLABIC, _RHOTIC = "\u0329", "\u02de"

_SYMBOLS: dict[str, tuple[str, ...]] = {
    **{ipa: (arpabet,) for arpabet, ipa in ARPABET_TO_IPA.items()},
    "ə": ("AH",), "ɐ": ("AH",), "ɘ": ("AH",), "ɜ": ("ER",), "ɚ": ("ER",), "ɞ": ("ER",),
    "e": ("EH",), "ɩ": ("IH",), "ɷ": ("UH",), "ʉ": ("UW",), "ɵ": ("UH",),
    "a": ("AE", "AA"), "ɒ": ("AA", "AH", "AO"), "o": ("OW", "AO"), "ɨ": ("IH", "AH"), "ᵻ": ("IH", "AH"),
    "ai": ("AY",), "aj": ("AY",), "ɑɪ": ("AY",), "ʌɪ": ("AY",), "au": ("AW",), "aw": ("AW",), "æʊ": ("AW",),
    "ɑʊ": ("AW",), "ei": ("EY",), "ej": ("EY",), "ɛɪ": ("EY",), "ou": ("OW",), "ow": ("OW",), "əʊ": ("OW",),
    "əu": ("OW",), "ɔi": ("OY",), "ɔj": ("OY",), "oi": ("OY",), "oɪ": ("OY",), "ɒɪ": ("OY",),
    "r": ("R",), "ɻ": ("R",), "g": ("G",), "ɫ": ("L",), "ʍ": ("W",), "ɦ": ("HH",), "ʔ": ("T",), "ɾ": ("T", "D"),
    "ʧ": ("CH",), "ʤ": ("JH",),
}  # fmt: skip
"""Symbols of customary IPA and the phones that they may stand for; the audio decides between several."""
_LONGEST = max(map(len, _SYMBOLS))
_HINTS = {"y": "the first sound of `yes` is j", "c": "write k or s", "x": "English has k or ks"}


def parse(symbols: Sequence[str]) -> tuple[Phones, ...]:
    """The pronunciations that the symbols of one word may mean, the likeliest first.

    Args:
        symbols: ARPAbet, one phone each, or IPA, of which one may hold several phones. Stress, length, tie bars and
            diacritics that the 39 phones do not tell apart are dropped.

    Returns:
        One pronunciation, or several where a symbol is broad: `ɒ` is AA, AH or AO.

    Raises:
        PhonobenchError: for a symbol that is unknown, naming it, and for ARPAbet and IPA in one word.

    Example:
        >>> parse(["K", "AO1", "L"])
        (('K', 'AO', 'L'),)
        >>> parse(["ˈtʃiːz"])
        (('CH', 'IY', 'Z'),)
        >>> parse(["h", "ɒ", "t"])
        (('HH', 'AA', 'T'), ('HH', 'AH', 'T'), ('HH', 'AO', 'T'))
    """
    arpabet = [symbol for symbol in symbols if strip_stress(symbol) in PHONES]
    if len(arpabet) == len(symbols):
        return (tuple(strip_stress(symbol) for symbol in symbols),)
    others = [symbol for symbol in symbols if strip_stress(symbol) not in PHONES]
    raised = [strip_stress(symbol.upper()) for symbol in symbols]
    if all(symbol in PHONES for symbol in raised) and any(len(symbol) > 1 for symbol in others):
        raise PhonobenchError(f"{' '.join(symbols)!r}: ARPAbet is written in capitals, {' '.join(raised)}")
    if any(symbol != symbol.lower() for symbol in others) and all(map(str.isascii, others)):
        encode(strip_stress(symbol) for symbol in symbols)
    if arpabet:
        raise PhonobenchError(
            f"ARPAbet and IPA in one word, {' '.join(arpabet)} and {' '.join(others)}: write all of it in one of them"
        )
    found = _rhotic([choices for symbol in symbols for choices in _split(symbol)])
    if not found:
        raise PhonobenchError(f"{' '.join(symbols)!r} holds no phones: give at least one a word")
    return tuple(islice(product(*found), MOST))


def _split(symbol: str) -> list[tuple[str, ...]]:
    """The phones of symbols run together, the longest known symbol first."""
    plain = unicodedata.normalize("NFD", symbol).replace("\u0327", "")
    left = "".join(one for one in plain if one not in _MARKS)
    found: list[tuple[str, ...]] = []
    place = 0
    while place < len(left):
        if left[place] == _SYLLABIC:  # the schwa before it is not written
            found[-1:] = [("AH",), *found[-1:]]
            place += 1
        elif left[place] == _RHOTIC:
            schwa = bool(found) and found[-1][0] in ("AH", "ER")
            found = [*found[:-1], ("ER",)] if schwa else [*found, ("R",)]
            place += 1
        else:
            size = next((n for n in range(_LONGEST, 0, -1) if left[place : place + n] in _SYMBOLS), 0)
            if not size:
                raise _unknown(left[place], symbol)
            written = left[place : place + size]
            found.append(("ə",) if written == "ə" else _SYMBOLS[written])
            place += size
    return found


def _rhotic(found: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """`ər` and `ɜr` that no vowel follows are ER, and so is `ɜr` before a vowel."""
    made: list[tuple[str, ...]] = []
    for place, choices in enumerate(found):
        after = found[place + 1][0] if place + 1 < len(found) else ""
        if choices == ("R",) and made and (made[-1] == ("ER",) or (made[-1] == ("ə",) and not _is_vowel(after))):
            made[-1] = ("ER",)
        else:
            made.append(choices)
    return [("AH",) if choices == ("ə",) else choices for choices in made]


def _is_vowel(phone: str) -> bool:
    return phone == "ə" or phone in VOWELS


def _unknown(character: str, symbol: str) -> PhonobenchError:
    name = unicodedata.name(character, f"U+{ord(character):04X}").lower()
    where = "" if symbol == character else f" in {symbol!r}"
    hint = f"; {_HINTS[character]}" if character in _HINTS else f"; known are {' '.join(ARPABET_TO_IPA.values())}"
    return PhonobenchError(f"unknown phone {character!r} ({name}){where}: not ARPAbet, and no IPA of English{hint}")
