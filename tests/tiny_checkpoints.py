"""Small random-weight checkpoint folders of every family, in Hugging Face format, for tests without real weights."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file

from phonobench.neural.checkpoints import families
from phonobench.systems import cards

_CONVOLUTIONS = {"conv_dim": [32] * 7, "conv_kernel": [10, 3, 3, 3, 3, 2, 2], "conv_stride": [5, 2, 2, 2, 2, 2, 2]}
_TRANSFORMER = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
    "hidden_dropout": 0.0,
    "activation_dropout": 0.0,
    "attention_dropout": 0.0,
    "feat_proj_dropout": 0.0,
}
_NORM = {
    "layer": {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True},
    "group": {"feat_extract_norm": "group", "do_stable_layer_norm": False, "conv_bias": False},
}
_WHISPER = {
    "vocab_size": 64,
    "d_model": 32,
    "encoder_layers": 3,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 64,
    "decoder_layers": 1,
    "decoder_attention_heads": 2,
    "decoder_ffn_dim": 64,
    "num_mel_bins": 80,
    "max_source_positions": 1500,
    "max_target_positions": 16,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 1,
}
LAYERS = 3
WIDTH = 32

_CONFORMER = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "attention_dropout": 0.0,
    "activation_dropout": 0.0,
}
_BERT = {**_CONFORMER, "hidden_dropout": 0.0, "feat_proj_dropout": 0.0, "conformer_conv_dropout": 0.0}
_PARAKEET = {**_CONFORMER, "subsampling_conv_channels": 8, "dropout": 0.0}
_QWEN = {
    "num_mel_bins": 128,
    "encoder_layers": 3,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 64,
    "d_model": 32,
    "max_source_positions": 1500,
}

_PRETRAINED = [card for card in reversed(cards.CARDS.values()) if not card.scratch]
CASES = list({(c.family, c.norm, tuple(c.config.items()), c.pool, c.upsample): c.name for c in _PRETRAINED}.values())[
    ::-1
]
"""Every kind of checkpoint by one of its cards: those that differ in size or name alone have the same tiny one."""


def save(card: cards.Card, folder: Path, seed: int = 0) -> Path:
    """Write a tiny checkpoint of the card's class, with the settings that its real one has."""
    torch.manual_seed(seed)
    if card.family not in MAKERS:
        raise KeyError(f"no tiny checkpoint of the family {card.family!r}: add a row to MAKERS in tiny_checkpoints")
    MAKERS[card.family](card, folder)
    return folder


def _save_whisper(card: cards.Card, folder: Path) -> None:
    save_whisper(folder, LAYERS)


def save_whisper(folder: Path, layers: int) -> Path:
    """A checkpoint of Whisper's kind; with one layer it is exported in half the time."""
    config = transformers.WhisperConfig(**{**_WHISPER, "encoder_layers": layers})
    transformers.WhisperModel(config).save_pretrained(folder)
    return folder


def _save_parakeet(card: cards.Card, folder: Path) -> None:
    config = transformers.ParakeetCTCConfig(encoder_config=_PARAKEET, vocab_size=40, pad_token_id=0)
    transformers.ParakeetForCTC(config).save_pretrained(folder)


def _save_bert(card: cards.Card, folder: Path) -> None:
    transformers.Wav2Vec2BertModel(transformers.Wav2Vec2BertConfig(**_BERT)).save_pretrained(folder)


def save_wave(card: cards.Card, folder: Path) -> None:
    """A checkpoint of the wav2vec2 lineage, by the classes that the card's family names."""
    family = families.FAMILIES[card.family]
    config = family.config_class(**{**_CONVOLUTIONS, **_TRANSFORMER, **_NORM[card.norm], **card.config})
    family.module_class(config).save_pretrained(folder)
    settings = {"do_normalize": card.norm == "layer", "feature_extractor_type": "Wav2Vec2FeatureExtractor"}
    (folder / "preprocessor_config.json").write_text(json.dumps({**settings, "sampling_rate": 16_000}))


def _save_tower(card: cards.Card, folder: Path) -> None:
    """The audio tower inside a larger model in four shards, bf16 as the real one, of which one holds no tower."""
    folder.mkdir(parents=True)
    tower = transformers.Qwen2AudioEncoder(transformers.Qwen2AudioEncoderConfig(**_QWEN))
    tensors = {f"audio_tower.{name}": tensor.to(torch.bfloat16) for name, tensor in tower.state_dict().items()}
    tensors |= {"language_model.model.norm.weight": torch.ones(8), "multi_modal_projector.linear.weight": torch.ones(8)}
    names = sorted(tensors)
    shards = [names[start::3] for start in range(3)]
    others = ["language_model.lm_head.weight", "language_model.model.embed_tokens.weight"]
    place = {name: f"model-{i}-of-4.safetensors" for i, shard in enumerate([*shards, others], 1) for name in shard}
    for i, shard in enumerate(shards, 1):
        save_file({name: tensors[name].contiguous() for name in shard}, folder / f"model-{i}-of-4.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": place}))
    (folder / "config.json").write_text(json.dumps({"model_type": "qwen2_audio", "audio_config": _QWEN}))


MAKERS: dict[str, Callable[[cards.Card, Path], None]] = {
    "whisper": _save_whisper,
    "qwen2-audio": _save_tower,
    "parakeet": _save_parakeet,
    "w2v-bert": _save_bert,
    "hubert": save_wave,
    "wavlm": save_wave,
    "wav2vec2": save_wave,
    "data2vec": save_wave,
}
"""How the tiny checkpoint of each family is written."""
