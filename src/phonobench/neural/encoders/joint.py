"""Several frozen encoders at once, their last states side by side on the time grid of the finest of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from phonobench.neural.encoders.encoder import Encoder
from phonobench.neural.frontends.features import Features, Masks
from phonobench.types import PhonobenchError


@dataclass(frozen=True)
class Part:
    """One of the encoders: `step` seconds a state; `fixed` where a training has already settled its weights."""

    encoder: Encoder
    step: float
    fixed: bool


@dataclass(frozen=True, eq=False)
class JointFeatures(Features):
    """What each of several encoders reads of the same utterances; `lengths` are those of the finest one."""

    parts: tuple[Features, ...] = ()

    def twice(self) -> JointFeatures:
        """Every utterance two times, for each encoder."""
        both = super().twice()
        return JointFeatures(both.values, both.lengths, both.samples, tuple(part.twice() for part in self.parts))


class JointEncoder(Encoder):
    """States (batch, S, sum of widths): those of each part, interpolated linearly in time where its step is longer.

    The middle of state k of a part lies at (k + 1/2) steps; before its first middle and after its last the nearest
    state stands, so that parts of one step which round the end differently meet frame by frame.
    """

    def __init__(self, parts: Sequence[Part], members: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__()
        self.module = nn.ModuleList(part.encoder for part in parts)
        self.parts, self.members = tuple(parts), list(members)
        self.widths = tuple(part.encoder.width for part in parts)
        self.width = self.bands = sum(self.widths)
        self.max_seconds = min(part.encoder.max_seconds for part in parts)
        self.step = min(part.step for part in parts)
        self.leader = next(place for place, part in enumerate(parts) if part.step == self.step)

    @property
    def window(self) -> bool:
        """Whether the parts that come from checkpoints read their whole window."""
        return any(part.encoder.window for part in self.parts if not part.fixed)

    @window.setter
    def window(self, on: bool) -> None:
        for part in self.parts:
            if not part.fixed:
                part.encoder.window = on

    @property
    def blocks(self) -> list[nn.Module]:
        """All parts as one block: it has one state, and there is no order in which to train it."""
        return [self.module]

    def set_dropout(self, rate: float) -> None:
        """Nothing: the parts are frozen."""

    def settings(self) -> dict[str, Any]:
        """Which members it was made of."""
        return {"members": self.members}

    def length(self, samples: int) -> int:
        """States of the finest part."""
        return self.parts[self.leader].encoder.length(samples)

    def features(self, waves: list[Tensor]) -> JointFeatures:
        """Waves (samples,) -> what each part reads."""
        read = tuple(part.encoder.features(waves) for part in self.parts)
        leader = read[self.leader]
        return JointFeatures(leader.values, leader.lengths, leader.samples, read)

    def forward(self, features: Features, masks: Masks | None = None) -> list[Tensor]:
        """One state (batch, S, width). Raises PhonobenchError for masks, which frozen encoders do not learn from."""
        if masks is not None:
            raise PhonobenchError("a fusion of frozen encoders has no SpecAugment; --set time_masks=0 freq_masks=0")
        assert isinstance(features, JointFeatures)
        longest = int(features.lengths.max())
        states = [
            resampled(part.encoder(read)[-1], read.lengths, longest, self.step / part.step)
            for part, read in zip(self.parts, features.parts, strict=True)
        ]
        return [torch.cat([state.float() for state in states], dim=-1)]


def resampled(states: Tensor, lengths: Tensor, longest: int, ratio: float) -> Tensor:
    """States (batch, S, width) of true `lengths` at `longest` instants `ratio` of a step apart, by interpolation."""
    place = (torch.arange(longest, device=states.device) + 0.5) * ratio - 0.5
    last = (lengths.to(states.device) - 1).clamp(min=0)[:, None]
    place = torch.minimum(place.clamp(min=0)[None], last)
    low = place.floor().long()
    high = torch.minimum(low + 1, last)
    share = (place - low)[..., None].to(states.dtype)
    rows = torch.arange(len(states), device=states.device)[:, None]
    return states[rows, low] * (1 - share) + states[rows, high] * share
