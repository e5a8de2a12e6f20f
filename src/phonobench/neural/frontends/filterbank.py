"""Log filterbanks as the extractors of w2v-BERT and Parakeet compute them, the same alone and in a batch.

Both have frames of 25 ms every 10 ms and a fast Fourier transform of 512 points, and normalise each band over the
utterance. Formulas: Kaldi's fbank and transformers' `SeamlessM4TFeatureExtractor`; `ParakeetFeatureExtractor` (NeMo).
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from phonobench.neural.frontends.features import valid
from phonobench.types import SAMPLE_RATE

FRAME = 400
STEP = 160
POINTS = 512
PREEMPHASIS = 0.97
KALDI_FLOOR = 1.192092955078125e-07
"""The smallest step of a float32 at one, Kaldi's floor of band energies."""


class KaldiFrontEnd(nn.Module):
    """Waves -> Kaldi log filterbanks, each band with zero mean and unit variance over its utterance."""

    filters: Tensor
    window: Tensor

    def __init__(self, bands: int) -> None:
        from transformers.audio_utils import mel_filter_bank

        super().__init__()
        filters = mel_filter_bank(
            num_frequency_bins=1 + POINTS // 2,
            num_mel_filters=bands,
            min_frequency=20.0,
            max_frequency=8000.0,
            sampling_rate=SAMPLE_RATE,
            norm=None,
            mel_scale="kaldi",
            triangularize_in_mel_space=True,
        )
        # Povey's window. Double precision: quiet bands are differences of large numbers.
        window = torch.hann_window(FRAME, periodic=False, dtype=torch.float64) ** 0.85
        self.register_buffer("filters", torch.tensor(filters, dtype=torch.float64), persistent=False)
        self.register_buffer("window", window, persistent=False)

    @torch.no_grad()
    def forward(self, wave: Tensor) -> Tensor:
        """A wave (samples,) of 35 ms or more -> (frames, bands), float32; frames lie wholly inside the wave."""
        frames = (wave.double() * 2**15).unfold(0, FRAME, STEP)
        frames = frames - frames.mean(1, keepdim=True)
        before = torch.cat([frames[:, :1], frames[:, :-1]], dim=1)
        power = torch.fft.rfft((frames - PREEMPHASIS * before) * self.window, POINTS).abs().square()
        log = (power @ self.filters).clamp(min=KALDI_FLOOR).log()
        normalised: Tensor = ((log - log.mean(0)) / (log.var(0) + 1e-7).sqrt()).float()
        return normalised


def kaldi_frames(samples: int) -> int:
    """Frames of `KaldiFrontEnd`.

    Example:
        >>> kaldi_frames(399), kaldi_frames(400), kaldi_frames(16_000)
        (0, 1, 98)
    """
    return 1 + (samples - FRAME) // STEP if samples >= FRAME else 0


class NemoFrontEnd(nn.Module):
    """Waves -> log-mels as Parakeet takes them: padded in a batch, frames centred, zero past the end."""

    filters: Tensor
    window: Tensor

    def __init__(self, bands: int) -> None:
        from transformers.audio_utils import mel_filter_bank

        super().__init__()
        filters = mel_filter_bank(
            num_frequency_bins=1 + POINTS // 2,
            num_mel_filters=bands,
            min_frequency=0.0,
            max_frequency=8000.0,
            sampling_rate=SAMPLE_RATE,
            norm="slaney",
            mel_scale="slaney",
            dtype=np.dtype(np.float32),
        )
        self.register_buffer("filters", torch.from_numpy(np.ascontiguousarray(filters.T)), persistent=False)
        self.register_buffer("window", torch.hann_window(FRAME, periodic=False), persistent=False)

    @torch.no_grad()
    def forward(self, waves: list[Tensor], longest: int) -> tuple[Tensor, Tensor]:
        """Waves (samples,) -> mel (batch, longest, bands) and the frames of each (batch,)."""
        lengths = torch.tensor([nemo_frames(len(wave)) for wave in waves], device=self.window.device)
        padded = torch.zeros(len(waves), longest * STEP + FRAME, device=self.window.device)
        for row, wave in zip(padded, waves, strict=True):
            row[: len(wave)] = torch.cat([wave[:1], wave[1:] - PREEMPHASIS * wave[:-1]])
        power = (
            torch.stft(padded, POINTS, STEP, FRAME, self.window, pad_mode="constant", return_complex=True)
            .abs()
            .square()[..., :longest]
        )
        log = (self.filters @ power + 2**-24).log().transpose(1, 2)
        keep = valid(lengths, longest)[..., None]
        mean = (log * keep).sum(1, keepdim=True) / lengths[:, None, None]
        variance = ((log - mean).square() * keep).sum(1, keepdim=True) / (lengths - 1)[:, None, None]
        return (log - mean) / (variance.sqrt() + 1e-5) * keep, lengths


def nemo_frames(samples: int) -> int:
    """Frames of `NemoFrontEnd` that count.

    Example:
        >>> nemo_frames(16_000)
        100
    """
    return samples // STEP


def halved(frames: int, times: int) -> int:
    """Frames after convolutions of stride two that keep an odd one.

    Args:
        frames: Frames that go in.
        times: Convolutions.

    Returns:
        Frames that come out.

    Example:
        >>> halved(100, 3), halved(97, 3)
        (13, 13)
    """
    return math.ceil(frames / (1 << times))


def stacked(frames: Tensor) -> Tensor:
    """(frames, bands) -> (frames // 2, 2 bands): neighbours side by side, an odd one at the end left out."""
    pairs = len(frames) // 2
    return frames[: 2 * pairs].reshape(pairs, -1)
