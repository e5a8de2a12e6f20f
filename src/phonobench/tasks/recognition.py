"""Task A, phoneme recognition: the phones heard against the canonical ones.

HQ is the subset whose sentence accuracy is 8 or more: what was said is then close to what should have been.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from phonobench import edits, phones
from phonobench.stats import Rows, ratio
from phonobench.tasks.prediction import Prediction, predict
from phonobench.tasks.task import Columns, Metric, Task, Unit
from phonobench.types import HQ_ACCURACY, Utterance


def rows(prediction: Prediction, utterance: Utterance) -> dict[Unit, Columns]:
    """Counts of one utterance: edits over phones and over IPA characters, the feature distance, and the lengths."""
    expected = phones.encode(utterance.prompt.phones)
    found = edits.align(expected, prediction.heard)
    ipa, heard = ("".join(phones.to_ipa(phones.decode(ids))) for ids in (expected, prediction.heard))
    characters = edits.align(ipa, heard)
    counts = {
        "phones": len(expected),
        "substitutions": found.substitutions,
        "deletions": found.deletions,
        "insertions": found.insertions,
        "errors": found.errors,
        "characters": len(ipa),
        "character_errors": characters.errors,
        "feature_distance": edits.feature_distance(expected, prediction.heard),
        "accuracy": utterance.judgement.accuracy,
    }
    return {"utterance": {name: np.array([float(count)]) for name, count in counts.items()}}


def confusions(predictions: Sequence[Prediction], utterances: Sequence[Utterance]) -> dict[str, dict[str, int]]:
    """For each canonical phone how often each phone was heard in its place, itself included.

    `<DEL>` stands for nothing heard; the row `<INS>` holds what was heard where nothing was expected.
    """
    table: dict[str, Counter[str]] = {}
    for prediction, utterance in zip(predictions, utterances, strict=True):
        expected, heard = utterance.prompt.phones, phones.decode(prediction.heard)
        for i, j in edits.align(phones.encode(expected), prediction.heard).pairs:
            row = phones.INSERTED if i is None else expected[i]
            table.setdefault(row, Counter())[phones.DELETED if j is None else heard[j]] += 1
    return {row: dict(table[row].most_common()) for row in sorted(table)}


def _high_quality(rows: Rows) -> np.ndarray:
    return rows["accuracy"] >= HQ_ACCURACY


def _rate(above: str, below: str, rows: Rows, weights: np.ndarray) -> np.ndarray:
    return ratio(rows[above], rows[below], rows.speaker, weights)


def _metrics() -> tuple[Metric, ...]:
    rates = (
        ("per", "errors", "phones", "phone error rate: (S + D + I) / N, pooled"),
        ("per_ipa_char", "character_errors", "characters", "error rate over characters of the concatenated IPA string"),
        ("substitutions", "substitutions", "phones", "substituted phones / N"),
        ("deletions", "deletions", "phones", "phones not heard / N"),
        ("insertions", "insertions", "phones", "phones heard where none was expected / N"),
        ("pfer", "feature_distance", "phones", "articulatory-feature edit distance (panphon) / N"),
    )
    subsets: tuple[tuple[str, str, Callable[[Rows], np.ndarray] | None], ...] = (
        ("_hq", f"sentence accuracy of {HQ_ACCURACY:g} or more", _high_quality),
        ("", "all utterances", None),
    )
    return tuple(
        Metric(name + suffix, "utterance", f"{text}; {which}", partial(_rate, above, below), "low", keep)
        for name, above, below, text in rates
        for suffix, which, keep in subsets
    )


TASK = Task("recognition", predict, rows, _metrics(), headline=("per_hq", "per"))
