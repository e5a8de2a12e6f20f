"""`phonobench card`: the model card of a run, and its results as the Hugging Face hub takes them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from phonobench import store
from phonobench.cli.options import RESULTS, JsonOption, ResultsOption
from phonobench.cli.output import print_json, print_note
from phonobench.types import PhonobenchError

EVAL_RESULTS = ".eval_results"
"""The folder of a hub repository in which it looks for results."""


def write_card(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Run id, or the beginning of one, that has results.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write it, and .eval_results/ beside it; else print it.")
    ] = None,
    results: ResultsOption = RESULTS,
    as_json: JsonOption = False,
) -> None:
    """Write the model card of a run from its results: figures with intervals, limits, training, provenance."""
    from phonobench.report import hub, leaderboard

    tables = leaderboard.build(results).tables
    matches = [(table, entry) for table in tables for entry in table.entries if entry.run_id.startswith(run)]
    if len(matches) != 1:
        known = ", ".join(entry.run_id for table in tables for entry in table.entries)
        raise PhonobenchError(f"{run!r} begins {len(matches)} runs with test results in {results}; known: {known}")
    table, entry = matches[0]
    public = hub.is_public(table)
    if as_json:
        found = hub.eval_results(table, entry) if public else None
        print_json({"run": entry.run_id, "card": hub.card(table, entry), "eval_results": found})
        return
    if output is None:
        print(hub.card(table, entry), end="")
        return
    store.write_bytes(output, hub.card(table, entry).encode())
    print_note(f"written to {output}")
    if public:
        beside = output.parent / EVAL_RESULTS / f"{table.corpus}.yaml"
        store.write_bytes(beside, hub.eval_results(table, entry).encode())
        print_note(f"written to {beside}")
    else:
        print_note(f"no {EVAL_RESULTS}: synthetic speech, a trial, or a corpus that is not on the hub")
