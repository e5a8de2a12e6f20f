"""Encoders that read the waveform: the wav2vec2 lineage (HuBERT, WavLM, data2vec)."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the customary name
from torch import Tensor, nn

from phonobench.neural.encoders.encoder import Encoder, drop_out, recorded
from phonobench.neural.frontends.features import Features, Masks, valid
from phonobench.neural.frontends.mel import SAMPLES_PER_STATE, rounded


class WaveEncoder(Encoder):
    """Convolutions to 50 Hz (seven in the published checkpoints), then a Transformer.

    `normalise` scales every utterance to zero mean and unit variance first, as the checkpoint's own feature extractor
    says. With group normalisation the convolutions run an utterance at a time: they would mix in the padding.
    """

    def __init__(self, module: Any, normalise: bool) -> None:
        super().__init__()
        self.module, self.config = module, module.config
        self.normalise = normalise
        # data2vec's configuration does not name its norm: it has no group normalisation
        self.grouped = getattr(self.config, "feat_extract_norm", "layer") == "group"
        self.width = self.bands = self.config.hidden_size
        embed = getattr(module, "masked_spec_embed", None)
        if embed is not None:
            embed.requires_grad_(False)  # hidden frames are zeroed here: it would get no gradient

    @property
    def blocks(self) -> list[nn.Module]:
        """Parts from the input upwards: convolutions and projection, then each layer (the last with what is left)."""
        m = self.module
        stem = nn.ModuleList([m.feature_extractor, m.feature_projection, m.encoder.pos_conv_embed])
        last = nn.ModuleList([m.encoder.layers[-1], m.encoder.layer_norm])
        return [stem, *m.encoder.layers[:-1], last]

    def set_dropout(self, rate: float) -> None:
        """Dropout wherever the Transformer has it."""
        drop_out(self.module.encoder, rate)

    def settings(self) -> dict[str, Any]:
        """The configuration, and whether waves are normalised."""
        return {**self.config.to_dict(), "normalise": self.normalise}

    def length(self, samples: int) -> int:
        """States of an utterance of `samples`; 0 where it is shorter than the first window (25 ms, if published)."""
        for kernel, stride in zip(self.config.conv_kernel, self.config.conv_stride, strict=True):
            samples = (samples - kernel) // stride + 1 if samples >= kernel else 0
        return samples

    def features(self, waves: list[Tensor]) -> Features:
        """Waves (samples,) -> padded waves (batch, longest)."""
        if self.normalise:
            waves = [(wave - wave.mean()) / (wave.var(unbiased=False) + 1e-7).sqrt() for wave in waves]
        samples = torch.tensor([len(wave) for wave in waves])
        lengths = torch.tensor([self.length(len(wave)) for wave in waves])
        padded = nn.utils.rnn.pad_sequence(waves, batch_first=True)
        if not self.grouped:
            # So many samples that the convolutions end on the rounded number of states.
            longest = rounded(int(lengths.max())) * SAMPLES_PER_STATE + SAMPLES_PER_STATE // 4
            padded = F.pad(padded, (0, longest - padded.shape[1]))
        return Features(padded, lengths, samples)

    def forward(self, features: Features, masks: Masks | None = None) -> list[Tensor]:
        """States (batch, S, width): before the first layer, then after every layer (the last as the model ends)."""
        m = self.module
        hidden = self._convolve(features)
        keep = valid(features.lengths, hidden.shape[1]).to(hidden.device)
        projected = m.feature_projection(hidden)
        hidden = projected[0] if isinstance(projected, tuple) else projected
        hidden = hidden * keep[..., None]
        if masks is not None:
            time = F.pad(masks.time, (0, hidden.shape[1] - masks.time.shape[1]))
            hidden = hidden.masked_fill(time[..., None] | masks.band[:, None, :], 0.0)
        # data2vec stacks positional convolutions with a norm after each, which fills the padding that the next reads.
        hooks = [
            layer.register_forward_hook(lambda _, __, out: out * keep[:, None])
            for layer in getattr(m.encoder.pos_conv_embed, "layers", ())
        ]
        try:
            with recorded(m.encoder.layers) as layers:
                # A layer may write into its mask's place of the input: a copy keeps the caller's states whole.
                last = m.encoder(hidden.clone(), attention_mask=keep).last_hidden_state
        finally:
            for hook in hooks:
                hook.remove()
        layers[-1] = last
        return layers

    def _convolve(self, features: Features) -> Tensor:
        """Convolution features (batch, S, channels), zero or arbitrary past the end."""
        m = self.module
        if not self.grouped:
            channels: Tensor = m.feature_extractor(features.values).transpose(1, 2)
            return channels
        alone = [
            m.feature_extractor(wave[None, :count]).transpose(1, 2)[0]
            for wave, count in zip(features.values, features.samples.tolist(), strict=True)
        ]
        return nn.utils.rnn.pad_sequence(alone, batch_first=True)
