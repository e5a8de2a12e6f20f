"""Whether each word of a prompt was said, left out, or replaced by something else.

A multinomial logistic regression on a word's evidence and on what surrounds it. What counts as a badly pronounced phone
is learnt too: `confusions` say what readers say in place of each phone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from phonobench.assessment.model.features import Description
from phonobench.assessment.model.word_evidence import WORD_FEATURES
from phonobench.phones import PHONES

CLASSES = ("said", "omitted", "replaced")
"""What may have become of a word; columns of `Presence.probabilities`."""
SAID, OMITTED, REPLACED = range(3)
NEAR = 2
"""Phones to either side of a word that are near it."""
LOW = -2.0
"""Log-posterior of an expected phone below which it is badly matched."""
USUAL = -1.5
"""Log-posterior that stands for the rest of the prompt where there is none."""
PRESENCE_FEATURES = (
    *WORD_FEATURES,
    "own_mean", "own_least", "own_most", "nothing", "phones",
    "confused_mean", "confused_sum", "confused_least", "confused_most", "replaced_mean", "replaced_sum",
    "rest_mean", "rest_spread", "rest_low", "own_against_rest", "near_mean", "errors",
)  # fmt: skip
"""What the regression reads of a word, the mean over acoustic models.

Of its phones' log-posteriors the mean and extremes, the mean probability of nothing, their number; by the confusions
the log-ratio of "a reader says this phone" to "some phone" (`replaced`: given that there is any); the same
log-posteriors over the rest of the prompt and near the word; the phone error rate of the whole."""


@dataclass(frozen=True, eq=False)
class Presence:
    """The regression: features standardised by `mean` and `scale` (F,), `weights` (3, F), `offset` (3,).

    `confusions` (40, 40): row q the probability of nothing (column 0) and of each phone where phone q is expected; row
    0 of each in general. A word counts as said from the probability `threshold` on.
    """

    mean: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    offset: np.ndarray
    confusions: np.ndarray
    threshold: float

    def probabilities(self, description: Description, names: Sequence[str]) -> np.ndarray:
        """Of every word the probability of each of `CLASSES`: (W, 3).

        Args:
            description: of one utterance, by one model or several side by side.
            names: the features that its rows hold of each model.
        """
        return self.of_values(values_of(description, names, self.confusions))

    def of_values(self, values: np.ndarray) -> np.ndarray:
        """As `probabilities`, from `values_of`."""
        logits = (values - self.mean) / self.scale @ self.weights.T + self.offset
        shares: np.ndarray = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
        return shares

    def to_json(self) -> dict[str, Any]:
        """As JSON keeps it, six digits a number."""
        arrays = {name: getattr(self, name) for name in ("mean", "scale", "weights", "offset", "confusions")}
        return {name: _rounded(array) for name, array in arrays.items()} | {"threshold": self.threshold}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Presence:
        """The inverse of `to_json`."""
        names = ("mean", "scale", "weights", "offset", "confusions")
        arrays = {name: np.array(fields[name], dtype=np.float64) for name in names}
        return cls(**arrays, threshold=float(fields["threshold"]))


def _rounded(array: np.ndarray) -> Any:
    return np.vectorize(lambda x: float(f"{x:.6g}"))(array).tolist()


def values_of(description: Description, names: Sequence[str], confusions: np.ndarray) -> np.ndarray:
    """`PRESENCE_FEATURES` of every word, the mean over the models: (W, F) float64."""
    d = description
    by_model = d.rows.reshape(len(d.rows), -1, len(names)).astype(np.float64)
    own_features = d.word_rows.reshape(len(d.word_rows), by_model.shape[1], -1).astype(np.float64)
    parts = [
        _values(by_model[:, m], names, own_features[:, m], d.ids, d.words, confusions) for m in range(by_model.shape[1])
    ]
    mean: np.ndarray = np.mean(parts, axis=0)
    return mean


def rivals_of(rows: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Log-posterior of nothing and of every phone in each place, from the rows of one model: (N, 40)."""
    columns = [names.index(f"rival_{name}") for name in ("none", *PHONES)]
    found: np.ndarray = rows[:, columns]
    return found


def _values(
    rows: np.ndarray, names: Sequence[str], evidence: np.ndarray, ids: np.ndarray, words: np.ndarray,
    confusions: np.ndarray,
) -> np.ndarray:  # fmt: skip
    rivals = rivals_of(rows, names)
    own = rivals[np.arange(len(ids)), ids]
    expected, usual = np.log(confusions[ids]), np.log(confusions[0])
    confused = np.logaddexp.reduce(rivals + expected, axis=1) - np.logaddexp.reduce(rivals + usual, axis=1)
    present = [np.logaddexp.reduce((rivals + log)[:, 1:], axis=1) for log in (expected, usual)]
    replaced = present[0] - present[1]
    errors = rows[0, names.index("heard_errors")]
    found = []
    for k in range(int(words.max()) + 1):
        mine = words == k
        rest = own[~mine]
        first, last = np.flatnonzero(mine)[[0, -1]]
        near = np.concatenate([own[max(0, first - NEAR) : first], own[last + 1 : last + 1 + NEAR]])
        mean_rest = rest.mean() if len(rest) else USUAL
        found.append((
            *evidence[k],
            own[mine].mean(), own[mine].min(), own[mine].max(), np.exp(rivals[mine, 0]).mean(), mine.sum(),
            confused[mine].mean(), confused[mine].sum(), confused[mine].min(), confused[mine].max(),
            replaced[mine].mean(), replaced[mine].sum(),
            mean_rest, np.sqrt(np.mean(rest**2)) if len(rest) else -USUAL, (rest < LOW).mean() if len(rest) else 0.0,
            own[mine].mean() - mean_rest, near.mean() if len(near) else USUAL, errors,
        ))  # fmt: skip
    return np.array(found)
