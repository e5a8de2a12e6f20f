"""Words that were said and are not in the prompt: repetitions of its words, and others.

Two kinds of CTC evidence: the phones that are recognised between two words explain the audio far better than nothing
does, or a word twice in a row explains it better than the word once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from phonobench import ctc, edits, phones
from phonobench.assessment.model import word_evidence
from phonobench.assessment.model.word_evidence import Place
from phonobench.ctc import Alignment
from phonobench.evidence import CTCEvidence

FEWEST = 2
"""Phones that make a word, one of them a vowel."""
INSERTED = 3.0
"""Nats a phone by which inserted phones must make the audio likelier. On dev speakers 0.7 % of the boundaries between
words have such phones, in recordings that raters found halting; of words left out of the text two thirds are found."""
REPEATED = 1.0
"""Nats a phone by which a word twice in a row must make the audio likelier. On dev speakers 0.3 % of the words that
were read do, in halting recordings too; of words whose frames stand there twice 88 % are found."""
ALIKE = 0.34
"""Edits a phone up to which inserted phones are a repetition of words."""
LONGEST = 4
"""Words that a repetition may have."""


@dataclass(frozen=True)
class InsertedSpeech:
    """Phones that were said before word `before` (the number of words: after the last), and when, in seconds.

    `repeats` are the indices of the words that they repeat, () where they are other words.
    """

    phones: tuple[str, ...]
    before: int
    start: float
    end: float
    repeats: tuple[int, ...] = ()


def inserted_speech(evidence: CTCEvidence, words: Sequence[Sequence[int]]) -> tuple[InsertedSpeech, ...]:
    """What was said between the words of a prompt.

    Args:
        evidence: of the utterance.
        words: the phone ids of each word that was said, in order.

    Raises:
        PhonobenchError: where the audio is too short for the words.
    """
    alignment = evidence.align(tuple(q for word in words for q in word))
    of_phone = np.repeat(np.arange(len(words)), [len(word) for word in words])
    there = word_evidence.places(alignment, of_phone, len(evidence.logp))
    found = _between(evidence, words, there, alignment)
    places = {k for one in found for k in (one.before - 1, one.before, *one.repeats)}
    known = {near for k in places for near in (k - 1, k, k + 1)}  # whose frames hold what was found already
    for k in range(len(words)):
        if k not in known and _gain_twice(evidence, words, there, k) >= REPEATED:
            found.append(_twice(evidence, words, k))
    return tuple(sorted(found, key=lambda one: (one.before, one.start)))


def _between(
    evidence: CTCEvidence, words: Sequence[Sequence[int]], there: Sequence[Place], alignment: Alignment
) -> list[InsertedSpeech]:
    """Phones that are recognised between two words, where they are needed."""
    found = []
    for before in range(len(words) + 1):
        begin = int(alignment.end[there[before - 1].last - 1]) if before else 0
        end = int(alignment.start[there[before].first]) if before < len(words) else len(evidence.logp)
        free = ctc.GREEDY.decode(evidence.logp[begin:end]) if end > begin else ()
        if _is_word(free) and _gain(evidence, words, there, alignment, before, free) >= INSERTED:
            found.append(_placed(evidence, words, before, free, begin, end))
    return found


def _is_word(ids: Sequence[int]) -> bool:
    return len(ids) >= FEWEST and any(phone in phones.VOWELS for phone in phones.decode(ids))


def _gain(
    evidence: CTCEvidence,
    words: Sequence[Sequence[int]],
    there: Sequence[Place],
    alignment: Alignment,
    before: int,
    inserted: Sequence[int],
) -> float:
    """Nats a phone by which the inserted phones make the frames of both neighbours and between them likelier."""
    left = tuple(words[before - 1]) if before else ()
    right = tuple(words[before]) if before < len(words) else ()
    first = int(alignment.start[there[before - 1].first]) if before else 0
    last = int(alignment.end[there[before].last - 1]) if before < len(words) else len(evidence.logp)
    near = evidence.logp[first:last]
    more = ctc.forward(near, (*left, *inserted, *right)) - ctc.forward(near, (*left, *right))
    return more / len(inserted)


def _gain_twice(evidence: CTCEvidence, words: Sequence[Sequence[int]], there: Sequence[Place], k: int) -> float:
    """Nats a phone by which word `k` twice in a row makes the frames between the words after the next likelier."""
    word = tuple(words[k])
    left = tuple(words[k - 1]) if k else ()
    right = tuple(words[k + 1]) if k + 1 < len(words) else ()
    near = evidence.logp[word_evidence.neighbourhood(there, k, len(evidence.logp))]
    more = ctc.forward(near, (*left, *word, *word, *right)) - ctc.forward(near, (*left, *word, *right))
    return more / len(word)


def _twice(evidence: CTCEvidence, words: Sequence[Sequence[int]], k: int) -> InsertedSpeech:
    """The second time that word `k` was said."""
    before = [q for word in words[: k + 1] for q in word]
    aligned = evidence.align((*before, *words[k], *(q for word in words[k + 1 :] for q in word)))
    start, end = aligned.seconds(evidence.hop)
    last = len(before) + len(words[k]) - 1
    return InsertedSpeech(phones.decode(words[k]), k + 1, float(start[len(before)]), float(end[last]), (k,))


def _placed(
    evidence: CTCEvidence, words: Sequence[Sequence[int]], before: int, inserted: Sequence[int], begin: int, end: int
) -> InsertedSpeech:
    own = ctc.align(evidence.logp[begin:end], inserted)
    start, stop = (begin + int(own.start[0])) * evidence.hop, (begin + int(own.end[-1])) * evidence.hop
    return InsertedSpeech(phones.decode(inserted), before, start, stop, repeated(words, before, inserted))


def repeated(words: Sequence[Sequence[int]], before: int, inserted: Sequence[int]) -> tuple[int, ...]:
    """Indices of the words next to a boundary that inserted phones repeat, () where they are too unlike.

    Args:
        words: the phone ids of each word.
        before: the inserted phones stand before this word.
        inserted: their ids.

    Example:
        >>> repeated([(1, 2), (3, 4, 5), (6,)], 2, (3, 4, 5)), repeated([(1, 2), (3, 4, 5)], 1, (3, 4, 9))
        ((1,), (1,))
        >>> repeated([(1, 2), (3, 4, 5)], 1, (7, 8, 9))
        ()
    """
    spans = [range(before - size, before) for size in range(1, min(LONGEST, before) + 1)]
    spans += [range(before, before + size) for size in range(1, min(LONGEST, len(words) - before) + 1)]
    best: tuple[float, tuple[int, ...]] = (ALIKE, ())
    for span in spans:
        expected = [q for k in span for q in words[k]]
        change = edits.align(expected, inserted)
        unlike = (change.substitutions + change.deletions + change.insertions) / max(len(expected), len(inserted))
        if unlike < best[0]:
            best = unlike, tuple(span)
    return best[1]
