"""Weights of a trained recogniser on disk: everything that training changed, in float32 safetensors.

A frozen encoder is not copied, nor one that adapters correct: the file names the checkpoint and its fingerprint, and
loading takes it from there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from phonobench import store
from phonobench.neural import composition, hardware
from phonobench.neural.checkpoints import lora, pretrained
from phonobench.neural.encoders import Encoder
from phonobench.neural.recogniser import Recogniser
from phonobench.store.run_facts import recipe_of
from phonobench.systems import cards
from phonobench.systems.cards import Card
from phonobench.types import PhonobenchError

FILE = "model.safetensors"


def arrays_of(tensors: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """Tensors as numpy arrays, on the processor."""
    return {name: tensor.detach().cpu().contiguous().numpy() for name, tensor in tensors.items()}


def save(folder: Path, model: Recogniser, facts: dict[str, Any]) -> None:
    """Write the trained part of `model`, atomically, with the encoder's configuration and `facts` beside it."""
    facts = {**facts, "frozen": model.recipe.keeps_encoder, "encoder": model.encoder.settings()}
    store.write_arrays(folder / FILE, arrays_of(model.trained_state()), facts)


def digest(run_dir: Path) -> str:
    """sha256 of a run's weights. Raises PhonobenchError where there are none."""
    path = run_dir / "weights" / FILE
    if not path.exists():
        raise PhonobenchError(f"{path} does not exist: the run is not trained yet; `phonobench train` makes it")
    return store.hash_file(path)


def load(run_dir: Path, source: str | None = None, merge: bool = True) -> Recogniser:
    """The recogniser of a trained run, in evaluation mode, on this machine's device.

    Args:
        run_dir: The run's folder.
        source: Where a frozen encoder's checkpoint lies, in place of the card's own.
        merge: Add adapters into the weights that they correct, unless these are quantised.

    Returns:
        The recogniser.

    Raises:
        PhonobenchError: Where weights are missing, of another card, or the checkpoint is not the one trained on.
    """
    manifest = store.read_run(run_dir)
    path = run_dir / "weights" / FILE
    weights = store.read_weights(run_dir, manifest)
    arrays, facts = weights.arrays, weights.facts
    card, recipe = cards.find(manifest["card"]), recipe_of(manifest["recipe"])
    if card.members:
        encoder: Encoder = composition.encoder(
            card,
            manifest.get("members", ()),
            run_dir.parent,
            lambda member: load(member).encoder,
            facts["encoder"],
            kept_small=manifest.get("weights") == "int8",
        )
    elif facts["frozen"]:
        folder = pretrained.locate(card, source)
        if pretrained.fingerprint(folder, card) != manifest["model"]["revision"]:
            raise PhonobenchError(
                f"{folder} is not the checkpoint that {manifest['run_id']} was trained on "
                f"({manifest['model']['revision']}); give that one by --model"
            )
        encoder = pretrained.load(card, folder)
    else:
        encoder = pretrained.rebuild(card, facts["encoder"], sum(array.size for array in arrays.values()), path)
    model = Recogniser(encoder, recipe)
    given = {name: torch.from_numpy(array) for name, array in arrays.items()}
    expected = set(model.trained_state())
    if set(given) != expected:
        odd = sorted(set(given) ^ expected)
        raise PhonobenchError(f"{path}: {len(odd)} tensors too many or too few, {odd[0]} first; train the run again")
    try:
        model.load_state_dict(given, strict=False)
    except RuntimeError as fault:
        raise PhonobenchError(f"{path}: {str(fault).splitlines()[-1].strip()} (another vocabulary or size)") from fault
    if recipe.lora and merge and recipe.quantise == "none":
        lora.merge(model.encoder)
    return model.eval().to(hardware.device())


def begin_from(run_dir: Path, model: Recogniser, card: Card) -> None:
    """Put the trained weights of another run into a model: head and encoder, or the head of a frozen one.

    Args:
        run_dir: That run.
        model: Is changed.
        card: The system, which must be that of the run.

    Raises:
        PhonobenchError: Where that run is not trained to its end, of another card, or has another head.
    """
    manifest = store.read_run(run_dir)
    if manifest["card"] != card.name or manifest.get("status") != "trained":
        raise PhonobenchError(
            f"{run_dir.name} is a {manifest.get('status')} run of {manifest['card']}; a training of {card.name} starts "
            "from a trained run of the same system"
        )
    arrays = store.read_weights(run_dir, manifest).arrays
    own = model.state_dict()
    odd = sorted(n for n, a in arrays.items() if n not in own or tuple(own[n].shape) != a.shape)
    if odd:
        raise PhonobenchError(
            f"{run_dir.name} has another head or other layers ({odd[0]}); choose a recipe like its own"
        )
    model.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()}, strict=False)
