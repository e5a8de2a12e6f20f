"""Times of day, dates and fractions, which look alike: `9:30`, `5/10`, `2020-12-25`, `1½`."""

from __future__ import annotations

import re

from phonobench.pronounce import numbers
from phonobench.pronounce.abbreviations import MONTH_OF
from phonobench.pronounce.numbers import Ways, unique
from phonobench.pronounce.quantities import Neighbours, amount

_HALVES = {2: "half", 3: "third", 4: "quarter", 8: "eighth", 10: "tenth", 100: "hundredth"}


def clock(found: re.Match[str], near: Neighbours) -> Ways:
    """A time of day: `9:00`, `9:30pm`, `9.30am`; with quarters and halves of an hour."""
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


def fraction(found: re.Match[str], near: Neighbours) -> Ways:
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


def vulgar(found: re.Match[str], near: Neighbours) -> Ways:
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


def date(found: re.Match[str], near: Neighbours) -> Ways:
    """A date in figures: month and day in either order, the year first or last."""
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
