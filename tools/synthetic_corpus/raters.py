"""Five SIMULATED raters: marks drawn from what the speaker was made to say, in the formats of SpeechOcean762.

A rater marks each phone 2 (right), 1 (heavy accent) or 0 (wrong or missing); word and sentence scores follow from
the rater's own marks and from the pauses. The released score is the median of the five for words and sentences and
the mean for phones, as in the corpus.
"""

from __future__ import annotations

import random
import statistics
from dataclasses import dataclass
from typing import Any

from synthetic_corpus.errors import DELETED, NEAR, SaidWord
from synthetic_corpus.prompts import LEXICON

RATERS = 5
STRICTNESS = (1.5, 1.2, 1.0, 0.8, 0.6)
"""How readily each rater takes a mark off."""
BIAS = (-0.5, -0.1, 0.0, 0.2, 0.4)
"""What each rater adds to a sentence score."""
MISPRONOUNCED = 0.5

# Probabilities of marks 0 and 1 by what was said, for a rater of strictness 1; the rest is mark 2.
_MARKS = {
    "right": (0.009, 0.025), "accent": (0.12, 0.6), "near": (0.7, 0.15), "far": (0.88, 0.07), "deleted": (0.93, 0.03),
}  # fmt: skip


@dataclass(frozen=True)
class Scores:
    """Entries of `scores.json` and `scores-detail.json` for one utterance."""

    released: dict[str, Any]
    detail: dict[str, Any]


def rate(words: tuple[SaidWord, ...], level: int, name: str) -> Scores:
    """Simulated scores of an utterance; `name` (its id) seeds them, `level` is the speaker's."""
    source = random.Random(f"phonobench synthetic raters {name}")
    marks = [[_word_marks(source, word, strictness) for strictness in STRICTNESS] for word in words]
    by_word = [_word_scores(source, word, by_rater) for word, by_rater in zip(words, marks, strict=True)]
    sentence = _sentence_scores(source, words, marks, level)
    text = " ".join(word.text for word in words)
    detail_words = [
        {
            **scores,
            "text": word.text,
            "ref-phones": " ".join(LEXICON[word.text]),
            "phones": [_written(word, own) for own in by_rater],
        }
        for word, scores, by_rater in zip(words, by_word, marks, strict=True)
    ]
    released_words = [
        _released_word(word, scores, by_rater) for word, scores, by_rater in zip(words, by_word, marks, strict=True)
    ]
    median = {key: int(statistics.median(values)) for key, values in sentence.items() if key != "completeness"}
    completeness = round(10 * statistics.median(sentence["completeness"]), 1)
    return Scores(
        {"text": text, **median, "completeness": completeness, "words": released_words},
        {"text": text, **sentence, "words": detail_words},
    )


def severity(canonical: str, said: str) -> str:
    """What a said symbol is to a rater: right, accent, near, far or deleted."""
    if said == canonical:
        return "right"
    if said == DELETED:
        return "deleted"
    if said == f"{canonical}*":
        return "accent"
    return "near" if frozenset((canonical, said)) in NEAR else "far"


def _word_marks(source: random.Random, word: SaidWord, strictness: float) -> list[int]:
    marks = []
    for symbol, said in zip(LEXICON[word.text], word.said, strict=True):
        wrong, accent = _MARKS[severity(symbol.rstrip("012"), said)]
        # Strictness works on the odds of the lesser marks, so that no probability leaves 0..1.
        scale = strictness / (1 - (wrong + accent) * (1 - strictness))
        drawn = source.random()
        marks.append(0 if drawn < wrong * scale else 1 if drawn < (wrong + accent) * scale else 2)
    return marks


def _word_scores(source: random.Random, word: SaidWord, marks: list[list[int]]) -> dict[str, list[float]]:
    accuracy = [_word_accuracy(source, word, own) for own in marks]
    stress = [5.0 if word.stress_moved and not word.omitted and source.random() < 0.8 else 10.0 for _ in marks]
    total = [round(0.8 * a + 0.2 * s, 2) for a, s in zip(accuracy, stress, strict=True)]
    return {"accuracy": accuracy, "stress": stress, "total": total}


def _word_accuracy(source: random.Random, word: SaidWord, marks: list[int]) -> float:
    """The corpus' rubric: 10 perfect, 7 to 9 accents, 4 to 6 under 30 % of phones wrong, 2 or 3 more, 0 no voice."""
    if word.omitted:
        return 0.0
    wrong = marks.count(0) / len(marks)
    if wrong:
        return float(source.choice((5, 6) if wrong < 0.3 else (2, 3, 3)))
    return float(source.choice((7, 8, 8)) if 1 in marks or word.added else 10)


def _sentence_scores(
    source: random.Random, words: tuple[SaidWord, ...], marks: list[list[list[int]]], level: int
) -> dict[str, list[float]]:
    pauses = sum(word.pause for word in words)
    moved = sum(word.stress_moved for word in words)
    scores: dict[str, list[float]] = {key: [] for key in ("accuracy", "fluency", "prosodic", "total", "completeness")}
    for rater in range(RATERS):
        own = [mark for word in marks for mark in word[rater]]
        lost = (own.count(0) + 0.3 * own.count(1)) / len(own)
        base = 9.4 + BIAS[rater] - 19 * lost
        accuracy = _whole(base - 0.2 * pauses + source.gauss(0, 0.8))
        fluency = _whole(9.3 + BIAS[rater] - 1.3 * pauses - 0.35 * level - 4 * lost + source.gauss(0, 0.8))
        prosodic = _whole(
            9.2 + BIAS[rater] - 0.9 * pauses - 0.35 * level - 1.1 * moved - 4 * lost + source.gauss(0, 0.8)
        )
        scores["accuracy"].append(accuracy)
        scores["fluency"].append(fluency)
        scores["prosodic"].append(prosodic)
        scores["total"].append(round(0.8 * accuracy + 0.1 * fluency + 0.1 * prosodic, 2))
        scores["completeness"].append(round(sum(not word.omitted for word in words) / len(words), 2))
    return scores


def _whole(score: float) -> float:
    """A whole score of 1 to 10: raters give no halves."""
    return float(min(10, max(1, round(score))))


def _released_word(word: SaidWord, scores: dict[str, list[float]], marks: list[list[int]]) -> dict[str, Any]:
    means = [round(statistics.mean(column), 1) for column in zip(*marks, strict=True)]
    phones = LEXICON[word.text]
    blocks = [
        {"canonical-phone": phone.rstrip("012"), "index": index, "pronounced-phone": _pronounced(phone, said)}
        for index, (phone, said, mean) in enumerate(zip(phones, word.said, means, strict=True))
        if mean < MISPRONOUNCED
    ]
    return {
        "accuracy": int(statistics.median(scores["accuracy"])),
        "stress": int(statistics.median(scores["stress"])),
        "phones": list(phones),
        "phones-accuracy": means,
        "total": int(statistics.median(scores["total"])),
        "text": word.text,
        "mispronunciations": blocks,
    }


def _pronounced(phone: str, said: str) -> str:
    """What a block says was heard; a phone marked down although it was right is called unknown."""
    return "<unk>" if said == phone.rstrip("012") else said


def _written(word: SaidWord, marks: list[int]) -> str:
    """A rater's marks on a word: `{K}` scored 1, `(K)` scored 0, `[AH0]` added."""
    frames = ("({})", "{{{}}}", "{}")
    written = [frames[mark].format(phone) for phone, mark in zip(LEXICON[word.text], marks, strict=True)]
    return " ".join(written + (["[AH0]"] if word.added else []))
