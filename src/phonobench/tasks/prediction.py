"""What is predicted of one utterance, from the evidence and the prompt alone.

The human judgement is not an argument, so no prediction can depend on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from phonobench import gop, phones
from phonobench.types import Evidence, Prompt

FLOOR = -100.0
"""Lowest phone score, nats. Scores below it, and those of phones that no path allows (log 0), are set to it."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """The recognised phones, and for each of the N expected phones its score and its best rival.

    Args:
        hypothesis: phone ids as decoded.
        phone_score: (N,), finite, higher is better: `gop.SCORERS[gop.DEFAULT]`, but not below `FLOOR`.
        rival: (N,), the phone id that fits best in place of each expected phone, itself excluded; 0 where a deletion
            fits better still.
        floored: how many scores were set to the floor.
    """

    hypothesis: tuple[int, ...]
    phone_score: np.ndarray
    rival: np.ndarray
    floored: int


def predict(evidence: Evidence, prompt: Prompt) -> Prediction:
    """Decodes the phones and scores the expected ones against their rivals; no alignment, nothing fitted.

    Args:
        evidence: What was recognised.
        prompt: The text that was to be read.

    Returns:
        The hypothesis, and the score and best rival of each expected phone.
    """
    ids = phones.encode(prompt.phones)
    rivals = evidence.rivals(ids)
    raw = np.asarray(gop.SCORERS[gop.DEFAULT](rivals), dtype=np.float64)
    possible = np.isfinite(raw) & (raw >= FLOOR)
    others = np.column_stack([rivals.delete, rivals.substitute]).astype(np.float64)
    others[np.arange(len(ids)), list(ids)] = -np.inf
    return Prediction(
        hypothesis=tuple(evidence.best()),
        phone_score=np.where(possible, raw, FLOOR),
        rival=others.argmax(axis=1),
        floored=int((~possible).sum()),
    )
