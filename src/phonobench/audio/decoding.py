"""Pieces to samples by libsndfile, no more than are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import soundfile

from phonobench.audio.pieces import Piece, UnsupportedError
from phonobench.audio.wave import MOST_CHANNELS, check_rate
from phonobench.types import PhonobenchError


class TooLongError(PhonobenchError):
    """More seconds than are wanted; `seconds` of them, or more."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:.1f} s long")
        self.seconds = seconds


@dataclass(frozen=True)
class Header:
    """What libsndfile says of pieces before it decodes them."""

    samples: int
    rate: int
    channels: int
    subtype: str


def header(pieces: Sequence[Piece]) -> Header:
    """Length, rate, channels and coding of all pieces together.

    Raises:
        PhonobenchError: They are not alike, or a piece is none of libsndfile's.
        UnsupportedError: libsndfile has no decoder for the coding.
    """
    found = [_header(one) for one in pieces]
    if not found:
        raise PhonobenchError("empty, it holds no samples; record it again")
    first = found[0]
    if any((one.rate, one.channels) != (first.rate, first.channels) for one in found):
        raise PhonobenchError("its parts have different rates or channels; convert it")
    return Header(sum(one.samples for one in found), first.rate, first.channels, first.subtype)


def _header(piece: Piece) -> Header:
    with _opened(piece) as file:
        return Header(file.frames, file.samplerate, file.channels, file.subtype)


def decode(pieces: Sequence[Piece], limit: float | None) -> tuple[np.ndarray, int]:
    """All samples (samples, channels), float32, and their rate.

    Raises:
        TooLongError: More than `limit` seconds.
        PhonobenchError: A piece is damaged, or has fewer samples than it announces.
    """
    if len(pieces) != 1:
        together = header(pieces)
        _check(together.samples, together.rate, together.channels, limit)
    decoded = [_decode(one, limit) for one in pieces]
    return np.concatenate([samples for samples, _ in decoded]), decoded[0][1]


def _decode(piece: Piece, limit: float | None) -> tuple[np.ndarray, int]:
    """All samples in one go: between two reads soundfile seeks, and a gap in an Ogg file would not be noticed."""
    with _opened(piece) as file:
        _check(file.frames, file.samplerate, file.channels, limit)
        expected = file.frames if piece.samples is None else piece.samples
        try:
            samples: np.ndarray = file.read(dtype="float32", always_2d=True)
        except MemoryError as error:
            raise PhonobenchError(f"{file.frames} samples are more than fit into memory; cut it") from error
        except (soundfile.LibsndfileError, RuntimeError) as error:
            raise PhonobenchError(f"damaged audio ({reason(error)}); copy or download it again") from error
        if len(samples) < expected:
            raise PhonobenchError(
                f"truncated audio, {len(samples)} of {expected} samples could be decoded; copy it again"
            )
        return samples, file.samplerate


def _check(samples: int, rate: int, channels: int, limit: float | None) -> None:
    """Refuses, before anything is decoded, what is no speech or more than is wanted."""
    check_rate(rate)
    if channels > MOST_CHANNELS:
        raise PhonobenchError(f"{channels} channels; give at most {MOST_CHANNELS}")
    if limit is not None and samples > limit * rate:
        raise TooLongError(samples / rate)


def _opened(piece: Piece) -> soundfile.SoundFile:
    try:
        return soundfile.SoundFile(piece.open())
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise UnsupportedError(f"libsndfile does not decode it ({reason(error)})") from error


def reason(error: Exception) -> str:
    """What libsndfile says, without the name that it gives to bytes in memory."""
    return (getattr(error, "error_string", "") or str(error)).strip().rstrip(".")
