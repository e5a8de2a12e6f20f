"""Creative Voice: its blocks joined to the samples of one WAV file. libsndfile reads block headers as samples."""

from __future__ import annotations

from dataclasses import dataclass, field

from phonobench.audio import riff
from phonobench.audio.pieces import Content, Piece, UnsupportedError, view
from phonobench.types import PhonobenchError

_CODINGS = {0: (1, 8), 4: (1, 16), 6: (6, 8), 7: (7, 8)}
"""Codings of VOC as the format tag of WAV and the bits of a sample."""
_QUIET = {(1, 8): b"\x80", (1, 16): b"\0", (6, 8): b"\xd5", (7, 8): b"\xff"}


@dataclass
class _Blocks:
    """What has been read so far: the format (rate, channels, tag, bits) and the samples."""

    format: tuple[int, int, int, int] | None = None
    extended: tuple[int, int] | None = None
    parts: list[bytes | memoryview] = field(default_factory=list)

    def begin(self, rate: int, channels: int, coding: int) -> None:
        if coding not in _CODINGS:
            raise UnsupportedError(f"VOC with coding {coding}")
        format = rate, channels, *_CODINGS[coding]
        if self.format not in (None, format):
            raise PhonobenchError("its blocks have different rates or channels; convert it")
        self.format = format

    def silence(self, samples: int) -> None:
        if self.format is None or samples > 1 << 16:
            raise PhonobenchError("damaged VOC file, a silence without a format; record it again")
        _, channels, tag, bits = self.format
        self.parts.append(_QUIET[tag, bits] * (samples * channels * bits // 8))


def voc(content: Content) -> list[Piece]:
    """The samples of all blocks of a VOC file."""
    at, blocks = int.from_bytes(content[20:22], "little"), _Blocks()
    while True:
        if at >= len(content):
            raise PhonobenchError("truncated VOC file, its last block is missing; copy it again")
        kind = content[at]
        if kind == 0:
            return [_piece(blocks)]
        size, start = int.from_bytes(content[at + 1 : at + 4], "little"), at + 4
        if start + size > len(content):
            raise PhonobenchError("truncated VOC file, it ends within a block; copy it again")
        _take(blocks, kind, view(content, start, start + size))
        at = start + size


def _take(blocks: _Blocks, kind: int, block: memoryview) -> None:
    def number(start: int, size: int) -> int:
        return int.from_bytes(block[start : start + size], "little")

    if kind == 1:
        rate, channels = blocks.extended or (round(1_000_000 / (256 - block[0])), 1)
        blocks.begin(rate, channels, block[1])
        blocks.extended = None
        blocks.parts.append(block[2:])
    elif kind == 2:
        blocks.parts.append(block)
    elif kind == 3:
        blocks.silence(number(0, 2) + 1)
    elif kind == 8:
        channels = block[3] + 1
        blocks.extended = round(256_000_000 / (channels * (65536 - number(0, 2)))), channels
    elif kind == 9:
        blocks.begin(number(0, 4), block[5], number(6, 2))
        blocks.parts.append(block[12:])
    elif kind in (6, 7):
        raise PhonobenchError("a VOC file that repeats itself; convert it")


def _piece(blocks: _Blocks) -> Piece:
    if blocks.format is None:
        raise PhonobenchError("empty, it holds no samples; record it again")
    rate, channels, tag, bits = blocks.format
    size, frame = sum(map(len, blocks.parts)), channels * bits // 8
    fields = ((tag, 2), (channels, 2), (rate, 4), (rate * frame, 4), (frame, 2), (bits, 2))
    format = b"".join(value.to_bytes(width, "little") for value, width in fields)
    return Piece((riff.header(format, size), *blocks.parts), size // frame)
