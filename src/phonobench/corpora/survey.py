"""What a corpus holds, in numbers, and whether its sound files are sound."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from phonobench import audio
from phonobench.corpora.specification import MISPRONOUNCED, count
from phonobench.types import SPLITS, Corpus, PhonobenchError, Progress, Utterance

SHORTEST_PHONE = 0.03
"""Seconds. A recording with less than this for each phone of its prompt was cut off, or is of another prompt."""
CHILD = 16
"""Years. Speakers below it count as children (in SpeechOcean762 nobody is 16, 17 or 18)."""


@dataclass(frozen=True)
class AudioFault:
    """A recording that is damaged or dubious, and why, in words."""

    utterance: str
    path: Path
    message: str


def statistics(corpus: Corpus) -> dict[str, Any]:
    """Plain numbers for each split, ready for JSON.

    A split has `utterances`, `speakers`, `words`, `phones`, `mispronounced` (phones scored below 0.5), `heard` (of
    those, how many come with the phone that was heard instead), `hours` (from the headers of the sound files),
    `children` (speakers under 16), `ages` and `genders` (speakers by age and gender), and histograms of the scores:
    `sentence_accuracy` and so on, value -> how many, `none` for a score that the corpus lacks.
    """
    return {
        "name": corpus.name,
        "fingerprint": corpus.fingerprint,
        "synthetic": corpus.synthetic,
        "splits": {split: _split(corpus.split(split)) for split in SPLITS},
    }


def check_audio(corpus: Corpus, progress: Callable[[Progress], None] | None = None) -> list[AudioFault]:
    """Decode every recording and list what is wrong: unreadable, truncated, silent, clipped, too short, a double.

    Too short: under 30 ms a phone. A double has the very same samples as an earlier recording. `progress` is told
    how many files are done. An empty list means that nothing was found.
    """
    found: list[AudioFault] = []
    first: dict[bytes, str] = {}
    total = len(corpus.utterances)
    for done, u in enumerate(corpus.utterances, start=1):
        found += [AudioFault(u.id, u.audio, message) for message in _recording(u, first)]
        if progress is not None:
            progress(Progress("decode audio", done, total))
    return found


def _recording(u: Utterance, first: dict[bytes, str]) -> list[str]:
    try:
        wave = audio.read(u.audio)
    except PhonobenchError as error:
        return [str(error).removeprefix(f"{u.audio}: ")]
    messages = audio.faults(wave)
    seconds, phones = len(wave) / audio.SAMPLE_RATE, len(u.prompt.phones)
    if seconds < SHORTEST_PHONE * phones:
        messages.append(f"too short: {seconds:.2f} s for {phones} phones, cut off or another prompt")
    digest = hashlib.sha256(wave.tobytes()).digest()
    if digest in first:
        messages.append(f"double: the same sound as utterance {first[digest]}")
    first.setdefault(digest, u.id)
    return messages


def _split(utterances: tuple[Utterance, ...]) -> dict[str, Any]:
    speakers = {u.speaker: u for u in utterances}
    judged = [u.judgement for u in utterances]
    seconds = sum(audio.info(u.audio).seconds for u in utterances)
    return {
        **asdict(count(utterances)),
        "heard": sum(
            mark < MISPRONOUNCED and perceived is not None
            for j in judged
            for mark, perceived in zip(j.phone_accuracy, j.perceived, strict=True)
        ),
        "hours": seconds / 3600,
        "children": sum(u.age < CHILD for u in speakers.values()),
        "ages": _histogram(u.age for u in speakers.values()),
        "genders": _histogram(u.gender for u in speakers.values()),
        "sentence_accuracy": _histogram(j.accuracy for j in judged),
        "sentence_fluency": _histogram(j.fluency for j in judged),
        "sentence_prosodic": _histogram(j.prosodic for j in judged),
        "sentence_total": _histogram(j.total for j in judged),
        "sentence_completeness": _histogram(j.completeness for j in judged),
        "word_accuracy": _histogram(score for j in judged for score in j.word_accuracy),
        "word_stress": _histogram(score for j in judged for score in j.word_stress),
        "word_total": _histogram(score for j in judged for score in j.word_total),
        "phone_accuracy": _histogram(score for j in judged for score in j.phone_accuracy),
    }


def _histogram(values: Iterable[float | str]) -> dict[str, int]:
    """How often each value occurs, in the order of the values; keys as text, because JSON knows no others."""
    bins: Counter[float | str] = Counter("none" if value != value else value for value in values)
    ordered = sorted(bins.items(), key=lambda item: (isinstance(item[0], str), item[0]))
    return {f"{value:g}" if isinstance(value, int | float) else value: number for value, number in ordered}
