"""Gap analysis: where two systems differ on the same utterances, and which one is better there.

PER here is that of an utterance (errors / canonical phones), as a fraction. Differences are first minus second, so a
negative one favours the first; intervals resample speakers and are paired.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from phonobench import edits, phones, stats
from phonobench.evaluate import SplitPredictions, bands
from phonobench.stats.bootstrap import SEED
from phonobench.tasks import Prediction
from phonobench.types import PhonobenchError, Utterance

RESAMPLES = 5000
"""Draws of speakers. p cannot be below 2 / (draws + 1), and Holm multiplies it by up to 39 phones."""


@dataclass(frozen=True)
class Thresholds:
    """What counts as a case. PERs are fractions, `low_accuracy` is a human sentence accuracy (0 to 10).

    An utterance is decided for a system with a PER under `good` when the other's is over `bad`. Poor speech
    (accuracy of `low_accuracy` or less) is detected with a PER over `detects` and missed with one under `misses`.
    """

    good: float = 0.05
    bad: float = 0.20
    low_accuracy: float = 6.0
    detects: float = 0.15
    misses: float = 0.10

    def __post_init__(self) -> None:
        if not (0 <= self.good <= self.bad and 0 <= self.misses <= self.detects):
            raise PhonobenchError(
                f"thresholds good {self.good:g}, bad {self.bad:g}, misses {self.misses:g}, detects {self.detects:g}: "
                "good may not exceed bad, nor misses detects"
            )


@dataclass(frozen=True)
class Contrast:
    """One figure of both systems, `difference` = first - second with its interval and p; null figures have a reason.

    `n` counts utterances, or occurrences of a phone. `p_holm` is corrected over the table it stands in.
    """

    name: str
    n: int
    first: float
    second: float
    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    reason: str | None = None


CaseKind = Literal["first_better", "second_better", "first_detects", "second_detects"]


@dataclass(frozen=True)
class Case:
    """An utterance by which the two differ, with the hypothesis of each (ARPAbet)."""

    kind: CaseKind
    id: str
    speaker: str
    text: str
    accuracy: float
    per_first: float
    per_second: float
    expected: tuple[str, ...]
    heard_first: tuple[str, ...]
    heard_second: tuple[str, ...]


@dataclass(frozen=True)
class GapAnalysis:
    """The whole comparison. `spread`: standard deviations over utterances, of both PERs and of their difference.

    `wins`: utterances with the lower PER, of the first, of the second, and ties. `cases` are sorted by the size of
    the difference within their kind; all are there, writers may show fewer.
    """

    corpus: str
    synthetic: bool
    split: str
    utterances: int
    speakers: int
    complete: bool
    resamples: int
    runs: tuple[str, str]
    thresholds: Thresholds
    overall: tuple[Contrast, ...]
    spread: tuple[float, float, float]
    wins: tuple[int, int, int]
    by_score: tuple[Contrast, ...]
    by_phone: tuple[Contrast, ...]
    cases: tuple[Case, ...]

    def of_kind(self, kind: CaseKind) -> tuple[Case, ...]:
        """The cases of one kind."""
        return tuple(case for case in self.cases if case.kind == kind)


def analyse(
    first: SplitPredictions, second: SplitPredictions, corpus: str, synthetic: bool,
    thresholds: Thresholds | None = None, *,
    resamples: int = RESAMPLES, seed: int = SEED,
) -> GapAnalysis:  # fmt: skip
    """Compares the hypotheses of two runs on the same split.

    Args:
        first: The predictions of one run.
        second: Those of the other.
        corpus: The corpus' name, for the report.
        synthetic: Whether its speech is synthetic.
        thresholds: What makes a case; None: the defaults.
        resamples: Draws of speakers.
        seed: Of the draws.

    Returns:
        Overall differences, those by score and phone, and the cases.

    Raises:
        PhonobenchError: When the utterances differ.
    """
    _check_same(first, second)
    limits = thresholds or Thresholds()
    utterances = first.utterances
    pers = np.array([error_rates(one) for one in (first, second)])
    speaker = _speaker_index(utterances)
    draws = stats.speaker_draws(int(speaker.max()) + 1, resamples, seed)
    wins = (int((pers[0] < pers[1]).sum()), int((pers[1] < pers[0]).sum()), int((pers[0] == pers[1]).sum()))
    return GapAnalysis(
        corpus=corpus,
        synthetic=synthetic,
        split=first.split,
        utterances=len(utterances),
        speakers=len(draws[0]),
        complete=first.complete and second.complete,
        resamples=resamples,
        runs=(first.run_id, second.run_id),
        thresholds=limits,
        overall=_overall(first, pers, limits, speaker, draws),
        spread=tuple(float(x.std(ddof=1)) if len(x) > 1 else math.nan for x in (*pers, pers[0] - pers[1])),  # type: ignore[arg-type]
        wins=wins,
        by_score=_by_score(utterances, pers, speaker, draws),
        by_phone=_by_phone(first, second, speaker, draws),
        cases=_cases(first, second, pers, limits),
    )


def error_rates(predicted: SplitPredictions) -> np.ndarray:
    """PER of each utterance, (U,)."""
    pairs = zip(predicted.utterances, predicted.predictions, strict=True)
    return np.array([edits.align(phones.encode(u.prompt.phones), p.hypothesis).rate for u, p in pairs])


def phone_errors(utterances: Sequence[Utterance], predictions: Sequence[Prediction]) -> tuple[np.ndarray, np.ndarray]:
    """How often each canonical phone occurs in each utterance, and how often it was not recognised as itself.

    Args:
        utterances: Those of the split.
        predictions: One each.

    Returns:
        Occurrences and errors, (U, 39) each. Errors are substitutions and deletions of the edit alignment;
        insertions belong to no phone.
    """
    occurs, missed = (np.zeros((len(utterances), len(phones.PHONES))) for _ in range(2))
    for row, (utterance, prediction) in enumerate(zip(utterances, predictions, strict=True)):
        expected = phones.encode(utterance.prompt.phones)
        for i, j in edits.align(expected, prediction.hypothesis).pairs:
            if i is not None:
                occurs[row, expected[i] - 1] += 1
                missed[row, expected[i] - 1] += j is None or prediction.hypothesis[j] != expected[i]
    return occurs, missed


def _check_same(first: SplitPredictions, second: SplitPredictions) -> None:
    if first.run_id == second.run_id:
        raise PhonobenchError(f"both runs are {first.run_id}: name two different ones")
    ours, theirs = ({u.id for u in one.utterances} for one in (first, second))
    if ours != theirs or first.split != second.split:
        raise PhonobenchError(
            f"runs {first.run_id} and {second.run_id} do not cover the same {first.split} utterances "
            f"({len(ours)} and {len(theirs)}): infer both on the same corpus"
        )


def _speaker_index(utterances: Sequence[Utterance]) -> np.ndarray:
    return np.unique([u.speaker for u in utterances], return_inverse=True)[1].astype(np.int32)


def _overall(
    predicted: SplitPredictions, pers: np.ndarray, limits: Thresholds, speaker: np.ndarray, draws: np.ndarray
) -> tuple[Contrast, ...]:
    accuracy = np.array([u.judgement.accuracy for u in predicted.utterances])
    poor, other = accuracy <= limits.low_accuracy, accuracy > limits.low_accuracy
    length = np.array([float(len(u.prompt.phones)) for u in predicted.utterances])
    win = np.array([pers[0] < pers[1], pers[1] < pers[0]], dtype=float)
    found = [
        _contrast("mean PER of an utterance", pers, np.ones(len(speaker)), speaker, draws),
        _contrast("PER, pooled over phones", pers * length, length, speaker, draws),
        _contrast("share of utterances won", win, np.ones(len(speaker)), speaker, draws),
        _contrast("share of poor speech detected", (pers > limits.detects) * poor, poor.astype(float), speaker, draws),
        # What a system flags everywhere it also flags in poor speech: neither row can be read without the other.
        _contrast(
            "share of other speech flagged", (pers > limits.detects) * other, other.astype(float), speaker, draws
        ),
        _contrast("share of poor speech missed", (pers < limits.misses) * poor, poor.astype(float), speaker, draws),
    ]
    return _corrected(found)


def _by_score(
    utterances: Sequence[Utterance], pers: np.ndarray, speaker: np.ndarray, draws: np.ndarray
) -> tuple[Contrast, ...]:
    masks = bands(utterances)["proficiency"]
    found = [_contrast(band, pers * masks[band], masks[band].astype(float), speaker, draws) for band in masks]
    return _corrected(found[::-1])  # best readers first


def _by_phone(
    first: SplitPredictions, second: SplitPredictions, speaker: np.ndarray, draws: np.ndarray
) -> tuple[Contrast, ...]:
    occurs, missed = phone_errors(first.utterances, first.predictions)
    others = phone_errors(second.utterances, second.predictions)[1]
    found = [
        _contrast(phone, np.array([missed[:, q], others[:, q]]), occurs[:, q], speaker, draws)
        for q, phone in enumerate(phones.PHONES)
        if occurs[:, q].any()
    ]
    return tuple(sorted(_corrected(found), key=lambda one: -abs(one.difference)))


def _contrast(name: str, above: np.ndarray, below: np.ndarray, speaker: np.ndarray, draws: np.ndarray) -> Contrast:
    """Pooled rates of both systems, `above` (2, U) over `below` (U,), and their paired difference."""
    n = int(below.sum())
    if not n:
        none = math.nan
        return Contrast(name, 0, none, none, none, none, none, none, none, "no such utterance")
    values = [stats.ratio(one, below, speaker, draws) for one in above]
    gap = stats.difference(values[0], values[1], len(np.unique(speaker[below > 0])))
    return Contrast(
        name, n, float(values[0][0]), float(values[1][0]), gap.value, gap.low, gap.high, gap.p, math.nan, gap.reason
    )


def _corrected(found: Sequence[Contrast]) -> tuple[Contrast, ...]:
    adjusted = stats.holm([one.p for one in found])
    return tuple(Contrast(**{**vars(one), "p_holm": p}) for one, p in zip(found, adjusted, strict=True))


def _cases(first: SplitPredictions, second: SplitPredictions, pers: np.ndarray, limits: Thresholds) -> tuple[Case, ...]:
    accuracy = np.array([u.judgement.accuracy for u in first.utterances])
    poor = accuracy <= limits.low_accuracy
    a, b = pers
    kinds: tuple[tuple[CaseKind, np.ndarray], ...] = (
        ("first_better", (a < limits.good) & (b > limits.bad)),
        ("second_better", (b < limits.good) & (a > limits.bad)),
        ("first_detects", poor & (a > limits.detects) & (b < limits.misses)),
        ("second_detects", poor & (b > limits.detects) & (a < limits.misses)),
    )
    found = []
    for kind, mask in kinds:
        for i in sorted(np.flatnonzero(mask), key=lambda i: -abs(a[i] - b[i])):
            u = first.utterances[i]
            hypotheses = (phones.decode(one.predictions[i].hypothesis) for one in (first, second))
            found.append(
                Case(kind, u.id, u.speaker, u.prompt.text, float(accuracy[i]), float(a[i]), float(b[i]),
                     u.prompt.phones, *hypotheses)
            )  # fmt: skip
    return tuple(found)
