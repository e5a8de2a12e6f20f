"""Sound files as bytes, made with numpy and soundfile, and what recorders and copies do to them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import soundfile

RATE = 16_000


def noise(seconds: float = 2.0, rate: int = RATE, seed: int = 1) -> np.ndarray:
    """Samples of 16 bits that no two places share."""
    values = np.random.default_rng(seed).integers(-8_000, 8_000, int(seconds * rate))
    return values.astype(np.int16)


def encoded(samples: np.ndarray, format: str, subtype: str = "PCM_16", rate: int = RATE, **more: object) -> bytes:
    """The samples as a file of libsndfile."""
    made = io.BytesIO()
    soundfile.write(made, samples, rate, format=format, subtype=subtype, **more)
    return made.getvalue()


def saved(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def with_number(content: bytes, at: int, value: int, width: int = 4, order: str = "little") -> bytes:
    """The content with the number at `at` replaced."""
    number = (value & (1 << 8 * width) - 1).to_bytes(width, order)  # type: ignore[arg-type]
    return content[:at] + number + content[at + width :]


def behind(content: bytes, mark: bytes) -> int:
    """Where the bytes behind `mark` begin."""
    at = content.index(mark)
    return at + len(mark)


def wav(samples: np.ndarray, *, data: int | None = None, riff: int | None = None, after: bytes = b"") -> bytes:
    """A WAV file of 44 bytes and the samples, with the sizes that are named in place of the true ones."""
    sound = samples.astype("<i2").tobytes()
    format = b"".join(
        value.to_bytes(width, "little") for value, width in ((1, 2), (1, 2), (RATE, 4), (2 * RATE, 4), (2, 2), (16, 2))
    )
    whole = 36 + len(sound) + len(after) if riff is None else riff
    size = len(sound) if data is None else data
    head = b"RIFF" + whole.to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little") + format
    return head + b"data" + size.to_bytes(4, "little") + sound + after


def voc(samples: np.ndarray, blocks: int, end: bytes = b"\0") -> bytes:
    """A VOC file of several blocks, as ffmpeg writes them."""
    sound, made = samples.astype("<i2").tobytes(), b"Creative Voice File\x1a\x1a\0\x0a\x01\x29\x11"
    size = len(sound) // blocks // 2 * 2
    for start in range(0, len(sound), size):
        part = sound[start : start + size]
        if start == 0:
            part = RATE.to_bytes(4, "little") + b"\x10\x01\x04\0" + bytes(4) + part
        made += (b"\x02" if start else b"\x09") + len(part).to_bytes(3, "little") + part
    return made + end


def mp3(samples: np.ndarray, mode: str = "VARIABLE", rate: int = RATE) -> bytes:
    """An MP3 file as LAME writes it into a file that it can go back in: its first frame counts the others."""
    return encoded(samples, "MP3", "MPEG_LAYER_III", rate, bitrate_mode=mode, compression_level=0.5)


def mp3_in_wav(content: bytes) -> bytes:
    """MP3 frames in a WAV file, as ffmpeg puts them there."""
    fields = (0x55, 2), (1, 2), (RATE, 4), (4_000, 4), (1, 2), (0, 2), (12, 2), (1, 2), (2, 4), (576, 2), (1, 2), (0, 2)
    format = b"".join(value.to_bytes(width, "little") for value, width in fields)
    chunks = b"WAVEfmt " + len(format).to_bytes(4, "little") + format + b"data" + len(content).to_bytes(4, "little")
    return b"RIFF" + (len(chunks) + len(content)).to_bytes(4, "little") + chunks + content
