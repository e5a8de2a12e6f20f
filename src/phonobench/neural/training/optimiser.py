"""AdamW with a rate for the head and falling rates down the encoder, its schedule over a run, and weight averaging."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from phonobench.neural.recogniser import Recogniser
from phonobench.systems.recipe import Recipe


def make(model: Recogniser, recipe: Recipe) -> torch.optim.AdamW:
    """One group for the head, two (with and without decay) for every trained block; `peak` and `part` in each."""
    groups = []
    parts = [("head", recipe.head_lr, model.head_parameters())]
    rate = recipe.lr
    for block in model.encoder_parameters():
        parts.append(("body", rate, block))
        rate *= recipe.layer_decay
    for part, peak, parameters in parts:
        for decays in (True, False):
            chosen = [p for p in parameters if (p.dim() > 1) == decays]
            if chosen:
                decay = recipe.weight_decay if decays else 0.0
                groups.append({"params": chosen, "peak": peak, "part": part, "lr": 0.0, "weight_decay": decay})
    return torch.optim.AdamW(groups, betas=(0.9, 0.98), eps=1e-8)


def set_rates(optimiser: torch.optim.Optimizer, recipe: Recipe, step: int, warm_steps: int, steps: int) -> None:
    """Set the learning rates of a step: the head's rises while it trains alone, then the encoder's; both fall.

    Args:
        optimiser: What `make` gave.
        recipe: `warmup_fraction` and how rates fall.
        step: From 0.
        warm_steps: Steps in which the head trains alone.
        steps: All steps.
    """
    warmup = recipe.warmup_fraction
    warm = min(1.0, (step + 1) / max(1.0, warmup * warm_steps)) if warm_steps else 1.0
    place = (step - warm_steps) / max(1, steps - warm_steps)
    fall = 0.5 * (1.0 + math.cos(math.pi * max(0.0, place - warmup) / max(1e-9, 1.0 - warmup)))
    rise = min(1.0, max(0.0, place) / warmup) if warmup else 1.0
    for group in optimiser.param_groups:
        if group["part"] == "body":
            factor = 0.0 if place < 0 else rise * fall
        elif place < 0:
            factor = warm
        else:
            factor = fall if warm_steps else rise * fall
        group["lr"] = group["peak"] * factor


class Average:
    """An exponential moving average of trained weights (`ema` per step, faster at first). Off at 0."""

    def __init__(self, model: Recogniser, decay: float) -> None:
        self.decay = decay
        self.steps = 0
        self.live = model.trained_parameters()
        self.mean = {name: p.detach().clone() for name, p in self.live.items()} if decay else {}

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights after a step."""
        if not self.decay:
            return
        self.steps += 1
        share = 1.0 - min(self.decay, (1 + self.steps) / (10 + self.steps))
        names = [name for name, p in self.live.items() if p.requires_grad]
        torch._foreach_lerp_([self.mean[n] for n in names], [self.live[n].detach() for n in names], share)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The mean weights in the model, for as long as the context lasts."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        """Exchange live and mean weights."""
        for name, mean in self.mean.items():
            kept = self.live[name].detach().clone()
            self.live[name].copy_(mean)
            mean.copy_(kept)
