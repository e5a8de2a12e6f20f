"""What learners answer of one utterance, and how several answers become one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from phonobench.assessment.types import WORD_SCORES

ModelOutput = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""phone (N,), error (N,), word (W, 3), sentence (4,): shares of their scales, and the error's probability."""


def mean(answers: Sequence[ModelOutput]) -> ModelOutput:
    """The mean of several answers about the same utterance."""
    phone, error, word, sentence = (np.mean(np.stack(part), axis=0) for part in zip(*answers, strict=True))
    return phone, error, word, sentence


def if_read(answer: ModelOutput, read: float) -> ModelOutput:
    """What an answer about a prompt that was read is worth where it was read with that probability: what nobody reads
    is all wrong. Stress stays as it is: how an unread word was stressed is not known."""
    phone, error, word, sentence = answer
    kept = np.array([1.0 if name == "stress" else read for name in WORD_SCORES])
    return read * phone, 1 - read * (1 - error), kept * word, read * sentence
