"""SpeechTokenizer, whose code and checkpoint a user brings: the package `speechtokenizer`, which transformers lacks."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from phonobench.neural.encoders.discrete import DiscreteEncoder
from phonobench.systems.cards import Card
from phonobench.types import SAMPLE_RATE, PhonobenchError


class TokenizerEncoder(DiscreteEncoder):
    """SpeechTokenizer's encoder and residual quantisers: 8 books of 1,024 codes at 50 Hz."""

    def __init__(self, module: Any, config: dict[str, Any]) -> None:
        super().__init__()
        self.module, self.config = module, config
        self.max_n_q = self.n_q = config["n_q"]
        self.bins, self.width = config["codebook_size"], config["dimension"]
        self.bands = self.width
        self.hop = 1
        for stride in config["strides"]:
            self.hop *= stride
        self.step = self.hop / SAMPLE_RATE

    def settings(self) -> dict[str, Any]:
        """The checkpoint's own configuration."""
        return dict(self.config)

    def length(self, samples: int) -> int:
        """Frames that cover the utterance."""
        return max(1, -(-samples // self.hop))

    def train(self, mode: bool = True) -> TokenizerEncoder:
        """Always evaluation: in training mode the package moves its codebooks at every look."""
        return super().train(False)

    def code(self, wave: Tensor) -> Tensor:
        """Codes (S, max_n_q) of one wave."""
        codes: Tensor = self.module.encode(wave[None, None])[:, 0].T
        return codes


def load_tokenizer(card: Card, folder: Path, config: dict[str, Any]) -> TokenizerEncoder:
    """The encoder of a checkpoint folder. PhonobenchError, with the remedy, for want of package or safetensors."""
    if importlib.util.find_spec("speechtokenizer") is None:
        raise PhonobenchError(
            f"{card.name} needs the package speechtokenizer: pip install --no-deps speechtokenizer einops"
        )
    lacking = sorted({"n_q", "codebook_size", "dimension", "strides"} - set(config))
    if lacking:
        raise PhonobenchError(f"{folder / 'config.json'} lacks {', '.join(lacking)}: this is no SpeechTokenizer")
    files = sorted(folder.glob("*.safetensors"))
    if len(files) != 1:
        raise PhonobenchError(
            f"{folder}: {len(files)} .safetensors files, one is wanted; pickled weights are not read, convert them: "
            "safetensors.torch.save_file(torch.load('SpeechTokenizer.pt', weights_only=True), 'model.safetensors')"
        )
    module = _package().SpeechTokenizer(config)
    try:
        found = module.load_state_dict(load_file(files[0]), strict=False)
    except (SafetensorError, OSError, RuntimeError, ValueError) as fault:
        last = str(fault).strip().splitlines()[-1][:200]
        raise PhonobenchError(f"{files[0]} cannot be read: {last}; fetch the file again") from fault
    if found.missing_keys:
        raise PhonobenchError(f"{files[0]}: {len(found.missing_keys)} tensors missing, {found.missing_keys[0]} first")
    return TokenizerEncoder(module.requires_grad_(False).eval(), config)


def _package() -> Any:
    """The package without its trainer, which asks for much that coding does not need."""
    name = "speechtokenizer.trainer"
    if name not in sys.modules:
        stub = types.ModuleType(name)
        stub.SpeechTokenizerTrainer = None  # type: ignore[attr-defined]
        sys.modules[name] = stub
    with torch.no_grad():
        return importlib.import_module("speechtokenizer")
