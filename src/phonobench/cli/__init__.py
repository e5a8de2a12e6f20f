"""The command line. Each verb is one library call; this package parses, prints and maps faults to exit codes.

Data go to stdout, progress and faults to stderr. Exit codes: 0 done, 1 a fault that the user can mend (one line, no
traceback), 2 a wrong use of the command line, 130 interrupted, 143 terminated.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from phonobench._version import __version__
from phonobench.cli import (
    bench,
    card,
    corpus,
    decoding,
    doctor,
    evaluation,
    figures,
    fitting,
    fusing,
    gap,
    interruption,
    keeping,
    leaderboard,
    log,
    raters,
    report,
    score,
    systems,
    training,
)
from phonobench.cli.options import DEBUG
from phonobench.cli.verb import Verb, add_verb

VERBS: dict[str, Verb] = {
    "score": Verb(score.score_recordings, "phonobench score my.wav --text 'We call it bear'"),
    "list": Verb(systems.list_systems, "phonobench list --json"),
    "corpus": Verb(corpus.check_corpus, "phonobench corpus --download"),
    "train": Verb(training.train_system, "phonobench train whisper-base --recipe finetune --set epochs=8 --seed 1"),
    "infer": Verb(training.infer_run, "phonobench infer whisper-base.finetune"),
    "decode": Verb(decoding.choose_decoder, "phonobench decode whisper-base.finetune"),
    "evaluate": Verb(evaluation.evaluate_run, "phonobench evaluate whisper-base.finetune"),
    "fit": Verb(fitting.fit_scorer, "phonobench fit whisper-tiny.en.scoring.s0.f1 whisper-tiny.en.scoring.s0.f2"),
    "export": Verb(fitting.export_scorer, "phonobench export whisper-tiny.en.scorer my-scorer"),
    "raters": Verb(raters.compare_with_raters, "phonobench raters whisper-tiny.en.scorer"),
    "compare": Verb(evaluation.compare_runs, "phonobench compare whisper-base.finetune whisper-tiny.en.finetune"),
    "gap": Verb(gap.compare_cases, "phonobench gap whisper-base.finetune whisper-tiny.en.finetune -o gap.html"),
    "fuse": Verb(fusing.fuse_runs, "phonobench fuse whisper-base.finetune whisper-tiny.en.finetune --alpha 0.5"),
    "bench": Verb(bench.bench_systems, "phonobench bench whisper-tiny.en whisper-base --recipe probe"),
    "leaderboard": Verb(leaderboard.print_leaderboard, "phonobench leaderboard --format md -o results/LEADERBOARD.md"),
    "report": Verb(report.write_report, "phonobench report -o report.html"),
    "figures": Verb(figures.draw_figures, "phonobench figures -o figures"),
    "card": Verb(card.write_card, "phonobench card whisper-base.finetune -o card/README.md"),
    "log": Verb(log.write_log, "phonobench log whisper-base.finetune --note 'learning rate halved'"),
    "keep": Verb(keeping.keep_run, "phonobench keep whisper-base.finetune"),
    "restore": Verb(keeping.restore_runs, "phonobench restore"),
    "doctor": Verb(doctor.examine_machine, "phonobench doctor"),
}
"""What can be typed after `phonobench`, in the order of the help page."""

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich")


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"phonobench {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and end.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of a fault.")] = False,
) -> None:
    """Trains, evaluates and compares speech encoders on non-native English: phones, scores, mispronunciations."""
    if debug:
        os.environ[DEBUG] = "1"


for _name, _verb in VERBS.items():
    add_verb(app, _name, _verb)


def main() -> None:
    """Entry point of the console script. `--debug` and `--version` may stand anywhere."""
    given = sys.argv[1:]
    first = [flag for flag in ("--debug", "--version") if flag in given]
    try:
        app([*first, *(argument for argument in given if argument not in first)], prog_name="phonobench")
    finally:
        interruption.end_silently()
