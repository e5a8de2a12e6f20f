"""Fetch a corpus from the network: resumable download, verification, safe unpacking, one final rename.

The archive lands in `TARGET/.NAME.tar.gz.part` and is unpacked to `TARGET/.NAME.unpacked`; only a corpus that was
read and checked is moved to `TARGET/NAME`, and then the archive is removed. A run that was cut off goes on where it
stopped.

OpenSLR publishes no checksum for it. What stands in: the length that the server declares, the CRC-32 that gzip keeps
of the whole archive, and the published counts of the corpus. Whoever knows the SHA-256 passes it; otherwise the one
that was seen is returned, to be compared with someone else's.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from phonobench.corpora import transfer, unpack
from phonobench.corpora.specification import Specification
from phonobench.store import outputs
from phonobench.types import OnProgress, PhonobenchError, Progress

_UNPACKED = 2.0  # bytes on disk for a byte of the archive, at most: 0.7 GB of speech packs to 0.5 GB


@dataclass(frozen=True)
class Fetched:
    """A corpus that was fetched: its folder, the address it came from, and the archive's bytes and SHA-256.

    Where the folder was there already and proved sound, the address and the hash are empty and the size is 0.
    """

    root: Path
    url: str
    size: int
    sha256: str


def fetch(
    target: str | os.PathLike[str],
    specification: Specification,
    *,
    urls: tuple[str, ...] = (),
    sha256: str | None = None,
    progress: OnProgress | None = None,
    pause: float = 1.0,
) -> Fetched:
    """Fetch a corpus into the folder `target/NAME`, or check the one that lies there.

    `urls` stand in for the specification's addresses and are tried in order; `progress` and `pause` as in
    `transfer.download`. Raises PhonobenchError when no address serves the archive, the disk is too small, the
    SHA-256 is another, the archive is damaged, or it does not hold the corpus with its published counts: then the
    archive is thrown away.
    """
    root = Path(target) / specification.name
    archive = Path(target) / f".{specification.name}.tar.gz.part"
    if root.exists():
        specification.read(root)
        return Fetched(root, "", 0, "")
    addresses = urls or specification.urls
    if not addresses:
        raise PhonobenchError(f"{specification.name} has no address to fetch it from; see {specification.home}")
    with outputs.sole_owner(archive.parent):
        return _fetch(addresses, archive, root, specification, sha256, progress, pause)


def _fetch(
    addresses: tuple[str, ...],
    archive: Path,
    root: Path,
    specification: Specification,
    sha256: str | None,
    progress: OnProgress | None,
    pause: float,
) -> Fetched:
    try:
        source = transfer.download(addresses, archive, spare=_UNPACKED, progress=progress, pause=pause)
        size, found = archive.stat().st_size, _digest(archive, progress)
        if sha256 is not None and found != sha256.lower():
            transfer.discard(archive)
            raise PhonobenchError(
                f"{source.url}: SHA-256 {found} is not the expected {sha256.lower()}; the archive was thrown away, "
                "fetch it again"
            )
        _install(archive, root, specification, source.url, progress)
    except OSError as error:
        remedy = "free disk space" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "choose another folder"
        raise PhonobenchError(f"{archive.parent}: {error.strerror or error}; {remedy}, then run it again") from error
    transfer.discard(archive)
    return Fetched(root, source.url, size, found)


def _install(archive: Path, root: Path, specification: Specification, url: str, progress: OnProgress | None) -> None:
    """Unpack beside the destination, read and check what came, move it into place."""
    workplace = root.parent / f".{root.name}.unpacked"
    shutil.rmtree(workplace, ignore_errors=True)
    try:
        unpack.extract(archive, workplace, progress)
        folders = (workplace, *sorted(inside for inside in workplace.rglob("*") if inside.is_dir()))
        found = next((folder for folder in folders if specification.recognises(folder)), None)
        if found is None:
            raise unpack.DamagedArchiveError(f"the archive does not hold {specification.name}")
        specification.read(found)
        found.replace(root)
    except unpack.DamagedArchiveError as error:
        transfer.discard(archive)
        raise PhonobenchError(f"{url}: {error}; the archive was thrown away, fetch it again") from error
    except PhonobenchError as error:
        transfer.discard(archive)
        raise PhonobenchError(f"{url}: the archive was thrown away, the corpus in it is not sound: {error}") from error
    finally:
        shutil.rmtree(workplace, ignore_errors=True)


def _digest(archive: Path, progress: OnProgress | None) -> str:
    digest, size = hashlib.sha256(), archive.stat().st_size
    with archive.open("rb") as file:
        while chunk := file.read(transfer.CHUNK):
            digest.update(chunk)
            if progress is not None:
                progress(Progress("verify", file.tell(), size))
    return digest.hexdigest()
