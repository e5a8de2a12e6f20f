"""The families of encoders: which checkpoints each can be read from, by which class, and what stands around it.

Classes of transformers are named and imported at first use: importing them takes longer than torch itself.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from phonobench.neural.encoders import BertEncoder, CodecEncoder, Encoder, MelEncoder, ParakeetEncoder, WaveEncoder
from phonobench.neural.encoders.recurrent import RecurrentConfig, RecurrentEncoder, RecurrentModule
from phonobench.store import door
from phonobench.systems.cards import Card
from phonobench.types import PhonobenchError


@dataclass(frozen=True)
class Family:
    """How one family of checkpoints is loaded.

    Attributes:
        model_types: what `model_type` of its config.json may be.
        module: the class of the network, or where it is imported from ("package:Class").
        config: the class of its architecture, or where it is imported from.
        key_mapping: patterns of tensor names in a checkpoint, with what replaces them.
        wrap: makes an `Encoder` of a module, given the card and the checkpoint's folder (None for random weights).
        overrides: settings that every checkpoint gets. Dropped layers would misalign the weights of layers, and
            augmentation is the recipe's.
        section: the part of config.json that describes the encoder, where it belongs to a larger model.
        tower: prefix of the encoder's tensors, where these alone are read from a checkpoint too large to hold.
        attention: the implementation of attention that a module is built with.
        lora_targets: last names of the linear maps that LoRA adapts.
        unquantised: last names of the linear maps that cannot be quantised.
    """

    model_types: tuple[str, ...]
    module: Any
    config: Any
    key_mapping: Mapping[str, str]
    wrap: Callable[[Any, Card, Path | None], Encoder]
    overrides: Mapping[str, Any] = field(default_factory=dict)
    section: str = ""
    tower: str = ""
    attention: str = "sdpa"
    lora_targets: tuple[str, ...] = ()
    unquantised: tuple[str, ...] = ()

    @cached_property
    def module_class(self) -> Any:
        """The class of the network."""
        return _imported(self.module)

    @cached_property
    def config_class(self) -> Any:
        """The class of its architecture."""
        return _imported(self.config)


def _imported(named: Any) -> Any:
    return pkgutil.resolve_name(named) if isinstance(named, str) else named


def _mel(module: Any, card: Card, folder: Path | None) -> MelEncoder:
    return MelEncoder(module)


def _tower(module: Any, card: Card, folder: Path | None) -> MelEncoder:
    return MelEncoder(module, masked=True, pool=card.pool)


def _wave(module: Any, card: Card, folder: Path | None) -> WaveEncoder:
    """`normalise` as the checkpoint's preprocessor says; a scratch model normalises."""
    return WaveEncoder(module, normalise=True if folder is None else _preprocessor(folder)["do_normalize"])


def _codec(module: Any, card: Card, folder: Path | None) -> CodecEncoder:
    return CodecEncoder(module, CODEBOOKS)


CODEBOOKS = 8
"""Residual quantisers that are read of a codec: what is left after them describes the voice, not phones."""
_OVERRIDES = {"layerdrop": 0.0, "apply_spec_augment": False}
_ATTENTION = ("q_proj", "k_proj", "v_proj", "out_proj")

