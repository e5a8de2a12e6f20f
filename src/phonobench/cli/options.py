"""Options that several verbs share, and how what was typed becomes a folder or settings."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from phonobench.cli.output import print_note
from phonobench.systems import local_models
from phonobench.systems.identity import FORMER_NAMES
from phonobench.types import PhonobenchError

CorpusOption = Annotated[
    str | None,
    typer.Option(metavar="FOLDER|NAME", help="Folder or name of a corpus; else $PHONOBENCH_CORPUS, else nearby."),
]
RunsOption = Annotated[
    Path, typer.Option("--runs", envvar="PHONOBENCH_RUNS", help="Folder of runs (weights, posteriors).")
]
ResultsOption = Annotated[
    Path, typer.Option("--results", envvar="PHONOBENCH_RESULTS", help="Folder of results (JSON).")
]
ModelsOption = Annotated[
    Path | None, typer.Option(help="Folder of pretrained checkpoints; else $PHONOBENCH_MODELS, else nearby.")
]
LimitOption = Annotated[
    int | None,
    typer.Option("--limit", min=1, help="Only so many utterances of each split: a quick try, no result to cite."),
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="Change a field of the recipe (repeatable).")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Pure JSON on stdout.")]

DEBUG = "PHONOBENCH_DEBUG"
"""Environment variable that asks for tracebacks; `--debug` sets it."""

RUNS = Path("runs")
RESULTS = Path("results")
KEPT = Path("kept")


def debugging() -> bool:
    """Whether the traceback of a fault is wanted."""
    return bool(os.environ.get(DEBUG))


def use_models(folder: Path | None) -> None:
    """Makes `folder` the one in which pretrained checkpoints are looked for."""
    if folder is not None:
        os.environ[local_models.VARIABLE] = str(folder)


def parse_settings(pairs: Sequence[str] | None) -> dict[str, str]:
    """`["lr=1e-4", ...]` -> `{"lr": "1e-4"}`. A former name of a field becomes today's, with a note on stderr.

    Raises:
        PhonobenchError: for a pair without `=` or a repeated field.
    """
    settings: dict[str, str] = {}
    for pair in pairs or ():
        given, equals, value = pair.partition("=")
        if not equals or not given:
            raise PhonobenchError(f"--set {pair}: write it as FIELD=VALUE, for example --set epochs=4")
        field = FORMER_NAMES.get(given, given)
        if field != given:
            print_note(f"--set {given}: this field of a recipe is called {field} now")
        if field in settings:
            raise PhonobenchError(f"--set {field} is given twice ({settings[field]} and {value}): give it once")
        settings[field] = value
    return settings


def is_first_process() -> bool:
    """False in all but one of the processes that torchrun starts: they do the same, and one of them tells of it."""
    return os.environ.get("RANK", "0") == "0"
