"""The leaderboard as one HTML file that outlives any server: it sorts, filters, and shows where each figure is from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from phonobench.report import labels, markdown, provenance_rows, raters
from phonobench.report.leaderboard import Entry, Leaderboard, Table
from phonobench.report.page import html
from phonobench.report.published import PUBLISHED_SCORERS, SOURCE_ROWS
from phonobench.results import Value
from phonobench.tasks import metrics
from phonobench.tasks.task import DASH

COLUMNS = (*labels.SUMMARY, "phone_f1", "true_auc_swapped")
"""Metrics of the table; a row's details have all."""
BAND, SCORER_BAND = "per", "phone_model_pearson"
"""What the details show by group, of recognisers and of trained scorers."""


def render(board: Leaderboard) -> str:
    """The page. Tables are there without scripts; what is in results and file names is escaped."""
    return html.render(
        "board.html.j2",
        None,
        ("board.js",),
        tables=[{"table": table, "boards": _boards(table)} for table in board.tables],
        legend=markdown.LEGEND.replace("**", "").replace("`", ""),
        protocol=board.protocol_version,
        scorers=PUBLISHED_SCORERS,
    )


def _boards(table: Table) -> list[dict[str, Any]]:
    """The board of recognisers, and that of trained scorers where there are some; each sorted by its first column."""
    rows = [*_rows(table.entries, COLUMNS, BAND), *(_source_rows() if table.has_source_rows else ())]
    headings = [(name, labels.heading(name), metrics()[name].better) for name in COLUMNS]
    boards = [{"title": "", "headings": headings, "rows": rows, "band": labels.heading(BAND)}]
    if table.scorers:
        columns = labels.scorer_columns()
        rows = _rows(table.scorers, columns, SCORER_BAND)
        if table.raters:
            cells = [_cell(table.raters.metrics.get(name), name) for name in columns]
            rows.append(_others(raters.TITLE, raters.HOW, "", cells))
        headings = [(name, labels.scorer_heading(name), metrics()[name].better) for name in columns]
        band = labels.heading(SCORER_BAND)
        boards.append({"title": "Trained scorers", "headings": headings, "rows": rows, "band": band})
    return boards


def _rows(entries: Sequence[Entry], names: Sequence[str], band: str) -> list[dict[str, Any]]:
    best = {name: markdown.best(name, entries) for name in names}
    return [
        {
            "theirs": False,
            "name": e.title,
            "how": e.name.removeprefix(f"{e.title}, "),
            "input": e.input,
            "parameters": e.parameters,
            "saw": e.saw_test_corpus,
            "cells": [_cell(e.metrics.get(name), name, best[name]) for name in names],
            "facts": provenance_rows.of(e),
            "figures": [(labels.heading(name), _cell(value, name)) for name, value in _ordered(e.metrics)],
            "bands": _bands(e, band),
        }
        for e in entries
    ]


def _source_rows() -> list[dict[str, Any]]:
    rows = []
    for row in SOURCE_ROWS:
        cells = [_published(getattr(row, name, None), name) for name in COLUMNS]
        rows.append(_others(row.system, f"source experiments, {row.note or 'as published'}", row.input, cells))
    return rows


def _published(value: float | None, name: str) -> dict[str, Any]:
    reason = "not published" if value is None else ""
    sort = "" if value is None else value
    return {"text": labels.number(value, name), "ends": "", "sort": sort, "best": False, "reason": reason}


def _others(name: str, how: str, takes: str, cells: list[dict[str, Any]]) -> dict[str, Any]:
    """A row that no run of ours made."""
    return {"theirs": True, "name": name, "how": how, "input": takes, "parameters": None, "saw": "", "cells": cells}


def _cell(value: Value | None, name: str, best: float | None = None) -> dict[str, Any]:
    if value is None or value.value is None:
        reason = "not measured" if value is None else value.reason
        return {"text": DASH, "ends": "", "sort": "", "best": False, "reason": reason}
    return {
        "text": labels.number(value.value, name),
        "ends": labels.span(value, name),
        "sort": value.value,
        "best": value.value == best,
        "reason": value.reason or f"n {value.n}, {value.speakers} speakers",
    }


def _ordered(found: Mapping[str, Value]) -> list[tuple[str, Value]]:
    """Metrics that this version knows first."""
    known = metrics()
    return sorted(found.items(), key=lambda item: item[0] not in known)


def _bands(entry: Entry, name: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{dimension} {band}", _cell(values.get(name), name))
        for dimension, bands in entry.breakdowns.items()
        for band, values in bands.items()
    ]
