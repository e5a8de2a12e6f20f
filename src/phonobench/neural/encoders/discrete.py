"""Encoders that give codes: those of a neural codec, or of a quantiser over another encoder's states.

An utterance is coded by itself, unpadded, in float32 and once: the rounding of a batch can flip a code. With a
`code_cache` the codes are kept on disk, and found again by the samples themselves.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import soxr
import torch
from torch import Tensor, nn

from phonobench.neural.encoders.code_cache import CodeCache
from phonobench.neural.encoders.encoder import Encoder
from phonobench.neural.frontends.features import Features, Masks
from phonobench.types import SAMPLE_RATE, PhonobenchError

PADDING = -1
"""The code of a frame past the end of an utterance."""


class DiscreteEncoder(Encoder):
    """States are codes (batch, S, `n_q`), int64, `PADDING` past the end; each is below `bins`.

    With `vectors` they are looked up: (batch, S, width) in float, for heads that read vectors. `n_q` of `max_n_q` are
    used. `step` is the time of a frame in seconds.
    """

    max_n_q: int
    bins: int
    step: float
    n_q: int
    vectors: bool = False
    code_cache: CodeCache | None = None

    @property
    def blocks(self) -> list[nn.Module]:
        """The whole as one block; it is not trained."""
        return [self.module]

    def set_dropout(self, rate: float) -> None:
        """Nothing: it is frozen."""

    def features(self, waves: list[Tensor]) -> Features:
        """Waves (samples,), padded."""
        samples = torch.tensor([len(wave) for wave in waves])
        lengths = torch.tensor([self.length(len(wave)) for wave in waves])
        return Features(nn.utils.rnn.pad_sequence(waves, batch_first=True), lengths, samples)

    @torch.no_grad()
    def forward(self, features: Features, masks: Masks | None = None) -> list[Tensor]:
        """Codes (batch, S, books), or the vectors that they stand for. Raises PhonobenchError for masks."""
        if masks is not None:
            raise PhonobenchError("codes have no SpecAugment; --set time_masks=0 freq_masks=0")
        with torch.autocast(features.values.device.type, enabled=False):
            coded = [
                self._codes(wave[:count], length)[:, : self.n_q]
                for wave, count, length in zip(
                    features.values, features.samples.tolist(), features.lengths.tolist(), strict=True
                )
            ]
        if self.vectors:
            return [nn.utils.rnn.pad_sequence([self.look_up(codes) for codes in coded], batch_first=True)]
        return [nn.utils.rnn.pad_sequence(coded, batch_first=True, padding_value=PADDING)]

    def _codes(self, wave: Tensor, length: int) -> Tensor:
        """(length, most): from the cache, else made and put there. A frame that is missing at the end repeats."""
        key = hashlib.sha256(wave.cpu().numpy().tobytes()).hexdigest()[:32]
        found = None if self.code_cache is None else self.code_cache.get(key)
        if found is None:
            codes = self.code(wave)
            codes = torch.cat([codes, codes[-1:].expand(max(0, length - len(codes)), -1)])[:length]
            found = codes.cpu().numpy().astype(np.int16)
            if self.code_cache is not None:
                self.code_cache.put(key, found)
        return torch.from_numpy(found.astype(np.int64)).to(wave.device)

    def code(self, wave: Tensor) -> Tensor:
        """Codes (S, most) of one wave (samples,)."""
        raise NotImplementedError

    def look_up(self, codes: Tensor) -> Tensor:
        """Vectors (S, width) of codes (S, books). Raises PhonobenchError where there are none."""
        raise PhonobenchError("the codes of this codec are read by an embedding of their own; --set head=transformer")


class CodecEncoder(DiscreteEncoder):
    """A codec of transformers (Mimi, DAC): `books` of its residual quantisers at its own sampling rate."""

    def __init__(self, module: Any, books: int) -> None:
        super().__init__()
        self.module, self.config = module, module.config
        most = getattr(self.config, "num_quantizers", None) or self.config.n_codebooks
        self.max_n_q = self.n_q = min(books, most)
        self.bins, self.width = self.config.codebook_size, self.config.hidden_size
        self.bands = self.width
        self.rate = self.config.sampling_rate
        hop = getattr(self.config, "hop_length", None) or round(self.rate / self.config.frame_rate)
        self.hop, self.step = hop, hop / self.rate

    def length(self, samples: int) -> int:
        """Frames that cover the utterance at the codec's rate."""
        frames: int = max(1, -(-round(samples * self.rate / SAMPLE_RATE) // self.hop))
        return frames

    def code(self, wave: Tensor) -> Tensor:
        """Codes (S, most), after resampling to the codec's rate."""
        sound = wave.cpu().numpy()
        if self.rate != SAMPLE_RATE:
            sound = soxr.resample(sound, SAMPLE_RATE, self.rate)
        given = torch.from_numpy(np.ascontiguousarray(sound, dtype=np.float32)).to(wave.device)[None, None]
        codes: Tensor = self.module.encode(given).audio_codes[0, : self.max_n_q].T
        return codes


class QuantisedEncoder(DiscreteEncoder):
    """Residual vector quantisation of another frozen encoder's last states, by codebooks learned on train speakers.

    `codebook_0` ... are (size, width) each: the first is k-means of the states, every other one of what those before it
    left over. Vectors are sums over the first `books` of them.
    """

    def __init__(
        self, inner: Encoder, step: float, fixed: bool, most: int, size: int, members: list[dict[str, Any]]
    ) -> None:
        super().__init__()
        self.module, self.step, self.fixed = inner, step, fixed
        self.max_n_q = self.n_q = most
        self.bins, self.width, self.members = size, inner.width, members
        self.bands, self.max_seconds = inner.width, inner.max_seconds
        for place in range(most):
            self.register_buffer(f"codebook_{place}", torch.zeros(size, inner.width))
        self.register_buffer("mean", torch.zeros(inner.width))
        self.register_buffer("scale", torch.ones(inner.width))
        self.own_buffers = tuple(name for name, _ in self.named_buffers(recurse=False))

    @property
    def window(self) -> bool:
        """Whether the inner encoder is given its whole window."""
        return bool(self.module.window)

    @window.setter
    def window(self, on: bool) -> None:
        if not self.fixed:
            self.module.window = on

    def settings(self) -> dict[str, Any]:
        """Size of the codebooks, and of which encoder they are."""
        return {"members": self.members, "most": self.max_n_q, "size": self.bins}

    def length(self, samples: int) -> int:
        """States of the inner encoder."""
        states: int = self.module.length(samples)
        return states

    def states(self, wave: Tensor) -> Tensor:
        """The inner encoder's last states (S, width), each dimension scaled as on the train speakers."""
        features = self.module.features([wave])
        states: Tensor = self.module(features)[-1][0, : int(features.lengths[0])].float()
        return (states - self.get_buffer("mean")) / self.get_buffer("scale")

    def code(self, wave: Tensor) -> Tensor:
        """Codes (S, max_n_q)."""
        return quantise(self.states(wave), [self.get_buffer(f"codebook_{place}") for place in range(self.max_n_q)])

    def look_up(self, codes: Tensor) -> Tensor:
        """Sum of the books' vectors (S, width), on the scale of the states."""
        books = [self.get_buffer(f"codebook_{place}")[codes[:, place]] for place in range(codes.shape[1])]
        return torch.stack(books).sum(0) * self.get_buffer("scale") + self.get_buffer("mean")


def quantise(states: Tensor, books: list[Tensor]) -> Tensor:
    """Codes (S, len(books)) of states (S, width): in each book the nearest to what the books before left over."""
    rest, found = states, []
    for book in books:
        nearest = (book.square().sum(1) - 2 * rest @ book.T).argmin(1)
        found.append(nearest)
        rest = rest - book[nearest]
    return torch.stack(found, dim=1)
