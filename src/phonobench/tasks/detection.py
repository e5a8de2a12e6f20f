"""Task C, mispronunciation detection: flagging utterances and phones that people scored low, and naming the rival.

Utterance: positive is a sentence accuracy of 6 or less, the score is the PER. Phone: positive is a phone accuracy
below 0.5 (or, apart from it, of 1.0 or less), the score is the negative goodness of pronunciation. One threshold a
target has the best F1 on dev; precision, recall, F1 and MCC are all taken at it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from phonobench import phones, stats
from phonobench.stats import Rows, Undefined
from phonobench.tasks.prediction import Prediction, predict
from phonobench.tasks.scoring import phone_error_rate
from phonobench.tasks.task import Columns, Metric, Task, Threshold, Unit
from phonobench.types import PhonobenchError, Utterance


@dataclass(frozen=True)
class Target:
    """What is to be flagged: rows of `unit` whose human accuracy `is_positive`."""

    name: str
    unit: Unit
    text: str
    is_positive: Callable[[np.ndarray], np.ndarray]


TARGETS = (
    Target("utterance", "utterance", "sentence accuracy of 6 or less, by PER", lambda accuracy: accuracy <= 6),
    Target("phone", "phone", "phone accuracy below 0.5, by goodness", lambda accuracy: accuracy < 0.5),
    Target("phone_le1", "phone", "phone accuracy of 1.0 or less, by goodness", lambda accuracy: accuracy <= 1.0),
)


def rows(prediction: Prediction, utterance: Utterance) -> dict[Unit, Columns]:
    """Scores (higher is worse speech) beside human accuracy; for phones also whether the diagnosis is right.

    `diagnosis` is 1 or 0 where the corpus names the phone perceived in place of the canonical one, NaN elsewhere.
    """
    human = utterance.judgement
    return {
        "utterance": {
            "score": np.array([phone_error_rate(prediction, utterance)]),
            "accuracy": np.array([float(human.accuracy)]),
        },
        "phone": {
            "score": -prediction.phone_score,
            "accuracy": np.asarray(human.phone_accuracy, dtype=float),
            "diagnosis": _diagnosis(prediction, utterance),
        },
    }


def _diagnosis(prediction: Prediction, utterance: Utterance) -> np.ndarray:
    right = np.full(len(prediction.rival), np.nan)
    for i, (perceived, expected) in enumerate(zip(utterance.judgement.perceived, utterance.prompt.phones, strict=True)):
        if perceived in (None, phones.UNKNOWN, expected):
            continue
        try:
            truth = 0 if perceived == phones.DELETED else phones.encode([perceived])[0]
        except PhonobenchError as error:
            raise PhonobenchError(f"utterance {utterance.id}, phone {i + 1}: {error}") from error
        right[i] = float(prediction.rival[i] == truth)
    return right


def _scored(rows: Rows) -> np.ndarray:
    return np.isfinite(rows["accuracy"])


def _diagnosed(rows: Rows) -> np.ndarray:
    return np.isfinite(rows["diagnosis"])


def _ranked(statistic: Callable[..., np.ndarray], target: Target, rows: Rows, weights: np.ndarray) -> np.ndarray:
    return statistic(rows["score"], target.is_positive(rows["accuracy"]), rows.speaker, weights)


def _decided(
    statistic: Callable[[stats.Confusion], np.ndarray], target: Target, rows: Rows, weights: np.ndarray
) -> np.ndarray:
    if target.name not in rows.constants:
        raise Undefined("no threshold: it is chosen on dev, and the run has no usable dev posteriors")
    said = rows["score"] >= rows.constants[target.name]
    return statistic(stats.confusion(said, target.is_positive(rows["accuracy"]), rows.speaker, weights))


def _choose(target: Target, rows: Rows) -> float:
    scored = rows.keep(_scored(rows))
    return stats.best_f1_threshold(scored["score"], target.is_positive(scored["accuracy"]))


def _diagnosis_rate(rows: Rows, weights: np.ndarray) -> np.ndarray:
    if not len(rows):
        raise Undefined("the corpus does not name the phones heard")
    return stats.mean(rows["diagnosis"], rows.speaker, weights)


def _metrics() -> tuple[Metric, ...]:
    ranked = (("auc", "area under the ROC curve", stats.auc), ("ap", "average precision", stats.average_precision))
    decided = (
        ("f1", "F1", stats.f1),
        ("mcc", "Matthews correlation", stats.mcc),
        ("precision", "precision", stats.precision),
        ("recall", "recall", stats.recall),
    )
    found = []
    for t in TARGETS:
        for name, text, statistic in ranked:
            title, value = f"{text}; positive: {t.text}", partial(_ranked, statistic, t)
            found.append(Metric(f"{t.name}_{name}", t.unit, title, value, keep=_scored))
        for name, text, count in decided:
            title, value = f"{text} at the threshold chosen on dev; positive: {t.text}", partial(_decided, count, t)
            found.append(Metric(f"{t.name}_{name}", t.unit, title, value, keep=_scored))
    text = "share of named substitutions whose best rival is the phone that the raters heard"
    return (*found, Metric("diagnosis_accuracy", "phone", text, _diagnosis_rate, keep=_diagnosed))


TASK = Task(
    "detection",
    predict,
    rows,
    _metrics(),
    headline=("utterance_auc", "phone_auc"),
    thresholds=tuple(Threshold(target.name, target.unit, partial(_choose, target)) for target in TARGETS),
)
