"""A small mel encoder that learns from little data: two convolutions over time, then bidirectional GRUs.

No pretrained weights exist for it: it is what the main job trains where nothing else is at hand.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the customary name
from torch import Tensor, nn

from phonobench.neural.encoders.encoder import Encoder
from phonobench.neural.frontends.features import Features, Masks, valid
from phonobench.neural.frontends.mel import MelFrontEnd, states

SPREAD = 4.0
"""Undoes the front end's division, so that a step of 1 is a power of ten: convolutions from random weights need it."""


@dataclass(frozen=True)
class RecurrentConfig:
    """Size of the encoder: `bands` of mel, `width` of its states (both directions together), `layers` of GRUs.

    `strides` of the two convolutions over frames of 10 ms: 2 and 2 make states of 40 ms, which halve the steps of the
    GRUs beside the customary 20 ms and are still more than the phones of the fastest speakers. Not a default, so that
    weights say at which rate they were trained.
    """

    strides: tuple[int, int]
    bands: int = 80
    width: int = 256
    layers: int = 2

    def to_dict(self) -> dict[str, Any]:
        """The fields, JSON-able."""
        return asdict(self)


class RecurrentModule(nn.Module):
    """The parameters: `convolutions`, `norms` after them, `grus` one a layer."""

    def __init__(self, config: RecurrentConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.convolutions = nn.ModuleList(
            [
                nn.Conv1d(inputs, width, 5, stride=stride, padding=2)
                for inputs, stride in zip((config.bands, width), config.strides, strict=True)
            ]
        )
        self.norm = nn.LayerNorm(width)
        self.grus = nn.ModuleList(
            nn.GRU(width, width // 2, batch_first=True, bidirectional=True) for _ in range(config.layers)
        )


class RecurrentEncoder(Encoder):
    """`RecurrentModule` behind the interface of all encoders."""

    single_threaded = True
    """Its steps are too small to share: a second thread costs processor time and saves none."""

    def __init__(self, module: RecurrentModule) -> None:
        super().__init__()
        self.module, self.config = module, module.config
        self.front = MelFrontEnd(self.config.bands)
        self.bands, self.width = self.config.bands, self.config.width
        self.frames = math.prod(self.config.strides)  # of mel that make one state; even, as the front end's are pairs
        self.dropout = 0.0

    @property
    def blocks(self) -> list[nn.Module]:
        """Parts from the input upwards: the convolutions, then each GRU."""
        m = self.module
        return [nn.ModuleList([m.convolutions, m.norm]), *m.grus]

    def set_dropout(self, rate: float) -> None:
        """Dropout before every GRU."""
        self.dropout = rate

    def length(self, samples: int) -> int:
        """States of an utterance of `samples`."""
        count: int = -(-2 * states(samples) // self.frames)
        return count

    def features(self, waves: list[Tensor]) -> Features:
        """Waves (samples,) -> mel (batch, bands, frames S), powers of ten above each band's mean."""
        mel, pairs = self.front(waves)
        keep = valid(2 * pairs, mel.shape[-1])[:, None]
        mean = mel.sum(-1, keepdim=True) / (2 * pairs)[:, None, None]
        lengths = -(-2 * pairs // self.frames)
        return Features(SPREAD * (mel - mean) * keep, lengths, torch.tensor([len(wave) for wave in waves]))

    def forward(self, features: Features, masks: Masks | None = None) -> list[Tensor]:
        """States (batch, S, width): before the first GRU, then after each."""
        m, hidden = self.module, features.values
        keep = valid(features.lengths, hidden.shape[-1] // self.frames)
        if masks is not None:
            time = F.pad(masks.time, (0, keep.shape[1] - masks.time.shape[1])).repeat_interleave(self.frames, dim=1)
            hidden = hidden.masked_fill(time[:, None] | masks.band[:, :, None], 0.0)
        halfway = keep.repeat_interleave(self.config.strides[1], dim=1)
        for convolution, fresh in zip(m.convolutions, (halfway, keep), strict=True):
            hidden = F.gelu(convolution(hidden)) * fresh[:, None]
        layers = [m.norm(hidden.transpose(1, 2))]
        for gru in m.grus:
            dropped = F.dropout(layers[-1], self.dropout, self.training)
            # Packed, so that the backward direction starts at each utterance's own end.
            packed = nn.utils.rnn.pack_padded_sequence(
                dropped, features.lengths.cpu(), batch_first=True, enforce_sorted=False
            )
            output, _ = nn.utils.rnn.pad_packed_sequence(gru(packed)[0], batch_first=True, total_length=keep.shape[1])
            layers.append(output)
        return layers
