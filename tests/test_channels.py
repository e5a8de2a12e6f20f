"""Several channels: the mean where they agree, else the one that holds the speech, with a warning."""

from __future__ import annotations

import numpy as np
import pytest
from fake_package import FakePackage

import phonobench
from phonobench import audio

RATE = 16_000
RNG = np.random.default_rng(3)
BURSTS = np.repeat(RNG.random(20) > 0.4, RATE // 10).astype(np.float32)
SPEECH = (0.3 * BURSTS * RNG.standard_normal(2 * RATE)).astype(np.float32)
HISS = (0.3 * RNG.standard_normal(2 * RATE)).astype(np.float32)
HUM = (0.5 * np.sin(2 * np.pi * 50 * np.arange(2 * RATE) / RATE)).astype(np.float32)
SILENCE = np.zeros(2 * RATE, np.float32)
DITHER = (1e-5 * RNG.standard_normal(2 * RATE)).astype(np.float32)


def mixed(*channels: np.ndarray, rate: int = RATE) -> audio.Sound:
    return audio.sound(np.stack(channels, axis=1), rate)


@pytest.mark.parametrize(
    ("channels", "spoken", "reason"),
    [
        ((SPEECH, -SPEECH), 1, "they cancel each other"),
        ((SPEECH, -0.9 * SPEECH), 1, "they cancel each other"),
        ((SPEECH, SILENCE), 1, "the other is silent"),
        ((SILENCE, SPEECH), 2, "the other is silent"),
        ((DITHER, SPEECH), 2, "the other is silent"),
        ((HISS, SPEECH), 2, "they hold different sound"),
        ((HUM, SPEECH), 2, "they hold different sound"),
        ((0.1 * SPEECH, HUM), 1, "they hold different sound"),
        ((SILENCE, SILENCE, SPEECH, SILENCE), 3, "the others are silent"),
        ((SPEECH, -SPEECH, SILENCE), 1, "they cancel each other"),
    ],
)
def test_the_channel_with_the_speech_is_taken_and_named(
    channels: tuple[np.ndarray, ...], spoken: int, reason: str
) -> None:
    found = mixed(*channels)
    assert np.array_equal(found.wave, channels[spoken - 1])
    assert [note.code for note in found.notes] == ["channel"]
    assert found.notes[0].message == f"only channel {spoken} of {len(channels)} is scored: {reason}"


@pytest.mark.parametrize("gain", [1.0, 0.5, 0.05])
def test_channels_with_the_same_speech_are_averaged_without_a_word(gain: float) -> None:
    found = mixed(SPEECH, gain * SPEECH + DITHER)
    assert np.allclose(found.wave, (1 + gain) / 2 * SPEECH, atol=1e-4)
    assert found.notes == ()


@pytest.mark.parametrize("count", [1, 2, 5])
def test_silence_on_all_channels_stays_silence(count: int) -> None:
    found = mixed(*[SILENCE] * count)
    assert not found.wave.any()


def test_a_score_says_which_channel_it_is_of() -> None:
    package = FakePackage(["W", "IY", "K", "AO", "L"])
    both = np.stack([SPEECH, -SPEECH], axis=1)
    made = phonobench.score(both, phones="W IY | K AO L", rate=RATE, package=package)
    alone = phonobench.score(SPEECH, phones="W IY | K AO L", rate=RATE, package=package)
    assert made.sentence == alone.sentence
    assert [one.message for one in made.warnings if one.code == "channel"] == [
        "only channel 1 of 2 is scored: they cancel each other"
    ]
    assert "channel" not in {one.code for one in alone.warnings}
