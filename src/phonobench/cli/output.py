"""How the command line speaks: tables and JSON on stdout; progress, remarks and faults on stderr."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from phonobench import store
from phonobench.types import Corpus, OnProgress, Progress
from phonobench.visible import visible, visible_json

MEGABYTE = 1_000_000
BYTES_FROM = 10 * MEGABYTE
"""Stages with more steps than this count bytes, and are shown in megabytes."""

QUIET_SECONDS = 30.0
"""Between two lines about the same stage where stderr is a file and not a terminal."""


def print_error(message: str, prefix: str = "error: ") -> None:
    """One line on stderr, whatever line breaks the message holds."""
    print(prefix + visible(" ".join(message.split())), file=sys.stderr)


def print_note(message: str) -> None:
    """A line for the reader that is no data: to stderr, so that stdout stays clean."""
    print(visible(message, keep="\n\t"), file=sys.stderr, flush=True)


def print_line(message: str) -> None:
    """A line of data for people, on stdout."""
    print(visible(message, keep="\n"), flush=True)


def print_caveats(corpus: Corpus, limit: int | None, to_stderr: bool) -> None:
    """Warns, before any figure, that figures are of synthetic speech or of a few utterances only.

    The warning belongs to the figures, so it goes to stdout as they do.

    Args:
        corpus: What the figures are of.
        limit: Utterances of each split that were used; None: all.
        to_stderr: For output that must stay pure, such as JSON.
    """
    write = print_note if to_stderr else print_line
    if corpus.synthetic:
        write("These figures are of SYNTHETIC speech, not of people (see `phonobench doctor`).")
    if limit is not None:
        write(f"This is a trial on {limit} utterances of each split; its figures are not to be cited.")


def print_json(value: Any) -> None:
    """`value` as JSON and nothing else on stdout."""
    print(to_json(value))


def to_json(value: Any) -> str:
    """`value` as indented JSON; NaN and infinities, which JSON lacks, become null."""
    return visible_json(json.dumps(store.without_nan(value), indent=2, ensure_ascii=False, allow_nan=False))


def figure(metric: str, value: float | None) -> str:
    """A value as its metric is shown, with its unit; three decimals where there is no such metric, a dash for none."""
    from phonobench.report import labels

    if value is None or math.isnan(value):
        return "-"
    return f"{labels.number(value, metric)} {labels.display(metric).unit}".rstrip()


def interval(metric: str, low: float | None, high: float | None) -> str:
    """The ends of an interval in brackets, without the unit; a dash for none."""
    from phonobench.report import labels

    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return "-"
    return f"[{labels.number(low, metric)}, {labels.number(high, metric)}]"


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[str] = ()) -> None:
    """A table as wide as the terminal; cells that do not fit are folded, never cut. `right`: columns of numbers."""
    if title:
        print_line(title)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(Text(visible(column)), justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    Console(highlight=False).print(table)


@contextmanager
def progress() -> Iterator[OnProgress]:
    """A `report` callback for long work: bars on a terminal, now and then a line elsewhere."""
    with _shown() as show:

        def report(step: Progress) -> None:
            _latest[:] = [step]
            show(step)

        _latest.clear()
        yield report


_latest: list[Progress] = []
"""The last step of the work under way, if there is one."""


def remaining() -> str:
    """Where the work under way stands and what remains of it, as the middle of a sentence; empty where none is."""
    if not _latest:
        return ""
    step = _latest[0]
    return f" at {step.stage} {step.done} of {step.total}, {step.total - step.done} remain"


@contextmanager
def _shown() -> Iterator[OnProgress]:
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines()
        return
    stage, note = (TextColumn(form, markup=False) for form in ("{task.description}", "{task.fields[note]}"))
    columns = (stage, BarColumn(bar_width=20), MofNCompleteColumn())
    times = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(), note)
    with Bars(*columns, *times, console=console, transient=True) as bars:
        stages: dict[str, Any] = {}

        def report(step: Progress) -> None:
            unit = MEGABYTE if step.total > BYTES_FROM else 1
            if step.stage not in stages:
                stages[step.stage] = bars.add_task(step.stage + " (MB)" * (unit > 1), total=None, note="")
            total = step.total // unit or None
            bars.update(stages[step.stage], completed=step.done // unit, total=total, note=visible(step.note))

        yield report


def _lines() -> OnProgress:
    """A line when a stage begins, when it first ends (some come again in every epoch), and now and then between."""
    said: dict[str, float] = {}
    ended: set[str] = set()

    def report(step: Progress) -> None:
        now, ends = time.monotonic(), step.done == step.total and step.stage not in ended
        if step.stage not in said or ends or now - said[step.stage] >= QUIET_SECONDS:
            said[step.stage] = now
            print_note(f"{step.stage} {step.done}/{step.total} {step.note}".rstrip())
        if ends:
            ended.add(step.stage)

    return report
