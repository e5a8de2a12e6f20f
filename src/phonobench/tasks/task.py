"""The nouns of a task: metrics as functions of rows and weights, and how the rows of many utterances are gathered.

A metric is one row: what it is computed from, and how every table and chart shows it. Nothing else in the package
knows a metric by name, apart from the lists that choose what stands in a summary.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from phonobench.stats import Rows, Undefined, gather
from phonobench.tasks.prediction import Prediction
from phonobench.types import Evidence, Prompt, Utterance

Unit = Literal["utterance", "word", "phone"]
Columns = dict[str, np.ndarray]
SCORED_UNITS: dict[Unit, str] = {"utterance": "sentence", "word": "word", "phone": "phone"}
"""What the human scores of a unit are called."""
Shown = Literal["everywhere", "tables", "on request"]
"""Where a metric is shown: also by `evaluate` and `compare`; in the tables of its task; only by `--all` and `--metric`,
in the details of a page, and in the result file, which has every metric."""

DASH = "–"
"""What stands where there is no value."""


@dataclass(frozen=True)
class Display:
    """How the values of a metric are printed: times `factor`, with `decimals`, in `unit` (none where empty)."""

    factor: float = 1.0
    decimals: int = 3
    unit: str = ""

    def number(self, value: float | None) -> str:
        """The value without its unit; a dash for None and NaN.

        Example:
            >>> PERCENT.number(0.1784)
            '17.84'
            >>> PLAIN.number(None)
            '–'
        """
        if value is None or math.isnan(value):
            return DASH
        return f"{self.factor * value:.{self.decimals}f}"


PLAIN = Display()
PERCENT = Display(factor=100, decimals=2, unit="%")
NATS = Display(decimals=2, unit="nats")


@dataclass(frozen=True)
class Metric:
    """One figure: which rows it is made of, how, and how it is shown.

    Args:
        name: its key in result files; unique over all tasks.
        unit: the rows that `value` receives.
        text: what it is, in a phrase.
        value: `value(rows, weights (R, S)) -> (R,)`, batched over draws. It raises stats.Undefined with the reason
            where the rows as a whole have no value.
        better: which direction is good; "none" for a figure that only describes.
        keep: picks the rows on which it is defined; all where None. It raises stats.Undefined where a score that it
            needs is known of no row.
        label: its heading, without the unit of its values; the name in words where empty.
        short: its heading in a narrow table; `label` where empty.
        display: how its values are printed.
        shown: where it is shown.
        statistic: its name among the metrics of the Hugging Face hub; empty where there is none.
    """

    name: str
    unit: Unit
    text: str
    value: Callable[[Rows, np.ndarray], np.ndarray]
    better: Literal["low", "high", "none"] = "high"
    keep: Callable[[Rows], np.ndarray] | None = None
    label: str = ""
    short: str = ""
    display: Display = PLAIN
    shown: Shown = "everywhere"
    statistic: str = ""

    @property
    def heading(self) -> str:
        """The label with the unit of the values, as in "PER (HQ) %"."""
        return self._with_unit(self.label or self.name.replace("_", " "))

    @property
    def short_heading(self) -> str:
        """The short label with the unit of the values, as in "PER HQ %"."""
        return self._with_unit(self.short or self.label or self.name.replace("_", " "))

    def _with_unit(self, label: str) -> str:
        unit = self.display.unit
        return f"{label} {unit}" if unit == "%" else f"{label}, {unit}" if unit else label


def scored(column: str, what: str, rows: Rows) -> np.ndarray:
    """Which rows have the human score of a column: the `keep` of the metrics that need it.

    Args:
        column: the score, NaN where it is not known.
        what: its name in the reason.
        rows: of the metric's unit.

    Raises:
        stats.Undefined: where no row has it.

    Example:
        >>> rows = gather([{"accuracy": np.array([2.0, np.nan])}], ["speaker"])
        >>> scored("accuracy", "phone accuracy", rows).tolist()
        [True, False]
    """
    known: np.ndarray = np.isfinite(rows[column])
    if not known.any():
        raise Undefined(f"no human {what}")
    return known


@dataclass(frozen=True)
class Threshold:
    """A decision threshold to be chosen on dev: on which unit, over which rows, what counts as positive.

    `choose(rows) -> float` returns t for the decision `score >= t`; raises stats.Undefined when one class is absent.
    """

    name: str
    unit: Unit
    choose: Callable[[Rows], float]


def finite(column: str, rows: Rows) -> np.ndarray:
    """The rows that have a value in a column; for `Metric.keep` by way of `partial(finite, column)`.

    Args:
        column: Its name.
        rows: Of one unit.

    Returns:
        A mask over the rows.
    """
    found: np.ndarray = np.isfinite(rows[column])
    return found


def floored_scores(predictions: Sequence[Prediction]) -> dict[str, int]:
    """How many phone scores were set to the floor, for the `counts` of a result file."""
    return {"floored_phone_scores": sum(prediction.floored for prediction in predictions)}


@dataclass(frozen=True)
class Task:
    """A task of the protocol: blind predictions, rows that lay them beside the human judgement, metrics over rows.

    Args:
        name: as in the names of result files: lower-case letters, digits, `_` and `-`.
        predict: `predict(evidence, prompt)`; one that needs more than a `Prediction` holds returns a subclass.
        rows: `rows(prediction, utterance)` gives for each unit its columns, one entry a unit, in the order of the
            prompt.
        metrics: in the order in which they are listed.
        headline: names of the metrics that are broken down by age, gender and proficiency.
        thresholds: chosen on dev; the rows of every split have them as `constants`.
        counts: numbers over all predictions that are no metrics.
        confusions: canonical phone -> recognised phone -> count, where the task has such a table.
    """

    name: str
    predict: Callable[[Evidence, Prompt], Prediction]
    rows: Callable[[Prediction, Utterance], dict[Unit, Columns]]
    metrics: tuple[Metric, ...]
    headline: tuple[str, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    counts: Callable[[Sequence[Prediction]], dict[str, int]] = floored_scores
    confusions: Callable[[Sequence[Prediction], Sequence[Utterance]], dict[str, dict[str, int]]] | None = None


def collect(task: Task, predictions: Sequence[Prediction], utterances: Sequence[Utterance]) -> Mapping[Unit, Rows]:
    """The rows of all utterances by unit, with a column `utterance` that indexes `utterances`.

    Args:
        task: whose rows.
        predictions: one an utterance.
        utterances: in the same order.
    """
    by_unit: dict[Unit, list[Columns]] = {}
    for index, (prediction, utterance) in enumerate(zip(predictions, utterances, strict=True)):
        for unit, columns in task.rows(prediction, utterance).items():
            size = len(next(iter(columns.values())))
            by_unit.setdefault(unit, []).append({**columns, "utterance": np.full(size, index)})
    speakers = [u.speaker for u in utterances]
    return {unit: gather(parts, speakers) for unit, parts in by_unit.items()}
