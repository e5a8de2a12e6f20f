"""Sound files in, float32 mono waves at 16 kHz out; every doubtful input ends in one clear error.

Conventions: a wave is one-dimensional float32, full scale is -1..1, 16 kHz. Integer samples are divided by their
full scale (int16 by 32,768), several channels become their mean, other rates are resampled by soxr (VHQ).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from phonobench.types import SAMPLE_RATE, PhonobenchError

LONGEST = 30.0
"""Seconds. The longest wave that `read` accepts by default: Whisper's window, and the models were trained on less."""
SHORTEST = 0.1
"""Seconds. Anything shorter is not speech, and too few frames for the convolutions of the encoders."""
LOUDEST = 4.0
"""Largest magnitude taken for a float file: decoders overshoot 1 a little; more means integers stored as floats."""
SILENT_PEAK = 10 ** (-60 / 20)
CLIPPED_SHARE = 0.002
FRAME = 320
"""Samples, 20 ms: over so much of a wave its level is measured."""

_FULL_SCALE = {"i": {1: 2.0**7, 2: 2.0**15, 4: 2.0**31}, "u": {1: 2.0**7}}
_OGG_TAIL = 66_000  # bytes: an Ogg page is at most 65,307 long


@dataclass(frozen=True)
class Info:
    """What the header of a sound file says. `samples` are counted per channel at the file's own `rate` (Hz)."""

    samples: int
    rate: int
    channels: int
    format: str

    @property
    def seconds(self) -> float:
        """Duration."""
        return self.samples / self.rate


def info(path: str | os.PathLike[str]) -> Info:
    """Header of a sound file, without decoding it. Raises PhonobenchError where there is none."""
    path = _existing(path)
    try:
        header = soundfile.info(str(path))
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise PhonobenchError(
            f"{path}: not a readable sound file ({_reason(error)}); give WAV, FLAC, Ogg/Opus or MP3, or copy it again"
        ) from error
    return Info(header.frames, header.samplerate, header.channels, f"{header.format}/{header.subtype}")


def read(path: str | os.PathLike[str], *, allow_long: bool = False) -> np.ndarray:
    """Wave of a sound file: (samples,) float32, mono, 16 kHz.

    Several channels are averaged. Raises PhonobenchError for a missing, empty, truncated, damaged or non-audio
    file, for NaN or infinite samples, for one shorter than SHORTEST, and unless `allow_long` longer than LONGEST.
    Silence and clipping are no errors: ask `faults`.
    """
    path = _existing(path)
    header = info(path)
    if header.samples > 0 and header.seconds > LONGEST and not allow_long:
        raise PhonobenchError(
            f"{path}: {header.seconds:.1f} s long, the limit is {LONGEST:.0f} s; cut it into single sentences"
        )
    _refuse_cut_container(path, header)
    try:
        samples, rate = soundfile.read(str(path), dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise PhonobenchError(f"{path}: damaged audio ({_reason(error)}); copy or download it again") from error
    if len(samples) != header.samples:
        raise PhonobenchError(
            f"{path}: truncated audio, {len(samples)} of {header.samples} samples could be decoded; copy it again"
        )
    return from_array(samples, rate, source=str(path), allow_long=allow_long)


def from_array(samples: np.ndarray, rate: int, *, source: str = "audio", allow_long: bool = False) -> np.ndarray:
    """Samples of any of the usual types -> (samples,) float32 mono wave at 16 kHz.

    `samples`: (samples,) or (samples, channels), float in -1..1 or int8, uint8, int16, int32 at full scale; `rate`
    in Hz; `source` names the culprit in errors. Raises PhonobenchError as `read` does.
    """
    samples = np.asarray(samples)
    if samples.ndim not in (1, 2) or (samples.ndim == 2 and samples.shape[1] > 64):
        raise PhonobenchError(f"{source}: shape {samples.shape} is not (samples,) or (samples, channels)")
    if not 1_000 <= rate <= 768_000:
        raise PhonobenchError(
            f"{source}: sample rate {rate} Hz is not one of speech; give the true rate of the samples"
        )
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
    if wave.ndim == 2:
        wave = wave.mean(axis=1)
    return resample(wave, rate)


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


def _existing(path: str | os.PathLike[str]) -> Path:
    path = Path(path)
    if not path.exists():
        raise PhonobenchError(f"{path}: no such file; check the path")
    if path.is_dir():
        raise PhonobenchError(f"{path}: a folder, not a sound file")
    if path.stat().st_size == 0:
        raise PhonobenchError(f"{path}: empty file (0 bytes); copy it again")
    return path


def _reason(error: Exception) -> str:
    return (getattr(error, "error_string", "") or str(error)).strip().rstrip(".")


def _refuse_cut_container(path: Path, header: Info) -> None:
    """libsndfile reads a file that was cut short as if it were whole; the containers know better."""
    if header.format.startswith("OGG"):
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _OGG_TAIL))
            tail = file.read()
        if not _ends_with_last_ogg_page(tail):
            raise PhonobenchError(f"{path}: truncated Ogg file, its last page is missing; copy it again")
    elif header.format.startswith("WAV"):
        declared, present = _wav_data_bytes(path)
        if present < declared:
            raise PhonobenchError(
                f"{path}: truncated WAV file, {present} of {declared} bytes of samples are there; copy it again"
            )


def _ends_with_last_ogg_page(tail: bytes) -> bool:
    """Whether the last page is whole and bears the end-of-stream flag (RFC 3533, section 6)."""
    start = tail.rfind(b"OggS")
    if start < 0 or start + 27 > len(tail):
        return False
    segments = tail[start + 26]
    table = tail[start + 27 : start + 27 + segments]
    return bool(tail[start + 5] & 4) and len(table) == segments and len(tail) == start + 27 + segments + sum(table)


def _wav_data_bytes(path: Path) -> tuple[int, int]:
    """Bytes of samples that the `data` chunk of a RIFF file declares, and bytes that follow its header.

    (0, 0) where there is nothing to compare: no data chunk, or a streamed file that declares no length.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(4) != b"RIFF":
            return 0, 0
        file.seek(12)
        while len(head := file.read(8)) == 8:
            length = int.from_bytes(head[4:], "little")
            if head[:4] == b"data":
                return (0, 0) if length == 0xFFFFFFFF else (length, size - file.tell())
            file.seek(length + length % 2, os.SEEK_CUR)
    return 0, 0
