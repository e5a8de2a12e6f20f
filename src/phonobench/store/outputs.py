"""What a command may write over: nothing that it reads, and of what is there already only what phonobench wrote.

Look first, write after: `claim` is called before any work is done, so that a long run does not end in a refusal.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

from phonobench.types import PhonobenchError

HEAD_BYTES = 1 << 20
"""Of a file that is there, read to see who wrote it."""


def claim(
    path: Path, *, inputs: Iterable[Path] = (), is_ours: Callable[[bytes], bool] | None = None, overwrite: bool = False
) -> None:
    """Refuse an output that would destroy something.

    Args:
        path: The file that is to be written. Devices and pipes are never refused.
        inputs: Files that the command reads. None of them may be an output, whatever `overwrite` says.
        is_ours: Says of the first bytes of a file whether phonobench wrote it in this format. None: nothing is.
        overwrite: The user asked for other people's files to be replaced too.

    Raises:
        PhonobenchError: The place is a folder, an input, or a file of another origin.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     notes = Path(folder) / "notes.txt"
        ...     _ = notes.write_text("mine")
        ...     try:
        ...         claim(notes)
        ...     except PhonobenchError as refusal:
        ...         print(str(refusal).partition("notes.txt")[2][:44])
         is there already and was not made by this c
    """
    if path.is_dir():
        raise PhonobenchError(f"{path} is a folder: name a file in it")
    for one in inputs:
        if is_same(path, one):
            raise PhonobenchError(f"{path} is read by this command and would be destroyed: name another output")
    if not path.exists() or not path.is_file() or overwrite:
        return
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise PhonobenchError(f"{path} is there already and cannot be read ({error.strerror}): name another") from error
    if head and not (is_ours is not None and is_ours(head)):
        raise PhonobenchError(
            f"{path} is there already and was not made by this command: name another output, or say --overwrite"
        )


def is_same(first: Path, second: Path) -> bool:
    """Whether two paths name one file: by name, or by way of links of either kind."""
    try:
        return first.samefile(second)
    except OSError:
        with contextlib.suppress(OSError, RuntimeError):  # a name that is too long, a loop of links
            return first.resolve() == second.resolve()
        return first == second


@contextlib.contextmanager
def sole_writer(file: IO[bytes], path: Path) -> Iterator[None]:
    """Hold an open file so that no second command adds to it.

    Raises:
        PhonobenchError: Another process holds it, or put another file into its place before this one had it.
    """
    try:
        import fcntl
    except ImportError:  # not on Windows, whose own `open` for appending is refused while another holds the file
        yield
        return
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as busy:
        raise PhonobenchError(
            f"{path} is being written by another command: wait for it, or choose another place"
        ) from busy
    except OSError:  # a file system without locks, as some of networks are
        yield
        return
    try:
        if path.is_file() and not os.path.samestat(path.stat(), os.fstat(file.fileno())):
            raise PhonobenchError(f"{path} was replaced by another command just now: run the same command again")
        yield
    finally:
        with contextlib.suppress(OSError, ValueError):
            fcntl.flock(file.fileno(), fcntl.LOCK_UN)


@contextlib.contextmanager
def sole_owner(folder: Path) -> Iterator[None]:
    """Hold a folder, which is made where there is none, so that no second command works on it. Leaves no file behind.

    Raises:
        PhonobenchError: Another process holds it, or it cannot be made.
    """
    is_new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PhonobenchError(
            f"cannot make {folder} ({error.strerror}): choose a folder that can be written"
        ) from error
    try:
        import fcntl

        handle = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):  # Windows opens no folders, and has no such locks
        yield
        return
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as busy:
                raise PhonobenchError(
                    f"{folder} is being written by another command: wait for it, then run the same command again"
                ) from busy
        yield
    finally:
        os.close(handle)
        if is_new:
            with contextlib.suppress(OSError):  # unless something was written
                folder.rmdir()
