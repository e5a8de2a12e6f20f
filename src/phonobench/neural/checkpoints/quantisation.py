"""Frozen linear maps in 8 or 4 bits by bitsandbytes, for encoders that a GPU's memory does not hold otherwise."""

from __future__ import annotations

import importlib.util
from typing import Any

import torch
from torch import nn

from phonobench.neural.encoders import Encoder
from phonobench.types import PhonobenchError

BLOCK = 64
"""Weights that share a scale: maps whose inputs are no multiple of it stay whole."""


def require() -> None:
    """Raise PhonobenchError where this machine cannot compute with few bits."""
    if not torch.cuda.is_available():
        raise PhonobenchError("weights in 4 or 8 bits need a GPU, and here is none; --set quantise=none")
    if importlib.util.find_spec("bitsandbytes") is None:
        raise PhonobenchError("weights in 4 or 8 bits need bitsandbytes: pip install 'phonobench[quantise]'")


def shrink(encoder: Encoder, kind: str) -> int:
    """Replace the linear maps of all layers but the stem; they take their few bits when the encoder is moved.

    Args:
        encoder: Is changed.
        kind: "4bit" or "8bit".

    Returns:
        How many were replaced.
    """
    found = 0
    for block in encoder.blocks[1:]:
        for name, part in list(block.named_modules()):
            parent, _, last = name.rpartition(".")
            if isinstance(part, nn.Linear) and last not in encoder.unquantised and part.in_features % BLOCK == 0:
                setattr(block.get_submodule(parent), last, _small(part, kind))
                found += 1
    # peft chooses its adapters by these
    encoder.module.is_loaded_in_4bit, encoder.module.is_loaded_in_8bit = kind == "4bit", kind == "8bit"
    return found


def _small(linear: nn.Linear, kind: str) -> Any:
    import bitsandbytes as bnb

    size, biased = (linear.in_features, linear.out_features), linear.bias is not None
    small: Any
    if kind == "4bit":
        small = bnb.nn.Linear4bit(*size, bias=biased, compute_dtype=torch.bfloat16, quant_type="nf4")
    else:
        small = bnb.nn.Linear8bitLt(*size, bias=biased, has_fp16_weights=False)
    small.weight.data = linear.weight.data
    if biased:
        small.bias = nn.Parameter(linear.bias.data, requires_grad=False)
    return small
