"""AIFF and AIFF-C: where the samples lie and how many are there, whatever the header counts."""

from __future__ import annotations

from phonobench.audio.pieces import SLACK, Content, Piece, joined_files, truncated, view
from phonobench.audio.riff import OPEN
from phonobench.types import PhonobenchError

_BYTES = {b"alaw": 1, b"ALAW": 1, b"ulaw": 1, b"ULAW": 1, b"fl32": 4, b"FL32": 4, b"fl64": 8, b"FL64": 8,
          b"in24": 3, b"in32": 4, b"42ni": 3, b"23ni": 4}  # fmt: skip
"""Bytes of a sample by coding; of integers (NONE, twos, sowt, raw) the size stands in the header."""
_INTEGERS = (b"NONE", b"twos", b"sowt", b"raw ")


def aiff(content: Content) -> list[Piece]:
    """The samples of AIFF and AIFF-C."""
    common = samples = None
    version = b""
    at, end = 12, 8 + int.from_bytes(content[4:8], "big")
    while at + 8 <= len(content):
        name, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "big")
        if name == b"COMM":
            common = content[at + 8 : at + 8 + size]
        elif name == b"FVER":
            version = content[at : at + 8 + size]
        elif name == b"SSND":
            samples = at, size
            if common is not None:
                break
        at += 8 + size + size % 2
    if common is None or samples is None or len(common) < 18:
        raise PhonobenchError("truncated AIFF file, it ends before its samples; copy it again")
    return _pieces(content, common, version, *samples, end)


def _pieces(content: Content, common: bytes, version: bytes, at: int, size: int, end: int) -> list[Piece]:
    skipped = 8 + int.from_bytes(content[at + 8 : at + 12], "big")
    start = at + 8 + skipped
    present, frame = len(content) - start, _frame(common)
    counted = int.from_bytes(common[2:6], "big") * (frame or 0)
    declared = max(size - skipped, counted, 0)
    if declared > present:
        is_open = declared >= OPEN or not 12 < end < OPEN
        if not (is_open or abs(end - len(content)) <= 8 or declared - present <= SLACK):
            raise truncated("AIFF", present, declared)
        declared = present
    elif declared == 0:
        declared = present
    after = start + declared + declared % 2
    if content[after : after + 4] == b"FORM":
        raise joined_files("AIFF", after)
    if not _are_chunks(content, after):
        declared = present
    if frame is None:
        return [Piece((view(content),))]
    frames = declared // frame
    fields = common[:2] + frames.to_bytes(4, "big") + common[6:] + b"\0" * (len(common) % 2)
    chunks = version + b"COMM" + len(common).to_bytes(4, "big") + fields
    sound = b"SSND" + (8 + frames * frame).to_bytes(4, "big") + bytes(8)
    whole = 4 + len(chunks) + len(sound) + frames * frame
    head = b"FORM" + whole.to_bytes(4, "big") + content[8:12] + chunks + sound
    return [Piece((head, view(content, start, start + frames * frame)), frames)]


def _frame(common: bytes) -> int | None:
    """Bytes of a sample of all channels; None for codings that pack samples."""
    channels, bits = int.from_bytes(common[:2], "big"), int.from_bytes(common[6:8], "big")
    coding = common[18:22] or b"NONE"
    width = (bits + 7) // 8 if coding in _INTEGERS else _BYTES.get(coding)
    return channels * width or None if width else None


def _are_chunks(content: Content, at: int) -> bool:
    """Whether nothing or further chunks follow the samples."""
    name = content[at : at + 4]
    return len(content) - at < 16 or (all(32 <= byte < 127 for byte in name) and len(name) == 4)
