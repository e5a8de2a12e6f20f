"""The synthetic speakers: an espeak-ng voice, an age, a level of English, and what a recording adds."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

# number, split, variant of espeak-ng's en-us voice, gender, age, level (0 near native to 3 beginner)
_TABLE = """
0001 train m1 m 31 0
0002 test m2 m 27 1
0003 train f1 f 24 0
0004 train klatt m 40 2
0005 test f2 f 33 2
0006 train m3 m 22 1
0007 train f3 f 10 3
0008 test klatt2 m 35 0
0009 train Andy m 29 2
0010 train m4 m 9 0
0011 train linda f 28 1
0012 test f4 f 8 3
0013 train klatt3 m 36 2
0014 train f5 f 26 1
0015 test m5 m 25 0
0016 train adam m 12 1
0017 train steph f 21 0
0018 train m6 m 38 3
0019 test Michael m 30 1
0020 train belinda f 11 1
0021 train m7 m 33 0
0022 test steph2 f 23 2
0023 train Denis m 27 3
0024 train Annie f 7 2
0025 test Gene m 11 0
0026 train david m 34 1
0027 train anika f 30 0
0028 train m8 m 28 3
0029 test paul m 37 3
0030 train steph3 f 22 1
0031 train Lee m 25 1
0032 test linda f 9 1
0033 test edward m 10 0
0034 train Mike m 32 2
0035 train f2 f 35 0
0036 test Alex m 29 1
0037 train rob m 24 1
"""


@dataclass(frozen=True)
class Speaker:
    """One synthetic speaker.

    `pitch` (0 to 99) and `speed` (words a minute) are espeak-ng's; `warp` scales all frequencies (over 1: a shorter
    vocal tract); `tilt` is the coefficient of a first-order filter, `level_db` the loudness (RMS, dB of full scale)
    and `snr_db` the distance of the added noise.
    """

    number: str
    split: Literal["train", "test"]
    variant: str
    gender: str
    age: int
    level: int
    pitch: int
    speed: int
    warp: float
    tilt: float
    level_db: float
    snr_db: float


def _speaker(line: str) -> Speaker:
    number, split, variant, gender, age, level = line.split()
    source = random.Random(f"phonobench synthetic speaker {number}")
    child = int(age) < 16
    low = (55 if gender == "f" else 30) + (15 if child else 0)
    return Speaker(
        number=number,
        split="train" if split == "train" else "test",
        variant=variant,
        gender=gender,
        age=int(age),
        level=int(level),
        pitch=source.randint(low, low + 22),
        speed=source.randint(150, 185) - 9 * int(level),
        warp=round(source.uniform(1.05, 1.16) if child else source.uniform(0.95, 1.06), 3),
        tilt=round(source.uniform(-0.2, 0.25), 3),
        level_db=round(source.uniform(-28, -18), 1),
        snr_db=round(source.uniform(26, 42), 1),
    )


SPEAKERS: tuple[Speaker, ...] = tuple(_speaker(line) for line in _TABLE.split("\n") if line)
