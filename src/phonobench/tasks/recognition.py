"""Task A, phoneme recognition: the recognised phones against the canonical ones.

HQ is the subset whose sentence accuracy is 8 or more: what was spoken is then close to the canonical phones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from phonobench import edits, phones
from phonobench.stats import Rows, ratio
from phonobench.tasks.prediction import Prediction, predict
from phonobench.tasks.task import PERCENT, Columns, Metric, Shown, Task, Unit, scored
from phonobench.types import HQ_ACCURACY, Utterance


def rows(prediction: Prediction, utterance: Utterance) -> dict[Unit, Columns]:
    """Counts of one utterance for the recognition task.

    Args:
        prediction: Its hypothesis.
        utterance: Its prompt.

    Returns:
        One row of unit utterance: edits over phones and over IPA characters, the feature distance, and the lengths.
    """
    expected = phones.encode(utterance.prompt.phones)
    found = edits.align(expected, prediction.hypothesis)
    ipa, recognised = ("".join(phones.to_ipa(phones.decode(ids))) for ids in (expected, prediction.hypothesis))
    characters = edits.align(ipa, recognised)
    counts = {
        "phones": len(expected),
        "substitutions": found.substitutions,
        "deletions": found.deletions,
        "insertions": found.insertions,
        "errors": found.errors,
        "characters": len(ipa),
        "character_errors": characters.errors,
        "feature_distance": edits.feature_distance(expected, prediction.hypothesis),
        "accuracy": utterance.judgement.accuracy,
    }
    return {"utterance": {name: np.array([float(count)]) for name, count in counts.items()}}


def confusions(predictions: Sequence[Prediction], utterances: Sequence[Utterance]) -> dict[str, dict[str, int]]:
    """For each canonical phone how often each phone was recognised in its place, itself included.

    Returns:
        Row -> column -> count, rows sorted, columns by count. The column `<DEL>` stands for a deletion; the row
        `<INS>` holds insertions.
    """
    table: dict[str, Counter[str]] = {}
    for prediction, utterance in zip(predictions, utterances, strict=True):
        expected, recognised = utterance.prompt.phones, phones.decode(prediction.hypothesis)
        for i, j in edits.align(phones.encode(expected), prediction.hypothesis).pairs:
            row = phones.INSERTED if i is None else expected[i]
            table.setdefault(row, Counter())[phones.DELETED if j is None else recognised[j]] += 1
    return {row: dict(table[row].most_common()) for row in sorted(table)}


def _high_quality(rows: Rows) -> np.ndarray:
    scored("accuracy", "sentence accuracy", rows)
    return rows["accuracy"] >= HQ_ACCURACY


def _rate(above: str, below: str, rows: Rows, weights: np.ndarray) -> np.ndarray:
    return ratio(rows[above], rows[below], rows.speaker, weights)


@dataclass(frozen=True)
class _Rate:
    """A pooled rate, which is measured on HQ and on all utterances; `{}` in the label is where "(HQ)" goes."""

    name: str
    label: str
    short: str
    above: str
    below: str
    text: str
    shown_hq: Shown
    shown_all: Shown
    statistic: str = ""

    def metrics(self) -> tuple[Metric, Metric]:
        """The metric on HQ and the one on all utterances."""
        value = partial(_rate, self.above, self.below)
        common = partial(Metric, unit="utterance", value=value, better="low", display=PERCENT, statistic=self.statistic)
        return (
            common(
                name=f"{self.name}_hq",
                text=f"{self.text}; sentence accuracy of {HQ_ACCURACY:g} or more",
                keep=_high_quality,
                label=self.label.format(" (HQ)"),
                short=f"{self.short} HQ",
                shown=self.shown_hq,
            ),
            common(
                name=self.name,
                text=f"{self.text}; all utterances",
                label=self.label.format(""),
                short=self.short,
                shown=self.shown_all,
            ),
        )


_RATES = (
    _Rate(
        "per",
        "PER{}",
        "PER",
        "errors",
        "phones",
        "phone error rate: (S + D + I) / N, pooled",
        "everywhere",
        "everywhere",
        statistic="per",
    ),
    _Rate(
        "per_ipa_char",
        "PER{}, IPA characters",
        "PER IPA",
        "character_errors",
        "characters",
        "error rate over characters of the concatenated IPA string",
        "everywhere",
        "on request",
    ),
    _Rate(
        "substitutions",
        "substituted{}",
        "substitutions",
        "substitutions",
        "phones",
        "substituted phones / N",
        "tables",
        "on request",
    ),
    _Rate("deletions", "deleted{}", "deletions", "deletions", "phones", "deleted phones / N", "tables", "on request"),
    _Rate(
        "insertions", "inserted{}", "insertions", "insertions", "phones", "inserted phones / N", "tables", "on request"
    ),
    _Rate(
        "pfer",
        "PFER{}",
        "PFER",
        "feature_distance",
        "phones",
        "articulatory-feature edit distance (panphon) / N",
        "tables",
        "on request",
    ),
)


def _metrics() -> tuple[Metric, ...]:
    return tuple(metric for rate in _RATES for metric in rate.metrics())


def _counts(predictions: Sequence[Prediction]) -> dict[str, int]:
    return {"unmapped_symbols": 0}  # posteriors have the 39 phones only: there is nothing to map


TASK = Task("recognition", predict, rows, _metrics(), headline=("per_hq", "per"), counts=_counts, confusions=confusions)
