"""The protocol's `utterance_model` and its like for words and phones: how a trained scorer follows the human scores.

Its estimates are on the human scales, so errors are squared in their units, and the intervals that it gives are
compared with the raters' scores (`coverage`). Thresholds come from its cross-validation over train speakers. The
controls compare the estimated total of a sentence under its own audio and under wrong audio, silence or noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from phonobench import stats
from phonobench.assessment.types import SENTENCE_SCORES, WORD_SCORES, Assessment, ScoreEstimate
from phonobench.stats import Rows, Undefined
from phonobench.tasks.controls import CONTROLS
from phonobench.tasks.detection import TARGETS, Target
from phonobench.tasks.task import SCORED_UNITS, Columns, Metric, Unit, finite, scored
from phonobench.types import Utterance

NAME = "assessment"
CALIBRATION_BINS = 10

_TARGETS = {target.name: target for target in TARGETS}


def rows(assessment: Assessment, utterance: Utterance, controls: Mapping[str, Assessment]) -> dict[Unit, Columns]:
    """Estimates beside human scores, by unit.

    Args:
        assessment: of the utterance's own audio.
        utterance: whose human scores.
        controls: by control, the assessment of the same prompt from other audio; NaN stands for an absent one.
    """
    human = utterance.judgement
    sentence: Columns = {}
    for name in SENTENCE_SCORES:
        sentence |= _estimate_and_human(name, assessment.sentence[name], [getattr(human, name)])
    for control in CONTROLS:
        other = controls.get(control)
        sentence[control] = np.array([math.nan if other is None else float(other.sentence["total"].value)])
    word: Columns = {}
    for name in WORD_SCORES:
        word |= _estimate_and_human(name, assessment.word[name], getattr(human, f"word_{name}"))
    phone = _estimate_and_human("accuracy", assessment.phone, human.phone_accuracy) | {"error": assessment.phone_error}
    return {"utterance": sentence, "word": word, "phone": phone}


def _estimate_and_human(name: str, estimate: ScoreEstimate, human: Sequence[float]) -> Columns:
    found = {f"{name}.{part}": np.atleast_1d(getattr(estimate, part)) for part in ("value", "low", "high")}
    return {**found, name: np.asarray(human, dtype=float)}


def collect(
    assessments: Sequence[Assessment],
    utterances: Sequence[Utterance],
    controls: Sequence[Mapping[str, Assessment]],
) -> dict[Unit, Rows]:
    """The rows of all utterances.

    Args:
        assessments: One an utterance.
        utterances: With their human scores.
        controls: For each utterance the assessments of its control audio, by name.

    Returns:
        By unit the rows, with a column `utterance` that indexes them.
    """
    by_unit: dict[Unit, list[Columns]] = {"utterance": [], "word": [], "phone": []}
    for index, parts in enumerate(zip(assessments, utterances, controls, strict=True)):
        for unit, columns in rows(*parts).items():
            size = len(next(iter(columns.values())))
            by_unit[unit].append({**columns, "utterance": np.full(size, index)})
    speakers = [u.speaker for u in utterances]
    return {unit: stats.gather(parts, speakers) for unit, parts in by_unit.items()}


def _accuracy(unit: Unit) -> Callable[[Rows], np.ndarray]:
    """The rows of a unit whose human accuracy is known."""
    return partial(scored, "accuracy", f"{SCORED_UNITS[unit]} accuracy")


def _run(control: str, rows: Rows) -> np.ndarray:
    return finite(control, rows)


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
    flagged = _suspicion(target.unit, rows) >= rows.constants[name]
    return statistic(stats.confusion(flagged, target.is_positive(rows["accuracy"]), rows.speaker, weights))


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


@dataclass(frozen=True)
class _Score:
    """A human score that is estimated: prefix of its metrics, rows, column, and its name in labels and in prose."""

    prefix: str
    unit: Unit
    column: str
    label: str
    text: str
    scale: int

    def metrics(self) -> Iterator[Metric]:
        """Correlations, mean square error, bias and coverage."""
        column, text, unit = self.column, self.text, self.unit
        stem = self.label if unit == "phone" else f"{self.label},"
        metric = partial(Metric, unit=unit, keep=partial(scored, column, text))
        yield metric(
            name=f"{self.prefix}_pearson",
            text=f"Pearson correlation of estimated and human {text}",
            value=partial(_correlation, stats.pearson, column),
            label=f"{stem} Pearson",
            short=f"{_short(self.prefix)} r",
            statistic="pearsonr",
        )
        yield metric(
            name=f"{self.prefix}_spearman",
            text=f"Spearman rank correlation of estimated and human {text}",
            value=partial(_correlation, stats.spearman, column),
            label=f"{stem} Spearman",
            short=f"{_short(self.prefix)} rho",
            shown="on request",
            statistic="spearmanr",
        )
        yield metric(
            name=f"{self.prefix}_mse",
            text=f"mean square error of {text}",
            value=partial(_square_error, column),
            better="low",
            label=f"{stem} MSE",
            short=f"{_short(self.prefix)} MSE",
            shown="everywhere" if unit == "phone" else "on request",
            statistic="mse",
        )
        yield metric(
            name=f"{self.prefix}_bias",
            text=f"mean of estimated less human {text}",
            value=partial(_bias, column),
            better="none",
            label=f"{text} estimated less human (0 to {self.scale})",
            short=f"{_short(self.prefix)} bias",
            shown="on request",
        )
        yield metric(
            name=f"{self.prefix}_coverage",
            text=f"share of human {text} within the 90 % interval given with it",
            value=partial(_coverage, column),
            better="none",
            label=f"{text} within its 90 % interval",
            short=f"{_short(self.prefix)} coverage",
            shown="on request",
        )


def _short(name: str) -> str:
    return name.replace("_", " ").replace("utterance", "utt.")


def _scores() -> Iterator[_Score]:
    yield _Score("phone_model", "phone", "accuracy", "phone", "phone accuracy", 2)
    for name in WORD_SCORES:
        yield _Score(f"word_model_{name}", "word", name, f"word {name}", f"word {name}", 10)
    labels = {"fluency": "fluency", "prosodic": "prosody"}
    for name in SENTENCE_SCORES:
        text = f"sentence {name}"
        yield _Score(f"utterance_model_{name}", "utterance", name, labels.get(name, text), text, 10)


def _detections() -> Iterator[Metric]:
    ranks = (
        ("auc", "AUC", "area under the ROC curve", "roc_auc", stats.auc),
        ("ap", "AP", "average precision", "average_precision", stats.average_precision),
    )
    for target in TARGETS:
        for kind, label, text, hub, ranked in ranks:
            yield Metric(
                f"{target.name}_model_{kind}",
                target.unit,
                f"{text} of a trained scorer; positive: {_positive(target)}",
                partial(_ranked, ranked, target),
                keep=_accuracy(target.unit),
                label=f"{target.label} {label}",
                short=f"{_short(target.name)} model {label}",
                shown="everywhere" if kind == "auc" and target.name in ("utterance", "phone") else "on request",
                statistic=hub,
            )
    decisions = (
        ("f1", "F1", "f1", stats.f1),
        ("mcc", "MCC", "matthews_correlation", stats.mcc),
        ("precision", "precision", "precision", stats.precision),
        ("recall", "recall", "recall", stats.recall),
    )
    for target in (_TARGETS["utterance"], _TARGETS["phone"]):
        for kind, label, hub, decided in decisions:
            yield Metric(
                f"{target.name}_model_{kind}",
                target.unit,
                f"{kind} of a trained scorer at its threshold from cross-validation; {_positive(target)}",
                partial(_decided, decided, target),
                keep=_accuracy(target.unit),
                label=f"{target.label} {label}",
                short=f"{_short(target.name)} model {label}",
                shown="everywhere" if (target.name, kind) == ("phone", "f1") else "on request",
                statistic=hub,
            )


def _positive(target: Target) -> str:
    return target.text.partition(",")[0]


def _errors() -> Iterator[Metric]:
    yield Metric(
        "phone_model_brier",
        "phone",
        "mean square error of the error probability",
        _brier,
        "low",
        _accuracy("phone"),
        label="Brier score",
        shown="on request",
        statistic="brier_score",
    )
    yield Metric(
        "phone_model_ece",
        "phone",
        "expected calibration error of the error probability",
        _calibration_error,
        "low",
        _accuracy("phone"),
        label="calibration error",
        short="phone model ECE",
    )


def _control_metrics() -> Iterator[Metric]:
    for control in CONTROLS:
        yield Metric(
            f"utterance_model_auc_{control}",
            "utterance",
            f"AUC of the estimated sentence total, true against {control} audio",
            partial(_control_auc, control),
            keep=partial(_run, control),
            label=f"AUC true / {control}",
            short=f"utt. model AUC {control}",
            statistic="roc_auc",
        )


METRICS = (
    *(metric for score in _scores() for metric in score.metrics()),
    *_detections(),
    *_errors(),
    *_control_metrics(),
)
HEADLINE = (
    "phone_model_pearson",
    "phone_model_auc",
    "word_model_accuracy_pearson",
    "utterance_model_accuracy_pearson",
    "utterance_model_total_pearson",
    "phone_model_bias",
    "utterance_model_total_bias",
    "utterance_model_total_coverage",
)
"""Metrics that are broken down by age, gender and proficiency, and that `compare` shows when none are named."""
