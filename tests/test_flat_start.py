"""The flat start: densities against scipy, planted sounds found again, and the loss that learns from the labels."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from phonobench import phones
from phonobench.systems import recipe
from phonobench.types import SAMPLE_RATE, PhonobenchError

torch = pytest.importorskip("torch")
flat_start = pytest.importorskip("phonobench.neural.training.flat_start")
objective = pytest.importorskip("phonobench.neural.training.objective")
batches = pytest.importorskip("phonobench.neural.training.batches")
pytestmark = pytest.mark.torch

PLAN = recipe.find("scratch-wave")


def test_densities_are_those_of_gaussians_with_a_share_of_the_common_covariance() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 400)
    frames = rng.standard_normal((400, 5)) * (1.0 + labels[:, None]) + labels[:, None]
    found = flat_start.densities(frames, labels)
    for column in range(3):
        own = frames[labels == column]
        share = len(own) / (len(own) + flat_start.SHARED)
        covariance = share * np.cov(own.T, bias=True) + (1 - share) * np.cov(frames.T)
        expected = multivariate_normal(own.mean(0), covariance).logpdf(frames)
        np.testing.assert_allclose(found[:, column] - 2.5 * np.log(2 * np.pi), expected, atol=1e-9)


def test_phones_that_nobody_says_have_the_density_of_all_frames() -> None:
    frames = np.random.default_rng(1).standard_normal((300, 4))
    found = flat_start.densities(frames, np.zeros(300, dtype=int))
    expected = multivariate_normal(frames.mean(0), np.cov(frames.T)).logpdf(frames)
    np.testing.assert_allclose(found[:, 7] - 2 * np.log(2 * np.pi), expected, atol=1e-9)


def test_phones_are_laid_over_loud_frames_alone() -> None:
    loudness = np.array([0, 0, 0, 9, 9, 9, 9, 0, 9, 9, 0, 0], dtype=float)
    labels = flat_start.equal_lengths(loudness, np.array([5, 6, 7]))
    assert labels.tolist() == [0, 0, 0, 5, 5, 6, 6, 0, 7, 7, 0, 0]


def test_an_utterance_with_fewer_frames_than_phones_stays_as_it_was() -> None:
    before = np.array([0, 4, 0])
    assert flat_start.realign(np.zeros((3, 40)), np.array([4, 5, 6, 7]), before) is before


SOUNDS = ("S", "IY", "AA", "M", "SH", "UW")


def _sound(phone: str, samples: int, rng: np.random.Generator) -> np.ndarray:
    """A vowel-like buzz or a hiss, of another spectrum for each of `SOUNDS`."""
    place = SOUNDS.index(phone)
    time = np.arange(samples) / SAMPLE_RATE
    centre = 400.0 * 1.6**place
    buzz = sum(np.sin(2 * np.pi * f * time) / (1 + ((f - centre) / 150) ** 2) for f in np.arange(120.0, 7000.0, 120.0))
    return np.asarray(buzz + 0.05 * rng.standard_normal(samples)).astype(np.float32)


def _spoken(count: int) -> tuple[batches.TrainingData, list[np.ndarray]]:
    """Utterances of four to seven sounds of 60 to 300 ms between silences, and the true label of every state."""
    rng = np.random.default_rng(2)
    utterances, waves, targets, truth = [], [], [], []
    for number in range(count):
        said = [SOUNDS[k] for k in rng.integers(0, len(SOUNDS), rng.integers(4, 8))]
        said = [p for p, q in zip(said, [None, *said], strict=False) if p != q]
        lengths = rng.integers(3, 16, len(said))
        pauses = rng.integers(10, 30, 2)
        ids = phones.encode(said)
        labels = [0] * pauses[0] + [i for i, n in zip(ids, lengths, strict=True) for _ in range(n)] + [0] * pauses[1]
        parts = [np.zeros(320 * pauses[0]), *(_sound(p, 320 * n, rng) for p, n in zip(said, lengths, strict=True))]
        wave = np.concatenate([*parts, np.zeros(320 * pauses[1])]) + 0.01 * rng.standard_normal(320 * len(labels))
        waves.append(wave.astype(np.float32))
        truth.append(np.array(labels))
        utterances.append(SimpleNamespace(id=f"u{number}"))
        targets.append(ids)
    return batches.TrainingData(tuple(utterances), tuple(waves), tuple(targets)), truth


def test_sounds_of_unlike_lengths_are_found_where_equal_lengths_miss_them() -> None:
    material, truth = _spoken(60)
    told = []
    found = flat_start.label_states(material, told.append)
    right = np.mean(np.concatenate(found) == np.concatenate(truth))
    first = next(progress.note for progress in told if progress.stage == "flat start")
    assert float(first.split("%")[0]) > 10.0  # so much was wrong as it was laid
    assert right > 0.92  # 0.85 as laid
    assert [progress.done for progress in told if progress.stage == "flat start"] == list(
        range(1, flat_start.ROUNDS + 1)
    )


def test_the_loss_is_the_mean_cross_entropy_of_valid_frames() -> None:
    rng = np.random.default_rng(3)
    logits = torch.tensor(rng.standard_normal((2, 6, 40)), requires_grad=True)
    labels = [np.array([0, 3, 3, 5, 0, 0]), np.array([7, 8])]
    logp = logits.log_softmax(-1)
    loss = objective.framewise(logp, torch.tensor([6, 4]), labels, PLAN)
    expected = [*zip([0] * 6, range(6), labels[0], strict=True), *zip([1] * 4, range(4), [7, 7, 8, 8], strict=True)]
    assert loss.item() == pytest.approx(-np.mean([logp[place].item() for place in expected]), abs=1e-12)
    loss.backward()
    assert logits.grad is not None
    assert (logits.grad[1, 4:] == 0).all() and (logits.grad[1, :4] != 0).all()


@pytest.mark.parametrize("flat_start_epochs", ["30", "-1"])
def test_a_course_keeps_an_epoch_for_ctc(flat_start_epochs: str) -> None:
    with pytest.raises(PhonobenchError, match="flat_start_epochs"):
        recipe.with_settings(PLAN, {"flat_start_epochs": flat_start_epochs})
