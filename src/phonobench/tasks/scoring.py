"""Task B, scoring: how a system's scores follow the human ones, without training.

Utterance: 1 - PER against sentence accuracy (the source experiments' definition). Phone: the alignment-free goodness
of pronunciation against phone accuracy. Word: the mean score of its phones against word accuracy, stress and total.
None of these scores is on the scale of the human ones, so no mean square error is given.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from phonobench import edits, phones
from phonobench.stats import Rows, pearson, spearman
from phonobench.tasks.prediction import Prediction, predict
from phonobench.tasks.task import SCORED_UNITS, Columns, Metric, Task, Unit, scored
from phonobench.types import Utterance


def phone_error_rate(prediction: Prediction, utterance: Utterance) -> float:
    """PER of one utterance: edits over the number of canonical phones; may exceed 1.

    Args:
        prediction: Its hypothesis.
        utterance: Its prompt.

    Returns:
        The rate.
    """
    return edits.align(phones.encode(utterance.prompt.phones), prediction.hypothesis).rate


def rows(prediction: Prediction, utterance: Utterance) -> dict[Unit, Columns]:
    """Scores beside human scores.

    Args:
        prediction: Of the utterance.
        utterance: With its human scores.

    Returns:
        Rows for the utterance, its words and its phones.
    """
    human, prompt = utterance.judgement, utterance.prompt
    word_of_phone = np.array(prompt.word_of_phone)
    totals = np.bincount(word_of_phone, weights=prediction.phone_score, minlength=len(prompt.words))
    return {
        "utterance": {
            "score": np.array([1.0 - phone_error_rate(prediction, utterance)]),
            "accuracy": np.array([float(human.accuracy)]),
        },
        "word": {
            "score": totals / np.bincount(word_of_phone, minlength=len(prompt.words)),
            "accuracy": np.asarray(human.word_accuracy, dtype=float),
            "stress": np.asarray(human.word_stress, dtype=float),
            "total": np.asarray(human.word_total, dtype=float),
        },
        "phone": {"score": prediction.phone_score, "accuracy": np.asarray(human.phone_accuracy, dtype=float)},
    }


def _correlation(statistic: Callable[..., np.ndarray], column: str, rows: Rows, weights: np.ndarray) -> np.ndarray:
    return statistic(rows["score"], rows[column], rows.speaker, weights)


_SHOWN = ("utterance_pearson", "utterance_spearman", "phone_pearson", "phone_spearman", "word_pearson")
"""Shown everywhere; the others on request."""


def _metrics() -> tuple[Metric, ...]:
    pairs: tuple[tuple[str, Unit, str, str], ...] = (
        ("utterance", "utterance", "accuracy", "1 - PER of the utterance and sentence accuracy"),
        ("phone", "phone", "accuracy", "goodness of pronunciation and phone accuracy"),
        ("word", "word", "accuracy", "mean goodness of the word's phones and word accuracy"),
        ("word_stress", "word", "stress", "mean goodness of the word's phones and word stress"),
        ("word_total", "word", "total", "mean goodness of the word's phones and word total"),
    )
    kinds = (
        ("pearson", "Pearson", "r", "Pearson correlation", "pearsonr", pearson),
        ("spearman", "Spearman", "rho", "Spearman rank correlation", "spearmanr", spearman),
    )
    return tuple(
        Metric(
            f"{name}_{kind}",
            unit,
            f"{title} of {text}",
            partial(_correlation, statistic, column),
            keep=partial(scored, column, f"{SCORED_UNITS[unit]} {column}"),
            label=f"{name.replace('_', ' ')} {label}",
            short=f"{name.replace('_', ' ').replace('utterance', 'utt.')} {short}",
            shown="everywhere" if f"{name}_{kind}" in _SHOWN else "on request",
            statistic=hub,
        )
        for name, unit, column, text in pairs
        for kind, label, short, title, hub, statistic in kinds
    )


TASK = Task("scoring", predict, rows, _metrics(), headline=("utterance_pearson", "phone_pearson", "word_pearson"))
