"""Tables of what is written short: abbreviations, units, symbols, currencies, months.

Expansions are separated by `|`, the most expected first; the audio decides between them.
"""

from __future__ import annotations

ALWAYS: dict[str, str] = {
    "approx": "approximately|approx", "appt": "appointment", "assn": "association", "assoc": "associates|association",
    "attn": "attention", "blvd": "boulevard", "bldg": "building", "capt": "captain", "cmdr": "commander",
    "cpl": "corporal", "dept": "department", "depts": "departments", "esp": "especially", "esq": "esquire",
    "govt": "government", "hwy": "highway", "incl": "including|included", "intl": "international",
    "lt": "lieutenant", "mgr": "manager", "misc": "miscellaneous", "mt": "mount|mountain|m. t.", "mts": "mountains",
    "natl": "national", "pkwy": "parkway", "prof": "professor|prof", "rd": "road", "sgt": "sergeant",
    "supt": "superintendent", "univ": "university", "vs": "versus|v. s.", "pp": "pages", "pg": "page", "nos": "numbers",
    "vol": "volume", "vols": "volumes", "avg": "average", "hrs": "hours", "mins": "minutes", "secs": "seconds",
    "yr": "year", "yrs": "years", "wk": "week", "wks": "weeks", "qty": "quantity", "etc": "etc", "cf": "compare|c. f.",
    "ie": "i. e.|that is", "eg": "e. g.|for example", "aka": "a. k. a.|also known as", "nr": "near|number",
    "i.e": "i. e.|that is", "e.g": "e. g.|for example", "a.k.a": "a. k. a.|also known as", "et al": "et al",
    "apr": "april", "jul": "july", "tues": "tuesday", "thu": "thursday", "thur": "thursday", "thurs": "thursday",
    "calif": "california", "fla": "florida", "minn": "minnesota", "ariz": "arizona",
}  # fmt: skip
"""Short for one thing wherever they stand, with a full stop or without."""

DOTTED: dict[str, str] = {
    "ave": "avenue", "gen": "general", "gov": "governor", "sen": "senator", "rep": "representative|rep",
    "rev": "reverend", "hon": "honorable", "col": "colonel", "inc": "incorporated", "corp": "corporation",
    "co": "company", "fig": "figure", "figs": "figures", "sec": "section|seconds|second", "ed": "edition|editor",
    "tel": "telephone", "apt": "apartment", "max": "maximum", "min": "minutes|minimum|minute", "temp": "temperature",
    "art": "article", "ch": "chapter", "p": "page|p.", "pt": "part|point", "ext": "extension", "oz": "ounces|ounce",
    "est": "established|estimated", "ca": "circa|c. a.", "v": "versus|v.", "pres": "president", "maj": "major",
    "bros": "brothers", "mass": "massachusetts", "wash": "washington", "ill": "illinois", "tex": "texas",
    "conn": "connecticut", "mich": "michigan", "wis": "wisconsin", "colo": "colorado", "ore": "oregon",
    "no": "number", "st": "saint|street", "dr": "doctor|drive", "ft": "fort|feet|foot", "ln": "lane", "sq": "square",
    "jan": "january", "feb": "february", "mar": "march", "jun": "june", "aug": "august", "sep": "september",
    "sept": "september", "oct": "october", "nov": "november", "dec": "december", "mon": "monday", "tue": "tuesday",
    "wed": "wednesday", "fri": "friday", "sat": "saturday", "sun": "sunday", "sr": "senior", "jr": "junior",
    "lb": "pounds|pound", "lbs": "pounds|pound", "in": "inches|inch", "mi": "miles|mile", "hr": "hours|hour",
}  # fmt: skip
"""Short for these where a full stop follows, or a number stands beside them; else they are words or letters."""
NUMBERED = frozenset({"no", "p", "in", "v"})
"""Of these the ones that are short only beside a number."""

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
MONTHS: dict[str, str] = {
    **{name: name for name in _MONTHS},
    **{name[:3]: name for name in _MONTHS},
    "sept": "september",
}
MONTH_OF: dict[int, str] = dict(enumerate(_MONTHS, start=1))
DAYS = frozenset({"mon", "tue", "tues", "wed", "thu", "thur", "thurs", "fri", "sat", "sun"})

SPECIAL: dict[str, str] = {
    "&": "and", "+": "plus", "=": "equals|is", "@": "at", "%": "percent", "w/": "with", "w/o": "without",
    "b/c": "because", "n/a": "n. a.|not applicable", "c/o": "care of|c. o.", "a/c": "a. c.|account",
    "24/7": "twenty four seven",
    "9/11": "nine eleven|nine slash eleven|september eleventh|nine elevenths", "7-eleven": "seven eleven",
    "c++": "c. plus plus", "c#": "c. sharp", "×": "times|by", "÷": "divided by", "≈": "is about|is approximately",
    "≤": "is less than or equal to", "≥": "is greater than or equal to", "≠": "is not equal to|does not equal",
    "°": "degrees|degree", "'n'": "'n|and", "n'": "'n|and", "'n": "'n|and", "rock'n'roll": "rock 'n roll|rock and roll",
    "°c": "degrees celsius|degrees centigrade|degrees c.|celsius", "°f": "degrees fahrenheit|degrees f.|fahrenheit",
    "§": "section|paragraph", "№": "number", "#": "number|hash|pound",
}  # fmt: skip
"""Whole pieces (lower case) with a reading of their own."""
BETWEEN_NUMBERS: dict[str, str] = {
    "-": "minus|to", "*": "times", "x": "times|by|x.", "<": "is less than|less than",
    ">": "is greater than|greater than",
    "/": "over|divided by|slash",
}  # fmt: skip
"""Pieces that are read only between two numbers, else they are marks (`x` is a letter)."""

