"""Conformers that read filterbanks: w2v-BERT 2.0 (50 Hz) and Parakeet (12.5 Hz)."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the customary name
from torch import Tensor, nn

from phonobench.neural.encoders.encoder import Encoder, drop_out, recorded
from phonobench.neural.frontends.features import Features, Masks, valid
from phonobench.neural.frontends.filterbank import (
    KaldiFrontEnd,
    NemoFrontEnd,
    halved,
    kaldi_frames,
    nemo_frames,
    stacked,
)
from phonobench.neural.frontends.mel import rounded
from phonobench.types import PhonobenchError


class BertEncoder(Encoder):
    """wav2vec2-BERT: pairs of filterbank frames side by side, then Conformer layers that reach the past only by
    convolution and everything by attention.
    """

    def __init__(self, module: Any) -> None:
        super().__init__()
        self.module, self.config = module, module.config
        if self.config.add_adapter or self.config.use_intermediate_ffn_before_adapter:
            raise PhonobenchError(
                "this w2v-BERT checkpoint has an adapter of another frame rate (add_adapter in config.json); "
                "give facebook/w2v-bert-2.0 or a checkpoint without one by --model"
            )
        self.bands, self.width = self.config.feature_projection_input_dim // 2, self.config.hidden_size
        self.front = KaldiFrontEnd(self.bands)
        embed = getattr(module, "masked_spec_embed", None)
        if embed is not None:
            embed.requires_grad_(False)  # hidden frames are zeroed here: it would get no gradient

    @property
    def blocks(self) -> list[nn.Module]:
        """Parts from the input upwards: the projection, then each layer."""
        return [nn.ModuleList([self.module.feature_projection]), *self.module.encoder.layers]

    def set_dropout(self, rate: float) -> None:
        """Dropout wherever the layers have it, but on attention weights."""
        drop_out(self.module.encoder, rate)

    def length(self, samples: int) -> int:
        """States of an utterance of `samples`."""
        return kaldi_frames(samples) // 2

    def features(self, waves: list[Tensor]) -> Features:
        """Waves (samples,) -> (batch, S, 2 bands), zero past the end."""
        alone = [stacked(self.front(wave)) for wave in waves]
        lengths = torch.tensor([len(one) for one in alone])
        padded = nn.utils.rnn.pad_sequence(alone, batch_first=True)
        padded = F.pad(padded, (0, 0, 0, rounded(padded.shape[1]) - padded.shape[1]))
        return Features(padded, lengths, torch.tensor([len(wave) for wave in waves]))

    def forward(self, features: Features, masks: Masks | None = None) -> list[Tensor]:
        """States (batch, S, width): before the first layer, then after every layer."""
        m, values = self.module, features.values
        keep = valid(features.lengths, values.shape[1]).to(values.device)
        if masks is not None:
            time = F.pad(masks.time, (0, values.shape[1] - masks.time.shape[1]))
            values = values.masked_fill(time[..., None] | masks.band[:, None].repeat(1, 1, 2), 0.0)
        hidden, _ = m.feature_projection(values)
        with recorded(m.encoder.layers) as layers:
            m.encoder(hidden, attention_mask=keep)
        return layers


class ParakeetEncoder(Encoder):
    """Parakeet's FastConformer: three strided convolutions to 80 ms, then Conformer layers.

    Its batch normalisations keep the statistics of their pretraining: those of a batch depend on other utterances.
    """

    def __init__(self, module: Any) -> None:
        super().__init__()
        self.module, self.config = module, module.config
        self.halvings = self.config.subsampling_factor.bit_length() - 1
        self.bands, self.width = self.config.num_mel_bins, self.config.hidden_size
        self.front = NemoFrontEnd(self.bands)

    @property
    def blocks(self) -> list[nn.Module]:
        """Parts from the input upwards: the convolutions, then each layer."""
        return [nn.ModuleList([self.module.subsampling]), *self.module.layers]

    def set_dropout(self, rate: float) -> None:
        """Dropout on the input of the layers and inside their feed-forward parts."""
        self.module.dropout = rate
        for layer in self.module.layers:
            layer.feed_forward1.activation_dropout = layer.feed_forward2.activation_dropout = rate
            layer.self_attn.attention_dropout = 0.0

    def train(self, mode: bool = True) -> ParakeetEncoder:
        """Training mode for all but the batch normalisations."""
        super().train(mode)
        for part in self.modules():
            if isinstance(part, nn.BatchNorm1d):
                part.eval()
        return self

    def length(self, samples: int) -> int:
        """States of an utterance of `samples`."""
        return halved(nemo_frames(samples), self.halvings)

    def features(self, waves: list[Tensor]) -> Features:
        """Waves (samples,) -> mel (batch, frames, bands), frames a multiple of those that make one state."""
        lengths = torch.tensor([self.length(len(wave)) for wave in waves])
        mel, _ = self.front(waves, rounded(int(lengths.max())) * self.config.subsampling_factor)
        return Features(mel, lengths, torch.tensor([len(wave) for wave in waves]))

    def forward(self, features: Features, masks: Masks | None = None) -> list[Tensor]:
        """States (batch, S, width): before the first layer, then after every layer."""
        m, mel = self.module, features.values
        frames = torch.tensor([nemo_frames(samples) for samples in features.samples.tolist()], device=mel.device)
        if masks is not None:
            time = masks.time.repeat_interleave(self.config.subsampling_factor, dim=1)
            time = F.pad(time, (0, mel.shape[1] - time.shape[1]))
            mel = mel.masked_fill(time[..., None] | masks.band[:, None], 0.0)
        with recorded(m.layers) as layers:
            m(mel, attention_mask=valid(frames, mel.shape[1]))
        return layers
