"""The interface of every speech encoder: lists of unpadded waves in, states of every layer and true lengths out.

Padding, masks and lengths stay inside. Padding and batch invariance: alone or in a batch, the states of an utterance
are the same to rounding.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from torch import Tensor, nn

from phonobench.neural.frontends.features import Features, Masks
from phonobench.types import PhonobenchError


class Encoder(nn.Module, ABC):
    """A speech encoder over a batch of B utterances: S states each (padded), D values a state, L layers.

    A class of a new kind of input sets `module`, `config`, `width` and `bands`, and defines `blocks`, `set_dropout`,
    `length`, `features` and `forward`.

    Attributes:
        module: the network, with all parameters.
        config: its architecture; `to_dict()` makes it JSON-able.
        width: D.
        bands: rows that SpecAugment may hide: mel bands, or channels of convolution features.
        max_seconds: the longest utterance that it reads.
        window: whether it reads the whole window of its pretraining, with silence after the audio. Without effect
            where it has no such window.
        single_threaded: whether its operations are too small to be shared among threads.
        upsample: rows of a posteriorgram that the head makes of one state; of the card.
        lora_targets: last names of the linear maps that LoRA adapts; of the family.
        unquantised: last names of the linear maps that cannot be quantised; of the family.
        own_buffers: names of buffers that a run keeps though the encoder is frozen, because no checkpoint has them.
    """

    module: Any
    config: Any
    width: int
    bands: int
    max_seconds: float = math.inf
    window: bool = False
    single_threaded: bool = False
    upsample: int = 1
    lora_targets: tuple[str, ...] = ()
    unquantised: tuple[str, ...] = ()
    own_buffers: tuple[str, ...] = ()

    @property
    @abstractmethod
    def blocks(self) -> list[nn.Module]:
        """L + 1 parts from the input upwards: the stem, then each layer (the last with what follows it).

        Recipes choose trained layers and rates by them. A part whose parameters lie apart is a `ModuleList`.
        """

    @abstractmethod
    def set_dropout(self, rate: float) -> None:
        """Set the dropout of the encoder to the recipe's rate, wherever it is meant."""

    @abstractmethod
    def length(self, samples: int) -> int:
        """S of an utterance of so many samples at 16 kHz."""

    @abstractmethod
    def features(self, waves: list[Tensor]) -> Features:
        """What `forward` reads of B waves (samples,), float32 at 16 kHz: `values` padded, `lengths` in states."""

    @abstractmethod
    def forward(self, features: Features, masks: Masks | None = None) -> list[Tensor]:
        """The states of every layer.

        Args:
            features: what `features` gave.
            masks: what SpecAugment hides, None for nothing.

        Returns:
            L + 1 tensors (B, S or more, D): before the first layer, then after each. What lies past an utterance's
            length has no meaning.
        """

    def settings(self) -> dict[str, Any]:
        """What rebuilds this encoder without its checkpoint, JSON-able."""
        return cast(dict[str, Any], self.config.to_dict())

    def save_memory(self) -> None:
        """Keep no states of the layers for the backward pass: it computes them again (gradient checkpointing).

        Raises:
            PhonobenchError: the encoder cannot.
        """
        if not getattr(self.module, "supports_gradient_checkpointing", False):
            raise PhonobenchError(f"{type(self).__name__} has no gradient checkpointing; --set checkpointing=false")
        self.module.gradient_checkpointing_enable({"use_reentrant": False})


@contextmanager
def recorded(layers: Sequence[nn.Module]) -> Iterator[list[Tensor]]:
    """Record the input of the first of some layers and the output of each, while they run inside the context.

    Raises:
        RuntimeError: a layer was skipped.

    Example:
        >>> import torch
        >>> layers = nn.ModuleList([nn.Identity(), nn.ReLU()])
        >>> with recorded(layers) as states:
        ...     last = layers[1](layers[0](torch.tensor([-1.0, 2.0])))
        >>> [state.tolist() for state in states]
        [[-1.0, 2.0], [-1.0, 2.0], [0.0, 2.0]]
    """
    states: list[Tensor] = []
    hooks = [layers[0].register_forward_pre_hook(lambda _, args: states.append(args[0]))]
    hooks += [layer.register_forward_hook(lambda _, __, out: states.append(_first(out))) for layer in layers]
    try:
        yield states
    finally:
        for hook in hooks:
            hook.remove()
    if len(states) != len(layers) + 1:
        raise RuntimeError(f"{len(states)} states from {len(layers)} layers: layer drop is on")


def drop_out(part: nn.Module, rate: float) -> None:
    """Set every dropout module below `part` to `rate`, but for those on attention weights."""
    for name, inner in part.named_modules():
        if isinstance(inner, nn.Dropout) and "attention" not in name:
            inner.p = rate


def _first(output: Tensor | tuple[Tensor, ...]) -> Tensor:
    return output[0] if isinstance(output, tuple) else output
