"""What a scorer is fitted to, and how: values, so that neither needs torch to be named."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Example:
    """One described utterance and its scores as shares of their scales, NaN where unknown.

    Described: rows (N, R), states (N, S), ids (N,), words (N,), word rows (W, V). Scores: phone (N,), error (N,) 0 or
    1, word (W, 3), sentence (4,).
    """

    rows: np.ndarray
    states: np.ndarray
    ids: np.ndarray
    words: np.ndarray
    word_rows: np.ndarray
    phone: np.ndarray
    error: np.ndarray
    word: np.ndarray
    sentence: np.ndarray


@dataclass(frozen=True)
class FitConfig:
    """How a scorer is fitted: its networks, the `trees` of a phone score, and the share of prompts `unread` that the
    gate reckons with. Every choice was made by cross-validation over train speakers."""

    epochs: int = 24
    batch: int = 25
    lr: float = 2e-3
    weight_decay: float = 0.05
    average: float = 0.99
    width: int = 64
    layers: int = 2
    dropout: float = 0.2
    trees: int = 300
    unread: float = 0.02
