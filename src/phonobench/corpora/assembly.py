"""From the utterances that a reader yields to a `Corpus`: dev speakers, checks that hold for every corpus, fingerprint.

A reader knows its files; what must hold of any corpus is checked here once.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

from phonobench.phones import encode
from phonobench.types import SPLITS, Judgement, PhonobenchError, Utterance

DEV_EVERY = 5


def dev_speakers(train_speakers: Iterable[str]) -> list[str]:
    """Every fifth of the sorted train speakers, beginning with the first.

    Example:
        >>> dev_speakers("abcdefg")
        ['a', 'f']
    """
    return sorted(set(train_speakers))[::DEV_EVERY]


def hold_out_dev(utterances: Iterable[Utterance]) -> list[Utterance]:
    """The utterances with those of the `dev_speakers` moved from train to dev, in the same order.

    For a corpus that has no dev split of its own. The choice depends on nothing but the speakers' names.
    """
    found = list(utterances)
    dev = set(dev_speakers(u.speaker for u in found if u.split == "train"))
    return [replace(u, split="dev") if u.split == "train" and u.speaker in dev else u for u in found]


def refuse_overlap(root: Path, utterances: Sequence[Utterance]) -> None:
    """Raises PhonobenchError where an id recurs, or an utterance or a speaker is in two splits."""
    for one, other in combinations(SPLITS, 2):
        parts = [[u for u in utterances if u.split == split] for split in (one, other)]
        for what, names in (("utterance", [{u.id for u in part} for part in parts]),
                            ("speaker", [{u.speaker for u in part} for part in parts])):  # fmt: skip
            if shared := sorted(names[0] & names[1]):
                raise PhonobenchError(
                    f"{root}: {what} {shared[0]} is in both {one} and {other} ({len(shared)} such), the splits "
                    f"overlap; copy the corpus again, or give each {what} one split"
                )
    seen: set[str] = set()
    for u in utterances:
        if u.id in seen:
            raise PhonobenchError(f"{root}: utterance {u.id} stands twice; give each utterance an id of its own")
        seen.add(u.id)


def check(root: Path, utterances: Sequence[Utterance]) -> None:
    """Checks what every corpus must hold. No audio is decoded.

    Raises:
        PhonobenchError: for no utterance at all, ids and speakers as `refuse_overlap`, a prompt without phones or
            with an unknown one, scores that are not one a word or phone, and a recording that is missing, empty or
            outside `root`.
    """
    if not utterances:
        raise PhonobenchError(f"{root} holds no utterances")
    refuse_overlap(root, utterances)
    for u in utterances:
        where = f"{root}, utterance {u.id}"
        if not u.prompt.phones:
            raise PhonobenchError(f"{where}: its prompt has no phones")
        try:
            encode(u.prompt.phones)
        except PhonobenchError as error:
            raise PhonobenchError(f"{where}: {error}") from error
        _check_lengths(where, u)
        if not u.audio.is_file() or not u.audio.stat().st_size:
            raise PhonobenchError(f"{where}: its recording {u.audio} is missing or empty; copy it again")
        if root not in u.audio.parents:
            raise PhonobenchError(f"{where}: its recording {u.audio} does not lie in the corpus")


def _check_lengths(where: str, u: Utterance) -> None:
    for unit, size, columns in (("word", len(u.prompt.words), ("word_accuracy", "word_stress", "word_total")),
                                ("phone", len(u.prompt.phones), ("phone_accuracy", "perceived"))):  # fmt: skip
        for name in columns:
            found = len(getattr(u.judgement, name))
            if found != size:
                raise PhonobenchError(f"{where}: {found} entries of {name}, but {size} {unit}s; give one a {unit}")


def first_of_each_split(utterances: Sequence[Utterance], limit: int) -> list[Utterance]:
    """At most `limit` utterances of each of train, dev and test, in the order that is given.

    Raises:
        PhonobenchError: for a limit below 1.
    """
    if limit < 1:
        raise PhonobenchError(f"limit {limit}: give 1 or more utterances of each split")
    kept = {u.id for split in SPLITS for u in [u for u in utterances if u.split == split][:limit]}
    return [u for u in utterances if u.id in kept]


def fingerprint(root: Path, utterances: Iterable[Utterance]) -> str:
    """sha256 (hex) over every label and over the names and sizes of the sound files, in the order of the utterances.

    Names are relative to the root, so that it is the same on every machine. The sound itself is not hashed
    (0.6 GB in SpeechOcean762): a change of audio that keeps a file's size is not seen here, but by `check_audio`.
    Two releases with the same labels but other sound files (WAV, Opus) differ.
    """
    digest = hashlib.sha256()
    for u in utterances:
        prompt = [[word.text, *word.phones] for word in u.prompt.words]
        sound = [u.audio.relative_to(root).as_posix(), u.audio.stat().st_size]
        row = [u.id, u.speaker, u.split, u.age, u.gender, prompt, *_labels(u.judgement), *sound]
        digest.update(json.dumps(row, separators=(",", ":"), allow_nan=False).encode() + b"\n")
    return digest.hexdigest()


def _labels(j: Judgement) -> list[Any]:
    sentence = (j.accuracy, j.fluency, j.prosodic, j.total, j.completeness)
    words = (j.word_accuracy, j.word_stress, j.word_total)
    return [_without_nan(value) for value in (sentence, words, j.phone_accuracy, j.perceived)]


def _without_nan(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_without_nan(part) for part in value]
    return None if isinstance(value, float) and math.isnan(value) else value
