"""Inter-rater agreement: one rater against the other four, and trained scorers against the same four, paired.

Every rater in turn is compared with the mean of the others, and so is the scorer; both figures are means over the
raters, on the same draws of speakers, so that their difference has an interval. Correlations are Pearson's. A rater
flags a phone where their own score is below 0.5; it is mispronounced where the mean of the others is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from typing import Any, cast

import numpy as np

from phonobench import stats, store
from phonobench.assessment.types import SENTENCE_SCORES, WORD_SCORES, Assessment
from phonobench.corpora import raters
from phonobench.stats.bootstrap import RESAMPLES, SEED, Difference, Estimate
from phonobench.tasks.detection import POSITIVE
from phonobench.types import Corpus, PhonobenchError, Split, Utterance

JUDGEMENTS = {
    "phone_model_pearson": "phone_accuracy",
    **{f"word_model_{name}_pearson": f"word_{name}" for name in WORD_SCORES},
    **{f"utterance_model_{name}_pearson": name for name in SENTENCE_SCORES},
}
"""By the scorer's metric the field of `Ratings`."""
DETECTION = ("phone_model_auc", "phone_model_f1")


Statistic = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""Of scores, truth, speaker index and draws, one value a draw."""


@dataclass(frozen=True, eq=False)
class SystemScores:
    """A trained scorer: its assessment of each utterance, by id, and its threshold on the error of a phone."""

    assessments: Mapping[str, Assessment]
    threshold: float


@dataclass(frozen=True)
class RaterAgreement:
    """One metric of a rater against the others, and of scorers against the same raters.

    Args:
        rater: mean over the raters, each against the mean of the others.
        pairwise: mean over pairs of raters; correlations only.
        systems: by scorer its figure against the same raters, and the difference from the rater's.
    """

    rater: Estimate
    pairwise: Estimate | None
    systems: dict[str, tuple[Estimate, Difference]] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        """The same as JSON-able data, as in `results/raters.json`."""
        fields = {
            "rater": vars(self.rater),
            "pairwise": None if self.pairwise is None else vars(self.pairwise),
            "scorers": {
                name: {"value": vars(value), "difference": vars(difference)}
                for name, (value, difference) in self.systems.items()
            },
        }
        return cast(dict[str, Any], store.without_nan(fields))


@dataclass(frozen=True, eq=False)
class _Rated:
    """Units that every rater scored: the scores (U, R), the speaker of each (U,), and the draws of speakers."""

    scores: np.ndarray
    speaker: np.ndarray
    draws: np.ndarray

    def others(self) -> list[np.ndarray]:
        """For each rater the mean of the other raters, (U,) each."""
        return [np.delete(self.scores, k, axis=1).mean(axis=1) for k in range(self.scores.shape[1])]

    def mean(self, statistic: Statistic, pairs: Iterable[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
        """Mean of a statistic over pairs of scores and truth, a value a draw."""
        mean: np.ndarray = np.mean(np.stack([statistic(*pair, self.speaker, self.draws) for pair in pairs]), axis=0)
        return mean

    def agreement(
        self, rater: np.ndarray, pairwise: np.ndarray | None, systems: Mapping[str, np.ndarray]
    ) -> RaterAgreement:
        """Estimates and paired differences from values over the draws."""
        size = len(self.speaker), len(np.unique(self.speaker))
        return RaterAgreement(
            stats.estimate(rater, *size),
            None if pairwise is None else stats.estimate(pairwise, *size),
            {
                name: (stats.estimate(values, *size), stats.difference(values, rater, size[1]))
                for name, values in systems.items()
            },
        )


def rater_agreement(
    corpus: Corpus,
    systems: Mapping[str, SystemScores],
    split: Split = "test",
    *,
    ratings: Mapping[str, raters.Ratings] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> dict[str, RaterAgreement]:
    """Agreement of raters, and of scorers with raters, in every metric of `JUDGEMENTS` and `DETECTION`.

    Args:
        corpus: with single ratings.
        systems: scorers by name.
        split: to be measured.
        ratings: by utterance id; read from the corpus where None.
        resamples: bootstrap draws of speakers.
        seed: of the draws.

    Raises:
        PhonobenchError: where the corpus has no single ratings, or a scorer lacks an utterance.
    """
    ratings = raters.read(corpus.root) if ratings is None else ratings
    utterances = corpus.split(split)
    for name, system in systems.items():
        if lacking := [u.id for u in utterances if u.id not in system.assessments]:
            raise PhonobenchError(f"{name} has no scores of {len(lacking)} {split} utterances, {lacking[0]} for one")
    draws = stats.speaker_draws(len({u.speaker for u in utterances}), resamples, seed)

    found = {}
    for metric, judgement in JUDGEMENTS.items():
        scores, speaker = raters.table(corpus, ratings, judgement, split)
        predicted = {
            name: _column(system, utterances, partial(_estimated, judgement)) for name, system in systems.items()
        }
        found[metric] = _or_reason(partial(_correlated, scores, speaker, predicted, draws))
    scores, speaker = raters.table(corpus, ratings, "phone_accuracy", split)
    errors = {name: _column(system, utterances, lambda one: one.phone_error) for name, system in systems.items()}
    flagged = {name: errors[name] >= system.threshold for name, system in systems.items()}
    ranked, decided = DETECTION
    detected = partial(_detected, scores=scores, speaker=speaker, draws=draws)
    found[ranked] = _or_reason(partial(detected, stats.auc, -scores, errors))
    found[decided] = _or_reason(partial(detected, _f1, POSITIVE["phone"](scores), flagged))
    return found


def _column(
    system: SystemScores, utterances: Sequence[Utterance], of: Callable[[Assessment], np.ndarray]
) -> np.ndarray:
    return np.concatenate([of(system.assessments[u.id]) for u in utterances])


def _estimated(judgement: str, assessment: Assessment) -> np.ndarray:
    """The estimates of a judgement, one number a unit."""
    unit, _, name = judgement.partition("_")
    if unit == "phone":
        return assessment.phone.value
    return assessment.word[name].value if unit == "word" else np.atleast_1d(assessment.sentence[judgement].value)


def _or_reason(measure: Callable[[], RaterAgreement]) -> RaterAgreement:
    """The agreement, or one without a value, with the reason."""
    try:
        return measure()
    except stats.Undefined as reason:
        return RaterAgreement(stats.undefined(str(reason)), None)


def _correlated(
    scores: np.ndarray, speaker: np.ndarray, predicted: Mapping[str, np.ndarray], draws: np.ndarray
) -> RaterAgreement:
    whole = np.isfinite(scores).all(axis=1)
    rated = _Rated(scores[whole], speaker[whole], draws)
    columns, others = list(rated.scores.T), rated.others()
    return rated.agreement(
        rated.mean(stats.pearson, zip(columns, others, strict=True)),
        rated.mean(stats.pearson, combinations(columns, 2)),
        {
            name: rated.mean(stats.pearson, [(column[whole], other) for other in others])
            for name, column in predicted.items()
        },
    )


def _detected(
    statistic: Statistic,
    own: np.ndarray,
    predicted: Mapping[str, np.ndarray],
    scores: np.ndarray,
    speaker: np.ndarray,
    draws: np.ndarray,
) -> RaterAgreement:
    """The raters' `own` (U, R) and each `predicted` (U,) against the phones that the other raters flag."""
    whole = np.isfinite(scores).all(axis=1)
    rated = _Rated(scores[whole], speaker[whole], draws)
    truths = [POSITIVE["phone"](other) for other in rated.others()]
    return rated.agreement(
        rated.mean(statistic, zip(own[whole].T, truths, strict=True)),
        None,
        {
            name: rated.mean(statistic, [(column[whole], truth) for truth in truths])
            for name, column in predicted.items()
        },
    )


def _f1(flagged: np.ndarray, truth: np.ndarray, speaker: np.ndarray, draws: np.ndarray) -> np.ndarray:
    return stats.f1(stats.confusion(flagged, truth, speaker, draws))
