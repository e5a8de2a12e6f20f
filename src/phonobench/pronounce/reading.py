"""From text to the prompt that was most probably read: for each word the variant that fits the audio best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from phonobench.evidence import CTCEvidence
from phonobench.phones import encode
from phonobench.pronounce import g2p, lexicon, normalise, transcription
from phonobench.pronounce.lexicon import Phones, Pronunciation
from phonobench.types import PhonobenchError, Prompt, Word

SWEEPS = 3
"""At most so many times all words are gone through; the choice has mostly settled after one."""
BETTER = 0.1
"""Nats by which a variant must be likelier than the one before it: what the audio cannot tell apart stays."""


LIKELIER = 1.0
"""Nats by which another word sequence must be likelier than the more expected one."""
NEAR = 25.0
"""Nats below the best, with the first variants of its words, from which a word sequence is not looked at closely."""
CLOSELY = 3
"""Word sequences of a piece that are looked at closely, with all variants of their words."""
MOST_TRIED = 120
"""Word sequences that are tried at most in one text; in the pieces after that the most expected stand."""


@dataclass(frozen=True)
class Reading:
    """A word of the text: as it is said, as it was written, every way to say it, and which of them is meant.

    Where a piece of text may be read as other words (`1990`), its first word holds them: `alternatives` to the `span`
    words that begin with it.
    """

    word: str
    written: str
    variants: tuple[Pronunciation, ...]
    chosen: int = 0
    alternatives: tuple[tuple[Reading, ...], ...] = ()
    span: int = 1

    @property
    def pronunciation(self) -> Pronunciation:
        """The chosen variant."""
        return self.variants[self.chosen]


def prompt(readings: Sequence[Reading]) -> Prompt:
    """The words with their chosen phones.

    Example:
        >>> prompt(of_text("call")).phones
        ('K', 'AO', 'L')
    """
    return Prompt(tuple(Word(one.word, one.pronunciation.phones) for one in readings))


def of_text(
    text: str, own: Mapping[str, tuple[Phones, ...]] | None = None, *, guess: bool = True
) -> tuple[Reading, ...]:
    """Every word of a text with its variants, the first of each chosen.

    Args:
        text: as it is written.
        own: the user's lexicon (`lexicon.read`).
        guess: whether unknown words are guessed; otherwise they are refused.

    Raises:
        PhonobenchError: naming the words that have no pronunciation, or what in the text cannot be read.

    Example:
        >>> [(one.word, one.pronunciation.source) for one in of_text("the blorfing bear")]
        [('the', 'lexicon'), ('blorfing', 'guessed'), ('bear', 'lexicon')]
    """
    own = own or {}
    found: list[Reading] = []
    unknown: dict[str, None] = {}
    for span in normalise.spans(text, own):
        options = [_words(said, span.written, own, guess) for said in span.readings]
        known = [tuple(option) for option in options if all(one.variants for one in option)]
        if not known:
            unknown.update(dict.fromkeys(one.word for one in options[0] if not one.variants))
            continue
        first, *others = dict.fromkeys(known)
        found += [replace(first[0], alternatives=tuple(others), span=len(first)), *first[1:]]
    if unknown:
        raise PhonobenchError(
            f"no pronunciation known for {', '.join(unknown)}: give the phones (`--phones`), or a lexicon of your own "
            "(`--lexicon FILE`, lines of a word and its ARPAbet phones)"
        )
    return tuple(found)


def _words(said: Sequence[str], written: str, own: Mapping[str, tuple[Phones, ...]], guess: bool) -> list[Reading]:
    """Words with their variants; none where a word is unknown and not to be guessed."""
    made = []
    for word in said:
        variants = lexicon.pronunciations(word, own)
        if not variants and guess:
            variants = tuple(Pronunciation(one.phones, "guessed") for one in g2p.guess(word.replace(".", "")))
        made.append(Reading(word, written, variants))
    return made


def fewest_phones(readings: Sequence[Reading]) -> int:
    """Phones of the shortest way to say the text.

    Example:
        >>> fewest_phones(of_text("911"))  # nine eleven: N AY N, IY L EH V N
        8
    """
    total, place = 0, 0
    while place < len(readings):
        one = readings[place]
        options = [tuple(readings[place : place + one.span]), *one.alternatives]
        total += min(sum(min(len(v.phones) for v in word.variants) for word in option) for option in options)
        place += one.span
    return total


def of_phones(phones: str | Sequence[str] | Sequence[Sequence[str]], text: str | None = None) -> tuple[Reading, ...]:
    """Readings of given phones: ARPAbet or customary IPA, blanks between symbols, `|` between words.

    The words' spellings are those of `text`, which must have as many, or else the phones themselves.

    Args:
        phones: a text, a list of symbols with "|" between words, or a list of lists, one a word. Symbols are read by
            `transcription.parse`; a broad one gives several variants.
        text: the words.

    Raises:
        PhonobenchError: for an unknown symbol, an empty word and a text of another number of words.

    Example:
        >>> [(one.word, one.pronunciation.phones) for one in of_phones("w i | K AO1 L", "we call")]
        [('we', ('W', 'IY')), ('call', ('K', 'AO', 'L'))]
    """
    groups = _groups(phones)
    if not groups or not all(groups):
        raise PhonobenchError("phones are missing: give at least one a word, for example --phones 'W IY | K AO L'")
    said = [transcription.parse(group) for group in groups]
    spelled = [" ".join(variants[0]) for variants in said] if text is None else text.split()
    if len(spelled) != len(said):
        raise PhonobenchError(
            f"the text has {len(spelled)} words, the phones {len(said)}: put | between the phones of two words"
        )
    return tuple(
        Reading(word, word, tuple(Pronunciation(one, "given") for one in variants))
        for word, variants in zip(spelled, said, strict=True)
    )


def _groups(phones: str | Sequence[str] | Sequence[Sequence[str]]) -> list[list[str]]:
    """The symbols of each word.

    Raises:
        PhonobenchError: for anything but symbols, or lists of them.
    """
    symbols: list[Any] = [*phones.replace("|", " | ").split()] if isinstance(phones, str) else list(phones)
    groups: list[list[Any]] = [[]]
    if symbols and all(isinstance(one, Sequence) and not isinstance(one, str | bytes) for one in symbols):
        groups = [list(one) for one in symbols]
    else:
        for symbol in symbols:
            if symbol == "|":
                groups.append([])
            else:
                groups[-1].append(symbol)
    strange = [one for group in groups for one in group if not isinstance(one, str)]
    if strange:
        raise PhonobenchError(
            f"{strange[0]!r} is no phone: give symbols, \"W IY | K AO L\", or lists, [['W', 'IY'], ['K', 'AO', 'L']]"
        )
    return groups


def choose(readings: Sequence[Reading], *evidence: CTCEvidence) -> tuple[Reading, ...]:
    """The readings with the words of each piece, and the variant of each word, that fit the audio best.

    Word sequences first, piece by piece, then variants. Coordinate ascent from the variants chosen so far: each word is
    tried between its neighbours, in the frames from the beginning of the one to the end of the other, all the rest as
    it is.

    Args:
        readings: the words of the text.
        evidence: of one model or several, whose log-likelihoods add up.

    Raises:
        PhonobenchError: where the audio is too short even for the shortest variants.
    """
    frames = min(len(one.logp) for one in evidence)
    chosen = _sequences(list(readings), evidence, frames)
    chosen = _fitting(chosen, frames)
    for _ in range(SWEEPS):
        before = [one.chosen for one in chosen]
        bounds = [_bounds(chosen, one) for one in evidence]
        for place, one in enumerate(chosen):
            if len(one.variants) > 1:
                chosen[place] = _best(chosen, place, evidence, bounds)
        if [one.chosen for one in chosen] == before:
            break
    return tuple(chosen)


def _sequences(readings: list[Reading], evidence: Sequence[CTCEvidence], frames: int) -> list[Reading]:
    """The readings with the likeliest words of each piece: two passes, each piece between the others as they are."""
    tried = 0
    for _ in range(2):
        before = [one.word for one in readings]
        place = 0
        while place < len(readings):
            one = readings[place]
            if one.alternatives and tried < MOST_TRIED:
                tried += 1 + len(one.alternatives)
                readings = _best_sequence(readings, place, evidence, frames)
            place += readings[place].span
        if [one.word for one in readings] == before:
            break
    return readings


def _best_sequence(readings: list[Reading], place: int, evidence: Sequence[CTCEvidence], frames: int) -> list[Reading]:
    """The readings with the likeliest words for the piece that begins at `place`; the former become alternatives."""
    one = readings[place]
    own = (replace(one, alternatives=(), span=1), *readings[place + 1 : place + one.span])
    options = [own, *one.alternatives]
    texts = [[*readings[:place], *option, *readings[place + one.span :]] for option in options]
    fits = [_loglik(text, evidence, frames) for text in texts]
    near = [i for i in np.argsort([-fit for fit in fits], kind="stable") if fits[i] >= max(fits) - NEAR]
    best, best_fit = 0, -np.inf
    for index in sorted({0, *islice((int(i) for i in near), CLOSELY)}):
        if not np.isfinite(fits[index]):
            continue
        texts[index], fit = _closely(texts[index], place, len(options[index]), evidence)
        if fit > best_fit + LIKELIER:
            best, best_fit = index, fit
    if not best:
        return readings
    text, size = texts[best], len(options[best])
    others = (*(option for index, option in enumerate(options) if index != best),)
    text[place] = replace(text[place], alternatives=others, span=size)
    return text


def _closely(
    text: list[Reading], place: int, size: int, evidence: Sequence[CTCEvidence]
) -> tuple[list[Reading], float]:
    """The text with the best variants of `size` words from `place` on, and its log-likelihood."""
    text = list(text)
    bounds = [_bounds(text, one) for one in evidence]
    for at in range(place, place + size):
        if len(text[at].variants) > 1:
            text[at] = _best(text, at, evidence, bounds)
    return text, _loglik(text, evidence, min(len(one.logp) for one in evidence))


def _loglik(text: Sequence[Reading], evidence: Sequence[CTCEvidence], frames: int) -> float:
    """Summed log-likelihood of all evidence; -inf where the phones do not fit into the frames."""
    ids = encode(prompt(text).phones)
    if _needed(ids) > frames:
        return -np.inf
    return float(sum(one.loglik(ids) for one in evidence))


def _needed(ids: Sequence[int]) -> int:
    """Frames that a sequence takes at least: a blank stands between two of the same phone."""
    return len(ids) + sum(a == b for a, b in zip(ids[1:], ids[:-1], strict=True))


def _fitting(readings: list[Reading], frames: int) -> list[Reading]:
    """The readings as they are where their phones fit into so many frames, else with their shortest variants."""
    ids = encode(prompt(readings).phones)
    if _needed(ids) <= frames:
        return readings
    lengths = [[len(variant.phones) for variant in one.variants] for one in readings]
    return [replace(one, chosen=int(np.argmin(sizes))) for one, sizes in zip(readings, lengths, strict=True)]


def _bounds(readings: Sequence[Reading], evidence: CTCEvidence) -> list[tuple[int, int]]:
    """Frames in which each word and its neighbours are said: from the end of the word before them to the next."""
    aligned = evidence.align(encode(prompt(readings).phones))
    ends = np.cumsum([len(one.pronunciation.phones) for one in readings])
    starts = ends - [len(one.pronunciation.phones) for one in readings]
    first, last = aligned.start[starts], aligned.end[ends - 1]
    found = []
    for place in range(len(readings)):
        begin = 0 if place < 2 else int(last[place - 2])
        end = len(evidence.logp) if place + 2 >= len(readings) else int(first[place + 2])
        found.append((begin, end))
    return found


def _best(
    readings: Sequence[Reading],
    place: int,
    evidence: Sequence[CTCEvidence],
    bounds: Sequence[Sequence[tuple[int, int]]],
) -> Reading:
    parts = [CTCEvidence(one.logp[slice(*ends[place])], one.hop) for one, ends in zip(evidence, bounds, strict=True)]
    before = readings[place - 1].pronunciation.phones if place else ()
    after = readings[place + 1].pronunciation.phones if place + 1 < len(readings) else ()
    one = readings[place]
    sequences = [encode((*before, *variant.phones, *after)) for variant in one.variants]
    fits = [sum(part.loglik(ids) for part in parts) for ids in sequences]
    best = one.chosen
    for index, fit in enumerate(fits):
        if fit > fits[best] + BETTER:
            best = index
    return replace(one, chosen=best)
