"""The state of an interrupted training: weights, optimiser moments, averages, the step's number. No pickles.

What must belong together is one safetensors file, replaced atomically.
"""

from __future__ import annotations

import dataclasses
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from phonobench import store
from phonobench.neural.checkpoints.trained import arrays_of
from phonobench.neural.recogniser import Recogniser
from phonobench.neural.training.optimiser import Average
from phonobench.types import PhonobenchError


@dataclass
class TrainingState:
    """Where a training stands, beside its tensors. Field names are those of the checkpoint file.

    `step` optimiser steps are done; `losses` are those of the epoch under way; `history` has an entry an epoch;
    `best_epoch` (from 1) is the one whose weights are kept, and `layer_weights` its mixture of layers, where it has
    one; `seconds` were spent so far; `scaler` is the state of fp16's loss scale.
    """

    step: int = 0
    losses: list[float] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    best_epoch: int | None = None
    layer_weights: list[float] | None = None
    seconds: float = 0.0
    scaler: dict[str, Any] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """The part of it that the run's manifest shows."""
        found: dict[str, Any] = {"history": self.history, "best_epoch": self.best_epoch}
        return found if self.layer_weights is None else {**found, "layer_weights": self.layer_weights}


class Checkpoint:
    """A folder with at most one state in it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "state.safetensors"

    def save(
        self,
        model: Recogniser,
        optimiser: torch.optim.Optimizer,
        average: Average,
        scaler: torch.amp.GradScaler,
        state: TrainingState,
    ) -> None:
        """Replace the stored state."""
        tensors = {f"model/{name}": tensor for name, tensor in model.trained_state().items()}
        tensors |= {f"mean/{name}": tensor for name, tensor in average.mean.items() if f"model/{name}" in tensors}
        for index, parameter in enumerate(_parameters(optimiser)):
            for name, tensor in optimiser.state.get(parameter, {}).items():
                tensors[f"moment/{index}/{name}"] = tensor
        facts = dataclasses.asdict(state) | {"scaler": scaler.state_dict(), "averaged": average.steps}
        store.write_arrays(self.path, arrays_of(tensors), facts)

    def load(
        self,
        model: Recogniser,
        optimiser: torch.optim.Optimizer,
        average: Average,
        scaler: torch.amp.GradScaler,
    ) -> TrainingState:
        """Put the stored tensors back into all four; the state of a beginning where nothing is stored.

        Raises:
            PhonobenchError: the stored state is of another model.
        """
        if not self.path.exists():
            return TrainingState()
        arrays, facts = store.read_arrays(self.path)
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        live = model.trained_state()
        given = {name.removeprefix("model/") for name in tensors if name.startswith("model/")}
        if given != set(live):
            raise PhonobenchError(f"{self.path} is of another model; delete it to start this training again")
        with torch.no_grad():
            for name, tensor in live.items():
                tensor.copy_(tensors[f"model/{name}"])
                if name in average.mean:
                    average.mean[name].copy_(tensors[f"mean/{name}"])
        for index, parameter in enumerate(_parameters(optimiser)):
            prefix = f"moment/{index}/"
            moments = {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
            if moments:
                optimiser.state[parameter] = {
                    n: t if n == "step" else t.to(parameter.device) for n, t in moments.items()
                }
        average.steps = facts.pop("averaged")
        state = TrainingState(**facts)
        scaler.load_state_dict(state.scaler)
        return state

    def remove(self) -> None:
        """Delete the state, and what a killed writer left beside it: the training is over."""
        if self.path.parent.exists():
            shutil.rmtree(self.path.parent)


def _parameters(optimiser: torch.optim.Optimizer) -> list[torch.nn.Parameter]:
    return [parameter for group in optimiser.param_groups for parameter in group["params"]]