UNITS: dict[str, str] = {
    "km": "kilometer", "m": "meter", "cm": "centimeter", "mm": "millimeter", "µm": "micrometer", "nm": "nanometer",
    "mi": "mile", "yd": "yard", "yds": "yard", "ft": "foot", "in": "inch", "kg": "kilogram", "kgs": "kilogram",
    "g": "gram", "mg": "milligram", "lb": "pound", "lbs": "pound", "oz": "ounce", "t": "ton", "l": "liter",
    "ml": "milliliter",
    "cl": "centiliter", "gal": "gallon", "qt": "quart", "h": "hour", "hr": "hour", "hrs": "hour", "min": "minute",
    "mins": "minute", "s": "second", "sec": "second", "secs": "second", "ms": "millisecond", "kb": "kilobyte",
    "mb": "megabyte", "gb": "gigabyte", "tb": "terabyte", "mbps": "megabits per second", "hz": "hertz",
    "khz": "kilohertz", "mhz": "megahertz", "ghz": "gigahertz", "w": "watt", "kw": "kilowatt", "mw": "megawatt",
    "kwh": "kilowatt hour", "v": "volt", "ha": "hectare", "cal": "calorie", "kcal": "kilocalorie", "db": "decibel",
    "px": "pixel", "pts": "point", "mph": "miles per hour", "kph": "kilometers per hour",
    "rpm": "revolutions per minute",
    "km/h": "kilometers per hour", "kmh": "kilometers per hour", "m/s": "meters per second", "fps": "frames per second",
    "k": "thousand", "bn": "billion", "mn": "million", "tn": "trillion", "cc": "c. c.", "pm": "p. m.", "am": "a. m.",
    "mpg": "miles per gallon", "bpm": "beats per minute", "yr": "year", "yrs": "year", "wks": "week",
}  # fmt: skip
"""Units beside a number, in the singular; those of several words, and `_ALIKE`, are alike in the plural."""
ALIKE = frozenset({"hertz", "kilohertz", "megahertz", "gigahertz", "thousand", "million", "billion", "trillion"})
ALSO: dict[str, str] = {
    "m": "minutes|million|m.", "k": "k.|kilometers", "kg": "kilos|kilo|k. g.", "km": "k. m.|k.", "cm": "c. m.",
    "mm": "m. m.",
    "mph": "m. p. h.", "gb": "g. b.|gigs", "mb": "m. b.|megs", "kph": "k. p. h.", "lbs": "l. b. s.", "s": "s.",
    "g": "g.", "l": "l.", "v": "v.", "w": "w.", "t": "t.|tonnes", "h": "h.", "km/h": "kilometers an hour|k. m. h.",
    "rpm": "r. p. m.", "db": "d. b.", "fps": "f. p. s.", "ml": "m. l.|mils", "mg": "m. g.", "bpm": "b. p. m.",
    "mpg": "m. p. g.", "am": "am", "in": "in", "min": "min", "sec": "sec", "hr": "h. r.",
}  # fmt: skip
"""What else a unit may be read as."""
WORDS_TOO = frozenset({"in", "am", "t", "pts", "min", "sec", "cal", "ha"})
"""Units that are words where a blank stands between them and the number: tried after the word, without a full stop."""

MONEY: dict[str, tuple[str, str]] = {
    "$": ("dollar", "cent"), "€": ("euro", "cent"), "£": ("pound", "pence"), "¥": ("yen", ""), "₹": ("rupee", ""),
    "₩": ("won", ""), "₽": ("ruble", ""),
}  # fmt: skip
UNCHANGED = frozenset({"yen", "won", "pence"})
"""Currencies without a plural of their own."""
MAGNITUDES = ("hundred", "thousand", "million", "billion", "trillion")
MAGNITUDE_OF = {
    "k": "thousand",
    "m": "million",
    "mn": "million",
    "mm": "million",
    "b": "billion",
    "bn": "billion",
    "t": "trillion",
    "tn": "trillion",
}

BEFORE_ROMAN = frozenset(
    [
        "war",
        "chapter",
        "part",
        "act",
        "volume",
        "vol",
        "book",
        "type",
        "phase",
        "article",
        "section",
        "title",
        "class",
        "grade",
        "level",
        "stage",
        "rocky",
        "series",
        "bowl",
        "world",
        "scene",
        "appendix",
        "form",
        "tier",
        "category",
        "year",
        "vatican",
        "apollo",
        "final",
        "fantasy",
        "episode",
        "season",
        "unit",
    ]
)
"""Words after which V, X or I is a number."""
KINGS = frozenset(
    [
        "henry",
        "elizabeth",
        "charles",
        "louis",
        "james",
        "george",
        "edward",
        "richard",
        "william",
        "john",
        "paul",
        "pius",
        "benedict",
        "philip",
        "francis",
        "gregory",
        "leo",
        "mary",
        "alexander",
        "catherine",
        "frederick",
        "nicholas",
        "peter",
        "ivan",
        "napoleon",
        "clement",
        "urban",
        "innocent",
        "boniface",
        "albert",
        "leopold",
        "wilhelm",
        "ferdinand",
        "alfonso",
        "alphonse",
        "gustav",
        "christian",
        "harold",
        "ramses",
        "ptolemy",
    ]
)
DOMAINS = frozenset(["com", "org", "net", "edu", "gov", "io", "co", "uk", "de", "us", "info", "biz", "ai", "js", "py"])
