"""A second task for a recogniser: the human scores, read off its states, which come to encode pronunciation.

CTC alone teaches an encoder which phone it is; nuances within a phone are noise to it. The score head pools the states
of each expected phone over its time on the best path of the recogniser's own posteriors, and estimates the phone's
score from them; the sentence's scores from the mean of all states. A scorer that is fitted later reads the same states
and these estimates (`assessment.types.HeadOutput`), of speakers whom neither has seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the customary name
from torch import Tensor, nn

from phonobench import ctc
from phonobench.assessment.types import PHONE_SCALE, SCORE_SCALE, SENTENCE_SCORES
from phonobench.neural.assessment.network import PHONES, SENTENCES, squared
from phonobench.neural.frontends.features import valid
from phonobench.phones import COLUMNS
from phonobench.types import Utterance

LAYER = -2
"""The layer whose states the score head reads: the last layer's serve the phones' identity."""
WIDTH, DROPOUT = 128, 0.1


@dataclass(frozen=True, eq=False)
class ScoreTargets:
    """An utterance's expected phones `ids` (N,) with human scores as shares of their scales (NaN: none): `phone` (N,),
    `sentence` (4,)."""

    ids: tuple[int, ...]
    phone: np.ndarray
    sentence: np.ndarray


def score_targets(utterances: Sequence[Utterance], targets: Sequence[tuple[int, ...]]) -> list[ScoreTargets]:
    """The targets of the score head for each utterance, whose canonical ids are `targets`."""
    found = []
    for utterance, ids in zip(utterances, targets, strict=True):
        human = utterance.judgement
        sentence = np.array([getattr(human, name) for name in SENTENCE_SCORES], dtype=np.float32)
        phone = np.asarray(human.phone_accuracy, dtype=np.float32)
        found.append(ScoreTargets(ids, phone / np.float32(PHONE_SCALE), sentence / np.float32(SCORE_SCALE)))
    return found


class ScoreHead(nn.Module):
    """Mean states in, shares of the scales out."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.read = nn.Sequential(nn.LayerNorm(width), nn.Dropout(DROPOUT), nn.Linear(width, WIDTH))
        self.phone = nn.Embedding(COLUMNS, WIDTH)
        self.score = nn.Linear(WIDTH, 1)
        last = nn.Linear(width, len(SENTENCE_SCORES))
        self.sentence = nn.Sequential(nn.LayerNorm(width), nn.Dropout(DROPOUT), last)
        for estimate in (self.score, last):
            nn.init.normal_(estimate.weight, std=0.01)
            nn.init.constant_(estimate.bias, 0.8)  # most speech scores well: begin there

    def forward(self, pooled: Tensor, whole: Tensor, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Phone (..., N) and sentence (..., 4), from the mean states over each phone (..., N, D) and over all (..., D),
        and `ids` (..., N)."""
        hidden = F.gelu(self.read(pooled) + self.phone(ids))
        return self.score(hidden)[..., 0], self.sentence(whole)

    def loss(self, states: Tensor, logp: Tensor, lengths: Tensor, wanted: Sequence[ScoreTargets]) -> Tensor:
        """Weighted squared error of a batch: states (B, S, D), posteriors `logp` (B, S, 40) that give the phones'
        times (no gradient goes through them), true `lengths` (B,). What cannot be aligned counts nothing."""
        longest = max(len(one.ids) for one in wanted)
        shares = np.zeros((len(wanted), longest, states.shape[1]), dtype=np.float32)
        ids = np.zeros((len(wanted), longest), dtype=np.int64)
        phone = np.full((len(wanted), longest), np.nan, dtype=np.float32)
        log_posteriors = logp.detach().float().cpu().numpy()
        for row, (one, length) in enumerate(zip(wanted, lengths.tolist(), strict=True)):
            count = len(one.ids)
            if not 0 < ctc.needed(one.ids) <= length:
                continue
            ids[row, :count], phone[row, :count] = one.ids, one.phone
            spans = zip(*ctc.align(log_posteriors[row, :length], one.ids).territories(length), strict=True)
            for place, (first, last) in enumerate(spans):
                shares[row, place, first:last] = 1.0 / (last - first)
        sentence = np.stack([one.sentence for one in wanted])
        given = [torch.from_numpy(array).to(states.device) for array in (shares, ids, phone, sentence)]
        states = states.float()
        there = valid(lengths.to(states.device), states.shape[1]).float()
        whole = (there[:, None] @ states)[:, 0] / there.sum(1, keepdim=True)
        told_phone, told_sentence = self(given[0] @ states, whole, given[1])
        return PHONES * squared(told_phone, given[2]) + SENTENCES * squared(told_sentence, given[3])
