"""Pieces of text with figures and how they may be read: numbers, money, times, dates, fractions, ranges, units."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice, product

from phonobench.pronounce import numbers
from phonobench.pronounce.abbreviations import (
    ALIKE,
    ALSO,
    MAGNITUDE_OF,
    MAGNITUDES,
    MONEY,
    MONTH_OF,
    MONTHS,
    UNCHANGED,
    UNITS,
)
from phonobench.pronounce.numbers import Ways, unique

_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,2}(?:,\d\d)+,\d{3}|\d*\.\d+|\d+"
_CURRENCY = "".join(MONEY)
_ORDINAL = r"(?:st|nd|rd|th)"
_HALVES = {2: "half", 3: "third", 4: "quarter", 8: "eighth", 10: "tenth", 100: "hundredth"}
_SIGNS = {"-": "minus|negative", "+": "plus|positive", "±": "plus or minus", "~": "about|approximately|around",
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


def read(figure: str, near: Neighbours) -> Ways:
    """Every way to read a piece with figures, the most expected first; [] for an unknown form.

    Args:
        figure: lower case, without the punctuation around it.
        near: what stands beside it.

    Example:
        >>> [" ".join(way) for way in read("1/2", Neighbours())][:2]
        ['one half', 'a half']
        >>> read("1-2-3x", Neighbours())
        []
    """
    for form, reader in _FORMS:
        found = re.fullmatch(form, figure)
        if found:
            made = reader(found, near)
            if made:
                return unique(made, most=16)
    return []


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
    number = int(figures)
    if len(figures) > 15:
        return numbers.spelled(figures)
    day = _day(number) if near.in_date and 1 <= number <= 31 else []
    if len(figures) < 3:
        return unique(numbers.cardinals(number), [["oh"]] if not number else [], day)
    first = numbers.years(number) if len(figures) == 4 and (1100 <= number <= 2099) else numbers.cardinals(number)
    apart = numbers.pairs(figures) if len(figures) < 5 else []
    return unique(first, apart, numbers.spelled(figures), day)


def _day(number: int) -> Ways:
    ordinal = numbers.ordinals(number)
    return [*ordinal, *[["the", *way] for way in ordinal]]


def _signed(found: re.Match[str], near: Neighbours) -> Ways:
    sign, number = found[1], found[2]
    if not sign and number.isdigit():
        return whole(number, near)
    return joined(ways(_SIGNS[sign]), amount(number))


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


def _measure(found: re.Match[str], near: Neighbours) -> Ways:
    name = found[3].strip("-")
    if not is_unit(name):
        return []
    return joined(ways(_SIGNS[found[1]]), amount(found[2]), unit(name, found[2]))


def _percent(found: re.Match[str], near: Neighbours) -> Ways:
    return joined(ways(_SIGNS[found[1]]), amount(found[2]), [["percent"]])


def _degrees(found: re.Match[str], near: Neighbours) -> Ways:
    scale = {"c": "celsius|c.|centigrade", "f": "fahrenheit|f.", "": "", "k": "kelvin"}[found[3]]
    one = "degree" if found[2] == "1" else "degrees"
    return joined(ways(_SIGNS[found[1]]), amount(found[2]), [[one]], ways(scale))


def _clock(found: re.Match[str], near: Neighbours) -> Ways:
    hour, minute = int(found[1]), int(found[2])
    half = found[3] or ""
    name, end = numbers.cardinal(hour), [f"{letter}." for letter in half if letter.isalpha()]
    if not minute:
        follows = near.after.replace(".", "") in ("am", "pm")
        clock = [*name, "o'clock"]
        hundred = [[*name, "hundred"]] if hour else []
        return [[*name, *end], clock] if end else unique([name, clock] if follows else [clock, name], hundred)
    low = numbers.cardinal(minute)
    found_ways = [[*name, "oh", *low, *end], [*name, *low, *end]] if minute < 10 else [[*name, *low, *end]]
    following = numbers.cardinal(hour % 12 + 1)
    named = {15: [["quarter", "past", *name], ["a", "quarter", "past", *name]], 30: [["half", "past", *name]],
             45: [["quarter", "to", *following], ["a", "quarter", "to", *following]]}.get(minute, [])  # fmt: skip
    past = [[*low, "past", *name]] if minute < 30 else [[*numbers.cardinal(60 - minute), "to", *following]]
    return [*found_ways, *[[*way, *end] for way in [*named, *past]]]


def _ratio(found: re.Match[str], near: Neighbours) -> Ways:
    parts = [amount(one)[:1] for one in found[0].split(":")]
    return unique(
        *[joined(parts[0], *[part for one in parts[1:] for part in ([[*link]], one)]) for link in (["to"], [], ["by"])]
    )


def _money(found: re.Match[str], near: Neighbours) -> Ways:
    sign, currency, number, magnitude = found[1], found[2], found[3], found[4]
    return joined(ways(_SIGNS[sign]), _sum(currency, number, magnitude or "", near))


def _money_behind(found: re.Match[str], near: Neighbours) -> Ways:
    return joined(ways(_SIGNS[found[1]]), _sum(found[3], found[2], "", near))


def _sum(currency: str, number: str, magnitude: str, near: Neighbours) -> Ways:
    one, hundredth = MONEY[currency]
    names = ["yen", "yuan"] if currency == "¥" else [one if one in UNCHANGED else one + "s"]
    whole_, _, fraction = number.replace(",", "").partition(".")
    if near.after in MAGNITUDES and not magnitude:  # the currency follows the magnitude: `normalise` adds it
        return amount(number)
    if magnitude:
        return [[*way, MAGNITUDE_OF[magnitude], name] for way in amount(number)[:2] for name in names]
    if not fraction or (not int(fraction) and len(fraction) <= 2):
        single = int(whole_ or 0) == 1
        article = [["a", one]] if single and not number.startswith("0") else []
        return [[*way, one if single else name] for way in amount(whole_ or "0") for name in names] + article
    if len(fraction) != 2 or not hundredth:
        return [[*way, name] for way in amount(number) for name in names]
    cents = [
        *numbers.cardinal(int(fraction)),
        hundredth if int(fraction) == 1 or hundredth in UNCHANGED else hundredth + "s",
    ]
    if not int(whole_ or 0):
        return [cents]
    first = [*numbers.cardinal(int(whole_)), one if int(whole_) == 1 or one in UNCHANGED else one + "s"]
    plain = cents[:-1] if int(fraction) > 9 else ["oh", *cents[:-1]]
    return [[*first, "and", *cents], [*first, *cents], [*first, *plain], [*numbers.cardinal(int(whole_)), *plain]]


def _cents(found: re.Match[str], near: Neighbours) -> Ways:
    name = "cent" if found[2] == "¢" else "penny" if found[1] == "1" else "pence"
    name = name + "s" if name == "cent" and found[1] != "1" else name
    return [[*way, name] for way in numbers.cardinals(int(found[1]))] + (
        [] if found[2] == "¢" else joined(amount(found[1]), ways("p."))
    )


def _fraction(found: re.Match[str], near: Neighbours) -> Ways:
    """`3/4`: a fraction, a day of a year, a quotient, one out of the other."""
    high, low = int(found[1]), int(found[2])
    top, bottom = numbers.cardinal(high), numbers.cardinal(low)
    over: Ways = [[*top, link, *bottom] for link in ("over", "slash")] + [[*top, *bottom], [*top, "out", "of", *bottom]]
    over.append([*top, "of", *bottom])
    fractions = _parts(high, low) if high > 0 and 1 < low <= 100 else []
    if re.fullmatch(r"\d+", near.before) and high < low:  # `1 1/2`
        return [["and", *way] for way in [*fractions[1:2], *fractions] if way[0] in ("a", "an", *top[:1])] + fractions
    dates = [*_month_day(high, low), *_month_day(low, high)]
    if high == low:
        return unique([[*top, *bottom]], over, fractions, dates)
    if len(found[1]) == 4 and 1100 <= high <= 2099:  # 2019/20
        tails = numbers.years(low)[:1] if len(found[2]) == 4 else [bottom]
        return [
            [*way, *link, *tail]
            for way in numbers.years(high)[:2]
            for tail in tails
            for link in ([], ["to"], ["slash"])
        ]
    return unique(fractions if low <= 20 or high == 1 else [], over, fractions, dates)[:16]


def _parts(high: int, low: int) -> Ways:
    top = numbers.cardinal(high)
    names = [_HALVES[low]] if low in _HALVES else []
    names += ["fourth"] if low == 4 else []
    *first, last = numbers.ordinal(low)
    several = [[*first, last]] if not names else [[name] for name in names]
    made: Ways = []
    for name in several:
        tail = name if high == 1 else [*name[:-1], "halves" if name[-1] == "half" else name[-1] + "s"]
        article = "an" if tail[0].startswith("e") else "a"
        made += [[*top, *tail]] + ([[article, *tail]] if high == 1 else [])
    return made + ([["half"]] if (high, low) == (1, 2) else [])


def _vulgar(found: re.Match[str], near: Neighbours) -> Ways:
    """`½`, `1½`: with the fraction slash there is nothing but a fraction."""
    parts = _parts(int(found[2]), int(found[3]))
    if not found[1]:
        return parts
    said = [way for way in parts if way[0] in ("a", "an", "one")] if found[2] == "1" else parts
    tails = sorted(said, key=lambda way: way[0] == "one")
    return [[*way, "and", *tail] for way in amount(found[1])[:2] for tail in tails]


def _month_day(month: int, day: int) -> Ways:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return []
    name, ordinal, cardinal = MONTH_OF[month], numbers.ordinal(day), numbers.cardinal(day)
    return [
        [name, *ordinal],
        ["the", *ordinal, "of", name],
        [*ordinal, "of", name],
        [name, *cardinal],
        [name, "the", *ordinal],
    ]


def _date(found: re.Match[str], near: Neighbours) -> Ways:
    first, mark, second, third = found[1], found[2], found[3], found[4]
    if len(first) == 4:
        dates, year = _month_day(int(second), int(third)), first
    else:
        dates, year = [*_month_day(int(first), int(second)), *_month_day(int(second), int(first))], third
    if not dates or (mark == "." and len(year) == 2):
        return []
    spoken = numbers.years(int(year))[:3] if len(year) == 4 else [*numbers.spelled(year), *numbers.cardinals(int(year))]
    if len(year) == 2:
        spoken = unique(
            numbers.years(2000 + int(year))[:2],
            [numbers.cardinal(int(year))] if int(year) > 9 else [["oh", *numbers.cardinal(int(year))]],
        )
    link = {"/": "slash", "-": "dash", ".": "dot"}[mark]
    plain = [numbers.cardinal(int(first)) if len(first) < 4 else spoken[0], numbers.cardinal(int(second)),
             spoken[0] if len(third) != 2 or len(year) == 2 else numbers.cardinal(int(third))]  # fmt: skip
    bare = [word for part in plain for word in part]
    linked = [*plain[0], link, *plain[1], link, *plain[2]]
    return [
        *[[*date, *spoken[0]] for date in dates],
        bare,
        linked,
        *[[*date, *way] for date in dates for way in spoken[1:]],
    ]


def _range(found: re.Match[str], near: Neighbours) -> Ways:
    """`5-10`, `1990-2000`, `3-2`, `555-1234`: from one to the other, a result, a telephone number."""
    head, first, second, tail = found[1] or "", found[2], found[3], found[4] or ""
    if tail and tail != "%" and not is_unit(tail):
        return []
    if (len(first), len(second)) in ((3, 4), (5, 4), (5, 5)) and not head + tail:
        return unique(*[[[*numbers.spelled(first)[oh], *numbers.spelled(second)[oh]]] for oh in (0, -1)])
    if head:
        first_ways, second_ways = amount(first)[:2], _sum(head, second, "", Neighbours())[:3]
    else:
        first_ways = _end(first)[:3]
        second_ways = joined(_end(second), [["percent"]] if tail == "%" else unit(tail, second)[:2] if tail else [[]])[
            :4
        ]
    links: Ways = [["to"], [], ["through"], ["dash"], ["minus"]]
    return [
        [*a, *link, *b]
        for link in links
        for a, b in islice(product(first_ways, second_ways), 6 if link == ["to"] else 2)
    ]


def _end(number: str) -> Ways:
    is_year = re.fullmatch(r"1[1-9]\d\d|20\d\d", number)
    return unique(
        numbers.years(int(number)) if is_year else amount(number), numbers.cardinals(int(number)) if is_year else []
    )


def _ordinal_range(found: re.Match[str], near: Neighbours) -> Ways:
    return joined(numbers.ordinals(int(found[1]))[:2], ways("to|"), numbers.ordinals(int(found[2]))[:2])


def _groups(found: re.Match[str], near: Neighbours) -> Ways:
    """Groups of digits: a telephone number, an address of a computer."""
    groups = re.split(r"[-.]", found[0].lstrip("+"))
    head = [["plus"]] if found[0].startswith("+") else [[]]
    link = ["dot"] if "." in found[0] else []
    spelled = [[numbers.spelled(one)[-1 if oh else 0] for one in groups] for oh in (False, True)]
    freely = [numbers.cardinal(int(one)) for one in groups] if all(len(one) < 4 for one in groups) else spelled[0]
    if found[0].startswith("1-800-"):
        spelled += [[["one"], ["eight", "hundred"], *one[2:]] for one in spelled]
    order = [freely, *spelled] if link else [*spelled, freely]
    links = (["point"], ["dot"]) if link else ([],)
    made = [
        [w for place, one in enumerate(parts) for w in [*(between if place else []), *one]]
        for parts in order
        for between in links
    ]
    return joined(head, made)


def _decade(found: re.Match[str], near: Neighbours) -> Ways:
    number = int(found[1])
    if len(found[1]) < 4:
        return [numbers.plural(way) for way in numbers.cardinals(number)] + (
            [[numbers.plural([way[-1]])[0]] for way in numbers.cardinals(number)[:1]] if number in (100, 1000) else []
        )
    return [numbers.plural(way) for way in numbers.years(number)]


def _feet(found: re.Match[str], near: Neighbours) -> Ways:
    feet, inches = numbers.cardinal(int(found[1])), numbers.cardinal(int(found[2])) if found[2] else []
    if not inches:
        return [[*feet, "feet"], [*feet, "foot"], [*feet, "minutes"]]
    return [
        [*feet, "foot", *inches],
        [*feet, "feet", *inches, "inches"],
        [*feet, "feet", *inches],
        [*feet, *inches],
        [*feet, "foot", *inches, "inches"],
    ]


def _inches(found: re.Match[str], near: Neighbours) -> Ways:
    return joined(amount(found[1]), ways("inches|inch|"))


def _expression(found: re.Match[str], near: Neighbours) -> Ways:
    said = {"+": "plus|and", "-": "minus", "*": "times", "x": "times|by", "×": "times|by", "÷": "divided by",
            "/": "divided by|over", "=": "equals|is|makes", "<": "is less than",
            ">": "is greater than", "^": "to the power of|to the"}  # fmt: skip
    parts = re.findall(rf"{_NUMBER}|[-+*x×÷/=<>^]", found[0])
    return joined(*[ways(said[one]) if one in said else amount(one)[:1] for one in parts])


def _power(found: re.Match[str], near: Neighbours) -> Ways:
    base = amount(found[1])[:1] if found[1][0].isdigit() else [[found[1] + "."]]
    number = int(found[2])
    named = {2: "squared|to the second", 3: "cubed|to the third"}.get(number, "")
    rest = [["to", "the", *way] for way in numbers.ordinals(number)[:1]] + [
        ["to", "the", "power", "of", *numbers.cardinal(number)]
    ]
    return joined(base, [*(ways(named) if named else []), *rest])


def _sharp(found: re.Match[str], near: Neighbours) -> Ways:
    return joined(ways("number|hashtag|hash|pound"), whole(found[1], near))


def _listed(found: re.Match[str], near: Neighbours) -> Ways:
    """`3,5`: a list, or a decimal comma."""
    first, second = found[1], found[2]
    return unique(
        joined(amount(first), amount(second)), [[*way, "point", *numbers.digits(second)] for way in amount(first)]
    )


def _plus(found: re.Match[str], near: Neighbours) -> Ways:
    return joined(amount(found[1]), ways("plus|and over"))


def _multiple(found: re.Match[str], near: Neighbours) -> Ways:
    return joined(amount(found[1]), ways("times|x."))


Reader = Callable[[re.Match[str], Neighbours], Ways]
_N = f"({_NUMBER})"
_SIGN = "([-+±~<>≈]?)"
_FORMS: tuple[tuple[str, Reader], ...] = (
    (r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d\d)", _date),
    (r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})", _date),
    (rf"{_SIGN}{_N}", _signed),
    (rf"(\d+){_ORDINAL}", lambda m, near: numbers.ordinals(int(m[1]))),
    (rf"(\d{{1,3}}(?:,\d{{3}})+){_ORDINAL}", lambda m, near: numbers.ordinals(int(m[1].replace(",", "")))),
    (rf"(\d+){_ORDINAL}-(\d+){_ORDINAL}", _ordinal_range),
    (rf"{_SIGN}{_N}%", _percent),
    (rf"{_SIGN}{_N}°([cfk]?)", _degrees),
    (r"(\d{3,4})'?s", _decade),
    (r"(\d0)'?s", _decade),
    (r"([01]?\d|2[0-3]):([0-5]\d)([ap]\.?m)?", _clock),
    (r"(1?\d)\.([0-5]\d)([ap]\.?m)", _clock),
    (r"(\d+)([ap])\.?m", lambda m, near: [[*numbers.cardinal(int(m[1])), f"{m[2]}.", "m."]]),
    (rf"{_SIGN}([{_CURRENCY}])-?{_N}(k|mn|m|bn|b|tn|t)?", _money),
    (rf"{_SIGN}{_N}([{_CURRENCY}])", _money_behind),
    (rf"([{_CURRENCY}])?{_N}-[{_CURRENCY}]?{_N}([%a-z°/^]+\d?)?", _range),
    (r"(\d+)([¢p])", _cents),
    (r"(\d+)/(\d+)", _fraction),
    (r"(\d+)?⁤?(\d+)⁄(\d+)", _vulgar),
    (r"(\d+)'(?:(\d{1,2})(?:\"|'')?)?", _feet),
    (rf"{_N}(?:\"|'')", _inches),
    (r"\d+(?::\d+)+", _ratio),
    (rf"{_SIGN}{_N}(-?[a-zµ/]+(?:\^?[23])?)", _measure),
    (r"(\d+|[a-z])\^(\d+)", _power),
    (r"\+?\d+(?:-\d+){2,}", _groups),
    (rf"-?(?:{_NUMBER})(?:[-+*x×÷/=<>](?:{_NUMBER}))+", _expression),
    (r"\d+(?:\.\d+){2,}", _groups),
    (r"#(\d+)", _sharp),
    (r"(\d+),(\d+)", _listed),
    (rf"{_N}\+", _plus),
    (rf"{_N}[x×]", _multiple),
)
"""Forms with figures and how they are read; the first that fits the whole piece and is read."""
