"""Checks of input that every CTC function makes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from phonobench.types import PhonobenchError

SLACK = 0.05
"""How far above 0 a log-probability may lie: rounding of a sum in half precision, not more."""


def posteriors(logp: np.ndarray) -> np.ndarray:
    """Checks that an array holds log-probabilities.

    Args:
        logp: (T, V), of any float type.

    Returns:
        The same as contiguous float64.

    Raises:
        PhonobenchError: for another shape or type, V below 2, NaN, +inf, values above 0 (logits are not
            log-probabilities) and a frame in which nothing is possible.

    Example:
        >>> posteriors(np.zeros((1, 2), dtype=np.float16)).dtype
        dtype('float64')
    """
    logp = np.asarray(logp)
    if logp.ndim != 2 or logp.shape[1] < 2:
        raise PhonobenchError(f"posteriors of shape {logp.shape}: must be (frames, blank and phones)")
    if not np.issubdtype(logp.dtype, np.floating):
        raise PhonobenchError(f"posteriors of type {logp.dtype}: must be floating-point log-probabilities")
    exact = np.ascontiguousarray(logp, dtype=np.float64)
    best = exact.max(axis=1)  # NaN wherever a NaN is
    faulty = np.flatnonzero(~((best <= SLACK) & (best > -np.inf)))
    if len(faulty):
        frame = int(faulty[0])
        raise PhonobenchError(
            f"posteriors have a best value of {best[frame]:g} in frame {frame} of {len(best)}: must be natural "
            "log-probabilities (finite and not above 0); apply log_softmax, infer again if the file is damaged"
        )
    return exact


def labels(ids: Sequence[int], columns: int) -> np.ndarray:
    """Checks that ids are phone columns.

    Args:
        ids: the N phones.
        columns: width V of the posteriors, blank included.

    Returns:
        The ids as int64 (N,).

    Raises:
        PhonobenchError: for an id outside 1 to V - 1.

    Example:
        >>> labels((1, 39), 40).tolist()
        [1, 39]
    """
    found = np.asarray(tuple(ids), dtype=np.int64).reshape(-1)
    outside = found[(found < 1) | (found >= columns)]
    if len(outside):
        raise PhonobenchError(f"phone id {outside[0]} is outside 1..{columns - 1} of the posteriors (0 is the blank)")
    return found
