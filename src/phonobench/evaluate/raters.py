"""The human bar: how one rater agrees with the other four, and how trained scorers agree with the same four, paired.

Every rater in turn is held against the mean of the others, and so is the scorer; both figures are means over the
raters, on the same draws of speakers, so that their difference has an interval. Correlations are Pearson's. A rater
calls a phone mispronounced where his own score is below 0.5, and it is where the mean of the others is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from phonobench import stats
from phonobench.assessment.types import SENTENCE_SCORES, WORD_SCORES, Assessment
from phonobench.corpora import raters
from phonobench.stats.bootstrap import RESAMPLES, SEED, Difference, Estimate
from phonobench.tasks.detection import TARGETS
from phonobench.types import Corpus, PhonobenchError, Split

JUDGEMENTS = {
    "phone_model_pearson": "phone_accuracy",
    **{f"word_model_{name}_pearson": f"word_{name}" for name in WORD_SCORES},
    **{f"utterance_model_{name}_pearson": name for name in SENTENCE_SCORES},
}
"""By the scorer's metric the field of `Ratings`."""
DETECTION = ("phone_model_auc", "phone_model_f1")
_MISPRONOUNCED = next(target for target in TARGETS if target.name == "phone").is_positive


@dataclass(frozen=True, eq=False)
class SystemScores:
    """A trained scorer: what it says of each utterance, by id, and its threshold on the error of a phone."""

    told: Mapping[str, Assessment]
    threshold: float


@dataclass(frozen=True)
class RaterAgreement:
    """One metric: a rater's figure against the others, that of pairs of raters (correlations only), and by scorer its
    figure against the same raters with its difference from the human one."""

    rater: Estimate
    pairwise: Estimate | None
    machines: dict[str, tuple[Estimate, Difference]] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        """The same as JSON-able data."""
        return {
            "rater": _plain(self.rater), "pairwise": None if self.pairwise is None else _plain(self.pairwise),
            "scorers": {
                name: {"value": _plain(value), "difference": _plain(difference)}
                for name, (value, difference) in self.machines.items()
            },
        }  # fmt: skip


def rater_agreement(
    corpus: Corpus, machines: Mapping[str, SystemScores], split: Split = "test", *,
    ratings: Mapping[str, raters.Ratings] | None = None, resamples: int = RESAMPLES, seed: int = SEED,
) -> dict[str, RaterAgreement]:  # fmt: skip
    """The bar of every metric in `JUDGEMENTS` and `DETECTION`.

    Raises PhonobenchError where the corpus has no single ratings, or a scorer lacks an utterance.
    """
    ratings = raters.read(corpus.root) if ratings is None else ratings
    utterances = corpus.split(split)
    for name, machine in machines.items():
        if lacking := [u.id for u in utterances if u.id not in machine.told]:
            raise PhonobenchError(f"{name} says nothing of {len(lacking)} {split} utterances, {lacking[0]} for one")
    draws = stats.speaker_draws(len({u.speaker for u in utterances}), resamples, seed)

    def column(machine: SystemScores, of: Callable[[Assessment], np.ndarray]) -> np.ndarray:
        return np.concatenate([of(machine.told[u.id]) for u in utterances])

    found = {}
    for metric, judgement in JUDGEMENTS.items():
        scores, speaker = raters.table(corpus, ratings, judgement, split)
        said = {name: column(machine, partial(_said, judgement)) for name, machine in machines.items()}
        found[metric] = _or_reason(partial(_correlated, scores, speaker, said, draws))
    scores, speaker = raters.table(corpus, ratings, "phone_accuracy", split)
    errors = {name: column(machine, lambda told: told.phone_error) for name, machine in machines.items()}
    flagged = {name: errors[name] >= machine.threshold for name, machine in machines.items()}
    ranked, decided = DETECTION
    detected = partial(_detected, scores=scores, speaker=speaker, draws=draws)
    found[ranked] = _or_reason(partial(detected, stats.auc, -scores, errors))
    found[decided] = _or_reason(partial(detected, _f1, _MISPRONOUNCED(scores), flagged))
    return found


def _said(judgement: str, told: Assessment) -> np.ndarray:
    """What an assessment says of a judgement, one number a unit."""
    unit, _, name = judgement.partition("_")
    if unit == "phone":
        return told.phone.value
    return told.word[name].value if unit == "word" else np.atleast_1d(told.sentence[judgement].value)


def _or_reason(bar: Callable[[], RaterAgreement]) -> RaterAgreement:
    """The bar, or one without a value that says why it has none."""
    try:
        return bar()
    except stats.Undefined as reason:
        return RaterAgreement(stats.undefined(str(reason)), None)


def _plain(figure: Estimate | Difference) -> dict[str, Any]:
    """Fields as JSON-able data: NaN is null, and `reason` says why."""
    return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in vars(figure).items()}


def _correlated(
    scores: np.ndarray, speaker: np.ndarray, said: Mapping[str, np.ndarray], draws: np.ndarray
) -> RaterAgreement:
    whole = np.isfinite(scores).all(axis=1)
    table, owner = scores[whole], speaker[whole]

    count = table.shape[1]
    others = [np.delete(table, k, axis=1).mean(axis=1) for k in range(count)]
    pairs = [stats.pearson(table[:, i], table[:, j], owner, draws) for i, j in combinations(range(count), 2)]
    human = _mean([stats.pearson(table[:, k], others[k], owner, draws) for k in range(count)])
    machines = {
        name: _mean([stats.pearson(column[whole], other, owner, draws) for other in others])
        for name, column in said.items()
    }
    return _bar(human, _mean(pairs), machines, owner)


Statistic = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def _detected(
    statistic: Statistic, human: np.ndarray, said: Mapping[str, np.ndarray], scores: np.ndarray, speaker: np.ndarray,
    draws: np.ndarray,
) -> RaterAgreement:  # fmt: skip
    """`human` (units, R) and `said[name]` (units,) against what the other raters call mispronounced."""
    whole = np.isfinite(scores).all(axis=1)
    owner = speaker[whole]
    truths = [_MISPRONOUNCED(np.delete(scores[whole], k, axis=1).mean(axis=1)) for k in range(scores.shape[1])]
    own = _mean([statistic(human[whole, k], truth, owner, draws) for k, truth in enumerate(truths)])
    machines = {
        name: _mean([statistic(column[whole], truth, owner, draws) for truth in truths])
        for name, column in said.items()
    }
    return _bar(own, None, machines, owner)


def _f1(flagged: np.ndarray, truth: np.ndarray, speaker: np.ndarray, draws: np.ndarray) -> np.ndarray:
    return stats.f1(stats.confusion(flagged, truth, speaker, draws))


def _bar(
    human: np.ndarray, pairwise: np.ndarray | None, machines: Mapping[str, np.ndarray], owner: np.ndarray
) -> RaterAgreement:
    size, people = len(owner), len(np.unique(owner))
    return RaterAgreement(
        stats.estimate(human, size, people),
        None if pairwise is None else stats.estimate(pairwise, size, people),
        {
            name: (stats.estimate(values, size, people), stats.difference(values, human, people))
            for name, values in machines.items()
        },
    )  # fmt: skip


def _mean(values: Sequence[np.ndarray]) -> np.ndarray:
    return np.mean(np.stack(values), axis=0)
