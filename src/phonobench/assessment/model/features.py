"""What a scorer reads of an utterance: a row of named numbers for every expected phone.

Everything comes from the posteriors, the phones, and the sound's loudness and pitch; nothing is fitted here. A row
describes its phone, its place and, in the same numbers for all phones, the utterance. A network puts rows together;
`tables` does it for learners that see one row at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from phonobench import edits, gop, phones
from phonobench.assessment.model import prosody, word_evidence
from phonobench.assessment.types import SENTENCE_SCORES, AcousticOutput, HeadOutput
from phonobench.ctc import Alignment
from phonobench.evidence import CTCEvidence
from phonobench.types import SAMPLE_RATE, PhonobenchError, Prompt

BOUND = 15.0
"""Nats at which log-ratios are cut off, so that a certain model and a nearly certain one look alike."""

PHONE_FEATURES = (
    *(f"rival_{name}" for name in ("none", *phones.PHONES)),
    "odds", "best", "deleted", "substituted", "sd_frame", "posterior", "peak", "margin", "certainty",
    "inserted_before", "inserted_after", "frames", "expected_frames", "gap_before", "gap_after",
    "loudness", "loudness_peak", "pitch", "pitch_slope", "voiced", "vowel", "first", "last", "word_phones", "judged",
)  # fmt: skip
UTTERANCE_FEATURES = (
    "loglik", "heard_errors", "heard_insertions", "heard_deletions", "phone_rate", "articulation_rate", "pause_share",
    "longest_pause", "pauses", "odds_mean", "odds_spread", "odds_low", "odds_min", "doubtful", "phones", "seconds",
    "lead_in", "lead_out", "pitch_spread", "loudness_spread", "frames_spread",
    *(f"judged_{name}" for name in SENTENCE_SCORES),
)  # fmt: skip
NAMES = PHONE_FEATURES + UTTERANCE_FEATURES


@dataclass(frozen=True, eq=False)
class Description:
    """Of N phones in W words, recognised by M models side by side.

    `rows` (N, M * len(NAMES)) float32; `states` (N, D) float32, the encoders' means over the phone's time; `ids` (N,)
    phone ids; `words` (N,) the word of each phone; `word_rows` (W, M * 7) float32, `word_evidence.WORD_FEATURES`.
    """

    rows: np.ndarray
    states: np.ndarray
    ids: np.ndarray
    words: np.ndarray
    word_rows: np.ndarray


def describe(output: AcousticOutput, prompt: Prompt, sound: prosody.Prosody | None = None) -> Description:
    """The rows of an utterance; `sound` is measured of the wave where it is not given.

    Raises PhonobenchError where the audio is too short for the phones.
    """
    evidence, wave = CTCEvidence(output.logp, output.hop), output.wave
    ids = phones.encode(prompt.phones)
    detail = gop.detail(evidence, ids)
    sound = prosody.measure(wave) if sound is None else sound
    words = np.array(prompt.word_of_phone)
    judged, judged_whole = _judged(output.head, detail.alignment, ids)
    columns = np.column_stack([
        _rivals(detail), _scores(detail), _insertions(evidence, detail), _times(detail, evidence.hop),
        _prosody(detail, evidence.hop, sound), _places(ids, words), judged,
    ])  # fmt: skip
    whole = np.concatenate([_utterance(evidence, detail, sound, wave), judged_whole])
    rows = np.column_stack([columns, np.broadcast_to(whole, (len(ids), len(whole)))]).astype(np.float32)
    of_words = word_evidence.measure(detail.logp, ids, words, detail.alignment)
    return Description(rows, _pooled(output.states, detail.alignment), np.array(ids), words, of_words)


def side_by_side(parts: Sequence[Description]) -> Description:
    """One description out of what several models gave for the same phones: rows and states one model after another.

    Raises PhonobenchError where they are of different phones.
    """
    first = parts[0]
    if any(not np.array_equal(one.ids, first.ids) or not np.array_equal(one.words, first.words) for one in parts):
        raise PhonobenchError("descriptions of different phones cannot stand side by side")
    rows, states, of_words = (
        np.hstack([getattr(one, name) for one in parts]) for name in ("rows", "states", "word_rows")
    )
    return Description(rows, states, first.ids, first.words, of_words)


def _pooled(states: np.ndarray, alignment: Alignment) -> np.ndarray:
    """Mean of the states (T, D) over each phone's time: (N, D) float32."""
    first, last = alignment.territories(len(states))
    total = np.concatenate([np.zeros((1, states.shape[1])), np.cumsum(states, axis=0, dtype=np.float64)])
    result: np.ndarray = ((total[last] - total[first]) / (last - first)[:, None]).astype(np.float32)
    return result


