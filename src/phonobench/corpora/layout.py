"""Reader of the SpeechOcean762 layout: Kaldi data folders `train/` and `test/`, `resource/`, sound files.

It knows the files and their cross-checks, not a corpus: what a corpus must contain is a `Specification`. Sound
files may have any extension that `audio.read` takes; `wav.scp` names them relative to the root.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from phonobench.corpora import labels
from phonobench.corpora.specification import Counts, Specification, count
from phonobench.types import SPLITS, Corpus, PhonobenchError, Split, Utterance

SCORES = "resource/scores.json"
DEV_EVERY = 5
_MARKS = (SCORES, "train/wav.scp", "test/wav.scp")


def is_corpus(root: Path) -> bool:
    """Whether a folder looks like this layout (it may still be damaged)."""
    return all((root / name).exists() for name in _MARKS)


def read(root: Path, specification: Specification, *, counted: bool = True, limit: int | None = None) -> Corpus:
    """Read and check a corpus. No audio is opened, but each file must exist and hold something.

    Dev: every fifth train speaker, `sorted(train speakers)[::5]`, so the first, sixth, eleventh...: 25 of 125 in
    SpeechOcean762 (500 utterances). The choice is fixed and depends on nothing but the speakers' names.

    `counted=False` (a part of a corpus) leaves the counts unasserted. `limit` keeps, after all checks, only the
    first so many utterances by id of each of train, dev and test. Raises PhonobenchError for whatever is wrong.
    """
    root = Path(root)
    missing = [name for name in _MARKS if not (root / name).exists()]
    if missing:
        what = f"lacks {missing[0]}" if root.is_dir() else "is no folder"
        raise PhonobenchError(
            f"{root} is not a corpus in the SpeechOcean762 layout: it {what}; give the folder that holds train/, "
            "test/, resource/ and WAVE/"
        )
    scores = load_json(root / SCORES)
    train, test = ([*_utterances(root, folder, scores)] for folder in ("train", "test"))
    _refuse_overlap(root, train, test)
    if counted and specification.expected is not None:
        _assert_counts(root / "train", count(train), specification.expected.train)
        _assert_counts(root / "test", count(test), specification.expected.test)
    dev = set(dev_speakers(u.speaker for u in train))
    train = [replace(u, split="dev") if u.speaker in dev else u for u in train]
    utterances = sorted(train + test, key=lambda u: u.id)
    if limit is not None:
        utterances = _limited(utterances, limit)
    return Corpus(specification.name, root, tuple(utterances), fingerprint(root, utterances), specification.synthetic)


def dev_speakers(train_speakers: Iterable[str]) -> list[str]:
    """Every fifth of the sorted train speakers, beginning with the first."""
    return sorted(set(train_speakers))[::DEV_EVERY]


def fingerprint(root: Path, utterances: Iterable[Utterance]) -> str:
    """sha256 (hex) over every label and over the names and sizes of the sound files, in the order of the ids.

    Names are relative to the root, so that it is the same on every machine. The sound itself is not hashed
    (0.6 GB in the official release): a change of audio that keeps a file's size goes unseen here, and is for
    `check_audio` to find. Two releases with the same labels but other sound files (WAV, Opus) differ.
    """
    digest = hashlib.sha256()
    for u in utterances:
        prompt = [[word.text, *word.phones] for word in u.prompt.words]
        j = u.judgement
        sentence = (j.accuracy, j.fluency, j.prosodic, j.total, j.completeness)
        words = (j.word_accuracy, j.word_stress, j.word_total)
        judgement = [_without_nan(value) for value in (sentence, words, j.phone_accuracy, j.perceived)]
        sound = [u.audio.relative_to(root).as_posix(), u.audio.stat().st_size]
        row = [u.id, u.speaker, u.split, u.age, u.gender, prompt, *judgement, *sound]
        digest.update(json.dumps(row, separators=(",", ":"), allow_nan=False).encode() + b"\n")
    return digest.hexdigest()


def read_table(path: Path) -> dict[str, str]:
    """A Kaldi text file as {key: rest of the line}. Raises for a missing file, a bare key, a key that recurs."""
    table: dict[str, str] = {}
    for number, line in read_lines(path):
        key, *rest = line.split(maxsplit=1)
        if not rest or key in table:
            fault = "stands twice" if rest else "has no value"
            raise PhonobenchError(f"{path}, line {number}: {key!r} {fault}; copy the corpus again")
        table[key] = rest[0].strip()
    return table


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a text file that hold something, with their numbers from 1."""
    return ((number, line) for number, line in enumerate(_text(path).splitlines(), start=1) if line.strip())


