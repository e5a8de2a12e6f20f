"""Download one file over HTTP so that nothing that came is lost: it resumes after a broken connection or a kill.

The bytes land in the file itself; a JSON note beside it (`NAME.json`) says which file of which size they are a part
of. A server that has another file by now (another size or tag), or that cannot resume, makes it begin anew.
"""

from __future__ import annotations

import http.client
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from phonobench import store
from phonobench.store import door
from phonobench.types import OnProgress, PhonobenchError, Progress

CHUNK = 1 << 18
TIMEOUT = 30.0
"""Seconds without a byte after which a connection counts as broken."""
ATTEMPTS = 5
"""Connections to one address that break in a row without a byte won before the next address is tried."""


def _printable(tag: str) -> str:
    if not (tag.isascii() and (tag.isprintable() or not tag)):
        raise ValueError("a tag is one line of plain characters")  # it goes into the head of a request
    return tag


_BROKEN = (urllib.error.URLError, http.client.HTTPException, OSError)


class SourceFacts(door.Checked):
    """The note beside a partial file. An absent or damaged one is none: the download begins anew."""

    url: Annotated[str, Field(max_length=10_000)]
    size: Annotated[int, Field(ge=0)]
    tag: Annotated[str, Field(max_length=1_000), AfterValidator(_printable)]


@dataclass(frozen=True)
class Source:
    """The whole file that a partial one belongs to. `tag` is a strong ETag or a date; `size` 0 means unknown."""

    url: str
    size: int
    tag: str


class _UnavailableError(Exception):
    """This address does not serve the file; another may."""


class _InterruptedError(Exception):
    """The connection broke; what came is on disk."""


def download(
    urls: Sequence[str], path: Path, *, spare: float = 0.0, progress: OnProgress | None = None, pause: float = 1.0
) -> Source:
    """Complete `path` from the first of the addresses that can, continuing what is there; returns where it came from.

    `spare`: bytes to be left free on the disk for each byte of the file. `pause`: seconds before a broken connection
    is tried again, doubled each time that wins nothing. Raises PhonobenchError when no address serves the file
    (what came is kept) or the disk is too small.
    """
    faults = []
    for url in urls:
        try:
            return _from_one(url, path, spare, progress, pause)
        except _UnavailableError as fault:
            faults.append(f"{url}: {fault}")
    raise PhonobenchError(
        f"download failed ({'; '.join(faults)}); {_size(path):,} bytes are kept, the same command continues when "
        "the network is back"
    )


def discard(path: Path) -> None:
    """Remove a partial or complete file together with its note."""
    path.unlink(missing_ok=True)
    _note(path).unlink(missing_ok=True)


def _from_one(url: str, path: Path, spare: float, progress: OnProgress | None, pause: float) -> Source:
    """Complete the file from one address, reconnecting as long as that wins bytes."""
    failures = 0
    while True:
        before = _size(path)
        try:
            return _connection(url, path, spare, progress)
        except urllib.error.HTTPError as error:
            fault = f"HTTP {error.code} {error.reason}"
            if error.code < 500:
                raise _UnavailableError(fault) from error
        except _InterruptedError as error:
            fault = str(error)
        failures = 1 if _size(path) > before else failures + 1
        if failures >= ATTEMPTS:
            raise _UnavailableError(fault)
        time.sleep(pause * 2 ** (failures - 1))


def _connection(url: str, path: Path, spare: float, progress: OnProgress | None) -> Source:
    """One request: append what is missing, or begin anew where the server has another file."""
    known, have = _known(path)
    if known is not None and have == known.size:
        return known
    headers = {"User-Agent": "phonobench", "Accept-Encoding": "identity"}
    if known is not None:
        headers["Range"] = f"bytes={have}-"
        if known.url == url and known.tag:
            headers["If-Range"] = known.tag
    try:
        response = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and known is not None:
            discard(path)
            raise _InterruptedError("the server has less than was downloaded; beginning anew") from error
        raise
    except ValueError as error:
        raise _UnavailableError(f"not an address ({error})") from error
    except _BROKEN as error:
        raise _InterruptedError(_plain(error)) from error
    with response:
        source, resumed = _described(response, url), response.status == http.client.PARTIAL_CONTENT
        if resumed and (known is None or source.size != known.size or _range_start(response) != have):
            discard(path)
            raise _InterruptedError("the server has another file than was begun; beginning anew")
        _refuse_small_disk(path, source.size, have if resumed else 0, spare)
        store.write_json(_note(path), asdict(source))
        _store(response, path, source.size, resumed, progress)
    return source


def _store(
    response: http.client.HTTPResponse, path: Path, size: int, resumed: bool, progress: OnProgress | None
) -> None:
    with path.open("ab" if resumed else "wb") as file:
        while True:
            try:
                chunk = response.read(CHUNK)
            except http.client.IncompleteRead as error:
                file.write(error.partial)
                raise _InterruptedError("the connection broke") from error
            except _BROKEN as error:
                raise _InterruptedError(_plain(error)) from error
            if not chunk:
                break
            file.write(chunk)
            if progress is not None:
                progress(Progress("download", file.tell(), size))
        if size and file.tell() != size:
            raise _InterruptedError(f"the connection ended after {file.tell():,} of {size:,} bytes")


def _described(response: http.client.HTTPResponse, url: str) -> Source:
    """What the server says of the whole file."""
    total = response.headers.get("Content-Length", "")
    if response.status == http.client.PARTIAL_CONTENT:
        total = response.headers.get("Content-Range", "").rpartition("/")[2]
    tag = response.headers.get("ETag") or response.headers.get("Last-Modified") or ""
    return Source(url, int(total) if total.isdigit() else 0, "" if tag.startswith("W/") else tag)


def _range_start(response: http.client.HTTPResponse) -> int:
    start = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("-")[0]
    return int(start) if start.isdigit() else -1


def _known(path: Path) -> tuple[Source | None, int]:
    """What is on disk: its source and its bytes. (None, 0) without a sound note: then it is begun anew."""
    try:
        note = door.read_model(_note(path), SourceFacts)
    except PhonobenchError:
        return None, 0
    source, have = Source(note.url, note.size, note.tag), _size(path)
    return (source, have) if 0 < have <= source.size else (None, 0)


def _refuse_small_disk(path: Path, size: int, have: int, spare: float) -> None:
    free, needed = shutil.disk_usage(path.parent).free, int(size - have + spare * size)
    if free < needed:
        raise PhonobenchError(
            f"{path.parent}: {free / 1e9:.1f} GB free, {needed / 1e9:.1f} GB needed; free disk space or choose "
            "another folder"
        )


def _note(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _size(path: Path) -> int:
    if path.is_dir():
        raise PhonobenchError(f"{path} is a folder where a file is to come: remove it")
    return path.stat().st_size if path.exists() else 0


def _plain(error: BaseException) -> str:
    reason = getattr(error, "reason", None) or error
    return str(getattr(reason, "strerror", None) or reason) or type(error).__name__
