"""The command line. Each verb is one library call; this package parses, prints and maps faults to exit codes.

Data go to stdout, progress and faults to stderr. Exit codes: 0 done, 1 a fault that the user can mend (one line, no
traceback), 2 a wrong use of the command line, 130 interrupted.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import Annotated, Any

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
    keeping,
    leaderboard,
    log,
    raters,
    report,
    score,
    systems,
    training,
)
from phonobench.cli.options import DEBUG, debugging
from phonobench.cli.output import print_error
from phonobench.types import PhonobenchError

VERBS: dict[str, Callable[..., None]] = {
    "score": score.score_recordings,
    "list": systems.list_systems,
    "corpus": corpus.check_corpus,
    "train": training.train_system,
    "infer": training.infer_run,
    "decode": decoding.choose_decoder,
    "evaluate": evaluation.evaluate_run,
    "fit": fitting.fit_scorer,
    "export": fitting.export_scorer,
    "raters": raters.compare_with_raters,
    "compare": evaluation.compare_runs,
    "gap": gap.compare_cases,
    "fuse": fusing.fuse_runs,
    "bench": bench.bench_systems,
    "leaderboard": leaderboard.print_leaderboard,
    "report": report.write_report,
    "figures": figures.draw_figures,
    "card": card.write_card,
    "log": log.write_log,
    "keep": keeping.keep_run,
    "restore": keeping.restore_runs,
    "doctor": doctor.examine_machine,
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


def _guarded(verb: Callable[..., None]) -> Callable[..., None]:
    """The verb with its faults turned into one line and an exit code, unless the traceback is wanted."""

    @functools.wraps(verb)
    def guarded(*args: Any, **options: Any) -> None:
        try:
            verb(*args, **options)
        except PhonobenchError as fault:
            if debugging():
                raise
            print_error(str(fault))
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            print_error("interrupted; what is done is kept; the same command continues", prefix="")
            raise typer.Exit(130) from None

    return guarded


for _name, _verb in VERBS.items():
    app.command(_name)(_guarded(_verb))


def main() -> None:
    """Entry point of the console script. `--debug` and `--version` may stand anywhere."""
    given = sys.argv[1:]
    first = [flag for flag in ("--debug", "--version") if flag in given]
    app([*first, *(argument for argument in given if argument not in first)], prog_name="phonobench")
