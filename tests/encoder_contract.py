"""What holds of every encoder, whatever its family: run over each card, and over what is added at run time.

The encoder is one of a tiny checkpoint (`tiny_checkpoints`), the card that of the real one.
"""

from __future__ import annotations

import numpy as np
import torch
from tiny_checkpoints import LAYERS, WIDTH

from phonobench.neural.checkpoints import families
from phonobench.neural.encoders import Encoder
from phonobench.neural.frontends.features import Masks
from phonobench.neural.frontends.mel import ROUND
from phonobench.neural.recogniser import Recogniser
from phonobench.systems import recipe
from phonobench.systems.cards import Card
from phonobench.types import SAMPLE_RATE

TRAINED = [({}, LAYERS + 1), ({"trainable": "last:2"}, 2), ({"trainable": "none"}, 0)]
"""Settings of a recipe, and the number of blocks of the encoder that it trains."""


def tones(*lengths: int) -> list[torch.Tensor]:
    rng = np.random.default_rng(7)
    return [torch.from_numpy((0.2 * rng.standard_normal(n)).astype(np.float32)) for n in lengths]


def check(card: Card, encoder: Encoder) -> None:
    """All of it."""
    states_hop_and_layers_are_as_declared(card, encoder)
    padding_changes_nothing(encoder)
    masks_hide_the_sound(encoder)
    for settings, blocks in TRAINED:
        gradients_go_where_the_recipe_says(encoder, settings, blocks)


def states_hop_and_layers_are_as_declared(card: Card, encoder: Encoder) -> None:
    encoder.eval()
    waves = tones(24_000, 13_920)
    with torch.no_grad():
        features = encoder.features(waves)
        layers = encoder(features)
    assert len(layers) == LAYERS + 1 == len(encoder.blocks)
    (shape,) = {layer.shape for layer in layers}
    assert (shape[0], shape[2]) == (2, WIDTH) == (2, encoder.width)
    assert 0 <= shape[1] - int(features.lengths.max()) < ROUND  # padding is rounded up to keep the shapes few
    assert features.lengths.tolist() == [encoder.length(len(w)) for w in waves]
    for wave, length in zip(waves, features.lengths.tolist(), strict=True):
        step = card.hop * card.upsample
        assert abs(length * step - len(wave) / SAMPLE_RATE) < 2 * step


def padding_changes_nothing(encoder: Encoder) -> None:
    """Alone or in a batch, an utterance has the same states."""
    encoder.eval()
    waves = tones(24_000, 13_920, 8_320)
    with torch.no_grad():
        together = encoder(encoder.features(waves))
        for row, wave in enumerate(waves):
            length = encoder.length(len(wave))
            alone = encoder(encoder.features([wave]))
            for ours, theirs in zip(together, alone, strict=True):
                torch.testing.assert_close(ours[row, :length], theirs[0, :length], atol=2e-4, rtol=1e-4)


def gradients_go_where_the_recipe_says(encoder: Encoder, settings: dict[str, str], blocks: int) -> None:
    model = Recogniser(encoder, recipe.with_settings(recipe.find("weighted"), settings)).train()
    model.zero_grad()
    model.train_encoder(True)
    logp, _ = model(model.encoder.features(tones(16_000, 12_000)))
    (-logp[..., 3].mean()).backward()
    reached = {id(p) for p in model.parameters() if p.grad is not None and p.grad.abs().sum() > 0}
    wanted = {id(p) for block in encoder.blocks[::-1][:blocks] for n, p in block.named_parameters()}
    fixed = {id(p) for n, p in encoder.named_parameters() if "masked_spec_embed" in n or "embed_positions" in n}
    # A key's bias moves no attention weight, so its gradient is zero but for rounding.
    flat = {id(p) for n, p in encoder.named_parameters() if n.endswith("k_proj.bias")}
    own = {id(p) for p in [*model.head.parameters(), model.layer_weights]}
    assert reached | flat == (wanted - fixed) | own | flat


def masks_hide_the_sound(encoder: Encoder) -> None:
    encoder.eval()
    features = encoder.features(tones(16_000))
    length = int(features.lengths[0])
    everything = Masks(torch.ones(1, length, dtype=torch.bool), torch.zeros(1, encoder.bands, dtype=torch.bool))
    with torch.no_grad():
        hidden = encoder(encoder.features(tones(16_000)), everything)[-1]
        other = encoder(encoder.features([2 * w.flip(0) for w in tones(16_000)]), everything)[-1]
        plain = encoder(features)[-1]
    torch.testing.assert_close(hidden, other)
    assert (plain - hidden).abs().max() > 1e-3


def count_at_full_size(card: Card) -> int:
    """Parameters of the real architecture, on the meta device: no memory, no weights."""
    family = families.FAMILIES[card.family]
    heads = card.width // 64
    if card.family in ("whisper", "qwen2-audio"):
        settings = {
            "d_model": card.width,
            "encoder_layers": card.layers,
            "encoder_attention_heads": heads,
            "encoder_ffn_dim": 4 * card.width,
        }
    elif card.family in ("w2v-bert", "parakeet"):
        settings = {"hidden_size": card.width, "num_hidden_layers": card.layers}
    else:
        settings = {
            "hidden_size": card.width,
            "num_hidden_layers": card.layers,
            "num_attention_heads": heads,
            "intermediate_size": 4 * card.width,
            "feat_extract_norm": card.norm,
            "do_stable_layer_norm": card.norm == "layer",
            "conv_bias": card.norm == "layer" and card.family not in ("wavlm", "data2vec"),
        }
    with torch.device("meta"):
        module = family.module_class(family.config_class(**{**settings, **card.config}))
    return sum(p.numel() for p in module.parameters())
