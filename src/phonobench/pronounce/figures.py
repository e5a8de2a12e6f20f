"""Pieces of text with figures and how they may be read: a table of forms, the first that fits the whole piece."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice, product

from phonobench.pronounce import numbers
from phonobench.pronounce.dates import clock, date, fraction, vulgar
from phonobench.pronounce.money import CURRENCY, cents, money, money_behind, sum_of
from phonobench.pronounce.numbers import Ways, unique
from phonobench.pronounce.quantities import NUMBER, SIGNS, Neighbours, amount, is_unit, joined, unit, ways, whole

_ORDINAL = r"(?:st|nd|rd|th)"


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


def _signed(found: re.Match[str], near: Neighbours) -> Ways:
    sign, number = found[1], found[2]
    if not sign and number.isdigit():
        return whole(number, near)
    return joined(ways(SIGNS[sign]), amount(number))


def _measure(found: re.Match[str], near: Neighbours) -> Ways:
    name = found[3].strip("-")
    if not is_unit(name):
        return []
    return joined(ways(SIGNS[found[1]]), amount(found[2]), unit(name, found[2]))


def _percent(found: re.Match[str], near: Neighbours) -> Ways:
    return joined(ways(SIGNS[found[1]]), amount(found[2]), [["percent"]])


def _degrees(found: re.Match[str], near: Neighbours) -> Ways:
    scale = {"c": "celsius|c.|centigrade", "f": "fahrenheit|f.", "": "", "k": "kelvin"}[found[3]]
    one = "degree" if found[2] == "1" else "degrees"
    return joined(ways(SIGNS[found[1]]), amount(found[2]), [[one]], ways(scale))


def _ratio(found: re.Match[str], near: Neighbours) -> Ways:
    parts = [amount(one)[:1] for one in found[0].split(":")]
    return unique(
        *[joined(parts[0], *[part for one in parts[1:] for part in ([[*link]], one)]) for link in (["to"], [], ["by"])]
    )


def _range(found: re.Match[str], near: Neighbours) -> Ways:
    """`5-10`, `1990-2000`, `3-2`, `555-1234`: from one to the other, a result, a telephone number."""
    head, first, second, tail = found[1] or "", found[2], found[3], found[4] or ""
    if tail and tail != "%" and not is_unit(tail):
        return []
    if (len(first), len(second)) in ((3, 4), (5, 4), (5, 5)) and not head + tail:
        return unique(*[[[*numbers.spelled(first)[oh], *numbers.spelled(second)[oh]]] for oh in (0, -1)])
    if head:
        first_ways, second_ways = amount(first)[:2], sum_of(head, second, "", Neighbours())[:3]
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
    parts = re.findall(rf"{NUMBER}|[-+*x×÷/=<>^]", found[0])
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
_N = f"({NUMBER})"
_SIGN = "([-+±~<>≈]?)"
_FORMS: tuple[tuple[str, Reader], ...] = (
    (r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d\d)", date),
    (r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})", date),
    (rf"{_SIGN}{_N}", _signed),
    (rf"(\d+){_ORDINAL}", lambda m, near: numbers.ordinals(int(m[1]))),
    (rf"(\d{{1,3}}(?:,\d{{3}})+){_ORDINAL}", lambda m, near: numbers.ordinals(int(m[1].replace(",", "")))),
    (rf"(\d+){_ORDINAL}-(\d+){_ORDINAL}", _ordinal_range),
    (rf"{_SIGN}{_N}%", _percent),
    (rf"{_SIGN}{_N}°([cfk]?)", _degrees),
    (r"(\d{3,4})'?s", _decade),
    (r"(\d0)'?s", _decade),
    (r"([01]?\d|2[0-3]):([0-5]\d)([ap]\.?m)?", clock),
    (r"(1?\d)\.([0-5]\d)([ap]\.?m)", clock),
    (r"(\d+)([ap])\.?m", lambda m, near: [[*numbers.cardinal(int(m[1])), f"{m[2]}.", "m."]]),
    (rf"{_SIGN}([{CURRENCY}])-?{_N}(k|mn|m|bn|b|tn|t)?", money),
    (rf"{_SIGN}{_N}([{CURRENCY}])", money_behind),
    (rf"([{CURRENCY}])?{_N}-[{CURRENCY}]?{_N}([%a-z°/^]+\d?)?", _range),
    (r"(\d+)([¢p])", cents),
    (r"(\d+)/(\d+)", fraction),
    (r"(\d+)?⁤?(\d+)⁄(\d+)", vulgar),
    (r"(\d+)'(?:(\d{1,2})(?:\"|'')?)?", _feet),
    (rf"{_N}(?:\"|'')", _inches),
    (r"\d+(?::\d+)+", _ratio),
    (rf"{_SIGN}{_N}(-?[a-zµ/]+(?:\^?[23])?)", _measure),
    (r"(\d+|[a-z])\^(\d+)", _power),
    (r"\+?\d+(?:-\d+){2,}", _groups),
    (rf"-?(?:{NUMBER})(?:[-+*x×÷/=<>](?:{NUMBER}))+", _expression),
    (r"\d+(?:\.\d+){2,}", _groups),
    (r"#(\d+)", _sharp),
    (r"(\d+),(\d+)", _listed),
    (rf"{_N}\+", _plus),
    (rf"{_N}[x×]", _multiple),
)
"""Forms with figures and how they are read; the first that fits the whole piece and is read."""
