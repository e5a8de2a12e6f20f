"""Encoders of Whisper's shape: log-mels of up to 30 s, two convolutions to 50 Hz, positions, a Transformer."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the customary name
from torch import Tensor, nn

from phonobench.neural.encoders.encoder import Encoder
from phonobench.neural.frontends.features import Features, Masks, valid
from phonobench.neural.frontends.mel import SAMPLES_PER_STATE, MelFrontEnd, rounded, states
from phonobench.types import SAMPLE_RATE


class MelEncoder(Encoder):
    """Whisper's encoder or Qwen2-Audio's tower, run on the frames of the real audio (positions cut, padding masked).

    With `window` it is given the audio followed by silence, as it was pretrained, and the states of the silence are cut
    off. Whisper attends to that silence up to its full 30 s: ten times the work, and as it was trained.
    Qwen2-Audio (`masked`) never attends to it, so that a little of it serves as well. `pool` states are averaged into
    one at the end: 2 is Qwen2-Audio's own 25 Hz.
    """

    def __init__(self, module: Any, masked: bool = False, pool: int = 1) -> None:
        super().__init__()
        self.module, self.config = module, module.config
        module.embed_positions.requires_grad_(False)  # sinusoids, not learned
        self.masked, self.pool = masked, pool
        self.front = MelFrontEnd(self.config.num_mel_bins)
        self.bands, self.width = self.config.num_mel_bins, self.config.d_model
        self.max_seconds = self.config.max_source_positions * SAMPLES_PER_STATE / SAMPLE_RATE

    @property
    def blocks(self) -> list[nn.Module]:
        """Parts from the input upwards: the stem, then each layer (the last with the final normalisation)."""
        m = self.module
        return [nn.ModuleList([m.conv1, m.conv2]), *m.layers[:-1], nn.ModuleList([m.layers[-1], m.layer_norm])]

    def set_dropout(self, rate: float) -> None:
        """Dropout on embeddings and layer outputs."""
        m = self.module
        m.dropout = rate
        for layer in m.layers:
            layer.dropout = rate

    def length(self, samples: int) -> int:
        """States of an utterance of `samples`."""
        return states(samples) // self.pool

    def features(self, waves: list[Tensor]) -> Features:
        """Waves (samples,) -> mel (batch, bands, 2 S), S before pooling."""
        span = None
        if self.window:
            span = self.config.max_source_positions
            if self.masked:  # the convolutions reach one frame past the end; nothing reads the rest of the window
                span = min(span, rounded(max(states(len(wave)) for wave in waves) + 1))
        mel, lengths = self.front(waves, span)
        return Features(mel, lengths // self.pool, torch.tensor([len(wave) for wave in waves]))

    def forward(self, features: Features, masks: Masks | None = None) -> list[Tensor]:
        """States (batch, S, width): before the first layer, then after every layer (the last normalised)."""
        m = self.module
        mel, longest = features.values, features.values.shape[-1] // 2
        real = valid(-(-features.samples // SAMPLES_PER_STATE), longest).to(mel.device)
        if masks is not None:
            hidden_time = masks.time.repeat_interleave(2 * self.pool, dim=1)
            hidden_time = F.pad(hidden_time, (0, 2 * longest - hidden_time.shape[1]))
            mel = mel.masked_fill(hidden_time[:, None] | masks.band[:, :, None], 0.0)
        audible = (real | self.window).repeat_interleave(2, dim=1)[:, None]
        hidden = F.gelu(m.conv1(mel)) * audible
        hidden = F.gelu(m.conv2(hidden)).transpose(1, 2) + m.embed_positions.weight[:longest]
        hidden = F.dropout(hidden, p=m.dropout, training=self.training)
        keep = real if self.masked else real | self.window
        attend = keep[:, None, None, :].expand(-1, 1, longest, -1)
        layers = [hidden]
        for layer in m.layers:
            hidden = layer(hidden, attend)
            layers.append(hidden)
        layers = [self._pooled(layer) for layer in layers]
        layers[-1] = m.layer_norm(layers[-1])
        return layers if not self.window else [layer[:, : int(features.lengths.max())] for layer in layers]

    def _pooled(self, states: Tensor) -> Tensor:
        """Means of `pool` neighbours; an odd one at the end is left out, as in the model itself."""
        return states if self.pool == 1 else F.avg_pool1d(states.transpose(1, 2), self.pool).transpose(1, 2)
