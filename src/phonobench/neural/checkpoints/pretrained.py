"""Pretrained weights: where a card's checkpoint lies and how its encoder is loaded from it, never silently at random.

A source is a folder in Hugging Face format or a hub id. Only safetensors are read, no code of a checkpoint is run, and
every tensor of the encoder must be there.
"""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any

import torch

from phonobench.neural.checkpoints import families, shards
from phonobench.neural.checkpoints.families import FAMILIES, Family, read_bytes, read_json
from phonobench.neural.encoders import Encoder, speechtokenizer
from phonobench.store import door
from phonobench.systems.cards import Card
from phonobench.systems.local_models import local_folder
from phonobench.types import PhonobenchError

__all__ = ["FAMILIES", "build", "fingerprint", "load", "locate"]

logger = logging.getLogger(__name__)


def locate(card: Card, source: str | None = None) -> Path:
    """The folder of the card's checkpoint: `source`, the models folder, else the hub.

    Args:
        card: The system.
        source: A folder or a hub id, in place of the card's own.

    Returns:
        The folder.

    Raises:
        PhonobenchError: Where it cannot be had, with the remedy.
    """
    if source is not None and Path(source).is_dir():
        return Path(source)
    found = local_folder(card.checkpoint) if source is None else None
    if found is not None:
        return found
    return _download(card, source or card.checkpoint, card.revision if source is None else None)


def _download(card: Card, name: str, revision: str | None) -> Path:
    """The checkpoint `name` from the hub or its cache; of a large one, the files that hold the encoder's tensors."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
    )

    tower = card.family in FAMILIES and families.of(card).tower
    try:
        if tower:
            folder = Path(snapshot_download(name, revision=revision, allow_patterns=["*.json"]))
            index = (folder / shards.INDEX).exists()
            files = list(shards.holding(folder, tower)) if index else ["*.safetensors"]
        else:
            files = ["*.safetensors"]
        return Path(snapshot_download(name, revision=revision, allow_patterns=["*.json", *files]))
    except (
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        HfHubHTTPError,
        OSError,
        ValueError,
    ) as fault:
        raise PhonobenchError(
            f"no weights for {card.name}: {name!r} is no folder and the hub did not give it ({type(fault).__name__}); "
            "give a folder by --model, or put the checkpoint under PHONOBENCH_MODELS"
        ) from fault


def load(card: Card, folder: Path) -> Encoder:
    """The encoder with the weights of a checkpoint, float32.

    Args:
        card: The system.
        folder: The checkpoint in Hugging Face format.

    Returns:
        The encoder.

    Raises:
        PhonobenchError: For any other kind of checkpoint, pickled weights, and missing tensors.
    """
    config = read_json(folder / "config.json")
    _refuse_wild(config, folder / "config.json", "fetch the checkpoint again")
    if card.family == "speechtokenizer":
        return speechtokenizer.load_tokenizer(card, folder, config)
    family = families.of(card)
    if config.get("model_type") not in family.model_types:
        raise PhonobenchError(
            f"{folder}: config.json says model_type {config.get('model_type')!r}, but {card.name} needs "
            f"{' or '.join(family.model_types)}; give the right checkpoint by --model"
        )
    if not list(folder.glob("*.safetensors")):
        raise PhonobenchError(
            f"{folder}: no .safetensors file; pickled weights are not read, convert them "
            "(transformers: save_pretrained writes safetensors)"
        )
    own = family.section and config["model_type"] == family.model_types[0]
    if family.section:
        settings = config.get(family.section) if own else config
        if not isinstance(settings, dict):
            raise PhonobenchError(f"{folder}: config.json has no {family.section}; fetch the checkpoint again")
        config = {k: v for k, v in settings.items() if k not in ("model_type", "dtype", "torch_dtype")}
    if family.tower:
        module = _tower(card, folder, config, family.tower if own else "")
    else:
        module = _whole(card, folder, config if family.section else None)
    _refuse_not_finite(folder, module)
    count = sum(p.numel() for p in module.parameters())
    if card.parameters and count != card.parameters:
        logger.warning("%s has %d parameters, the card of %s says %d", folder, count, card.name, card.parameters)
    return families.wrapped(module, card, folder)


def _whole(card: Card, folder: Path, config: dict[str, Any] | None) -> Any:
    """The module as transformers loads it; by `config` where that of the folder describes a larger model."""
    family = families.of(card)
    files = list(folder.glob("*.safetensors"))
    for file in files:
        door.look(file)  # a link may lead nowhere
    held = sum(file.stat().st_size for file in files)
    settings = read_json(folder / "config.json") if config is None else config
    try:
        size = _size(family, {k: v for k, v in settings.items() if k not in ("model_type", "dtype", "torch_dtype")})
        if size > SPARE * held + 1_000_000:
            raise ValueError(f"config.json is of a model of {size:,} numbers, the files hold {held:,} bytes")
        made: dict[str, Any] = dict(family.overrides)
        if config is not None:
            made = {"config": family.config_class(**{**config, **family.overrides})}
        module, report = family.module_class.from_pretrained(
            folder,
            key_mapping=dict(family.key_mapping),
            output_loading_info=True,
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            **made,
        )
    except Exception as fault:  # whatever a foreign checkpoint makes the library raise
        raise PhonobenchError(f"{folder}: cannot be read as {card.name}: {_line(fault)}") from fault
    missing = set(report["missing_keys"]) - {"masked_spec_embed"}
    _refuse_gaps(card, folder, missing, {str(key) for key in report["mismatched_keys"]})
    return module


def _tower(card: Card, folder: Path, config: dict[str, Any], part: str) -> Any:
    """The module from the tensors called `part` alone, without memory for the rest of their model."""
    family = families.of(card)
    try:
        with torch.device("meta"):
            module = _made(family, config)
    except Exception as fault:  # whatever a foreign configuration makes the library raise
        raise PhonobenchError(f"{folder}: cannot be read as {card.name}: {_line(fault)}") from fault
    wanted = {name: tensor.shape for name, tensor in module.state_dict().items()}
    tensors = shards.read(folder, part)
    wrong = {name for name, shape in wanted.items() if name in tensors and tensors[name].shape != shape}
    _refuse_gaps(card, folder, set(wanted) - set(tensors), wrong)
    module.load_state_dict({name: tensors[name] for name in wanted}, assign=True)
    return module


def _refuse_gaps(card: Card, folder: Path, missing: set[str], wrong: set[str]) -> None:
    if missing or wrong:
        raise PhonobenchError(
            f"{folder}: {len(missing)} tensors missing and {len(wrong)} of another shape "
            f"(first: {sorted(missing)[0] if missing else sorted(wrong)[0]}); "
            f"this is not a whole {card.family} encoder"
        )


def _refuse_not_finite(folder: Path, module: Any) -> None:
    """NaN in one weight is NaN in every score."""
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise PhonobenchError(f"{folder}: {name} holds values that are no finite numbers; fetch the file again")


def _made(family: Family, settings: dict[str, Any], attention: str | None = None) -> Any:
    """A module of the family with random weights."""
    config = family.config_class(**{**settings, **family.overrides})
    if hasattr(family.config_class, "model_type"):
        config._attn_implementation = attention or family.attention
    return family.module_class(config)


def build(card: Card, config: dict[str, Any] | None = None) -> Encoder:
    """An encoder with random weights: a scratch card's, or that of a saved `config` whose weights are loaded next."""
    settings = dict(card.config) if config is None else {k: v for k, v in config.items() if k != "model_type"}
    normalise = settings.pop("normalise", True)
    encoder = families.wrapped(_made(families.of(card), settings), card, None)
    if hasattr(encoder, "normalise"):
        encoder.normalise = normalise
    return encoder


