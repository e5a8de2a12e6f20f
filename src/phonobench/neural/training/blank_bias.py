"""The last step of a training: how readily the blank wins is set on the dev speakers.

CTC with masked audio learns to stay silent where it is unsure, and then leaves out far more phones than it makes up.
A constant taken off the blank's logit balances deletions and insertions. It is chosen by greedy PER (HQ) on dev and
folded into the head's bias, so that the run's posteriors are those of one model and nothing downstream differs.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from phonobench import store
from phonobench.corpora.choice import choice_set
from phonobench.neural.checkpoints import trained
from phonobench.neural.posteriors import choice_per, log_posteriors
from phonobench.neural.training.batches import TrainingData
from phonobench.phones import BLANK
from phonobench.types import Progress

GRID = tuple(float(bias) for bias in np.arange(-1.0, 3.01, 0.25))
"""Nats that may be taken off the blank's logit."""


def shifted(logp: np.ndarray, bias: float) -> np.ndarray:
    """Log-probabilities (frames, 40) with `bias` nats taken off the blank's, normalised again."""
    moved = logp.astype(np.float32)
    moved[:, BLANK] -= bias
    return moved - np.logaddexp.reduce(moved, axis=1, keepdims=True)


def choose(logp: list[np.ndarray], dev: TrainingData) -> dict[float, float]:
    """PER on dev (HQ, or as `corpora.choice` says) by bias, best first; among equals the one nearest to none."""
    found = {bias: choice_per([shifted(one, bias) for one in logp], dev) for bias in GRID}
    return dict(sorted(found.items(), key=lambda entry: (entry[1], abs(entry[0]))))


def calibrate(run_dir: Path, dev: TrainingData, report: Callable[[Progress], None], source: str | None = None) -> None:
    """Set the blank of a run's best weights, once; the bias and the PERs that chose it go into weights and manifest.

    Args:
        run_dir: The run's folder.
        dev: The dev utterances.
        report: Called with the progress.
        source: Where a frozen encoder's checkpoint lies.
    """
    facts = store.read_weights(run_dir, store.read_run(run_dir)).facts
    if "blank" in facts:  # in the same file as the weights: a kill cannot part them, nothing is shifted twice
        store.write_run(run_dir, {**store.read_run(run_dir), "blank": facts["blank"]})
        return
    model = trained.load(run_dir, source, merge=False)
    per = choose(log_posteriors(model, dev, report), dev)
    bias = next(iter(per))
    with torch.no_grad():
        model.classifier.bias[BLANK] -= bias
    chosen_by = choice_set(dev.utterances)
    blank = {"bias": bias, f"dev_{chosen_by.metric}": {f"{b:g}": round(value, 6) for b, value in sorted(per.items())}}
    kept = {name: facts[name] for name in ("card_key", "key", "epoch")}
    trained.save(run_dir / "weights", model, {**kept, "blank": blank})
    store.write_run(run_dir, {**store.read_run(run_dir), "blank": blank})
    report(Progress("calibrate", 1, 1, f"blank {-bias:+.2f} nats, dev {chosen_by.title} {per[bias]:.2%}"))
