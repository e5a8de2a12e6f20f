"""`phonobench report`: one HTML page to see and hear the results of some runs, without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from phonobench import corpora, store
from phonobench.cli.options import (
    RESULTS,
    RUNS,
    CorpusOption,
    JsonOption,
    ResultsOption,
    RunsOption,
    find_run,
)
from phonobench.cli.output import print_json, progress, say_what_it_is_of
from phonobench.types import PhonobenchError, Split


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
    """Write one page that opens from disk: figures, charts, confusions, and utterances to hear. Needs no torch."""
    found = corpora.find(corpus)
    run_dirs = [find_run(name, runs) for name in run] if run else _evaluated(runs, results, split)
    limits = [store.read_run(run_dir).get("limit") for run_dir in run_dirs]
    say_what_it_is_of(found, next((limit for limit in limits if limit is not None), None), apart=True)
    from phonobench.report import page

    with progress() as report:
        made = page.build(
            run_dirs, found, results, cast(Split, split), audio_bytes=round(1e6 * audio_mb), report=report
        )
    text = page.render(made).encode()
    store.write_bytes(output, text)
    facts = {"file": str(output), "bytes": len(text), "runs": [one["id"] for one in made.data["systems"]]}
    if as_json:
        print_json({**facts, "utterances_with_sound": len(made.data["cases"])})
        return
    print(f"{output}: {len(text) / 1e6:.1f} MB, {len(run_dirs)} runs, {len(made.data['cases'])} utterances with sound")


def _evaluated(runs: Path, results: Path, split: str) -> list[Path]:
    """Runs under `runs` that have results of the split."""
    found = [run for run in store.list_runs(runs) if (results / run.name / f"{split}.recognition.json").exists()]
    if not found:
        raise PhonobenchError(f"no run in {runs} has {split} results in {results}: `phonobench evaluate` makes them")
    return found
