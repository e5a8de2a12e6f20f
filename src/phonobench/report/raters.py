"""The rater row of a leaderboard: how one rater agrees with the other four, and how scorers do with the same four.

`phonobench raters` measures it and leaves it beside the results.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phonobench import store
from phonobench.results import PROTOCOL_VERSION, Value
from phonobench.types import PhonobenchError

FILE = "raters.json"
"""Its name in the folder of results."""
TITLE, HOW = "One human rater", "against the other four"


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
    """What was measured last, None where nothing was. Raises PhonobenchError for a file of another protocol."""
    path = results_root / FILE
    if not path.exists():
        return None
    found = store.read_json(path)
    if found["protocol_version"] != PROTOCOL_VERSION:
        raise PhonobenchError(
            f"{path} is of protocol version {found['protocol_version']}: run `phonobench raters` again"
        )
    systems: dict[str, dict[str, SystemDifference]] = {}
    for metric, agreement in found["metrics"].items():
        for run, figures in agreement["scorers"].items():
            systems.setdefault(run, {})[metric] = _system_difference(figures, agreement["rater"])
    metrics = {metric: Value(**agreement["rater"]) for metric, agreement in found["metrics"].items()}
    return RaterTable(found["corpus"]["fingerprint"], found["split"], metrics, systems)


def _system_difference(figures: Mapping[str, Any], rater: Mapping[str, Any]) -> SystemDifference:
    difference = dict(figures["difference"])
    p = difference.pop("p")
    return SystemDifference(Value(**figures["value"]), Value(**difference, n=rater["n"], speakers=rater["speakers"]), p)
