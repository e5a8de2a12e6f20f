"""What ships, pinned: features and scores of three recordings against golden files (`python tests/golden_files.py`)."""

from __future__ import annotations

import json
from typing import Any

import golden_files
import numpy as np
import pytest
from golden_files import RECORDINGS, stored

from phonobench import phones
from phonobench.assessment import bundle
from phonobench.assessment.bundle import Bundle
from phonobench.assessment.model import features
from phonobench.types import Utterance

ANOTHER_PROCESSOR = 0.02
"""Total variation of a frame's posteriors, on average, that the 8 bit acoustic model may have on another processor."""


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    return bundle.load()


@pytest.fixture(params=RECORDINGS)
def one(request: pytest.FixtureRequest) -> Utterance:
    return golden_files.utterance(request.param)


def test_features_are_those_that_ship(shipped: Bundle, one: Utterance) -> None:
    found = golden_files.computed(golden_files.replay(shipped, one, stored(golden_files.ACOUSTIC)[one.id]), one)
    expected = stored(golden_files.FEATURES)[one.id]["features"]
    assert found["features"].shape == expected.shape == (len(one.prompt.phones), len(features.NAMES))
    for column, name in enumerate(features.NAMES):
        np.testing.assert_allclose(
            found["features"][:, column], expected[:, column], rtol=1e-4, atol=1e-4, err_msg=f"{one.id} {name}"
        )


def test_scores_before_rounding_are_those_that_ship(shipped: Bundle, one: Utterance) -> None:
    found = golden_files.computed(golden_files.replay(shipped, one, stored(golden_files.ACOUSTIC)[one.id]), one)
    expected = stored(golden_files.FEATURES)[one.id]
    assert found.keys() == expected.keys()
    for name in found.keys() - {"features"}:
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-4, err_msg=f"{one.id} {name}")


def test_the_published_score_is_that_which_ships(shipped: Bundle, one: Utterance) -> None:
    replay = golden_files.replay(shipped, one, stored(golden_files.ACOUSTIC)[one.id])
    expected = json.loads(golden_files.SCORES.read_text(encoding="utf-8"))[one.id]
    assert differences(golden_files.published(replay, one), expected, one.id) == []


def test_the_acoustic_model_is_the_one_that_ships(shipped: Bundle, one: Utterance) -> None:
    found, expected = golden_files.acoustic(shipped, one), stored(golden_files.ACOUSTIC)[one.id]
    assert found["logp"].shape == expected["logp"].shape == (len(expected["logp"]), phones.COLUMNS)
    variation = 0.5 * np.abs(np.exp(found["logp"]) - np.exp(expected["logp"])).sum(axis=1)
    assert variation.mean() < ANOTHER_PROCESSOR
    assert np.mean(found["logp"].argmax(axis=1) == expected["logp"].argmax(axis=1)) > 0.95
    for name in ("phone", "sentence"):  # shares of the scales
        np.testing.assert_allclose(found[name], expected[name], atol=0.05)


def test_golden_recordings_hold_what_they_are_for() -> None:
    rows = np.concatenate([stored(golden_files.FEATURES)[recording]["features"] for recording in RECORDINGS])
    column = {name: rows[:, k] for k, name in enumerate(features.NAMES)}
    assert np.abs(column["pitch_slope"]).max() > 1
    assert column["pauses"].min() > 0
    assert np.abs(column["gap_before"] - column["gap_after"]).max() > 1
    scores = json.loads(golden_files.SCORES.read_text(encoding="utf-8"))
    errors = {phone["error"] for one in scores.values() for word in one["words"] for phone in word["phones"]}
    assert errors == {"none", "substitution", "deletion", "accent"}
    assert any(one["insertions"] for one in scores.values())
    assert min(len(one["words"]) for one in scores.values()) > 2


def differences(found: Any, expected: Any, place: str) -> list[str]:
    """Where two JSON values differ; numbers by more than 1e-4."""
    if isinstance(expected, dict) and isinstance(found, dict) and found.keys() == expected.keys():
        return [fault for key in expected for fault in differences(found[key], expected[key], f"{place}.{key}")]
    if isinstance(expected, list) and isinstance(found, list) and len(found) == len(expected):
        pairs = zip(found, expected, strict=True)
        return [fault for k, pair in enumerate(pairs) for fault in differences(*pair, f"{place}[{k}]")]
    if isinstance(expected, float) and isinstance(found, float):
        return [] if abs(found - expected) <= 1e-4 else [f"{place}: {found}, not {expected}"]
    return [] if found == expected else [f"{place}: {found!r}, not {expected!r}"]
