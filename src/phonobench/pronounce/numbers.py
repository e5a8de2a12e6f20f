"""Numbers as they are read aloud in American English, in words that a lexicon knows."""

from __future__ import annotations

_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (10**3, "thousand"))
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip

LARGEST = 10**15 - 1
"""Larger numbers are read digit by digit."""


def cardinal(number: int) -> list[str]:
    """A whole number; above `LARGEST` digit by digit.

    Example:
        >>> " ".join(cardinal(105))
        'one hundred five'
    """
    if number > LARGEST:
        return digits(str(number))
    words: list[str] = []
    for scale, name in _SCALES:
        if number >= scale:
            words += [*_below_thousand(number // scale), name]
            number %= scale
    return words + _below_thousand(number) if number or not words else words


def ordinal(number: int) -> list[str]:
    """An ordinal number.

    Example:
        >>> " ".join(ordinal(42))
        'forty second'
    """
    *first, last = cardinal(number)
    if last in _ORDINALS:
        return [*first, _ORDINALS[last]]
    return [*first, last[:-1] + "ieth" if last.endswith("y") else last + "th"]


def year(number: int) -> list[str]:
    """A number that is a year, if it is one of 1100 to 1999 or 2010 to 2099; else as `cardinal`.

    Example:
        >>> [" ".join(year(number)) for number in (1984, 1900, 1905, 2005)]
        ['nineteen eighty four', 'nineteen hundred', 'nineteen oh five', 'two thousand five']
    """
    high, low = divmod(number, 100)
    if not 1100 <= number <= 2099 or 2000 <= number <= 2009:
        return cardinal(number)
    if low == 0:
        return [*_below_thousand(high), "hundred"]
    return [*_below_thousand(high), *(["oh", _ONES[low]] if low < 10 else _below_thousand(low))]


def decimal(whole: str, fraction: str) -> list[str]:
    """A decimal fraction from the digits before and after the point.

    Example:
        >>> " ".join(decimal("3", "14"))
        'three point one four'
    """
    return [*cardinal(int(whole or "0")), "point", *digits(fraction)]


def digits(figures: str) -> list[str]:
    """A number digit by digit.

    Example:
        >>> digits("007")
        ['zero', 'zero', 'seven']
    """
    return [_ONES[int(figure)] for figure in figures]


def plural(words: list[str]) -> list[str]:
    """The plural of a number in words.

    Example:
        >>> plural(["nineteen", "eighty"])
        ['nineteen', 'eighties']
    """
    *first, last = words
    return [*first, last[:-1] + "ies" if last.endswith("y") else last + ("es" if last.endswith("x") else "s")]


def _below_thousand(number: int) -> list[str]:
    words = [_ONES[number // 100], "hundred"] if number >= 100 else []
    number %= 100
    if number >= 20:
        words.append(_TENS[number // 10])
        number %= 10
        return [*words, _ONES[number]] if number else words
    return [*words, _ONES[number]] if number or not words else words


Ways = list[list[str]]
"""Several ways to read one thing, the most expected first."""


def unique(*ways: Ways, most: int = 12) -> Ways:
    """All ways in order, each once, at most so many.

    Example:
        >>> unique([["oh"]], [["zero"], ["oh"]])
        [['oh'], ['zero']]
    """
    return [list(one) for one in dict.fromkeys(tuple(way) for group in ways for way in group)][:most]


def cardinals(number: int) -> Ways:
    """A whole number as it may be read: with `and`, with `a` in place of `one`.

    Example:
        >>> [" ".join(way) for way in cardinals(105)]
        ['one hundred five', 'one hundred and five', 'a hundred five', 'a hundred and five']
    """
    plain = cardinal(number)
    ways = [plain]
    if 100 < number <= LARGEST and number % 100:
        at = len(plain) - len(_below_thousand(number % 100))
        ways.append([*plain[:at], "and", *plain[at:]])
    if number >= 100 and plain[0] == "one" and number <= LARGEST:
        ways += [["a", *way[1:]] for way in list(ways)]
    return ways


def ordinals(number: int) -> Ways:
    """An ordinal number as it may be read.

    Example:
        >>> [" ".join(way) for way in ordinals(101)][:2]
        ['one hundred first', 'one hundred and first']
    """
    last = ordinal(number)[-1]
    return [[*way[:-1], last] for way in cardinals(number)]


def years(number: int) -> Ways:
    """A year as it may be read, `year` first.

    Example:
        >>> [" ".join(way) for way in years(2010)][:3]
        ['twenty ten', 'two thousand ten', 'two thousand and ten']
    """
    high, low = divmod(number, 100)
    split = [[*_below_thousand(high), *(["oh", _ONES[low]] if 0 < low < 10 else _below_thousand(low))]] if low else []
    hundred = [[*_below_thousand(high), "hundred", "and", *_below_thousand(low)]] if low and high % 10 else []
    return unique([year(number)], cardinals(number)[:2], split if high >= 10 else [], hundred)


def spelled(figures: str) -> Ways:
    """A number digit by digit, zeros as `zero`, as `oh`, and two of them at the start as `double oh`.

    Example:
        >>> [" ".join(way) for way in spelled("007")]
        ['zero zero seven', 'oh oh seven', 'double oh seven']
    """
    zero = digits(figures)
    oh = ["oh" if word == "zero" else word for word in zero]
    double = [["double", *oh[1:]]] if figures.startswith("00") else []
    return unique([zero], [oh], double)


def pairs(figures: str) -> Ways:
    """Three or four digits in two parts: `nine eleven`, `three oh five`, `twelve thirty four`, `fifteen hundred`.

    Example:
        >>> pairs("911"), pairs("1500")
        ([['nine', 'eleven']], [['fifteen', 'hundred']])
    """
    high, low = int(figures[:-2]), int(figures[-2:])
    if not high or (high < 10 and not low) or (not low and high % 10 == 0):
        return []
    tail = ["hundred"] if not low else ["oh", _ONES[low]] if low < 10 else _below_thousand(low)
    return [[*_below_thousand(high), *tail]]
