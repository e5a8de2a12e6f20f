"""What a model hears of one training batch: augmented audio, or the states of a frozen encoder out of memory."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from phonobench.neural import hardware
from phonobench.neural.augment import change_speed, draw_masks, perturb
from phonobench.neural.batches import Batch, Material
from phonobench.neural.recogniser import Recogniser
from phonobench.recipe import Recipe

MEMORY = 6 << 30
"""Bytes of frozen states that may be kept; above it they are computed anew in every epoch."""


class Lesson:
    """The forward pass of training batches of `material`, every draw seeded by run, epoch and utterance."""

    def __init__(self, model: Recogniser, material: Material, recipe: Recipe, seed: int) -> None:
        self.model, self.material, self.recipe, self.seed = model, material, recipe, seed
        self.kept: dict[int, list[Tensor]] = {}
        self.remembers = self._fits_memory()

    def hear(self, epoch: int, batch: Batch) -> tuple[Tensor, Tensor]:
        """Log-probabilities (views x batch, S, 40) and lengths. With consistency every utterance has two views."""
        if self.remembers:
            states, lengths = self._recall(batch)
            return self.model.classify(states), lengths
        features = self.model.encoder.features([self._wave(epoch, *item) for item in zip(*_fields(batch), strict=True)])
        if self.recipe.consistency:
            features = features.twice()
        rng = np.random.default_rng((self.seed, epoch, batch.items[0], 1))
        return self.model(features, draw_masks(features, self.model.encoder, self.recipe, rng))

    def _wave(self, epoch: int, item: int, speed: float) -> Tensor:
        rng = np.random.default_rng((self.seed, epoch, item))
        wave = perturb(change_speed(self.material.waves[item], speed), self.recipe, rng)
        return torch.from_numpy(wave).to(hardware.device())

    def _fits_memory(self) -> bool:
        """True where a frozen encoder hears the same in every epoch, and its states (bf16) are few enough to keep."""
        recipe, model = self.recipe, self.model
        if recipe.trainable != "none" or recipe.augments:
            return False
        layers = len(model.encoder.blocks) if model.layer_weights is not None else 1
        frames = sum(model.encoder.length(len(wave)) for wave in self.material.waves)
        return frames * model.encoder.width * layers * 2 < MEMORY

    def _recall(self, batch: Batch) -> tuple[list[Tensor], Tensor]:
        """States of a batch, padded, one tensor a layer that the head reads; computed at the first request."""
        new = [item for item in batch.items if item not in self.kept]
        if new:
            waves = [torch.from_numpy(self.material.waves[item]).to(hardware.device()) for item in new]
            with torch.no_grad():
                features = self.model.encoder.features(waves)
                layers = self.model.states(features)
            for row, (item, length) in enumerate(zip(new, features.lengths.tolist(), strict=True)):
                self.kept[item] = [layer[row, :length].to(torch.bfloat16) for layer in layers]
        states = [self.kept[item] for item in batch.items]
        padded = [torch.nn.utils.rnn.pad_sequence(list(layer), batch_first=True) for layer in zip(*states, strict=True)]
        return [layer.float() for layer in padded], torch.tensor([len(layers[0]) for layers in states])


def _fields(batch: Batch) -> tuple[tuple[int, ...], tuple[float, ...]]:
    return batch.items, batch.speeds
