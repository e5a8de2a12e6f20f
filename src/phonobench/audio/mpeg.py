"""MPEG audio (MP3, MP2) by its frames: how many there are decides the length, not what the first one says of it.

libsndfile takes the length from a Xing header or guesses it from the first frame's bit rate. So a part whose header is
missing or wrong is given one that counts right.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from phonobench.audio.pieces import Content, Piece, truncated, view
from phonobench.types import PhonobenchError

_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_KILOBITS = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_KILOBITS[2, 3] = _KILOBITS[2, 2]
_SURE = 3
"""Frames in a row, all alike, from which bytes are taken for MPEG audio."""
_SEARCHED = 1 << 16
"""Bytes before the first frame that may be something else."""


@dataclass(frozen=True)
class _Frame:
    """Header of a frame: `kind` is what all frames of a stream share (version, layer, rate, mono or not)."""

    kind: tuple[int, int, int, bool]
    size: int
    samples: int


@dataclass
class _Link:
    """Frames from one header (or none) on: `declared` is the count of the header, whose frame begins at `header`."""

    runs: list[list[int]]
    frames: int = 0
    header: tuple[int, int] | None = None
    declared: int | None = None


def frame(content: Content, at: int) -> _Frame | None:
    """The header of the frame at `at`; None where there is none."""
    head = content[at : at + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer, padding = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3), head[2] >> 1 & 1
    bitrate, rate = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer == 4 or bitrate in (0, 15) or rate == 3:
        return None
    hertz, low = _RATES[version][rate], version != 3
    kilobits = _KILOBITS[2 if low else 1, layer][bitrate - 1]
    if layer == 1:
        size, samples = (12_000 * kilobits // hertz + padding) * 4, 384
    else:
        samples = 576 if layer == 3 and low else 1152
        size = samples // 8 * 1000 * kilobits // hertz + padding
    return _Frame((version, layer, hertz, head[3] >> 6 == 3), size, samples)


def begins(content: Content) -> int | None:
    """Where the first of some frames in a row begins, behind tags; None where there is none."""
    at = after_tags(content, 0)
    limit = min(len(content), at + _SEARCHED)
    while at < limit:
        if _is_sure(content, at):
            return at
        found = content.find(b"\xff", at + 1, limit)
        if found < 0:
            return None
        at = found
    return None


def _is_sure(content: Content, at: int, kind: tuple[int, int, int, bool] | None = None) -> bool:
    for _ in range(_SURE):
        one = frame(content, at)
        if one is None or kind not in (None, one.kind):
            return False
        kind, at = one.kind, at + one.size
    return True


def after_tags(content: Content, at: int) -> int:
    """Where the tags that begin at `at` end."""
    while True:
        head = content[at : at + 16]
        if head[:3] == b"ID3" and len(head) >= 10:
            size = sum((byte & 0x7F) << 7 * place for place, byte in enumerate(reversed(head[6:10])))
            at += 10 + size + (10 if head[5] & 0x10 else 0)
        elif head[:3] == b"TAG":
            at += 128
        elif head[:8] == b"APETAGEX" and len(head) == 16:
            at += 32 + int.from_bytes(head[12:16], "little")
        elif head[:11] == b"LYRICSBEGIN":
            end = content.find(b"LYRICS200", at)
            at = end + 9 if end >= 0 else len(content)
        else:
            return at


def pieces(content: Content) -> list[Piece]:
    """Every part of an MPEG stream, each behind a header that counts its frames.

    Raises:
        PhonobenchError: It ends within a frame, has fewer frames than a header counts, other rates or damage within.
    """
    start = begins(content)
    if start is None:
        raise PhonobenchError("no MPEG audio in it; record it again")
    first = frame(content, start)
    assert first is not None
    return [_piece(content, link, first) for link in _links(content, start, first) if link.frames]


def _links(content: Content, at: int, first: _Frame) -> Iterator[_Link]:
    link = _Link([])
    while at < len(content):
        one = frame(content, at)
        if one is None:
            following = _following(content, at, first)
            if following is None:
                break
            at = following
            continue
        if one.kind != first.kind:
            if not _is_sure(content, at):
                break
            raise PhonobenchError("its parts have different rates or channels; convert it")
        if at + one.size > len(content):
            raise PhonobenchError("truncated MP3 file, it ends within a frame; copy it again")
        declared = _declared(content, at, one)
        if declared is not None:
            yield link
            link = _Link([], 0, (at, at + one.size), declared)
        elif link.runs and link.runs[-1][1] == at:
            link.runs[-1][1] += one.size
            link.frames += 1
        else:
            link.runs.append([at, at + one.size])
            link.frames += 1
        at += one.size
    yield link


def _following(content: Content, at: int, first: _Frame) -> int | None:
    """The next frame behind bytes that are none: tags, zeros. None at the end."""
    start = after_tags(content, at)
    while start < len(content) and not any(content[start : start + 256]):
        start += 256
    if start > at and frame(content, start):
        return start
    found = content.find(b"\xff", start)
    while found >= 0:
        if _is_sure(content, found, first.kind):
            if any(content[start:found]):
                raise PhonobenchError(f"damaged MP3 file, no frames from byte {start} to {found}; copy it again")
            return found
        found = content.find(b"\xff", found + 1)
    return None


def _declared(content: Content, at: int, one: _Frame) -> int | None:
    """Frames that a header frame (Xing, Info, VBRI) counts, 0 where it does not say; None for a frame of audio."""
    version, layer, _, mono = one.kind
    if layer != 3:
        return None
    side = (17 if mono else 32) if version == 3 else (9 if mono else 17)
    checked = 0 if content[at + 1] & 1 else 2
    for skipped in {4 + side, 4 + side + checked}:
        tag = content[at + skipped : at + skipped + 12]
        if tag[:4] in (b"Xing", b"Info"):
            return int.from_bytes(tag[8:12], "big") if tag[7] & 1 else 0
    tag = content[at + 36 : at + 54]
    return int.from_bytes(tag[14:18], "big") if tag[:4] == b"VBRI" else None


def _piece(content: Content, link: _Link, first: _Frame) -> Piece:
    """A link with its own header where that counts right, else with one of ours."""
    declared = link.declared or 0
    if declared > link.frames + 1:
        raise truncated("MP3", link.frames, declared, "frames")
    runs = tuple(view(content, start, end) for start, end in link.runs)
    samples = max(0, link.frames - 3) * first.samples
    if link.header is not None and declared >= link.frames:
        return Piece((view(content, *link.header), *runs), samples)
    if first.kind[1] != 3:
        return Piece(runs, samples)
    return Piece((_xing(bytes(runs[0][:4]), link.frames, sum(map(len, runs))), *runs), samples)


def _xing(head: bytes, frames: int, size: int) -> bytes:
    """A header frame that counts `frames`, made in the image of an audio frame whose first four bytes are `head`."""
    for bitrate in range(1, 15):
        made = bytes((head[0], head[1] | 1, bitrate << 4 | head[2] & 0x0C, head[3]))
        found = frame(made, 0)
        if found is not None and found.size >= 4 + 32 + 120:
            break
    assert found is not None
    version, _, _, mono = found.kind
    side = (17 if mono else 32) if version == 3 else (9 if mono else 17)
    tag = b"Xing" + (3).to_bytes(4, "big") + frames.to_bytes(4, "big") + (size + found.size).to_bytes(4, "big")
    return (made + bytes(side) + tag).ljust(found.size, b"\0")
