"""A small mel encoder that learns from little data: two convolutions to 50 Hz, then bidirectional GRUs.

No pretrained weights exist for it: it is what the main job trains where nothing else is at hand.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the customary name
from torch import Tensor, nn

from phonobench.neural.features import Features, Masks, valid
from phonobench.neural.mel import MelFrontEnd, states


@dataclass(frozen=True)
class RecurrentConfig:
    """Size of the encoder: `bands` of mel, `width` of its states (both directions together), `layers` of GRUs."""

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
            [nn.Conv1d(config.bands, width, 5, padding=2), nn.Conv1d(width, width, 5, stride=2, padding=2)]
        )
        self.norm = nn.LayerNorm(width)
        self.grus = nn.ModuleList(
            nn.GRU(width, width // 2, batch_first=True, bidirectional=True) for _ in range(config.layers)
        )


class RecurrentEncoder(nn.Module):
    """`RecurrentModule` behind the face of all encoders (see `neural.encoders`)."""

    width: int
    bands: int
    longest: int
    window: bool

    def __init__(self, module: RecurrentModule) -> None:
        super().__init__()
        self.module: Any = module
        self.config = module.config
        self.front = MelFrontEnd(self.config.bands)
        self.bands, self.width = self.config.bands, self.config.width
        self.longest = 1 << 30
        self.window = False  # there is no window to fill
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
        return states(samples)

    def features(self, waves: list[Tensor]) -> Features:
        """Waves (samples,) -> mel (batch, bands, 2 S), each band's mean over the utterance taken off."""
        mel, lengths = self.front(waves)
        keep = valid(2 * lengths, mel.shape[-1])[:, None]
        mean = mel.sum(-1, keepdim=True) / (2 * lengths)[:, None, None]
        return Features((mel - mean) * keep, lengths, torch.tensor([len(wave) for wave in waves]))

    def forward(self, features: Features, masks: Masks | None = None) -> list[Tensor]:
        """States (batch, S, width): before the first GRU, then after each."""
        m, hidden = self.module, features.values
        keep = valid(features.lengths, hidden.shape[-1] // 2)
        if masks is not None:
            time = F.pad(masks.time, (0, keep.shape[1] - masks.time.shape[1])).repeat_interleave(2, dim=1)
            hidden = hidden.masked_fill(time[:, None] | masks.band[:, :, None], 0.0)
        for convolution, fresh in zip(m.convolutions, (keep.repeat_interleave(2, dim=1), keep), strict=True):
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
