"""The leaderboard as one HTML file that outlives any server: it sorts, filters, and tells where each figure is from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from phonobench.report import labels, markdown, provenance_rows, raters
from phonobench.report.leaderboard import Entry, Leaderboard, Table
from phonobench.report.page import html
from phonobench.report.published import PUBLISHED_SCORERS, SOURCE_ROWS
from phonobench.results import Value
from phonobench.tasks import METRICS

COLUMNS = (*labels.SUMMARY, "phone_f1", "true_auc_swapped")
"""Metrics of the table; a row's details have all."""
SCORER_COLUMNS = tuple(labels.SCORER_LABELS)
"""The same of the table of trained scorers."""
HEADINGS = {**labels.LABELS, **labels.SCORER_LABELS, "true_auc_swapped": "listens: AUC of true against swapped audio"}


def render(board: Leaderboard) -> str:
    """The page. Tables are there without scripts; what is in results and file names is escaped."""
    return html.render(
        "board.html.j2", None, ("board.js",),
        tables=[{"table": table, "boards": _boards(table)} for table in board.tables],
        legend=markdown.LEGEND.replace("**", "").replace("`", ""),
        protocol=board.protocol_version,
        scorers=PUBLISHED_SCORERS,
    )  # fmt: skip


def _boards(table: Table) -> list[dict[str, Any]]:
    """The board of recognisers, and that of trained scorers where there are some; each sorted by its first column."""
    rows = [*_rows(table.entries, COLUMNS, "per"), *(_source_rows() if table.has_source_rows else ())]
    boards = [{"title": "", "headings": _headings(COLUMNS), "rows": rows, "band": "PER %"}]
    if table.scorers:
        rows = _rows(table.scorers, SCORER_COLUMNS, SCORER_COLUMNS[0])
        if table.people:
            cells = [_cell(table.people.metrics.get(name), name) for name in SCORER_COLUMNS]
            rows.append(_others(raters.TITLE, raters.HOW, "", cells))
        boards.append({"title": "Trained scorers", "headings": _headings(SCORER_COLUMNS), "rows": rows,
                       "band": "phone Pearson"})  # fmt: skip
    return boards


def _headings(names: Sequence[str]) -> list[tuple[str, str, str]]:
    return [(name, HEADINGS[name], METRICS[name].better) for name in names]


def _rows(entries: Sequence[Entry], names: Sequence[str], band: str) -> list[dict[str, Any]]:
    best = {name: markdown.best(name, entries) for name in names}
    return [
        {
            "theirs": False, "name": e.title, "how": e.name.removeprefix(f"{e.title}, "), "input": e.input,
            "parameters": e.parameters, "saw": e.saw_test_corpus,
            "cells": [_cell(e.metrics.get(name), name, best[name]) for name in names],
            "facts": provenance_rows.of(e), "figures": _figures(e), "bands": _bands(e, band),
        }
        for e in entries
    ]  # fmt: skip


def _source_rows() -> list[dict[str, Any]]:
    rows = []
    for row in SOURCE_ROWS:
        values = [(getattr(row, name, None), name) for name in COLUMNS]
        cells = [
            {"text": "–", "ends": "", "sort": "", "best": False, "reason": "not published"} if value is None
            else {"text": labels.number(value, name), "ends": "", "sort": value, "best": False, "reason": ""}
            for value, name in values
        ]  # fmt: skip
        rows.append(_others(row.system, f"source experiments, {row.note or 'as published'}", row.input, cells))
    return rows


def _others(name: str, how: str, heard_as: str, cells: list[dict[str, Any]]) -> dict[str, Any]:
    """A row that no run of ours made."""
    return {"theirs": True, "name": name, "how": how, "input": heard_as, "parameters": None, "saw": "", "cells": cells}


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


def _bands(entry: Entry, name: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{dimension} {band}", _cell(values.get(name), name))
        for dimension, bands in entry.breakdowns.items()
        for band, values in bands.items()
    ]
