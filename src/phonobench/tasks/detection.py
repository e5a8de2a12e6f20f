"""Task C, mispronunciation detection: flagging utterances and phones that raters scored low, and naming the rival.

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
from phonobench.corpora.specification import MISPRONOUNCED
from phonobench.stats import Rows, Undefined
from phonobench.tasks.prediction import Prediction, predict
from phonobench.tasks.scoring import phone_error_rate
from phonobench.tasks.task import SCORED_UNITS, Columns, Metric, Task, Threshold, Unit, finite, scored
from phonobench.types import PhonobenchError, Utterance


@dataclass(frozen=True)
class Target:
    """What is to be flagged: rows of `unit` whose human accuracy `is_positive`."""

    name: str
    unit: Unit
    label: str
    text: str
    is_positive: Callable[[np.ndarray], np.ndarray]


TARGETS = (
    Target(
        "utterance", "utterance", "utterance", "sentence accuracy of 6 or less, by PER", lambda accuracy: accuracy <= 6
    ),
    Target(
        "phone", "phone", "phone", "phone accuracy below 0.5, by goodness", lambda accuracy: accuracy < MISPRONOUNCED
    ),
    Target(
        "phone_le1",
        "phone",
        "phone (1.0 or less)",
        "phone accuracy of 1.0 or less, by goodness",
        lambda accuracy: accuracy <= 1.0,
    ),
)

POSITIVE = {target.name: target.is_positive for target in TARGETS}
"""By target what is to be detected, of human accuracies."""


def rows(prediction: Prediction, utterance: Utterance) -> dict[Unit, Columns]:
    """Scores (higher is worse speech) beside human accuracy; for phones also whether the diagnosis is right.

    Returns:
        By unit the columns `score` and `accuracy`, and for phones `diagnosis`: 1 or 0 where the corpus names the
        phone that the raters perceived in place of the canonical one, NaN elsewhere.

    Raises:
        PhonobenchError: where the corpus names a phone that is none of the 39.
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
        if perceived is None or perceived in (phones.UNKNOWN, expected):
            continue
        try:
            truth = 0 if perceived == phones.DELETED else phones.encode([perceived])[0]
        except PhonobenchError as error:
            raise PhonobenchError(f"utterance {utterance.id}, phone {i + 1}: {error}") from error
        right[i] = float(prediction.rival[i] == truth)
    return right


def _scored(target: Target, rows: Rows) -> np.ndarray:
    return scored("accuracy", f"{SCORED_UNITS[target.unit]} accuracy", rows)


def _diagnosed(rows: Rows) -> np.ndarray:
    return finite("diagnosis", rows)


def _ranked(statistic: Callable[..., np.ndarray], target: Target, rows: Rows, weights: np.ndarray) -> np.ndarray:
    return statistic(rows["score"], target.is_positive(rows["accuracy"]), rows.speaker, weights)


def _decided(
    statistic: Callable[[stats.Confusion], np.ndarray], target: Target, rows: Rows, weights: np.ndarray
) -> np.ndarray:
    if target.name not in rows.constants:
        raise Undefined("no threshold: it is chosen on dev, and the run has no usable dev posteriors")
    flagged = rows["score"] >= rows.constants[target.name]
    return statistic(stats.confusion(flagged, target.is_positive(rows["accuracy"]), rows.speaker, weights))


def _choose(target: Target, rows: Rows) -> float:
    known = rows.keep(_scored(target, rows))
    return stats.best_f1_threshold(known["score"], target.is_positive(known["accuracy"]))


def _diagnosis_rate(rows: Rows, weights: np.ndarray) -> np.ndarray:
    if not len(rows):
        raise Undefined("the corpus does not name the phones that raters perceived")
    return stats.mean(rows["diagnosis"], rows.speaker, weights)


_SHOWN = ("utterance_auc", "utterance_f1", "phone_auc", "phone_ap", "phone_f1", "phone_mcc")
"""Shown everywhere; the others on request."""
_RANKED = (
    ("auc", "AUC", "area under the ROC curve", "roc_auc", stats.auc),
    ("ap", "AP", "average precision", "average_precision", stats.average_precision),
)
_DECIDED = (
    ("f1", "F1", "F1", "f1", stats.f1),
    ("mcc", "MCC", "Matthews correlation", "matthews_correlation", stats.mcc),
    ("precision", "precision", "precision", "precision", stats.precision),
    ("recall", "recall", "recall", "recall", stats.recall),
)


def _metrics() -> tuple[Metric, ...]:
    found = []
    for target in TARGETS:
        for kind, label, text, hub, ranked in _RANKED:
            value = partial(_ranked, ranked, target)
            found.append(_metric(target, kind, label, f"{text}; positive: {target.text}", hub, value))
        for kind, label, text, hub, decided in _DECIDED:
            title = f"{text} at the threshold chosen on dev; positive: {target.text}"
            found.append(_metric(target, kind, label, title, hub, partial(_decided, decided, target)))
    text = "share of named substitutions whose best rival is the phone that the raters perceived"
    diagnosis = Metric("diagnosis_accuracy", "phone", text, _diagnosis_rate, keep=_diagnosed, shown="on request")
    return (*found, diagnosis)


def _metric(
    target: Target, kind: str, label: str, text: str, hub: str, value: Callable[[Rows, np.ndarray], np.ndarray]
) -> Metric:
    name = f"{target.name}_{kind}"
    return Metric(
        name,
        target.unit,
        text,
        value,
        keep=partial(_scored, target),
        label=f"{target.label} {label}",
        short=f"{target.name.replace('_', ' ').replace('utterance', 'utt.')} {label}",
        shown="everywhere" if name in _SHOWN else "on request",
        statistic=hub,
    )


TASK = Task(
    "detection",
    predict,
    rows,
    _metrics(),
    headline=("utterance_auc", "phone_auc"),
    thresholds=tuple(Threshold(target.name, target.unit, partial(_choose, target)) for target in TARGETS),
)
