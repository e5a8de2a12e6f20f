"""Reader of the SpeechOcean762 layout: Kaldi data folders `train/` and `test/`, `resource/scores.json`, sound files.

It knows the files and their cross-checks, not the corpus: what a particular corpus must contain is a value
(`Expected`) passed in. Sound files may have any extension that `audio.read` takes; `wav.scp` names them relative to
the root.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from phonobench.phones import encode, strip_stress
from phonobench.types import Corpus, Judgement, PhonobenchError, Prompt, Split, Utterance, Word

FOLDERS = ("train", "test")
SCORES = "resource/scores.json"
MISPRONOUNCED = 0.5
"""A phone scored below this counts as mispronounced (the corpus' own definition)."""
DEV_EVERY = 5
_ODD_HEARD = ("<unk>", "<DEL>")


@dataclass(frozen=True)
class Counts:
    """Sizes of one data folder; `mispronounced` are the phones scored below 0.5."""

    utterances: int
    speakers: int
    words: int
    phones: int
    mispronounced: int


@dataclass(frozen=True)
class Expected:
    """The published sizes of a corpus; `train` counts the dev speakers too, as the corpus does."""

    train: Counts
    test: Counts


def is_corpus(root: Path) -> bool:
    """Whether a folder looks like this layout (it may still be damaged)."""
    return all((root / name).exists() for name in (SCORES, "train/wav.scp", "test/wav.scp"))


def read(
    root: Path, *, name: str, expected: Expected | None, synthetic: bool = False, limit: int | None = None
) -> Corpus:
    """Read and check a corpus; no audio is opened, but each file must exist and hold something.

    Dev: every fifth train speaker, `sorted(train speakers)[::5]`, so the first, sixth, eleventh...: 25 of 125 in
    SpeechOcean762 (500 utterances). The choice is fixed and depends on nothing but the speakers' names.

    `expected=None` skips the assertion of the counts; `limit` keeps only that many utterances of each of train, dev
    and test, the first by id, after everything was checked. Raises PhonobenchError for whatever is wrong.
    """
    root = Path(root)
    if not is_corpus(root):
        raise PhonobenchError(
            f"{root} is not a SpeechOcean762 folder: {_missing(root)} is missing; give the folder that holds "
            "train/, test/, resource/ and WAVE/"
        )
    scores = _load_json(root / SCORES)
    train, test = ([*_read_folder(root, folder, scores)] for folder in FOLDERS)
    _refuse_overlap(root, train, test)
    if expected is not None:
        _assert_counts(root, "train", train, expected.train)
        _assert_counts(root, "test", test, expected.test)
    dev = set(dev_speakers({u.speaker for u in train}))
    train = [replace(u, split="dev") if u.speaker in dev else u for u in train]
    utterances = sorted(train + test, key=lambda u: u.id)
    if limit is not None:
        utterances = _limited(utterances, limit)
    return Corpus(name, root, tuple(utterances), fingerprint(root, utterances), synthetic)


def dev_speakers(train_speakers: set[str]) -> list[str]:
    """Every fifth of the sorted train speakers, beginning with the first."""
    return sorted(train_speakers)[::DEV_EVERY]


def counts(utterances: list[Utterance]) -> Counts:
    """Sizes of a list of utterances."""
    marks = [mark for u in utterances for mark in u.judgement.phone_accuracy]
    return Counts(
        utterances=len(utterances),
        speakers=len({u.speaker for u in utterances}),
        words=sum(len(u.prompt.words) for u in utterances),
        phones=len(marks),
        mispronounced=sum(mark < MISPRONOUNCED for mark in marks),
    )


def fingerprint(root: Path, utterances: list[Utterance]) -> str:
    """sha256 (hex) over every label and over the names and sizes of the sound files, in the order of the ids.

    File names are taken relative to the root, so that it is the same on every machine; the sound itself is not
    hashed (0.7 GB in the official release), so a change of audio that keeps the size goes unseen: `check_audio`
    is for that.
    """
    digest = hashlib.sha256()
    for u in utterances:
        j = u.judgement
        row = [
            u.id, u.speaker, u.split, u.age, u.gender, [[w.text, *w.phones] for w in u.prompt.words],
            [_plain(x) for x in (j.accuracy, j.fluency, j.prosodic, j.total, j.completeness)],
            [[_plain(x) for x in column] for column in (j.word_accuracy, j.word_stress, j.word_total)],
            [_plain(x) for x in j.phone_accuracy], j.heard,
            u.audio.relative_to(root).as_posix(), u.audio.stat().st_size,
        ]  # fmt: skip
        digest.update(json.dumps(row, ensure_ascii=True, separators=(",", ":")).encode() + b"\n")
    return digest.hexdigest()


def read_table(path: Path) -> dict[str, str]:
    """A Kaldi text file: key, white space, rest of the line. Raises on a missing file, a bare or a repeated key."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise PhonobenchError(f"{path} is missing; copy or download the corpus again") from None
    except UnicodeDecodeError as error:
        raise PhonobenchError(f"{path}: not text ({error.reason} at byte {error.start}); copy it again") from error
    table: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        key, *rest = line.split(maxsplit=1)
        if not rest:
            raise PhonobenchError(f"{path}, line {number}: {key!r} has no value; copy the corpus again")
        if key in table:
            raise PhonobenchError(f"{path}, line {number}: {key!r} stands twice; copy the corpus again")
        table[key] = rest[0].strip()
    return table


def _read_folder(root: Path, folder: str, scores: Mapping[str, Any]) -> Iterator[Utterance]:
    tables = {name: read_table(root / folder / name) for name in ("wav.scp", "utt2spk", "text")}
    ages, genders = (read_table(root / folder / name) for name in ("spk2age", "spk2gender"))
    for uid in sorted(tables["wav.scp"]):
        for name in ("utt2spk", "text"):
            if uid not in tables[name]:
                raise PhonobenchError(f"{root / folder / name} lacks utterance {uid}; copy the corpus again")
        speaker = tables["utt2spk"][uid]
        for table, name in ((ages, "spk2age"), (genders, "spk2gender")):
            if speaker not in table:
                raise PhonobenchError(f"{root / folder / name} lacks speaker {speaker}; copy the corpus again")
        if uid not in scores:
            raise PhonobenchError(f"{root / SCORES} has no scores for utterance {uid} ({folder}); copy it again")
        where = f"{root / SCORES}, utterance {uid}"
        prompt, judgement = _labels(where, scores[uid], tables["text"][uid])
        audio = _audio_file(root, folder, uid, tables["wav.scp"][uid])
        age, gender = _whole(where, "age", ages[speaker]), genders[speaker]
        split: Split = "train" if folder == "train" else "test"
        yield Utterance(uid, speaker, split, audio, prompt, judgement, age, gender)


def _audio_file(root: Path, folder: str, uid: str, name: str) -> Path:
    path = root / name
    if not path.is_file():
        raise PhonobenchError(f"{path} is missing (utterance {uid} of {folder}/wav.scp); copy WAVE/ again")
    if path.stat().st_size == 0:
        raise PhonobenchError(f"{path} is empty (utterance {uid} of {folder}/wav.scp); copy it again")
    return path


def _labels(where: str, entry: Any, text: str) -> tuple[Prompt, Judgement]:
    """Prompt and scores out of one entry of scores.json."""
    try:
        words = entry["words"]
        prompt = Prompt(tuple(_word(where, word) for word in words))
        if [w.text for w in prompt.words] != text.split():
            raise PhonobenchError(
                f"{where}: its words {prompt.text!r} are not those of the text {text!r}; copy it again"
            )
        if not prompt.words:
            raise PhonobenchError(f"{where}: no words; copy it again")
        sentence = [_score(where, key, entry[key], 10) for key in _SENTENCE]
        columns = [tuple(_score(where, f"word {key}", w[key], 10) for w in words) for key in _WORD]
        marks = tuple(_score(where, "phone accuracy", x, 2) for word in words for x in word["phones-accuracy"])
        heard = tuple(phone for word in words for phone in _heard(where, word))
    except KeyError as error:
        raise PhonobenchError(f"{where}: {error.args[0]!r} is missing; copy it again") from error
    except (TypeError, AttributeError) as error:
        raise PhonobenchError(f"{where}: not in the form of the corpus ({error}); copy it again") from error
    accuracy, fluency, prosodic, total, completeness = sentence
    return prompt, Judgement(accuracy, fluency, prosodic, total, completeness, *columns, marks, heard)


_SENTENCE = ("accuracy", "fluency", "prosodic", "total", "completeness")
_WORD = ("accuracy", "stress", "total")


def _word(where: str, word: Mapping[str, Any]) -> Word:
    symbols, marks = word["phones"], word["phones-accuracy"]
    if isinstance(symbols, str):
        symbols = symbols.split()
    if not symbols or len(symbols) != len(marks):
        raise PhonobenchError(
            f"{where}, word {word['text']!r}: {len(symbols)} phones but {len(marks)} phone scores; copy it again"
        )
    phones = tuple(strip_stress(symbol) for symbol in symbols)
    try:
        encode(phones)
    except PhonobenchError as error:
        raise PhonobenchError(f"{where}, word {word['text']!r}: {error}") from error
    return Word(word["text"], phones)


def _heard(where: str, word: Mapping[str, Any]) -> list[str | None]:
    """What was heard in place of each phone of a word, from its `mispronunciations` block, if it has one."""
    heard: list[str | None] = [None] * len(word["phones"])
    for block in word.get("mispronunciations", ()):
        index, canonical, said = block["index"], block["canonical-phone"], block["pronounced-phone"]
        at = f"{where}, word {word['text']!r}, mispronunciation of phone {index}"
        if not 0 <= index < len(heard):
            raise PhonobenchError(f"{at}: the word has {len(heard)} phones; copy it again")
        expected = strip_stress(word["phones"][index])
        if strip_stress(canonical) != expected:
            raise PhonobenchError(f"{at}: canonical phone {canonical!r}, but the word has {expected!r}; copy it again")
        phone = said if said in _ODD_HEARD else strip_stress(said)
        if phone not in _ODD_HEARD:
            try:
                encode([phone])
            except PhonobenchError as error:
                raise PhonobenchError(f"{at}: {error}") from error
        heard[index] = phone
    return heard


def _score(where: str, key: str, value: Any, highest: float) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= highest:
        raise PhonobenchError(f"{where}: {key} {value!r} is not a number from 0 to {highest}; copy it again")
    return float(value)


def _whole(where: str, key: str, value: str) -> int:
    if not value.isdigit():
        raise PhonobenchError(f"{where}: {key} {value!r} is not a whole number; copy it again")
    return int(value)


def _load_json(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise PhonobenchError(f"{path}: truncated or damaged JSON ({error}); copy it again") from error
    if not isinstance(content, dict):
        raise PhonobenchError(f"{path}: not a table of utterances; copy it again")
    return content


def _refuse_overlap(root: Path, train: list[Utterance], test: list[Utterance]) -> None:
    for what, one, other in (
        ("utterance", {u.id for u in train}, {u.id for u in test}),
        ("speaker", {u.speaker for u in train}, {u.speaker for u in test}),
    ):
        if shared := sorted(one & other):
            raise PhonobenchError(
                f"{root}: {what} {shared[0]} is in both train and test ({len(shared)} in all); the splits must not "
                "overlap, copy the corpus again"
            )


def _assert_counts(root: Path, folder: str, utterances: list[Utterance], expected: Counts) -> None:
    found = counts(utterances)
    for field in ("utterances", "speakers", "words", "phones", "mispronounced"):
        if getattr(found, field) != getattr(expected, field):
            raise PhonobenchError(
                f"{root / folder}: {getattr(found, field)} {field}, published are {getattr(expected, field)}; the copy "
                "is incomplete or another release, download it again"
            )


def _limited(utterances: list[Utterance], limit: int) -> list[Utterance]:
    if limit < 1:
        raise PhonobenchError(f"limit {limit}: give 1 or more utterances of each split")
    by_split = {split: [u for u in utterances if u.split == split][:limit] for split in ("train", "dev", "test")}
    return sorted((u for some in by_split.values() for u in some), key=lambda u: u.id)


def _missing(root: Path) -> str:
    return next((name for name in (SCORES, "train/wav.scp", "test/wav.scp") if not (root / name).exists()), "nothing")


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else value
