"""States of a frozen encoder, computed once per utterance and kept in memory (bf16) as long as training lasts."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from phonobench.neural import hardware
from phonobench.neural.batches import Material
from phonobench.neural.recogniser import Recogniser

LIMIT = 6 << 30
"""Bytes of states that may be kept; above it they are computed anew in every epoch."""


class Memory:
    """What the head of `model` reads of each utterance in `material`."""

    def __init__(self, model: Recogniser, material: Material) -> None:
        self.model, self.material = model, material
        self.kept: dict[int, list[Tensor]] = {}

    @staticmethod
    def serves(model: Recogniser, material: Material) -> bool:
        """True where the encoder hears the same in every epoch, and its states are few enough to keep."""
        if model.recipe.trainable != "none" or model.recipe.augments:
            return False
        layers = len(model.encoder.blocks) if model.layer_weights is not None else 1
        frames = sum(model.encoder.length(len(wave)) for wave in material.waves)
        return frames * model.encoder.width * layers * 2 < LIMIT

    def recall(self, items: Sequence[int]) -> tuple[list[Tensor], Tensor]:
        """States (batch, S, width) of each layer that the head reads, and lengths (batch,); computed at first use."""
        new = [item for item in items if item not in self.kept]
        if new:
            waves = [torch.from_numpy(self.material.waves[item]).to(hardware.device()) for item in new]
            with torch.no_grad():
                features = self.model.encoder.features(waves)
                layers = self.model.states(features)
            for row, (item, length) in enumerate(zip(new, features.lengths.tolist(), strict=True)):
                self.kept[item] = [layer[row, :length].to(torch.bfloat16) for layer in layers]
        states = [self.kept[item] for item in items]
        padded = [torch.nn.utils.rnn.pad_sequence(list(layer), batch_first=True) for layer in zip(*states, strict=True)]
        return [layer.float() for layer in padded], torch.tensor([len(layers[0]) for layers in states])
