"""What `phonobench score` says of one recording: models, and the same as JSON Schema in `score.schema.json`.

Scores run from 0 to 100: a human accuracy of 0 to 2 (phones) or 0 to 10 (words, sentences) times 50 or 10. `low` and
`high` hold the mean human score with the probability `coverage`. Times are seconds from the beginning of the audio.
The schema file is made by `python -m phonobench.assessment.schema`; a change that breaks a reader makes a new version.
"""

from __future__ import annotations

import importlib.resources
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

SCHEMA_FILE = "score.schema.json"

Hundred = Annotated[float, Field(ge=0, le=100)]
Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0)]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Figure(_Strict):
    """A score, 0 to 100, and the interval of the mean human score."""

    value: Hundred
    low: Hundred
    high: Hundred


class Explained(Figure):
    """A score of the sentence, what it means in one line, and where it stands among the corpus' readers."""

    meaning: str
    percentile: Hundred | None = Field(
        default=None, description="percent of the sentences of the corpus' readers that the scorer scores lower"
    )


class SentenceScores(_Strict):
    """What raters judge of a sentence."""

    accuracy: Explained = Field(description="how right the sounds are")
    fluency: Explained = Field(description="flow: pauses, repetitions, stammering")
    prosody: Explained = Field(description="intonation, rhythm and speed")
    total: Explained = Field(description="the whole impression")
    completeness: Hundred | None = Field(default=None, description="share of the words that were said, in percent")


class PhoneHypothesis(_Strict):
    """What may have been said in the place of a phone; null stands for nothing."""

    arpabet: str | None
    ipa: str | None
    probability: Share


Verdict = Literal["right", "accented", "wrong"]


def verdict(flagged: bool, error: str) -> Verdict:
    """What a format shows of a phone: wrong where it is flagged, else accented or right.

    Example:
        >>> verdict(True, "accent"), verdict(False, "accent"), verdict(False, "none")
        ('wrong', 'accented', 'right')
    """
    return "wrong" if flagged else "accented" if error == "accent" else "right"


class PhoneScore(_Strict):
    """One expected phone."""

    expected: str = Field(description="ARPAbet without stress")
    expected_ipa: str
    heard: str | None = Field(description="the likeliest phone in its place, ARPAbet; null: nothing")
    heard_ipa: str | None
    candidates: tuple[PhoneHypothesis, ...] = Field(
        description="the likeliest first; the expected phone is always among them"
    )
    start: Seconds
    end: Seconds
    accuracy: Figure
    error_probability: Share = Field(description="probability that raters call the phone mispronounced")
    flagged: bool = Field(description="error_probability reaches the threshold of the wanted false alarms")
    error: Literal["none", "substitution", "deletion", "accent"]
    verdict: Verdict = Field(description="the one decision that all formats show: wrong if flagged, else by the error")
    instead: str | None = Field(
        default=None, description="of a substitution: the phone that was said instead, where that is likely; ARPAbet"
    )
    instead_ipa: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _with_verdict(cls, fields: Any) -> Any:
        """Scores that were written before there was a verdict have it by their flag and error."""
        if isinstance(fields, dict) and "verdict" not in fields and {"flagged", "error"} <= fields.keys():
            return {**fields, "verdict": verdict(bool(fields["flagged"]), str(fields["error"]))}
        return fields


class WordScore(_Strict):
    """One word as it was said."""

    text: str = Field(description="the word as it is said")
    written: str = Field(description="the piece of the text that it stands for")
    start: Seconds
    end: Seconds
    accuracy: Figure
    stress: Figure
    total: Figure
    pronunciation: tuple[str, ...] = Field(description="the variant that fits the audio best, ARPAbet")
    pronunciation_ipa: str
    source: Literal["lexicon", "weak form", "regional", "reduced", "derived", "own", "guessed", "given"]
    variants: int = Field(ge=1, description="pronunciations that were tried")
    miscue: Literal["none", "omission", "substitution", "repetition"] = Field(
        default="none", description="what became of the word: read; not said; something else said; said again"
    )
    said_probability: Share | None = Field(default=None, description="probability that the word was said")
    phones: tuple[PhoneScore, ...]


