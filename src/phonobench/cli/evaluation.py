"""`phonobench evaluate` and `phonobench compare`: from stored posteriors to figures with intervals, without torch."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, cast

import typer

from phonobench import corpora, store
from phonobench.bench import SPLITS
from phonobench.cli.options import RESULTS, RUNS, CorpusOption, JsonOption, ResultsOption, RunsOption, find_run
from phonobench.cli.output import figure, interval, print_json, print_table, progress, remark, say_what_it_is_of
from phonobench.types import Split

if TYPE_CHECKING:
    from phonobench.evaluate import Gap
    from phonobench.results import Value


def evaluate_run(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Run id, the beginning of one, or a folder.")],
    split: Annotated[
        list[str] | None, typer.Option(help="train, dev or test (repeatable); dev and test where none is given.")
    ] = None,
    resamples: Annotated[int, typer.Option(min=0, help="Bootstrap draws of speakers.")] = 1000,
    every: Annotated[bool, typer.Option("--all", help="Print every metric, not the main ones alone.")] = False,
    corpus: CorpusOption = None,
    runs: RunsOption = RUNS,
    results: ResultsOption = RESULTS,
    as_json: JsonOption = False,
) -> None:
    """Measure a run on all tasks, with intervals, and write its results. Needs no torch."""
    run_dir = find_run(run, runs)
    limit = store.read_run(run_dir).get("limit")
    found = corpora.find(corpus)
    say_what_it_is_of(found, limit, apart=as_json)
    from phonobench import evaluate

    with progress() as report:
        made = evaluate.evaluate(run_dir, found, results, split or SPLITS, resamples=resamples, report=report)
    if as_json:
        print_json([one.model_dump(mode="json") for one in made])
        return
    for split_name in dict.fromkeys(one.split for one in made):
        shown = {
            metric: value
            for one in made
            for metric, value in one.metrics.items()
            if one.split == split_name and (every or metric in evaluate.HEADLINE or metric.startswith("true_auc"))
        }
        _print(split_name, shown)
    remark(f"written to {results / made[0].run_id}")


def compare_runs(
    runs_named: Annotated[list[str], typer.Argument(metavar="RUN RUN...", help="Ids, beginnings of ids, or folders.")],
    split: Annotated[str, typer.Option(help="train, dev or test.")] = "test",
    metrics: Annotated[
        list[str] | None,
        typer.Option("--metric", help="A metric's name (repeatable); the main ones where none is given."),
    ] = None,
    resamples: Annotated[int, typer.Option(min=1, help="Bootstrap draws of speakers.")] = 1000,
    corpus: CorpusOption = None,
    runs: RunsOption = RUNS,
    as_json: JsonOption = False,
) -> None:
    """Compare runs on the same speakers: paired differences, their intervals, p and p after Holm."""
    run_dirs = [find_run(run, runs) for run in runs_named]
    found = corpora.find(corpus)
    limits = [store.read_run(run_dir).get("limit") for run_dir in run_dirs]
    say_what_it_is_of(found, next((limit for limit in limits if limit is not None), None), apart=as_json)
    from phonobench import evaluate

    with progress() as report:
        comparison = evaluate.compare(
            run_dirs,
            found,
            cast(Split, split),
            metrics=metrics or evaluate.HEADLINE,
            resamples=resamples,
            report=report,
        )
    if as_json:
        print_json(dataclasses.asdict(comparison))
        return
    letters = {run: chr(ord("A") + place) for place, run in enumerate(comparison.runs)}
    for run, letter in letters.items():
        print(f"{letter} = {run}")
    print(f"{comparison.split}: {comparison.utterances} utterances of {comparison.speakers} speakers, paired\n")
    rows = [gap_row(gap, letters) for gap in comparison.gaps]
    print_table("", GAP_COLUMNS, rows, right=GAP_COLUMNS[2:8])


GAP_COLUMNS = ("metric", "pair", "first", "second", "difference", "95 % interval", "p", "p Holm", "better")


def gap_row(gap: Gap, letters: dict[str, str]) -> tuple[str, ...]:
    """One paired difference as cells of `GAP_COLUMNS`; `letters` stand for the runs."""
    settled = gap.better is not None and (gap.low > 0 or gap.high < 0)
    return (
        gap.metric,
        f"{letters[gap.a]}-{letters[gap.b]}",
        figure(gap.metric, gap.value_a),
        figure(gap.metric, gap.value_b),
        figure(gap.metric, gap.difference),
        interval(gap.metric, gap.low, gap.high),
        f"{gap.p:.3f}" if gap.p == gap.p else "-",
        f"{gap.p_holm:.3f}" if gap.p_holm == gap.p_holm else "-",
        letters[gap.better] if settled and gap.better else gap.reason or "not settled",
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
        print(f"- {', '.join(names)}: {reason}")
    print()
