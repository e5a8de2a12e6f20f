"""`phonobench figures`: the plots of the report for a paper, as vector graphics."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Annotated, cast

import typer

from phonobench import corpora, store
from phonobench.cli.options import RESULTS, RUNS, CorpusOption, JsonOption, ResultsOption, RunsOption
from phonobench.cli.output import print_caveats, print_json, print_line, progress
from phonobench.cli.report import evaluated
from phonobench.types import PhonobenchError, Split


def draw_figures(
    run: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="Where none is named: all that have results.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder.")] = Path("figures"),
    formats: Annotated[
        list[str] | None, typer.Option("--format", help="pdf, svg or png (repeatable); pdf and svg if none is given.")
    ] = None,
    curve: Annotated[
        Path | None, typer.Option("--curve", help="What `phonobench fuse RUN RUN --curve --json` printed.")
    ] = None,
    split: Annotated[str, typer.Option(help="train, dev or test.")] = "test",
    corpus: CorpusOption = None,
    runs: RunsOption = RUNS,
    results: ResultsOption = RESULTS,
    as_json: JsonOption = False,
) -> None:
    """Draw the figures of a paper: leaderboard, trade-off, phones, confusions, ROC, calibration, fusion."""
    require_matplotlib()
    from phonobench.report import figures, page

    suffixes = formats or ["pdf", "svg"]
    if not set(suffixes) <= set(figures.SUFFIXES):
        raise PhonobenchError(f"--format {' '.join(suffixes)}: one of {', '.join(figures.SUFFIXES)}")
    found = corpora.find(corpus)
    run_dirs = [store.find_run(name, runs) for name in run] if run else evaluated(found, runs, results, split)
    limits = [store.read_run(run_dir).get("limit") for run_dir in run_dirs]
    print_caveats(found, next((limit for limit in limits if limit is not None), None), to_stderr=True)
    with progress() as report:
        data = page.build(run_dirs, found, results, cast(Split, split), audio_bytes=0, report=report).data
    with figures.look():
        made = figures.draw(data)
        if curve is not None:
            made["fusion-curve"] = figures.fusion_figure(figures.read_curve(curve))
        written = [figures.write(one, output / f"{name}.{end}") for name, one in made.items() for end in suffixes]
    if as_json:
        print_json({"files": [str(path) for path in written]})
        return
    print_line(f"{output}: {', '.join(made)} as {' and '.join(suffixes)}")


def require_matplotlib() -> None:
    """Raises PhonobenchError where figures cannot be drawn for want of the extra."""
    if importlib.util.find_spec("matplotlib") is None:
        raise PhonobenchError("figures need matplotlib: pip install 'phonobench[figures]'")
