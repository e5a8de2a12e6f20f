"""A verb of the command line as a value, and how it becomes a command."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import typer

from phonobench.cli import interruption
from phonobench.cli.options import debugging
from phonobench.cli.output import print_error, remaining
from phonobench.types import PhonobenchError


@dataclass(frozen=True)
class Verb:
    """What can be typed after `phonobench`: the function that it calls, and a command line that shows its use."""

    function: Callable[..., None]
    example: str


def add_verb(app: typer.Typer, name: str, verb: Verb) -> None:
    """Register `verb` as the command `name`; its faults become one line on stderr and an exit code.

    Args:
        app: The application that gets the command.
        name: What is typed after `phonobench`.
        verb: Its docstring and parameters make the help page, its example the last line there.
    """
    app.command(name, epilog=f"Example: {verb.example}")(_guarded(verb.function))


def _guarded(function: Callable[..., None]) -> Callable[..., None]:
    """The function with its faults turned into one line and an exit code, unless the traceback is wanted."""

    @functools.wraps(function)
    def guarded(*args: Any, **options: Any) -> None:
        try:
            with interruption.raised():
                function(*args, **options)
        except PhonobenchError as fault:
            if debugging():
                raise
            print_error(str(fault))
            raise typer.Exit(1) from None
        except BrokenPipeError:
            raise  # the reader of stdout has gone, which click ends quietly
        except OSError as fault:
            if debugging():
                raise
            print_error(f"{_where(fault)}; check its name, its permissions and the disk (--debug shows the traceback)")
            raise typer.Exit(1) from None
        except KeyboardInterrupt as stop:
            if debugging():
                raise
            line = f"{interruption.told(stop)}{remaining()}; what is done is kept; the same command continues"
            print_error(line, prefix="")
            raise typer.Exit(interruption.exit_code(stop)) from None

    return guarded


def _where(fault: OSError) -> str:
    """The file that a system call refused, and why."""
    reason = fault.strerror or str(fault) or type(fault).__name__
    return reason if fault.filename is None else f"{os.fsdecode(fault.filename)}: {reason}"
