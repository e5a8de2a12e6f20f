"""What this machine computes with: the device, and bf16 where it is fast."""

from __future__ import annotations

from typing import Any

import torch

from phonobench.recipe import Recipe


def device() -> torch.device:
    """The first GPU, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def bf16_is_fast() -> bool:
    """True where bf16 has its own instructions."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported()
    capability = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(capability.get("avx512_bf16") or capability.get("amx_bf16") or capability.get("amx_tile"))


def precision(recipe: Recipe) -> str:
    """ "bf16" or "fp32": what "auto" means here."""
    if recipe.precision != "auto":
        return recipe.precision
    return "bf16" if bf16_is_fast() else "fp32"


def autocast(recipe: Recipe) -> Any:
    """The context in which forward passes of a training run."""
    return torch.autocast(device().type, dtype=torch.bfloat16, enabled=precision(recipe) == "bf16")
