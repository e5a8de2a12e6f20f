"""What libsndfile does not decode (AAC, Opus in WebM, AMR, WMA), by PyAV where it is installed, else by `ffmpeg`.

The demuxer is fixed by the first bytes of the file: no playlist, no other file and no network is followed.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np

from phonobench.audio import au, decoding
from phonobench.types import PhonobenchError

_SHORT = 0.1, 0.03
"""Seconds, or share of its duration, that may be missing from what a container announces: encoders pad."""
_GUESSED = ("aac", "amr")
"""Containers without a duration: what ffmpeg announces is a guess from the bit rate."""
_PATIENCE = 120.0
"""Seconds after which an `ffmpeg` is ended."""


class NoDecoderError(PhonobenchError):
    """Neither PyAV nor ffmpeg is there."""


def decoders() -> list[str]:
    """Name and version of what can be used here, best first."""
    found = []
    if importlib.util.find_spec("av") is not None:
        found.append(f"PyAV {importlib.metadata.version('av')}")
    if (program := shutil.which("ffmpeg")) is not None:
        found.append(program)
    return found


def decode(path: Path, demuxer: str, limit: float | None) -> tuple[np.ndarray, int]:
    """All samples (samples, channels) of the first sound track, float32, and their rate.

    Args:
        path: The file.
        demuxer: What ffmpeg calls the container.
        limit: Seconds after which decoding stops; None for none.

    Raises:
        NoDecoderError: There is no decoder here.
        TooLongError: There are more seconds than `limit`.
        PhonobenchError: It cannot be decoded, or ends before the duration that it announces.
    """
    if importlib.util.find_spec("av") is not None:
        samples, rate, announced = _by_av(path, demuxer, limit)
    elif (program := shutil.which("ffmpeg")) is not None:
        samples, rate, announced = _by_ffmpeg(program, path, demuxer, limit)
    else:
        raise NoDecoderError("no decoder for it is here")
    seconds = len(samples) / rate
    if limit is not None and seconds > limit:
        raise decoding.TooLongError(max(seconds, announced or 0.0))
    absolute, relative = _SHORT
    if announced is not None and demuxer not in _GUESSED:
        missing = announced - seconds
        if missing > absolute + relative * announced:
            share = 100 * missing / announced
            raise PhonobenchError(f"truncated audio, {share:.0f} % of {announced:.1f} s is missing; copy it again")
    return samples, rate


def _by_av(path: Path, demuxer: str, limit: float | None) -> tuple[np.ndarray, int, float | None]:
    import av

    parts: list[np.ndarray] = []
    samples = 0
    try:
        with path.open("rb") as file, av.open(file, format=demuxer, metadata_errors="replace") as container:
            if not container.streams.audio:
                raise PhonobenchError("no sound in it")
            stream = container.streams.audio[0]
            announced = container.duration / av.time_base if container.duration else None
            if stream.duration and stream.time_base:
                announced = float(stream.duration * stream.time_base)
            resampler = None
            rate = 0
            for frame in container.decode(stream):
                if resampler is None:
                    rate = frame.sample_rate
                    resampler = av.AudioResampler(format="fltp", layout=frame.layout, rate=rate)
                for made in resampler.resample(frame):
                    parts.append(made.to_ndarray().T)
                    samples += len(parts[-1])
                if limit is not None and samples > (limit + 1) * rate:
                    break
            else:
                parts += [made.to_ndarray().T for made in (resampler.resample(None) if resampler else ())]
    except (av.error.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise PhonobenchError(f"damaged audio ({reason}); copy or download it again") from error
    if not parts:
        raise PhonobenchError("empty, it holds no samples; record it again")
    return np.concatenate(parts).astype(np.float32, copy=False), rate, announced


def _by_ffmpeg(program: str, path: Path, demuxer: str, limit: float | None) -> tuple[np.ndarray, int, float | None]:
    command = [program, "-nostdin", "-hide_banner", "-v", "info", "-xerror", "-protocol_whitelist", "file,pipe"]
    command += ["-f", demuxer, "-i", f"file:{path}", "-map", "0:a:0", *(["-t", f"{limit + 1}"] if limit else [])]
    command += ["-map_metadata", "-1", "-c:a", "pcm_f32be", "-f", "au", "pipe:1"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PhonobenchError(f"{program} did not decode it ({error}); convert it") from error
    log = done.stderr.decode(errors="replace")
    if done.returncode:
        raise PhonobenchError(f"damaged audio ({log.strip().splitlines()[-1][:200]}); copy or download it again")
    samples, rate = decoding.decode(au.au(done.stdout), None)
    found = re.search(r"Duration: (\d+):(\d+):([\d.]+)", log)
    announced = None if found is None else int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3])
    return samples, rate, announced
