"""The output of a learner for one utterance, and how the outputs of several become one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from phonobench.assessment.types import WORD_SCORES

ModelOutput = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""phone (N,), error (N,), word (W, 3), sentence (4,): shares of their scales, and the error's probability."""


def mean(outputs: Sequence[ModelOutput]) -> ModelOutput:
    """The mean of several outputs for the same utterance.

    Example:
        >>> one = np.array([0.2]), np.array([0.5]), np.full((1, 3), 0.4), np.full(4, 0.6)
        >>> two = np.array([0.4]), np.array([0.1]), np.full((1, 3), 0.6), np.full(4, 0.8)
        >>> phone, error, word, sentence = mean([one, two])
        >>> phone.round(2).tolist(), error.round(2).tolist(), sentence.round(2).tolist()
        ([0.3], [0.3], [0.7, 0.7, 0.7, 0.7])
    """
    phone, error, word, sentence = (np.mean(np.stack(part), axis=0) for part in zip(*outputs, strict=True))
    return phone, error, word, sentence


def gated(output: ModelOutput, read_probability: float) -> ModelOutput:
    """The expected output where the prompt was read with `read_probability`, given the `output` if it was read.

    An unread prompt is all wrong: its scores are 0 and every phone is an error. Stress stays as it is, because how an
    unread word was stressed is not known.

    Example:
        >>> read = np.array([0.8]), np.array([0.1]), np.array([[0.6, 0.6, 0.6]]), np.full(4, 0.4)
        >>> phone, error, word, sentence = gated(read, 0.5)
        >>> phone.tolist(), error.tolist(), word.tolist(), sentence.tolist()
        ([0.4], [0.55], [[0.3, 0.6, 0.3]], [0.2, 0.2, 0.2, 0.2])
    """
    phone, error, word, sentence = output
    kept = np.array([1.0 if name == "stress" else read_probability for name in WORD_SCORES])
    return (
        read_probability * phone,
        1 - read_probability * (1 - error),
        kept * word,
        read_probability * sentence,
    )


def combine(outputs: Sequence[ModelOutput], read_probability: float) -> ModelOutput:
    """The output of a whole scorer: the mean of its learners' `outputs`, gated by `read_probability`."""
    return gated(mean(outputs), read_probability)
