"""The parts of an optimiser step, each against figures by hand: groups, rates, averages, clipping, batches, terms."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from phonobench.systems import cards, recipe
from phonobench.types import Corpus

torch = pytest.importorskip("torch")
batches = pytest.importorskip("phonobench.neural.training.batches")
loop = pytest.importorskip("phonobench.neural.training.loop")
objective = pytest.importorskip("phonobench.neural.training.objective")
optimiser = pytest.importorskip("phonobench.neural.training.optimiser")
recogniser = pytest.importorskip("phonobench.neural.recogniser")
pretrained = pytest.importorskip("phonobench.neural.checkpoints.pretrained")
pytestmark = pytest.mark.torch

PLAIN = replace(recipe.find("source-finetune"), lr=1e-3, head_lr=5e-3, layer_decay=0.5, weight_decay=0.1)


def scratch(plan: recipe.Recipe) -> torch.nn.Module:
    torch.manual_seed(0)
    return recogniser.Recogniser(pretrained.build(cards.find("scratch-mel")), plan)


def test_rates_fall_down_the_encoder_and_only_matrices_decay() -> None:
    model = scratch(PLAIN)
    groups = optimiser.make(model, PLAIN).param_groups
    # the head, then blocks from the top: two layers of GRUs, the stem
    peaks = [5e-3] * 2 + [1e-3] * 2 + [5e-4] * 2 + [2.5e-4] * 2
    assert [group["peak"] for group in groups] == pytest.approx(peaks)
    assert [group["weight_decay"] for group in groups] == [0.1, 0.0] * 4
    for group in groups:
        assert {parameter.dim() > 1 for parameter in group["params"]} == {group["weight_decay"] > 0}
        assert group["betas"] == (0.9, 0.98)
    assert sum(len(group["params"]) for group in groups) == len(model.trained_parameters())


def rates(plan: recipe.Recipe, head_only: int, steps: int) -> tuple[list[float], list[float]]:
    """Rates of head and encoder at every step, as shares of their peaks."""
    adamw = optimiser.make(scratch(plan), plan)
    head, encoder = [], []
    for step in range(steps):
        optimiser.set_rates(adamw, plan, step, head_only, steps)
        head.append(adamw.param_groups[0]["lr"] / adamw.param_groups[0]["peak"])
        encoder.append(adamw.param_groups[-1]["lr"] / adamw.param_groups[-1]["peak"])
    return head, encoder


def cosine(place: float) -> float:
    """Half a cosine from 1 at 0 to 0 at 1."""
    return 0.5 * (1 + math.cos(math.pi * place))


def test_both_rates_rise_and_then_fall_as_half_a_cosine() -> None:
    head, encoder = rates(replace(PLAIN, warmup_fraction=0.2), head_only=0, steps=10)
    by_hand = [0.0, 0.5, *(cosine((step / 10 - 0.2) / 0.8) for step in range(2, 10))]
    assert head == pytest.approx(by_hand)
    assert encoder == pytest.approx(by_hand)


def test_the_head_rises_alone_then_the_encoder_joins() -> None:
    head, encoder = rates(replace(PLAIN, warmup_fraction=0.5), head_only=4, steps=8)
    falling = [1.0, 1.0, 1.0, cosine(0.5)]
    assert head == pytest.approx([0.5, 1.0, 1.0, 1.0, *falling])
    assert encoder == pytest.approx([0.0] * 4 + [0.0, 0.5, 1.0, cosine(0.5)])


def test_without_a_rise_both_begin_at_their_peaks() -> None:
    head, encoder = rates(replace(PLAIN, warmup_fraction=0.0), head_only=0, steps=4)
    assert head == pytest.approx([cosine(step / 4) for step in range(4)])
    assert encoder == pytest.approx(head)


def test_averages_follow_slowly_and_swap_in_and_out() -> None:
    model = scratch(PLAIN)
    average = optimiser.Average(model, 0.5)
    weight = model.classifier.weight
    first = weight.detach().clone()
    expected = first.clone()
    for number in (1, 2, 30):
        average.steps = number - 1
        with torch.no_grad():
            weight.add_(1.0)
        average.update()
        decay = min(0.5, (1 + number) / (10 + number))
        expected = decay * expected + (1 - decay) * weight.detach()
    live = weight.detach().clone()
    with average.applied():
        torch.testing.assert_close(weight.detach(), expected)
    torch.testing.assert_close(weight.detach(), live)
    frozen = dict(model.encoder.named_parameters())
    assert all(torch.equal(average.mean[f"encoder.{name}"], parameter) for name, parameter in frozen.items())


@pytest.mark.parametrize(("limit", "clipped"), [("0.01", True), ("1e9", False)])
def test_gradients_are_clipped_to_the_recipes_norm(
    limit: str, clipped: bool, monkeypatch: pytest.MonkeyPatch, synthetic_corpus: Corpus, tmp_path: Path
) -> None:
    norms = []
    known = torch.amp.GradScaler.step

    def noted(scaler: object, adamw: torch.optim.AdamW) -> object:
        parameters = [p for group in adamw.param_groups for p in group["params"] if p.grad is not None]
        norms.append(float(torch.stack([p.grad.norm() for p in parameters]).norm()))
        return known(scaler, adamw)

    monkeypatch.setattr(torch.amp.GradScaler, "step", noted)
    plan = recipe.with_settings(recipe.find("source-finetune"), {"epochs": "1", "grad_clip": limit})
    loop.train(cards.find("scratch-mel"), plan, synthetic_corpus, tmp_path, limit=3)
    assert norms
    if clipped:
        assert norms == pytest.approx([0.01] * len(norms), rel=1e-3)
    else:
        assert min(norms) > 0.1


def test_smoothing_adds_the_distance_from_certainty_and_consistency_both_divergences() -> None:
    rng = np.random.default_rng(0)
    logp = torch.tensor(rng.standard_normal((2, 9, 40))).log_softmax(-1)
    lengths, target = torch.tensor([9, 7]), [(3, 5)]
    one, two = (view.numpy() for view in logp)
    plain = replace(recipe.find("probe"), consistency=1e-9)
    base = objective.loss(logp, lengths.new_tensor([7, 7]), target, plain).item()
    # both views of the one utterance have 7 frames and 2 phones
    smoothed = objective.loss(logp, lengths.new_tensor([7, 7]), target, replace(plain, smoothing=0.3)).item()
    assert smoothed - base == pytest.approx(0.3 * -(one[:7].mean(-1).sum() + two[:7].mean(-1).sum()) / 4)
    consistent = objective.loss(logp, lengths.new_tensor([7, 7]), target, replace(plain, consistency=0.2)).item()
    both = (np.exp(two[:7]) * (two[:7] - one[:7]) + np.exp(one[:7]) * (one[:7] - two[:7])).sum()
    assert consistent - base == pytest.approx(0.2 * both / 4, rel=1e-6)


SECONDS = np.random.default_rng(4).uniform(0.7, 6.0, 60)


def test_an_epoch_has_every_utterance_once_in_batches_that_fit_with_their_padding() -> None:
    found = batches.plan(SECONDS, 12.0, (0.9, 1.1), (3, 0))
    assert sorted(item for batch in found for item in batch.items) == list(range(60))
    for batch in found:
        lengths = [math.ceil(SECONDS[i] / speed / 0.64) for i, speed in zip(batch.items, batch.speeds, strict=True)]
        assert len(set(lengths)) == 1
        assert lengths[0] * 0.64 * len(batch.items) <= 12.0
    assert {speed for batch in found for speed in batch.speeds} == {0.9, 1.1}
    full = [batch for batch in found if len(batch.items) > 1]
    assert len(full) > 0.6 * len(found)
    assert found == batches.plan(SECONDS, 12.0, (0.9, 1.1), (3, 0)) != batches.plan(SECONDS, 12.0, (0.9, 1.1), (3, 1))


def test_utterances_longer_than_a_batch_are_alone() -> None:
    assert [len(batch.items) for batch in batches.plan(np.array([9.0, 9.0]), 4.0, (1.0,), (0, 0))] == [1, 1]


def test_accumulated_steps_end_with_their_epoch() -> None:
    plan = replace(recipe.find("probe"), epochs=3, head_only_epochs=2, accumulate=4, batch_seconds=12.0)
    found = batches.schedule(SECONDS, plan, seed=5)
    for epoch, steps in enumerate(found.epochs):
        together = [batch for step in steps for batch in step]
        assert together == batches.plan(SECONDS, 12.0, (1.0,), (5, epoch))
        assert [len(step) for step in steps[:-1]] == [4] * (len(steps) - 1)
        assert 1 <= len(steps[-1]) <= 4
    sizes = [len(steps) for steps in found.epochs]
    assert (found.head_only_steps, found.steps) == (sum(sizes[:2]), sum(sizes))
    assert [found.first_step(epoch) for epoch in range(3)] == [0, sizes[0], sizes[0] + sizes[1]]


def test_inference_takes_the_longest_first_and_counts_padding() -> None:
    assert batches.by_length([1.0, 5.0, 2.0, 4.0, 2.0], 10.0) == [[1, 3], [2, 4, 0]]
    assert batches.by_length([8.0, 2.1], 16.0) == [[0, 1]]
    assert batches.by_length([8.1, 2.1], 16.0) == [[0], [1]]


def test_processes_weigh_a_batch_without_phones_as_one() -> None:
    data = pytest.importorskip("phonobench.neural.training.data")
    held = SimpleNamespace(targets=[(1, 2), (), (3,)])
    assert data.PreparedData.phones(held, [0, 1, 2]) == 3
    assert data.PreparedData.phones(held, [1]) == 1