def rebuild(card: Card, config: Any, numbers: int, path: Path) -> Encoder:
    """As `build`, of a configuration out of a file that may come from elsewhere.

    Args:
        card: the system.
        config: what the file says of the encoder.
        numbers: how many the file's tensors hold: a model that is far larger is not theirs, and is not made.
        path: the file, for the error.

    Raises:
        PhonobenchError: the configuration makes no encoder, or none that those tensors could fill.
    """
    again = "put the run's own file back, or train it again"
    _refuse_wild(config, path, again)
    family = families.of(card)
    settings = {k: v for k, v in config.items() if k not in ("model_type", "normalise")}
    try:
        size = _size(family, settings)
        if size <= SPARE * numbers + 1_000_000:
            return build(card, config)
    except Exception as fault:  # whatever a foreign configuration makes the library raise
        raise PhonobenchError(f"{path}: encoder: makes no {card.family} model ({_line(fault)}); {again}") from fault
    raise PhonobenchError(f"{path}: encoder: a model of {size:,} numbers, the file holds {numbers:,}; {again}")


MOST_LAYERS, LARGEST_SIZE = 500, 1_000_000_000
"""Of what a configuration may ask for; published encoders stay far below."""
SPARE = 4
"""Times as many numbers as its files hold may a model have."""


def _size(family: Family, settings: dict[str, Any]) -> int:
    """Numbers in all tensors of a model, which is made without memory for them."""
    with torch.device("meta"):
        return sum(tensor.numel() for tensor in _made(family, settings, "eager").state_dict().values())


def _refuse_wild(config: Any, path: Path, remedy: str) -> None:
    """See that no size of a configuration is one that no encoder has."""
    if not isinstance(config, dict):
        raise PhonobenchError(f"{path}: the encoder's configuration is no table; {remedy}")
    for name, value in config.items():
        parts = value if isinstance(value, list) else [value]
        most = MOST_LAYERS if "layers" in name else LARGEST_SIZE
        if any(isinstance(one, int | float) and not -most <= one <= most for one in parts) or len(parts) > LARGEST_SIZE:
            raise PhonobenchError(f"{path}: {door.shown(name)} is out of its range; {remedy}")
        if isinstance(value, dict):
            _refuse_wild(value, path, remedy)


def _line(fault: Exception) -> str:
    """The last line of what a library says, cut."""
    lines = str(fault).strip().splitlines() or [type(fault).__name__]
    return door.shown(lines[-1].strip(), 160).strip("'")


def fingerprint(folder: Path, card: Card | None = None) -> str:
    """Revision of a checkpoint folder.

    Args:
        folder: The checkpoint.
        card: Its system. Of one whose encoder is a part, the hash is of the files that hold that part; the others need
            not be there.

    Returns:
        The hub's commit where the path names it, else "sha256:" and the hash of the config and the weights.
    """
    if folder.parent.name == "snapshots":
        return folder.name
    files = sorted(folder.glob("*.safetensors"))
    tower = families.of(card).tower if card is not None and card.family in FAMILIES else ""
    if tower and (folder / shards.INDEX).exists():
        files = sorted(folder / file for file in shards.holding(folder, tower))
    digest = hashlib.sha256(read_bytes(folder / "config.json"))
    for file in files:
        if not file.is_file():
            raise PhonobenchError(f"{file} is missing and holds a part of the encoder; fetch that file too")
        try:
            with file.open("rb") as stream:
                while block := stream.read(1 << 22):
                    digest.update(block)
        except OSError as error:
            raise door.unreadable(file, error) from error
    return "sha256:" + digest.hexdigest()[:16]
