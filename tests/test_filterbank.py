"""Front ends of w2v-BERT and Parakeet against the extractors of transformers, alone and in company."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from transformers import ParakeetFeatureExtractor, SeamlessM4TFeatureExtractor  # noqa: E402

from phonobench.neural.frontends.filterbank import (  # noqa: E402
    KaldiFrontEnd,
    NemoFrontEnd,
    halved,
    kaldi_frames,
    nemo_frames,
    stacked,
)

pytestmark = pytest.mark.torch

LENGTHS = (16_000, 7_333, 31_999, 1_600, 1_760, 4_639, 4_640)


def waves():
    """Noise that grows from far below to about the loudness of speech, of odd and even numbers of frames."""
    rng = np.random.default_rng(1)
    return [(0.1 * rng.standard_normal(n) * np.geomspace(1e-4, 1, n)).astype(np.float32) for n in LENGTHS]


def test_kaldi_bank_is_the_outside_extractors_of_each_utterance():
    """In a padded batch its rows hold the same; an odd frame at the end is half a state, which the mask leaves out."""
    outside = SeamlessM4TFeatureExtractor(padding_value=1.0)(waves(), sampling_rate=16_000, return_tensors="pt")
    for wave, theirs, mask in zip(waves(), outside.input_features, outside.attention_mask, strict=True):
        ours = stacked(KaldiFrontEnd(80)(torch.from_numpy(wave)))
        assert len(ours) == int(mask.sum()) == kaldi_frames(len(wave)) // 2
        torch.testing.assert_close(ours, theirs[: len(ours)], atol=1e-4, rtol=1e-4)


def test_stacked_frames_are_neighbours():
    frames = torch.arange(10.0).reshape(5, 2)
    assert stacked(frames).tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_nemo_bank_equals_the_outside_extractor_in_a_batch():
    outside = ParakeetFeatureExtractor()(waves(), sampling_rate=16_000, return_tensors="pt")
    ours, lengths = NemoFrontEnd(80)([torch.from_numpy(w) for w in waves()], outside.input_features.shape[1])
    assert lengths.tolist() == outside.attention_mask.sum(-1).tolist() == [nemo_frames(n) for n in LENGTHS]
    torch.testing.assert_close(ours, outside.input_features, atol=1e-3, rtol=1e-3)


def test_nemo_bank_hears_no_company_and_fills_what_is_left_with_zeros():
    front = NemoFrontEnd(80)
    together, lengths = front([torch.from_numpy(w) for w in waves()], 256)
    for row, wave, length in zip(together, waves(), lengths.tolist(), strict=True):
        alone, _ = front([torch.from_numpy(wave)], length)
        torch.testing.assert_close(row[:length], alone[0], atol=1e-4, rtol=1e-4)
        assert not row[length:].any()


@pytest.mark.parametrize(("frames", "states"), [(1, 1), (8, 1), (9, 2), (16, 2), (17, 3), (100, 13)])
def test_three_halvings_keep_an_odd_frame(frames, states):
    assert halved(frames, 3) == states
