"""`phonobench bench`: the main job, for every named system."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from phonobench import bench, corpora, store
from phonobench.bench import Outcome, TrainingJob
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
from phonobench.cli.output import print_caveats, print_json, print_line, print_note, print_table, progress
from phonobench.cli.report import write_page
from phonobench.types import Corpus, PhonobenchError

DEMO_PAGE = "report-synthetic.html"
"""What `bench` on the synthetic corpus leaves among the results."""


def bench_systems(
    systems: Annotated[
        list[str] | None, typer.Argument(metavar="[SYSTEM]...", help="Where none is named: those that can run here.")
    ] = None,
    recipes: Annotated[
        list[str] | None, typer.Option("--recipe", help="Train by this preset (repeatable); each system's own else.")
    ] = None,
    seed: Annotated[
        list[str] | None,
        typer.Option("--seed", "--seeds", metavar="N [N...]", help="Whatever is random comes from it; 0 if not given."),
    ] = None,
    settings: SetOption = None,
    member: Annotated[
        list[str] | None, typer.Option(metavar="RUN|SYSTEM", help="For systems made of others (repeatable).")
    ] = None,
    jobs_file: Annotated[
        Path | None, typer.Option("--jobs", help="Run nothing: write one command a line, for a job array.")
    ] = None,
    corpus: CorpusOption = None,
    runs: RunsOption = RUNS,
    results: ResultsOption = RESULTS,
    models: ModelsOption = None,
    limit: LimitOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train, infer and evaluate systems, then print the leaderboard. Skips what is done; failures do not stop it."""
    use_models(models)
    numbers = [name for name in systems or () if name.isdigit()]  # `--seeds 0 1 2` leaves all but the first here
    if numbers and not seed:
        raise PhonobenchError(f"{' '.join(numbers)}: name systems, and write seeds after --seeds")
    systems = [name for name in systems or () if not name.isdigit()]
    seeds = [_seed(part) for text in [*(seed or ("0",)), *numbers] for part in text.split(",")]
    changes, parts = parse_settings(settings), store.find_members(member, runs)
    bench.jobs(systems, recipes or (), seeds, changes, parts)  # refuses a wrong name at once
    found = corpora.find(corpus)
    print_caveats(found, limit, to_stderr=as_json)
    todo = bench.jobs(systems or bench.default_systems(found), recipes or (), seeds, changes, parts)
    if jobs_file is not None:
        places = {"--corpus": corpus, "--runs": runs, "--results": results, "--models": models, "--limit": limit}
        _write_jobs(jobs_file, todo, settings or (), {k: str(v) for k, v in places.items() if v is not None})
        return
    bench.require_torch()
    print_note(f"{len(todo)} to do, each finished stage skipped: {', '.join(job.name for job in todo)}")
    ended: list[Outcome] = []
    with progress() as report:
        for outcome in bench.outcomes(todo, found, runs, results, limit=limit, report=report):
            ended.append(outcome)
            print_note(f"[{len(ended)}/{len(todo)}] {_line(outcome)}")
            if outcome.trace and debugging():
                print_note(outcome.trace)
    failed = [outcome for outcome in ended if outcome.run_dir is None]
    done = [outcome.run_dir.name for outcome in ended if outcome.run_dir is not None]
    if as_json:
        print_json({"corpus": found.name, "synthetic": found.synthetic, "jobs": [_described(one) for one in ended]})
    elif done:
        show(results, done)
        _show_seeds(results, done)
    if found.synthetic and done and not as_json:  # the demo ends with something to see and play
        _leave_page([runs / name for name in done[:8]], found, results, runs)
    if failed:
        print_note(f"{len(failed)} of {len(todo)} failed; the same command retries them (--debug shows tracebacks):")
        for outcome in failed:
            print_note(f"  {outcome.job.name}: {outcome.fault}")
        raise typer.Exit(1)


def _seed(text: str) -> int:
    if not text.isdigit():
        raise PhonobenchError(f"--seeds {text}: a seed is a whole number from 0")
    return int(text)


def _write_jobs(path: Path, todo: Sequence[TrainingJob], settings: Sequence[str], places: Mapping[str, str]) -> None:
    """One command a line; each trains, infers and evaluates one job, and continues it when it is run again."""
    lines = []
    for job in todo:
        words = ["phonobench", "bench", job.card.name, "--recipe", job.recipe.name, "--seed", str(job.seed)]
        words += [word for pair in settings for word in ("--set", pair)]
        words += [word for name in job.members for word in ("--member", name)]
        words += [word for option, value in places.items() for word in (option, value)]
        lines.append(shlex.join(words))
    store.write_bytes(path, ("\n".join(lines) + "\n").encode())
    print_line(f"{path}: {len(lines)} commands, one a line")


def _show_seeds(results_root: Path, done: Sequence[str]) -> None:
    """Mean and spread over seeds of every system and recipe that was trained from more than one."""
    from phonobench.report import seeds

    rows = seeds.table(results_root, done)
    if rows:
        print_table("\nOver seeds: mean ± standard deviation [lowest, highest]", seeds.columns(), rows)


def _leave_page(run_dirs: list[Path], corpus: Corpus, results: Path, runs: Path) -> None:
    """A page that cannot be made is told, and does not undo what was done."""
    try:
        page = write_page(run_dirs, corpus, results, results / DEMO_PAGE)
    except PhonobenchError as fault:
        print_note(f"no page to see and play: {fault}")
        return
    print_note(f"to see and play: {page['file']}; figures in {results}, weights and posteriors in {runs}")


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