def load_json(path: Path) -> Mapping[str, Any]:
    """A JSON file that holds one object keyed by utterance. Raises for a missing, truncated or other file."""
    try:
        content = json.loads(_text(path))
    except json.JSONDecodeError as error:
        raise PhonobenchError(f"{path}: truncated or damaged JSON ({error}); copy the file again") from error
    if not isinstance(content, dict):
        raise PhonobenchError(f"{path}: not a table of utterances; copy the file again")
    return content


def _utterances(root: Path, folder: str, scores: Mapping[str, Any]) -> Iterator[Utterance]:
    """The utterances that `folder/wav.scp` lists; those that only other files know are refused too."""
    sounds, speakers, texts, ages, genders = (
        read_table(root / folder / name) for name in ("wav.scp", "utt2spk", "text", "spk2age", "spk2gender")
    )
    for name, table in (("utt2spk", speakers), ("text", texts)):
        if stray := sorted(sounds.keys() ^ table.keys()):
            raise PhonobenchError(
                f"{root / folder}: wav.scp and {name} do not list the same utterances, {stray[0]} is in one only "
                f"({len(stray)} such); copy the corpus again"
            )
    split: Split = "train" if folder == "train" else "test"
    for uid in sorted(sounds):
        speaker = speakers[uid]
        for name, table in (("spk2age", ages), ("spk2gender", genders)):
            if speaker not in table:
                raise PhonobenchError(f"{root / folder / name} lacks speaker {speaker}; copy the corpus again")
        if uid not in scores:
            raise PhonobenchError(f"{root / SCORES} has no scores for utterance {uid} of {folder}; copy it again")
        if not ages[speaker].isdigit():
            raise PhonobenchError(f"{root / folder}/spk2age: age {ages[speaker]!r} of speaker {speaker} is no number")
        prompt, judgement = labels.parse(f"{root / SCORES}, utterance {uid}", scores[uid], texts[uid])
        sound = _sound_file(root, folder, uid, sounds[uid])
        yield Utterance(uid, speaker, split, sound, prompt, judgement, int(ages[speaker]), genders[speaker])


def _sound_file(root: Path, folder: str, uid: str, name: str) -> Path:
    path = root / name
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise PhonobenchError(f"{root / folder}/wav.scp: {name!r} (utterance {uid}) does not lie in the corpus")
    if not path.is_file():
        raise PhonobenchError(f"{path} is missing (utterance {uid} of {folder}/wav.scp); copy WAVE/ again")
    if path.stat().st_size == 0:
        raise PhonobenchError(f"{path} is an empty file (utterance {uid} of {folder}/wav.scp); copy it again")
    return path


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise PhonobenchError(f"{path} is missing; copy or download the corpus again") from None
    except UnicodeDecodeError as error:
        raise PhonobenchError(f"{path}: not text ({error.reason} at byte {error.start}); copy it again") from error
    except OSError as error:
        raise PhonobenchError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error


def _refuse_overlap(root: Path, train: list[Utterance], test: list[Utterance]) -> None:
    for what, one, other in (
        ("utterance", {u.id for u in train}, {u.id for u in test}),
        ("speaker", {u.speaker for u in train}, {u.speaker for u in test}),
    ):
        if shared := sorted(one & other):
            raise PhonobenchError(
                f"{root}: {what} {shared[0]} is in both train and test ({len(shared)} such), the splits overlap; "
                "copy train/ and test/ again"
            )


def _assert_counts(folder: Path, found: Counts, expected: Counts) -> None:
    for field in fields(Counts):
        here, published = getattr(found, field.name), getattr(expected, field.name)
        if here != published:
            raise PhonobenchError(
                f"{folder}: {here:,} {field.name}, published are {published:,}; the copy is incomplete or another "
                "release, copy or download it again"
            )


def _limited(utterances: list[Utterance], limit: int) -> list[Utterance]:
    if limit < 1:
        raise PhonobenchError(f"limit {limit}: give 1 or more utterances of each split")
    kept = {u.id for split in SPLITS for u in [u for u in utterances if u.split == split][:limit]}
    return [u for u in utterances if u.id in kept]


def _without_nan(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_without_nan(part) for part in value]
    return None if isinstance(value, float) and math.isnan(value) else value
