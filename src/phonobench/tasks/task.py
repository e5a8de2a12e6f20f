"""The nouns of a task: metrics as functions of rows and weights, and how the rows of many utterances are gathered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from phonobench.stats import Rows, gather
from phonobench.tasks.prediction import Prediction
from phonobench.types import Evidence, Prompt, Utterance

Unit = Literal["utterance", "word", "phone"]
Columns = dict[str, np.ndarray]


@dataclass(frozen=True)
class Metric:
    """One figure: which rows it is made of and how. `value(rows, weights (R, S)) -> (R,)`, batched over draws.

    `keep` picks the rows it is defined on (all when None). `value` raises stats.Undefined with the reason when the
    rows as a whole have no value. `better` says which direction is good; "none" for a figure that only describes.
    """

    name: str
    unit: Unit
    text: str
    value: Callable[[Rows, np.ndarray], np.ndarray]
    better: Literal["low", "high", "none"] = "high"
    keep: Callable[[Rows], np.ndarray] | None = None


@dataclass(frozen=True)
class Threshold:
    """A decision threshold to be chosen on dev: on which unit, over which rows, what counts as positive.

    `choose(rows) -> float` returns t for the decision `score >= t`; raises stats.Undefined when one class is absent.
    """

    name: str
    unit: Unit
    choose: Callable[[Rows], float]


@dataclass(frozen=True)
class Task:
    """A task of the protocol. `headline` names the metrics that are broken down by age, gender and proficiency.

    `rows(prediction, utterance)` gives for each unit its columns, one entry a unit, in the order of the prompt.
    """

    name: str
    predict: Callable[[Evidence, Prompt], Prediction]
    rows: Callable[[Prediction, Utterance], dict[Unit, Columns]]
    metrics: tuple[Metric, ...]
    headline: tuple[str, ...]
    thresholds: tuple[Threshold, ...] = ()


def collect(task: Task, predictions: Sequence[Prediction], utterances: Sequence[Utterance]) -> Mapping[Unit, Rows]:
    """The rows of all utterances by unit, with a column `utterance` that indexes `utterances`."""
    by_unit: dict[Unit, list[Columns]] = {}
    for index, (prediction, utterance) in enumerate(zip(predictions, utterances, strict=True)):
        for unit, columns in task.rows(prediction, utterance).items():
            size = len(next(iter(columns.values())))
            by_unit.setdefault(unit, []).append({**columns, "utterance": np.full(size, index)})
    speakers = [u.speaker for u in utterances]
    return {unit: gather(parts, speakers) for unit, parts in by_unit.items()}
