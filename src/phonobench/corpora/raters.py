"""The single raters behind the mean scores (`resource/scores-detail.json`), and how far they agree: the human row.

Conventions: one column a rater. In the file a rater writes the phones of a word with marks: a bare phone scores 2,
`{R}` (heavy accent) 1, `(R)` (wrong or missing) 0, and `[L]` is a phone that was put in, which has no score of its
own. Checked on SpeechOcean762: the mean of the five equals `scores.json` in all but 294 (0.3 %) of the 93,335 phones
marked; 251 of the others belong to two phones that `scores.json` scores as one sound (`IH R`, `IH AH`, `D Z`, `T S`)
by the lower score of each rater.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from phonobench.corpora.files import load_json
from phonobench.types import Corpus, PhonobenchError, Split

DETAIL = "resource/scores-detail.json"
_MARKS = {"{": ("}", 1.0), "(": (")", 0.0)}
MOST_RATERS = 1_000
"""Of one utterance."""
_COMPLETE = 10.0  # completeness is a share (0..1) in this file and 0..10 in scores.json


@dataclass(frozen=True, eq=False)
class Ratings:
    """Scores of one utterance by each of R raters, float64, on the scales of `Judgement`.

    Sentence scores have shape (R,), `word_*` (words, R), `phone_accuracy` (phones, R): NaN where the file has no
    marks for the word.
    """

    accuracy: np.ndarray
    fluency: np.ndarray
    prosodic: np.ndarray
    total: np.ndarray
    completeness: np.ndarray
    word_accuracy: np.ndarray
    word_stress: np.ndarray
    word_total: np.ndarray
    phone_accuracy: np.ndarray


def read(root: str | os.PathLike[str]) -> dict[str, Ratings]:
    """Ratings of every utterance in the file, by id.

    Raises PhonobenchError for a missing or damaged file, an unknown mark, marks on other phones than the word has,
    and a number of raters that changes within an utterance.
    """
    path = Path(root) / DETAIL
    return {uid: _ratings(f"{path}, utterance {uid}", entry) for uid, entry in load_json(path).items()}


def table(
    corpus: Corpus, ratings: Mapping[str, Ratings], judgement: str, split: Split = "test"
) -> tuple[np.ndarray, np.ndarray]:
    """One judgement (a field of `Ratings`) by rater: scores (units, R), and for each unit the index of its speaker.

    Units stand in the order of the corpus, NaN where they have no marks. Speakers are numbered in sorted order of
    their names within the split. Raises PhonobenchError where ratings are missing or of another number of units.
    """
    utterances = corpus.split(split)
    number = {speaker: i for i, speaker in enumerate(sorted({u.speaker for u in utterances}))}
    scores: list[np.ndarray] = []
    speakers: list[np.ndarray] = []
    for u in utterances:
        if u.id not in ratings:
            raise PhonobenchError(f"{corpus.root / DETAIL} lacks utterance {u.id}; copy the file again")
        found = ratings[u.id]
        block = np.atleast_2d(getattr(found, judgement))
        units = {"phone": len(u.prompt.phones), "word": len(u.prompt.words)}.get(judgement.partition("_")[0], 1)
        if len(block) != units:
            raise PhonobenchError(
                f"{corpus.root / DETAIL}, utterance {u.id}: {len(block)} scores of {judgement} for {units}; "
                "copy it again"
            )
        scores.append(block)
        speakers.append(np.full(units, number[u.speaker]))
    if not scores:
        raise PhonobenchError(f"split {split} of {corpus.name} holds no utterances; take off --limit")
    return np.concatenate(scores), np.concatenate(speakers)


def _ratings(where: str, entry: Any) -> Ratings:
    try:
        words = entry["words"]
        raters = len(entry["accuracy"])
        if not 1 <= raters <= MOST_RATERS or not words:
            raise ValueError(f"{raters} raters, {len(words)} words")
        return Ratings(
            accuracy=_row(where, "accuracy", entry["accuracy"], raters),
            fluency=_row(where, "fluency", entry["fluency"], raters),
            prosodic=_row(where, "prosodic", entry["prosodic"], raters),
            total=_row(where, "total", entry["total"], raters),
            completeness=_COMPLETE * _row(where, "completeness", entry["completeness"], raters, highest=1),
            word_accuracy=np.stack([_row(where, "word accuracy", word["accuracy"], raters) for word in words]),
            word_stress=np.stack([_row(where, "word stress", word["stress"], raters) for word in words]),
            word_total=np.stack([_row(where, "word total", word["total"], raters) for word in words]),
            phone_accuracy=np.concatenate([_phones(where, word, raters) for word in words]),
        )
    except KeyError as error:
        raise PhonobenchError(f"{where}: {error.args[0]!r} is missing; copy the file again") from error
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        raise PhonobenchError(f"{where}: not in the form of the corpus ({error}); copy the file again") from error


def _row(where: str, key: str, values: Any, raters: int, highest: float = 10) -> np.ndarray:
    if not isinstance(values, list) or len(values) != raters:
        count = len(values) if isinstance(values, list) else 0
        raise PhonobenchError(f"{where}: {count} raters for {key}, {raters} for accuracy; copy the file again")
    for value in values:
        if value is None:
            continue  # becomes NaN
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= highest:
            raise PhonobenchError(
                f"{where}: {key} {ascii(value)[:60]} is not a number from 0 to {highest}; copy the file again"
            )
    return np.asarray(values, dtype=float)


def _phones(where: str, word: Mapping[str, Any], raters: int) -> np.ndarray:
    """(phones, R) scores of a word out of its R marked strings; NaN where a string is null."""
    reference = word["ref-phones"].split()
    marked = [None] * raters if word["phones"] is None else word["phones"]
    if len(marked) != raters:
        raise PhonobenchError(f"{where}, word {word['text']!r}: {len(marked)} raters, not {raters}; copy it again")
    scores = np.full((len(reference), raters), np.nan)
    for rater, line in enumerate(marked):
        if line is None:
            continue
        marks = [_mark(token) for token in line.split() if not token.startswith("[")]
        if [phone for phone, _ in marks] != reference:
            raise PhonobenchError(
                f"{where}, word {word['text']!r}: rater {rater + 1} marks {line!r}, the word is "
                f"{' '.join(reference)!r}; copy the file again"
            )
        scores[:, rater] = [score for _, score in marks]
    return scores


def _mark(token: str) -> tuple[str, float]:
    """`R` -> (R, 2), `{R}` -> (R, 1), `(R)` -> (R, 0)."""
    closing, score = _MARKS.get(token[0], ("", 2.0))
    inside = token[1:] if closing else token
    return inside.removesuffix(closing), score
