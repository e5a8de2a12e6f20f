"""Unpack a .tar.gz from a stranger: nothing is written outside the folder, every byte is checked, and it stays small.

An archive is small and what it unpacks to need not be. So the bytes, the members and the depth of paths have a limit,
and each file is made once: a member that would replace another is refused.
"""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from phonobench.store.door import plain_name, shown
from phonobench.types import Progress

_CHUNK = 1 << 18
LARGEST_RATIO = 20
"""Bytes that a byte of the archive may become. Speech becomes 1.4, text 10."""
ALWAYS_ALLOWED = 16 << 20
"""Bytes that any archive may become, however small it is."""
MOST_MEMBERS = 200_000
DEEPEST = 24
"""Folders in the path of a member."""


class DamagedArchiveError(Exception):
    """The archive is cut off, corrupt, no archive, or wants to write outside its folder."""


def extract(archive: Path, folder: Path, progress: Callable[[Progress], None] | None = None) -> None:
    """Unpack all files and folders of an archive.

    The gzip stream is read to its end, because only there its CRC-32 is compared.

    Args:
        archive: A .tar.gz.
        folder: Is made; must not exist.
        progress: Is told how many bytes of the archive were read.

    Raises:
        DamagedArchiveError: It is cut off or corrupt; holds anything but files and folders (a link, a device, a sparse
            file), a path that leads outside, is too deep or no plain name, or one file twice; or is beyond the limits.
    """
    folder.mkdir(parents=True)
    size = archive.stat().st_size
    left = ALWAYS_ALLOWED + LARGEST_RATIO * size
    try:
        with archive.open("rb") as packed, gzip.GzipFile(fileobj=packed) as stream:
            with tarfile.open(fileobj=stream, mode="r|") as members:
                for count, member in enumerate(members, start=1):
                    if count > MOST_MEMBERS:
                        raise DamagedArchiveError(f"the archive holds more than {MOST_MEMBERS:,} files")
                    left -= member.size
                    if left < 0:
                        raise DamagedArchiveError(f"the archive unpacks to more than {LARGEST_RATIO} times its size")
                    _write(members, member, folder)
                    if progress is not None:
                        progress(Progress("unpack", packed.tell(), size))
            while trailing := stream.read(_CHUNK):
                left -= len(trailing)
                if left < 0:
                    raise DamagedArchiveError(f"the archive unpacks to more than {LARGEST_RATIO} times its size")
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error, OverflowError, RecursionError) as error:
        raise DamagedArchiveError(f"the archive is damaged ({error})") from error


def _write(members: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    destination = folder.joinpath(*_parts(member))
    try:
        if member.isdir():
            destination.mkdir(parents=True, exist_ok=True)
            return
        destination.parent.mkdir(parents=True, exist_ok=True)
        target = destination.open("xb")
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise DamagedArchiveError(f"the archive holds {shown(member.name)} twice, or a file in a file") from error
    source = members.extractfile(member)
    if source is None:
        target.close()
        raise DamagedArchiveError(f"the archive holds {shown(member.name)} without a content")
    with target as file:
        while chunk := source.read(_CHUNK):
            file.write(chunk)


def _parts(member: tarfile.TarInfo) -> tuple[str, ...]:
    """The names of the path of a member, each a plain one."""
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or not (member.isreg() or member.isdir()) or member.issparse():
        raise DamagedArchiveError(f"the archive holds {shown(member.name)}, a link or a path outside its folder")
    if len(path.parts) > DEEPEST:
        raise DamagedArchiveError(f"the archive holds a path of {len(path.parts)} folders: {shown(member.name)}")
    try:
        return tuple(plain_name(part) for part in path.parts)
    except ValueError as error:
        raise DamagedArchiveError(f"the archive holds a name that no system takes: {error}") from error
