"""The training loop: one for all systems. Resumes after a kill to the same result, step by step.

Whatever is random is drawn from (seed, epoch or step, utterance), never from a stream that an interruption would
shift, so a checkpoint is weights, optimiser moments, averages and the step's number. The epoch with the lowest
PER (HQ) on the dev speakers is kept; where they have no sentence scores, that with the lowest PER (`corpora.choice`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch

from phonobench import store
from phonobench.corpora.choice import ChoiceSet, choice_set, dev_per
from phonobench.neural import composition, distributed, hardware
from phonobench.neural.checkpoints import trained
from phonobench.neural.posteriors import choice_per, log_posteriors
from phonobench.neural.recogniser import Recogniser
from phonobench.neural.training import batches, blank_bias, codebooks, data, optimiser
from phonobench.neural.training.forward import ForwardPass
from phonobench.neural.training.inputs import TrainingInputs, build_model, first_manifest, resolve
from phonobench.neural.training.resume import Checkpoint, TrainingState
from phonobench.neural.training.state_cache import SharedStates, StateCache
from phonobench.neural.training.step import OptimiserStep
from phonobench.store import outputs
from phonobench.systems.cards import Card
from phonobench.systems.recipe import Recipe
from phonobench.types import Corpus, OnProgress, Progress

CHECKPOINT_SECONDS = 120.0
"""Between two checkpoints inside an epoch; the end of an epoch always writes one."""


def train(
    card: Card,
    recipe: Recipe,
    corpus: Corpus,
    runs_root: Path,
    *,
    seed: int = 0,
    source: str | None = None,
    limit: int | None = None,
    start: Path | None = None,
    fold: int = 0,
    members: Sequence[str] = (),
    shared_states: SharedStates | None = None,
    report: OnProgress = lambda _: None,
) -> Path:
    """Train a system on the corpus' train speakers, and keep the epoch that is best on its dev speakers.

    A finished run with the same inputs is returned as it is, an interrupted one continues. Under torchrun the
    processes share every batch, and the first one writes.

    Args:
        card: the system.
        recipe: how it is trained.
        corpus: train and dev speakers, before folding.
        runs_root: the folder of all runs.
        seed: of whatever is random.
        source: where the checkpoint lies, in place of the card's own (a folder or a hub id).
        limit: only the first utterances of train and of dev; the manifest marks such a trial.
        start: the folder of a trained run of the same card whose weights are the first ones here.
        fold: which fifth of the speakers is dev (`corpora.folded`); 0 is the protocol's.
        members: of a card made of other encoders, which: runs under `runs_root`, or systems by name.
        shared_states: states of a frozen encoder, kept for the next training over the same one.
        report: is called with the progress of every stage.

    Returns:
        The run's folder, `runs_root/<card>.<recipe>.s<seed>.<key>`.

    Raises:
        PhonobenchError: missing weights, audio that cannot be read, or a loss that is not finite.
    """
    distributed.join_group()
    report = report if distributed.is_main() else distributed.no_report

    inputs = resolve(
        card, recipe, corpus, runs_root, seed=seed, source=source, limit=limit, start=start, fold=fold, members=members
    )
    if not inputs.finished:
        data.choose(inputs.corpus, limit)  # refuses a corpus without train or dev speakers before anything is written
    with outputs.sole_owner(inputs.run_dir) if distributed.is_main() else nullcontext():
        _train(inputs, source, shared_states, report)
    return inputs.run_dir


def _train(inputs: TrainingInputs, source: str | None, shared_states: SharedStates | None, report: OnProgress) -> None:
    run_dir, recipe, seed, limit = inputs.run_dir, inputs.recipe, inputs.seed, inputs.limit
    runs_root, checkpoint = run_dir.parent, Checkpoint(run_dir / "checkpoint")
    if distributed.broadcast(inputs.finished):
        if distributed.is_main():
            checkpoint.remove()  # a kill may have come between the last two lines below
        return

    splits = data.choose(inputs.corpus, limit)
    torch.manual_seed(seed)
    model = build_model(inputs)
    manifest = first_manifest(inputs, splits, model)
    if distributed.is_main():
        store.write_run(run_dir, manifest)

    with hardware.threads(model.encoder):
        prepared = data.prepare(splits, recipe, report)
        chosen_by = choice_set(splits.dev)
        manifest["chosen_by"] = chosen_by.json()
        manifest["infeasible_utterances"] = data.infeasible(prepared, model.encoder)
        codebooks.prepare(model.encoder, prepared.train, runs_root, manifest, report)
        forward = ForwardPass(model, prepared.train, recipe, seed, shared_states)
        dev_cache = StateCache.if_usable(model, prepared.dev, shared_states)
        schedule = batches.schedule(prepared.train.seconds, recipe, seed)

        adamw = optimiser.make(model, recipe)
        average = optimiser.Average(model, recipe.ema)
        scaler = hardware.scaler(recipe)
        take_step = OptimiserStep(run_dir.name, seed, model, prepared, forward, schedule, adamw, average, scaler)

        state = checkpoint.load(model, adamw, average, scaler)
        manifest |= state.record()
        distributed.broadcast_tensors(
            model.trained_state().values()
        )  # and no process goes on before all have read the checkpoint
        resumed_at, clock, saved = state.step, _Clock(state.seconds), time.monotonic()

        def save() -> None:
            state.seconds = clock.seconds
            if distributed.is_main():
                checkpoint.save(model, adamw, average, scaler, state)

        for epoch, steps in enumerate(schedule.epochs):
            for step, accumulated in enumerate(steps, start=schedule.first_step(epoch)):
                if step < resumed_at:
                    continue
                state.losses.append(take_step(epoch, step, accumulated))
                state.step = step + 1
                report(Progress("train", state.step, schedule.steps, _note(state, epoch, recipe)))
                if time.monotonic() - saved > CHECKPOINT_SECONDS:
                    save()
                    saved = time.monotonic()

            if epoch < len(state.history):
                continue  # validated before the interruption
            with average.applied():
                logp = log_posteriors(model, prepared.dev, report, dev_cache, sharded=True)
                per = choice_per(logp, prepared.dev)
                improved = per < _best_per(state)
                state.history.append(_entry(epoch, state.losses, chosen_by, per, clock.seconds))
                if improved:
                    state.best_epoch, state.layer_weights = epoch + 1, _layer_weights(model)
                    _keep_weights(run_dir, model, manifest, epoch)
            manifest |= state.record()
            if distributed.is_main():
                store.write_run(run_dir, manifest)
            report(Progress("epoch", epoch + 1, recipe.epochs, _epoch_note(state, chosen_by, per)))
            state.losses = []
            save()
            saved = time.monotonic()

        if distributed.is_main():
            composition.flush(model.encoder)
            blank_bias.calibrate(run_dir, prepared.dev, report, source)
            ending = {"status": "trained", "seconds": round(clock.seconds, 1)}
            store.write_run(run_dir, {**store.read_run(run_dir), **manifest, **ending})
            checkpoint.remove()
        distributed.barrier()


class _Clock:
    """Seconds that a training has taken, those before its interruptions among them."""

    def __init__(self, before: float) -> None:
        self.before, self.started = before, time.monotonic()

    @property
    def seconds(self) -> float:
        return self.before + time.monotonic() - self.started


def _keep_weights(run_dir: Path, model: Recogniser, manifest: dict[str, Any], epoch: int) -> None:
    """Write the weights of the best epoch so far."""
    if distributed.is_main():
        facts = {"card_key": manifest["card_key"], "key": manifest["key"], "epoch": epoch + 1}
        trained.save(run_dir / "weights", model, facts)


def _layer_weights(model: Recogniser) -> list[float] | None:
    """The learned mixture of the encoder's layers; None where the head reads one layer."""
    if model.layer_weights is None:
        return None
    return [round(weight, 5) for weight in model.layer_weights.softmax(0).tolist()]


def _best_per(state: TrainingState) -> float:
    """The lowest PER on dev of the epochs so far; infinite where there is none."""
    return min((one for one in map(dev_per, state.history) if one is not None), default=math.inf)


def _entry(epoch: int, losses: list[float], chosen_by: ChoiceSet, per: float, seconds: float) -> dict[str, Any]:
    """An epoch's line in the manifest's history."""
    loss = round(float(np.mean(losses)), 5)
    return {
        "epoch": epoch + 1,
        "loss": loss,
        f"dev_{chosen_by.metric}": round(per, 6),
        "seconds": round(seconds, 1),
    }


def _note(state: TrainingState, epoch: int, recipe: Recipe) -> str:
    """The note beside the number of a step."""
    best = _best_per(state)
    note = f"epoch {epoch + 1}/{recipe.epochs}, loss {np.mean(state.losses[-20:]):.3f}"
    return f"{note}, best dev PER {best:.1%}" if best < math.inf else note


def _epoch_note(state: TrainingState, chosen_by: ChoiceSet, per: float) -> str:
    return f"loss {state.history[-1]['loss']:.3f}, dev {chosen_by.title} {per:.2%}"
