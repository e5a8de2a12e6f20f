"""Files of phones and browsers (MP4, WebM, ASF, ADTS, AMR): whole or not, told from their own lengths."""

from __future__ import annotations

from collections.abc import Callable

from phonobench.audio.pieces import Content, truncated
from phonobench.types import PhonobenchError

_DESCENDED = (0x18538067, 0x1F43B675)
"""Elements of Matroska that are looked into: the segment and its clusters, which live recordings leave open."""
_AMR = {"nb": (12, 13, 15, 17, 19, 20, 26, 31, 5, 6, 5, 5, 0, 0, 0, 0),
        "wb": (17, 23, 32, 36, 40, 46, 50, 58, 60, 5, 5, 0, 0, 0, 0, 0)}  # fmt: skip
"""Bytes behind the first of a frame, by its type."""


def mp4(content: Content) -> None:
    """Boxes of MP4, M4A, MOV and 3GP."""
    at, names = 0, set()
    while at + 8 <= len(content):
        size, name = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        names.add(name)
        if size == 1:
            size = int.from_bytes(content[at + 8 : at + 16], "big")
        elif size == 0:
            size = len(content) - at
        if size < 8:
            raise PhonobenchError(f"damaged MP4 file, a box of {size} bytes at {at}; copy it again")
        if at + size > len(content):
            raise truncated("MP4", len(content) - at, size)
        at += size
    if b"moov" not in names:
        raise PhonobenchError("truncated MP4 file, its index (moov) is missing; record it again")


def matroska(content: Content) -> None:
    """Elements of Matroska and WebM."""
    at = 0
    while at < len(content):
        name, start = _number(content, at, keep=True)
        size, start = _number(content, start, keep=False)
        if size is not None and start + size > len(content):
            raise truncated("WebM", len(content) - start, size)
        if name in _DESCENDED:
            at = start
        elif size is None:
            raise PhonobenchError(f"damaged WebM file, an element without a length at {at}; copy it again")
        else:
            at = start + size


def _number(content: Content, at: int, keep: bool) -> tuple[int | None, int]:
    """A number of EBML and where it ends; None for one that is left open. `keep` its length marker."""
    first = content[at : at + 1]
    width = 9 - first[0].bit_length() if first and first[0] else 9
    raw = content[at : at + width]
    if width > 8 or len(raw) < width:
        raise PhonobenchError("truncated WebM file, it ends within a block; copy it again")
    value, ones = int.from_bytes(raw, "big"), (1 << 7 * width) - 1
    if keep:
        return value, at + width
    return (None if value & ones == ones else value & ones), at + width


def asf(content: Content) -> None:
    """Objects of ASF (WMA)."""
    at = 0
    while at + 24 <= len(content):
        size = int.from_bytes(content[at + 16 : at + 24], "little")
        if size < 24:
            break
        if at + size > len(content):
            raise truncated("WMA", len(content) - at, size)
        at += size


def adts(content: Content) -> None:
    """Frames of AAC in ADTS."""

    def size(at: int) -> int:
        head = content[at : at + 7]
        if len(head) == 7 and (head[0] != 0xFF or head[1] & 0xF6 != 0xF0):
            return 0
        return (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5 if len(head) == 7 else 7

    _frames(content, (content[:3] == b"ID3" and _id3(content)) or 0, size, "AAC")


def amr(content: Content) -> None:
    """Frames of AMR, narrow and wide band."""
    wide = content[:9] == b"#!AMR-WB\n"
    sizes = _AMR["wb" if wide else "nb"]
    _frames(content, 9 if wide else 6, lambda at: 1 + sizes[content[at] >> 3 & 15], "AMR")


def _frames(content: Content, at: int, size: Callable[[int], int], kind: str) -> None:
    while at < len(content):
        length = size(at)
        if not length:
            raise PhonobenchError(f"damaged {kind} file, no frame at byte {at}; copy it again")
        at += length
    if at > len(content):
        raise PhonobenchError(f"truncated {kind} file, it ends within a frame; copy it again")


def _id3(content: Content) -> int:
    return 10 + sum((byte & 0x7F) << 7 * place for place, byte in enumerate(reversed(content[6:10])))


WHOLE: dict[str, Callable[[Content], None]] = {
    "mov": mp4, "matroska": matroska, "asf": asf, "aac": adts, "amr": amr,
}  # fmt: skip
"""By the demuxer of ffmpeg: raises where a file of its kind was cut short."""
