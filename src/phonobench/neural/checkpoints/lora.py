"""LoRA: low-rank corrections of a frozen encoder's linear maps (Hu et al. 2021), by peft.

A run keeps the corrections alone; they are added into the weights when it is loaded to infer.
"""

from __future__ import annotations

import torch
from torch import nn

from phonobench.neural.encoders import Encoder
from phonobench.types import PhonobenchError

MARK = "lora_"
"""In the names of the parameters that adapters have, and of no others."""


def insert(encoder: Encoder, blocks: list[nn.Module], rank: int) -> None:
    """Put adapters beside the family's linear maps; they change nothing until trained.

    Args:
        encoder: Names its linear maps (`lora_targets`).
        blocks: The layers that are adapted.
        rank: Of each adapter.

    Raises:
        PhonobenchError: Where the family has none, or peft is not there.
    """
    inside = {id(part) for block in blocks for part in block.modules()}
    names = [
        name
        for name, part in encoder.module.named_modules()
        if id(part) in inside and name.rpartition(".")[2] in encoder.lora_targets
    ]
    if not names:
        raise PhonobenchError(f"{type(encoder).__name__} has no linear maps for LoRA to adapt; --set lora=0")
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as fault:
        raise PhonobenchError("LoRA needs peft: pip install 'phonobench[train]'") from fault
    inject_adapter_in_model(LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=names), encoder.module)


def refuse_without_gradient(model: nn.Module) -> None:
    """Raise PhonobenchError where a backward pass left an adapter without a gradient: its encoder does not use it."""
    idle = [name for name, p in model.named_parameters() if MARK in name and p.requires_grad and p.grad is None]
    if idle:
        raise PhonobenchError(
            f"{len(idle)} adapters get no gradient ({idle[0]} first): the encoder reads those weights past them; "
            "name other maps in `neural.checkpoints.families`, or --set lora=0"
        )


@torch.no_grad()
def merge(encoder: Encoder) -> None:
    """Add the adapters into the weights that they correct, and take them away."""
    from peft.tuners.lora import LoraLayer

    for name, layer in list(encoder.module.named_modules()):
        if isinstance(layer, LoraLayer):
            layer.merge()
            parent, _, last = name.rpartition(".")
            setattr(encoder.module.get_submodule(parent), last, layer.get_base_layer())
