"""What training minimises: CTC on the canonical phones, with consistency between two augmented views if asked.

Random weights may begin with cross-entropy to roughly placed phones (`flat_start`) instead.

A target may hold wildcards (`WILDCARD`): one frame or more of anything, at no cost. They stand where a phone was
mispronounced, where the canonical phones are not what was pronounced.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the customary name
from torch import Tensor

from phonobench import ctc
from phonobench.neural.frontends.features import valid
from phonobench.neural.training.flat_start import stretched
from phonobench.phones import COLUMNS
from phonobench.systems.recipe import Recipe
from phonobench.types import Utterance

WILDCARD = COLUMNS
"""The target id that anything satisfies: one past the last phone."""
IGNORED = -1
"""The label of frames past an utterance's end."""


def targets(
    utterances: Sequence[Utterance], canonical: Sequence[tuple[int, ...]], recipe: Recipe
) -> list[tuple[int, ...]]:
    """What each utterance is to be recognised as.

    Args:
        utterances: With their human scores; a phone without one is kept as it is.
        canonical: The ids of the prompt's phones, one tuple an utterance.
        recipe: `wildcard_below` says below which score a phone becomes a wildcard.

    Returns:
        The ids, neighbouring wildcards made one.
    """
    if not recipe.wildcard_below:
        return list(canonical)
    found = []
    for utterance, ids in zip(utterances, canonical, strict=True):
        scores = zip(ids, utterance.judgement.phone_accuracy, strict=True)
        marked = [WILDCARD if score < recipe.wildcard_below else phone for phone, score in scores]
        again = [False, *(a == b == WILDCARD for a, b in pairwise(marked))]
        found.append(tuple(phone for phone, repeated in zip(marked, again, strict=True) if not repeated))
    return found


def loss(logp: Tensor, lengths: Tensor, targets: list[tuple[int, ...]], recipe: Recipe) -> Tensor:
    """Nats per target phone: CTC, plus the recipe's share of consistency and smoothing.

    Args:
        logp: Log-posteriors (batch, S, 40). With consistency every utterance is there twice, views in the same order.
        lengths: Frames of each row, (batch,).
        targets: Of one view. An utterance with fewer frames than its targets need counts nothing.
        recipe: The shares.

    Returns:
        A scalar.
    """
    wanted = targets * _views(recipe)
    sizes = torch.tensor([len(ids) for ids in wanted])
    flat = torch.tensor([phone for ids in wanted for phone in ids], device=logp.device)
    # The wildcard's column is a constant log 1 beside a normalised distribution: torch's gradient stays exact, because
    # the term that it adds for every column but this one sums to one and falls to zero in the softmax's derivative.
    columns = F.pad(logp, (0, 1)) if recipe.wildcard_below else logp
    total = F.ctc_loss(columns.transpose(0, 1), flat, lengths, sizes, reduction="sum", zero_infinity=True)
    keep = valid(lengths, logp.shape[1]).to(logp.device)
    if recipe.consistency:
        total = total + recipe.consistency * _disagreement(logp, keep)
    if recipe.smoothing:
        # KL from uniform up to a constant: keeps frames from certainty.
        total = total + recipe.smoothing * -(logp.mean(-1) * keep).sum()
    return total / sizes.sum()


def framewise(logp: Tensor, lengths: Tensor, labels: list[np.ndarray], recipe: Recipe) -> Tensor:
    """Nats per frame: cross-entropy with a phone (or silence) for every state.

    Args:
        logp: Log-posteriors (batch, S, 40).
        lengths: Frames of each row, (batch,).
        labels: (S,) as `flat_start.label_states` gives them; stretched to utterances that are played faster or slower.
        recipe: The share of smoothing.

    Returns:
        A scalar.
    """
    aims = torch.full(logp.shape[:2], IGNORED)
    for row, (length, ids) in enumerate(zip(lengths.tolist(), labels * _views(recipe), strict=True)):
        aims[row, :length] = torch.from_numpy(stretched(ids, length))
    return F.nll_loss(logp.flatten(0, 1), aims.flatten().to(logp.device), ignore_index=IGNORED)


def _views(recipe: Recipe) -> int:
    """How often a batch holds every utterance."""
    return 2 if recipe.consistency else 1


def _disagreement(logp: Tensor, keep: Tensor) -> Tensor:
    """Sum over frames of both views' KL divergence, each from the other held fixed (Yao et al. 2025, CR-CTC)."""
    one, two = logp.chunk(2)
    half = keep[: len(one)]
    forth = F.kl_div(one, two.detach(), log_target=True, reduction="none").sum(-1)
    back = F.kl_div(two, one.detach(), log_target=True, reduction="none").sum(-1)
    return ((forth + back) * half).sum()


def infeasible(lengths: list[int], targets: list[tuple[int, ...]]) -> list[int]:
    """Indices of utterances that have fewer frames than CTC needs (phones plus blanks between equal neighbours).

    Args:
        lengths: Frames of each utterance.
        targets: Its ids.

    Returns:
        The indices, rising.

    Example:
        >>> infeasible([3, 2, 3], [(1, 2, 3), (1, 2, 3), (1, 1, 2)])
        [1, 2]
    """
    return [index for index, (frames, ids) in enumerate(zip(lengths, targets, strict=True)) if frames < ctc.needed(ids)]
