"""Amounts of money: `$3.50`, `$3 million`, `20€`, `50¢`."""

from __future__ import annotations

import re

from phonobench.pronounce import numbers
from phonobench.pronounce.abbreviations import MAGNITUDE_OF, MAGNITUDES, MONEY, UNCHANGED
from phonobench.pronounce.numbers import Ways
from phonobench.pronounce.quantities import SIGNS, Neighbours, amount, joined, ways

CURRENCY = "".join(MONEY)


def money(found: re.Match[str], near: Neighbours) -> Ways:
    """A sum with the currency before it: `$5`, `-$5`, `$5M`."""
    sign, currency, number, magnitude = found[1], found[2], found[3], found[4]
    return joined(ways(SIGNS[sign]), sum_of(currency, number, magnitude or "", near))


def money_behind(found: re.Match[str], near: Neighbours) -> Ways:
    """A sum with the currency behind it: `20€`."""
    return joined(ways(SIGNS[found[1]]), sum_of(found[3], found[2], "", near))


def sum_of(currency: str, number: str, magnitude: str, near: Neighbours) -> Ways:
    """A number of a currency, with cents or a magnitude."""
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


def cents(found: re.Match[str], near: Neighbours) -> Ways:
    """Cents and pence: `50¢`, `50p`."""
    name = "cent" if found[2] == "¢" else "penny" if found[1] == "1" else "pence"
    name = name + "s" if name == "cent" and found[1] != "1" else name
    return [[*way, name] for way in numbers.cardinals(int(found[1]))] + (
        [] if found[2] == "¢" else joined(amount(found[1]), ways("p."))
    )
