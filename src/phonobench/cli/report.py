"""`phonobench report`: one HTML page to see and play the results of some runs, without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from phonobench import corpora, store
from phonobench.cli.options import (
    RESULTS,
    RUNS,
    CorpusOption,
    JsonOption,
    ResultsOption,
    RunsOption,
)
from phonobench.cli.output import print_caveats, print_json, print_line, progress
from phonobench.types import Corpus, PhonobenchError, Split


def write_report(
    run: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="Where none is named: all that have results.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The HTML file.")] = Path("report.html"),
    split: Annotated[str, typer.Option(help="train, dev or test.")] = "test",
    audio_mb: Annotated[float, typer.Option(min=0, help="Sound files in the page, MB (a third more in it).")] = 10,
    corpus: CorpusOption = None,
    runs: RunsOption = RUNS,
    results: ResultsOption = RESULTS,
    as_json: JsonOption = False,
) -> None:
    """Write one page that opens from disk: figures, charts, confusions, and utterances to play. Needs no torch."""
    found = corpora.find(corpus)
    run_dirs = [store.find_run(name, runs) for name in run] if run else evaluated(found, runs, results, split)
    limits = [store.read_run(run_dir).get("limit") for run_dir in run_dirs]
    print_caveats(found, next((limit for limit in limits if limit is not None), None), to_stderr=True)
    facts = write_page(run_dirs, found, results, output, split=split, audio_mb=audio_mb)
    if as_json:
        print_json(facts)
        return
    playable = facts["utterances_with_sound"]
    print_line(f"{output}: {facts['bytes'] / 1e6:.1f} MB, {len(run_dirs)} runs, {playable} utterances with sound")


def write_page(
    run_dirs: list[Path], corpus: Corpus, results: Path, output: Path, *, split: str = "test", audio_mb: float = 10
) -> dict[str, Any]:
    """Builds the page and writes it; returns its file, its size in bytes, its runs, its utterances with sound."""
    from phonobench.report import page

    with progress() as report:
        size = round(1e6 * audio_mb)
        made = page.build(run_dirs, corpus, results, cast(Split, split), audio_bytes=size, report=report)
    text = page.render(made).encode()
    store.write_bytes(output, text)
    return {
        "file": str(output),
        "bytes": len(text),
        "runs": [one["id"] for one in made.data["systems"]],
        "utterances_with_sound": len(made.data["cases"]),
    }


def evaluated(corpus: Corpus, runs: Path, results: Path, split: str) -> list[Path]:
    """Runs under `runs` that have results of the split on this corpus, best first; trials only where nothing else is.

    Raises PhonobenchError where there are none, or more than a page can name.
    """
    from phonobench.report import leaderboard

    tables = [table for table in leaderboard.build(results, split).tables if table.fingerprint == corpus.fingerprint]
    for table in tables:  # whole splits come first
        found = [runs / e.run_id for e in table.entries if (runs / e.run_id / store.RUN_FILE).exists()]
        if found:
            return found
    raise PhonobenchError(
        f"no run in {runs} has {split} results of {corpus.name} in {results}: `phonobench evaluate` makes them"
    )
