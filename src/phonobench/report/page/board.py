"""The leaderboard as one HTML file that outlives any server: it sorts, filters, and tells where each figure is from."""

from __future__ import annotations

from typing import Any

from phonobench.report import facts, labels, markdown
from phonobench.report.leaderboard import Entry, Leaderboard, Table
from phonobench.report.page import html
from phonobench.report.source_rows import PUBLISHED_SCORERS, SOURCE_ROWS
from phonobench.results import Value
from phonobench.tasks import METRICS

COLUMNS = (*labels.SUMMARY, "phone_f1", "true_auc_swapped")
"""Metrics of the table; a row's details have all."""
HEADINGS = {**labels.LABELS, "true_auc_swapped": "listens: AUC of true against swapped audio"}


def render(board: Leaderboard) -> str:
    """The page. Tables are there without scripts; what is in results and file names is escaped."""
    return html.render(
        "board.html.j2", None, ("board.js",),
        tables=[_table(table) for table in board.tables],
        headings=[(name, HEADINGS[name], METRICS[name].better) for name in COLUMNS],
        legend=markdown.LEGEND.replace("**", "").replace("`", ""),
        protocol=board.protocol_version,
        scorers=PUBLISHED_SCORERS,
    )  # fmt: skip


def _table(table: Table) -> dict[str, Any]:
    best = {name: markdown.best(name, table.entries) for name in COLUMNS}
    rows = [
        {
            "theirs": False, "name": e.title, "how": e.name.removeprefix(f"{e.title}, "), "input": e.input,
            "parameters": e.parameters, "saw": e.saw_test_corpus,
            "cells": [_cell(e.metrics.get(name), name, best[name]) for name in COLUMNS],
            "facts": facts.of(e), "figures": _figures(e), "bands": _bands(e),
        }
        for e in table.entries
    ]  # fmt: skip
    for row in SOURCE_ROWS if table.has_source_rows else ():
        values = [(getattr(row, name, None), name) for name in COLUMNS]
        cells = [
            {"text": "–", "ends": "", "sort": "", "best": False, "reason": "not published"} if value is None
            else {"text": labels.number(value, name), "ends": "", "sort": value, "best": False, "reason": ""}
            for value, name in values
        ]  # fmt: skip
        rows.append({"theirs": True, "name": row.system, "how": row.note or "as published", "input": row.input,
                     "parameters": None, "saw": "", "cells": cells})  # fmt: skip
    return {"table": table, "rows": rows}


def _cell(value: Value | None, name: str, best: float | None = None) -> dict[str, Any]:
    if value is None or value.value is None:
        reason = "not measured" if value is None else value.reason
        return {"text": "–", "ends": "", "sort": "", "best": False, "reason": reason}
    low, high = (None if end is None else labels.number(end, name) for end in (value.low, value.high))
    dash = " to " if value.low is not None and value.low < 0 else "–"
    ends = "" if low is None or high is None else f"{low}{dash}{high}"
    return {"text": labels.number(value.value, name), "ends": ends, "sort": value.value, "best": value.value == best,
            "reason": value.reason or f"n {value.n}, {value.speakers} speakers"}  # fmt: skip


def _figures(entry: Entry) -> list[tuple[str, dict[str, Any]]]:
    known = {name: HEADINGS.get(name, name.replace("_", " ")) for name in entry.metrics if name in METRICS}
    others = {name: name.replace("_", " ") for name in entry.metrics if name not in known}
    return [(heading, _cell(entry.metrics[name], name)) for name, heading in {**known, **others}.items()]


def _bands(entry: Entry) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{dimension} {band}", _cell(values.get("per"), "per"))
        for dimension, bands in entry.breakdowns.items()
        for band, values in bands.items()
    ]
