"""Whisper's log-mel front end on lists of unpadded waves, the same alone and in a batch.

Frames are 10 ms; two of them make one encoder state of 20 ms. Every wave is followed by silence, as in Whisper's own
training on 30 s windows, so that the last frames see zeros and no reflection; an utterance of n samples has
ceil(n / 320) states and twice as many frames. Formula: Radford et al. 2022 and OpenAI's feature extractor.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from phonobench.assessment.model.mel import filters

WINDOW = 400
STEP = 160
SAMPLES_PER_STATE = 2 * STEP
DYNAMIC_RANGE = 8.0
"""Powers of ten below the loudest bin of an utterance at which Whisper's scale ends."""


ROUND = 32
"""States. Padding to a multiple of it keeps the shapes few: kernels are compiled for each new shape."""


def rounded(longest: int) -> int:
    """The padded number of states of a batch whose longest utterance has `longest`.

    Example:
        >>> rounded(32), rounded(33)
        (32, 64)
    """
    return -(-longest // ROUND) * ROUND


def states(samples: int) -> int:
    """Number of encoder states (20 ms) that cover `samples`.

    Example:
        >>> states(320), states(321)
        (1, 2)
    """
    return -(-samples // SAMPLES_PER_STATE)


class MelFrontEnd(nn.Module):
    """Waves -> scaled log-mel spectrograms."""

    filters: Tensor
    window: Tensor

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.register_buffer("filters", torch.tensor(filters(bands), dtype=torch.float32), persistent=False)
        self.register_buffer("window", torch.hann_window(WINDOW), persistent=False)

    @torch.no_grad()
    def forward(self, waves: list[Tensor], window: int | None = None) -> tuple[Tensor, Tensor]:
        """Float waves (samples,) -> mel (batch, bands, 2 S) and the states of each (batch,).

        S is the longest, rounded up to a multiple of `ROUND`; frames past an utterance's end are zero. With `window`,
        S is that many states and the frames past the end are those of silence, as in Whisper's pretraining.
        """
        lengths = torch.tensor([states(len(wave)) for wave in waves], device=self.window.device)
        longest = window or rounded(int(lengths.max()))
        padded = torch.zeros(len(waves), longest * SAMPLES_PER_STATE + WINDOW, device=self.window.device)
        for row, wave in zip(padded, waves, strict=True):
            row[: len(wave)] = wave
        power = torch.stft(padded, WINDOW, STEP, window=self.window, return_complex=True).abs().square()
        log = (self.filters.T @ power).clamp(min=1e-10).log10()
        frame = torch.arange(log.shape[-1], device=log.device)
        # The loudest bin is looked for where the wave can reach: two frames past the last that is kept.
        reach = frame[None] < 2 * lengths[:, None] + 2
        loudest = log.masked_fill(~reach[:, None], -10.0).amax(dim=(1, 2), keepdim=True)
        mel = (torch.maximum(log, loudest - DYNAMIC_RANGE) + 4.0) / 4.0
        mel = mel[..., : 2 * longest]
        if window:
            return mel, lengths
        return mel * (frame[: 2 * longest] < 2 * lengths[:, None])[:, None], lengths
