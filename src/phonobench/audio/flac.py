"""FLAC: its length is read off the last frame, since a header that was written to a pipe does not know it."""

from __future__ import annotations

from functools import cache

from phonobench.audio.pieces import Content, Piece, joined_files, truncated, view
from phonobench.types import PhonobenchError

_SEARCHED = 1 << 23
"""Bytes at the end in which the last frame must begin: more than the longest frame has."""
_BEGINNING = b"fLaC"


def pieces(content: Content) -> list[Piece]:
    """The file with the length that its last frame gives.

    Raises:
        PhonobenchError: It ends within a frame, or before the sample that its header names.
    """
    start = content.find(_BEGINNING)
    end = len(content) - 128 if content[-128:-125] == b"TAG" else len(content)
    if content[start + 4] & 0x7F or end < start + 42:
        raise PhonobenchError("damaged FLAC header; copy it again")
    for again in (_BEGINNING + b"\0\0\0\x22", _BEGINNING + b"\x80\0\0\x22"):
        if (second := content.find(again, start + 42)) >= 0:
            raise joined_files("FLAC", second)
    field = content[start + 21 : start + 26]
    declared = int.from_bytes(field, "big") & (1 << 36) - 1
    fixed = int.from_bytes(content[start + 8 : start + 10], "big")
    there, is_whole = _length(content, start + 42, end, fixed)
    if declared and there < declared - (0 if is_whole else fixed):
        raise truncated("FLAC", there, declared, "samples")
    if not is_whole and declared:  # the last frame, or other bytes behind it: the decoder knows
        return [Piece((view(content, start),), declared)]
    if not is_whole:
        raise PhonobenchError("truncated FLAC file, it ends within a frame; copy it again")
    patched = bytes((field[0] & 0xF0 | there >> 32,)) + (there & 0xFFFFFFFF).to_bytes(4, "big")
    return [Piece((view(content, start, start + 21), patched, view(content, start + 26, end)), there)]


def _length(content: Content, start: int, end: int, fixed: int) -> tuple[int, bool]:
    """Samples up to the end of the last frame, and whether that frame is whole; up to its beginning where it is not."""
    limit = max(start, end - _SEARCHED)
    at, last = end, None
    while (at := max(content.rfind(sync, limit, at + 1) for sync in (b"\xff\xf8", b"\xff\xf9"))) >= 0:
        header = _header(content[at : at + 16], fixed)
        if header is None:
            continue
        first, samples = header
        if last is None:
            last = first
        if _crc16(content[at:end]) == 0:
            return first + samples, True
        if first < last or end - at > 1 << 21:
            break
    return last or 0, False


def _header(head: bytes, fixed: int) -> tuple[int, int] | None:
    """First sample and samples of the frame that begins with `head`; None where none does."""
    if len(head) < 6 or head[3] & 1 or head[2] >> 4 == 0 or head[2] & 15 == 15 or head[3] >> 4 > 10:
        return None
    lead = 8 - (head[4] ^ 0xFF).bit_length()
    if lead in (1, 8):
        return None
    number = head[4] & 0x7F >> lead
    at = 5
    for byte in head[at : at + max(0, lead - 1)]:
        number = number << 6 | byte & 0x3F
        at += 1
    code = head[2] >> 4
    if code in (6, 7):
        samples = int.from_bytes(head[at : at + code - 5], "big") + 1
        at += code - 5
    else:
        samples = 192 if code == 1 else 576 << code - 2 if code < 6 else 256 << code - 8
    at += {12: 1, 13: 2, 14: 2}.get(head[2] & 15, 0)
    if at >= len(head) or _crc8(head[: at + 1]):
        return None
    return (number if head[1] & 1 else number * fixed), samples


@cache
def _table(width: int, polynomial: int) -> tuple[int, ...]:
    table = []
    for value in range(256):
        value <<= width - 8
        for _ in range(8):
            value = value << 1 ^ (polynomial if value >> width - 1 else 0)
            value &= (1 << width) - 1
        table.append(value)
    return tuple(table)


def _crc8(data: bytes) -> int:
    table, crc = _table(8, 0x07), 0
    for byte in data:
        crc = table[crc ^ byte]
    return crc


def _crc16(data: bytes) -> int:
    table, crc = _table(16, 0x8005), 0
    for byte in data:
        crc = (crc << 8 & 0xFFFF) ^ table[crc >> 8 ^ byte]
    return crc
