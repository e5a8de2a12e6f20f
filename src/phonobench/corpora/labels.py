"""One entry of `scores.json` -> the prompt and the judgement of an utterance.

Scores are kept as they are (sentences and words 0..10, phones 0..2, null becomes NaN); stress digits are stripped.
A `mispronunciations` block, which the official release has for phones scored below 0.5, names the phone that was
perceived: one of the 39 phones, `<DEL>`, or `<unk>`. Its other spellings are no single phone of the set and become
`<unk>`: two phones (`D Z`), a symbol outside the set (`AX`), and a phone marked as distorted (`R*`) when it is the
canonical one. A distorted other phone (`L*` for R) is read as that phone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from phonobench.phones import DELETED, PHONES, UNKNOWN, encode, strip_stress
from phonobench.store.door import shown
from phonobench.types import Judgement, PhonobenchError, Prompt, Word

_SYMBOLS = re.compile(r"[A-Z]{1,3}[0-2]?\*?( [A-Z]{1,3}[0-2]?\*?)*")
SENTENCE = ("accuracy", "fluency", "prosodic", "total", "completeness")
WORD = ("accuracy", "stress", "total")
"""Names of the scores of a sentence and of a word, as files and statistics have them."""
KEYS = frozenset((*SENTENCE, "text", "words"))
WORD_KEYS = frozenset((*WORD, "text", "phones", "phones-accuracy", "mispronunciations"))
"""Every field of an entry and of a word of it."""


def parse(where: str, entry: Any, text: str) -> tuple[Prompt, Judgement]:
    """Prompt and judgement out of the entry of an utterance whose transcript is `text`.

    `where` (file and utterance) begins every error. Raises PhonobenchError for missing fields, words that differ
    from the text, unknown phones, phones and scores of different number, and scores outside their range.
    """
    try:
        words = table_of(where, entry, KEYS)["words"]
        if not isinstance(words, list):
            raise TypeError("words is no list")
        for word in words:
            table_of(where, word, WORD_KEYS)
        prompt = Prompt(tuple(_word(where, word) for word in words))
        accuracy, fluency, prosodic, total, completeness = (_score(where, key, entry[key], 10) for key in SENTENCE)
        by_word = [tuple(_score(where, f"word {key}", word[key], 10) for word in words) for key in WORD]
        marks = tuple(_score(where, "phone accuracy", mark, 2) for word in words for mark in word["phones-accuracy"])
        perceived = tuple(phone for word in words for phone in _perceived(where, word))
    except KeyError as error:
        raise PhonobenchError(f"{where}: {error.args[0]!r} is missing; copy the file again") from error
    except (TypeError, AttributeError) as error:
        raise PhonobenchError(f"{where}: not in the form of the corpus ({error}); copy the file again") from error
    if not prompt.words or [word.text for word in prompt.words] != text.split():
        raise PhonobenchError(
            f"{where}: its words {prompt.text!r} are not those of the transcript {text!r}; copy the corpus again"
        )
    return prompt, Judgement(
        accuracy=accuracy,
        fluency=fluency,
        prosodic=prosodic,
        total=total,
        completeness=completeness,
        word_accuracy=by_word[0],
        word_stress=by_word[1],
        word_total=by_word[2],
        phone_accuracy=marks,
        perceived=perceived,
    )


def table_of(where: str, entry: Any, known: frozenset[str]) -> Mapping[str, Any]:
    """An entry that is a table of known fields.

    Raises:
        PhonobenchError: it is something else, or holds a field that the corpus does not have.
    """
    if not isinstance(entry, dict):
        raise PhonobenchError(f"{where}: not in the form of the corpus ({ascii(entry)[:60]}); copy the file again")
    if strange := sorted(set(entry) - known):
        raise PhonobenchError(f"{where}: {shown(strange[0])} is no field of the corpus; copy the file again")
    return entry


def symbols(phones: str | list[str]) -> list[str]:
    """The phones of a word, which the file writes as a list or as one string.

    Raises:
        TypeError: it is neither.
    """
    found = phones.split() if isinstance(phones, str) else phones
    if not isinstance(found, list) or not all(isinstance(one, str) and one for one in found):
        raise TypeError("phones are a list of symbols, or one text")
    return found


def _word(where: str, word: Mapping[str, Any]) -> Word:
    written, marks = symbols(word["phones"]), word["phones-accuracy"]
    if not isinstance(marks, list) or not isinstance(word["text"], str):
        raise TypeError("phones-accuracy is a list, text a text")
    if not written or len(written) != len(marks):
        raise PhonobenchError(
            f"{where}, word {word['text']!r}: {len(written)} phones but {len(marks)} phone scores; copy the file again"
        )
    phones = tuple(strip_stress(symbol) for symbol in written)
    try:
        encode(phones)
    except PhonobenchError as error:
        raise PhonobenchError(f"{where}, word {word['text']!r}: {error}") from error
    return Word(word["text"], phones)


def _perceived(where: str, word: Mapping[str, Any]) -> list[str | None]:
    """The phone perceived in place of each phone of a word; None where the file names none.

    A block whose canonical phone is not the one at its index does not concern that phone and is ignored.
    """
    canonical = [strip_stress(symbol) for symbol in symbols(word["phones"])]
    perceived: list[str | None] = [None] * len(canonical)
    for block in word.get("mispronunciations") or ():
        index = block["index"]
        if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(perceived):
            raise PhonobenchError(
                f"{where}, word {word['text']!r}: mispronunciation of phone {ascii(index)[:60]}, but the word has "
                f"{len(perceived)}; copy the file again"
            )
        if not isinstance(block["pronounced-phone"], str) or not isinstance(block["canonical-phone"], str):
            raise TypeError("phones of a mispronunciation are texts")
        sound = _sound(f"{where}, word {word['text']!r}", block["pronounced-phone"], canonical[index])
        if strip_stress(block["canonical-phone"]) == canonical[index]:
            perceived[index] = sound
    return perceived


def _sound(where: str, symbol: str, canonical: str) -> str:
    if symbol in (UNKNOWN, DELETED):
        return symbol
    if not _SYMBOLS.fullmatch(symbol):
        raise PhonobenchError(f"{where}: pronounced phone {symbol!r} is not a phone, {UNKNOWN} or {DELETED}")
    phone = strip_stress(symbol.rstrip("*"))
    distorted = symbol.endswith("*") and phone == canonical
    return phone if phone in PHONES and not distorted else UNKNOWN


def _score(where: str, key: str, value: Any, highest: float) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= highest:
        raise PhonobenchError(
            f"{where}: {key} {ascii(value)[:60]} is not a number from 0 to {highest}; copy the file again"
        )
    return float(value)
