"""Sound files in: what they are is told from their bytes, and they are decoded to their end or refused by name."""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from phonobench.audio import decoding, kinds, media
from phonobench.audio.decoding import TooLongError
from phonobench.audio.kinds import Kind
from phonobench.audio.pieces import Content, UnsupportedError
from phonobench.audio.wave import LONGEST, Sound, sound
from phonobench.types import PhonobenchError

HEADERLESS = frozenset({".raw", ".pcm", ".sln", ".sw", ".s16", ".ul", ".al"})
"""Endings of samples without a header: nothing says their rate."""
_IN_MEMORY = 1 << 26
"""Bytes up to which a file is read at once; larger ones are mapped."""
_TAKEN = "WAV, FLAC, Ogg, MP3, AIFF, AU, CAF, W64 or VOC"


@dataclass(frozen=True)
class Info:
    """What a sound file holds. `samples` are counted per channel at the file's own `rate` (Hz)."""

    samples: int
    rate: int
    channels: int
    format: str

    @property
    def seconds(self) -> float:
        """Duration."""
        return self.samples / self.rate


def info(path: str | os.PathLike[str]) -> Info:
    """Length, rate, channels and format of a sound file.

    Only what libsndfile does not know (AAC, WebM, AMR) is decoded for it.

    Raises:
        PhonobenchError: as `read`.
    """
    path = _existing(path)
    content, kind = _content(path)
    with _named(path, kind):
        if kind.pieces is not None:
            with contextlib.suppress(UnsupportedError):
                found = decoding.header(kind.pieces(content))
                return Info(found.samples, found.rate, found.channels, f"{kind.name}/{found.subtype}")
        samples, rate = _by_media(path, content, kind, None)
        return Info(len(samples), rate, samples.shape[1], f"{kind.name}/MEDIA")


def read(path: str | os.PathLike[str], *, allow_long: bool = False) -> np.ndarray:
    """Wave of a sound file: (samples,) float32, mono, 16 kHz.

    Silence and clipping are no errors: ask `faults`.

    Args:
        path: The file. Its kind is told from its bytes.
        allow_long: Take more than LONGEST.

    Raises:
        PhonobenchError: A missing, empty, truncated, damaged or non-audio file, samples that are NaN or infinite,
            less than SHORTEST, more than LONGEST, or a rate below LOWEST_RATE.
    """
    return load(path, allow_long=allow_long).wave


def load(path: str | os.PathLike[str], *, allow_long: bool = False) -> Sound:
    """As `read`, with notes on the channels and on the band of frequencies."""
    path = _existing(path)
    content, kind = _content(path)
    limit = None if allow_long else LONGEST
    with _named(path, kind):
        try:
            if kind.pieces is None:
                raise UnsupportedError(kind.name)
            samples, rate = decoding.decode(kind.pieces(content), limit)
        except UnsupportedError:
            samples, rate = _by_media(path, content, kind, limit)
    return sound(samples, rate, source=str(path), allow_long=allow_long)


def _by_media(path: Path, content: Content, kind: Kind, limit: float | None) -> tuple[np.ndarray, int]:
    if kind.check is not None:
        kind.check(content)
    return media.decode(path, kind.demuxer, limit)


def _content(path: Path) -> tuple[Content, Kind]:
    """The bytes of a file and its kind."""
    try:
        with path.open("rb") as file:
            small = path.stat().st_size <= _IN_MEMORY
            content: Content = file.read() if small else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise PhonobenchError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    kind = kinds.of(content)
    if kind is not None:
        return content, kind
    if path.suffix.lower() in HEADERLESS:
        raise PhonobenchError(
            f"{path}: samples without a header, their rate is not known; convert it: "
            f"ffmpeg -f s16le -ar 16000 -ac 1 -i {_converted(path)} with its true format and rate"
        )
    raise PhonobenchError(f"{path}: not a readable sound file (format not recognised); give {_TAKEN}, or copy it again")


@contextlib.contextmanager
def _named(path: Path, kind: Kind) -> Iterator[None]:
    """Errors of what is done within name the file and its kind."""
    try:
        yield
    except TooLongError as error:
        raise PhonobenchError(
            f"{path}: {error.seconds:.1f} s long, the limit is {LONGEST:.0f} s; cut it into single sentences"
        ) from error
    except media.NoDecoderError as error:
        raise PhonobenchError(
            f"{path}: {kind.name} sound, and {error}; pip install 'phonobench[media]', or convert it: "
            f"ffmpeg -i {_converted(path)}"
        ) from error
    except PhonobenchError as error:
        message = str(error)
        remedy = f": ffmpeg -i {_converted(path)}" if message.endswith("convert it") else ""
        raise PhonobenchError(f"{path}: {message}{remedy}") from error
    except (IndexError, ValueError, OverflowError, ZeroDivisionError) as error:
        raise PhonobenchError(f"{path}: damaged {kind.name} header ({error}); copy it again") from error


def _converted(path: Path) -> str:
    return f"{shlex.quote(str(path))} {shlex.quote(str(path.with_suffix('.wav').name))}"


def _existing(path: str | os.PathLike[str]) -> Path:
    path = Path(path)
    try:
        path.stat()
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            raise PhonobenchError(f"{path}: no such file; check the path") from error
        raise PhonobenchError(f"{path}: cannot be read ({error.strerror}); check its name and permissions") from error
    if path.is_dir():
        raise PhonobenchError(f"{path}: a folder, not a sound file")
    if not path.is_file():
        raise PhonobenchError(f"{path}: not a regular file; save the sound in one first")
    if path.stat().st_size == 0:
        raise PhonobenchError(f"{path}: empty file (0 bytes); copy it again")
    return path
