"""The training loop: one for all systems. Resumes after a kill to the same result, step by step.

Whatever is random is drawn from (seed, epoch or step, utterance), never from a stream that an interruption would
shift, so a checkpoint is weights, optimiser, averages and the step's number. The epoch with the lowest PER (HQ) on
the dev speakers is kept; where they have no sentence scores, that with the lowest PER (`corpora.choice`).
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from phonobench import store
from phonobench.corpora import folded
from phonobench.corpora.choice import choice_set, dev_per
from phonobench.neural import composition, distributed, hardware
from phonobench.neural.assessment import score_head
from phonobench.neural.checkpoints import lora, pretrained, trained
from phonobench.neural.encoders import QuantisedEncoder
from phonobench.neural.posteriors import choice_per, log_posteriors
from phonobench.neural.recogniser import Recogniser
from phonobench.neural.training import batches, blank_bias, codebooks, flat_start, objective, optimiser
from phonobench.neural.training.forward import ForwardPass
from phonobench.neural.training.resume import Checkpoint
from phonobench.neural.training.state_cache import SharedStates, StateCache
from phonobench.store.provenance import versions
from phonobench.systems.cards import Card
from phonobench.systems.recipe import Recipe, identifying
from phonobench.types import Corpus, OnProgress, PhonobenchError, Progress, Utterance

CHECKPOINT_SECONDS = 120.0


def run_key(
    card: Card, recipe: Recipe, corpus: Corpus, seed: int, revision: str, limit: int | None, start: str | None = None,
    members: Sequence[dict[str, Any]] = (),
) -> str:  # fmt: skip
    """Fingerprint of all that decides the result of a training; `start` is the hash of the weights it starts from."""
    settings = identifying(_settings(recipe))
    facts: dict[str, Any] = {"card": _card_facts(card), "recipe": settings, "corpus": corpus.fingerprint}
    facts |= {"seed": seed, "revision": revision, "limit": limit}
    facts |= {} if start is None else {"start": start}
    return store.fingerprint(facts | ({"members": list(members)} if members else {}))


def train(
    card: Card, recipe: Recipe, corpus: Corpus, runs_root: Path, *, seed: int = 0, source: str | None = None,
    limit: int | None = None, start: Path | None = None, fold: int = 0, members: Sequence[str] = (),
    shelf: SharedStates | None = None, report: OnProgress = lambda _: None,
) -> Path:  # fmt: skip
    """Train `card` by `recipe` on the corpus' train speakers; returns the run's folder.

    A finished run with the same inputs is returned as it is, an interrupted one goes on. `source` overrides where the
    checkpoint lies, `limit` takes only the first utterances of train and dev (a trial, marked as such), `start` is the
    folder of a trained run of the same card whose weights are the first ones here, `fold` chooses which fifth of the
    speakers is dev (`corpora.folded`). `members` are the runs (under `runs_root`) or systems that a card made of others
    is made of. `shelf` keeps a frozen encoder's states for the next training over the same one.
    Raises PhonobenchError for missing weights, audio that cannot be read, or a loss that is not finite.
    """
    distributed.join()
    report = report if distributed.leads() else distributed.silent
    corpus = folded(corpus, fold)
    made_of = composition.identify(card, members, runs_root, corpus, fold) if card.members or members else []
    folder = None if card.scratch or made_of else pretrained.locate(card, source)
    revision = "scratch" if folder is None else pretrained.fingerprint(folder, card)
    identity = composition.identity(made_of) if made_of else (card.checkpoint or "scratch", revision)
    begun = None if start is None else trained.digest(start)
    key = run_key(card, recipe, corpus, seed, identity[1], limit, begun, made_of)
    run_dir = runs_root / f"{card.name}.{recipe.name}.s{seed}{f'.f{fold}' if fold else ''}.{key[:8]}"
    if (run_dir / store.RUN_FILE).exists() and store.read_run(run_dir).get("status") == "trained":
        return run_dir
    torch.manual_seed(seed)
    if made_of:
        encoder = composition.encoder(card, made_of, runs_root, lambda member: trained.load(member).encoder)
    else:
        encoder = pretrained.build(card) if folder is None else pretrained.load(card, folder)
    model = Recogniser(encoder, recipe).to(hardware.device())
    if start is not None:
        trained.begin_from(start, model, card)
    train_split, dev_split = corpus.split("train")[:limit], corpus.split("dev")[:limit]
    for split, utterances in (("train", train_split), ("dev", dev_split)):
        if not any(u.prompt.phones for u in utterances):
            raise PhonobenchError(
                f"{corpus.name} has no phones to read in {split} ({len(utterances)} utterances): training needs train "
                "speakers, and dev speakers to choose its epoch by"
            )
    manifest: dict[str, Any] = {
        "run_id": run_dir.name, "key": key, "card": card.name, "card_key": store.fingerprint(_card_facts(card)),
        "recipe": _settings(recipe), "seed": seed, "limit": limit, "fold": fold,
        "started_from": None if start is None else store.read_run(start)["run_id"],
        "corpus": {
            "name": corpus.name, "fingerprint": corpus.fingerprint, "synthetic": corpus.synthetic,
            "train_utterances": len(train_split), "train_speakers": len({u.speaker for u in train_split}),
        },
        "model": dict(zip(("id", "revision"), identity, strict=True)), "members": made_of,
        "hop": composition.hop(card, encoder),
        "versions": versions(), "parameters": sum(p.numel() for p in encoder.parameters()),
        "trained_parameters": model.trained_parameters(), "precision": hardware.precision(recipe),
        "status": "training", "history": [], "best_epoch": None,
    }  # fmt: skip
    if distributed.leads():
        store.write_run(run_dir, manifest)
    with hardware.threads(encoder):
        _TrainingRun(model, recipe, run_dir, manifest, seed, report, source, shelf).run(train_split, dev_split)
    return run_dir


class _TrainingRun:
    """One training from its first step, or from where it was interrupted, to its last."""

    def __init__(
        self, model: Recogniser, recipe: Recipe, run_dir: Path, manifest: dict[str, Any], seed: int, report: OnProgress,
        source: str | None, shelf: SharedStates | None,
    ) -> None:  # fmt: skip
        self.model, self.recipe, self.run_dir, self.manifest = model, recipe, run_dir, manifest
        self.seed, self.report, self.source, self.shelf = seed, report, source, shelf
        self.optimiser = optimiser.make(model, recipe)
        self.average = optimiser.Average(model, recipe.ema)
        self.checkpoint = Checkpoint(run_dir / "checkpoint")
        self.scaler = hardware.scaler(recipe)
        self.spent = 0.0

    def run(self, train_split: tuple[Utterance, ...], dev_split: tuple[Utterance, ...]) -> None:
        """All epochs, then the manifest's last word."""
        recipe = self.recipe
        self.material = batches.read(train_split, self.report)
        self.dev = batches.read(dev_split, self.report, "read dev audio")
        self.chosen_by = choice_set(dev_split)
        self.manifest["chosen_by"] = self.chosen_by.json()
        self.targets = objective.targets(train_split, self.material.targets, recipe)
        self.scored = score_head.scored(train_split, self.material.targets)
        self.placed = flat_start.place(self.material, self.report) if recipe.flat_epochs else []
        self._prepare_codes()
        self.lesson = ForwardPass(self.model, self.material, recipe, self.seed, self.shelf)
        self.dev_memory = (
            StateCache(self.model, self.dev, self.shelf) if StateCache.serves(self.model, self.dev) else None
        )
        plans = [
            batches.plan(self.material.seconds, recipe.batch_seconds, recipe.speeds, (self.seed, epoch))
            for epoch in range(recipe.epochs)
        ]
        # An accumulated step may not straddle two epochs: each ends with what is left.
        self.steps_of = [math.ceil(len(plan) / recipe.accumulate) for plan in plans]
        self.steps, self.warm_steps = sum(self.steps_of), sum(self.steps_of[: recipe.warm_epochs])
        self._note_infeasible()
        state = self.checkpoint.load(self.model, self.optimiser, self.average)
        distributed.align(self.model.learned().values())  # and no rank goes on before all have read the checkpoint
        first = state["step"] if state else 0
        losses: list[float] = state["losses"] if state else []
        self.spent = state["seconds"] if state else 0.0
        if state:
            self.scaler.load_state_dict(state.get("scaler", {}))
            self.manifest["history"], self.manifest["best_epoch"] = state["history"], state["best_epoch"]
        started, saved, step = time.monotonic(), time.monotonic(), 0
        for epoch, plan in enumerate(plans):
            if step + self.steps_of[epoch] <= first and len(self.manifest["history"]) > epoch:
                step += self.steps_of[epoch]
                continue
            for place in range(0, len(plan), recipe.accumulate):
                if step >= first:
                    losses.append(self._step(step, epoch, plan[place : place + recipe.accumulate]))
                    note = f"epoch {epoch + 1}/{recipe.epochs}, loss {np.mean(losses[-20:]):.3f}{self._best_note()}"
                    self.report(Progress("train", step + 1, self.steps, note))
                step += 1
                if step > first and time.monotonic() - saved > CHECKPOINT_SECONDS:
                    self._save(step, losses, started)
                    saved = time.monotonic()
            self._end_epoch(epoch, losses, started)
            losses = []
            self._save(step, losses, started)
            saved = time.monotonic()
        if distributed.leads():
            composition.flush(self.model.encoder)
            blank_bias.calibrate(self.run_dir, self.dev, self.report, self.source)
            self.manifest |= store.read_run(self.run_dir)
            self.manifest |= {"status": "trained", "seconds": round(self.spent + time.monotonic() - started, 1)}
            store.write_run(self.run_dir, self.manifest)
            self.checkpoint.remove()
        distributed.wait()

    def _prepare_codes(self) -> None:
        """Stage one of a discrete system: codebooks where it has its own, and where its codes are kept."""
        encoder, runs_root = self.model.encoder, self.run_dir.parent
        facts = {k: self.manifest[k] for k in ("card", "model", "limit", "fold")}
        facts |= {"corpus": self.manifest["corpus"]["fingerprint"], "context": self.recipe.context}
        if isinstance(encoder, QuantisedEncoder):
            facts |= {"books": encoder.most, "codes": encoder.size, "frames": codebooks.FRAMES}
            path = runs_root / "codebooks" / f"{store.fingerprint(facts)[:16]}.safetensors"
            if not distributed.leads():
                distributed.wait()  # rank 0 learns and writes them
            codebooks.learn(encoder, self.material, path, 0, self.report)
            if distributed.leads():
                distributed.wait()
        composition.shelve(encoder, runs_root, writes=distributed.leads())

    def _step(self, step: int, epoch: int, plan: list[batches.Batch]) -> float:
        """One optimiser step over the batches of `plan`; returns the loss, nats a phone.

        Each process hears its share of the utterances, weighed by its share of the phones.
        """
        model, recipe = self.model, self.recipe
        body = step >= self.warm_steps and bool(model.trained_blocks())
        if body != model.body_trains:
            model.train_body(body)
        model.train()
        torch.manual_seed(_seed_of(self.seed, step, *([distributed.rank()] if distributed.rank() else [])))
        optimiser.set_rates(self.optimiser, recipe, step, self.warm_steps, self.steps)
        total = 0.0
        for batch in plan:
            mine = batches.Batch(tuple(distributed.share(batch.items)), tuple(distributed.share(batch.speeds)))
            if not mine.items:
                continue
            with hardware.autocast(recipe):
                logp, lengths, layers = self.lesson.hear(epoch, mine)
            if epoch < recipe.flat_epochs:
                loss = objective.framewise(logp, lengths, [self.placed[i] for i in mine.items], recipe)
            else:
                loss = objective.loss(logp, lengths, [self.targets[i] for i in mine.items], recipe)
            if model.judge is not None and body:
                wanted = [self.scored[i] for i in mine.items] * (len(logp) // len(mine.items))
                loss = loss + recipe.judged * model.judge.loss(layers[score_head.LAYER], logp, lengths, wanted)
            if not torch.isfinite(loss):
                ids = ", ".join(self.material.utterances[i].id for i in mine.items[:3])
                raise PhonobenchError(
                    f"{self.run_dir.name}: the loss is not finite at step {step + 1} (utterances {ids}, ...); "
                    "lower the rates with --set lr=... head_lr=... and train again"
                )
            loss = loss * (self._phones(mine) / self._phones(batch) / len(plan))
            self.scaler.scale(loss).backward()
            total += loss.item()
        total = distributed.total(total)
        distributed.add_up(model.parameters())
        if body and recipe.lora:
            lora.refuse_idle(model)
        self.scaler.unscale_(self.optimiser)
        torch.nn.utils.clip_grad_norm_([p for p in model.parameters() if p.grad is not None], recipe.clip)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.optimiser.zero_grad(set_to_none=True)
        self.average.update()
        return total

    def _phones(self, batch: batches.Batch) -> int:
        """Target phones of a batch; 1 where there are none, so that it can divide."""
        return sum(len(self.targets[i]) for i in batch.items) or 1

    def _end_epoch(self, epoch: int, losses: list[float], started: float) -> None:
        """Measure on dev with the averaged weights, and keep them if they are the best so far."""
        self.average.swap()
        try:
            logp = log_posteriors(self.model, self.dev, self.report, self.dev_memory, together=True)
            per = choice_per(logp, self.dev)
            history = self.manifest["history"]
            best = min((one for one in map(dev_per, history) if one is not None), default=math.inf)
            entry = {
                "epoch": epoch + 1, "loss": round(float(np.mean(losses)), 5),
                f"dev_{self.chosen_by.metric}": round(per, 6),
                "seconds": round(self.spent + time.monotonic() - started, 1),
            }  # fmt: skip
            history.append(entry)
            if per < best:
                facts = {"card_key": self.manifest["card_key"], "key": self.manifest["key"], "epoch": epoch + 1}
                if distributed.leads():
                    trained.save(self.run_dir / "weights", self.model, facts)
                self.manifest["best_epoch"] = epoch + 1
                if self.model.layer_weights is not None:
                    mix = self.model.layer_weights.softmax(0).tolist()
                    self.manifest["layer_weights"] = [round(weight, 5) for weight in mix]
        finally:
            self.average.swap()
        if distributed.leads():
            store.write_run(self.run_dir, self.manifest)
        self.report(
            Progress(
                "epoch",
                epoch + 1,
                self.recipe.epochs,
                f"loss {entry['loss']:.3f}, dev {self.chosen_by.title} {per:.2%}",
            )
        )

    def _best_note(self) -> str:
        scores = [one for one in map(dev_per, self.manifest["history"]) if one is not None]
        return f", best dev PER {min(scores):.1%}" if scores else ""

    def _save(self, step: int, losses: list[float], started: float) -> None:
        state = {
            "step": step, "losses": losses, "history": self.manifest["history"],
            "best_epoch": self.manifest["best_epoch"], "seconds": self.spent + time.monotonic() - started,
            "scaler": self.scaler.state_dict(),
        }  # fmt: skip
        if distributed.leads():
            self.checkpoint.save(self.model, self.optimiser, self.average, state)

    def _note_infeasible(self) -> None:
        """Count the utterances that are too short for CTC even unperturbed: they teach nothing, and are reported."""
        encoder, seconds = self.model.encoder, self.material.seconds
        rows = [encoder.length(len(wave)) * encoder.upsample for wave in self.material.waves]
        short = objective.infeasible(rows, self.targets)
        self.manifest["infeasible_utterances"] = [self.material.utterances[i].id for i in short]
        too_long = [i for i, duration in enumerate(seconds) if duration > encoder.longest]
        if too_long:
            utterance = self.material.utterances[too_long[0]]
            raise PhonobenchError(
                f"{utterance.audio}: {seconds[too_long[0]]:.1f} s is longer than this encoder reads "
                f"({encoder.longest:.0f} s); leave the utterance out or cut it"
            )


def _seed_of(seed: int, *place: int) -> int:
    return int(np.random.SeedSequence((seed, *place)).generate_state(1)[0])


def _settings(recipe: Recipe) -> dict[str, Any]:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in dataclasses.asdict(recipe).items()}


def _card_facts(card: Card) -> dict[str, Any]:
    """What of a card decides the result (not its licence or title)."""
    return {
        "name": card.name, "family": card.family, "checkpoint": card.checkpoint, "config": dict(card.config),
        **{key: factor for key, factor in (("pool", card.pool), ("upsample", card.upsample)) if factor != 1},
    }  # fmt: skip
