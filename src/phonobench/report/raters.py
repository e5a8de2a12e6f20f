"""The rater row of a leaderboard: how one rater agrees with the other four, and how scorers do with the same four.

`phonobench raters` measures it and leaves it beside the results.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from phonobench.results import PROTOCOL_VERSION, CorpusFacts, Value, check_range
from phonobench.store import door
from phonobench.store.door import Checked, PlainName
from phonobench.types import PhonobenchError

FILE = "raters.json"
"""Its name in the folder of results."""
TITLE, HOW = "One human rater", "against the other four"


class DifferencePart(Checked):
    """A scorer's figure less a rater's."""

    value: float | None
    low: float | None
    high: float | None
    p: Annotated[float, Field(ge=0, le=1)] | None
    reason: str | None

    @model_validator(mode="after")
    def _reasoned(self) -> DifferencePart:
        if None in (self.value, self.low, self.high) and not self.reason:
            raise ValueError("a null needs a reason")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low {self.low:g} is above high {self.high:g}")
        return self


class ScorerPart(Checked):
    """One scorer in the file."""

    value: Value
    difference: DifferencePart


class MetricPart(Checked):
    """One metric in the file."""

    rater: Value
    pairwise: Value | None
    scorers: dict[PlainName, ScorerPart]


class RaterFacts(Checked):
    """The whole file."""

    protocol_version: str
    split: Literal["train", "dev", "test"]
    resamples: Annotated[int, Field(ge=0)]
    corpus: CorpusFacts
    metrics: dict[str, MetricPart]

    @model_validator(mode="after")
    def _in_range(self) -> RaterFacts:
        for name, part in self.metrics.items():
            for value in (part.rater, *(one.value for one in part.scorers.values())):
                check_range(name, value)
        return self


@dataclass(frozen=True)
class SystemDifference:
    """A scorer against the same four raters: its figure, its difference from the rater's, and p."""

    value: Value
    difference: Value
    p: float | None


@dataclass(frozen=True)
class RaterTable:
    """`metrics`: a rater's figures by the scorers' metrics; `systems`: run -> metric -> how a scorer compares."""

    fingerprint: str
    split: str
    metrics: Mapping[str, Value]
    systems: Mapping[str, Mapping[str, SystemDifference]]


def read(results_root: Path) -> RaterTable | None:
    """What was measured last, None where nothing was.

    Raises:
        PhonobenchError: for a file of another protocol, and for one that `phonobench raters` did not write so.
    """
    path = results_root / FILE
    if not path.exists():
        return None
    again = "run `phonobench raters` again"
    fields = door.read_json(path, again)
    version = fields.get("protocol_version") if isinstance(fields, dict) else None
    if version != PROTOCOL_VERSION:
        raise PhonobenchError(f"{path} is of protocol version {door.shown(str(version))}: {again}")
    found = door.checked_value(path, fields, RaterFacts, again)
    systems: dict[str, dict[str, SystemDifference]] = {}
    for metric, agreement in found.metrics.items():
        for run, figures in agreement.scorers.items():
            systems.setdefault(run, {})[metric] = _system_difference(figures, agreement.rater)
    metrics = {metric: agreement.rater for metric, agreement in found.metrics.items()}
    return RaterTable(found.corpus.fingerprint, found.split, metrics, systems)


def _system_difference(figures: ScorerPart, rater: Value) -> SystemDifference:
    apart = figures.difference
    sizes = {"n": rater.n, "speakers": rater.speakers}
    difference = Value(value=apart.value, low=apart.low, high=apart.high, reason=apart.reason, **sizes)
    return SystemDifference(figures.value, difference, apart.p)
