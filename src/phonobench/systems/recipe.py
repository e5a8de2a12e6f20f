"""How a system is trained, as a frozen value. Named presets are in `RECIPES`; one field is changed by `with_settings`.

Rates are per optimiser step, times are seconds of audio unless a field says otherwise. The fields are stored with a run
and hashed into its key (`systems.identity`): a new one gets a default that changes nothing and a row in
`identity.LATER`, a renamed one a row in `identity.FORMER_NAMES`.
"""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from phonobench.systems.identity import FORMER_NAMES
from phonobench.types import PhonobenchError

MEAN_SECONDS = 4.0
"""Of an utterance of SpeechOcean762's train split, by which batches told in utterances become seconds of audio."""


@dataclass(frozen=True)
class Recipe:
    """Every choice of a training run that is not the model, the data or the seed.

    Trained part: `trainable` is "all", "none" (linear probe) or "last:K" (the K topmost layers); `layers` is "last" or
    "weighted" (a learned softmax over all layers) or "only:K" (normalised; 0 is the input of the first layer); `head`
    is "linear", "mlp", "transformer" (two layers over states or codes) or "gated" (over several encoders, a weight a
    frame each). Codecs give `codebooks` codes a frame, or as many as they have. `context` is what a windowed encoder
    (Whisper, Qwen2-Audio) is given: the "audio" alone, or its pretraining "window" with silence after the audio.
    `lora` is the rank of corrections that are trained in place of the trainable layers' own weights (0: none).
    `quantise` holds weights that are not trained in "8bit" or "4bit", on a GPU.
    Schedule: `head_only_epochs` train the head alone over the frozen encoder (they count towards `epochs`). Then the
    encoder joins at `lr`; each lower layer's rate is multiplied by `layer_decay`. Both rates rise linearly over the
    first `warmup_fraction` of their phase and fall as a half cosine. Gradients are clipped to a norm of `grad_clip`.
    Batches: `batch_seconds` of audio, grouped by length; `accumulate` of them make one step.
    Augmentation: `speeds` (1.0 is always meant to be among them), `snr_db` (signal to noise ratio drawn from that
    range for `noise_share` of utterances), `gain_db` (plus or minus), SpecAugment on mels or convolution features
    (`time_masks` per second of audio, up to `time_width` seconds each; `freq_masks` of up to `freq_width` of the
    bands).
    Regularisation: `dropout` in the encoder and `head_dropout` before the last layer; `consistency` weighs the
    divergence of two augmented views (CR-CTC, Yao et al. 2025); `smoothing` pulls frames towards the uniform
    distribution; `ema` averages weights over steps.
    Target: the canonical phones; those that the raters scored below `wildcard_below` (0 to 2) are wildcards, which
    anything satisfies, so that the recogniser does not learn to forgive them. In the first `flat_start_epochs` they
    are not learned by CTC but frame by frame, roughly placed (`neural.training.flat_start`): for an encoder of random
    weights.
    Second task: `score_loss_weight` weighs the loss of a head that predicts the human scores of phones and sentences
    from the encoder's states (`neural.assessment.score_head`), once the encoder trains.
    Numerics: `precision` is "auto" (bf16 where the processor has it), "bf16", "fp16" (a GPU's, with a scaled loss) or
    "fp32"; `checkpointing` computes states again in the backward pass in place of keeping them.
    """

    name: str
    about: str
    epochs: int
    head_only_epochs: int = 0
    trainable: str = "all"
    layers: str = "last"
    head: Literal["linear", "mlp", "gated", "transformer"] = "linear"
    context: Literal["audio", "window"] = "audio"
    lr: float = 2e-4
    head_lr: float = 2e-3
    layer_decay: float = 0.9
    weight_decay: float = 0.01
    warmup_fraction: float = 0.1
    grad_clip: float = 1.0
    batch_seconds: float = 64.0
    accumulate: int = 1
    speeds: tuple[float, ...] = (1.0,)
    snr_db: tuple[float, float] = (10.0, 30.0)
    noise_share: float = 0.0
    gain_db: float = 0.0
    time_masks: float = 0.0
    time_width: float = 0.3
    freq_masks: int = 0
    freq_width: float = 0.3
    dropout: float = 0.0
    head_dropout: float = 0.0
    consistency: float = 0.0
    smoothing: float = 0.0
    ema: float = 0.0
    wildcard_below: float = 0.0
    flat_start_epochs: int = 0
    score_loss_weight: float = 0.0
    precision: Literal["auto", "bf16", "fp16", "fp32"] = "auto"
    lora: int = 0
    quantise: Literal["none", "8bit", "4bit"] = "none"
    checkpointing: bool = False
    codebooks: int = 8

    def __post_init__(self) -> None:
        """Refuse what cannot be meant, by field and value."""
        checks = {  # adapters are of trained layers, and few bits are too coarse to train
            "epochs": self.epochs >= 1,
            "head_only_epochs": 0 <= self.head_only_epochs <= self.epochs,
            "trainable": self.trainable in ("all", "none") or self.trainable_layers is not None,
            "layers": self.layers in ("last", "weighted") or self.only_layer is not None,
            "context": self.context in ("audio", "window"),
            "head": self.head in ("linear", "mlp", "gated", "transformer"),
            "codebooks": self.codebooks >= 1,
            "batch_seconds": self.batch_seconds > 0,
            "accumulate": self.accumulate >= 1,
            "lr": self.lr > 0,
            "head_lr": self.head_lr > 0,
            "speeds": bool(self.speeds) and all(0.5 <= speed <= 2.0 for speed in self.speeds),
            "noise_share": 0 <= self.noise_share <= 1,
            "dropout": 0 <= self.dropout < 1,
            "head_dropout": 0 <= self.head_dropout < 1,
            "ema": 0 <= self.ema < 1,
            "smoothing": 0 <= self.smoothing < 1,
            "wildcard_below": 0 <= self.wildcard_below <= 2,
            "flat_start_epochs": 0 <= self.flat_start_epochs < self.epochs,
            "score_loss_weight": self.score_loss_weight == 0
            or (self.score_loss_weight > 0 and self.trainable != "none"),
            "precision": self.precision in ("auto", "bf16", "fp16", "fp32"),
            "lora": self.lora >= 0 and not (self.lora and self.trainable == "none"),
            "quantise": self.quantise in ("none", "8bit", "4bit") and (self.quantise == "none" or self.keeps_encoder),
        }
        for field, holds in checks.items():
            if not holds:
                raise PhonobenchError(f"recipe {self.name!r}: {field} = {getattr(self, field)!r} is out of its range")

    @property
    def keeps_encoder(self) -> bool:
        """True where the encoder's own weights stay those of its checkpoint.

        Example:
            >>> find("lora").keeps_encoder, find("finetune").keeps_encoder
            (True, False)
        """
        return self.trainable == "none" or self.lora > 0

    @property
    def augments(self) -> bool:
        """True where the input of an utterance differs between epochs.

        Example:
            >>> find("finetune").augments, find("probe").augments
            (True, False)
        """
        audio = self.speeds != (1.0,) or self.noise_share > 0 or self.gain_db > 0
        return audio or self.time_masks > 0 or self.freq_masks > 0 or self.consistency > 0

    @property
    def only_layer(self) -> int | None:
        """K of layers "only:K"; None for the other values.

        Example:
            >>> with_settings(find("probe"), {"layers": "only:3"}).only_layer
            3
        """
        kind, _, place = self.layers.partition(":")
        return int(place) if kind == "only" and place.isdigit() else None

    @property
    def trainable_layers(self) -> int | None:
        """K of trainable "last:K"; None for the other values.

        Example:
            >>> find("source-whisper").trainable_layers
            4
        """
        kind, _, count = self.trainable.partition(":")
        return int(count) if kind == "last" and count.isdigit() and int(count) > 0 else None


