"""Foreign text as it is shown: nothing in it moves the cursor, hides, turns around or counts as a formula.

Names of files, texts, options and what other people's files hold may contain anything. Whatever is shown to a person
passes here: on the terminal, in Markdown, HTML and CSV. JSON keeps every character, the invisible ones as escapes.
"""

from __future__ import annotations

import unicodedata
from typing import Any

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories of Unicode that have no sign of their own: control, format (zero width, direction), halves of pairs."""
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0") | {
    chr(code) for code in range(0xE0100, 0xE01F0)
}
"""Further characters without a sign: joiners, fillers, selectors."""
_FORMULA = frozenset("=+-@\t\r")


def visible(text: str, keep: str = "") -> str:
    r"""The text with escapes in place of characters that cannot be seen, those in `keep` excepted.

    A text without any is returned itself.

    Example:
        >>> visible("a\x1b[31m\u202eb\u200b"), visible("naïve wɔːk"), visible("caf\udce9.wav")
        ('a\\x1b[31m\\u202eb\\u200b', 'naïve wɔːk', 'caf\\xe9.wav')
    """
    if not _has_hidden(text, keep):
        return text
    return "".join(_escaped(c) if c not in keep and _is_hidden(c) else c for c in text)


def visible_json(text: str) -> str:
    r"""JSON with escapes in place of invisible characters in its strings; it means the same.

    Example:
        >>> visible_json('{"file": "a\u202e.wav"}')
        '{"file": "a\\u202e.wav"}'
    """
    if not _has_hidden(text, "\n"):
        return text
    return "".join(_as_json(c) if c != "\n" and _is_hidden(c) else c for c in text)


def visible_within(value: Any) -> Any:
    r"""A value as JSON holds it, with every text in it as `visible` gives it.

    Example:
        >>> visible_within({"words": ["a\u200b"], "total": 1})
        {'words': ['a\\u200b'], 'total': 1}
    """
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {visible_within(key): visible_within(one) for key, one in value.items()}
    return [visible_within(one) for one in value] if isinstance(value, list | tuple) else value


def cell(text: str) -> str:
    """A text as a cell of a CSV: a spreadsheet does not take it for a formula. Numbers stay.

    Example:
        >>> cell("=1+1"), cell("-0.5"), cell("bear")
        ("'=1+1", '-0.5', 'bear')
    """
    if not text or text[0] not in _FORMULA:
        return visible(text)
    try:
        float(text)
    except ValueError:
        return "'" + visible(text)
    return text


def _has_hidden(text: str, keep: str) -> bool:
    if text.isprintable() and (text.isascii() or _BLANK.isdisjoint(text)):
        return False
    return any(c not in keep and _is_hidden(c) for c in text)


def _is_hidden(c: str) -> bool:
    return unicodedata.category(c) in _HIDDEN or c in _BLANK


def _escaped(c: str) -> str:
    code = ord(c)
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a name that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return c.encode("unicode_escape", "surrogatepass").decode("ascii")


def _as_json(c: str) -> str:
    units = c.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[k]:02x}{units[k + 1]:02x}" for k in range(0, len(units), 2))
