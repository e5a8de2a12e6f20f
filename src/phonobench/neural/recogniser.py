"""A phone recogniser: an encoder, a way to read its layers, and a head over blank and 39 phones."""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F  # noqa: N812 - the customary name
from torch import Tensor, nn

from phonobench.neural import heads
from phonobench.neural.assessment.score_head import ScoreHead
from phonobench.neural.checkpoints import lora, quantisation
from phonobench.neural.encoders import Encoder
from phonobench.neural.frontends.features import Features, Masks
from phonobench.phones import COLUMNS
from phonobench.systems.recipe import Recipe
from phonobench.types import PhonobenchError

MLP_WIDTH = 512


class Recogniser(nn.Module):
    """Features in, log-probabilities (batch, S, 40) and lengths (batch,) out; S rows, `encoder.upsample` a state.

    What the recipe does not train stays in evaluation mode and outside the graph.
    Raises PhonobenchError where the recipe asks for what the encoder or the machine cannot do.
    """

    def __init__(self, encoder: Encoder, recipe: Recipe) -> None:
        super().__init__()
        self.encoder = encoder
        self.recipe = recipe
        self.reader = heads.make(encoder, recipe)
        width = encoder.width if self.reader is None else self.reader.width
        self.head = _head(width, encoder.upsample, recipe)
        depth = len(encoder.blocks)
        if recipe.only_layer is not None and recipe.only_layer >= depth:
            raise PhonobenchError(f"recipe {recipe.name}: layers = {recipe.layers!r}, but states are 0 to {depth - 1}")
        self.layer_weights = nn.Parameter(torch.zeros(depth)) if recipe.layers == "weighted" else None
        if recipe.score_loss_weight and encoder.upsample > 1:
            raise PhonobenchError(
                f"recipe {recipe.name}: score_loss_weight needs states as close as the posteriors; set it to 0"
            )
        self.judge = ScoreHead(encoder.width) if recipe.score_loss_weight else None
        encoder.set_dropout(recipe.dropout)
        encoder.window = recipe.context == "window"
        if recipe.quantise != "none":
            quantisation.require()
            quantisation.shrink(encoder, recipe.quantise)
        if recipe.checkpointing:
            encoder.save_memory()
        if recipe.lora:
            lora.insert(encoder, self.trained_blocks(), recipe.lora)
        self.train_encoder(False)

    def train_encoder(self, on: bool) -> None:
        """Let gradients reach the part of the encoder that the recipe trains (`on`), or the head alone."""
        self.encoder.requires_grad_(False)
        for parameter in [p for block in self.encoder_parameters() for p in block] if on else []:
            parameter.requires_grad_()
        self.encoder_trains = on and bool(self.trained_blocks())
        self.train(self.training)

    def trained_blocks(self) -> list[nn.Module]:
        """Blocks of the encoder that the recipe trains, from the top downwards."""
        blocks = self.encoder.blocks[::-1]
        if self.recipe.trainable == "none":
            return []
        return blocks if self.recipe.trainable == "all" else blocks[: self.recipe.trainable_layers]

    def encoder_parameters(self) -> list[list[nn.Parameter]]:
        """The encoder's parameters that the recipe trains, a list for each trained block from the top downwards."""
        return [
            [p for name, p in block.named_parameters() if not self.recipe.lora or lora.MARK in name]
            for block in self.trained_blocks()
        ]

    def head_parameters(self) -> list[nn.Parameter]:
        """The parameters over the encoder: the head's, its reader's, the score head's, and the weights of layers."""
        parts = [self.head, *(part for part in (self.reader, self.judge) if part is not None)]
        own = [parameter for part in parts for parameter in part.parameters()]
        return [*own, *([self.layer_weights] if self.layer_weights is not None else [])]

    def trained_parameters(self) -> dict[str, nn.Parameter]:
        """Every parameter that the recipe trains at some time, by name."""
        chosen = {id(p) for part in [self.head_parameters(), *self.encoder_parameters()] for p in part}
        return {name: p for name, p in self.named_parameters() if id(p) in chosen}

    def trained_state(self) -> dict[str, Tensor]:
        """What of the state training may change: what a run has to keep beside the name of its checkpoint."""
        state = self.state_dict()
        if self.recipe.trainable == "none":
            own = {f"encoder.{name}" for name in self.encoder.own_buffers}
            return {name: tensor for name, tensor in state.items() if not name.startswith("encoder.") or name in own}
        if self.recipe.lora:
            return {n: t for n, t in state.items() if not n.startswith("encoder.") or lora.MARK in n}
        return state

    def train(self, mode: bool = True) -> Recogniser:
        """Training mode for the head, and for the encoder only while it trains."""
        super().train(mode)
        self.encoder.train(mode and self.encoder_trains)
        return self

    @property
    def classifier(self) -> nn.Linear:
        """The last layer of the head: a row of weights and a bias for the blank and each phone."""
        return cast(nn.Linear, self.head[-1])

    def states(self, features: Features, masks: Masks | None = None) -> list[Tensor]:
        """States of all the encoder's layers, with gradients where its body trains."""
        with torch.set_grad_enabled(self.encoder_trains and torch.is_grad_enabled()):
            layers: list[Tensor] = self.encoder(features, masks)
            return layers

    def select_layers(self, layers: list[Tensor]) -> list[Tensor]:
        """Those of all the encoder's states that the head reads."""
        if self.layer_weights is not None:
            return layers
        only = self.recipe.only_layer
        return layers[-1:] if only is None else layers[only : only + 1]

    def classify(self, states: list[Tensor], lengths: Tensor) -> Tensor:
        """Log-probabilities (batch, S, 40), float32, from what `states` gave and the true lengths (batch,)."""
        if self.recipe.only_layer is not None:
            # Lower layers are on other scales than the last: without this a probe's rate would suit only some of them.
            mixed = F.layer_norm(states[0].float(), states[0].shape[-1:])
        elif self.layer_weights is None:
            mixed = states[-1]
        else:
            weights = self.layer_weights.softmax(0)
            mixed = torch.stack([weight * state for weight, state in zip(weights, states, strict=True)]).sum(0)
        read = mixed if self.reader is None else self.reader(mixed, lengths)
        logp: Tensor = self.head(read).float().log_softmax(-1)
        return logp

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """Rows of the posteriorgrams of utterances with so many states."""
        return lengths * self.encoder.upsample

    def forward(self, features: Features, masks: Masks | None = None) -> tuple[Tensor, Tensor]:
        """Log-probabilities (batch, S, 40) and the true lengths (batch,) in rows."""
        states = self.select_layers(self.states(features, masks))
        return self.classify(states, features.lengths), self.output_lengths(features.lengths)

    def count_trained(self) -> int:
        """Number of parameters that the recipe trains."""
        return sum(p.numel() for p in self.trained_parameters().values())


class Upsampler(nn.Module):
    """(batch, S, width) -> (batch, factor S, width): a linear map makes each state several, then GELU.

    For encoders whose states are too far apart for CTC, which needs a row a phone and more between equal ones.
    """

    def __init__(self, width: int, factor: int) -> None:
        super().__init__()
        self.factor = factor
        self.spread = nn.Linear(width, factor * width)

    def forward(self, states: Tensor) -> Tensor:
        """The same time in more rows."""
        batch, count, width = states.shape
        return F.gelu(self.spread(states)).view(batch, count * self.factor, width)


def _head(width: int, upsample: int, recipe: Recipe) -> nn.Sequential:
    """The classifier. Small first weights keep CTC's early gradients from collapsing onto the blank."""
    last = nn.Linear(MLP_WIDTH if recipe.head == "mlp" else width, COLUMNS)
    nn.init.normal_(last.weight, std=0.01)
    nn.init.zeros_(last.bias)
    parts: list[nn.Module] = [Upsampler(width, upsample)] if upsample > 1 else []
    if recipe.head == "mlp":
        parts += [nn.Linear(width, MLP_WIDTH), nn.GELU()]
    return nn.Sequential(*parts, nn.Dropout(recipe.head_dropout), last)
