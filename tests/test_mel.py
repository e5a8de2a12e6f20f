"""Whisper's front end against the extractor of transformers, alone and in company."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from transformers import WhisperFeatureExtractor  # noqa: E402

from phonobench.neural.frontends.mel import MelFrontEnd, states  # noqa: E402

pytestmark = pytest.mark.torch


def waves():
    rng = np.random.default_rng(1)
    lengths = (16_000, 7_333, 31_999, 320, 321)
    return [(0.1 * rng.standard_normal(n) * np.linspace(0.1, 1, n)).astype(np.float32) for n in lengths]


@pytest.mark.parametrize("bands", [80, 128])
def test_equals_the_outside_extractor_on_the_real_frames(bands):
    ours, lengths = MelFrontEnd(bands)([torch.from_numpy(w) for w in waves()])
    theirs = WhisperFeatureExtractor(feature_size=bands)(waves(), sampling_rate=16_000, return_tensors="pt")
    for row, length in enumerate(lengths.tolist()):
        torch.testing.assert_close(
            ours[row, :, : 2 * length], theirs.input_features[row, :, : 2 * length], atol=2e-5, rtol=0
        )


def test_window_equals_the_outside_extractor_over_all_thirty_seconds():
    ours, _ = MelFrontEnd(80)([torch.from_numpy(w) for w in waves()], window=1500)
    theirs = WhisperFeatureExtractor()(waves(), sampling_rate=16_000, return_tensors="pt").input_features
    torch.testing.assert_close(ours, theirs, atol=2e-5, rtol=0)


def test_company_changes_nothing_and_the_rest_is_zero():
    front = MelFrontEnd(80)
    together, lengths = front([torch.from_numpy(w) for w in waves()])
    assert lengths.tolist() == [50, 23, 100, 1, 2]
    for row, wave in enumerate(waves()):
        alone, _ = front([torch.from_numpy(wave)])
        torch.testing.assert_close(together[row, :, : alone.shape[-1]], alone[0], atol=1e-6, rtol=0)
        assert not together[row, :, alone.shape[-1] :].any()


def test_states_cover_every_sample():
    assert [states(n) for n in (1, 320, 321, 16_000)] == [1, 1, 2, 50]
