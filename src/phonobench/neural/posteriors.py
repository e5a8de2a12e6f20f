"""Log-posteriors of many utterances in length-sorted batches, and the greedy PER by which an epoch is chosen."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from phonobench import ctc, edits
from phonobench.corpora.choice import choice_set
from phonobench.neural import distributed, hardware
from phonobench.neural.recogniser import Recogniser
from phonobench.neural.training.batches import TrainingData, by_length
from phonobench.neural.training.state_cache import StateCache
from phonobench.types import Progress


@torch.no_grad()
def batch_posteriors(model: Recogniser, waves: list[np.ndarray]) -> list[np.ndarray]:
    """Log-probabilities (frames, 40), float32, of each wave; `model` in evaluation mode."""
    features = model.encoder.features([torch.from_numpy(wave).to(hardware.device()) for wave in waves])
    return unpadded(*model(features))


def unpadded(logp: Tensor, lengths: Tensor) -> list[np.ndarray]:
    """The valid frames of each row of a batch."""
    return [logp[row, :length].cpu().numpy() for row, length in enumerate(lengths.tolist())]


@torch.no_grad()
def log_posteriors(
    model: Recogniser,
    data: TrainingData,
    report: Callable[[Progress], None],
    cache: StateCache | None = None,
    sharded: bool = False,
) -> list[np.ndarray]:
    """Log-probabilities of all utterances, at the precision of training.

    Args:
        model: In evaluation mode.
        data: The utterances.
        report: Called with the progress.
        cache: Frozen states.
        sharded: All processes of a group call this, and each computes its share.

    Returns:
        (frames, 40) an utterance, float32, in order.
    """
    model.eval()
    recipe = model.recipe
    own: dict[int, np.ndarray] = {}
    done = 0
    todo = by_length(data.seconds.tolist(), 2 * recipe.batch_seconds)
    for items in distributed.shard(todo) if sharded else todo:
        with hardware.autocast(recipe):
            if cache is None:
                found_here = batch_posteriors(model, [data.waves[i] for i in items])
            else:
                states, lengths = cache.get(items)
                found_here = unpadded(model.classify(states, lengths), model.output_lengths(lengths))
        for item, logp in zip(items, found_here, strict=True):
            own[item] = logp
        done += len(items)
        report(Progress("infer dev", done, len(data)))
    found = distributed.gather(own) if sharded else own
    return [found[item] for item in range(len(data))]


def choice_per(logp: list[np.ndarray], data: TrainingData) -> float:
    """PER by greedy decoding, over the utterances that `corpora.choice` picks.

    Args:
        logp: Log-probabilities of the dev utterances.
        data: These utterances.

    Returns:
        The PER; NaN where none is picked.
    """
    errors = phones = 0
    for i in choice_set(data.utterances).places:
        found = edits.align(data.targets[i], ctc.greedy(logp[i]))
        errors += found.substitutions + found.deletions + found.insertions
        phones += len(data.targets[i])
    return errors / phones if phones else math.nan
