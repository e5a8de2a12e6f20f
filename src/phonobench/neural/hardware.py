"""What this machine computes with: the device, the precision, and the scale of fp16's loss."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from phonobench.systems.recipe import Recipe
from phonobench.types import PhonobenchError


def device() -> torch.device:
    """The first GPU, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def described() -> dict[str, Any]:
    """The machine that a speed was measured on: the device by name, threads, and how busy it was meanwhile."""
    here = device()
    load = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None
    name = torch.cuda.get_device_name(here) if here.type == "cuda" else _processor()
    return {"device": name, "threads": torch.get_num_threads(), "processors": os.cpu_count(), "load": load}


def _processor() -> str:
    """The processor's name as Linux tells it, else its architecture."""
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text(encoding="utf-8", errors="replace").splitlines() if listed.exists() else []
    found = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return found or platform.machine()


def bf16_is_fast() -> bool:
    """True where bf16 has its own instructions."""
    if torch.cuda.is_available():
        supported: bool = torch.cuda.is_bf16_supported()
        return supported
    capability = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(capability.get("avx512_bf16") or capability.get("amx_bf16") or capability.get("amx_tile"))


def precision(recipe: Recipe) -> str:
    """ "bf16", "fp16" or "fp32": what "auto" means here. Raises PhonobenchError for fp16 without a GPU."""
    if recipe.precision == "fp16" and device().type != "cuda":
        raise PhonobenchError("fp16 needs a GPU, and here is none; --set precision=bf16")
    if recipe.precision != "auto":
        return recipe.precision
    return "bf16" if bf16_is_fast() else "fp32"


def autocast(recipe: Recipe) -> Any:
    """The context in which forward passes of a training run."""
    kind = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": None}[precision(recipe)]
    return torch.autocast(device().type, dtype=kind, enabled=kind is not None)


def scaler(recipe: Recipe) -> torch.amp.GradScaler:
    """What keeps the gradients of fp16 from vanishing; it passes all through at other precisions."""
    return torch.amp.GradScaler(device().type, enabled=precision(recipe) == "fp16")


@contextmanager
def threads(encoder: Any) -> Iterator[None]:
    """One thread for an encoder whose steps are too small to share (`single_threaded`), all of them for the others."""
    former = torch.get_num_threads()
    torch.set_num_threads(1 if encoder.single_threaded else former)
    try:
        yield
    finally:
        torch.set_num_threads(former)
