"""What every encoder offers: lists of unpadded waves in, states of every layer and true lengths out.

Padding, masks and lengths stay inside, and company does not change an utterance: alone or in a batch its states are
the same to rounding.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from phonobench.neural.frontends.features import Features, Masks
from phonobench.types import PhonobenchError


class Encoder(nn.Module):
    """A speech encoder: the parameters are in `module`, their architecture in `config`.

    `width` of its states, number of `bands` that SpecAugment may hide, the `longest` utterance that it reads (seconds).
    `window`: whether it hears the whole window of its pretraining with silence after the audio; without effect where
    there is none. `serial`: its steps are too small to share among threads.
    Of its card and family: `upsample`, rows of a posteriorgram that the head is to make of one state; the last names of
    linear maps, those for `adapters` to correct and those that must stay `whole` where others are quantised.
    `own`: names of buffers that a run keeps though the encoder is frozen, because no checkpoint has them.
    """

    module: Any
    config: Any
    width: int
    bands: int
    longest: float = math.inf
    window: bool = False
    serial: bool = False
    upsample: int = 1
    adapters: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    own: tuple[str, ...] = ()

    @property
    def blocks(self) -> list[nn.Module]:
        """Parts from the input upwards: the stem, then each layer (the last with what follows it)."""
        raise NotImplementedError

    def set_dropout(self, rate: float) -> None:
        """Dropout wherever the recipe's rate is meant."""
        raise NotImplementedError

    def length(self, samples: int) -> int:
        """States of an utterance of `samples`."""
        raise NotImplementedError

    def features(self, waves: list[Tensor]) -> Features:
        """Waves (samples,) -> what `forward` reads, padded."""
        raise NotImplementedError

    def forward(self, features: Features, masks: Masks | None = None) -> list[Tensor]:
        """States (batch, S, width): before the first layer, then after every layer."""
        raise NotImplementedError

    def settings(self) -> dict[str, Any]:
        """What rebuilds this encoder without its checkpoint, JSON-able."""
        return self.config.to_dict()

    def save_memory(self) -> None:
        """Keep no states of the layers for the backward pass: it computes them again (gradient checkpointing).

        Raises PhonobenchError where the encoder cannot.
        """
        if not getattr(self.module, "supports_gradient_checkpointing", False):
            raise PhonobenchError(f"{type(self).__name__} has no gradient checkpointing; --set checkpointing=false")
        self.module.gradient_checkpointing_enable({"use_reentrant": False})


@contextmanager
def recorded(layers: Sequence[nn.Module]) -> Iterator[list[Tensor]]:
    """A list that fills with the input of the first of `layers` and the output of each, while they run inside.

    Raises RuntimeError where a layer was skipped.
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


def _first(output: Any) -> Tensor:
    return output[0] if isinstance(output, tuple) else output
