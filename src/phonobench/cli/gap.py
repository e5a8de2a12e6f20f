"""`phonobench gap`: where two systems differ, case by case, from stored posteriors and without torch."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, cast

import typer

from phonobench import corpora, store
from phonobench.cli.options import RESULTS, RUNS, CorpusOption, JsonOption, ResultsOption, RunsOption
from phonobench.cli.output import print_caveats, print_note, progress, to_json
from phonobench.types import PhonobenchError, Split


def compare_cases(
    first: Annotated[str, typer.Argument(metavar="RUN", help="Run id, the beginning of one, or a folder.")],
    second: Annotated[str, typer.Argument(metavar="RUN", help="The run that it is held against.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write .md, .json, or .html with sound.")
    ] = None,
    split: Annotated[str, typer.Option(help="train, dev or test.")] = "test",
    good: Annotated[float, typer.Option(min=0, help="A system is right on an utterance below this PER, %.")] = 5,
    bad: Annotated[float, typer.Option(min=0, help="... and wrong above this PER, %.")] = 20,
    low: Annotated[float, typer.Option("--low-accuracy", help="Human accuracy up to which speech is poor.")] = 6,
    detects: Annotated[float, typer.Option(min=0, help="Poor speech is detected above this PER, %.")] = 15,
    misses: Annotated[float, typer.Option(min=0, help="... and missed below this PER, %.")] = 10,
    cases: Annotated[int, typer.Option(min=0, help="Cases of each kind that Markdown shows.")] = 20,
    phones: Annotated[int, typer.Option(min=0, help="Phones that Markdown shows.")] = 15,
    resamples: Annotated[int, typer.Option(min=1, help="Bootstrap draws of speakers.")] = 5000,
    corpus: CorpusOption = None,
    runs: RunsOption = RUNS,
    results: ResultsOption = RESULTS,
    as_json: JsonOption = False,
) -> None:
    """Show where two runs differ: cases each decides, by human score, by phone; paired intervals. Needs no torch."""
    from phonobench import evaluate
    from phonobench.evaluate import gap
    from phonobench.report import gap_markdown

    shape = "json" if as_json else "md" if output is None else output.suffix.removeprefix(".")
    if shape not in ("md", "json", "html"):
        raise PhonobenchError(f"{output}: gap writes .md, .json or .html")
    thresholds = gap.Thresholds(good / 100, bad / 100, low, detects / 100, misses / 100)
    run_dirs = [store.find_run(run, runs) for run in (first, second)]
    found = corpora.find(corpus)
    limits = [store.read_run(run_dir).get("limit") for run_dir in run_dirs]
    if output is not None or as_json:
        print_caveats(found, next((limit for limit in limits if limit is not None), None), to_stderr=True)
    if shape == "html":
        from phonobench.report import page

        with progress() as report:
            made = page.build(
                run_dirs,
                found,
                results,
                cast(Split, split),
                thresholds=thresholds,
                resamples=resamples,
                report=report,
            )
        text = page.render(made, gap_first=True)
    else:
        with progress() as report:
            answered = [
                evaluate.predict_split(run_dir, found, cast(Split, split), controls=False, report=report)
                for run_dir in run_dirs
            ]
        analysis = gap.analyse(answered[0], answered[1], found.name, found.synthetic, thresholds, resamples=resamples)
        text = to_json(dataclasses.asdict(analysis)) + "\n"
        if shape == "md":
            audio = {u.id: u.audio for u in answered[0].utterances}
            link = gap_markdown.links(audio, Path.cwd() if output is None else output.parent)
            text = gap_markdown.write(analysis, link, cases, phones)
    if output is None:
        print(text, end="")
        return
    store.write_bytes(output, text.encode())
    print_note(f"written to {output}")
