"""Unpack a .tar.gz from a stranger: nothing is written outside the folder, and every byte is checked."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

from phonobench.types import Progress

_CHUNK = 1 << 18


class DamagedArchiveError(Exception):
    """The archive is cut off, corrupt, no archive, or wants to write outside its folder."""


def extract(archive: Path, folder: Path, progress: Callable[[Progress], None] | None = None) -> None:
    """Unpack all files and folders of `archive` into the new folder `folder`.

    Only regular files and folders are taken; a link, a device, an absolute path or one with `..` is refused before
    it is written. The gzip stream is read to its end, because only there its CRC-32 is compared. `progress` is told
    how many bytes of the archive were read. Raises DamagedArchiveError.
    """
    folder.mkdir(parents=True)
    size = archive.stat().st_size
    try:
        with archive.open("rb") as packed, gzip.GzipFile(fileobj=packed) as stream:
            with tarfile.open(fileobj=stream, mode="r|") as members:
                for member in members:
                    _write(members, member, folder)
                    if progress is not None:
                        progress(Progress("unpack", packed.tell(), size))
            while stream.read(_CHUNK):
                pass
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DamagedArchiveError(f"the archive is damaged ({error})") from error


def _write(members: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    destination = (folder / member.name).resolve()
    inside = destination == folder.resolve() or folder.resolve() in destination.parents
    if not inside or not (member.isreg() or member.isdir()):
        raise DamagedArchiveError(f"the archive holds {member.name!r}, a link or a path outside its folder")
    if member.isdir():
        destination.mkdir(parents=True, exist_ok=True)
        return
    destination.parent.mkdir(parents=True, exist_ok=True)
    source = members.extractfile(member)
    if source is None:
        raise DamagedArchiveError(f"the archive holds {member.name!r} without a content")
    with destination.open("wb") as file:
        while chunk := source.read(_CHUNK):
            file.write(chunk)
