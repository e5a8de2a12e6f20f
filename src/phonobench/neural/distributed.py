"""Several processes that train or infer one run together, as `torchrun` starts them: plain torch.distributed.

Every optimiser step is that of one process: each rank takes its share of the utterances of each batch, and gradients
are added up, so that the number of processes is no choice of the recipe and no part of a run's identity. Rank 0 alone
writes. Without torchrun everything here is the one rank 0 of 1.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist

from phonobench.types import Progress

T = TypeVar("T")

TIMEOUT = timedelta(minutes=30)
"""How long a rank waits for the others: longer than rank 0 alone takes to read audio or to calibrate."""


def join_group() -> None:
    """Enter the group that torchrun has described in the environment; nothing where it has not, or the second time."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or dist.is_initialized():
        return
    gpu = torch.cuda.is_available()
    if gpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if gpu else "gloo", timeout=TIMEOUT)
    atexit.register(_leave)


def _leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


def rank() -> int:
    """Which process this is, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def size() -> int:
    """How many processes there are."""
    return dist.get_world_size() if dist.is_initialized() else 1


def is_main() -> bool:
    """True in the process that writes."""
    return rank() == 0


def shard(items: Sequence[T]) -> Sequence[T]:
    """The part of `items` that this process works on: every `size()`-th, from its rank."""
    return items[rank() :: size()]


def barrier() -> None:
    """Wait until all processes have come here."""
    if size() > 1:
        dist.barrier()


def broadcast(value: T) -> T:
    """The `value` of rank 0, in every process. It must be picklable."""
    if size() == 1:
        return value
    box = [value]
    dist.broadcast_object_list(box, src=0, device=_device())
    return box[0]


def gather(values: dict[int, Any]) -> dict[int, Any]:
    """The values of all processes by place, in every process."""
    if size() == 1:
        return values
    parts: list[dict[int, Any]] = [{} for _ in range(size())]
    dist.all_gather_object(parts, values)
    return {place: value for part in parts for place, value in part.items()}


def sum_gradients(parameters: Iterable[torch.nn.Parameter]) -> None:
    """Replace each parameter's gradient by the sum over all processes; one that has none anywhere keeps none."""
    if size() == 1:
        return
    chosen = [p for p in parameters if p.requires_grad]
    here = torch.tensor([p.grad is not None for p in chosen], dtype=torch.int32, device=_device())
    dist.all_reduce(here)
    for parameter, ranks in zip(chosen, here.tolist(), strict=True):
        if not ranks:
            continue
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
        dist.all_reduce(parameter.grad)


def sum_values(value: float) -> float:
    """The sum of `value` over all processes."""
    if size() == 1:
        return value
    box = torch.tensor(value, dtype=torch.float64, device=_device())
    dist.all_reduce(box)
    return float(box)


def broadcast_tensors(parameters: Iterable[torch.Tensor]) -> None:
    """Give every process rank 0's values."""
    if size() > 1:
        for parameter in parameters:
            dist.broadcast(parameter.data, src=0)


def no_report(_: Progress) -> None:
    """The `report` of a process that is not the first."""


def _device() -> torch.device:
    return torch.device("cuda" if dist.get_backend() == "nccl" else "cpu")