def _judged(head: HeadOutput | None, alignment: Alignment, ids: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """What the recogniser itself thinks of the phones (N,) and the sentence (4,); zeros where it does not judge."""
    if head is None:
        return np.zeros(len(ids)), np.zeros(len(SENTENCE_SCORES))
    whole = head.states.mean(axis=0)
    return head.estimate(_pooled(head.states, alignment), whole, np.array(ids))


def _rivals(detail: gop.Detail) -> np.ndarray:
    """Log-posterior of the deletion and of every phone in each place: (N, 40)."""
    found = np.column_stack([detail.rivals.delete, detail.rivals.substitute])
    result: np.ndarray = np.maximum(found - np.logaddexp.reduce(found, axis=1, keepdims=True), -BOUND)
    return result


def _scores(detail: gop.Detail) -> np.ndarray:
    """Nine goodness-of-pronunciation scores: (N, 9)."""
    free: tuple[Callable[..., np.ndarray], ...] = (gop.odds, gop.best, gop.d, gop.s)
    framed = (gop.sd_frame, gop.posterior, gop.peak, gop.margin, gop.certainty)
    scores = [score(detail.rivals) for score in free] + [score(detail) for score in framed]
    result: np.ndarray = np.clip(np.column_stack(scores), -BOUND, BOUND)
    return result


def _insertions(evidence: CTCEvidence, detail: gop.Detail) -> np.ndarray:
    """How much likelier the best sound inserted before and after each phone makes the utterance: (N, 2)."""
    best = (evidence.insertions(detail.ids) - detail.rivals.loglik).max(axis=1)
    result: np.ndarray = np.clip(np.column_stack([best[:-1], best[1:]]), -BOUND, BOUND)
    return result


def _times(detail: gop.Detail, hop: float) -> np.ndarray:
    """Log durations (aligned, expected), and blank time before and after, log seconds: (N, 4)."""
    start, end = detail.alignment.start, detail.alignment.end
    before = start - np.concatenate([[0], end[:-1]])
    after = np.concatenate([start[1:], [len(detail.logp)]]) - end
    held = np.log((end - start) * hop), np.log(np.maximum(detail.frames, 0.1) * hop)
    return np.column_stack([*held, np.log1p(before * hop / 0.05), np.log1p(after * hop / 0.05)])


def _prosody(detail: gop.Detail, hop: float, sound: prosody.Prosody) -> np.ndarray:
    """Loudness (mean and peak, over 10 dB), pitch against the utterance's median and its slope, voicing: (N, 5)."""
    edges = detail.alignment.bounds(len(detail.logp)) * hop * SAMPLE_RATE / prosody.HOP
    edges = np.minimum(edges.astype(int), len(sound.loudness) - 1)
    usual = np.nanmedian(sound.pitch) if np.isfinite(sound.pitch).any() else 0.0
    level = sound.loudness - np.median(sound.loudness)
    rows = []
    for first, last in pairwise(edges):
        part = slice(first, max(last, first + 1))
        pitch = sound.pitch[part] - usual
        voiced = np.isfinite(pitch)
        said = pitch[voiced]
        half = len(said) // 2
        rows.append((
            level[part].mean() / 10, level[part].max() / 10, said.mean() if len(said) else 0.0,
            said[half:].mean() - said[:half].mean() if half else 0.0, voiced.mean(),
        ))  # fmt: skip
    return np.array(rows)


def _places(ids: tuple[int, ...], words: np.ndarray) -> np.ndarray:
    """Vowel or not, first and last of its word, phones in the word: (N, 4)."""
    vowel = [phones.PHONES[q - 1] in phones.VOWELS for q in ids]
    sizes = np.bincount(words)[words]
    first = np.concatenate([[True], words[1:] != words[:-1]])
    last = np.concatenate([words[1:] != words[:-1], [True]])
    return np.column_stack([vowel, first, last, sizes])


def _utterance(evidence: CTCEvidence, detail: gop.Detail, sound: prosody.Prosody, wave: np.ndarray) -> np.ndarray:
    """`UTTERANCE_FEATURES` of the whole, but for what is judged: (21,)."""
    found = edits.align(detail.ids, evidence.best())
    count, seconds = len(detail.ids), len(wave) / SAMPLE_RATE
    start, end = detail.alignment.start, detail.alignment.end
    gaps = (start[1:] - end[:-1]) * evidence.hop
    pauses = gaps[gaps > 0.2]
    spoken = max((end[-1] - start[0]) * evidence.hop, evidence.hop)
    odds = np.clip(gop.odds(detail.rivals), -BOUND, BOUND)
    pitch = sound.pitch[np.isfinite(sound.pitch)]
    return np.array([
        detail.rivals.loglik / count,
        (found.substitutions + found.deletions + found.insertions) / count,
        found.insertions / count, found.deletions / count,
        count / spoken, count / max(spoken - pauses.sum(), evidence.hop), pauses.sum() / spoken,
        pauses.max(initial=0.0), len(pauses) / count,
        odds.mean(), odds.std(), np.quantile(odds, 0.1), odds.min(), (odds < 0).mean(),
        np.log(count), np.log(seconds), start[0] * evidence.hop, seconds - end[-1] * evidence.hop,
        pitch.std() if len(pitch) > 1 else 0.0, sound.loudness.std() / 10, np.log(end - start).std(),
    ])  # fmt: skip
