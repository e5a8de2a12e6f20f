"""Options that several verbs share, and how what was typed becomes a run, a folder or settings."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from phonobench import store
from phonobench.systems import cards, local_models
from phonobench.types import PhonobenchError

CorpusOption = Annotated[
    str | None,
    typer.Option(metavar="FOLDER|NAME", help="SpeechOcean762 or `synthetic`; else $PHONOBENCH_CORPUS, else nearby."),
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
    """`["lr=1e-4", ...]` -> `{"lr": "1e-4"}`. Raises PhonobenchError for a pair without `=` or a repeated field."""
    settings: dict[str, str] = {}
    for pair in pairs or ():
        field, equals, value = pair.partition("=")
        if not equals or not field:
            raise PhonobenchError(f"--set {pair}: write it as FIELD=VALUE, for example --set epochs=4")
        if field in settings:
            raise PhonobenchError(f"--set {field} is given twice ({settings[field]} and {value}): give it once")
        settings[field] = value
    return settings


def find_run(text: str, runs: Path) -> Path:
    """The folder of a run given by path, by id under `runs`, or by the unambiguous beginning of an id.

    Raises PhonobenchError that lists the candidates or the near ones.
    """
    for folder in (Path(text), runs / text):
        if (folder / store.RUN_FILE).exists():
            return folder
    known = [folder.name for folder in store.list_runs(runs)]
    matches = [name for name in known if name.startswith(text)]
    if len(matches) == 1:
        return runs / matches[0]
    if matches:
        raise PhonobenchError(f"{text!r} begins {len(matches)} runs: {', '.join(matches)}; type more of it")
    near = difflib.get_close_matches(text, known, n=3, cutoff=0.4) or known[:5]
    hint = f"near: {', '.join(near)}" if near else f"{runs} holds no runs; `phonobench train` or `bench` makes one"
    raise PhonobenchError(f"no run {text!r} in {runs}; {hint}")


def find_scorer(text: str, runs: Path) -> Path:
    """A run as `find_run` finds it, or the folder of an exported scorer."""
    from phonobench.assessment import bundle

    return Path(text) if (Path(text) / bundle.FACTS).exists() else find_run(text, runs)


def heard_by_packages(runs: Path) -> Path:
    """Where under the folder of runs it is kept what exported scorers heard."""
    return runs / "packages"


def find_members(named: Sequence[str] | None, runs: Path) -> tuple[str, ...]:
    """Names of systems as they are, anything else as the id of a run under `runs`.

    Raises PhonobenchError for what is neither.
    """
    return tuple(name if name in cards.SYSTEMS else find_run(name, runs).name for name in named or ())


def is_first_process() -> bool:
    """False in all but one of the processes that torchrun starts: they do the same, and one of them tells of it."""
    return os.environ.get("RANK", "0") == "0"
