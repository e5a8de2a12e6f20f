"""The network that turns described phones into human scores: phones, their words, the sentence, in one pass.

A small hierarchical Transformer in the line of GOPT (Gong et al. 2022) and its successors: phones attend to each
other, words pool their phones and attend to each other, the sentence pools both. Several networks, alike but for
their seeds, vote as one (`Ensemble`). Shapes: B utterances, N phones (padded), W words (padded).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - the customary name
from torch import Tensor, nn

from phonobench.assessment.types import SENTENCE_SCORES, WORD_SCORES
from phonobench.phones import COLUMNS

OUTPUTS = ("phone", "error", "word", "sentence")
"""What a network gives: scores as shares of the scale's top, but for `error`, a logit."""

PHONES, WORDS, SENTENCES = 10.0, 3.0, 3.0
"""Weights of the squared errors, of shares of the scales."""


@dataclass(frozen=True)
class Size:
    """Of a network: `rows` and `states` are the columns of its inputs (`states` 0: none are read)."""

    rows: int
    states: int
    width: int = 64
    heads: int = 4
    layers: int = 2
    dropout: float = 0.2


class ScorerNetwork(nn.Module):
    """Inputs: rows (B, N, rows), states (B, N, states), ids (B, N; 0 is padding), belongs (B, W, N), 1 where phone n is
    of word w and else 0.

    Returns phone (B, N), error (B, N), word (B, W, 3), sentence (B, 4). `mean` and
    `scale` (rows,) standardise the rows and are part of the weights.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.size, width = size, size.width
        self.register_buffer("mean", torch.zeros(size.rows))
        self.register_buffer("scale", torch.ones(size.rows))
        self.read_rows = nn.Linear(size.rows, width)
        self.read_states = (
            nn.Sequential(nn.LayerNorm(size.states), nn.Dropout(0.3), nn.Linear(size.states, width))
            if size.states
            else None
        )
        self.phone = nn.Embedding(COLUMNS, width, padding_idx=0)
        self.near = nn.Conv1d(width, width, 5, padding=2, groups=width)
        self.phones = _attention(size, size.layers)
        self.words = _attention(size, 1)
        self.drop = nn.Dropout(size.dropout)
        self.phone_norm, self.word_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.phone_head = nn.Linear(width, 2)
        self.word_head = nn.Linear(width, len(WORD_SCORES))
        last = nn.Linear(width, len(SENTENCE_SCORES))
        self.sentence_head = nn.Sequential(nn.Linear(3 * width, width), nn.GELU(), nn.Dropout(size.dropout), last)
        for head in (self.phone_head, self.word_head, last):
            nn.init.normal_(head.weight, std=0.02)
        with torch.no_grad():  # most phones score well: begin there
            self.phone_head.bias.copy_(torch.tensor([0.9, -3.0]))
            self.word_head.bias.fill_(0.8)
            last.bias.fill_(0.7)

    def forward(self, rows: Tensor, states: Tensor, ids: Tensor, belongs: Tensor) -> tuple[Tensor, ...]:
        """Scores as the class describes them."""
        there = ids > 0
        keep = there[..., None].float()
        hidden = self.read_rows(((rows - self.mean) / self.scale).clamp(-6, 6)) + self.phone(ids)
        if self.read_states is not None:
            hidden = hidden + self.read_states(states)
        hidden = hidden * keep
        hidden = hidden + self.near(hidden.transpose(1, 2)).transpose(1, 2) * keep
        hidden = self.phones(self.drop(hidden), src_key_padding_mask=~there)
        phone_states = self.phone_norm(hidden) * keep
        sizes = belongs.sum(-1, keepdim=True)
        pooled = belongs @ phone_states / sizes.clamp(min=1.0)
        outside = 1e4 * (1.0 - belongs[..., None])
        worst = (phone_states[:, None] + outside).amin(2)
        pooled = torch.where(sizes > 0, pooled + worst, 0.0)
        attended = self.words(pooled, src_key_padding_mask=sizes[..., 0] == 0)
        spoken = self.word_norm(attended) * (sizes > 0)
        count, of_words = keep.sum(1), (sizes > 0).sum(1)
        spread = ((phone_states**2 * keep).sum(1) / count - (phone_states.sum(1) / count) ** 2).clamp(min=0.0)
        sentence = torch.cat([phone_states.sum(1) / count, spread, spoken.sum(1) / of_words], -1)
        phone = self.phone_head(self.drop(phone_states))
        return phone[..., 0], phone[..., 1], self.word_head(self.drop(spoken)), self.sentence_head(sentence)


class Ensemble(nn.Module):
    """The mean of several networks' outputs (of the probabilities, for errors), as one network of shares: errors come
    out as probabilities."""

    def __init__(self, members: Sequence[ScorerNetwork]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.size = members[0].size

    def forward(self, rows: Tensor, states: Tensor, ids: Tensor, belongs: Tensor) -> tuple[Tensor, ...]:
        """phone (B, N), error (B, N) in 0 to 1, word (B, W, 3), sentence (B, 4)."""
        outputs = [member(rows, states, ids, belongs) for member in self.members]
        phone, error, word, sentence = zip(*outputs, strict=True)
        means = [torch.stack(part).mean(0) for part in (phone, [e.sigmoid() for e in error], word, sentence)]
        return tuple(means)


def loss(outputs: tuple[Tensor, ...], wanted: dict[str, Tensor]) -> Tensor:
    """Squared error of all scores (shares of their scales) and cross-entropy of errors.

    Args:
        outputs: phone, error, word, sentence.
        wanted: "phone" (B, N), "error" (B, N), "word" (B, W, 3), "sentence" (B, 4); NaN is no score and counts nothing.

    Returns:
        A scalar.
    """
    phone, error, word, sentence = outputs
    total = PHONES * squared(phone, wanted["phone"]) + WORDS * squared(word, wanted["word"])
    total = total + SENTENCES * squared(sentence, wanted["sentence"])
    known = ~wanted["error"].isnan()
    return total + 0.3 * F.binary_cross_entropy_with_logits(error[known], wanted["error"][known])


def squared(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared error where `wanted` is known (not NaN); 0, with a gradient of 0, where nothing is."""
    known = ~wanted.isnan()
    return F.mse_loss(found[known], wanted[known]) if known.any() else found.sum() * 0.0


def _attention(size: Size, layers: int) -> nn.TransformerEncoder:
    layer = nn.TransformerEncoderLayer(
        size.width, size.heads, 2 * size.width, size.dropout, activation="gelu", batch_first=True, norm_first=True
    )
    return nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
