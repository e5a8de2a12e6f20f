"""The shape of Azure Pronunciation Assessment's detailed JSON, so that what reads that reads this.

Times are ticks of 100 ns. Phonemes have the names of Azure's SAPI alphabet for en-US (ARPAbet in lower case, `h` for
HH). What Azure measures and this does not is left out. A scorer that does not know which words were said calls a word
omitted when every one of its phones is a deletion.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from phonobench.assessment.formats.format import Format
from phonobench.visible import visible_json

if TYPE_CHECKING:
    from phonobench.assessment.schema import InsertedWord, PhoneScore, Score, WordScore

TICKS = 10_000_000
"""A second in Azure's unit."""
MISPRONOUNCED = 60.0
"""Word accuracy below which Azure calls a word mispronounced."""


def convert(score: Score) -> dict[str, Any]:
    """One score as Azure's JSON object."""
    text = score.text if score.text is not None else " ".join(word.text for word in score.words)
    lexical = " ".join(word.text for word in score.words)
    return {
        "RecognitionStatus": "Success",
        "Offset": 0,
        "Duration": _ticks(score.duration),
        "DisplayText": text,
        "NBest": [
            {
                "Lexical": lexical,
                "ITN": lexical,
                "MaskedITN": lexical,
                "Display": text,
                "PronunciationAssessment": {
                    "AccuracyScore": score.sentence.accuracy.value,
                    "FluencyScore": score.sentence.fluency.value,
                    "ProsodyScore": score.sentence.prosody.value,
                    "CompletenessScore": _completeness(score),
                    "PronScore": score.sentence.total.value,
                },
                "Words": _words(score),
            }
        ],
    }


def sapi(phone: str | None) -> str:
    """ARPAbet to the name of Azure's SAPI alphabet; None, for nothing, to an empty string.

    Example:
        >>> sapi("HH"), sapi("AO"), sapi(None)
        ('h', 'ao', '')
    """
    return "" if phone is None else "h" if phone == "HH" else phone.lower()


def _completeness(score: Score) -> float:
    if score.sentence.completeness is not None:
        return score.sentence.completeness
    said = [word for word in score.words if _error_type(word) != "Omission"]
    return round(100 * len(said) / len(score.words), 1)


def _words(score: Score) -> list[dict[str, Any]]:
    """The words of the text, and between them those that were said besides."""
    made = []
    for place in range(len(score.words) + 1):
        made += [_insertion(one) for one in score.inserted_words if one.before_word == place]
        made += [_word(word) for word in score.words[place : place + 1]]
    return made


def _insertion(one: InsertedWord) -> dict[str, Any]:
    return {
        "Word": " ".join(map(sapi, one.phones)),
        **_when(one.start, one.end),
        "PronunciationAssessment": {"ErrorType": "Insertion"},
    }


def _word(word: WordScore) -> dict[str, Any]:
    return {
        "Word": word.text,
        **_when(word.start, word.end),
        "PronunciationAssessment": {"AccuracyScore": word.accuracy.value, "ErrorType": _error_type(word)},
        "Phonemes": [_phoneme(phone) for phone in word.phones],
    }


def _phoneme(phone: PhoneScore) -> dict[str, Any]:
    recognised = [
        {"Phoneme": sapi(one.arpabet), "Score": round(100 * one.probability, 1)}
        for one in phone.candidates
        if one.arpabet is not None
    ]
    return {
        "Phoneme": sapi(phone.expected),
        **_when(phone.start, phone.end),
        "PronunciationAssessment": {"AccuracyScore": phone.accuracy.value, "NBestPhonemes": recognised},
    }


def _error_type(word: WordScore) -> str:
    if word.miscue == "omission" or all(phone.error == "deletion" for phone in word.phones):
        return "Omission"
    wrong = word.miscue == "substitution" or word.accuracy.value < MISPRONOUNCED
    return "Mispronunciation" if wrong else "None"


def _when(start: float, end: float) -> dict[str, int]:
    return {"Offset": _ticks(start), "Duration": _ticks(end) - _ticks(start)}


def _ticks(seconds: float) -> int:
    return round(seconds * TICKS)


def write(scores: Sequence[Score]) -> str:
    """One score as an indented object."""
    (score,) = scores
    return visible_json(json.dumps(convert(score), indent=2, ensure_ascii=False, allow_nan=False))


def line(score: Score) -> str:
    """One score as one line, led by the sound file, which Azure's object does not name."""
    return visible_json(json.dumps({"file": score.file, **convert(score)}, ensure_ascii=False, allow_nan=False))


FORMAT = Format(
    "azure",
    "the shape of Azure Pronunciation Assessment",
    write,
    suffixes=(".json",),
    line=line,
    line_suffixes=(".jsonl",),
)
