"""Characters of written text brought to one form before it is read: widths, quotes, dashes, what is not seen."""

from __future__ import annotations

import html
import re
import unicodedata

_SAME = str.maketrans({
    "’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "＇": "'", "‛": "'", "′": "'", "″": '"', "＂": '"', "“": '"',
    "”": '"', "„": '"', "‟": '"', "«": '"', "»": '"', "‹": '"', "›": '"', "「": '"', "」": '"', "『": '"', "』": '"',
    "《": '"', "》": '"', "〈": '"', "〉": '"', "【": '"', "】": '"', "‐": "-", "‑": "-", "−": "-", "﹣": "-", "⁃": "-",
    "…": " ... ", "。": ". ", "｡": ". ", "、": ", ", "､": ", ", "，": ", ", "．": ". ", "！": "! ",
    "？": "? ", "；": "; ", "：": ": ",
    "،": ", ", "؛": "; ", "؟": "? ", "·": " ", "・": " ", "•": " ", "‣": " ", "◦": " ", "■": " ", "●": " ", "►": " ",
    "™": "", "®": "", "℠": "", "№": "#", "²": "^2", "³": "^3", "√": " √ ", "⸺": "—", "―": "—", "‒": "–", "〜": "~",
    "µ": "µ", "μ": "µ", "º": "°", "˚": "°", "\u2028": " ", "\u2029": " ", "\u00a0": " ",
})  # fmt: skip
_LETTERS = {"æ": "ae", "œ": "oe", "ø": "o", "ß": "ss", "ł": "l", "đ": "d", "þ": "th", "ð": "th", "ı": "i"}
_FRACTION = re.compile(r"(\d)\s?(?=[¼½¾⅐-⅞])")
_WIDE_POINT = re.compile(r"(?<=\d)[．，：](?=\d)")
_PICTURES = re.compile(r"[\U0001f300-\U0001faff\u2600-\u2664\u2667-\u26ff\u2700-\u2763\u2765-\u27bf\u2b50-\u2b55]")
_ENTITY = re.compile(r"&(?:[a-zA-Z]{2,8}|#\d{1,6}|#x[0-9a-fA-F]{1,5});")


def clean(text: str) -> str:
    """The text with plain quotes, hyphens and widths; without characters that are not seen, and without pictures.

    A fraction keeps its slash (U+2044), a whole number before it is joined by U+2064.

    Example:
        >>> clean("I\u00ad am fine。“So”"), clean("1½") == "1\u20641\u20442"
        ('I am fine. "So"', True)
    """
    if _ENTITY.search(text):
        text = html.unescape(text)
    text = _WIDE_POINT.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
    seen = "".join(one for one in text if not _is_hidden(one))
    seen = _FRACTION.sub("\\1\u2064", seen)
    return unicodedata.normalize("NFKC", _PICTURES.sub(" ", seen).translate(_SAME)).translate(_SAME)


def letters(word: str) -> str:
    """Lower case, accents dropped, ligatures apart.

    Example:
        >>> letters("Café"), letters("Œuvre")
        ('cafe', 'oeuvre')
    """
    plain = "".join(_LETTERS.get(one, one) for one in word.lower())
    return "".join(one for one in unicodedata.normalize("NFD", plain) if not unicodedata.combining(one))


def shown(characters: str) -> str:
    """Characters for a message: those that cannot be seen by their code.

    Example:
        >>> shown("я"), shown("\x07")
        ('я', 'U+0007')
    """
    return " ".join(
        one if one.isprintable() and not one.isspace() else f"U+{ord(one):04X}" for one in sorted(set(characters))
    )


def _is_hidden(character: str) -> bool:
    """Soft hyphens, zero-width and direction marks, variation selectors: nothing that is read."""
    return (
        unicodedata.category(character) == "Cf" and character not in "\u2064\u200b"
    ) or "\ufe00" <= character <= "\ufe0f"
