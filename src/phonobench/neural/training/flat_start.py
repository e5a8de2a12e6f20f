"""Rough times of phones where no model gives any: the flat start of hidden Markov models, one Gaussian a phone.

Phones are laid at equal lengths over the loud frames of each utterance. Then, some rounds long, a Gaussian of the
frames of each phone (and of silence) is fitted, and every utterance is aligned to them anew by the best path, silence
optional between phones. An encoder of random weights learns the sounds from such times; CTC alone first teaches it
blank everywhere, and with two hours of speech it stays there for long. Source: Young et al., The HTK Book (flat start).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from phonobench.ctc import kernels
from phonobench.neural.frontends.mel import MelFrontEnd
from phonobench.neural.training.batches import TrainingData
from phonobench.phones import BLANK, COLUMNS
from phonobench.types import OnProgress, Progress

ROUNDS = 6
BANDS, CEPSTRA = 40, 13
LOUD = 0.35
"""Of the way from an utterance's quietest to its loudest frames (5 and 95 of 100), above which frames are speech."""
SHARED = 100.0
"""Frames' worth of the covariance of all frames that is added to each phone's own, so that rare phones have one."""


def label_states(data: TrainingData, report: OnProgress) -> list[np.ndarray]:
    """The phone of each state (20 ms) of each utterance, by rounds of a flat start.

    Args:
        data: The training utterances.
        report: Called with the progress.

    Returns:
        (S,) ids of canonical phones an utterance, 0 for silence. One with fewer states than phones keeps the labels of
        equal lengths.
    """
    cepstral, loudness = _features(data, report)
    ids = [np.array(phones, dtype=np.int64) for phones in data.targets]
    labels = [equal_lengths(level, phones) for level, phones in zip(loudness, ids, strict=True)]
    frames, ends = np.concatenate(cepstral), np.cumsum([len(one) for one in cepstral])[:-1]
    for done in range(1, ROUNDS + 1):
        before = np.concatenate(labels)
        scores = np.split(densities(frames, before), ends)
        labels = [realign(*one) for one in zip(scores, ids, labels, strict=True)]
        moved = float(np.mean(np.concatenate(labels) != before))
        report(Progress("flat start", done, ROUNDS, f"{moved:.1%} of the frames moved"))
    return labels


def equal_lengths(loudness: np.ndarray, phones: np.ndarray) -> np.ndarray:
    """Labels (S,): `phones` (N,) at equal lengths over the frames that are loud for their utterance, else silence."""
    low, high = np.quantile(loudness, (0.05, 0.95))
    speech = np.flatnonzero(loudness > low + LOUD * (high - low))
    labels = np.full(len(loudness), BLANK)
    if len(phones):
        labels[speech] = phones[np.arange(len(speech)) * len(phones) // max(1, len(speech))]
    return labels


def densities(frames: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Log-densities (T, 40), up to a constant, of `frames` (T, D) under the Gaussian of each label's frames."""
    overall = np.cov(frames.T)
    found = np.empty((len(frames), COLUMNS))
    for column in range(COLUMNS):
        own = frames[labels == column]
        mean = own.mean(0) if len(own) else frames.mean(0)
        spread = (own - mean).T @ (own - mean)
        lower = np.linalg.cholesky((spread + SHARED * overall) / (len(own) + SHARED))
        white = np.linalg.inv(lower)
        found[:, column] = -0.5 * np.square((frames - mean) @ white.T).sum(1) - np.log(np.diag(lower)).sum()
    return found


def realign(scores: np.ndarray, phones: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Labels (S,) of the best path of `phones` through `scores` (S, 40); `before` where there is none."""
    path, loglik = kernels.viterbi(np.ascontiguousarray(scores), phones)
    if loglik == -np.inf:
        return before
    states = np.full(2 * len(phones) + 1, BLANK)
    states[1::2] = phones
    labels: np.ndarray = states[path]
    return labels


def _features(data: TrainingData, report: OnProgress) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Of each utterance cepstra with two differences (S, 39), normalised, and the mean log-mel energy (S,)."""
    front, cepstral, loudness = MelFrontEnd(BANDS), [], []
    cosines = np.cos(np.pi / BANDS * np.outer(np.arange(BANDS) + 0.5, np.arange(CEPSTRA)))  # scaled when normalised
    for done, wave in enumerate(data.waves, start=1):
        mel, states = front([torch.from_numpy(wave)])
        logs = mel[0, :, : 2 * int(states[0])].numpy().T
        cepstra = logs @ cosines
        cepstra = (cepstra - cepstra.mean(0)) / (cepstra.std(0) + 1e-3)
        slope = np.gradient(cepstra, axis=0)
        cepstral.append(
            _halved(np.concatenate([cepstra, slope, np.gradient(slope, axis=0)], axis=1)).astype(np.float64)
        )
        loudness.append(_halved(logs.mean(1)))
        if done % 200 == 0 or done == len(data):
            report(Progress("flat start: features", done, len(data)))
    return cepstral, loudness


def _halved(frames: np.ndarray) -> np.ndarray:
    """Frames of 10 ms to states of 20 ms, by their means."""
    states: np.ndarray = (frames[0::2] + frames[1::2]) / 2
    return states


def stretched(labels: Sequence[int] | np.ndarray, length: int) -> np.ndarray:
    """Labels at another number of frames, each frame by its place in the utterance.

    Args:
        labels: (S,).
        length: Frames that are wanted.

    Returns:
        (length,).

    Example:
        >>> stretched([1, 2], 4).tolist(), stretched([1, 2, 3, 4], 2).tolist()
        ([1, 1, 2, 2], [1, 3])
    """
    return np.asarray(labels)[np.arange(length) * len(labels) // max(1, length)]
