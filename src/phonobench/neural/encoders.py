"""Speech encoders behind one face: lists of unpadded waves in, states of every layer and true lengths out.

Padding, masks and lengths stay in here, and company does not change an utterance: alone or in a batch its states are
the same to rounding.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the customary name
from torch import Tensor, nn

from phonobench.neural.features import Features, Masks, valid
from phonobench.neural.mel import SAMPLES_PER_STATE, MelFrontEnd, rounded, states
from phonobench.neural.recurrent import RecurrentEncoder


class MelEncoder(nn.Module):
    """A Whisper-shaped encoder, run on the frames of the real audio alone (positions cut, padding masked).

    With `window` it hears the audio followed by silence up to its full 30 s, as it was pretrained, and the states of
    the silence are cut off: ten times the work, and what a frozen encoder knows best.
    """

    width: int
    bands: int
    longest: int
    window: bool
    serial = False

    def __init__(self, module: Any) -> None:
        super().__init__()
        self.module: Any = module
        self.config: Any = module.config
        module.embed_positions.requires_grad_(False)  # sinusoids, not learned
        self.front = MelFrontEnd(self.config.num_mel_bins)
        self.bands = self.config.num_mel_bins
        self.width = self.config.d_model
        self.longest = self.config.max_source_positions
        self.window = False

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
        return states(samples)

    def features(self, waves: list[Tensor]) -> Features:
        """Waves (samples,) -> mel (batch, bands, 2 S)."""
        mel, lengths = self.front(waves, self.longest if self.window else None)
        return Features(mel, lengths, torch.tensor([len(wave) for wave in waves]))

    def forward(self, features: Features, masks: Masks | None = None) -> list[Tensor]:
        """States (batch, S, width): before the first layer, then after every layer (the last normalised)."""
        m = self.module
        mel, longest = features.values, features.values.shape[-1] // 2
        keep = valid(features.lengths, longest) | self.window
        keep_mel = keep.repeat_interleave(2, dim=1)[:, None]
        if masks is not None:
            hidden_time = F.pad(masks.time, (0, longest - masks.time.shape[1])).repeat_interleave(2, dim=1)
            mel = mel.masked_fill(hidden_time[:, None] | masks.band[:, :, None], 0.0)
        hidden = F.gelu(m.conv1(mel)) * keep_mel
        hidden = F.gelu(m.conv2(hidden)).transpose(1, 2) + m.embed_positions.weight[:longest]
        hidden = F.dropout(hidden, p=m.dropout, training=self.training)
        attend = keep[:, None, None, :].expand(-1, 1, longest, -1)
        layers = [hidden]
        for layer in m.layers:
            hidden = layer(hidden, attend)
            layers.append(hidden)
        layers[-1] = m.layer_norm(hidden)
        return layers if not self.window else [layer[:, : int(features.lengths.max())] for layer in layers]


class WaveEncoder(nn.Module):
    """An encoder of the wav2vec2 lineage (HuBERT, WavLM, data2vec): seven convolutions to 50 Hz, then a Transformer.

    `normalise` scales every utterance to zero mean and unit variance first, as the checkpoint's own feature extractor
    says. With group normalisation the convolutions run an utterance at a time: they would hear the padding.
    """

    width: int
    bands: int
    longest: int
    window: bool
    serial = False

    def __init__(self, module: Any, normalise: bool) -> None:
        super().__init__()
        self.module: Any = module
        self.config: Any = module.config
        self.normalise = normalise
        # data2vec's configuration does not name its norm: it has no group normalisation
        self.grouped = getattr(self.config, "feat_extract_norm", "layer") == "group"
        self.width = self.config.hidden_size
        self.bands = self.config.hidden_size
        self.longest = 1 << 30
        self.window = False  # there is no window to fill
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
        for name, part in self.module.encoder.named_modules():
            if isinstance(part, nn.Dropout) and "attention" not in name:
                part.p = rate

    def length(self, samples: int) -> int:
        """States of an utterance of `samples`; 0 where it is shorter than the first window (25 ms)."""
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
        layers: list[Tensor] = []
        hooks = [m.encoder.layers[0].register_forward_pre_hook(lambda _, args: layers.append(args[0]))]
        hooks += [
            layer.register_forward_hook(lambda _, __, out: layers.append(_first(out))) for layer in m.encoder.layers
        ]
        # data2vec stacks positional convolutions with a norm after each, which fills the padding that the next hears.
        hooks += [
            layer.register_forward_hook(lambda _, __, out: out * keep[:, None])
            for layer in getattr(m.encoder.pos_conv_embed, "layers", ())
        ]
        try:
            # A layer may write into its mask's place of the input: a copy keeps the caller's states whole.
            last = m.encoder(hidden.clone(), attention_mask=keep).last_hidden_state
        finally:
            for hook in hooks:
                hook.remove()
        if len(layers) != len(m.encoder.layers) + 1:
            raise RuntimeError(f"{len(layers)} states from {len(m.encoder.layers)} layers: layer drop is on")
        layers[-1] = last
        return layers

    def _convolve(self, features: Features) -> Tensor:
        """Convolution features (batch, S, channels), zero or arbitrary past the end."""
        m = self.module
        if not self.grouped:
            return m.feature_extractor(features.values).transpose(1, 2)
        alone = [
            m.feature_extractor(wave[None, :count]).transpose(1, 2)[0]
            for wave, count in zip(features.values, features.samples.tolist(), strict=True)
        ]
        return nn.utils.rnn.pad_sequence(alone, batch_first=True)


def _first(output: Any) -> Tensor:
    return output[0] if isinstance(output, tuple) else output


Encoder = MelEncoder | WaveEncoder | RecurrentEncoder
