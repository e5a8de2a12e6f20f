"""From written text to the words that may be spoken: each piece of it with every way to read it.

What may be read in several ways (`1990`, `IT`, `5/10`, `St.`) has several readings, the most expected first, and the
audio decides (`reading.choose`). What cannot be read at all is refused by name, not guessed.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from phonobench.pronounce.capitals import initials
from phonobench.pronounce.pieces import cut
from phonobench.pronounce.reader import MOST, Reader, UnreadableError, phones_of
from phonobench.types import PhonobenchError

__all__ = ["MOST", "Span", "Token", "initials", "phones_of", "spans", "words"]


@dataclass(frozen=True)
class Token:
    """A word as it is said (lower case; the name of a letter ends in a full stop) and the text that it stands for."""

    word: str
    written: str


@dataclass(frozen=True)
class Span:
    """A piece of text and the word sequences that it may stand for, the most expected first."""

    written: str
    readings: tuple[tuple[str, ...], ...]


def words(text: str, own: Container[str] = ()) -> tuple[Token, ...]:
    """The words of a text in order, each piece in its most expected reading.

    Raises:
        PhonobenchError: for a text without words, and naming each piece that cannot be read, with the remedy.

    Example:
        >>> [token.word for token in words("It's 5%!")]
        ["it's", 'five', 'percent']
    """
    return tuple(Token(word, span.written) for span in spans(text, own) for word in span.readings[0])


def spans(text: str, own: Container[str] = ()) -> tuple[Span, ...]:
    """The pieces of a text with all their readings.

    Args:
        text: as it is written.
        own: spellings of the user's lexicon (`lexicon.key`): such a piece is one word, whatever it looks like.

    Raises:
        PhonobenchError: as `words` does.

    Example:
        >>> spans("IT rises")[0]
        Span(written='IT', readings=(('it',), ('i.', 't.')))
    """
    pieces = cut(text, own)
    reader = Reader(pieces, own, all_capitals=text.upper() == text)
    found, refused = [], []
    for place, piece in enumerate(pieces):
        try:
            readings = reader.read(place)
        except UnreadableError as fault:
            refused.append(f"{piece} ({fault})")
            continue
        if readings and readings[0]:
            found.append(Span(piece, tuple(tuple(way) for way in readings[:MOST])))
    if refused:
        raise PhonobenchError(f"cannot read {'; '.join(refused)}: write it as it is said, in words")
    if not found:
        raise PhonobenchError(f"the text {text!r} holds no words: give the sentence that was read")
    return tuple(found)