_AUGMENTED: dict[str, Any] = {
    "speeds": (0.9, 1.0, 1.1),
    "noise_share": 0.3,
    "gain_db": 6.0,
    "time_masks": 2.0,
    "time_width": 0.25,
    "freq_masks": 2,
    "freq_width": 0.3,
}

_SOURCE: dict[str, Any] = {
    "epochs": 10,
    "lr": 3e-4,
    "head_lr": 3e-4,
    "layer_decay": 1.0,
    "batch_seconds": 4 * MEAN_SECONDS,
}
"""The source experiments' settings: one rate for encoder and head, batches of 4 utterances, nothing augmented."""

_RECIPES = (
    Recipe("probe", "linear probe: frozen encoder, linear head on the last layer",
           epochs=40, head_only_epochs=40, trainable="none", head_lr=3e-3),
    Recipe("weighted-probe", "frozen encoder, learned softmax over all layers, linear head",
           epochs=40, head_only_epochs=40, trainable="none", layers="weighted", head_lr=3e-3),
    Recipe("window-probe", "linear probe that hears an encoder's whole window, as it was pretrained",
           epochs=40, head_only_epochs=40, trainable="none", head_lr=3e-3, context="window"),
    Recipe("mlp-probe", "frozen encoder, two-layer head: the source experiments' baseline",
           epochs=40, head_only_epochs=40, trainable="none", head="mlp", head_lr=1e-3),
    Recipe("finetune", "warm head, then all layers, with speed, noise, SpecAugment, consistency and weight averaging",
           epochs=13, head_only_epochs=1, head_dropout=0.1, consistency=0.2, ema=0.995, **_AUGMENTED),
    Recipe("scoring", "a short course for a recogniser that scores: phones that people scored low are wildcards",
           epochs=6, head_only_epochs=1, batch_seconds=32.0, head_dropout=0.1, ema=0.99, wildcard_below=1.5,
           score_loss_weight=2.0, **{**_AUGMENTED, "time_masks": 1.0, "time_width": 0.2, "freq_width": 0.2}),
    Recipe("lora", "as finetune, but low-rank corrections in place of the encoder's own weights",
           epochs=13, head_only_epochs=1, lr=1e-3, layer_decay=1.0, lora=16, head_dropout=0.1, consistency=0.2,
           ema=0.995, **_AUGMENTED),
    Recipe("qlora", "as lora, on weights in 4 bits, for encoders that a GPU does not hold otherwise",
           epochs=13, head_only_epochs=1, lr=1e-3, layer_decay=1.0, lora=16, quantise="4bit", checkpointing=True,
           head_dropout=0.1, consistency=0.2, ema=0.995, **_AUGMENTED),
    Recipe("weighted", "as finetune, with a learned softmax over all layers",
           epochs=13, head_only_epochs=1, head_dropout=0.1, consistency=0.2, ema=0.995,
           layers="weighted", **_AUGMENTED),
    Recipe("polish", "a few gentle epochs from a trained run (--from RUN): lower rates, lighter augmentation",
           epochs=4, lr=1e-4, head_lr=5e-4, warmup_fraction=0.05, head_dropout=0.1, consistency=0.2, ema=0.995,
           **{**_AUGMENTED, "time_masks": 1.0, "time_width": 0.2, "freq_width": 0.2}),
    Recipe("scratch", "everything from random weights",
           epochs=30, lr=2e-3, head_lr=2e-3, layer_decay=1.0, batch_seconds=24.0, warmup_fraction=0.15,
           precision="fp32", speeds=(0.88, 0.94, 1.0, 1.06, 1.12), time_masks=0.3, time_width=0.12, freq_masks=1,
           freq_width=0.2),
    Recipe("scratch-wave", "a waveform encoder from random weights, begun with roughly placed phones",
           epochs=30, flat_start_epochs=4, lr=1e-3, head_lr=1e-3, layer_decay=1.0, dropout=0.1, head_dropout=0.1,
           batch_seconds=16.0, warmup_fraction=0.05, ema=0.99, speeds=(0.9, 1.0, 1.1), gain_db=6.0, time_masks=0.6,
           time_width=0.12),
    Recipe("joint-probe", "early fusion: frozen encoders side by side, linear head",
           epochs=20, head_only_epochs=20, trainable="none", head_lr=2e-3, head_dropout=0.1),
    Recipe("gate", "gated fusion: frozen encoders, a learned weight per frame for each, linear head",
           epochs=20, head_only_epochs=20, trainable="none", head="gated", head_lr=1e-3, head_dropout=0.1),
    Recipe("tokens", "codes of a frozen codec, embedded and summed, two Transformer layers",
           epochs=30, head_only_epochs=30, trainable="none", head="transformer", head_lr=1e-3, head_dropout=0.1,
           ema=0.99),
    Recipe("source-finetune", "source experiments: all layers at 3e-4, batch 4, 10 epochs", **_SOURCE),
    Recipe("source-weighted", "source experiments: as source-finetune, learned softmax over all layers",
           layers="weighted", **_SOURCE),
    Recipe("source-whisper", "source experiments: last 4 layers and head at 3e-4, batch 4, 10 epochs, 30 s windows",
           trainable="last:4", context="window", **_SOURCE),
    Recipe("source-phoneme", "source experiments: all layers at 3e-5, batch 4, 10 epochs",
           **{**_SOURCE, "lr": 3e-5, "head_lr": 3e-5}),
    Recipe("source-tokens", "source experiments: codes, two Transformer layers at 1e-3, batch 4, 10 epochs",
           head_only_epochs=10, trainable="none", head="transformer", **{**_SOURCE, "head_lr": 1e-3}),
    Recipe("source-joint", "source experiments: early fusion, linear head at 1e-4, batch 2, 5 epochs",
           head_only_epochs=5, trainable="none",
           **{**_SOURCE, "head_lr": 1e-4, "epochs": 5, "batch_seconds": 2 * MEAN_SECONDS}),
    Recipe("source-probe", "source experiments: frozen encoder, linear head at 1e-3, batch 2, 10 epochs",
           head_only_epochs=10, trainable="none", context="window",
           **{**_SOURCE, "head_lr": 1e-3, "batch_seconds": 2 * MEAN_SECONDS}),
)  # fmt: skip

RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in _RECIPES}
"""Named presets."""


def find(name: str) -> Recipe:
    """The preset of that name.

    Raises:
        PhonobenchError: where there is none; the near ones are listed.

    Example:
        >>> find("probe").trainable
        'none'
    """
    if name not in RECIPES:
        near = difflib.get_close_matches(name, RECIPES, n=3, cutoff=0.4) or sorted(RECIPES)
        raise PhonobenchError(f"unknown recipe {name!r}; near: {', '.join(near)}")
    return RECIPES[name]


def with_settings(recipe: Recipe, settings: Mapping[str, str]) -> Recipe:
    """A copy with fields replaced.

    Args:
        settings: values as text, by field; a field's former name (`identity.FORMER_NAMES`) does too.

    Raises:
        PhonobenchError: for an unknown field (near ones are named), a field given under both its names, or a value
            that is not of the field's type or out of its range.

    Example:
        >>> changed = with_settings(find("finetune"), {"lr": "1e-4", "speeds": "0.9,1.0", "rise": "0.2"})
        >>> changed.lr, changed.speeds, changed.warmup_fraction
        (0.0001, (0.9, 1.0), 0.2)
    """
    fields = {f.name: f for f in dataclasses.fields(Recipe) if f.name not in ("name", "about")}
    hints = typing.get_type_hints(Recipe)
    changes: dict[str, Any] = {}
    for former, text in settings.items():
        key = FORMER_NAMES.get(former, former)
        if key in changes:
            raise PhonobenchError(f"recipe field {key} is given twice, also by its former name: give it once")
        if key not in fields:
            near = difflib.get_close_matches(key, fields, n=3, cutoff=0.4) or sorted(fields)
            raise PhonobenchError(f"a recipe has no field {key!r}; near: {', '.join(near)}")
        changes[key] = _parse(key, text, hints[key])
    return replace(recipe, **changes)


def _parse(key: str, text: str, kind: Any) -> Any:
    """`text` as a value of the annotated type `kind`."""
    try:
        if typing.get_origin(kind) is tuple:
            parts = tuple(float(part) for part in text.split(","))
            fixed = [arg for arg in typing.get_args(kind) if arg is not types.EllipsisType and arg is not Ellipsis]
            if Ellipsis not in typing.get_args(kind) and len(parts) != len(fixed):
                raise ValueError(f"{len(fixed)} numbers wanted")
            return parts
        if typing.get_origin(kind) is Literal:
            if text not in typing.get_args(kind):
                raise ValueError(f"one of {', '.join(typing.get_args(kind))}")
            return text
        if kind is bool:
            return {"true": True, "false": False}[text.lower()]
        return kind(text)
    except KeyError as fault:
        raise PhonobenchError(f"recipe field {key}: {text!r} is neither true nor false") from fault
    except ValueError as fault:
        raise PhonobenchError(f"recipe field {key}: cannot read {text!r} ({fault})") from fault
