"""The nouns that every layer shares: what was read, the human scores, what a model recognised.

Conventions: times are seconds, waves are mono float32 at 16 kHz, phones are ARPAbet without stress digits,
log-probabilities are natural logarithms. Everything here is immutable; arrays are to be left unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = ("train", "dev", "test")
SAMPLE_RATE = 16_000
"""Hz. The rate of every wave inside the project; readers resample to it."""

HQ_ACCURACY = 8.0
"""Sentence accuracy (0 to 10) from which an utterance counts as well read: the subset HQ of the protocol's task A."""


ADULT = 18
"""Years. Younger speakers are children: the bands of age in published results are cut here."""


class PhonobenchError(Exception):
    """A fault of the input that the user can mend: names the culprit and the remedy in one line.

    The command line prints it without a traceback and exits with 1. A bug raises anything else.
    """


@dataclass(frozen=True)
class Word:
    """A word as it should be read: its spelling and its canonical phones (one pronunciation)."""

    text: str
    phones: tuple[str, ...]


@dataclass(frozen=True)
class Prompt:
    """What the speaker was asked to read. All that a prediction may know besides the audio."""

    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        """The words joined by spaces."""
        return " ".join(word.text for word in self.words)

    @property
    def phones(self) -> tuple[str, ...]:
        """Canonical phones of the whole prompt, in order; length N."""
        return tuple(phone for word in self.words for phone in word.phones)

    @property
    def word_of_phone(self) -> tuple[int, ...]:
        """For each of the N phones the index of its word."""
        return tuple(index for index, word in enumerate(self.words) for _ in word.phones)


@dataclass(frozen=True)
class Judgement:
    """Human scores of one utterance over all raters: means of phone scores, medians of the others. NaN: unknown.

    Sentence and word scores run from 0 to 10 (completeness too), phone accuracy from 0 to 2. `perceived` names, where
    the corpus does, the phone that the raters perceived in place of the canonical one (None elsewhere;
    `phones.UNKNOWN` for a sound outside the phone set and `phones.DELETED` for none).
    """

    accuracy: float
    fluency: float
    prosodic: float
    total: float
    completeness: float
    word_accuracy: tuple[float, ...]
    word_stress: tuple[float, ...]
    word_total: tuple[float, ...]
    phone_accuracy: tuple[float, ...]
    perceived: tuple[str | None, ...]

    @classmethod
    def unknown(cls, prompt: Prompt, perceived: Sequence[str | None] = ()) -> Judgement:
        """The judgement of a prompt that nobody scored: every score NaN.

        Args:
            prompt: what was to be read.
            perceived: for each of its phones the one that was perceived in its place, None where that is not known
                or it is the same; none is known if nothing is given.

        Example:
            >>> judgement = Judgement.unknown(Prompt((Word("we", ("W", "IY")),)), [None, "IH"])
            >>> judgement.word_accuracy, judgement.perceived
            ((nan,), (None, 'IH'))
        """
        nan = float("nan")
        by_word, by_phone = (nan,) * len(prompt.words), (nan,) * len(prompt.phones)
        named = tuple(perceived) or (None,) * len(prompt.phones)
        return cls(nan, nan, nan, nan, nan, by_word, by_word, by_word, by_phone, named)


@dataclass(frozen=True)
class Utterance:
    """One recording: who read what, where the audio lies, how raters judged it.

    An age (years) or a gender that is not known is None.
    """

    id: str
    speaker: str
    split: Split
    audio: Path
    prompt: Prompt
    judgement: Judgement
    age: int | None
    gender: str | None

    @property
    def is_child(self) -> bool | None:
        """Whether the speaker is under `ADULT`; None where the age is not known."""
        return None if self.age is None else self.age < ADULT


@dataclass(frozen=True)
class Corpus:
    """A checked corpus in memory (no audio). `fingerprint` hashes labels and the names and sizes of the audio files."""

    name: str
    root: Path
    utterances: tuple[Utterance, ...]
    fingerprint: str
    synthetic: bool

    def split(self, name: Split) -> tuple[Utterance, ...]:
        """Utterances of one split, sorted by id. `train` is without the dev speakers."""
        if name not in SPLITS:
            raise PhonobenchError(f"unknown split {name!r}; one of {', '.join(SPLITS)}")
        return tuple(u for u in self.utterances if u.split == name)


@dataclass(frozen=True, eq=False)
class Posteriors:
    """What one model recognised in each utterance of a split.

    `logp[i]` has shape (frames, 40): log-probabilities over blank (column 0) and `phones.PHONES` (columns 1 to 39),
    float16 or float32, one row every `hop` seconds.
    """

    ids: tuple[str, ...]
    logp: tuple[np.ndarray, ...]
    hop: float

    def __len__(self) -> int:
        return len(self.ids)


class Evidence(Protocol):
    """What is known about the sounds of one utterance; tasks see this and the prompt, nothing else.

    Phone ids are columns of the posteriors: 1 to 39, never the blank.
    """

    def best(self) -> tuple[int, ...]:
        """The most probable phone ids, as far as the decoder finds them."""
        ...

    def loglik(self, ids: tuple[int, ...]) -> float:
        """log P(ids | audio) by the CTC forward algorithm, nats; -inf where no path exists."""
        ...

    def rivals(self, ids: tuple[int, ...]) -> Rivals:
        """Log-likelihoods of `ids` with each phone replaced by every phone, or left out."""
        ...


@dataclass(frozen=True, eq=False)
class Rivals:
    """The expected phones of an utterance against all their rivals, whole-sequence log-likelihoods in nats.

    `loglik`: of the expected sequence. `substitute`: (N, 39), entry [i, q] with phone i replaced by phone id q + 1
    (at the canonical phone itself it equals `loglik`). `delete`: (N,), with phone i left out.
    """

    loglik: float
    substitute: np.ndarray
    delete: np.ndarray


@dataclass(frozen=True)
class Progress:
    """One step of long work, handed to a `report` callback: `done` of `total` units of `stage`, with a short note."""

    stage: str
    done: int
    total: int
    note: str = ""


OnProgress = Callable[[Progress], None]
"""What long work calls after each step."""
