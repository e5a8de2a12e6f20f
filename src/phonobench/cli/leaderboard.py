"""`phonobench leaderboard`: the table of all stored results, beside the source experiments' rows."""

from __future__ import annotations

import json
from collections.abc import Container
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast, get_args

import typer

from phonobench import store
from phonobench.cli.options import RESULTS, JsonOption, ResultsOption
from phonobench.cli.output import print_note, print_table
from phonobench.types import PhonobenchError

if TYPE_CHECKING:
    from phonobench.report.leaderboard import Entry, Leaderboard, Table
    from phonobench.results import Value

Format = Literal["table", "md", "csv", "json", "html"]


def print_leaderboard(
    shape: Annotated[
        str | None,
        typer.Option(
            "--format", help="table, md, csv, json or html; by the name of the output file where none is given."
        ),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to a file.")] = None,
    split: Annotated[str, typer.Option(help="train, dev or test.")] = "test",
    results: ResultsOption = RESULTS,
    as_json: JsonOption = False,
) -> None:
    """Print or write the leaderboard of all stored results: figures, intervals, the source experiments' rows."""
    wanted = _format("json" if as_json else shape, output)
    from phonobench.report import leaderboard

    board = leaderboard.build(results, split)
    if wanted == "table":
        if output is not None:
            raise PhonobenchError(f"{output}: the table is for the terminal; write md, csv, json or html to a file")
        for table in board.tables:
            _print(table)
        print_note("Breakdowns, controls and what others published: --format md")
        return
    text = _written(board, wanted)
    if output is None:
        print(text, end="")
        return
    store.write_bytes(output, text.encode())
    print_note(f"written to {output}")


def show(results: Path, runs: Container[str]) -> None:
    """Prints the tables in which any of `runs` stands."""
    from phonobench.report import leaderboard

    for table in leaderboard.build(results).tables:
        if any(entry.run_id in runs for entry in table.entries):
            _print(table)


def _format(shape: str | None, output: Path | None) -> Format:
    """The format asked for, or that of the output file's suffix; a table on the terminal."""
    wanted = shape or ("table" if output is None else output.suffix.removeprefix("."))
    if wanted not in get_args(Format):
        raise PhonobenchError(f"unknown format {wanted!r}; give --format {', '.join(get_args(Format))}")
    return cast(Format, wanted)


def _written(board: Leaderboard, shape: Format) -> str:
    from phonobench.report import markdown
    from phonobench.report.page import board as html

    if shape == "csv":
        return board.csv()
    if shape == "html":
        return html.render(board)
    return markdown.write(board) if shape == "md" else json.dumps(board.json(), indent=2, ensure_ascii=False) + "\n"


def _print(table: Table) -> None:
    """The main figures; headings are short enough for a terminal of 80 columns."""
    from phonobench.report import labels

    name = "SYNTHETIC SPEECH" if table.synthetic else table.corpus
    trial = "" if table.complete else ", a trial not to be cited"
    title = f"{name}{trial}: {table.utterances:,} utterances of {table.speakers} speakers"
    print()
    headings = [labels.short_heading(name) for name in labels.MAIN]
    print_table(title, ("system", *headings), [_row(entry) for entry in table.entries], headings)


def _row(entry: Entry) -> tuple[str, ...]:
    """Two lines a run: values, and below them their intervals."""
    from phonobench.report import labels

    cells = (_cell(name, entry.metrics[name]) if name in entry.metrics else "-" for name in labels.MAIN)
    return f"{entry.card}\n{entry.recipe}, seed {entry.seed}", *cells


def _cell(name: str, value: Value) -> str:
    """`.530` above `.487–.701`."""
    from phonobench.report import labels
    from phonobench.tasks.task import DASH

    shown, low, high = (_short(labels.number(number, name)) for number in (value.value, value.low, value.high))
    if shown == DASH:
        return "-"
    return shown if DASH in (low, high) else f"{shown}\n{low}–{high}"


def _short(shown: str) -> str:
    """Without the zero before the point."""
    return shown.replace("0.", ".", 1) if shown.startswith(("0.", "-0.")) else shown
