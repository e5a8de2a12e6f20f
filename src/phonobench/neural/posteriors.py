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
    return rows(*model(features))


def rows(logp: Tensor, lengths: Tensor) -> list[np.ndarray]:
    """The valid frames of each row of a batch."""
    return [logp[row, :length].cpu().numpy() for row, length in enumerate(lengths.tolist())]


@torch.no_grad()
def log_posteriors(
    model: Recogniser, material: TrainingData, report: Callable[[Progress], None], memory: StateCache | None = None,
    together: bool = False,
) -> list[np.ndarray]:  # fmt: skip
    """Log-probabilities of all utterances, in order, at the precision of training; frozen states from `memory`.

    `together`: all processes of a group call this, and each listens to its share.
    """
    model.eval()
    recipe = model.recipe
    heard_here: dict[int, np.ndarray] = {}
    done = 0
    todo = by_length(material.seconds.tolist(), 2 * recipe.batch_seconds)
    for items in distributed.share(todo) if together else todo:
        with hardware.autocast(recipe):
            if memory is None:
                heard = batch_posteriors(model, [material.waves[i] for i in items])
            else:
                states, lengths = memory.recall(items)
                heard = rows(model.classify(states, lengths), model.rows(lengths))
        for item, logp in zip(items, heard, strict=True):
            heard_here[item] = logp
        done += len(items)
        report(Progress("listen to dev", done, len(material)))
    found = distributed.gathered(heard_here) if together else heard_here
    return [found[item] for item in range(len(material))]


def choice_per(logp: list[np.ndarray], material: TrainingData) -> float:
    """PER by greedy decoding, over the utterances that `corpora.choice` picks; NaN where there is none."""
    errors = phones = 0
    for i in choice_set(material.utterances).places:
        found = edits.align(material.targets[i], ctc.greedy(logp[i]))
        errors += found.substitutions + found.deletions + found.insertions
        phones += len(material.targets[i])
    return errors / phones if phones else math.nan