FAMILIES: dict[str, Family] = {
    "whisper": Family(
        ("whisper",),
        "transformers.models.whisper.modeling_whisper:WhisperEncoder",
        "transformers:WhisperConfig",
        {r"^(model\.)?encoder\.": ""},
        _mel,
        lora_targets=_ATTENTION,
    ),
    "qwen2-audio": Family(
        ("qwen2_audio", "qwen2_audio_encoder"),
        "transformers:Qwen2AudioEncoder",
        "transformers:Qwen2AudioEncoderConfig",
        {},
        _tower,
        section="audio_config",
        tower="audio_tower.",
        lora_targets=_ATTENTION,
    ),
    "recurrent": Family(
        (), RecurrentModule, RecurrentConfig, {}, lambda module, card, folder: RecurrentEncoder(module)
    ),
    "hubert": Family(
        ("hubert",),
        "transformers:HubertModel",
        "transformers:HubertConfig",
        {r"^hubert\.": ""},
        _wave,
        overrides=_OVERRIDES,
        lora_targets=_ATTENTION,
    ),
    "wavlm": Family(
        ("wavlm",),
        "transformers:WavLMModel",
        "transformers:WavLMConfig",
        {r"^wavlm\.": ""},
        _wave,
        overrides=_OVERRIDES,
        attention="eager",
        # Its attention reads the weights of its projections past the modules: neither adapters nor packed weights
        # would have an effect there.
        lora_targets=("intermediate_dense", "output_dense"),
        unquantised=(*_ATTENTION, "gru_rel_pos_linear"),
    ),
    "wav2vec2": Family(
        ("wav2vec2",),
        "transformers:Wav2Vec2Model",
        "transformers:Wav2Vec2Config",
        {r"^wav2vec2\.": ""},
        _wave,
        overrides=_OVERRIDES,
        lora_targets=_ATTENTION,
    ),
    "data2vec": Family(
        ("data2vec-audio",),
        "transformers:Data2VecAudioModel",
        "transformers:Data2VecAudioConfig",
        {r"^data2vec_audio\.": ""},
        _wave,
        overrides={"layerdrop": 0.0},
        lora_targets=_ATTENTION,  # it has no switch for its augmentation, which is not run here
    ),
    "w2v-bert": Family(
        ("wav2vec2-bert",),
        "transformers:Wav2Vec2BertModel",
        "transformers:Wav2Vec2BertConfig",
        {r"^wav2vec2_bert\.": ""},
        lambda module, card, folder: BertEncoder(module),
        overrides=_OVERRIDES,
        lora_targets=("linear_q", "linear_k", "linear_v", "linear_out"),
    ),
    "parakeet": Family(
        ("parakeet_ctc", "parakeet_encoder"),
        "transformers:ParakeetEncoder",
        "transformers:ParakeetEncoderConfig",
        {r"^encoder\.": ""},
        lambda module, card, folder: ParakeetEncoder(module),
        overrides={"layerdrop": 0.0},
        section="encoder_config",
        lora_targets=("q_proj", "k_proj", "v_proj", "o_proj"),
    ),
    "mimi": Family(("mimi",), "transformers:MimiModel", "transformers:MimiConfig", {}, _codec),
    "dac": Family(("dac",), "transformers:DacModel", "transformers:DacConfig", {}, _codec),
}
"""Every family by the name that cards use."""


def of(card: Card) -> Family:
    """The card's family."""
    return FAMILIES[card.family]


def wrapped(module: Any, card: Card, folder: Path | None) -> Encoder:
    """The encoder around `module`, with what card and family say of its head and its linear maps."""
    family = of(card)
    encoder = family.wrap(module, card, folder)
    encoder.upsample, encoder.lora_targets, encoder.unquantised = card.upsample, family.lora_targets, family.unquantised
    return encoder


def _preprocessor(folder: Path) -> dict[str, Any]:
    settings = read_json(folder / "preprocessor_config.json")
    if not isinstance(settings.get("do_normalize"), bool):
        raise PhonobenchError(
            f"{folder}/preprocessor_config.json: no do_normalize of true or false; is it a waveform checkpoint?"
        )
    return settings


def read_bytes(path: Path) -> bytes:
    """A small file of a checkpoint. Raises PhonobenchError where it is missing or cannot be read."""
    if not path.exists():
        raise PhonobenchError(f"{path} is missing; a checkpoint folder in Hugging Face format has it")
    return door.read_bytes(path)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON file of a checkpoint. Raises PhonobenchError where it is missing, damaged, or holds no table."""
    content = door.parse(path, read_bytes(path), "fetch the checkpoint again")
    if not isinstance(content, dict):
        raise PhonobenchError(f"{path} holds no table of settings: fetch the checkpoint again")
    return content
