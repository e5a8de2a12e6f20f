"""Perturbed copies of training audio: speed, gain, noise on the wave; SpecAugment masks on what the encoder reads.

Every draw comes from a generator that the caller seeds by run, epoch and utterance, so that a resumed run reads
exactly what an unbroken one would.
"""

from __future__ import annotations

import numpy as np
import soxr
import torch

from phonobench.neural.encoders import Encoder
from phonobench.neural.frontends.features import Features, Masks
from phonobench.systems.recipe import Recipe
from phonobench.types import SAMPLE_RATE


def change_speed(wave: np.ndarray, speed: float) -> np.ndarray:
    """The wave played faster or slower, tempo and pitch together.

    Args:
        wave: 16 kHz, (samples,).
        speed: 1.1 is a tenth faster.

    Returns:
        samples / speed long.
    """
    if speed == 1.0:
        return wave
    played: np.ndarray = soxr.resample(wave, SAMPLE_RATE * speed, SAMPLE_RATE, quality="MQ").astype(np.float32)
    return played


def perturb(wave: np.ndarray, recipe: Recipe, rng: np.random.Generator) -> np.ndarray:
    """Gain, and for a share of utterances noise of a random colour.

    Args:
        wave: 16 kHz, (samples,).
        recipe: `gain_db`, `noise_share` and `snr_db`, the range of the signal to noise ratio.
        rng: Draws them.

    Returns:
        The perturbed wave, as long.
    """
    wave = wave * np.float32(10 ** (rng.uniform(-recipe.gain_db, recipe.gain_db) / 20))
    if rng.random() < recipe.noise_share:
        wave = wave + _noise(wave, rng.uniform(*recipe.snr_db), rng)
    return wave.astype(np.float32)


def _noise(wave: np.ndarray, snr_db: float, rng: np.random.Generator) -> np.ndarray:
    """Noise with a spectrum of f^-c in power, c drawn from white (0) to brown (2), at `snr_db` below the wave."""
    spectrum = np.fft.rfft(rng.standard_normal(len(wave)))
    slope = np.maximum(np.arange(len(spectrum)), 1) ** (-rng.uniform(0.0, 2.0) / 2)
    noise = np.fft.irfft(spectrum * slope, n=len(wave))
    power = float(np.mean(noise**2)) or 1.0
    scaled: np.ndarray = noise * np.sqrt(float(np.mean(wave**2)) / power / 10 ** (snr_db / 10))
    return scaled


def draw_masks(features: Features, encoder: Encoder, recipe: Recipe, rng: np.random.Generator) -> Masks | None:
    """SpecAugment for a batch: `time_masks` a second, `freq_masks` a view; None where the recipe has neither."""
    if not recipe.time_masks and not recipe.freq_masks:
        return None
    lengths = features.lengths.tolist()
    time = np.zeros((len(lengths), max(lengths)), dtype=bool)
    band = np.zeros((len(lengths), encoder.bands), dtype=bool)
    seconds = (features.samples / SAMPLE_RATE).tolist()
    for row, (frames, duration) in enumerate(zip(lengths, seconds, strict=True)):
        widest = max(1, round(recipe.time_width / duration * frames))
        for _ in range(rng.poisson(recipe.time_masks * duration)):
            width = int(rng.integers(1, widest + 1))
            start = int(rng.integers(0, max(1, frames - width + 1)))
            time[row, start : start + width] = True
        for _ in range(recipe.freq_masks):
            width = int(rng.integers(0, int(recipe.freq_width * encoder.bands) + 1))
            start = int(rng.integers(0, encoder.bands - width + 1))
            band[row, start : start + width] = True
    device = features.values.device
    return Masks(torch.from_numpy(time).to(device), torch.from_numpy(band).to(device))
