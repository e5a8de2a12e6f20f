"""`phonobench raters`: how human raters agree, and how trained scorers stand beside them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
from phonobench.cli.output import figure, interval, print_caveats, print_json, print_note, print_table, progress

if TYPE_CHECKING:
    from phonobench.evaluate.raters import RaterAgreement, SystemScores
    from phonobench.types import Corpus, OnProgress


def compare_with_raters(
    named: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SCORER]...", help="Fitted runs, or folders of exported ones; else the one that ships."
        ),
    ] = None,
    people_alone: Annotated[
        bool, typer.Option("--people-alone", help="Only how people agree; nothing listens.")
    ] = False,
    resamples: Annotated[int, typer.Option(min=1, help="Bootstrap draws of speakers.")] = 1000,
    corpus: CorpusOption = None,
    runs: RunsOption = RUNS,
    results: ResultsOption = RESULTS,
    as_json: JsonOption = False,
) -> None:
    """Hold one human rater, and trained scorers, against the other four raters on test: paired, with intervals."""
    from phonobench import fitting
    from phonobench.assessment import bundle
    from phonobench.evaluate import raters
    from phonobench.report.raters import FILE
    from phonobench.results import PROTOCOL_VERSION

    found = corpora.find(corpus)
    print_caveats(found, None, to_stderr=as_json)
    folders = [] if people_alone else [fitting.find_scorer(name, runs) for name in named or ()] or [bundle.DEFAULT]
    with progress() as report:
        machines = dict(_machine(folder, found, runs, report) for folder in folders)
        bars = raters.rater_agreement(found, machines, resamples=resamples)
    described = {
        "protocol_version": PROTOCOL_VERSION, "split": "test", "resamples": resamples,
        "corpus": {"name": found.name, "fingerprint": found.fingerprint, "synthetic": found.synthetic},
        "metrics": {metric: bar.json() for metric, bar in bars.items()},
    }  # fmt: skip
    store.write_json(results / FILE, described)
    if as_json:
        print_json(described)
    else:
        _print(bars, list(machines))
    print_note(f"written to {results / FILE}")


def _machine(folder: Path, corpus: Corpus, runs: Path, report: OnProgress) -> tuple[str, SystemScores]:
    """The name of a scorer in results, and what it says."""
    from phonobench import fitting
    from phonobench.evaluate.raters import SystemScores

    run = fitting.open_scorer(folder, fitting.export_cache(runs)).run
    told = fitting.assess(folder, corpus, fitting.export_cache(runs), report)
    return run["run_id"], SystemScores(told, run["thresholds"]["phone_model"])


def _print(bars: dict[str, RaterAgreement], machines: list[str]) -> None:
    from phonobench.report.labels import scorer_heading

    def told(metric: str, estimate: Any) -> str:
        return f"{figure(metric, estimate.value)} {interval(metric, estimate.low, estimate.high)}"

    about = "against the other four raters, mean over the five; 95 % intervals over speakers"
    if not machines:
        rows = [(scorer_heading(metric), told(metric, bar.rater)) for metric, bar in bars.items()]
        print_table(f"One rater {about}", ("", "one rater"), rows)
    for name in machines:
        lines: list[tuple[str, ...]] = []
        for metric, bar in bars.items():
            if name not in bar.machines:
                lines.append((scorer_heading(metric), bar.rater.reason or "-", "-", "-", "-"))
                continue
            value, difference = bar.machines[name]
            figures = (told(metric, one) for one in (bar.rater, value, difference))
            lines.append((scorer_heading(metric), *figures, f"{difference.p:.3f}"))
        print_table(f"{name} {about}", ("", "one rater", "scorer", "scorer less rater", "p"), lines)
