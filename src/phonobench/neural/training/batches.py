"""Training data in memory, and the plan of batches: grouped by length, known for the whole run before it starts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from phonobench import audio, phones
from phonobench.neural.frontends.mel import ROUND, SAMPLES_PER_STATE
from phonobench.systems.recipe import Recipe
from phonobench.types import SAMPLE_RATE, Progress, Utterance

GROUP_SECONDS = ROUND * SAMPLES_PER_STATE / SAMPLE_RATE
"""Seconds of audio that pad to the same number of states."""


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Utterances with their waves (float32, 16 kHz) and target phone ids."""

    utterances: tuple[Utterance, ...]
    waves: tuple[np.ndarray, ...]
    targets: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.utterances)

    @property
    def seconds(self) -> np.ndarray:
        """Duration of each, seconds."""
        return np.array([len(wave) / SAMPLE_RATE for wave in self.waves])


def read(
    utterances: Sequence[Utterance], report: Callable[[Progress], None], stage: str = "read audio"
) -> TrainingData:
    """Decode the audio of all utterances.

    Args:
        utterances: Whose.
        report: Called with the progress.
        stage: Its name in the progress.

    Returns:
        Waves, durations and targets.

    Raises:
        PhonobenchError: Names the first file that cannot be read.
    """
    waves = []
    for done, utterance in enumerate(utterances, start=1):
        waves.append(audio.read(utterance.audio))
        if done % 100 == 0 or done == len(utterances):
            report(Progress(stage, done, len(utterances)))
    return TrainingData(tuple(utterances), tuple(waves), tuple(phones.encode(u.prompt.phones) for u in utterances))


@dataclass(frozen=True)
class Batch:
    """Indices into the training data with the speed at which each is played."""

    items: tuple[int, ...]
    speeds: tuple[float, ...]


def plan(seconds: np.ndarray, batch_seconds: float, speeds: tuple[float, ...], seed: tuple[int, ...]) -> list[Batch]:
    """One epoch: every utterance once, neighbours in length together.

    Utterances that pad to the same length form a group of one batch size, so that the shapes of a run are few.

    Args:
        seconds: Durations, (n,).
        batch_seconds: Audio of a batch, padding counted.
        speeds: Of which each utterance draws one.
        seed: Of the order and the speeds.

    Returns:
        The batches.
    """
    rng = np.random.default_rng(seed)
    speed = rng.choice(np.array(speeds), size=len(seconds))
    group = np.ceil(seconds / speed / GROUP_SECONDS).astype(int)
    chunks = []
    for width in np.unique(group):
        members = rng.permutation(np.flatnonzero(group == width))
        size = max(1, int(batch_seconds / (width * GROUP_SECONDS)))
        chunks += [members[start : start + size] for start in range(0, len(members), size)]
    return [
        Batch(tuple(chunks[i].tolist()), tuple(speed[chunks[i]].tolist()))
        for i in rng.permutation(len(chunks)).tolist()
    ]


@dataclass(frozen=True)
class Schedule:
    """Every optimiser step of a training, known before the first: `epochs[epoch][step]` are the batches of a step.

    In the first `head_only_steps` the head is trained alone.
    """

    epochs: tuple[tuple[tuple[Batch, ...], ...], ...]
    head_only_steps: int

    @property
    def steps(self) -> int:
        """Optimiser steps of the whole training."""
        return self.first_step(len(self.epochs))

    def first_step(self, epoch: int) -> int:
        """The number (from 0, over the whole training) of the first step of an epoch (from 0)."""
        return sum(len(steps) for steps in self.epochs[:epoch])


def schedule(seconds: np.ndarray, recipe: Recipe, seed: int) -> Schedule:
    """The steps of a training. An accumulated step does not straddle two epochs: each ends with what is left.

    Args:
        seconds: Durations of the utterances, (n,).
        recipe: Epochs, size of a batch, batches of a step.
        seed: Of the order.

    Returns:
        By epoch the batches of each step.
    """
    epochs = []
    for epoch in range(recipe.epochs):
        batches = plan(seconds, recipe.batch_seconds, recipe.speeds, (seed, epoch))
        starts = range(0, len(batches), recipe.accumulate)
        epochs.append(tuple(tuple(batches[start : start + recipe.accumulate]) for start in starts))
    return Schedule(tuple(epochs), sum(len(steps) for steps in epochs[: recipe.head_only_epochs]))


def by_length(seconds: Sequence[float], batch_seconds: float) -> list[list[int]]:
    """Batches for inference: longest first, so that a lack of memory shows at once."""
    batches: list[list[int]] = []
    for item in sorted(range(len(seconds)), key=lambda i: (-seconds[i], i)):
        if batches and seconds[batches[-1][0]] * (len(batches[-1]) + 1) <= batch_seconds:
            batches[-1].append(item)
        else:
            batches.append([item])
    return batches
