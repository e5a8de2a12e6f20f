"""The forward pass of one training batch: over augmented audio, or over cached states of a frozen encoder."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from phonobench.neural import hardware
from phonobench.neural.recogniser import Recogniser
from phonobench.neural.training.augment import change_speed, draw_masks, perturb
from phonobench.neural.training.batches import Batch, TrainingData
from phonobench.neural.training.state_cache import SharedStates, StateCache
from phonobench.systems.recipe import Recipe


class ForwardPass:
    """The forward pass of training batches of `data`, every draw seeded by run, epoch and utterance."""

    def __init__(
        self,
        model: Recogniser,
        data: TrainingData,
        recipe: Recipe,
        seed: int,
        shared_states: SharedStates | None = None,
    ) -> None:
        self.model, self.data, self.recipe, self.seed = model, data, recipe, seed
        self.cache = StateCache.if_usable(model, data, shared_states)

    def __call__(self, epoch: int, batch: Batch) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Log-probabilities (views x batch, S, 40), lengths, and the states that they come from: those of all layers,
        or out of memory those that the head reads. With consistency every utterance has two views."""
        if self.cache is not None:
            states, lengths = self.cache.get(batch.items)
            return self.model.classify(states, lengths), self.model.output_lengths(lengths), states
        features = self.model.encoder.features([self._wave(epoch, *item) for item in zip(*_fields(batch), strict=True)])
        if self.recipe.consistency:
            features = features.twice()
        rng = np.random.default_rng((self.seed, epoch, batch.items[0], 1))
        layers = self.model.states(features, draw_masks(features, self.model.encoder, self.recipe, rng))
        logp = self.model.classify(self.model.select_layers(layers), features.lengths)
        return logp, self.model.output_lengths(features.lengths), layers

    def _wave(self, epoch: int, item: int, speed: float) -> Tensor:
        rng = np.random.default_rng((self.seed, epoch, item))
        wave = perturb(change_speed(self.data.waves[item], speed), self.recipe, rng)
        return torch.from_numpy(wave).to(hardware.device())


def _fields(batch: Batch) -> tuple[tuple[int, ...], tuple[float, ...]]:
    return batch.items, batch.speeds
