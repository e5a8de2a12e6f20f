"""One optimiser step: forward and backward pass over some batches, clipped gradients, new weights, their average."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from phonobench.neural import distributed, hardware
from phonobench.neural.assessment import score_head
from phonobench.neural.checkpoints import lora
from phonobench.neural.recogniser import Recogniser
from phonobench.neural.training import objective
from phonobench.neural.training.batches import Batch, Schedule
from phonobench.neural.training.data import PreparedData
from phonobench.neural.training.forward import ForwardPass
from phonobench.neural.training.optimiser import Average, set_rates
from phonobench.types import PhonobenchError


@dataclass(frozen=True, eq=False)
class OptimiserStep:
    """Everything that a step of one training needs; what changes are the weights, moments and averages inside."""

    run_id: str
    seed: int
    model: Recogniser
    data: PreparedData
    forward: ForwardPass
    schedule: Schedule
    optimiser: torch.optim.AdamW
    average: Average
    scaler: torch.amp.GradScaler

    def __call__(self, epoch: int, step: int, accumulated: Sequence[Batch]) -> float:
        """Take step `step` (from 0) over the batches of one step.

        Each process takes its share of the utterances, weighed by its share of the phones. Dropout is seeded by run,
        step and process.

        Returns:
            The loss of all processes before the step, nats a phone.

        Raises:
            PhonobenchError: the loss is not finite, or an adapter gets no gradient.
        """
        model, recipe = self.model, self.model.recipe
        trains_encoder = step >= self.schedule.head_only_steps and bool(model.trained_blocks())
        if trains_encoder != model.encoder_trains:
            model.train_encoder(trains_encoder)
        model.train()
        torch.manual_seed(_seed(self.seed, step))
        set_rates(self.optimiser, recipe, step, self.schedule.head_only_steps, self.schedule.steps)

        total = 0.0
        for batch in accumulated:
            share = Batch(tuple(distributed.shard(batch.items)), tuple(distributed.shard(batch.speeds)))
            if not share.items:
                continue
            loss = self._loss(epoch, step, share)
            loss = loss * (self.data.phones(share.items) / self.data.phones(batch.items) / len(accumulated))
            torch.autograd.backward(self.scaler.scale(loss))
            total += loss.item()
        total = distributed.sum_values(total)
        distributed.sum_gradients(model.parameters())
        if trains_encoder and recipe.lora:
            lora.refuse_without_gradient(model)

        self.scaler.unscale_(self.optimiser)
        torch.nn.utils.clip_grad_norm_([p for p in model.parameters() if p.grad is not None], recipe.grad_clip)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.optimiser.zero_grad(set_to_none=True)
        self.average.update()
        return total

    def _loss(self, epoch: int, step: int, batch: Batch) -> Tensor:
        """The loss of one batch, nats a phone, with gradients."""
        model, recipe, data = self.model, self.model.recipe, self.data
        with hardware.autocast(recipe):
            logp, lengths, layers = self.forward(epoch, batch)
        if epoch < recipe.flat_start_epochs:
            loss = objective.framewise(logp, lengths, [data.labels[i] for i in batch.items], recipe)
        else:
            loss = objective.loss(logp, lengths, [data.targets[i] for i in batch.items], recipe)
        if model.judge is not None and model.encoder_trains:
            views = len(logp) // len(batch.items)
            wanted = [data.score_targets[i] for i in batch.items] * views
            loss = loss + recipe.score_loss_weight * model.judge.loss(layers[score_head.LAYER], logp, lengths, wanted)
        if not torch.isfinite(loss):
            ids = ", ".join(data.train.utterances[i].id for i in batch.items[:3])
            raise PhonobenchError(
                f"{self.run_id}: the loss is not finite at step {step + 1} (utterances {ids}, ...); "
                "lower the rates with --set lr=... head_lr=... and train again"
            )
        return loss


def _seed(seed: int, step: int) -> int:
    """The seed of torch's draws in a step: another one in every process."""
    place = (seed, step, distributed.rank()) if distributed.rank() else (seed, step)
    return int(np.random.SeedSequence(place).generate_state(1)[0])
