"""`phonobench doctor`: what this machine has and lacks for the main job."""

from __future__ import annotations

import dataclasses

import typer

from phonobench import doctor
from phonobench.cli.options import (
    RESULTS,
    RUNS,
    CorpusOption,
    JsonOption,
    ModelsOption,
    ResultsOption,
    RunsOption,
    use_models,
)
from phonobench.cli.output import print_json, print_note, print_table


def examine_machine(
    corpus: CorpusOption = None,
    runs: RunsOption = RUNS,
    results: ResultsOption = RESULTS,
    models: ModelsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look whether the main job can run here, and say what to do about each lack. Exit code 1 if it cannot."""
    use_models(models)
    checks = doctor.examine(corpus, runs, results)
    fit = doctor.runs_main_job(checks)
    if as_json:
        print_json({"fit": fit, "checks": [dataclasses.asdict(check) for check in checks]})
    else:
        rows = [(check.name, check.level, check.found, check.remedy) for check in checks]
        print_table("", ("what", "", "found", "remedy"), rows)
        print_note("The main job, `phonobench bench`, can run here." if fit else "The main job cannot run here yet.")
    if not fit:
        raise typer.Exit(1)
