"""Sound files in, float32 mono waves at 16 kHz out; every doubtful input ends in one clear error.

Conventions: a wave is one-dimensional float32, full scale is -1..1, 16 kHz. Integer samples are divided by their
full scale (int16 by 32,768), other rates are resampled by soxr (VHQ). `files` tells a file's kind from its bytes;
`riff`, `iff`, `au`, `caf`, `voc`, `sphere`, `mpeg`, `ogg` and `flac` find its samples whatever its header says of their
number; `decoding` (libsndfile) and `media` (PyAV, ffmpeg) decode; `wave` makes the wave.
"""

from phonobench.audio.files import HEADERLESS, Info, info, load, read
from phonobench.audio.wave import (
    CLIPPED_SHARE,
    FRAME,
    LONGEST,
    LOUDEST,
    LOWEST_RATE,
    SHORTEST,
    SILENT_PEAK,
    Note,
    Sound,
    faults,
    from_array,
    levelled,
    resample,
    sound,
)

__all__ = [
    "CLIPPED_SHARE",
    "FRAME",
    "HEADERLESS",
    "LONGEST",
    "LOUDEST",
    "LOWEST_RATE",
    "SHORTEST",
    "SILENT_PEAK",
    "Info",
    "Note",
    "Sound",
    "faults",
    "from_array",
    "info",
    "levelled",
    "load",
    "read",
    "resample",
    "sound",
]
