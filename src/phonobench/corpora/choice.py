"""By which utterances a choice is made on dev: of an epoch, a blank's bias, a decoder, the weights of a fusion.

It is made by PER (HQ), over the utterances that were read well (`HQ_ACCURACY`). A corpus without sentence scores
cannot say which these are: then the choice is made by PER over all utterances, and whoever makes it says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from phonobench.types import HQ_ACCURACY, Utterance

ChoiceMetric = Literal["per_hq", "per"]
TITLES: dict[ChoiceMetric, str] = {"per_hq": "PER (HQ)", "per": "PER"}
"""What the metrics are called in messages and tables."""


@dataclass(frozen=True)
class ChoiceSet:
    """The utterances whose pooled PER makes a choice.

    `places` are their indices among those that were given. `metric` is `per_hq`, or `per` where all of them count;
    `reason` then says why, and is None otherwise.
    """

    metric: ChoiceMetric
    places: tuple[int, ...]
    reason: str | None = None

    @property
    def title(self) -> str:
        """The metric as messages and tables call it."""
        return TITLES[self.metric]

    def json(self) -> dict[str, object]:
        """The same for a manifest: the metric, the number of utterances, and the reason."""
        return {"metric": self.metric, "utterances": len(self.places), "reason": self.reason}


def choice_set(utterances: Sequence[Utterance]) -> ChoiceSet:
    """The well-read utterances, or all of them where none is known to be well read.

    Args:
        utterances: of the split on which the choice is made, in any order.

    Example:
        >>> from types import SimpleNamespace as Record
        >>> read = [Record(judgement=Record(accuracy=score)) for score in (9.0, 5.0, 8.0)]
        >>> choice_set(read).metric, choice_set(read).places
        ('per_hq', (0, 2))
        >>> choice_set([Record(judgement=Record(accuracy=float("nan")))]).reason
        'no utterance has a human sentence accuracy'
    """
    accuracy = [u.judgement.accuracy for u in utterances]
    well_read = tuple(place for place, score in enumerate(accuracy) if score >= HQ_ACCURACY)
    if well_read:
        return ChoiceSet("per_hq", well_read)
    scored = any(score == score for score in accuracy)
    reason = f"no utterance has a human sentence accuracy{f' of {HQ_ACCURACY:g} or more' if scored else ''}"
    return ChoiceSet("per", tuple(range(len(accuracy))), reason)


def dev_per(entry: Mapping[str, Any]) -> float | None:
    """The PER that a choice was made by, out of an entry of a manifest; None where it has none.

    Example:
        >>> dev_per({"epoch": 1, "dev_per_hq": 0.25}), dev_per({"epoch": 1, "dev_per": 0.5}), dev_per({})
        (0.25, 0.5, None)
    """
    return next((entry[f"dev_{metric}"] for metric in TITLES if f"dev_{metric}" in entry), None)
