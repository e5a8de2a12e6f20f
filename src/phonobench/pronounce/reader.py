"""How one piece of a text may be read, between its neighbours: symbols, figures, abbreviations, capitals, words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

from phonobench.pronounce import capitals, figures, lexicon
from phonobench.pronounce import numbers as numerals
from phonobench.pronounce.abbreviations import (
    ALWAYS,
    BEFORE_ROMAN,
    BETWEEN_NUMBERS,
    DAYS,
    DOMAINS,
    DOTTED,
    KINGS,
    MAGNITUDES,
    MONEY,
    MONTHS,
    NUMBERED,
    SPECIAL,
    WORDS_TOO,
)
from phonobench.pronounce.capitals import initials
from phonobench.pronounce.clean import letters, shown
from phonobench.pronounce.numbers import Ways, unique
from phonobench.pronounce.pieces import EDGES, own_spelling
from phonobench.pronounce.quantities import Neighbours, is_unit, joined, unit, ways

MOST = 12
"""Readings of one piece that are considered."""
_WRAPPED = '"()[]{}*_|¡¿'
_ENDS = '.,;:!?"'
_ELIDED = frozenset({"'em", "'til", "'cause", "'tis", "'twas", "'round", "'bout"})
"""Words that begin with an apostrophe, not in quotation marks."""
_LINKS = {"/": "|slash|or", "_": "|underscore", "+": "plus", "=": "equals|is"}
"""What is said between the parts of a piece with such a mark, if anything."""
_COUNTED = frozenset(
    [
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "twenty",
        "thirty",
        "fifty",
        "hundred",
        "thousand",
    ]
)


class UnreadableError(Exception):
    """Why a piece of text cannot be turned into words."""


class Reader:
    """Reads the pieces of one text, each between its neighbours."""

    def __init__(self, pieces: list[str], own: Container[str], all_capitals: bool) -> None:
        self.pieces, self.own, self.all_capitals = pieces, own, all_capitals

    def read(self, place: int) -> Ways:
        """The ways to read one piece; [] for mere punctuation."""
        piece = self.pieces[place]
        before = self.pieces[place - 1] if place else ""
        after = self.pieces[place + 1] if place + 1 < len(self.pieces) else ""
        own = own_spelling(piece, self.own)
        if own:
            return [[own]]
        found = self.piece(piece, before, after)
        word = piece.strip(EDGES).lower()
        if word in MAGNITUDES and re.fullmatch(rf"[{''.join(MONEY)}][\d,.]*\d", before.lstrip("(\"'")):
            name = MONEY[before.lstrip("(\"'")[0]][0]
            currency = name if name in ("yen", "won") else name + "s"
            return [[word]] if after.strip(EDGES).lower() == currency else [[word, currency]]
        return found

    def piece(self, piece: str, before: str = "", after: str = "") -> Ways:
        """The ways to read a piece between two others."""
        near = Neighbours(before.strip(EDGES).lower(), after.strip(EDGES).lower())
        for form in (self._symbol, self._elided, self._figure, self._short, self._letters):
            found = form(piece, before, after, near)
            if found is not None:
                return found
        return []

    def _symbol(self, piece: str, before: str, after: str, near: Neighbours) -> Ways | None:
        lower = piece.lower()
        for one in (lower, lower.strip(_WRAPPED + "'").rstrip(_ENDS), lower.rstrip(_ENDS)):
            if one in SPECIAL:
                return ways(SPECIAL[one])
        between = re.search(r"\d$", before) and re.match(r"[-.$]?\d", after)
        if between and piece in BETWEEN_NUMBERS:
            return ways(BETWEEN_NUMBERS[piece])
        return None

    def _elided(self, piece: str, before: str, after: str, near: Neighbours) -> Ways | None:
        found = re.match(r"'[a-z]+", piece.lower())
        return [[found[0]]] if found and found[0] in _ELIDED else None

    def _figure(self, piece: str, before: str, after: str, near: Neighbours) -> Ways | None:
        if not re.search(r"\d", piece):
            return self._unit(piece, before, near)
        figure = re.sub(r"^'(?=\d)", "", piece.strip(_WRAPPED + "'" if piece[:1] == "'" else _WRAPPED))
        figure = re.sub(r"^[*_|,;:!?]+|^-+(?![\d.$€£¥])|^\.(?!\d)", "", figure)
        figure = figure.rstrip(_ENDS.replace('"', "") + _WRAPPED.replace('"', "") + "-~|")
        if piece.endswith('"') and not piece.startswith('"') and re.fullmatch(r"[\d.']+", figure):
            place = self.pieces.index(piece) if piece in self.pieces else 0
            quoted = '"' in "".join(self.pieces[:place])
            figure = figure if quoted else figure + '"'
        money = re.fullmatch(r"(us|ca?|au?|hk|nz|s)(\$.*)", figure.lower())
        if money:
            figure = money[2]
        if "^" in figure and is_unit(figure.lower()):
            return self._unit(figure, before, near)
        found = figures.read(figure.lower(), near)
        named = re.fullmatch(r"(\d+)([GKSTH])", figure)  # 5G, 5K
        if named:
            return unique(joined(numerals.cardinals(int(named[1])), [initials(named[2])]), found)
        if found:
            return found
        if figure.startswith('"') or figure.endswith('"'):
            found = figures.read(figure.strip('"').lower(), near)
        return found or self._mixed(figure.strip(EDGES + "'"), near)

    def _mixed(self, figure: str, near: Neighbours) -> Ways:
        """Figures and letters: parts between hyphens and slashes, then runs of letters and of digits."""
        if figure[:1] in MONEY:
            raise UnreadableError("an amount of money in an unknown form")
        for mark, links in (("-", ("",)), ("/", ("", "slash")), ("&", ("and",)), (",", ("",)), (":", ("",))):
            parts = figure.split(mark)
            if len(parts) > 1 and all(parts):
                if mark == "-" and re.search(r"\d-\d", figure):
                    break
                read = [self.piece(part) for part in parts]
                linked = [joined(*_between(read, [link] if link else []), most=MOST) for link in links]
                return unique(*linked, most=MOST)
        runs = re.findall(r"[A-Za-z]+|\d+", figure)
        if "".join(runs) != figure or not runs or len(runs) > 4 or re.search(r"\d[xX]$|[a-z]\d+[a-z]", figure):
            raise UnreadableError("a number in an unknown form")
        read = []
        for run in runs:
            if run.isdigit():
                read.append(
                    unique(
                        numerals.cardinals(int(run)),
                        numerals.spelled(run),
                        numerals.pairs(run) if len(run) in (3, 4) else [],
                    )
                )
            elif len(run) > 2 and lexicon.look_up(run.lower()) and not run.isupper():
                read.append([[run.lower()]])
            elif len(run) <= 3:
                read.append([initials(run)])
            else:
                read.append(self.piece(run))
        return unique(joined(*read, most=MOST))

    def _unit(self, piece: str, before: str, near: Neighbours) -> Ways | None:
        """A unit after a number and a blank: `5 km`."""
        bare = piece.strip(EDGES + "'").lower()
        number = near.before if re.fullmatch(r"[$€£]?[\d,./⁄\u2064]*\d", near.before) else ""
        clock = number or (near.before if re.fullmatch(r"\d{1,2}:\d\d", near.before) else "")
        if bare in ("am", "pm") and clock:
            return [initials(bare)] + ([[bare]] if bare == "am" else [])
        if not (number or near.before in _COUNTED) or not is_unit(bare) or (piece[:1].isupper() and len(bare) < 2):
            return None
        if piece.isupper() and lexicon.look_up(bare):
            return None
        if not number and lexicon.look_up(bare):
            return None
        found = unit(bare, number or near.before)
        if bare in WORDS_TOO and not piece.rstrip("\"')").endswith("."):
            return unique([[bare]], found)
        return found

    def _short(self, piece: str, before: str, after: str, near: Neighbours) -> Ways | None:
        """Abbreviations of the tables, and initials with full stops."""
        bare = piece.strip(EDGES + "'")
        short = bare.lower()
        if short in ALWAYS and not (self.all_capitals and lexicon.look_up(short)):
            return ways(ALWAYS[short])
        if re.fullmatch(r"(?:[A-Za-z]\.)+[A-Za-z]?", bare + ".") and "." in bare:
            return [initials(bare)]
        dotted = re.fullmatch(r"((?:[A-Za-z]{1,3}\.)+[A-Za-z]{0,3})('s|s)?", bare)
        if dotted and any(len(one) == 1 for one in dotted[1].split(".")) and not _is_domain(bare):
            spelled = initials(dotted[1])
            return [[*spelled[:-1], spelled[-1] + (dotted[2] or "")]]
        if short in DOTTED:
            return self._dotted(piece, bare, after, near)
        return None

    def _dotted(self, piece: str, bare: str, after: str, near: Neighbours) -> Ways | None:
        """An abbreviation that may be a word, too: by its full stop, its capital and its neighbours."""
        short, full = bare.lower(), ways(DOTTED[bare.lower()])
        stop = piece.rstrip("\"”')]},;:!?").endswith(".")
        numeral = after.strip(EDGES)
        follows = re.match(r"[#(]?\d", after) or (numeral != "I" and bool(numeral) and capitals.roman(numeral))
        beside = bool(follows) or (bool(re.search(r"\d", near.before)) and (short in MONTHS or short in DAYS))
        capital = bare[:1].isupper() and not self.all_capitals
        word = [[short]] if lexicon.look_up(short) or len(short) > 3 else []
        if short in ("st", "dr"):
            if not stop and not capital:
                return None
            return full if after[:1].isupper() else full[::-1]
        if not stop:
            if beside and (capital or short not in NUMBERED) and (short in MONTHS or short in DAYS or follows):
                return unique(full, word) if capital or not word else unique(word, full)
            if not word:
                return full
            return None
        if short in NUMBERED and not beside:
            return None
        if beside or (after and (capital or after[:1].islower())):
            return unique(full, word)
        return unique(word, full) if word else full

    def _letters(self, piece: str, before: str, after: str, near: Neighbours) -> Ways | None:
        bare = piece.strip(EDGES + "'")
        if not bare:
            return []
        if bare[:1] in MONEY:
            raise UnreadableError("an amount of money in an unknown form")
        mail = re.fullmatch(r"@?[\w.-]+(?:@[\w.-]+)?", bare)
        if "@" in bare and mail:
            return joined(*[[["at"]] if one == "@" else self._name(one) for one in re.findall(r"@|[^@]+", bare)])
        if bare.startswith("#") and len(bare) > 1:
            return joined([["hashtag"]], self.piece(bare[1:]))
        if "(" in bare or ")" in bare:
            return self._optional(bare)
        if "." in bare:
            return self._points(bare)
        for mark, links in _LINKS.items():
            parts = bare.split(mark)
            if len(parts) > 1 and all(parts):
                read = [self.piece(part) for part in parts]
                tried = [[link] if link else [] for link in links.split("|") if link not in parts]
                return unique(*[joined(*_between(read, link), most=MOST) for link in tried], most=MOST)
        if bare.endswith("+") and len(bare) < 9:
            return joined(self.piece(bare[:-1]), [["plus"]])
        if "&" in bare.strip("&"):
            return self._ampersand(bare)
        return self._hyphened(piece, bare, before, near)

    def _hyphened(self, piece: str, bare: str, before: str, near: Neighbours) -> Ways:
        """Letters, apostrophes and hyphens."""
        parts = [one for one in letters(bare).split("-") if one]
        if len(parts) < 2:
            return self._word(piece, bare, near)
        joint = "-".join(parts)
        read = joined(*[self._word(one, one, Neighbours()) for one in bare.split("-") if one.strip("'")], most=MOST)
        if not lexicon.look_up(joint):
            return read
        known = all(lexicon.look_up(word) for word in read[0])
        same = known and set(lexicon.look_up(joint)) <= phones_of(read[0])
        return read if same else unique(read, [[joint]]) if known else unique([[joint]], read)

    def _word(self, piece: str, bare: str, near: Neighbours) -> Ways:
        if len(bare) == 1 and unicodedata.name(bare, "").startswith("GREEK") and bare.isalpha():
            return [[unicodedata.name(bare).split()[3].lower()]]
        if not self.all_capitals:
            number = capitals.roman_ways(bare, near.before) if bare.isupper() and bare.isascii() else []
            known = bool(lexicon.look_up(bare.lower()))
            beside = bool(re.search(r"\d", near.before + near.after)) and len(bare) < 5
            found = capitals.ways(bare, _is_known, spell_first=beside)
            if number and (len(bare) > 1 or known):
                return unique(number, [[bare.lower()]] if known else [], [initials(bare)])
            if found:
                return found
        elif near.before in BEFORE_ROMAN | KINGS and capitals.roman(bare) and not lexicon.look_up(bare.lower()):
            number = capitals.roman_ways(bare, near.before)
            if number:
                return unique(number, [_spelled(bare)])
        elif re.fullmatch(r"[^AEIOUY\W\d]{2,5}", bare) and not lexicon.look_up(bare.lower()) and bare.isascii():
            return [_spelled(bare), initials(bare)]
        going = re.search(r"([A-Za-z]+in)'", piece)
        if (
            going
            and going[1] == bare
            and re.search(r"[aeiouy].*in$", bare.lower())
            and lexicon.look_up(bare.lower() + "g")
        ):
            return [[bare.lower() + "'"], [bare.lower() + "g"]]
        return [_spelled(bare)]

    def _ampersand(self, bare: str) -> Ways:
        """`AT&T`, `R&D`, `salt&pepper`."""
        halves = bare.split("&")
        if all(re.fullmatch(r"[A-Z]{1,3}s?", half) for half in halves):
            read: list[Ways] = [
                [initials(half)] if half.isupper() else capitals.ways(half, lambda _: False) for half in halves
            ]
            if len(halves[-1]) == 2 and halves[-1].endswith("s"):
                read[-1] = [[halves[-1][0].lower() + ".s"]]
            return unique(joined(*_between(read, ["and"])), joined(*read))
        return joined(*_between([self.piece(half) for half in halves], ["and"]))

    def _points(self, bare: str) -> Ways:
        """A full stop inside: the name of a site, initials with more behind (`U.S.-based`), a missing blank."""
        if "-" in bare:
            return joined(*[self.piece(part) for part in bare.split("-") if part])
        if _is_domain(bare):
            return self._name(bare)
        parts = [one for one in bare.split(".") if one]
        if not all(re.fullmatch(r"[^\W\d_']+(?:'[a-z]+)?", one) for one in parts):
            raise UnreadableError("full stops inside")
        read = [self.piece(one) for one in parts]
        return unique(joined(*read), joined(*_between(read, ["dot"])))

    def _name(self, name: str) -> Ways:
        """`www.example.com`, `first.last`: parts with `dot` between."""
        read: list[Ways] = []
        for one in name.split("."):
            spelled = one in ("www", "uk", "us", "co", "edu", "js", "py", "de", "io", "ai")
            read.append(
                [initials(one), [one]]
                if spelled and lexicon.look_up(one)
                else [initials(one)]
                if spelled
                else self.piece(one)
            )
        return joined(*_between(read, ["dot"]))

    def _optional(self, bare: str) -> Ways:
        """`word(s)`: with and without."""
        found = re.fullmatch(r"([A-Za-z]+)\(([a-z]{1,3})\)?", bare)
        if not found:
            raise UnreadableError("brackets inside")
        return [[(found[1] + found[2]).lower()], [found[1].lower()]]


def _is_known(word: str) -> bool:
    return bool(lexicon.look_up(word))


def _is_domain(name: str) -> bool:
    return len(name.split(".")) > 1 and name.lower().split(".")[-1] in DOMAINS and all(name.split("."))


def phones_of(said: list[str]) -> set[tuple[str, ...]]:
    """Pronunciations of known words one after the other, a few of them."""
    found: set[tuple[str, ...]] = {()}
    for word in said:
        found = {(*one, *phones) for one in found for phones in lexicon.look_up(word)[:4]}
    return found


def _between(parts: list[Ways], link: list[str]) -> list[Ways]:
    """The parts with a word between each two."""
    return [one for place, part in enumerate(parts) for one in ([[link]] if place and link else []) + [part]]


def _spelled(part: str) -> list[str]:
    plain = letters(part)
    if not re.fullmatch(r"[a-z']*", plain):
        strange = shown(re.sub(r"[a-z']", "", plain))
        raise UnreadableError(f"{strange} is no letter of English")
    return [plain.strip("'")] if plain.strip("'") else []
