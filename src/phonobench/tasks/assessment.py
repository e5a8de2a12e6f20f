"""The protocol's `utterance_model` and its like for words and phones: how a trained scorer follows the human scores.

Its estimates are on the human scales, so errors are squared in their units, and the intervals that it gives are held
against what people said (`coverage`). Thresholds come from the scorer's cross-validation over train speakers. The
controls compare the estimated total of a sentence under its own audio and under wrong audio, silence or noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from phonobench import stats
from phonobench.assessment.types import SENTENCE_SCORES, WORD_SCORES, Assessment, ScoreEstimate
from phonobench.stats import Rows, Undefined
from phonobench.tasks.controls import CONTROLS
from phonobench.tasks.detection import TARGETS, Target
from phonobench.tasks.task import Columns, Metric, Unit
from phonobench.types import Utterance

NAME = "assessment"
THRESHOLDS = ("utterance_model", "phone_model")
"""Decisions whose threshold the scorer brings along."""
CALIBRATION_BINS = 10

_TARGETS = {target.name: target for target in TARGETS}


def rows(assessment: Assessment, utterance: Utterance, controls: Mapping[str, Assessment]) -> dict[Unit, Columns]:
    """Estimates beside human scores; `controls`: what was estimated of the same prompt under other audio."""
    human = utterance.judgement
    sentence: Columns = {}
    for name in SENTENCE_SCORES:
        sentence |= _beside(name, assessment.sentence[name], [getattr(human, name)])
    for control in CONTROLS:
        other = controls.get(control)
        sentence[control] = np.array([math.nan if other is None else float(other.sentence["total"].value)])
    word: Columns = {}
    for name in WORD_SCORES:
        word |= _beside(name, assessment.word[name], getattr(human, f"word_{name}"))
    phone = _beside("accuracy", assessment.phone, human.phone_accuracy) | {"error": assessment.phone_error}
    return {"utterance": sentence, "word": word, "phone": phone}


def _beside(name: str, estimate: ScoreEstimate, human: Sequence[float]) -> Columns:
    found = {f"{name}.{part}": np.atleast_1d(getattr(estimate, part)) for part in ("value", "low", "high")}
    return {**found, name: np.asarray(human, dtype=float)}


def collect(
    assessments: Sequence[Assessment], utterances: Sequence[Utterance],
    controls: Sequence[Mapping[str, Assessment]],
) -> dict[Unit, Rows]:  # fmt: skip
    """The rows of all utterances by unit, with a column `utterance` that indexes them."""
    by_unit: dict[Unit, list[Columns]] = {"utterance": [], "word": [], "phone": []}
    for index, parts in enumerate(zip(assessments, utterances, controls, strict=True)):
        for unit, columns in rows(*parts).items():
            size = len(next(iter(columns.values())))
            by_unit[unit].append({**columns, "utterance": np.full(size, index)})
    speakers = [u.speaker for u in utterances]
    return {unit: stats.gather(parts, speakers) for unit, parts in by_unit.items()}


def _scored(name: str, rows: Rows) -> np.ndarray:
    return np.isfinite(rows[name])


def _correlation(statistic: Callable[..., np.ndarray], name: str, rows: Rows, weights: np.ndarray) -> np.ndarray:
    return statistic(rows[f"{name}.value"], rows[name], rows.speaker, weights)


def _square_error(name: str, rows: Rows, weights: np.ndarray) -> np.ndarray:
    return stats.mean((rows[f"{name}.value"] - rows[name]) ** 2, rows.speaker, weights)


def _bias(name: str, rows: Rows, weights: np.ndarray) -> np.ndarray:
    return stats.mean(rows[f"{name}.value"] - rows[name], rows.speaker, weights)


def _coverage(name: str, rows: Rows, weights: np.ndarray) -> np.ndarray:
    inside = (rows[f"{name}.low"] <= rows[name]) & (rows[name] <= rows[f"{name}.high"])
    return stats.mean(inside.astype(float), rows.speaker, weights)


def _suspicion(unit: Unit, rows: Rows) -> np.ndarray:
    """Higher is worse speech: the error probability of a phone, the lost accuracy of a sentence."""
    return rows["error"] if unit == "phone" else -rows["accuracy.value"]


def _ranked(statistic: Callable[..., np.ndarray], target: Target, rows: Rows, weights: np.ndarray) -> np.ndarray:
    positive = target.is_positive(rows["accuracy"])
    return statistic(_suspicion(target.unit, rows), positive, rows.speaker, weights)


def _decided(
    statistic: Callable[[stats.Confusion], np.ndarray], target: Target, rows: Rows, weights: np.ndarray
) -> np.ndarray:
    name = f"{target.name}_model"
    if name not in rows.constants:
        raise Undefined("the scorer brings no threshold")
    said = _suspicion(target.unit, rows) >= rows.constants[name]
    return statistic(stats.confusion(said, target.is_positive(rows["accuracy"]), rows.speaker, weights))


def _brier(rows: Rows, weights: np.ndarray) -> np.ndarray:
    wrong = _TARGETS["phone"].is_positive(rows["accuracy"])
    return stats.mean((rows["error"] - wrong) ** 2, rows.speaker, weights)


def _calibration_error(rows: Rows, weights: np.ndarray) -> np.ndarray:
    """Expected calibration error over bins of equal width (Naeini et al. 2015), draw by draw."""
    wrong = _TARGETS["phone"].is_positive(rows["accuracy"]).astype(float)
    place = np.minimum((rows["error"] * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    total, size = np.zeros(len(weights)), len(rows.speakers)
    gaps = rows["error"] - wrong
    for k in np.unique(place):
        inside = place == k
        total += np.abs(weights @ np.bincount(rows.speaker[inside], weights=gaps[inside], minlength=size))
    return total / (weights @ np.bincount(rows.speaker, minlength=size))


def _control_auc(control: str, rows: Rows, weights: np.ndarray) -> np.ndarray:
    if not len(rows):
        raise Undefined(f"the control {control!r} was not run")
    score = np.concatenate([rows["total.value"], rows[control]])
    truth = np.arange(len(score)) < len(rows)
    return stats.auc(score, truth, np.concatenate([rows.speaker, rows.speaker]), weights)


def _scores() -> list[tuple[str, Unit, str, str]]:
    """Prefix of the metric, its unit, the column and how people call it."""
    found: list[tuple[str, Unit, str, str]] = [("phone_model", "phone", "accuracy", "phone accuracy")]
    found += [(f"word_model_{name}", "word", name, f"word {name}") for name in WORD_SCORES]
    return found + [(f"utterance_model_{name}", "utterance", name, f"sentence {name}") for name in SENTENCE_SCORES]


def _metrics() -> tuple[Metric, ...]:
    found = []
    kinds = (
        ("pearson", "Pearson correlation", stats.pearson),
        ("spearman", "Spearman rank correlation", stats.spearman),
    )
    for prefix, unit, column, text in _scores():
        keep = partial(_scored, column)
        for name, title, statistic in kinds:
            value = partial(_correlation, statistic, column)
            found.append(Metric(f"{prefix}_{name}", unit, f"{title} of estimated and human {text}", value, keep=keep))
        found += [
            Metric(f"{prefix}_mse", unit, f"mean square error of {text}", partial(_square_error, column), "low", keep),
            Metric(f"{prefix}_bias", unit, f"mean of estimated less human {text}", partial(_bias, column), "none",
                   keep),
            Metric(f"{prefix}_coverage", unit, f"share of human {text} within the 90 % interval given with it",
                   partial(_coverage, column), "none", keep),
        ]  # fmt: skip
    keep = partial(_scored, "accuracy")
    ranks = (("auc", "area under the ROC curve", stats.auc), ("ap", "average precision", stats.average_precision))
    decided = (("f1", stats.f1), ("mcc", stats.mcc), ("precision", stats.precision), ("recall", stats.recall))
    for target in TARGETS:
        for name, text, rank in ranks:
            title = f"{text} of a trained scorer; positive: {target.text.partition(',')[0]}"
            found.append(
                Metric(f"{target.name}_model_{name}", target.unit, title, partial(_ranked, rank, target), keep=keep)
            )
    for target in (_TARGETS["utterance"], _TARGETS["phone"]):
        for name, count in decided:
            title = (
                f"{name} of a trained scorer at its threshold from cross-validation; {target.text.partition(',')[0]}"
            )
            value = partial(_decided, count, target)
            found.append(Metric(f"{target.name}_model_{name}", target.unit, title, value, keep=keep))
    found += [
        Metric("phone_model_brier", "phone", "mean square error of the error probability", _brier, "low", keep),
        Metric("phone_model_ece", "phone", "expected calibration error of the error probability", _calibration_error,
               "low", keep),
    ]  # fmt: skip
    for control in CONTROLS:
        title = f"AUC of the estimated sentence total, true against {control} audio"
        found.append(Metric(f"utterance_model_auc_{control}", "utterance", title, partial(_control_auc, control),
                            keep=partial(_scored, control)))  # fmt: skip
    return tuple(found)


METRICS = _metrics()
HEADLINE = ("phone_model_pearson", "phone_model_auc", "word_model_accuracy_pearson", "utterance_model_accuracy_pearson",
            "utterance_model_total_pearson", "phone_model_bias", "utterance_model_total_bias",
            "utterance_model_total_coverage")  # fmt: skip
"""Metrics that are broken down by age, gender and proficiency."""
