"""`phonobench evaluate` and `phonobench compare`: from stored posteriors to figures with intervals, without torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from phonobench import corpora, store
from phonobench.bench import SPLITS
from phonobench.cli.figures import require_matplotlib
from phonobench.cli.options import (
    RESULTS,
    RUNS,
    CorpusOption,
    JsonOption,
    ResultsOption,
    RunsOption,
)
from phonobench.cli.output import (
    figure,
    interval,
    print_caveats,
    print_json,
    print_line,
    print_note,
    print_table,
    progress,
)
from phonobench.types import PhonobenchError, Split

if TYPE_CHECKING:
    from phonobench.evaluate import Comparison, MetricDifference
    from phonobench.results import Value


def evaluate_run(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="Run id, the beginning of one, or a folder, of an exported scorer too.")
    ],
    split: Annotated[
        list[str] | None,
        typer.Option(help="train, dev or test (repeatable); dev and test (of a scorer: train and test) by default."),
    ] = None,
    resamples: Annotated[int, typer.Option(min=0, help="Bootstrap draws of speakers.")] = 1000,
    every: Annotated[bool, typer.Option("--all", help="Print every metric, not the main ones alone.")] = False,
    corpus: CorpusOption = None,
    runs: RunsOption = RUNS,
    results: ResultsOption = RESULTS,
    as_json: JsonOption = False,
) -> None:
    """Measure a run on all tasks, with intervals, and write its results. Needs no torch."""
    from phonobench import evaluate, fitting

    run_dir = fitting.find_scorer(run, runs)
    found = corpora.find(corpus)
    print_caveats(found, _limit(run_dir), to_stderr=as_json)
    with progress() as report:
        if fitting.is_scorer(run_dir):
            made = fitting.evaluate(
                run_dir, found, results, split, kept=fitting.export_cache(runs), resamples=resamples, report=report
            )
        else:
            made = evaluate.evaluate(run_dir, found, results, split or SPLITS, resamples=resamples, report=report)
    if as_json:
        print_json([one.model_dump(mode="json") for one in made])
        return
    from phonobench.report import labels

    main = labels.evaluated()
    for split_name in dict.fromkeys(one.split for one in made):
        shown = {
            metric: value
            for one in made
            for metric, value in one.metrics.items()
            if one.split == split_name and (every or metric in main)
        }
        _print(split_name, shown)
    print_note(f"written to {results / made[0].run_id}")


def compare_runs(
    runs_named: Annotated[list[str], typer.Argument(metavar="RUN RUN...", help="Ids, beginnings of ids, or folders.")],
    split: Annotated[str, typer.Option(help="train, dev or test.")] = "test",
    metrics: Annotated[
        list[str] | None,
        typer.Option("--metric", help="A metric's name (repeatable); the main ones where none is given."),
    ] = None,
    figure_file: Annotated[
        Path | None, typer.Option("--figure", help="Also draw the differences: a .pdf, .svg or .png file.")
    ] = None,
    resamples: Annotated[int, typer.Option(min=1, help="Bootstrap draws of speakers.")] = 1000,
    corpus: CorpusOption = None,
    runs: RunsOption = RUNS,
    as_json: JsonOption = False,
) -> None:
    """Compare runs on the same speakers: paired differences, their intervals, p and p after Holm."""
    if figure_file is not None:
        require_matplotlib()
    from phonobench import evaluate, fitting

    run_dirs = [fitting.find_scorer(run, runs) for run in runs_named]
    found = corpora.find(corpus)
    limits = [_limit(run_dir) for run_dir in run_dirs]
    print_caveats(found, next((limit for limit in limits if limit is not None), None), to_stderr=as_json)
    scorers = [fitting.is_scorer(run_dir) for run_dir in run_dirs]
    if any(scorers) and (not all(scorers) or split != "test"):
        raise PhonobenchError("scorers are compared with scorers, on test: their figures are not those of recognisers")
    with progress() as report:
        if all(scorers):
            kept = fitting.export_cache(runs)
            comparison = fitting.compare(run_dirs, found, kept, metrics=metrics, resamples=resamples, report=report)
        else:
            comparison = evaluate.compare(
                run_dirs, found, cast(Split, split), metrics=metrics, resamples=resamples, report=report
            )
    if figure_file is not None:
        _draw(comparison, figure_file)
    if as_json:
        print_json(comparison.json())
        return
    letters = {run: chr(ord("A") + place) for place, run in enumerate(comparison.runs)}
    for run, letter in letters.items():
        print_line(f"{letter} = {run}")
    print_line(f"{comparison.split}: {comparison.utterances} utterances of {comparison.speakers} speakers, paired\n")
    rows = [gap_row(gap, letters) for gap in comparison.gaps]
    print_table("", GAP_COLUMNS, rows, right=GAP_COLUMNS[2:8])


def _limit(folder: Path) -> int | None:
    """Of a trial, on how many utterances it was; exports have none."""
    return store.read_run(folder).get("limit") if (folder / store.RUN_FILE).exists() else None


def _draw(comparison: Comparison, path: Path) -> None:
    from phonobench.report import figures

    with figures.look():
        figures.write(figures.difference_figure(comparison), path)
    print_note(f"written to {path}")


GAP_COLUMNS = ("metric", "pair", "first", "second", "diff.", "95 % interval", "p", "p Holm", "better")


def gap_row(gap: MetricDifference, letters: dict[str, str]) -> tuple[str, ...]:
    """One paired difference as cells of `GAP_COLUMNS`, for 80 columns; `letters` stand for the runs, r is Pearson's.

    The better run is named where the interval of the difference leaves zero out, and the metric has a better end.
    """
    from phonobench.report import labels
    from phonobench.tasks.task import DASH

    apart = gap.low > 0 or gap.high < 0
    better = letters[gap.better] if apart and gap.better else "-" if apart else "open"
    shown = [labels.number(value, gap.metric) for value in (gap.value_a, gap.value_b, gap.difference)]
    return (
        labels.short_heading(gap.metric),
        f"{letters[gap.a]}-{letters[gap.b]}",
        *("-" if text == DASH else text for text in shown),
        interval(gap.metric, gap.low, gap.high),
        f"{gap.p:.3f}" if gap.p == gap.p else "-",
        f"{gap.p_holm:.3f}" if gap.p_holm == gap.p_holm else "-",
        gap.reason or better,
    )


def _print(split: str, metrics: dict[str, Value]) -> None:
    """The figures of a split, and below them why any is missing."""
    rows = [
        (name, figure(name, value.value), interval(name, value.low, value.high), f"{value.n:,}", str(value.speakers))
        for name, value in metrics.items()
    ]
    columns = (split, "value", "95 % interval", "n", "speakers")
    print_table("", columns, rows, right=columns[1:])
    reasons: dict[str, list[str]] = {}
    for name, value in metrics.items():
        if value.reason:
            reasons.setdefault(value.reason, []).append(name)
    for reason, names in reasons.items():
        print_line(f"- {', '.join(names)}: {reason}")
    print()
