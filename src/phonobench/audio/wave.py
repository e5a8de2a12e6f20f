"""Samples of any usual type, rate and number of channels to one mono wave at 16 kHz, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import soxr

from phonobench.audio import bandwidth, channels
from phonobench.types import SAMPLE_RATE, PhonobenchError

LONGEST = 30.0
"""Seconds. The longest wave that `read` accepts by default: Whisper's window, and the models were trained on less."""
SHORTEST = 0.1
"""Seconds. Anything shorter is not speech, and too few frames for the convolutions of the encoders."""
LOUDEST = 4.0
"""Largest magnitude taken for a float file: decoders overshoot 1 a little; more means integers stored as floats."""
LOWEST_RATE = 6_000
"""Hz. A lower sampling rate leaves out what tells consonants apart."""
MOST_CHANNELS = 64
SILENT_PEAK = 10 ** (-60 / 20)
CLIPPED_SHARE = 0.002
FRAME = 320
"""Samples, 20 ms: over so much of a wave its level is measured."""

_FULL_SCALE = {"i": {1: 2.0**7, 2: 2.0**15, 4: 2.0**31}, "u": {1: 2.0**7}}


@dataclass(frozen=True)
class Note:
    """Something about the sound that lowers the trust in what is made of it."""

    code: Literal["channel", "bandwidth"]
    message: str


@dataclass(frozen=True, eq=False)
class Sound:
    """A float32 mono wave at 16 kHz, and what is to be known of how it came about."""

    wave: np.ndarray
    notes: tuple[Note, ...] = ()


def from_array(samples: np.ndarray, rate: int, *, source: str = "audio", allow_long: bool = False) -> np.ndarray:
    """Samples of any of the usual types -> (samples,) float32 mono wave at 16 kHz.

    Args:
        samples: (samples,) or (samples, channels), float in -1..1 or int8, uint8, int16, int32 at full scale. Channels
            that agree become their mean; where they do not, the one in which there is speech is taken.
        rate: Hz.
        source: What errors name.
        allow_long: Take more than LONGEST.

    Raises:
        PhonobenchError: Another shape or type, no samples, NaN, a rate below LOWEST_RATE, too short or too long.
    """
    return sound(samples, rate, source=source, allow_long=allow_long).wave


def sound(samples: np.ndarray, rate: int, *, source: str = "audio", allow_long: bool = False) -> Sound:
    """As `from_array`, with notes on the channels and on the band of frequencies."""
    samples = np.asarray(samples)
    if samples.ndim not in (1, 2) or (samples.ndim == 2 and samples.shape[1] > MOST_CHANNELS):
        raise PhonobenchError(f"{source}: shape {samples.shape} is not (samples,) or (samples, channels)")
    try:
        check_rate(rate)
    except PhonobenchError as error:
        raise PhonobenchError(f"{source}: {error}") from error
    if samples.size == 0:
        raise PhonobenchError(f"{source}: empty, it holds no samples; record it again")
    wave = _scaled(samples, source)
    if not np.isfinite(wave).all():
        count = int(np.count_nonzero(~np.isfinite(wave)))
        raise PhonobenchError(f"{source}: {count} of {wave.size} samples are NaN or infinite; export it again")
    peak = float(np.abs(wave).max())
    if peak > LOUDEST:
        raise PhonobenchError(f"{source}: float samples up to {peak:.0f}; scale them to -1..1 (int16 by 1/32768)")
    seconds = len(wave) / rate
    if seconds < SHORTEST:
        raise PhonobenchError(f"{source}: only {1000 * seconds:.0f} ms long; speech needs {SHORTEST} s or more")
    if seconds > LONGEST and not allow_long:
        raise PhonobenchError(f"{source}: {seconds:.1f} s long, the limit is {LONGEST:.0f} s; cut it into sentences")
    notes = []
    if wave.ndim == 2:
        wave, message = channels.mono(wave, rate)
        notes += [Note("channel", message)] if message else []
    wave = resample(wave, rate)
    message = bandwidth.lack(wave)
    notes += [Note("bandwidth", message)] if message else []
    return Sound(wave, tuple(notes))


def check_rate(rate: int) -> None:
    """Refuse a sampling rate that holds too little of the speech, or that no recorder has."""
    if not 1_000 <= rate <= 768_000:
        raise PhonobenchError(f"sample rate {rate} Hz is not one of speech; give the true rate of the samples")
    if rate < LOWEST_RATE:
        raise PhonobenchError(
            f"sample rate {rate} Hz, too little of the speech is there; record at 16000 Hz (8000 at least)"
        )


def resample(wave: np.ndarray, rate: int, to: int = SAMPLE_RATE) -> np.ndarray:
    """Mono float wave at `rate` Hz -> float32 wave at `to` Hz (soxr, very high quality, no shift in time)."""
    wave = np.ascontiguousarray(wave, dtype=np.float32)
    if wave.ndim != 1:
        raise PhonobenchError(f"resample takes a mono wave of shape (samples,), not {wave.shape}")
    return wave if rate == to else np.asarray(soxr.resample(wave, rate, to, quality="VHQ"), dtype=np.float32)


def levelled(wave: np.ndarray, level: float) -> np.ndarray:
    """The wave, louder or softer, so that its loud parts stand at `level` dBFS: 5 % of its 20 ms frames are louder.

    Not clipped: what stood above may pass full scale. Digital silence stays as it is.
    """
    size = min(FRAME, len(wave))
    frames = wave[: len(wave) // size * size].reshape(-1, size)
    loud = float(np.quantile(np.mean(frames.astype(np.float64) ** 2, axis=1), 0.95))
    return wave if loud == 0 else (wave * np.float32(10 ** (level / 20) / np.sqrt(loud))).astype(np.float32)


def faults(wave: np.ndarray) -> list[str]:
    """What is wrong with a float wave, in words; [] if nothing is. Any rate: only the amplitudes are looked at.

    Silent: no sample reaches -60 dBFS. Clipped: more than 0.2 % of the samples lie within 1 % of a peak that is
    itself near full scale (0.95 and above).
    """
    if wave.size == 0:
        return ["empty: no samples"]
    bad = int(np.count_nonzero(~np.isfinite(wave)))
    if bad:
        return [f"{bad} samples are NaN or infinite"]
    magnitude = np.abs(wave)
    peak = float(magnitude.max())
    if peak < SILENT_PEAK:
        return ["silent: no sample reaches -60 dBFS"]
    at_peak = float(np.mean(magnitude >= 0.99 * peak))
    if peak >= 0.95 and at_peak > CLIPPED_SHARE:
        return [f"clipped: {100 * at_peak:.1f} % of the samples lie at the peak"]
    return []


def _scaled(samples: np.ndarray, source: str) -> np.ndarray:
    kind, size = samples.dtype.kind, samples.dtype.itemsize
    if kind == "f":
        return samples.astype(np.float32, copy=False)
    if size not in _FULL_SCALE.get(kind, {}):
        raise PhonobenchError(f"{source}: samples of type {samples.dtype}; give float, int16, int32 or uint8")
    centre = 128.0 if kind == "u" else 0.0
    return ((samples.astype(np.float64) - centre) / _FULL_SCALE[kind][size]).astype(np.float32)
