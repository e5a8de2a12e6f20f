"""A text cut into the pieces that are read one by one, and which of them the user's lexicon holds."""

from __future__ import annotations

import re
from collections.abc import Container

from phonobench.pronounce import lexicon
from phonobench.pronounce.clean import clean

EDGES = '"“”„«»()[]{}<>.,;:!?¡¿*_~|-'
_BREAKS = re.compile(
    r"--+|[—]+|\s[-–/]+\s|(?<![\d%°])(?<!\dst)(?<!\dnd)(?<!\drd)(?<!\dth)–|–(?![\d$€£])"  # dashes
    r"|(?<=[^\W\d])[,;:!?](?=[^\W\d])"  # no blank after a mark: hello,world
    r'|(?<=[^\W\d])["()\[\]]+(?=[^\W\d]{2})|\.{2,}'
)
_SENTENCES = re.compile(r"(?<=[a-z]{2}\.)(?=[A-Z][a-z])|(?<=\d[,;])(?=[A-Za-z])|(?<=[a-z][,;])(?=\d)")


def cut(text: str, own: Container[str]) -> list[str]:
    """The text cut at blanks, dashes and marks without a blank; pieces of the user's lexicon stay whole."""
    found: list[str] = []
    seen = re.sub(r"([^\W\d]*)\u200b+([^\W\d]*)", _unbroken, clean(text))
    plain = re.sub(r"\s--+\s|\s[-–/]+(?=\s)|--+|—+", " \u2014 ", seen)
    chunks = plain.split()
    for place, piece in enumerate(chunks):
        if piece == "\u2014":
            numbers = 0 < place < len(chunks) - 1 and chunks[place - 1][-1].isdigit() and chunks[place + 1][0].isdigit()
            found += ["-"] if numbers and " - " in text else []
        elif own_spelling(piece, own):
            found.append(piece)
        else:
            found += _SENTENCES.sub(" ", _BREAKS.sub(" ", piece)).replace("–", "-").split()
    return found


def _unbroken(found: re.Match[str]) -> str:
    """A break of no width: between two words, or inside one."""
    first, second = found[1].lower(), found[2].lower()
    return f"{found[1]} {found[2]}" if lexicon.look_up(first) and lexicon.look_up(second) else found[1] + found[2]


def own_spelling(piece: str, own: Container[str]) -> str | None:
    """The spelling under which the user's lexicon holds a piece: as written, or without the punctuation around it."""
    whole = lexicon.key(piece)
    inner = whole.strip(lexicon.NEVER_AROUND)
    for one in (whole, inner, inner.rstrip("."), inner.strip(EDGES), inner.strip(EDGES + "'")):
        if one in own:
            return one
        for ending in ("'s", "s'", "s"):
            if len(one) > len(ending) and one.endswith(ending) and one[: -len(ending)] in own and ending != "s":
                return one
    return None