class InsertedPhone(_Strict):
    """A phone that was said and not expected."""

    phone: str
    phone_ipa: str
    before_word: int = Field(ge=0, description="index of the word before whose phone it was said; past the end: last")
    before_phone: int = Field(ge=0, description="index among all expected phones; past the end: after the last")
    start: Seconds
    end: Seconds
    probability: Share


class InsertedWord(_Strict):
    """Phones between two words that are not in the text: a word more, or words that are said again."""

    phones: tuple[str, ...]
    phones_ipa: str
    before_word: int = Field(ge=0, description="index of the word before which it was said; past the end: last")
    repeats: tuple[int, ...] = Field(description="indices of the words that it repeats; empty: it is another word")
    start: Seconds
    end: Seconds


class ScoringWarning(_Strict):
    """Something about the recording or the text that lowers the trust in the scores."""

    code: Literal["clipped", "noisy", "quiet", "channel", "bandwidth", "mismatch", "guessed"]
    message: str


class ScoreInputs(_Strict):
    """SHA-256 of all that a score was made of: a score with other hashes is of something else."""

    sound: Hash = Field(description="of the sound file's bytes")
    prompt: Hash = Field(description="of the text and the phones as they were given")
    lexicon: Hash | None = Field(description="of the user's own pronunciations; null: none were given")
    package: Hash = Field(description="of the package's facts, among them the hashes of its files")
    settings: Hash = Field(description="of the wanted false alarms and the version of phonobench")


class Score(_Strict):
    """All that is said of one recording."""

    format: Literal["score/1"] = "score/1"
    inputs: ScoreInputs | None = Field(
        default=None, description="null for samples in memory, and in scores that were made before it was kept"
    )
    file: str | None = Field(description="the sound file as it was named; null for samples in memory")
    duration: Seconds
    text: str | None
    model: dict[str, Any] = Field(description="facts of the package that scored: name, version, licence, ...")
    coverage: Share = Field(description="share of mean human scores that lie between low and high")
    false_alarms: Share = Field(description="wanted share of well-said phones that are flagged")
    threshold: float = Field(description="error_probability from which a phone is flagged")
    sentence: SentenceScores
    words: tuple[WordScore, ...]
    insertions: tuple[InsertedPhone, ...]
    inserted_words: tuple[InsertedWord, ...] = ()
    warnings: tuple[ScoringWarning, ...]


_MEANINGS: dict[str, tuple[tuple[float, str], ...]] = {
    "accuracy": (
        (90, "every sound is right or nearly so"),
        (70, "good: a few sounds are off, nothing hinders understanding"),
        (50, "understandable, with many wrong sounds or a strong accent"),
        (30, "hard to understand: most words have wrong sounds"),
        (0, "hardly a word can be recognised"),
    ),
    "fluency": (
        (80, "flows without noticeable pauses, repetitions or stammering"),
        (60, "mostly flows, with a few pauses or repetitions"),
        (40, "halting: many pauses, repetitions or stammering"),
        (0, "single words rather than a sentence"),
    ),
    "prosody": (
        (90, "right intonation at a steady speed"),
        (70, "nearly right intonation and a mostly steady speed"),
        (50, "uneven speed or unsuitable intonation in places"),
        (30, "uneven or unsuitable nearly everywhere"),
        (0, "flat, or too slow or fast to follow"),
    ),
    "total": (
        (90, "excellent"),
        (70, "good: clear, with small flaws"),
        (50, "fair: understandable, with effort here and there"),
        (30, "poor: hard to follow"),
        (0, "very poor: cannot be followed"),
    ),
}
"""Lower ends of the bands of a sentence score and what they mean, after the rubric that the raters were given."""


def meaning(name: str, value: float) -> str:
    """What a sentence score of 0 to 100 means, in one line."""
    return next(text for lowest, text in _MEANINGS[name] if round(value) >= lowest)


def schema() -> dict[str, Any]:
    """The JSON Schema of a result, from the models."""
    made = Score.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def published_schema() -> dict[str, Any]:
    """The JSON Schema that ships with the package."""
    published: dict[str, Any] = json.loads(
        (importlib.resources.files("phonobench.assessment") / SCHEMA_FILE).read_text(encoding="utf-8")
    )
    return published


if __name__ == "__main__":
    text = json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"
    Path(__file__).with_name(SCHEMA_FILE).write_text(text, encoding="utf-8")
