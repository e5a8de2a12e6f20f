"""Reader of the SpeechOcean762 layout: Kaldi data folders `train/` and `test/`, `resource/`, sound files.

It knows the files and their cross-checks, not a corpus: several corpora have this layout, among them anyone's own data
(`SPECIFICATION`). Sound files may have any extension that `audio.read` takes; `wav.scp` names them relative to the
root. An age or gender may be `unknown`, a score null.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from phonobench.corpora import labels
from phonobench.corpora.assembly import hold_out_dev, refuse_overlap
from phonobench.corpora.files import load_json, read_table, sound_file
from phonobench.corpora.specification import Specification
from phonobench.types import PhonobenchError, Split, Utterance

SCORES = "resource/scores.json"
MARKS = (SCORES, "train/wav.scp", "test/wav.scp")
"""The files by which the layout is recognised."""
OLDEST = 130
"""Years that a speaker may have."""
UNKNOWN = "unknown"
"""Stands in `spk2age` and `spk2gender` for what is not known of a speaker."""


def has_layout(root: Path) -> bool:
    """Whether a folder looks like this layout (it may still be damaged)."""
    try:
        return all((root / name).exists() for name in MARKS)
    except (OSError, ValueError):  # a folder that may not be entered, a name that cannot be
        return False


def utterances(root: Path) -> list[Utterance]:
    """Every utterance of a corpus in this layout. No audio is opened, but each file must exist and not be empty.

    Dev: every fifth train speaker, `sorted(train speakers)[::5]`, so the first, sixth, eleventh...: 25 of 125 in
    SpeechOcean762 (500 utterances). The choice is fixed and depends on nothing but the speakers' names.

    Raises:
        PhonobenchError: for whatever is wrong with the files.
    """
    missing = [name for name in MARKS if not (root / name).exists()]
    if missing:
        what = f"lacks {missing[0]}" if root.is_dir() else "is no folder"
        raise PhonobenchError(
            f"{root} is not a corpus in the SpeechOcean762 layout: it {what}; give the folder that holds train/, "
            "test/, resource/ and WAVE/"
        )
    scores = load_json(root / SCORES)
    found = [u for folder in ("train", "test") for u in _part(root, folder, scores)]
    refuse_overlap(root, found)
    return hold_out_dev(found)


def _part(root: Path, folder: str, scores: Mapping[str, Any]) -> Iterator[Utterance]:
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
        prompt, judgement = labels.parse(f"{root / SCORES}, utterance {uid}", scores[uid], texts[uid])
        sound = sound_file(root, sounds[uid], f"utterance {uid} of {folder}/wav.scp")
        age = _age(f"{root / folder}/spk2age", speaker, ages[speaker])
        gender = None if genders[speaker] == UNKNOWN else genders[speaker]
        yield Utterance(uid, speaker, split, sound, prompt, judgement, age, gender)


def _age(file: str, speaker: str, written: str) -> int | None:
    if written == UNKNOWN:
        return None
    if not (written.isascii() and written.isdigit() and len(written) <= 3 and int(written) <= OLDEST):
        raise PhonobenchError(
            f"{file}: age {written[:40]!r} of speaker {speaker} is no number up to {OLDEST}, and not {UNKNOWN!r}"
        )
    return int(written)


SPECIFICATION = Specification(
    name="speechocean-layout",
    title="Anyone's own data in the layout of SpeechOcean762",
    licence="that of the data",
    home="docs/adding.md",
    holds=f"{', '.join(MARKS[:-1])} and {MARKS[-1]}, the layout of SpeechOcean762",
    recognises=has_layout,
    utterances=utterances,
    general=True,
)
