"""Sound from said symbols: espeak-ng with phoneme input, checked by the IPA that it prints back, then a recording.

Only the generator needs espeak-ng (the program). Waves are float64 mono.
"""

from __future__ import annotations

import io
import itertools
import subprocess
import tempfile
import zlib
from pathlib import Path

import numpy as np
import soundfile
import soxr

from synthetic_corpus import ogg
from synthetic_corpus.errors import DELETED, SaidWord
from synthetic_corpus.prompts import LEXICON, UNSTRESSED, VOWELS
from synthetic_corpus.speakers import Speaker

RATE = 16_000
COMPRESSION = 0.96
"""libsndfile's level for Opus: about 18 kbit/s."""

MNEMONICS: dict[str, str] = {
    "AA": "A:", "AE": "a", "AH": "V", "AO": "O:", "AW": "aU", "AY": "aI", "B": "b", "CH": "tS", "D": "d", "DH": "D",
    "EH": "E", "ER": "3:", "EY": "eI", "F": "f", "G": "g", "HH": "h", "IH": "I", "IY": "i:", "JH": "dZ", "K": "k",
    "L": "l", "M": "m", "N": "n", "NG": "N", "OW": "oU", "OY": "OI", "P": "p", "R": "r", "S": "s", "SH": "S",
    "T": "t", "TH": "T", "UH": "U", "UW": "u:", "V": "v", "W": "w", "Y": "j", "Z": "z", "ZH": "Z",
    # Distorted, as Mandarin speakers do it: [x] for h, alveolo-palatals, a retroflex fricative for r, monophthongs.
    "HH*": "x", "SH*": "S;", "CH*": "tS;", "JH*": "dZ;", "R*": "z.", "EY*": "e:", "OW*": "o:",
}  # fmt: skip
WEAK = {"AH": "@", "ER": "3", "IY": "i"}
"""Mnemonics in an unstressed syllable."""
WITH_R = {"AA": "A@", "AO": "O@", "EH": "e@", "IH": "i@3", "UH": "U@"}
"""Mnemonics of a vowel and the R after it, which the American voice speaks as one."""

IPA: dict[str, tuple[str, ...]] = {
    "ɑː": ("AA",), "æ": ("AE",), "ʌ": ("AH",), "ə": ("AH",), "ɔː": ("AO",), "aʊ": ("AW",), "aɪ": ("AY",), "b": ("B",),
    "tʃ": ("CH",), "d": ("D",), "ð": ("DH",), "ɛ": ("EH",), "ɜː": ("ER",), "ɚ": ("ER",), "eɪ": ("EY",), "f": ("F",),
    "ɡ": ("G",), "h": ("HH",), "ɪ": ("IH",), "ᵻ": ("IH",), "iː": ("IY",), "i": ("IY",), "dʒ": ("JH",), "k": ("K",),
    "l": ("L",), "m": ("M",), "n": ("N",), "ŋ": ("NG",), "oʊ": ("OW",),
    "ɔɪ": ("OY",), "p": ("P",), "ɹ": ("R",), "s": ("S",),
    "ʃ": ("SH",), "t": ("T",), "θ": ("TH",), "ʊ": ("UH",), "uː": ("UW",), "v": ("V",), "w": ("W",), "j": ("Y",),
    "z": ("Z",), "ʒ": ("ZH",), "x": ("HH*",), "ɕ": ("SH*",), "tɕ": ("CH*",), "dʑ": ("JH*",), "ʐ": ("R*",),
    "eː": ("EY*",), "oː": ("OW*",), "ɑːɹ": ("AA", "R"), "ɔːɹ": ("AO", "R"), "ɛɹ": ("EH", "R"), "ɪɹ": ("IH", "R"),
    "ʊɹ": ("UH", "R"),
    "ɾ": ("T",),  # a T between vowels is tapped, as Americans do
}  # fmt: skip


def wave(speaker: Speaker, words: tuple[SaidWord, ...], number: int) -> np.ndarray:
    """The recording of an utterance at 16 kHz.

    Raises ValueError if espeak-ng says other phones than it was told, and CalledProcessError if it fails.
    """
    sound, rate = _espeak(speaker, words)
    # Played faster by `warp` (all frequencies up), after speaking slower by it.
    sound = soxr.resample(sound, rate * speaker.warp, RATE)
    sound = np.append(sound[:1], sound[1:] - speaker.tilt * sound[:-1])
    noise = np.random.default_rng(zlib.crc32(f"{speaker.number} {number}".encode()))
    before, after = noise.integers(800, 3200, size=2)
    sound = np.concatenate([np.zeros(before), sound, np.zeros(after)])
    loud = float(np.sqrt(np.mean(sound**2)))
    sound = sound + noise.standard_normal(len(sound)) * loud * 10 ** (-speaker.snr_db / 20)
    gain = 10 ** ((speaker.level_db + noise.uniform(-1.5, 1.5)) / 20) / loud
    return sound * min(gain, 0.97 / float(np.abs(sound).max()))


