"""`phonobench fit` and `phonobench export`: a scorer from trained folds, and its folder that needs no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from phonobench import corpora, store
from phonobench.bench import require_torch
from phonobench.cli.options import RUNS, CorpusOption, JsonOption, RunsOption
from phonobench.cli.output import print_caveats, print_json, print_line, print_note, progress
from phonobench.types import PhonobenchError

FormerOption = Annotated[list[str] | None, typer.Option("--listener", hidden=True)]
"""The former name of `--acoustic-model`."""


def fit_scorer(
    folds: Annotated[list[str], typer.Argument(metavar="RUN...", help="Folds of one training (`train --fold K`).")],
    acoustic_model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RUN", help="A run that recognises when it scores (repeatable: they vote); else the first."
        ),
    ] = None,
    listener: FormerOption = None,
    layers: Annotated[
        str, typer.Option(metavar="K,K", help="Encoder layers whose states it reads: 0 before the first, -1 the last.")
    ] = "",
    level: Annotated[
        float | None, typer.Option(help="Bring recordings to this loudness first, dBFS; -19 if not given.")
    ] = None,
    as_recorded: Annotated[bool, typer.Option("--as-recorded", help="Keep recordings as loud as they are.")] = False,
    seeds: Annotated[int, typer.Option(min=1, help="Networks that vote, one a seed.")] = 3,
    corpus: CorpusOption = None,
    runs: RunsOption = RUNS,
    as_json: JsonOption = False,
) -> None:
    """Fit a scorer of phones, words and sentences to what recognisers give for speakers they were not trained on."""
    require_torch("sklearn")
    from phonobench import fitting

    found = corpora.find(corpus)
    print_caveats(found, None, to_stderr=as_json)
    if as_recorded and level is not None:
        raise PhonobenchError("--level brings recordings to a loudness, --as-recorded leaves them: give one")
    loudness = None if as_recorded else fitting.LEVEL if level is None else level
    chosen = [int(layer) for layer in layers.split(",") if layer.strip()]
    with progress() as report:
        run_dir = fitting.fit(
            [store.find_run(run, runs) for run in folds],
            found,
            runs,
            acoustic_models=[store.find_run(run, runs) for run in [*(acoustic_model or ()), *(listener or ())]],
            layers=chosen,
            level=loudness,
            seeds=range(seeds),
            report=report,
        )
    if as_json:
        print_json(store.read_run(run_dir))
        return
    print_line(run_dir.name)
    print_note(f"next: phonobench evaluate {run_dir.name}, phonobench export {run_dir.name} FOLDER")


def export_scorer(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A fitted scorer.")],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to; `score --package FOLDER` uses it.")],
    name: Annotated[str | None, typer.Option(help="What it is called in its results; the run's id otherwise.")] = None,
    int8: Annotated[bool, typer.Option(help="Store the weights in int8.")] = True,
    acoustic_model: Annotated[
        list[str] | None,
        typer.Option(metavar="RUN", help="A fold that recognises (repeatable: they vote), in place of the fit's."),
    ] = None,
    listener: FormerOption = None,
    level: Annotated[
        float | None, typer.Option(help="Bring recordings to this loudness, dBFS, in place of the fit's.")
    ] = None,
    runs: RunsOption = RUNS,
    as_json: JsonOption = False,
) -> None:
    """Make a scorer that needs no torch: ONNX files, calibration and facts in one folder."""
    require_torch()
    from phonobench import fitting

    with progress() as report:
        chosen = [store.find_run(name, runs) for name in [*(acoustic_model or ()), *(listener or ())]]
        fitting.export(
            store.find_run(run, runs), folder, name=name, int8=int8, level=level, acoustic_models=chosen, report=report
        )
    size = sum(path.stat().st_size for path in folder.iterdir())
    if as_json:
        print_json({"folder": str(folder), "bytes": size})
        return
    print_line(f"{folder}: {size / 1e6:.1f} MB")
    print_note(f"next: phonobench score my.wav --text '...' --package {folder}")
