"""From an assessment (the raters' scales, arrays) and a diagnosis to the figures of a `Score` (0 to 100, by word)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from phonobench.assessment import schema
from phonobench.assessment.diagnosis import Diagnosis, Finding
from phonobench.assessment.miscues import InsertedSpeech
from phonobench.assessment.schema import Figure
from phonobench.assessment.types import PHONE_SCALE, SCORE_SCALE, Assessment, ScoreEstimate
from phonobench.phones import ARPABET_TO_IPA, to_ipa
from phonobench.pronounce import reading
from phonobench.pronounce.reading import Reading

_SENTENCE = {"accuracy": "accuracy", "fluency": "fluency", "prosody": "prosodic", "total": "total"}
"""Names in the report and in `assessment.types.SENTENCE_SCORES`."""


def _figure(estimate: ScoreEstimate, place: int | tuple[()], scale: float) -> Figure:
    """One entry of an estimate on the scale of 0 to 100, with one decimal."""
    parts = (estimate.value, estimate.low, estimate.high)
    value, low, high = (round(min(100.0, max(0.0, 100.0 / scale * float(part[place]))), 1) for part in parts)
    return Figure(value=value, low=min(low, value), high=max(high, value))


def sentence(assessment: Assessment) -> schema.SentenceScores:
    """Scores of the whole sentence and what they mean."""
    figures = {name: _figure(assessment.sentence[theirs], (), SCORE_SCALE) for name, theirs in _SENTENCE.items()}
    return schema.SentenceScores(
        **{
            name: schema.Explained(
                **one.model_dump(),
                meaning=schema.meaning(name, one.value),
                percentile=_percentile(assessment, _SENTENCE[name]),
            )
            for name, one in figures.items()
        },
        completeness=_completeness(assessment),
    )


def _percentile(assessment: Assessment, name: str) -> float | None:
    found = assessment.percentiles.get(name)
    return None if found is None else round(found, 1)


def _completeness(assessment: Assessment) -> float | None:
    said = [one not in ("omission", "substitution") for one in assessment.miscues]
    return round(100 * sum(said) / len(said), 1) if said else None


def words(
    readings: Sequence[Reading],
    assessment: Assessment,
    found: Diagnosis,
    flagged: np.ndarray,
    seconds: float,
    inserted: Sequence[InsertedSpeech] = (),
) -> tuple[schema.WordScore, ...]:
    """Every word with its phones; `flagged` (N,), bool; nothing ends after the `seconds` of the recording."""
    made, first = [], 0
    again = {k for one in inserted for k in one.repeats}
    for place, one in enumerate(readings):
        spoken = one.pronunciation.phones
        here = range(first, first + len(spoken))
        first += len(spoken)
        made.append(
            schema.WordScore(
                text=one.word,
                written=one.written,
                start=_time(found.findings[here[0]].start, seconds),
                end=_time(found.findings[here[-1]].end, seconds),
                **{
                    name: _figure(assessment.word[name], place, SCORE_SCALE) for name in ("accuracy", "stress", "total")
                },
                pronunciation=spoken,
                pronunciation_ipa="".join(to_ipa(spoken)),
                source=one.pronunciation.source,
                variants=len(one.variants),
                miscue=_miscue(assessment, place, place in again),
                said_probability=None if assessment.said is None else _share(float(assessment.said[place])),
                phones=tuple(_phone(found.findings[i], i, assessment, bool(flagged[i]), seconds) for i in here),
            )
        )
    return tuple(made)


def _miscue(
    assessment: Assessment, place: int, again: bool
) -> Literal["none", "omission", "substitution", "repetition"]:
    found = assessment.miscues[place] if assessment.miscues else "none"
    return "repetition" if found == "none" and again else found


def inserted_words(inserted: Sequence[InsertedSpeech], seconds: float) -> tuple[schema.InsertedWord, ...]:
    """What was said between the words of the text; nothing ends after the `seconds` of the recording."""
    return tuple(
        schema.InsertedWord(
            phones=one.phones,
            phones_ipa="".join(to_ipa(one.phones)),
            before_word=one.before,
            repeats=one.repeats,
            start=round(min(one.start, seconds), 3),
            end=round(min(one.end, seconds), 3),
        )
        for one in inserted
    )


def _phone(finding: Finding, i: int, assessment: Assessment, flagged: bool, seconds: float) -> schema.PhoneScore:
    return schema.PhoneScore(
        expected=finding.expected,
        expected_ipa=ARPABET_TO_IPA[finding.expected],
        heard=finding.likeliest,
        heard_ipa=_ipa(finding.likeliest),
        candidates=tuple(
            schema.PhoneHypothesis(arpabet=one.phone, ipa=_ipa(one.phone), probability=_share(one.probability))
            for one in finding.candidates
        ),
        start=_time(finding.start, seconds),
        end=_time(finding.end, seconds),
        accuracy=_figure(assessment.phone, i, PHONE_SCALE),
        error_probability=_share(float(assessment.phone_error[i])),
        flagged=flagged,
        error=finding.error,
        verdict=schema.verdict(flagged, finding.error),
        instead=finding.instead,
        instead_ipa=_ipa(finding.instead),
    )


def insertions(readings: Sequence[Reading], found: Diagnosis, seconds: float) -> tuple[schema.InsertedPhone, ...]:
    """Inserted phones, with the word and the phone that they come before."""
    word_of_phone = [*reading.prompt(readings).word_of_phone, len(readings)]
    return tuple(
        schema.InsertedPhone(
            phone=one.phone,
            phone_ipa=ARPABET_TO_IPA[one.phone],
            before_word=word_of_phone[one.before],
            before_phone=one.before,
            start=_time(one.start, seconds),
            end=_time(one.end, seconds),
            probability=_share(one.probability),
        )
        for one in found.insertions
    )


def _ipa(phone: str | None) -> str | None:
    return None if phone is None else ARPABET_TO_IPA[phone]


def _time(time: float, seconds: float) -> float:
    """A time with three decimals, within the recording: its last frame may reach beyond it."""
    return min(round(time, 3), seconds)


def _share(probability: float) -> float:
    """A probability with four decimals; rounding errors may have put it a little over 1."""
    return round(min(1.0, probability), 4)
