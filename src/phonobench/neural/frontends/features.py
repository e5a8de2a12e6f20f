"""What passes between front ends, encoders and SpecAugment: padded features with true lengths, and masks.

Lengths are in states of the encoder; masks are in states and bands, so that they mean the same time for every family.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Features:
    """What an encoder reads: `values` (batch, ...) padded, `lengths` (batch,) in states, `samples` (batch,)."""

    values: Tensor
    lengths: Tensor
    samples: Tensor

    def twice(self) -> Features:
        """Every utterance two times, for two views of a batch: first all, then all again."""
        return Features(*(torch.cat([part, part]) for part in (self.values, self.lengths, self.samples)))


@dataclass(frozen=True, eq=False)
class Masks:
    """What SpecAugment hides: `time` (batch, states) and `band` (batch, bands), True where hidden."""

    time: Tensor
    band: Tensor


def valid(lengths: Tensor, longest: int) -> Tensor:
    """(batch, longest), True on the frames that belong to the utterance."""
    return torch.arange(longest, device=lengths.device)[None] < lengths[:, None]
