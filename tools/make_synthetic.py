"""Generate the embedded synthetic corpus: `python tools/make_synthetic.py [FOLDER]`.

Needs espeak-ng and soundfile 0.13 or later. The same versions of espeak-ng, libsndfile and soxr give the same bytes;
labels depend on this code alone. The corpus is in the layout of SpeechOcean762, and one file is ours:
`resource/said-phone`, what each word was made to sound like.
"""

from __future__ import annotations

import argparse
import functools
import json
import random
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOOLS = Path(__file__).resolve().parent
sys.path.insert(0, str(TOOLS))

from synthetic_corpus import errors, prompts, raters, voice  # noqa: E402
from synthetic_corpus.speakers import SPEAKERS, Speaker  # noqa: E402

DEFAULT = TOOLS.parent / "src" / "phonobench" / "corpora" / "synthetic_data"
README = TOOLS / "synthetic_corpus" / "README-corpus.md"
TRAIN_SENTENCES, TEST_SENTENCES, SHARED = 120, 72, 24
"""Different sentences of each part; `SHARED` of those of test are also read in train."""
READ = {"train": 16, "test": 12}
"""Utterances of each speaker."""


@dataclass(frozen=True)
class Reading:
    """One utterance before it is heard: who says what of which sentence, and its simulated scores."""

    id: str
    speaker: Speaker
    number: int
    words: tuple[errors.SaidWord, ...]
    scores: raters.Scores


def readings(speaker: Speaker) -> list[Reading]:
    """All utterances of one speaker, sorted by id. They depend on no other speaker, and need no espeak-ng."""
    habit = errors.habits(speaker.number, speaker.level)
    result = []
    for number, sentence in _assigned(speaker):
        name = f"0{speaker.number}{number:04d}"
        words = errors.speak(speaker.number, habit, sentence, number)
        result.append(Reading(name, speaker, number, words, raters.rate(words, speaker.level, name)))
    return result


def sound(reading: Reading) -> bytes:
    """The Ogg Opus file of an utterance; needs espeak-ng."""
    return voice.encode(voice.wave(reading.speaker, reading.words, reading.number))


def write(folder: Path) -> None:
    """Write the whole corpus. What was in the folder is removed first, if it was such a corpus."""
    if folder.exists():
        if not (folder / "resource" / "said-phone").exists():
            raise SystemExit(f"{folder} exists and is no synthetic corpus; give another folder or remove it")
        shutil.rmtree(folder)
    everything = [reading for speaker in SPEAKERS for reading in readings(speaker)]
    for reading in everything:
        file = folder / _sound_path(reading)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(sound(reading))
    for name, text in files(everything):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    text = README.read_text(encoding="utf-8").replace("ESPEAK_VERSION", voice.version())
    (folder / "README.md").write_text(text, encoding="utf-8", newline="\n")


def files(everything: list[Reading]) -> Iterator[tuple[str, str]]:
    """Names and contents of all files but the sound and the README."""
    for split in ("train", "test"):
        part = [reading for reading in everything if reading.speaker.split == split]
        speakers = [speaker for speaker in SPEAKERS if speaker.split == split]
        spoken = {s.number: " ".join(r.id for r in part if r.speaker == s) for s in speakers}
        yield f"{split}/text", _table((r.id, " ".join(word.text for word in r.words)) for r in part)
        yield f"{split}/utt2spk", "".join(f"{r.id} {r.speaker.number}\n" for r in part)
        yield f"{split}/spk2utt", "".join(f"{number} {ids}\n" for number, ids in spoken.items())
        yield f"{split}/spk2age", _table((s.number, str(s.age)) for s in speakers)
        yield f"{split}/spk2gender", _table((s.number, s.gender) for s in speakers)
        yield f"{split}/wav.scp", _table((r.id, _sound_path(r)) for r in part)
    yield "resource/lexicon.txt", _table((word, " ".join(phones)) for word, phones in sorted(prompts.LEXICON.items()))
    words = [(f"{r.id}.{place}", word) for r in everything for place, word in enumerate(r.words)]
    yield "resource/text-phone", _table((name, _positions(prompts.LEXICON[word.text])) for name, word in words)
    yield "resource/said-phone", _table((name, " ".join(word.sounds()) or errors.DELETED) for name, word in words)
    yield "resource/scores.json", _json({r.id: r.scores.released for r in everything})
    yield "resource/scores-detail.json", _json({r.id: r.scores.detail for r in everything})


def _assigned(speaker: Speaker) -> list[tuple[int, str]]:
    """Numbers and texts of the sentences that a speaker reads: a shuffled deck, dealt out part by part."""
    numbered = _numbered()
    deck = list(numbered)[:TRAIN_SENTENCES]
    if speaker.split == "test":
        deck = deck[:: TRAIN_SENTENCES // SHARED] + list(numbered)[TRAIN_SENTENCES:]
    place = [s.number for s in SPEAKERS if s.split == speaker.split].index(speaker.number)
    start, count = place * READ[speaker.split], READ[speaker.split]
    dealt = [
        _shuffled(deck, speaker.split, index // len(deck))[index % len(deck)] for index in range(start, start + count)
    ]
    return [(number, numbered[number]) for number in sorted(set(dealt))]


@functools.cache
def _numbered() -> dict[int, str]:
    train = prompts.sentences(TRAIN_SENTENCES, "train")
    fresh = prompts.sentences(TEST_SENTENCES - SHARED, "test", frozenset(train))
    return dict(enumerate(train + fresh, start=1))


def _shuffled(deck: list[int], split: str, turn: int) -> list[int]:
    return random.Random(f"phonobench synthetic deck {split} {turn}").sample(deck, len(deck))


def _sound_path(reading: Reading) -> str:
    return f"WAVE/SPEAKER{reading.speaker.number}/{reading.id}.opus"


def _positions(phones: tuple[str, ...]) -> str:
    """`B_B IH0_I G_E`, or `AY0_S` for a word of one phone."""
    if len(phones) == 1:
        return f"{phones[0]}_S"
    return " ".join(f"{phone}_{mark}" for phone, mark in zip(phones, f"B{'I' * (len(phones) - 2)}E", strict=True))


def _table(rows: Any) -> str:
    return "".join(f"{key}\t{value}\n" for key, value in rows)


def _json(entries: dict[str, Any]) -> str:
    """One utterance a line, so that a difference can be read."""
    lines = (f'"{key}":{json.dumps(value, separators=(",", ":"))}' for key, value in entries.items())
    return "{" + ",\n".join(lines) + "}\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Generate the embedded synthetic corpus (needs espeak-ng).")
    parser.add_argument("folder", nargs="?", type=Path, default=DEFAULT)
    write(parser.parse_args().folder)
