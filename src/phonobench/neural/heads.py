"""What may stand between an encoder's states and the head: a gate over several encoders, a small Transformer.

A reader takes states (batch, S, ...) and lengths (batch,) and gives (batch, S, `width`); it is trained with the head.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from phonobench.neural.encoders import DiscreteEncoder, Encoder, JointEncoder
from phonobench.neural.frontends.features import valid
from phonobench.systems.recipe import Recipe
from phonobench.types import PhonobenchError

WIDTH = 256
LAYERS = 2
HEADS = 4


class FusionGate(nn.Module):
    """A weight per frame and member, softmax over members, on each member's states projected to one width.

    g = softmax(W [x_1; ...; x_n] + b), y = sum_i g_i tanh(P_i x_i), after a layer norm of each x_i.
    """

    width = WIDTH

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.widths = widths
        self.norms = nn.ModuleList(nn.LayerNorm(width) for width in widths)
        self.projections = nn.ModuleList(nn.Linear(width, WIDTH) for width in widths)
        self.gate = nn.Linear(sum(widths), len(widths))
        nn.init.zeros_(self.gate.weight)  # every member weighs the same at first
        nn.init.zeros_(self.gate.bias)

    def shares(self, states: Tensor) -> Tensor:
        """The gate (batch, S, members)."""
        shares: Tensor = self.gate(torch.cat(self._normed(states), dim=-1)).softmax(-1)
        return shares

    def _normed(self, states: Tensor) -> list[Tensor]:
        return [
            norm(part) for norm, part in zip(self.norms, torch.split(states, list(self.widths), dim=-1), strict=True)
        ]

    def forward(self, states: Tensor, lengths: Tensor) -> Tensor:
        """The gated sum."""
        normed = self._normed(states)
        shares = self.gate(torch.cat(normed, dim=-1)).softmax(-1)
        parts = [projection(part).tanh() for projection, part in zip(self.projections, normed, strict=True)]
        gated: Tensor = (torch.stack(parts, dim=-1) * shares[..., None, :]).sum(-1)
        return gated


class CodeEmbedding(nn.Module):
    """Codes (batch, S, books) -> the sum of one embedding a book (batch, S, width)."""

    def __init__(self, books: int, size: int, width: int) -> None:
        super().__init__()
        self.size = size
        self.tables = nn.Embedding(books * size, width)
        nn.init.normal_(self.tables.weight, std=1 / math.sqrt(books))

    def forward(self, codes: Tensor) -> Tensor:
        """Padding (codes below 0) is read as code 0: the Transformer does not attend to it."""
        first = torch.arange(codes.shape[-1], device=codes.device) * self.size
        embedded: Tensor = self.tables(codes.clamp(min=0) + first).sum(-2)
        return embedded


class Context(nn.Module):
    """A Transformer of two layers over embedded codes or projected states: the source's classifier of tokens."""

    width = WIDTH

    def __init__(self, inlet: nn.Module, dropout: float) -> None:
        super().__init__()
        self.inlet = inlet
        layer = nn.TransformerEncoderLayer(
            WIDTH, HEADS, 4 * WIDTH, dropout, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, LAYERS, nn.LayerNorm(WIDTH), enable_nested_tensor=False)

    def forward(self, states: Tensor, lengths: Tensor) -> Tensor:
        """Every frame attends to the frames of its own utterance."""
        hidden = self.inlet(states)
        hidden = hidden + sinusoids(hidden.shape[1], WIDTH).to(hidden)
        padding = ~valid(lengths.to(hidden.device), hidden.shape[1])
        attended: Tensor = self.layers(hidden, src_key_padding_mask=padding)
        return attended


def sinusoids(count: int, width: int) -> Tensor:
    """Positions (count, width), Vaswani et al. 2017."""
    rate = torch.exp(torch.arange(0, width, 2) * (-math.log(10_000.0) / width))
    angle = torch.arange(count)[:, None] * rate
    return torch.cat([angle.sin(), angle.cos()], dim=1)


def make(encoder: Encoder, recipe: Recipe) -> FusionGate | Context | None:
    """The reader that the recipe's head wants over an encoder.

    Args:
        encoder: A discrete one is set to give what is read: codes to a Transformer, vectors to the others.
        recipe: Names the head.

    Returns:
        The reader; None where the head reads states as they are.

    Raises:
        PhonobenchError: For a gate over one encoder and for training a fusion or a codec itself.
    """
    frozen_only = isinstance(encoder, JointEncoder | DiscreteEncoder)
    if frozen_only and (recipe.trainable != "none" or recipe.layers != "last"):
        raise PhonobenchError(
            f"recipe {recipe.name}: fused encoders and codecs are frozen, and their last states are read; "
            "--set trainable=none --set layers=last"
        )
    if isinstance(encoder, DiscreteEncoder):
        encoder.n_q = min(recipe.codebooks, encoder.max_n_q)
        encoder.vectors = recipe.head != "transformer"
    if recipe.head == "gated":
        if not isinstance(encoder, JointEncoder):
            raise PhonobenchError(f"recipe {recipe.name}: a gate is over several encoders; --set head=linear")
        return FusionGate(encoder.widths)
    if recipe.head == "transformer":
        inlet: nn.Module = nn.Linear(encoder.width, WIDTH)
        if isinstance(encoder, DiscreteEncoder):
            inlet = CodeEmbedding(encoder.n_q, encoder.bins, WIDTH)
        return Context(inlet, recipe.head_dropout)
    return None
