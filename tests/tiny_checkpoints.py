"""Small random-weight checkpoint folders of every family, in Hugging Face format, for tests without real weights."""

from __future__ import annotations

import json
from pathlib import Path

import torch
import transformers

from phonobench import cards

_CONVOLUTIONS = {"conv_dim": [32] * 7, "conv_kernel": [10, 3, 3, 3, 3, 2, 2], "conv_stride": [5, 2, 2, 2, 2, 2, 2]}
_TRANSFORMER = {
    "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 64,
    "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4,
    "hidden_dropout": 0.0, "activation_dropout": 0.0, "attention_dropout": 0.0, "feat_proj_dropout": 0.0,
}  # fmt: skip
_NORM = {
    "layer": {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True},
    "group": {"feat_extract_norm": "group", "do_stable_layer_norm": False, "conv_bias": False},
}
_WHISPER = {
    "vocab_size": 64, "d_model": 32, "encoder_layers": 3, "encoder_attention_heads": 2, "encoder_ffn_dim": 64,
    "decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 64, "num_mel_bins": 80,
    "max_source_positions": 1500, "max_target_positions": 16, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
    "decoder_start_token_id": 1,
}  # fmt: skip
LAYERS = 3
WIDTH = 32

CASES = list({card.checkpoint: name for name, card in reversed(cards.CARDS.items()) if not card.scratch}.values())[::-1]
"""Every card with a checkpoint; of those that share one and differ in the recipe alone, the first."""


def save(card: cards.Card, folder: Path, seed: int = 0) -> Path:
    """Write a tiny checkpoint of the card's class, with the settings that its real one has."""
    torch.manual_seed(seed)
    if card.family == "whisper":
        model = transformers.WhisperModel(transformers.WhisperConfig(**_WHISPER))
        model.save_pretrained(folder)
        return folder
    config, module = {
        "hubert": (transformers.HubertConfig, transformers.HubertModel),
        "wavlm": (transformers.WavLMConfig, transformers.WavLMModel),
        "wav2vec2": (transformers.Wav2Vec2Config, transformers.Wav2Vec2Model),
        "data2vec": (transformers.Data2VecAudioConfig, transformers.Data2VecAudioModel),
    }[card.family]
    module(config(**{**_CONVOLUTIONS, **_TRANSFORMER, **_NORM[card.norm], **card.config})).save_pretrained(folder)
    settings = {"do_normalize": card.norm == "layer", "feature_extractor_type": "Wav2Vec2FeatureExtractor"}
    (folder / "preprocessor_config.json").write_text(json.dumps({**settings, "sampling_rate": 16_000}))
    return folder
