"""`phonobench log`: the experiments log, written from manifests and results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from phonobench import store
from phonobench.cli.options import RESULTS, RUNS, JsonOption, ResultsOption, RunsOption
from phonobench.cli.output import print_json, remark
from phonobench.types import PhonobenchError


def write_log(
    run: Annotated[str | None, typer.Argument(metavar="[RUN]", help="The run that --note is about.")] = None,
    note: Annotated[str | None, typer.Option("--note", help="A free note on RUN; replaces its former one.")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The Markdown file.")] = Path("EXPERIMENTS.md"),
    runs: RunsOption = RUNS,
    results: ResultsOption = RESULTS,
    as_json: JsonOption = False,
) -> None:
    """Write EXPERIMENTS.md: every run with its settings, figures and note, and what is still to do."""
    from phonobench.report import log

    found = log.read(runs, results)
    if (run is None) != (note is None):
        raise PhonobenchError('a note needs its run, and a run its note: phonobench log RUN --note "text"')
    if run is not None and note is not None:
        matches = [one.run_id for one in found if one.run_id.startswith(run)]
        if len(matches) != 1:
            raise PhonobenchError(f"{run!r} begins {len(matches)} runs; known: {', '.join(o.run_id for o in found)}")
        log.write_note(results, matches[0], note)
        found = log.read(runs, results)
    if as_json:
        print_json([{"run": o.run_id, "created": o.created, "card": o.card, "note": o.note} for o in found])
        return
    store.write_bytes(output, log.write(found).encode())
    remark(f"written to {output}: {len(found)} runs")
