"""What libsndfile is given to decode: bytes of a file behind a header that tells the truth, without copying them."""

from __future__ import annotations

import io
import mmap
from dataclasses import dataclass
from typing import TypeAlias

from phonobench.types import PhonobenchError

Content: TypeAlias = "bytes | mmap.mmap"
"""A file's bytes, in memory or mapped."""

SLACK = 64
"""Bytes of samples that a header may count too many: writers err by the length of a header, a few milliseconds."""


class UnsupportedError(PhonobenchError):
    """A coding that is known by name and that libsndfile does not decode; PyAV or ffmpeg may."""


@dataclass(frozen=True)
class Piece:
    """A sound file for libsndfile: its bytes in `parts`.

    `samples`: how many a channel must come out at least, counted by us; None: as many as libsndfile announces.
    """

    parts: tuple[bytes | memoryview, ...]
    samples: int | None = None

    def open(self) -> io.RawIOBase:
        """The bytes as a file that can be read and sought."""
        return _Joined(self.parts)


class _Joined(io.RawIOBase):
    def __init__(self, parts: tuple[bytes | memoryview, ...]) -> None:
        self._parts = parts
        self._size = sum(map(len, parts))
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what io hands over is a buffer
        target = memoryview(buffer).cast("B")
        done, start = 0, 0
        for part in self._parts:
            offset = self._at - start
            if done < len(target) and 0 <= offset < len(part):
                piece = part[offset : offset + len(target) - done]
                target[done : done + len(piece)] = piece
                done += len(piece)
                self._at += len(piece)
            start += len(part)
        return done


def view(content: Content, start: int = 0, end: int | None = None) -> memoryview:
    """A part of a file without a copy."""
    return memoryview(content)[start:end]


def truncated(kind: str, present: int, declared: int, unit: str = "bytes") -> PhonobenchError:
    """The error for a file of which less is there than it declares, both in `unit`.

    Example:
        >>> str(truncated("AU", 600, 1000))
        'truncated AU file, 40 % of it is missing (600 of 1000 bytes are there); copy it again'
    """
    missing = 100 * (1 - present / declared) if declared else 100.0
    share = f"{missing:.0f} %" if missing >= 1 else "a part"
    return PhonobenchError(
        f"truncated {kind} file, {share} of it is missing ({present} of {declared} {unit} are there); copy it again"
    )


def joined_files(kind: str, start: int) -> PhonobenchError:
    """The error for a file in which a second one begins."""
    return PhonobenchError(f"several {kind} files in one, the second from byte {start} on; split them")
