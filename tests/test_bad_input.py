"""Doubtful recordings through the whole path: one clear error that names the file, or what a good recording gives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

torch = pytest.importorskip("torch")

from phonobench import audio, store  # noqa: E402
from phonobench.corpora import synthetic  # noqa: E402
from phonobench.neural import inference  # noqa: E402
from phonobench.neural.checkpoints import pretrained  # noqa: E402
from phonobench.neural.posteriors import batch_posteriors  # noqa: E402
from phonobench.neural.recogniser import Recogniser  # noqa: E402
from phonobench.neural.training import loop  # noqa: E402
from phonobench.systems import cards, recipe  # noqa: E402
from phonobench.types import SAMPLE_RATE, Corpus, PhonobenchError  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return synthetic.read()


@pytest.fixture(scope="module")
def wave(corpus: Corpus) -> np.ndarray:
    return audio.read(corpus.split("dev")[0].audio)


@pytest.fixture(scope="module")
def model() -> Recogniser:
    torch.manual_seed(0)
    return Recogniser(pretrained.build(cards.find("scratch-mel")), recipe.find("scratch")).eval()


FORMATS = {
    "int16": ("PCM_16", 1, 1.0),
    "float": ("FLOAT", 1, 1.0),
    "24 bit": ("PCM_24", 1, 1.0),
    "stereo": ("PCM_16", 2, 1.0),
    "48 kHz": ("FLOAT", 1, 3.0),
}
"""Sample format, channels, sample rate in units of 16 kHz."""


@pytest.mark.parametrize("name", FORMATS)
def test_a_recording_is_heard_alike_in_every_format(name, wave, model, tmp_path) -> None:
    subtype, channels, factor = FORMATS[name]
    rate = int(SAMPLE_RATE * factor)
    samples = np.repeat(audio.resample(wave, SAMPLE_RATE, rate)[:, None], channels, axis=1)
    path = tmp_path / "speech.wav"
    soundfile.write(path, samples, rate, subtype=subtype)
    plain, other = batch_posteriors(model, [wave, audio.read(path)])
    assert len(plain) == len(other)
    assert np.abs(plain - other).max() < 0.1


def test_8_khz_is_heard_as_what_is_left_of_it(wave, model, tmp_path) -> None:
    path = tmp_path / "telephone.wav"
    soundfile.write(path, audio.resample(wave, SAMPLE_RATE, 8_000), 8_000, subtype="PCM_16")
    low = audio.resample(audio.resample(wave, SAMPLE_RATE, 8_000), 8_000, SAMPLE_RATE)
    expected, found = batch_posteriors(model, [low, audio.read(path)])
    assert np.abs(expected - found[: len(expected)]).max() < 0.1


@pytest.mark.parametrize("kind", ["silent", "clipped"])
def test_silence_and_clipping_give_distributions_not_nan(kind, wave, model) -> None:
    spoiled = np.zeros_like(wave) if kind == "silent" else np.clip(40 * wave, -1, 1)
    (found,) = batch_posteriors(model, [spoiled])
    np.testing.assert_allclose(np.exp(found).sum(axis=1), 1.0, atol=1e-4)


def spoil(kind: str, good: np.ndarray, path: Path) -> None:
    if kind == "truncated":
        soundfile.write(path, good, SAMPLE_RATE, subtype="PCM_16")
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif kind == "no audio":
        path.write_text("this is a text")
    elif kind != "missing":
        samples = {"empty": good[:0], "over-long": np.tile(good, 40), "short": good[:80],
                   "nan": np.where(np.arange(len(good)) == 99, np.nan, good)}[kind]  # fmt: skip
        soundfile.write(path, samples, SAMPLE_RATE, subtype="FLOAT")


COMPLAINTS = {
    "empty": "empty", "truncated": "truncated|damaged", "over-long": "limit is 30 s", "short": "ms long",
    "nan": "NaN", "no audio": "not a readable sound file", "missing": "does not exist|no such|missing",
}  # fmt: skip


@pytest.mark.parametrize("kind", COMPLAINTS)
def test_a_bad_recording_stops_a_training_by_name(kind, wave, corpus, tmp_path) -> None:
    path = tmp_path / "bad.wav"
    spoil(kind, wave, path)
    utterances = tuple(replace(u, audio=path) if u is corpus.split("train")[2] else u for u in corpus.utterances)
    spoiled = replace(corpus, utterances=utterances)
    plan = recipe.with_settings(recipe.find("scratch"), {"epochs": "1"})
    with pytest.raises(PhonobenchError, match=rf"bad\.wav.*({COMPLAINTS[kind]})"):
        loop.train(cards.find("scratch-mel"), plan, spoiled, tmp_path / "runs", limit=4)
    assert all(store.read_run(folder)["status"] == "training" for folder in store.list_runs(tmp_path / "runs"))


def test_a_bad_recording_stops_an_inference_and_a_good_copy_continues_it(wave, corpus, tmp_path) -> None:
    plan = recipe.with_settings(recipe.find("scratch"), {"epochs": "1"})
    run_dir = loop.train(cards.find("scratch-mel"), plan, corpus, tmp_path / "runs", limit=4)
    path = tmp_path / "bad.wav"
    spoil("truncated", wave, path)
    bad = corpus.split("dev")[3]
    spoiled = replace(corpus, utterances=tuple(replace(u, audio=path) if u is bad else u for u in corpus.utterances))
    with pytest.raises(PhonobenchError, match=r"bad\.wav"):
        inference.infer(run_dir, spoiled, ("dev",))
    with pytest.raises(PhonobenchError, match="phonobench infer"):
        store.read_posteriors(run_dir, "dev")
    inference.infer(run_dir, corpus, ("dev",))
    assert len(store.read_posteriors(run_dir, "dev")) == 4


def test_a_corpus_without_dev_speakers_is_refused_before_anything_is_trained(corpus, tmp_path) -> None:
    without = replace(corpus, utterances=tuple(u for u in corpus.utterances if u.split != "dev"))
    with pytest.raises(PhonobenchError, match="no phones to read in dev"):
        loop.train(cards.find("scratch-mel"), recipe.find("scratch"), without, tmp_path / "runs", limit=4)
    assert not (tmp_path / "runs").exists()
