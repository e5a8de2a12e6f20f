"""Pretrained weights: where a card's checkpoint lies and how its encoder is loaded from it, never silently at random.

A source is a folder in Hugging Face format or a hub id. Only safetensors are read, no code of a checkpoint is run, and
every tensor of the encoder must be there.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from phonobench.cards import Card
from phonobench.models_folder import local_folder
from phonobench.neural.encoders import Encoder, MelEncoder, WaveEncoder
from phonobench.neural.recurrent import RecurrentConfig, RecurrentEncoder, RecurrentModule
from phonobench.types import PhonobenchError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Family:
    """How one family of checkpoints is loaded: `model_types` that its config.json may name, tensor `prefix`es."""

    model_types: tuple[str, ...]
    module: Any
    config: Any
    keys: dict[str, str]
    wrap: Callable[[Any, Path | None], Encoder]


def _mel(module: Any, folder: Path | None) -> MelEncoder:
    return MelEncoder(module)


def _wave(module: Any, folder: Path | None) -> WaveEncoder:
    """`normalise` as the checkpoint's preprocessor says; a scratch model normalises."""
    return WaveEncoder(module, normalise=True if folder is None else _preprocessor(folder)["do_normalize"])


FAMILIES: dict[str, Family] = {
    "whisper": Family(
        ("whisper",), WhisperEncoder, transformers.WhisperConfig, {r"^(model\.)?encoder\.": ""}, _mel
    ),
    "recurrent": Family(
        (), RecurrentModule, RecurrentConfig, {}, lambda module, folder: RecurrentEncoder(module)
    ),
    "hubert": Family(("hubert",), transformers.HubertModel, transformers.HubertConfig, {r"^hubert\.": ""}, _wave),
    "wavlm": Family(("wavlm",), transformers.WavLMModel, transformers.WavLMConfig, {r"^wavlm\.": ""}, _wave),
    "wav2vec2": Family(
        ("wav2vec2",), transformers.Wav2Vec2Model, transformers.Wav2Vec2Config, {r"^wav2vec2\.": ""}, _wave
    ),
    "data2vec": Family(
        ("data2vec-audio",), transformers.Data2VecAudioModel, transformers.Data2VecAudioConfig,
        {r"^data2vec_audio\.": ""}, _wave,
    ),
}  # fmt: skip

_WAVE_FAMILIES = ("hubert", "wavlm", "wav2vec2", "data2vec")
_QUIET = {"layerdrop": 0.0, "apply_spec_augment": False}
"""Dropping layers would misalign layer weights; augmentation is the recipe's, not the checkpoint's."""


def _quiet(card: Card) -> dict[str, Any]:
    """Settings that a waveform family needs; data2vec has no switch for its augmentation, which is not run here."""
    if card.family not in _WAVE_FAMILIES:
        return {}
    return {k: v for k, v in _QUIET.items() if card.family != "data2vec" or k == "layerdrop"}


def locate(card: Card, source: str | None = None) -> Path:
    """The folder of the card's checkpoint: `source` (folder or hub id), the models folder, else the hub.

    Raises PhonobenchError where it cannot be had, with the remedy.
    """
    if source is not None and Path(source).is_dir():
        return Path(source)
    found = local_folder(card.checkpoint) if source is None else None
    if found is not None:
        return found
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
    )

    name = source or card.checkpoint
    try:
        return Path(
            snapshot_download(name, revision=card.revision if source is None else None,
                              allow_patterns=["*.json", "*.safetensors"])
        )  # fmt: skip
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
    """The encoder with the weights of `folder`, float32. Raises PhonobenchError for any other kind of checkpoint."""
    family = FAMILIES[card.family]
    config = _read_json(folder / "config.json")
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
    try:
        module, report = family.module.from_pretrained(
            folder, key_mapping=family.keys, output_loading_info=True, dtype=torch.float32, use_safetensors=True,
            local_files_only=True, **_quiet(card),
        )  # fmt: skip
    except (OSError, RuntimeError, ValueError) as fault:
        raise PhonobenchError(f"{folder}: cannot be read as {card.name}: {str(fault).splitlines()[0]}") from fault
    missing = sorted(set(report["missing_keys"]) - {"masked_spec_embed"})
    wrong = sorted(str(key) for key in report["mismatched_keys"])
    if missing or wrong:
        raise PhonobenchError(
            f"{folder}: {len(missing)} tensors missing and {len(wrong)} of another shape "
            f"(first: {(missing + wrong)[0]}); this is not a whole {card.family} encoder"
        )
    _check_size(card, folder, module)
    return family.wrap(module, folder)


def _check_size(card: Card, folder: Path, module: Any) -> None:
    count = sum(p.numel() for p in module.parameters())
    if card.parameters and count != card.parameters:
        logger.warning("%s has %d parameters, the card of %s says %d", folder, count, card.name, card.parameters)


def build(card: Card, config: dict[str, Any] | None = None) -> Encoder:
    """An encoder with random weights: a scratch card's, or that of a saved `config` whose weights are loaded next."""
    family = FAMILIES[card.family]
    settings = dict(card.config) if config is None else {k: v for k, v in config.items() if k != "model_type"}
    normalise = settings.pop("normalise", True)
    made = family.config(**{**_quiet(card), **settings})
    if card.family != "recurrent":
        made._attn_implementation = "eager" if card.family == "wavlm" else "sdpa"
    encoder = family.wrap(family.module(made), None)
    if isinstance(encoder, WaveEncoder):
        encoder.normalise = normalise
    return encoder


def fingerprint(folder: Path) -> str:
    """Revision of a checkpoint folder: the hub's commit where the path names it, else the size and config's hash."""
    if folder.parent.name == "snapshots":
        return folder.name
    digest = hashlib.sha256((folder / "config.json").read_bytes())
    for file in sorted(folder.glob("*.safetensors")):
        with file.open("rb") as stream:
            while block := stream.read(1 << 22):
                digest.update(block)
    return "sha256:" + digest.hexdigest()[:16]


def _preprocessor(folder: Path) -> dict[str, Any]:
    settings = _read_json(folder / "preprocessor_config.json")
    if "do_normalize" not in settings:
        raise PhonobenchError(f"{folder}/preprocessor_config.json: no do_normalize; is it a waveform checkpoint?")
    return settings


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text())
    except FileNotFoundError as fault:
        raise PhonobenchError(f"{path} is missing; a checkpoint folder in Hugging Face format has it") from fault
    except json.JSONDecodeError as fault:
        raise PhonobenchError(f"{path} is damaged: {fault}") from fault
