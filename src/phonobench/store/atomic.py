"""One atomic write, which every file of phonobench goes through, and the removal of what killed writers left.

The content goes to a temporary file beside its place, is synced, and is then renamed over it. The temporary name holds
the host, the process and a random part; it is created exclusively and without following links, so that nobody can
plant a link in its way. A link at the place itself is followed: its target is replaced and the link stays. A device or
a pipe is written to directly.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
import socket
import stat
import time
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from phonobench.types import PhonobenchError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ELOOP)
_NAME = re.compile(r"\..*\.(?:([0-9a-f]{8})-)?([0-9]+)(?:\.[0-9a-f]{12})?\.tmp", re.DOTALL)
_OLD_SECONDS = 86_400.0
_BYTES_OF_NAME = 150
"""Of the place's own name, kept in the temporary one: file systems allow 255 bytes in all."""

_swept: set[Path] = set()


def write_bytes(path: Path, content: bytes) -> None:
    """Replace `path` by `content` in one step, making its folder first.

    Args:
        path: The file. Where it is a symbolic link, the file that the link names is replaced.
        content: All that it will hold.

    Raises:
        PhonobenchError: The disk is full or the place cannot be written. The former file is then untouched.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_bytes(Path(folder) / "new" / "a.txt", b"bear")
        ...     (Path(folder) / "new" / "a.txt").read_bytes()
        b'bear'
    """
    write_parts(path, [content])


def write_parts(path: Path, parts: Iterable[bytes]) -> None:
    """As `write_bytes`, of content that comes in parts and need not be in memory at once.

    Args:
        path: The file, which may be what the parts are read from.
        parts: Its content, one part after the other.

    Raises:
        PhonobenchError: As `write_bytes`.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        place = path.resolve() if path.is_symlink() else path
        if _is_special(place):
            _write_through(place, parts)
            return
        sweep(place.parent)
        temporary = place.with_name(_temporary_name(place.name))
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(temporary, flags, 0o666), "wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        _keep_mode(place, temporary)
        temporary.replace(place)
    except BaseException as error:
        if temporary is not None:
            _discard(temporary)
        if isinstance(error, OSError):
            raise explained(path, error) from error
        raise


@contextlib.contextmanager
def staged(folder: Path, last: str) -> Iterator[Path]:
    """A draft whose files replace those of a folder together, at the end: a kill before leaves the former ones.

    Args:
        folder: What is to be written. Other files in it stay.
        last: The name of the file that is put into place last, by which the whole is known.

    Yields:
        The folder to write into.

    Raises:
        PhonobenchError: As `write_bytes`.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as place:
        ...     with staged(Path(place) / "new", "facts.json") as draft:
        ...         write_bytes(draft / "facts.json", b"{}")
        ...     sorted(path.name for path in (Path(place) / "new").iterdir())
        ['facts.json']
    """
    draft = folder / _temporary_name("draft")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder)
        draft.mkdir()
        yield draft
        for path in sorted(draft.iterdir(), key=lambda one: one.name == last):
            path.replace(folder / path.name)
    except OSError as error:
        raise explained(folder, error) from error
    finally:
        _discard(draft)


def explained(path: Path, error: OSError) -> Exception:
    """The fault of a write as the user can mend it; a fault that they cannot mend as it is."""
    if error.errno in _FULL:
        return PhonobenchError(
            f"disk full while writing {path}: free some space and run the same command again, it continues"
        )
    if error.errno == errno.ENAMETOOLONG:
        return PhonobenchError(f"cannot write {path} (the name is too long for the file system): choose a shorter one")
    if error.errno in _REFUSED:
        return PhonobenchError(f"cannot write {path} ({error.strerror}): choose a folder that can be written")
    return error


def sweep(folder: Path) -> list[Path]:
    """Remove the temporary files and drafts of writers that no longer live, once a process and folder.

    One is removed when its name is that of a temporary file and its process on this host is gone, or, whatever the
    host, when it is a day old: a write takes seconds.

    Returns:
        The files that were removed.
    """
    if folder in _swept:
        return []
    _swept.add(folder)
    removed = []
    for path in folder.glob(".*.tmp"):
        found = _NAME.fullmatch(path.name)
        if found is not None and _is_dead(path, found[1], int(found[2])):
            _discard(path)
            removed.append(path)
    return removed


def _is_dead(path: Path, host: str | None, process: int) -> bool:
    try:
        old = time.time() - path.lstat().st_mtime > _OLD_SECONDS
    except OSError:
        return False  # another start swept it just now
    if old or process == os.getpid():
        return old
    if host not in (None, _host()):
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


@cache
def _host() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


def _temporary_name(name: str) -> str:
    kept = os.fsdecode(os.fsencode(name)[:_BYTES_OF_NAME])
    return f".{kept}.{_host()}-{os.getpid()}.{secrets.token_hex(6)}.tmp"


def _is_special(place: Path) -> bool:
    """True for what exists and is neither a file nor a folder: a device, a pipe, a socket."""
    try:
        mode = place.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _write_through(place: Path, parts: Iterable[bytes]) -> None:
    with place.open("wb") as file:
        file.writelines(parts)


def _keep_mode(place: Path, temporary: Path) -> None:
    """Give the new file the permissions of the one that it replaces."""
    if place.exists():
        temporary.chmod(stat.S_IMODE(place.stat().st_mode))


def _discard(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    except OSError:
        return  # the folder itself may be out of reach; the first error is the one to tell
