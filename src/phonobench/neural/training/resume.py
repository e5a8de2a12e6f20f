"""The state of an interrupted training: weights, optimiser moments, averages, the step's number. No pickles.

What must belong together is one safetensors file, replaced atomically.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch

from phonobench import store
from phonobench.neural.checkpoints.trained import arrays_of
from phonobench.neural.recogniser import Recogniser
from phonobench.neural.training.optimiser import Average
from phonobench.types import PhonobenchError


class Checkpoint:
    """A folder with at most one state in it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "state.safetensors"

    def save(
        self, model: Recogniser, optimiser: torch.optim.Optimizer, average: Average, state: dict[str, Any]
    ) -> None:
        """Replace the stored state. `state` is JSON-able."""
        tensors = {f"model/{name}": tensor for name, tensor in model.learned().items()}
        tensors |= {f"mean/{name}": tensor for name, tensor in average.mean.items() if f"model/{name}" in tensors}
        for index, parameter in enumerate(_parameters(optimiser)):
            for name, tensor in optimiser.state.get(parameter, {}).items():
                tensors[f"moment/{index}/{name}"] = tensor
        store.write_arrays(self.path, arrays_of(tensors), {**state, "averaged": average.steps})

    def load(self, model: Recogniser, optimiser: torch.optim.Optimizer, average: Average) -> dict[str, Any] | None:
        """Put the stored state back and return its JSON part, or None where there is none."""
        if not self.path.exists():
            return None
        arrays, state = store.read_arrays(self.path)
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        live = model.learned()
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
        average.steps = state.pop("averaged")
        return state

    def remove(self) -> None:
        """Delete the state, and what a writer left that was killed over it: the training is over."""
        if self.path.parent.exists():
            shutil.rmtree(self.path.parent)


def _parameters(optimiser: torch.optim.Optimizer) -> list[torch.nn.Parameter]:
    return [parameter for group in optimiser.param_groups for parameter in group["params"]]
