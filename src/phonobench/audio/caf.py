"""Core Audio Format, Apple's: the samples of its data chunk, whose size may be open."""

from __future__ import annotations

from phonobench.audio.pieces import SLACK, Content, Piece, joined_files, truncated, view
from phonobench.types import PhonobenchError


def caf(content: Content) -> list[Piece]:
    """The samples of CAF; codings other than PCM are handed on as they are."""
    description = b""
    at = 8
    while at + 12 <= len(content):
        name = content[at : at + 4]
        size = int.from_bytes(content[at + 4 : at + 12], "big", signed=True)
        if name == b"desc":
            description = content[at + 12 : at + 12 + size]
        elif name == b"data":
            return _pieces(content, description, at + 16, size)
        if size < 0:
            break
        at += 12 + size
    raise PhonobenchError("truncated CAF file, it ends before its samples; copy it again")


def _pieces(content: Content, description: bytes, start: int, size: int) -> list[Piece]:
    if len(description) < 32:
        raise PhonobenchError("damaged CAF header, its samples have no format; record it again")
    present, declared = len(content) - start, size - 4
    if declared - present > SLACK:
        raise truncated("CAF", present, declared)
    packet = int.from_bytes(description[16:20], "big")
    if description[8:12] not in (b"lpcm", b"alaw", b"ulaw") or not packet:
        return [Piece((view(content),))]
    after = start + declared
    if size >= 4 and content[after : after + 4] == b"caff":
        raise joined_files("CAF", after)
    beside = all(32 <= byte < 127 for byte in content[after : after + 4])
    kept = declared if 0 < declared <= present and (beside or present - declared < 16) else present
    kept -= kept % packet
    head = content[:8] + b"desc" + (32).to_bytes(8, "big") + description[:32]
    head += b"data" + (4 + kept).to_bytes(8, "big") + bytes(4)
    return [Piece((head, view(content, start, start + kept)), kept // packet)]
