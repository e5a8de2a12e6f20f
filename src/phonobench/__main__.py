"""The command line: `phonobench`, or `python -m phonobench` where its script is not on the path."""

from __future__ import annotations

import os
import signal


def main() -> None:
    """Run the command line. A signal that comes while it is being imported ends it without a traceback."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) not in (signal.SIG_IGN, None):
            signal.signal(number, _leave)
    from phonobench.cli import main as run

    run()


def _leave(number: int, _: object) -> None:
    os.write(2, b"ended before anything was begun\n")
    os._exit(128 + number)


if __name__ == "__main__":
    main()
