"""Quantities and their units, and the tools that readings are made with: signs, alternatives, combinations."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice, product

from phonobench.pronounce import numbers
from phonobench.pronounce.abbreviations import ALIKE, ALSO, MONTHS, UNITS
from phonobench.pronounce.numbers import Ways, unique

NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,2}(?:,\d\d)+,\d{3}|\d*\.\d+|\d+"
SIGNS = {"-": "minus|negative", "+": "plus|positive", "±": "plus or minus", "~": "about|approximately|around",
          "<": "less than|under", ">": "more than|greater than|over", "≈": "about|approximately", "": ""}  # fmt: skip


@dataclass(frozen=True)
class Neighbours:
    """The pieces before and after one, lower case and without punctuation; "" where there is none."""

    before: str = ""
    after: str = ""

    @property
    def in_date(self) -> bool:
        """Whether a month stands beside it."""
        return self.before.strip(".") in MONTHS or self.after.strip(".") in MONTHS


def ways(expansions: str) -> Ways:
    """Expansions of a table as word sequences; "" is one way without words.

    Example:
        >>> ways("a. m.|am")
        [['a.', 'm.'], ['am']]
    """
    return [one.split() for one in expansions.split("|")]


def joined(*parts: Ways, most: int = 24) -> Ways:
    """Every combination of the parts' ways, words joined, at most so many.

    Example:
        >>> joined([["one"], ["a"]], [["half"]])
        [['one', 'half'], ['a', 'half']]
    """
    return [[word for part in chosen for word in part] for chosen in islice(product(*parts), most)]


def amount(number: str) -> Ways:
    """A quantity: whole, with commas, or with a decimal point.

    Example:
        >>> [" ".join(way) for way in amount(".5")]
        ['zero point five', 'point five', 'oh point five']
    """
    plain = number.replace(",", "")
    whole, point, fraction = plain.partition(".")
    if point:
        if int(whole or 0):
            return [[*way, "point", *tail] for way in numbers.cardinals(int(whole))[:2] for tail in _decimals(fraction)]
        return [[*head, "point", *tail] for tail in _decimals(fraction) for head in ([*ways("zero||oh")])]
    indian = [] if re.fullmatch(r"\d{1,3}(,\d{3})*", number) or "," not in number else _lakhs(int(whole))
    hundreds = numbers.pairs(plain) if len(plain) == 4 and plain.endswith("00") else []
    return unique(numbers.cardinals(int(whole)), hundreds, indian)


def _decimals(fraction: str) -> Ways:
    pair = numbers.cardinals(int(fraction)) if len(fraction) == 2 and fraction[0] != "0" else []
    return unique([numbers.digits(fraction)], numbers.spelled(fraction), pair)


def _lakhs(number: int) -> Ways:
    crores, rest = divmod(number, 10**7)
    lakhs, rest = divmod(rest, 10**5)
    words = [
        *([*numbers.cardinal(crores), "crore"] if crores else []),
        *([*numbers.cardinal(lakhs), "lakh"] if lakhs else []),
    ]
    return [[*words, *(numbers.cardinal(rest) if rest else [])]]


def whole(figures: str, near: Neighbours) -> Ways:
    """Digits without anything else: a cardinal, a year, a day of a month, digits one by one.

    Example:
        >>> [" ".join(way) for way in whole("911", Neighbours())][:1]
        ['nine hundred eleven']
    """
    if len(figures) > 1 and figures.startswith("0"):
        short = numbers.cardinals(int(figures)) if len(figures) == 2 else []
        return unique(numbers.spelled(figures), short)
    if len(figures) > 15:
        return numbers.spelled(figures)
    number = int(figures)
    day = _day(number) if near.in_date and 1 <= number <= 31 else []
    if len(figures) < 3:
        return unique(numbers.cardinals(number), [["oh"]] if not number else [], day)
    first = numbers.years(number) if len(figures) == 4 and (1100 <= number <= 2099) else numbers.cardinals(number)
    apart = numbers.pairs(figures) if len(figures) < 5 else []
    return unique(first, apart, numbers.spelled(figures), day)


def _day(number: int) -> Ways:
    ordinal = numbers.ordinals(number)
    return [*ordinal, *[["the", *way] for way in ordinal]]


def unit(name: str, number: str) -> Ways:
    """A unit beside a number: plural first, but for 1; then the singular (`a five kilometer run`) and other names.

    Example:
        >>> [" ".join(way) for way in unit("km", "5")]
        ['kilometers', 'kilometer', 'k. m.', 'k.']
    """
    square = re.fullmatch(r"(.+?)\^?([23])", name)
    if square and square[1] in UNITS:
        power = ("square", "squared") if square[2] == "2" else ("cubic", "cubed")
        return [way for one in unit(square[1], number)[:2] for way in ([power[0], *one], [*one, power[1]])]
    if name not in UNITS and "/" in name:
        left, _, right = name.partition("/")
        return [[*way, link, UNITS[right]] for way in unit(left, number)[:2] for link in ("per", "a")]
    one = UNITS[name].split()
    many = one if (len(one) > 1 and one[0] != "kilowatt") or one[-1] in ALIKE or one[-1].endswith(".") else _plural(one)
    both = [one, many] if number in ("1", "one", "a") else [many, one]
    return unique(both, ways(ALSO[name]) if name in ALSO else [])


def is_unit(name: str) -> bool:
    """Whether `unit` knows it, alone, squared, or by another."""
    left, _, right = name.partition("/")
    bare = re.sub(r"\^?[23]$", "", name)
    return name in UNITS or bare in UNITS or (left in UNITS and right in UNITS)


def _plural(words: list[str]) -> list[str]:
    irregular = {"foot": "feet", "inch": "inches"}
    return [*words[:-1], irregular.get(words[-1], words[-1] + "s")]