def encode(sound: np.ndarray) -> bytes:
    """An Ogg Opus file of a 16 kHz wave, the same bytes for the same wave and library."""
    file = io.BytesIO()
    soundfile.write(file, sound, RATE, format="OGG", subtype="OPUS", compression_level=COMPRESSION)
    return ogg.settled(file.getvalue())


def version() -> str:
    """The version of espeak-ng on this machine; raises FileNotFoundError where there is none."""
    answer = subprocess.run(["espeak-ng", "--version"], capture_output=True, text=True, check=True).stdout
    return answer.split(":")[1].split()[0]


def mnemonics(words: tuple[SaidWord, ...]) -> str:
    """The words as phoneme input of espeak-ng, without its brackets."""
    parts = []
    for place, word in enumerate(words):
        if word.omitted:
            continue
        following = next((later.sounds()[0] for later in words[place + 1 :] if not later.omitted), "")
        parts.append("|".join(_word_mnemonics(word, "" if word.pause else following)))
        if word.pause:
            parts.append("_:_:_:")
    return " ".join(parts)


def _word_mnemonics(word: SaidWord, following: str) -> list[str]:
    """Mnemonics of one word; `following` is the first sound of the next word, empty before a pause."""
    sounds, stressed = word.sounds(), _stressed(word)
    parts: list[str] = []
    for place, (before, symbol, after) in enumerate(
        zip(("", *sounds[:-1]), sounds, (*sounds[1:], following), strict=True)
    ):
        last = place + 1 == len(sounds)
        if symbol == "R" and before in WITH_R and (last or after not in VOWELS):
            parts[-1] = parts[-1].replace(MNEMONICS[before], WITH_R[before])
            continue
        weak = place not in stressed
        if weak and last and symbol == "IH":
            mnemonic = "I#"  # a plain unstressed I at the end of a word would become IY
        elif weak and not (symbol == "AH" and after == "R"):  # a schwa before r would become ER
            mnemonic = WEAK.get(symbol, MNEMONICS[symbol])
        else:
            mnemonic = MNEMONICS[symbol]
        parts.append(mnemonic if weak else f"'{mnemonic}")
    return parts


def _stressed(word: SaidWord) -> frozenset[int]:
    """Places among the sounds of the vowels that carry primary stress: one, or none in a function word."""
    if word.text in UNSTRESSED:
        return frozenset()
    kept = [(phone, said) for phone, said in zip(LEXICON[word.text], word.said, strict=True) if said != DELETED]
    vowels = [place for place, (_, said) in enumerate(kept) if said.rstrip("*") in VOWELS]
    if len(vowels) < 2:
        return frozenset(vowels)
    canonical = [kept[place][0].endswith("1") for place in vowels]
    first = canonical.index(True) if True in canonical else 0
    return frozenset({vowels[(first + 1) % len(vowels)] if word.stress_moved else vowels[first]})


def _espeak(speaker: Speaker, words: tuple[SaidWord, ...]) -> tuple[np.ndarray, int]:
    text = f"[[{mnemonics(words)}]]"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "said.wav"
        command = ["espeak-ng", "-v", f"en-us+{speaker.variant}", "-p", str(speaker.pitch), "--ipa", "--sep=_"]
        command += ["-s", str(round(speaker.speed / speaker.warp)), "-w", str(file), text]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        sound, rate = soundfile.read(file)
    told = tuple(symbol for word in words for symbol in word.sounds())
    spoken = heard(printed)
    if _without_linking_r(spoken) != _without_linking_r(told):
        raise ValueError(
            f"espeak-ng was told {text} = {' '.join(told)} but says {' '.join(spoken)} ({printed.strip()})"
        )
    return sound, rate


def heard(printed: str) -> tuple[str, ...]:
    """Said symbols out of the IPA that espeak-ng prints with `--ipa --sep=_`. Raises KeyError on a sound not known."""
    sounds = printed.replace("_", " ").translate({ord(mark): None for mark in "ˈˌ"}).split()
    return tuple(symbol for sound in sounds for symbol in IPA[sound])


def _without_linking_r(symbols: tuple[str, ...]) -> list[str]:
    """An R right after ER or R is one glide into the next vowel, no phone of its own (GARAGE: G ER AA ZH)."""
    pairs = itertools.pairwise(("", *symbols))
    return [symbol for before, symbol in pairs if (before, symbol) not in _LINKING]


_LINKING = {("ER", "R"), ("R", "R")}
