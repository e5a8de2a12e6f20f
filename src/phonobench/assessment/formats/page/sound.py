"""Sound for a page: a file as a browser plays it, in base64, and the outline of its wave."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from phonobench import audio
from phonobench.types import SAMPLE_RATE

_PLAYED = {"OGG/OPUS": "audio/ogg", "OGG/VORBIS": "audio/ogg", "FLAC": "audio/flac", "MP3": "audio/mpeg"}
"""Formats (as `audio.info` names them) that browsers play and that are small already."""

PEAKS_PER_SECOND = 100


@dataclass(frozen=True)
class Sound:
    """An utterance's sound: its type, its bytes in base64, its length in seconds, its peaks as digits 0 to 9."""

    mime: str
    data: str
    seconds: float
    peaks: str


def playable(path: Path) -> tuple[str, bytes]:
    """Media type and bytes of a sound file: the file itself where browsers play it, else Ogg/Opus made of it."""
    kind = audio.info(path).format
    mime = _PLAYED.get(kind) or _PLAYED.get(kind.split("/")[0])
    if mime:
        return mime, path.read_bytes()
    made = io.BytesIO()
    soundfile.write(made, audio.read(path), SAMPLE_RATE, format="OGG", subtype="OPUS")
    return "audio/ogg", made.getvalue()


def embed(path: Path) -> Sound:
    """Reads a sound file for the page. Raises PhonobenchError where it cannot be decoded."""
    mime, content = playable(path)
    wave = audio.read(path)
    return Sound(mime, base64.b64encode(content).decode("ascii"), len(wave) / SAMPLE_RATE, outline(wave))


def outline(wave: np.ndarray) -> str:
    """One digit for each 10 ms: the peak magnitude relative to the loudest, 0 to 9."""
    size = SAMPLE_RATE // PEAKS_PER_SECOND
    padded = np.pad(np.abs(wave), (0, -len(wave) % size))
    peaks = padded.reshape(-1, size).max(axis=1)
    top = float(peaks.max()) or 1.0
    return "".join(str(round(9 * float(peak) / top)) for peak in peaks)
