"""Wildcards in the CTC target: against a sum over all paths, and the gradient against finite differences."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from phonobench import corpora
from phonobench.systems import recipe

torch = pytest.importorskip("torch")
objective = pytest.importorskip("phonobench.neural.training.objective")
pytestmark = pytest.mark.torch

SETTINGS = replace(recipe.find("scoring"), wildcard_below=1.5)


def _paths(logp: np.ndarray, target: tuple[int, ...]) -> float:
    """log of the summed probability of all label paths that a target with wildcards allows, by enumeration.

    A path chooses for every frame the blank, or the next place of the target; a wildcard's frame costs nothing.
    """
    frames = len(logp)
    total = -np.inf
    states = 2 * len(target) + 1
    label = [0 if s % 2 == 0 else target[s // 2] for s in range(states)]
    for path in itertools.product(range(states), repeat=frames):
        if path[0] > 1 or path[-1] < states - 2:
            continue
        legal = all(
            b == a or b == a + 1 or (b == a + 2 and label[b] != 0 and label[b] != label[a])
            for a, b in itertools.pairwise(path)
        )
        if legal:
            cost = sum(0.0 if label[s] == objective.WILDCARD else logp[t, label[s]] for t, s in enumerate(path))
            total = np.logaddexp(total, cost)
    return float(total)


def _logits(frames: int) -> np.ndarray:
    return np.random.default_rng(3).standard_normal((1, frames, 40))


@pytest.mark.parametrize(
    "target", [(5, objective.WILDCARD, 7), (objective.WILDCARD, 3), (4, 4), (9, objective.WILDCARD)]
)
def test_the_loss_is_the_sum_over_all_paths(target: tuple[int, ...]) -> None:
    logits = torch.tensor(_logits(5), dtype=torch.float64)
    logp = logits.log_softmax(-1)
    found = objective.loss(logp, torch.tensor([5]), [target], SETTINGS)
    assert found.item() * len(target) == pytest.approx(-_paths(logp[0].numpy(), target), abs=1e-9)


def test_the_gradient_is_that_of_finite_differences() -> None:
    target = (5, objective.WILDCARD, 7)
    logits = torch.tensor(_logits(6), dtype=torch.float64, requires_grad=True)

    def value(logits: torch.Tensor) -> torch.Tensor:
        return objective.loss(logits.log_softmax(-1), torch.tensor([6]), [target], SETTINGS)

    assert torch.autograd.gradcheck(value, (logits,), eps=1e-6, atol=1e-6)


def test_low_phones_become_wildcards_and_neighbouring_ones_merge() -> None:
    utterance = corpora.find("synthetic").utterances[0]
    count = len(utterance.prompt.phones)
    scores = [2.0] * count
    scores[1] = scores[2] = 0.4
    marked = replace(utterance, judgement=replace(utterance.judgement, phone_accuracy=tuple(scores)))
    ids = tuple(range(1, count + 1))
    found = objective.targets([marked], [ids], SETTINGS)
    assert found == [(1, objective.WILDCARD, *ids[3:])]
    assert objective.targets([marked], [ids], replace(SETTINGS, wildcard_below=0.0)) == [ids]


def test_a_phone_scored_just_at_the_limit_is_no_wildcard() -> None:
    utterance = corpora.find("synthetic").utterances[0]
    count = len(utterance.prompt.phones)
    marked = replace(utterance, judgement=replace(utterance.judgement, phone_accuracy=(1.5,) * count))
    ids = tuple(range(1, count + 1))
    assert objective.targets([marked], [ids], SETTINGS) == [ids]
