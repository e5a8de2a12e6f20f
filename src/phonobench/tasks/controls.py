"""Negative controls: a score that depends on the audio must fall when the audio is another's, silence, or noise.

Rows are utterances. `true` and each control hold the sum of the phone scores of the same prompt, `phones` their
number; a control that was not run on an utterance is NaN there.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from phonobench.corpora.control_audio import CONTROL_AUDIO
from phonobench.stats import Rows, Undefined, auc, gather, ratio
from phonobench.tasks.prediction import Prediction
from phonobench.tasks.task import NATS, Metric, finite
from phonobench.types import Utterance

NAME = "controls"
SWAPPED = "swapped"
STORED = tuple(CONTROL_AUDIO)
"""Silence and noise: controls whose posteriors lie beside those of the split, as `<split>-<control>`."""
CONTROLS = (SWAPPED, *STORED)


def partners(utterances: Sequence[Utterance]) -> dict[str, str]:
    """For each utterance the id of another speaker's utterance of another sentence, whose audio replaces its own.

    A fixed shuffle (by the hash of the ids) is walked from each utterance to the first that fits. Utterances without
    one (all others are of the same speaker or sentence) are not in the result.
    """
    order = sorted(utterances, key=lambda u: hashlib.sha256(u.id.encode()).digest())
    found = {}
    for place, utterance in enumerate(order):
        for other in order[place + 1 :] + order[:place]:
            if other.speaker != utterance.speaker and other.prompt.phones != utterance.prompt.phones:
                found[utterance.id] = other.id
                break
    return found


def rows(
    utterances: Sequence[Utterance],
    true: Sequence[Prediction],
    controls: Mapping[str, Mapping[str, Prediction]],
) -> Rows:
    """Score sums of each utterance under its own audio and under each control.

    Args:
        utterances: of a split.
        true: their predictions, in the same order.
        controls: by control, then by utterance id, the prediction of its prompt from the other audio.
    """
    parts = []
    for utterance, prediction in zip(utterances, true, strict=True):
        part = {
            "phones": np.array([float(len(utterance.prompt.phones))]),
            "true": np.array([prediction.phone_score.sum()]),
        }
        for control in CONTROLS:
            replaced = controls.get(control, {}).get(utterance.id)
            part[control] = np.array([math.nan if replaced is None else replaced.phone_score.sum()])
        parts.append(part)
    return gather(parts, [u.speaker for u in utterances])


_ABSENT = {SWAPPED: "no other speaker reads another sentence: no audio to swap with"}


def _required(control: str, rows: Rows) -> None:
    if not len(rows):
        raise Undefined(_ABSENT.get(control, f"no posteriors of the control {control!r}"))


def _mean(control: str, rows: Rows, weights: np.ndarray) -> np.ndarray:
    _required(control, rows)
    return ratio(rows[control], rows["phones"], rows.speaker, weights)


def _fall(control: str, rows: Rows, weights: np.ndarray) -> np.ndarray:
    _required(control, rows)
    return ratio(rows["true"] - rows[control], rows["phones"], rows.speaker, weights)


def _auc(control: str, rows: Rows, weights: np.ndarray) -> np.ndarray:
    _required(control, rows)
    score = np.concatenate([rows["true"] / rows["phones"], rows[control] / rows["phones"]])
    truth = np.arange(len(score)) < len(rows)
    return auc(score, truth, np.concatenate([rows.speaker, rows.speaker]), weights)


def _metrics() -> tuple[Metric, ...]:
    mean = partial(Metric, unit="utterance", better="none", display=NATS)
    found = [
        mean(
            name="phone_score_true",
            text="mean phone score, true audio",
            value=partial(_mean, "true"),
            label="mean phone score, true audio",
            short="true score",
            shown="tables",
        )
    ]
    for control in CONTROLS:
        keep = partial(finite, control)
        found += [
            mean(
                name=f"phone_score_{control}",
                text=f"mean phone score, {control} audio",
                value=partial(_mean, control),
                keep=keep,
                label=f"mean phone score, {control} audio",
                shown="on request",
            ),
            Metric(
                f"phone_fall_{control}",
                "utterance",
                f"mean phone score of true less {control} audio, same prompts",
                partial(_fall, control),
                keep=keep,
                label=f"mean phone score, true less {control} audio",
                short=f"fall, {control}",
                display=NATS,
                shown="tables",
            ),
            Metric(
                f"true_auc_{control}",
                "utterance",
                f"AUC of an utterance's mean phone score, true against {control} audio",
                partial(_auc, control),
                keep=keep,
                label=f"AUC of true against {control} audio",
                short=f"AUC, {control}",
                statistic="roc_auc",
            ),
        ]
    return tuple(found)


METRICS = _metrics()
