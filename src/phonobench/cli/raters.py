"""`phonobench raters`: how human raters agree, and how trained scorers stand beside them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    from phonobench.stats import Difference, Estimate
    from phonobench.types import Corpus, OnProgress


def compare_with_raters(
    named: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SCORER]...", help="Fitted runs, or folders of exported ones; else the one that ships."
        ),
    ] = None,
    raters_alone: Annotated[
        bool, typer.Option("--raters-alone", help="Only how the raters agree, without a scorer.")
    ] = False,
    raters_alone_before: Annotated[bool, typer.Option("--people-alone", hidden=True)] = False,
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
    folders = [fitting.find_scorer(name, runs) for name in named or ()] or [bundle.DEFAULT]
    with progress() as report:
        alone = raters_alone or raters_alone_before
        systems = {} if alone else dict(_system_scores(folder, found, runs, report) for folder in folders)
        agreement = raters.rater_agreement(found, systems, resamples=resamples)
    described = {
        "protocol_version": PROTOCOL_VERSION,
        "split": "test",
        "resamples": resamples,
        "corpus": {"name": found.name, "fingerprint": found.fingerprint, "synthetic": found.synthetic},
        "metrics": {metric: one.json() for metric, one in agreement.items()},
    }
    store.write_json(results / FILE, described)
    if as_json:
        print_json(described)
    else:
        _print(agreement, list(systems))
    print_note(f"written to {results / FILE}")


def _system_scores(folder: Path, corpus: Corpus, runs: Path, report: OnProgress) -> tuple[str, SystemScores]:
    """The name of a scorer in results, and its scores."""
    from phonobench import fitting
    from phonobench.evaluate.raters import SystemScores

    run = fitting.open_scorer(folder, fitting.export_cache(runs)).run
    assessments = fitting.assess(folder, corpus, fitting.export_cache(runs), report)
    return run["run_id"], SystemScores(assessments, run["thresholds"]["phone_model"])


def _print(agreement: dict[str, RaterAgreement], systems: list[str]) -> None:
    from phonobench.report.labels import scorer_heading

    def shown(metric: str, found: Estimate | Difference) -> str:
        return f"{figure(metric, found.value)} {interval(metric, found.low, found.high)}"

    about = "against the other four raters, mean over the five; 95 % intervals over speakers"
    if not systems:
        rows = [(scorer_heading(metric), shown(metric, one.rater)) for metric, one in agreement.items()]
        print_table(f"One rater {about}", ("", "one rater"), rows)
    for name in systems:
        lines: list[tuple[str, ...]] = []
        for metric, one in agreement.items():
            if name not in one.systems:
                lines.append((scorer_heading(metric), one.rater.reason or "-", "-", "-", "-"))
                continue
            value, difference = one.systems[name]
            figures = (shown(metric, found) for found in (one.rater, value, difference))
            lines.append((scorer_heading(metric), *figures, f"{difference.p:.3f}"))
        print_table(f"{name} {about}", ("", "one rater", "scorer", "scorer less rater", "p"), lines)
