"""Ctrl-C, and the termination that systems send: one line and an exit code, never a traceback or a half file.

A signal that comes before a verb has begun ends the process at once (`phonobench.__main__`). Within a verb it is
raised, so that whatever is being written is taken away on the way out.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_REPEATED_SECONDS = 1.0
"""Until a second signal counts as another wish: `timeout` and terminals send one twice."""


class StoppedError(KeyboardInterrupt):
    """A signal asked the process to end. As an interruption it passes all `except Exception`."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def exit_code(stop: KeyboardInterrupt) -> int:
    """What shells expect of a process that a signal ended.

    Example:
        >>> exit_code(KeyboardInterrupt()), exit_code(StoppedError(15))
        (130, 143)
    """
    return 128 + (stop.number if isinstance(stop, StoppedError) else int(signal.SIGINT))


def told(stop: KeyboardInterrupt) -> str:
    """How the line about it begins."""
    return "interrupted" if exit_code(stop) == 128 + signal.SIGINT else "terminated"


def end_silently() -> None:
    """From now on a signal ends the process as systems do it: all work is done."""
    _handle(signal.SIG_DFL)


@contextlib.contextmanager
def raised() -> Iterator[None]:
    """Within it, a signal becomes a `StoppedError`. Elsewhere than in the main thread nothing changes."""
    first: list[float] = []

    def stop(number: int, _: FrameType | None) -> None:
        if not first:
            first.append(time.monotonic())
            raise StoppedError(number)
        if time.monotonic() - first[0] > _REPEATED_SECONDS:  # the first is on its way out, and is stuck
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    before = _handle(stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _handle(handler: Any) -> dict[int, Any]:
    """Sets a handler for all signals but those that the parent had ignored, and returns the former ones."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    before = {number: signal.getsignal(number) for number in SIGNALS}
    wanted = {number: former for number, former in before.items() if former not in (signal.SIG_IGN, None)}
    for number in wanted:
        signal.signal(number, handler)
    return wanted
