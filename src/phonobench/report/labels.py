"""Which metrics stand in which table, and their headings and values as text; all else is in `tasks.Metric`.

The lists below choose what a summary shows. Every other table derives: a metric that is added to a task is in the
tables of that task.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from phonobench import tasks
from phonobench.tasks import PLAIN, Display, Metric
from phonobench.tasks.task import DASH, Unit

SUMMARY = ("per_hq", "per_ipa_char_hq", "utterance_pearson", "phone_pearson", "utterance_auc", "phone_auc")
"""Columns of the summary."""
SOURCE_ONLY = ("per_ipa_char_hq",)
"""Metrics that are there for comparison with the source experiments alone."""
MAIN = tuple(name for name in SUMMARY if name not in SOURCE_ONLY)
"""Columns of a summary of our own runs."""
BROKEN_DOWN = ("per", "utterance_pearson", "phone_pearson", "phone_auc")
"""What is shown of recognisers by age, gender and proficiency."""
SCORER_BANDS = (
    "phone_model_pearson",
    "phone_model_auc",
    "phone_model_bias",
    "utterance_model_total_pearson",
    "utterance_model_total_bias",
    "utterance_model_total_coverage",
)
"""What is shown of trained scorers by age, gender and proficiency."""

UNITS: tuple[Unit, ...] = ("utterance", "word", "phone")
SCORER_UNITS: tuple[Unit, ...] = ("phone", "word", "utterance")


class Figure(Protocol):
    """A value with the ends of its interval, null or NaN where there is none."""

    @property
    def value(self) -> float | None:
        """The value on all speakers."""
        ...

    @property
    def low(self) -> float | None:
        """Lower end of the 95 % interval."""
        ...

    @property
    def high(self) -> float | None:
        """Upper end of the 95 % interval."""
        ...


def columns() -> tuple[str, ...]:
    """The metrics of the tasks that are in tables, task by task, within a task by unit.

    Example:
        >>> columns()[:3]
        ('per_hq', 'per', 'per_ipa_char_hq')
    """
    return tuple(name for task in tasks.TASKS.values() for name in _in_tables(task.metrics, UNITS))


def sections() -> dict[str, tuple[str, ...]]:
    """For each task the title of its table and the metrics in it.

    Example:
        >>> sections()["Scoring"]
        ('utterance_pearson', 'utterance_spearman', 'word_pearson', 'phone_pearson', 'phone_spearman')
    """
    return {
        task.name.capitalize(): tuple(n for n in _in_tables(task.metrics, UNITS) if n not in SOURCE_ONLY)
        for task in tasks.TASKS.values()
    }


def scorer_columns() -> tuple[str, ...]:
    """The metrics of trained scorers that are in tables: phones first, sentences last."""
    return tuple(_in_tables(tasks.assessment.METRICS, SCORER_UNITS))


def control_columns() -> tuple[str, ...]:
    """The metrics of the negative controls that are in tables."""
    return tuple(metric.name for metric in tasks.controls.METRICS if metric.shown != "on request")


def evaluated() -> tuple[str, ...]:
    """The metrics that `phonobench evaluate` prints where not all are asked for."""
    return tuple(name for name, metric in tasks.metrics().items() if metric.shown == "everywhere")


def heading(name: str) -> str:
    """A metric's label with its unit; the name in words where this version does not know it.

    Example:
        >>> heading("per_hq"), heading("a_new_metric")
        ('PER (HQ) %', 'a new metric')
    """
    metric = tasks.metrics().get(name)
    return name.replace("_", " ") if metric is None else metric.heading


def short_heading(name: str) -> str:
    """The same for narrow tables.

    Example:
        >>> short_heading("utterance_pearson")
        'utt. r'
    """
    metric = tasks.metrics().get(name)
    return name.replace("_", " ") if metric is None else metric.short_heading


def scorer_heading(name: str) -> str:
    """The heading in a table of trained scorers, whose figures are Pearson correlations where no statistic is named.

    Example:
        >>> scorer_heading("utterance_model_total_pearson")
        'sentence total'
    """
    return heading(name).removesuffix(", Pearson")


def display(name: str) -> Display:
    """How a metric's values are printed."""
    metric = tasks.metrics().get(name)
    return PLAIN if metric is None else metric.display


def number(value: float | None, name: str) -> str:
    """A metric's value without its unit; a dash for None and NaN.

    Example:
        >>> number(0.178, "per_hq"), number(0.5, "phone_pearson"), number(-3.14159, "phone_score_true")
        ('17.80', '0.500', '-3.14')
    """
    return display(name).number(value)


def with_interval(figure: Figure | None, name: str) -> str:
    """A value and its interval as far as they are known, as in "17.80 [16.80, 18.80]"; a dash for none.

    Example:
        >>> from phonobench.stats import Estimate
        >>> with_interval(Estimate(0.178, 0.168, 0.188, 2500, 125), "per_hq")
        '17.80 [16.80, 18.80]'
    """
    if figure is None or (shown := number(figure.value, name)) == DASH:
        return DASH
    return f"{shown} {ends}" if (ends := interval(figure, name)) else shown


def interval(figure: Figure, name: str) -> str:
    """The interval in brackets; empty where there is none."""
    low, high = number(figure.low, name), number(figure.high, name)
    return "" if DASH in (low, high) else f"[{low}, {high}]"


def span(figure: Figure, name: str) -> str:
    """The interval without brackets, "low–high", or "low to high" where a sign is there; empty where there is none.

    Example:
        >>> from phonobench.stats import Estimate
        >>> span(Estimate(0.1, -0.05, 0.2, 9, 3), "phone_pearson")
        '-0.050 to 0.200'
    """
    low, high = number(figure.low, name), number(figure.high, name)
    return "" if DASH in (low, high) else f"{low}{' to ' if low.startswith('-') else DASH}{high}"


def _in_tables(metrics: Iterable[Metric], units: tuple[Unit, ...]) -> list[str]:
    shown = [metric for metric in metrics if metric.shown != "on request"]
    return [metric.name for metric in sorted(shown, key=lambda metric: units.index(metric.unit))]
