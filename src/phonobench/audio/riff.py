"""WAV (RIFF, RIFX), RF64, BW64 and Wave64: where the samples lie, whatever the sizes in the header say.

Recorders that write to a pipe cannot know the length: they leave 0, -1 or a size near 2 GB. Others write the size of
the header's first version. A file that was cut short declares the same length inside and outside, and has less.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from phonobench.audio import mpeg
from phonobench.audio.pieces import SLACK, Content, Piece, joined_files, truncated, view
from phonobench.types import PhonobenchError

OPEN = 0x7F000000
"""Bytes. A size from here on that the file does not have stands for "unknown": sox, arecord and ffmpeg write such."""
_MPEG = (0x0050, 0x0055)
_EXTENSIBLE = 0xFFFE
_BESIDE = frozenset(
    b"LIST,bext,iXML,id3 ,ID3 ,cue ,smpl,inst,fact,PEAK,JUNK,junk,FLLR,PAD ,afsp,DISP,_PMX,axml,chna,acid,strc,minf,"
    b"elm1,regn,umid,note".split(b",")
)
"""Chunks that may follow the samples."""
_TAGS = (b"TAG", b"ID3", b"APETAGEX", b"LYRICS")
_GUID = bytes.fromhex("f3acd3118cd100c04f8edb8a")
"""The last twelve bytes of the identifiers of Wave64; the first four are those of RIFF in lower case."""


@dataclass(frozen=True)
class _Found:
    """Format chunk, where the samples begin, their declared bytes, and where the whole file ends by its own word."""

    format: bytes
    start: int
    declared: int
    end: int


def wav(content: Content) -> list[Piece]:
    """The samples of RIFF, RIFX, RF64 and BW64."""
    order = "big" if content[:4] == b"RIFX" else "little"
    long_sizes: bytes | None = None
    format: bytes | None = None
    end = 8 + int.from_bytes(content[4:8], order)  # type: ignore[arg-type]
    for name, start, size in _chunks(content, 12, order):
        if name == b"ds64":
            long_sizes = content[start : start + size]
        elif name == b"fmt ":
            format = content[start : start + size]
        elif name == b"data":
            if long_sizes is not None and size == 0xFFFFFFFF:
                size = int.from_bytes(long_sizes[8:16], "little")
                end = 8 + int.from_bytes(long_sizes[:8], "little")
            if format is None or len(format) < 14:
                raise PhonobenchError("damaged WAV header, its samples have no format; record it again")
            return _pieces(content, _Found(format, start, size, end), order)
    raise PhonobenchError("truncated WAV file, it ends before its samples; copy it again")


def wave64(content: Content) -> list[Piece]:
    """The samples of Sony Wave64."""
    format: bytes | None = None
    at = 40
    while at + 24 <= len(content):
        name, size = content[at : at + 4], int.from_bytes(content[at + 16 : at + 24], "little")
        if content[at + 4 : at + 16] != _GUID:
            break
        if name == b"fmt ":
            format = content[at + 24 : at + size]
        elif name == b"data" and format is not None:
            whole = int.from_bytes(content[16:24], "little")
            return _pieces(content, _Found(format, at + 24, max(0, size - 24), whole), "little", "W64", align=8)
        if size < 24:
            break
        at += size + -size % 8
    raise PhonobenchError("truncated W64 file, it ends before its samples; copy it again")


def _chunks(content: Content, at: int, order: str) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and declared size of each chunk from `at` on that begins within the file."""
    while at + 8 <= len(content):
        size = int.from_bytes(content[at + 4 : at + 8], order)  # type: ignore[arg-type]
        yield content[at : at + 4], at + 8, size
        at += 8 + size + size % 2


def _pieces(content: Content, found: _Found, order: str, kind: str = "WAV", align: int = 2) -> list[Piece]:
    size = _size(content, found, order, kind, align)
    tag = int.from_bytes(found.format[:2], order)  # type: ignore[arg-type]
    if tag == _EXTENSIBLE and len(found.format) >= 26:
        tag = int.from_bytes(found.format[24:26], order)  # type: ignore[arg-type]
    if tag in _MPEG:
        return mpeg.pieces(content[found.start : found.start + size])
    block = int.from_bytes(found.format[12:14], order)  # type: ignore[arg-type]
    if tag in (1, 3, 6, 7) and block:
        size -= size % block
    if size >= 1 << 32:
        raise PhonobenchError("over 4 GB of samples; cut it into single sentences")
    return [Piece((header(found.format, size, order), view(content, found.start, found.start + size)))]


def header(format: bytes, size: int, order: str = "little") -> bytes:
    """The first bytes of a WAV file with `size` bytes of samples, up to these."""

    def number(value: int) -> bytes:
        return min(value, 0xFFFFFFFF).to_bytes(4, order)  # type: ignore[arg-type]

    form = b"RIFF" if order == "little" else b"RIFX"
    chunk = b"fmt " + number(len(format)) + format + b"\0" * (len(format) % 2)
    return form + number(4 + len(chunk) + 8 + size + size % 2) + b"WAVE" + chunk + b"data" + number(size)


def _size(content: Content, found: _Found, order: str, kind: str, align: int) -> int:
    """Bytes of samples that are there.

    Raises:
        PhonobenchError: The file was cut short, or another one follows in it.
    """
    present, declared = len(content) - found.start, found.declared
    if declared > present:
        is_open = declared >= OPEN or found.end >= OPEN or found.end <= found.start
        is_whole = abs(found.end - len(content)) <= 8
        if is_open or is_whole or declared - present <= SLACK:
            return present
        raise truncated(kind, present, declared)
    after = found.start + declared + -declared % align
    tail = content[after : after + 16]
    if tail[:4] in (b"RIFF", b"RF64", b"BW64", b"riff") and content[after + 8 : after + 12] in (
        b"WAVE",
        b"\xa5\xd6(\xdb",
    ):
        raise joined_files(kind, after)
    if len(content) - after < 16 and declared:
        return declared
    beside = tail[4:16] == _GUID if kind == "W64" else _is_beside(content, after, order)
    return declared if beside and after < len(content) else present


def _is_beside(content: Content, at: int, order: str) -> bool:
    """Whether what follows the samples from `at` on are further chunks or tags, and not further samples."""
    if content[at : at + 4] in _BESIDE or content[at : at + 8].startswith(_TAGS):
        return True
    end = at
    for name, start, size in _chunks(content, at, order):
        if not all(32 <= byte < 127 for byte in name):
            return False
        end = start + size
    return at < end <= len(content)
