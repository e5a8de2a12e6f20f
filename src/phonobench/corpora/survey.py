"""What a corpus holds, in numbers, and whether its sound files are sound."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from phonobench import audio
from phonobench.corpora.labels import SENTENCE, WORD
from phonobench.corpora.specification import MISPRONOUNCED, count
from phonobench.types import SAMPLE_RATE, SPLITS, Corpus, PhonobenchError, Progress, Utterance

SHORTEST_PHONE = 0.03
"""Seconds. A recording with less than this for each phone of its prompt was cut off, or is of another prompt."""


@dataclass(frozen=True)
class AudioFault:
    """A recording that is damaged or dubious, and why, in words."""

    utterance: str
    path: Path
    message: str


def statistics(corpus: Corpus) -> dict[str, Any]:
    """Plain numbers for each split, ready for JSON.

    A split has `utterances`, `speakers`, `words`, `phones`, `mispronounced` (phones scored below 0.5; None where no
    phone has a score), `heard` (of those, how many come with the phone that was perceived instead), `perceived` (all
    phones that come with one), `hours` (from the headers of the sound files), `children` (speakers known to be under
    `ADULT`, 18 years; None where no age is known), `ages` and `genders` (speakers by age and gender), and histograms
    of the scores: `sentence_accuracy` and so on, value -> how many. What is not known is counted as `unknown` among
    ages and genders, and as `none` among scores.

    `lacking` names what is known of no utterance of the corpus: metrics that need it are undefined.

    Raises:
        PhonobenchError: for a sound file whose header cannot be read.
    """
    return {
        "name": corpus.name,
        "fingerprint": corpus.fingerprint,
        "synthetic": corpus.synthetic,
        "lacking": lacking(corpus),
        "splits": {split: _split(corpus.split(split)) for split in SPLITS},
    }


def lacking(corpus: Corpus) -> list[str]:
    """What is known of no utterance of a corpus: kinds of scores, perceived phones, ages, genders.

    Example:
        >>> from phonobench.corpora import synthetic
        >>> lacking(synthetic.read(limit=2))
        []
    """
    known: dict[str, Callable[[Utterance], bool]] = {
        "sentence scores": lambda u: _any_known(getattr(u.judgement, name) for name in SENTENCE),
        "word scores": lambda u: _any_known(x for name in WORD for x in getattr(u.judgement, f"word_{name}")),
        "phone scores": lambda u: _any_known(u.judgement.phone_accuracy),
        "perceived phones": lambda u: any(phone is not None for phone in u.judgement.perceived),
        "ages": lambda u: u.age is not None,
        "genders": lambda u: u.gender is not None,
    }
    return [what for what, is_known in known.items() if not any(map(is_known, corpus.utterances))]


def _any_known(scores: Iterable[float]) -> bool:
    return any(score == score for score in scores)


def check_audio(corpus: Corpus, progress: Callable[[Progress], None] | None = None) -> list[AudioFault]:
    """Decode every recording and list what is wrong: unreadable, truncated, silent, clipped, too short, a double.

    Too short: under `SHORTEST_PHONE` a phone. A double has the very same samples as an earlier recording.

    Args:
        corpus: whose recordings are decoded.
        progress: called after each file with the number of files that are done.

    Returns:
        The faults in the order of the utterances; empty where nothing was found.
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
    seconds, phones = len(wave) / SAMPLE_RATE, len(u.prompt.phones)
    if seconds < SHORTEST_PHONE * phones:
        messages.append(f"too short: {seconds:.2f} s for {phones} phones, cut off or another prompt")
    digest = hashlib.sha256(wave.tobytes()).digest()
    if digest in first:
        messages.append(f"double: the same sound as utterance {first[digest]}")
    first.setdefault(digest, u.id)
    return messages


def _split(utterances: tuple[Utterance, ...]) -> dict[str, Any]:
    speakers = {u.speaker: u for u in utterances}.values()
    judged = [u.judgement for u in utterances]
    children = [u.is_child for u in speakers if u.is_child is not None]
    sentence = {f"sentence_{name}": _histogram(getattr(j, name) for j in judged) for name in SENTENCE}
    words = [f"word_{name}" for name in WORD]
    by_word = {name: _histogram(score for j in judged for score in getattr(j, name)) for name in words}
    return {
        **_phones(utterances),
        "hours": sum(audio.info(u.audio).seconds for u in utterances) / 3600,
        "children": sum(children) if children else None,
        "ages": _histogram(u.age for u in speakers),
        "genders": _histogram(u.gender for u in speakers),
        **sentence,
        **by_word,
        "phone_accuracy": _histogram(score for j in judged for score in j.phone_accuracy),
    }


def _phones(utterances: tuple[Utterance, ...]) -> dict[str, int | None]:
    """The counts of a split; those that need phone scores are None where there is none."""
    pairs = [pair for u in utterances for pair in zip(u.judgement.phone_accuracy, u.judgement.perceived, strict=True)]
    counts: dict[str, int | None] = asdict(count(utterances))
    named = sum(mark < MISPRONOUNCED and perceived is not None for mark, perceived in pairs)
    if not _any_known(mark for mark, _ in pairs):
        return counts | {"mispronounced": None, "heard": None, "perceived": sum(p is not None for _, p in pairs)}
    return counts | {"heard": named, "perceived": sum(p is not None for _, p in pairs)}


def _histogram(values: Iterable[float | str | None]) -> dict[str, int]:
    """How often each value occurs, in the order of the values; keys as text, because JSON knows no others."""
    named = ("unknown" if value is None else "none" if value != value else value for value in values)
    bins: Counter[float | str] = Counter(named)
    ordered = sorted(bins.items(), key=lambda item: (isinstance(item[0], str), item[0]))
    return {f"{value:g}" if isinstance(value, int | float) else value: number for value, number in ordered}
