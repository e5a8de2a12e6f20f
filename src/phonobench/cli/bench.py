"""`phonobench bench`: the main job, for every named system."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from phonobench import bench, corpora
from phonobench.bench import Outcome
from phonobench.cli.leaderboard import show
from phonobench.cli.options import (
    RESULTS,
    RUNS,
    CorpusOption,
    JsonOption,
    LimitOption,
    ModelsOption,
    ResultsOption,
    RunsOption,
    SetOption,
    debugging,
    parse_settings,
    use_models,
)
from phonobench.cli.output import print_json, progress, remark, say_what_it_is_of
from phonobench.cli.report import write_page

DEMO_PAGE = "report-synthetic.html"
"""What `bench` on the synthetic corpus leaves among the results."""


def bench_systems(
    systems: Annotated[
        list[str] | None, typer.Argument(metavar="[SYSTEM]...", help="Where none is named: those that can run here.")
    ] = None,
    recipes: Annotated[
        list[str] | None, typer.Option("--recipe", help="Train by this preset (repeatable); each system's own else.")
    ] = None,
    seeds: Annotated[list[int] | None, typer.Option("--seed", min=0, help="Repeatable; 0 where none is given.")] = None,
    settings: SetOption = None,
    corpus: CorpusOption = None,
    runs: RunsOption = RUNS,
    results: ResultsOption = RESULTS,
    models: ModelsOption = None,
    limit: LimitOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train, infer and evaluate systems, then print the leaderboard. Skips what is done; failures do not stop it."""
    use_models(models)
    bench.jobs(systems or (), recipes or (), seeds or (0,), parse_settings(settings))  # refuses a wrong name at once
    found = corpora.find(corpus)
    say_what_it_is_of(found, limit, apart=as_json)
    todo = bench.jobs(systems or bench.default_systems(found), recipes or (), seeds or (0,), parse_settings(settings))
    bench.require_torch()
    remark(f"{len(todo)} to do, each finished stage skipped: {', '.join(job.name for job in todo)}")
    ended: list[Outcome] = []
    with progress() as report:
        for outcome in bench.outcomes(todo, found, runs, results, limit=limit, report=report):
            ended.append(outcome)
            remark(f"[{len(ended)}/{len(todo)}] {_line(outcome)}")
            if outcome.trace and debugging():
                remark(outcome.trace)
    failed = [outcome for outcome in ended if outcome.run_dir is None]
    done = [outcome.run_dir.name for outcome in ended if outcome.run_dir is not None]
    if as_json:
        print_json({"corpus": found.name, "synthetic": found.synthetic, "jobs": [_described(one) for one in ended]})
    elif done:
        show(results, done)
    if found.synthetic and done and not as_json:  # the demo ends with something to see and hear
        page = write_page([runs / name for name in done[:8]], found, results, results / DEMO_PAGE)
        remark(f"to see and hear: {page['file']}; figures in {results}, weights and posteriors in {runs}")
    if failed:
        remark(f"{len(failed)} of {len(todo)} failed; the same command tries them again (--debug shows tracebacks):")
        for outcome in failed:
            remark(f"  {outcome.job.name}: {outcome.fault}")
        raise typer.Exit(1)


def _line(outcome: Outcome) -> str:
    took = f"{outcome.seconds / 60:.1f} min" if outcome.seconds >= 60 else f"{outcome.seconds:.1f} s"
    if outcome.run_dir is None:
        return f"{outcome.job.name}: FAILED after {took}: {outcome.fault}"
    return f"{outcome.job.name}: done in {took}, run {outcome.run_dir.name}"


def _described(outcome: Outcome) -> dict[str, Any]:
    return {
        "system": outcome.job.card.name,
        "recipe": outcome.job.recipe.name,
        "seed": outcome.job.seed,
        "run": None if outcome.run_dir is None else outcome.run_dir.name,
        "seconds": round(outcome.seconds, 1),
        "fault": outcome.fault or None,
    }
