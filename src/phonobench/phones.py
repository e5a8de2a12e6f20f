"""The phone set: 39 ARPAbet phones without stress, their IPA, and their columns in a posteriorgram.

Column 0 is the CTC blank, columns 1 to 39 are `PHONES` in alphabetical order. ARPAbet and IPA map one to one.
The IPA is the broad transcription customary for CMUdict; a diphthong or an affricate has two characters.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from phonobench.types import PhonobenchError

BLANK = 0
"""Column of the CTC blank."""

ARPABET_TO_IPA: dict[str, str] = {
    "AA": "ɑ", "AE": "æ", "AH": "ʌ", "AO": "ɔ", "AW": "aʊ", "AY": "aɪ", "B": "b", "CH": "tʃ", "D": "d", "DH": "ð",
    "EH": "ɛ", "ER": "ɝ", "EY": "eɪ", "F": "f", "G": "ɡ", "HH": "h", "IH": "ɪ", "IY": "i", "JH": "dʒ", "K": "k",
    "L": "l", "M": "m", "N": "n", "NG": "ŋ", "OW": "oʊ", "OY": "ɔɪ", "P": "p", "R": "ɹ", "S": "s", "SH": "ʃ",
    "T": "t", "TH": "θ", "UH": "ʊ", "UW": "u", "V": "v", "W": "w", "Y": "j", "Z": "z", "ZH": "ʒ",
}  # fmt: skip
IPA_TO_ARPABET: dict[str, str] = {ipa: arpabet for arpabet, ipa in ARPABET_TO_IPA.items()}

PHONES: tuple[str, ...] = tuple(ARPABET_TO_IPA)
COLUMNS = 1 + len(PHONES)
"""Width of a posteriorgram: the blank and 39 phones."""

VOWELS = frozenset({"AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"})

DELETED, INSERTED, UNKNOWN = "<DEL>", "<INS>", "<unk>"
"""In place of a phone: none was there; nothing was expected there; a sound outside the set."""

_ID = {phone: column for column, phone in enumerate(PHONES, start=1)}


def strip_stress(symbol: str) -> str:
    """Removes one trailing stress digit (0, 1, 2) from a vowel; anything else stays as it is.

    Example:
        >>> strip_stress("IY0"), strip_stress("B"), strip_stress("B1")
        ('IY', 'B', 'B1')
    """
    return symbol[:-1] if symbol[-1:] in ("0", "1", "2") and symbol[:-1] in VOWELS else symbol


def encode(phones: Iterable[str]) -> tuple[int, ...]:
    """Columns of phones in a posteriorgram.

    Args:
        phones: ARPAbet, without stress.

    Returns:
        Phone ids, 1 to 39.

    Raises:
        PhonobenchError: for a symbol that is not in the set; the first is named.

    Example:
        >>> encode(["AA", "ZH"])
        (1, 39)
    """
    ids = []
    for phone in phones:
        if phone not in _ID:
            near = difflib.get_close_matches(phone.upper(), PHONES, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise PhonobenchError(f"unknown phone {phone!r}: not one of the 39 ARPAbet phones without stress{hint}")
        ids.append(_ID[phone])
    return tuple(ids)


def decode(ids: Iterable[int]) -> tuple[str, ...]:
    """Phones of posteriorgram columns.

    Args:
        ids: phone ids, 1 to 39.

    Raises:
        PhonobenchError: for the blank or a column outside.

    Example:
        >>> decode((20, 3, 31))
        ('K', 'AH', 'T')
    """
    phones = []
    for column in ids:
        if not 1 <= column < COLUMNS:
            raise PhonobenchError(f"phone id {column} is outside 1..{COLUMNS - 1} (0 is the CTC blank)")
        phones.append(PHONES[column - 1])
    return tuple(phones)


def to_ipa(phones: Iterable[str]) -> tuple[str, ...]:
    """ARPAbet phones -> IPA strings, one each.

    Raises:
        PhonobenchError: for an unknown phone.

    Example:
        >>> to_ipa(["CH", "IY", "Z"])
        ('tʃ', 'i', 'z')
    """
    return tuple(ARPABET_TO_IPA[phone] for phone in decode(encode(phones)))


def from_ipa(symbols: Iterable[str]) -> tuple[str, ...]:
    """IPA strings, one a phone -> ARPAbet. Tie bars are ignored and ASCII g is read as ɡ.

    Raises:
        PhonobenchError: for a symbol outside the set; the first is named.

    Example:
        >>> from_ipa(["t͡ʃ", "i", "g"])
        ('CH', 'IY', 'G')
    """
    phones = []
    for symbol in symbols:
        plain = symbol.replace("\u0361", "").replace("g", "ɡ")
        if plain not in IPA_TO_ARPABET:
            raise PhonobenchError(f"IPA symbol {symbol!r} has no ARPAbet phone here; known: {' '.join(IPA_TO_ARPABET)}")
        phones.append(IPA_TO_ARPABET[plain])
    return tuple(phones)
