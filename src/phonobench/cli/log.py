"""`phonobench log`: the experiments log, written from manifests and results."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from phonobench import corpora, store
from phonobench.cli.options import KEPT, RESULTS, RUNS, CorpusOption, JsonOption, ResultsOption, RunsOption
from phonobench.cli.output import print_json, print_note, progress
from phonobench.types import PhonobenchError

if TYPE_CHECKING:
    from phonobench.report.log import Gaps, Run


def write_log(
    run: Annotated[str | None, typer.Argument(metavar="[RUN]", help="The run that --note is about.")] = None,
    note: Annotated[str | None, typer.Option("--note", help="A free note on RUN; replaces its former one.")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The Markdown file.")] = Path("EXPERIMENTS.md"),
    paired: Annotated[
        bool, typer.Option("--paired", help="Tell what is best by paired differences, from posteriors: slower.")
    ] = False,
    tensorboard: Annotated[
        Path | None, typer.Option("--tensorboard", metavar="FOLDER", help="Also write event files of the trainings.")
    ] = None,
    mlflow: Annotated[
        str | None, typer.Option("--mlflow", metavar="URI", help="Also log the trainings to MLflow.")
    ] = None,
    corpus: CorpusOption = None,
    runs: RunsOption = RUNS,
    results: ResultsOption = RESULTS,
    kept: Annotated[Path, typer.Option("--kept", help="Manifests of runs whose folders are not here.")] = KEPT,
    as_json: JsonOption = False,
) -> None:
    """Write EXPERIMENTS.md: every run with its settings, figures, curves and note, and what is still to do."""
    from phonobench.report import log, loggers

    found = log.read(runs, results, kept)
    if (run is None) != (note is None):
        raise PhonobenchError('a note needs its run, and a run its note: phonobench log RUN --note "text"')
    if run is not None and note is not None:
        matches = [one.run_id for one in found if one.run_id.startswith(run)]
        if len(matches) != 1:
            raise PhonobenchError(f"{run!r} begins {len(matches)} runs; known: {', '.join(o.run_id for o in found)}")
        log.write_note(results, matches[0], note)
        found = log.read(runs, results, kept)
    if tensorboard is not None:
        print_note(f"written to {tensorboard}: {len(loggers.tensorboard(found, tensorboard))} new runs")
    if mlflow is not None:
        print_note(f"logged to {mlflow}: {len(loggers.mlflow(found, mlflow))} new runs")
    if as_json:
        print_json([{"run": o.run_id, "created": o.created, "card": o.card, "note": o.note} for o in found])
        return
    gaps = _paired(found, corpus, runs) if paired else None
    pictures = {id: _seen_from(path, output) for id, path in log.draw(found, results).items()}
    store.write_bytes(output, log.write(found, gaps, pictures).encode())
    print_note(f"written to {output}: {len(found)} runs")


def _paired(found: Sequence[Run], corpus: str | None, runs: Path) -> Gaps:
    """Paired differences of the runs that have results of all of this corpus' test split and posteriors here."""
    from phonobench import evaluate
    from phonobench.report import labels, log

    read = corpora.find(corpus)
    chosen = [
        one
        for one in found
        if one.tests
        and one.tests[0].provenance.corpus.fingerprint == read.fingerprint
        and one.tests[0].provenance.split.complete
        and (runs / one.run_id / store.RUN_FILE).exists()
        and any(name in test.metrics for test in one.tests for name in labels.MAIN)  # a scorer has none of them
    ]
    if len(chosen) < 2:
        raise PhonobenchError(f"--paired needs two runs with results of {read.name} and posteriors in {runs}")
    with progress() as report:
        folders = [runs / one.run_id for one in chosen]
        compared = evaluate.compare(folders, read, metrics=labels.MAIN, report=report)
    return log.paired(compared, chosen)


def _seen_from(path: Path, output: Path) -> str:
    return quote(Path(os.path.relpath(path.absolute(), output.absolute().parent)).as_posix())
