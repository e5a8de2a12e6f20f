"""States of a frozen encoder, computed once per utterance and kept in memory (bf16) as long as training lasts.

A `SharedStates` keeps the states of all layers beyond that, so that many heads over one encoder share them.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from phonobench.neural import hardware
from phonobench.neural.encoders.discrete import PADDING
from phonobench.neural.recogniser import Recogniser
from phonobench.neural.training.batches import TrainingData

LIMIT = 6 << 30
"""Bytes of states that may be kept; above it they are computed anew in every epoch."""


SharedStates = dict[str, list[Tensor]]
"""The states of every layer by utterance. It belongs to one encoder with one context; its owner sees to that."""


class StateCache:
    """What the head of `model` reads of each utterance in `data`; `names` are the keys of `shared_states`."""

    def __init__(
        self,
        model: Recogniser,
        data: TrainingData,
        shared_states: SharedStates | None = None,
        names: Sequence[str] | None = None,
    ) -> None:
        self.model, self.data, self.shared_states = model, data, shared_states
        self.names = [u.id for u in data.utterances] if names is None else list(names)
        self._states: dict[int, list[Tensor]] = {}

    @classmethod
    def if_usable(
        cls, model: Recogniser, data: TrainingData, shared_states: SharedStates | None = None
    ) -> StateCache | None:
        """A cache, or None where the states change from epoch to epoch or are too many to keep."""
        return cls(model, data, shared_states) if cls.is_usable(model, data) else None

    @staticmethod
    def is_usable(model: Recogniser, data: TrainingData) -> bool:
        """True where the encoder reads the same input in every epoch, and its states are few enough to keep."""
        if model.recipe.trainable != "none" or model.recipe.augments:
            return False
        layers = len(model.encoder.blocks) if model.layer_weights is not None else 1
        frames = sum(model.encoder.length(len(wave)) for wave in data.waves)
        return frames * model.encoder.width * layers * 2 < LIMIT

    def get(self, items: Sequence[int]) -> tuple[list[Tensor], Tensor]:
        """States (batch, S, width) of each layer that the head reads, and lengths (batch,); computed at first use."""
        for item in items:
            if item not in self._states and self.shared_states is not None and self.names[item] in self.shared_states:
                self._states[item] = self.model.select_layers(self.shared_states[self.names[item]])
        new = [item for item in items if item not in self._states]
        if new:
            self._compute(new)
        states = [self._states[item] for item in items]
        padded = [_padded(layer) for layer in zip(*states, strict=True)]
        lengths = torch.tensor([len(layers[0]) for layers in states])
        return [layer.float() if layer.is_floating_point() else layer for layer in padded], lengths

    def _compute(self, items: Sequence[int]) -> None:
        waves = [torch.from_numpy(self.data.waves[item]).to(hardware.device()) for item in items]
        with torch.no_grad():
            features = self.model.encoder.features(waves)
            layers = self.model.encoder(features)
        wanted = layers if self.shared_states is not None else self.model.select_layers(layers)
        for row, (item, length) in enumerate(zip(items, features.lengths.tolist(), strict=True)):
            states = [_narrow(layer[row, :length]) for layer in wanted]
            if self.shared_states is not None:
                self.shared_states[self.names[item]] = states
                states = self.model.select_layers(states)
            self._states[item] = states


def _narrow(states: Tensor) -> Tensor:
    """A copy in bf16, or of codes as they are; a view would keep the whole batch alive."""
    return states.to(torch.bfloat16).clone() if states.is_floating_point() else states.clone()


def _padded(states: Sequence[Tensor]) -> Tensor:
    value = 0 if states[0].is_floating_point() else PADDING
    return torch.nn.utils.rnn.pad_sequence(list(states), batch_first=True, padding_value=value)
