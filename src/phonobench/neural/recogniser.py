"""A phone recogniser: an encoder, a way to read its layers, and a head over blank and 39 phones."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from phonobench.neural.encoders import Encoder
from phonobench.neural.features import Features, Masks
from phonobench.phones import COLUMNS
from phonobench.recipe import Recipe

MLP_WIDTH = 512


class Recogniser(nn.Module):
    """Features in, log-probabilities (batch, S, 40) and lengths (batch,) out.

    What the recipe does not train stays in evaluation mode and outside the graph.
    """

    def __init__(self, encoder: Encoder, recipe: Recipe) -> None:
        super().__init__()
        self.encoder = encoder
        self.recipe = recipe
        self.head = _head(encoder.width, recipe)
        depth = len(encoder.blocks)
        self.layer_weights = nn.Parameter(torch.zeros(depth)) if recipe.layers == "weighted" else None
        encoder.set_dropout(recipe.dropout)
        encoder.window = recipe.context == "window"
        self.train_body(False)

    def train_body(self, on: bool) -> None:
        """Let gradients reach the part of the encoder that the recipe trains (`on`), or the head alone."""
        self.encoder.requires_grad_(False)
        for block in self.trained_blocks() if on else []:
            for name, parameter in block.named_parameters():
                parameter.requires_grad_("masked_spec_embed" not in name)
        self.body_trains = on and bool(self.trained_blocks())
        self.train(self.training)

    def trained_blocks(self) -> list[nn.Module]:
        """Blocks of the encoder that the recipe trains, from the top downwards."""
        blocks = self.encoder.blocks[::-1]
        if self.recipe.trainable == "none":
            return []
        return blocks if self.recipe.trainable == "all" else blocks[: self.recipe.trainable_layers]

    def train(self, mode: bool = True) -> Recogniser:
        """Training mode for the head, and for the encoder only while it trains."""
        super().train(mode)
        self.encoder.train(mode and self.body_trains)
        return self

    @property
    def classifier(self) -> nn.Linear:
        """The last layer of the head: a row of weights and a bias for the blank and each phone."""
        return cast(nn.Linear, self.head[-1])

    def states(self, features: Features, masks: Masks | None = None) -> list[Tensor]:
        """States of the layers that the head reads: all of them if weighted, else the last alone."""
        with torch.set_grad_enabled(self.body_trains and torch.is_grad_enabled()):
            layers = self.encoder(features, masks)
        return layers if self.layer_weights is not None else layers[-1:]

    def classify(self, states: list[Tensor]) -> Tensor:
        """Log-probabilities (batch, S, 40), float32, from what `states` gave."""
        if self.layer_weights is None:
            mixed = states[-1]
        else:
            weights = self.layer_weights.softmax(0)
            mixed = torch.stack([weight * state for weight, state in zip(weights, states, strict=True)]).sum(0)
        return self.head(mixed).float().log_softmax(-1)

    def forward(self, features: Features, masks: Masks | None = None) -> tuple[Tensor, Tensor]:
        """Log-probabilities (batch, S, 40) and the true lengths (batch,)."""
        return self.classify(self.states(features, masks)), features.lengths

    def trained_parameters(self) -> int:
        """Number of parameters that the recipe trains."""
        blocks = {id(p): p for block in self.trained_blocks() for p in block.parameters()}
        own = [*self.head.parameters(), *([self.layer_weights] if self.layer_weights is not None else [])]
        return sum(p.numel() for p in [*blocks.values(), *own])


def _head(width: int, recipe: Recipe) -> nn.Sequential:
    """The classifier. Small first weights keep CTC's early gradients from collapsing onto the blank."""
    last = nn.Linear(MLP_WIDTH if recipe.head == "mlp" else width, COLUMNS)
    nn.init.normal_(last.weight, std=0.01)
    nn.init.zeros_(last.bias)
    drop = nn.Dropout(recipe.head_dropout)
    if recipe.head == "mlp":
        return nn.Sequential(nn.Linear(width, MLP_WIDTH), nn.GELU(), drop, last)
    return nn.Sequential(drop, last)
