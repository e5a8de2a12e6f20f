"""What a speaker does to a prompt: phones replaced, left out, coloured or added, words left out, stress moved, pauses.

A said symbol is an ARPAbet phone without stress (`S`), a distorted one marked as in SpeechOcean762 (`HH*`: heavily
accented, yet that phone), or `<DEL>`. The tables hold errors typical of Mandarin speakers of English.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from synthetic_corpus.prompts import LEXICON, UNSTRESSED, VOWELS

DELETED = "<DEL>"

ONSET: dict[str, dict[str, float]] = {
    "TH": {"S": 6, "T": 2, "F": 2}, "DH": {"Z": 5, "D": 5}, "V": {"W": 8, "F": 2}, "W": {"V": 1},
    "R": {"L": 6, "R*": 4}, "L": {"R": 6, "N": 4}, "N": {"L": 1}, "Z": {"S": 7, "JH": 3},
    "ZH": {"SH": 5, "JH": 3, "R": 2},
    "SH": {"S": 5, "SH*": 5}, "CH": {"CH*": 6, "SH": 4}, "JH": {"JH*": 5, "CH": 5}, "HH": {"HH*": 1}, "S": {"SH": 1},
    "B": {"P": 1}, "D": {"T": 1}, "G": {"K": 1}, "P": {"B": 1}, "T": {"D": 1}, "K": {"G": 1}, "F": {"HH": 1},
    "Y": {DELETED: 1}, "M": {"N": 1},
}  # fmt: skip
CODA: dict[str, dict[str, float]] = {
    "TH": {"S": 8, "F": 2}, "DH": {"Z": 6, "D": 4}, "V": {"F": 7, "W": 3}, "R": {DELETED: 7, "L": 3},
    "L": {DELETED: 6, "UH": 4}, "N": {"NG": 6, DELETED: 4}, "NG": {"N": 1}, "M": {"N": 1},
    "Z": {"S": 7, DELETED: 3}, "ZH": {"SH": 6, "JH": 4}, "SH": {"S": 6, "SH*": 4}, "CH": {"SH": 5, "CH*": 5},
    "JH": {"CH": 6, "ZH": 4}, "S": {DELETED: 5, "SH": 5}, "B": {"P": 1}, "D": {DELETED: 6, "T": 4},
    "G": {"K": 6, DELETED: 4}, "P": {DELETED: 1}, "T": {DELETED: 1}, "K": {DELETED: 8, "G": 2},
}  # fmt: skip
VOWEL: dict[str, dict[str, float]] = {
    "IH": {"IY": 1}, "IY": {"IH": 1}, "AE": {"EH": 7, "AA": 3}, "EH": {"AE": 5, "EY": 5}, "AH": {"AA": 1},
    "UH": {"UW": 1}, "UW": {"UH": 1}, "AO": {"OW": 6, "AA": 4}, "AA": {"AH": 5, "AO": 5}, "OW": {"AO": 6, "OW*": 4},
    "EY": {"EH": 6, "EY*": 4}, "AY": {"AE": 4, "AA": 6}, "AW": {"AA": 6, "AO": 4}, "OY": {"AO": 1},
    "ER": {"AA": 4, "AH": 6},
}  # fmt: skip
HARD = frozenset({"TH", "DH", "V", "Z", "ZH", "R", "L", "NG", "N", "IH", "AE", "UH", "ER", "CH", "JH"})
NEAR = frozenset(
    frozenset(pair.split()) for pair in (
        "IH IY", "UH UW", "AE EH", "AA AO", "AA AH", "EH EY", "AO OW", "Z S", "ZH SH", "V F", "N NG", "D T", "G K",
        "B P", "CH SH", "JH CH", "JH ZH", "S SH",
    )
)  # fmt: skip
"""Pairs that raters forgive more often."""

RATES = (0.006, 0.07, 0.17, 0.32)
"""Probability that a hard phone goes wrong, by level: 0 near native to 3 beginner."""


@dataclass(frozen=True)
class SaidWord:
    """A word as it was spoken: one symbol a canonical phone, a vowel perhaps added at the end, the stressed vowel."""

    text: str
    said: tuple[str, ...]
    added: bool = False
    stress_moved: bool = False
    pause: bool = False
    """Whether a pause follows."""

    @property
    def omitted(self) -> bool:
        """Whether nothing of the word was spoken."""
        return all(symbol == DELETED for symbol in self.said)

    def sounds(self) -> tuple[str, ...]:
        """The symbols that sound, in order."""
        return (*(symbol for symbol in self.said if symbol != DELETED), *(("AH",) if self.added else ()))


@dataclass(frozen=True)
class Habits:
    """How often a speaker gets each phone wrong, and with what: the same replacement most of the time."""

    level: int
    factor: dict[str, float]
    favourite: dict[tuple[str, bool], str]


def habits(speaker: str, level: int) -> Habits:
    """A speaker's habits, drawn from the speaker's number alone."""
    source = random.Random(f"phonobench synthetic habits {speaker}")
    names = sorted({*ONSET, *CODA, *VOWEL})
    factor = {name: source.choice((0.3, 0.8, 1.0, 1.9)) * (1.0 if name in HARD else 0.4) for name in names}
    favourite = {}
    for onset, table in ((True, ONSET), (False, CODA), (True, VOWEL), (False, VOWEL)):
        for name, replacements in table.items():
            favourite[name, onset] = _draw(source, replacements)
    return Habits(level, factor, favourite)


def speak(speaker: str, habit: Habits, sentence: str, number: int) -> tuple[SaidWord, ...]:
    """What the speaker makes of a sentence; `number` makes another reading another draw."""
    source = random.Random(f"phonobench synthetic errors {speaker} {number}")
    mood = source.choice((0.3, 0.7, 1.0, 1.5))
    words = [_word(source, habit, mood, text) for text in sentence.split()]
    pauses = (0.01, 0.05, 0.15, 0.3)[habit.level]
    words = [replace(word, pause=source.random() < pauses) for word in words[:-1]] + words[-1:]
    if habit.level >= 2 and len(words) > 3 and source.random() < 0.08:
        victim = source.randrange(len(words))
        words[victim] = replace(
            words[victim], said=(DELETED,) * len(words[victim].said), added=False, stress_moved=False
        )
    return tuple(words)


def _word(source: random.Random, habit: Habits, mood: float, text: str) -> SaidWord:
    phones = [phone.rstrip("012") for phone in LEXICON[text]]
    said = []
    for place, phone in enumerate(phones):
        onset = any(later in VOWELS for later in phones[place:])
        chance = RATES[habit.level] * mood * habit.factor.get(phone, 0.0)
        # A vowel before R keeps its colour: espeak-ng speaks the two as one sound, which has no replacement here.
        coloured = phone in VOWELS and phones[place + 1 : place + 2] == ["R"]
        wrong = source.random() < chance and not coloured
        said.append(_replacement(source, habit, phone, onset) if wrong else phone)
    added = phones[-1] in ("T", "D", "K", "G", "P", "B", "CH", "JH") and source.random() < RATES[habit.level] * 0.3
    added = added and said[-1] != DELETED
    syllables = sum(phone in VOWELS for phone in phones)
    moved = syllables > 1 and text not in UNSTRESSED and source.random() < RATES[habit.level] * 0.7
    return SaidWord(text, tuple(said), added, moved)


def _replacement(source: random.Random, habit: Habits, phone: str, onset: bool) -> str:
    table = VOWEL if phone in VOWELS else ONSET if onset else CODA
    if phone not in table:
        return phone
    return habit.favourite[phone, onset] if source.random() < 0.75 else _draw(source, table[phone])


def _draw(source: random.Random, weights: dict[str, float]) -> str:
    return source.choices(list(weights), list(weights.values()))[0]
