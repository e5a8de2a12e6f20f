"""Calibration of a scorer: the ranks of conformal intervals and what they promise, Platt's regression and its prior."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from phonobench.assessment.model import calibration
from phonobench.assessment.types import COVERAGE, SCORE_SCALE
from phonobench.types import PhonobenchError


def test_ranks_are_the_standard_ones_of_split_conformal_prediction() -> None:
    # alpha / 2 is a twentieth; in whole numbers, so that no rounding decides
    expected = {count: ((count + 1) // 20, -(-19 * (count + 1) // 20)) for count in range(20, 401)}
    assert {count: calibration.ranks(count) for count in expected} == expected


@pytest.mark.parametrize("count", [20, 39, 57, 100, 399])
def test_ends_are_the_residuals_of_those_ranks(count: int) -> None:
    human = 4 + np.random.default_rng(count).permutation(count) / count  # residuals 0 to 1 - 1 / n
    found = calibration.interval(np.full(count, 4.0), human)
    lower, upper = calibration.ranks(count)
    assert found.edges == (4.0,)
    assert found.low[1] == pytest.approx((lower - 1) / count)
    assert found.high[1] == pytest.approx((upper - 1) / count)


@pytest.mark.parametrize("count", [19, 38, 39, 150])
def test_a_new_pair_lies_in_the_interval_as_often_as_is_promised_and_no_more(count: int) -> None:
    rng = np.random.default_rng(count)
    draws = 2000
    inside, below = [], []
    for residuals, new in zip(rng.standard_normal((draws, count)), rng.standard_normal(draws), strict=True):
        found = calibration.interval(np.zeros(count), residuals)
        inside.append(found.low[1] <= new <= found.high[1])
        below.append(new < found.low[1])
    noise = 3 * np.sqrt(COVERAGE * (1 - COVERAGE) / draws)
    assert COVERAGE - noise <= np.mean(inside) <= COVERAGE + 2 / (count + 1) + noise
    lower, _ = calibration.ranks(count)
    assert np.mean(below) == pytest.approx(lower / (count + 1), abs=noise)


def test_too_few_pairs_promise_nothing_narrower_than_the_scale() -> None:
    found = calibration.interval(np.full(18, 5.0), np.full(18, 5.5))
    around = found.around(np.array([3.0]), 10.0)
    assert (found.low[0], found.high[0]) == (-SCORE_SCALE, SCORE_SCALE)  # nothing lies below the only edge
    assert (found.low[1], found.high[1]) == (-SCORE_SCALE, SCORE_SCALE)
    assert (around.low[0], around.high[0]) == (0.0, 10.0)
    enough = calibration.interval(np.full(19, 5.0), np.full(19, 5.5))
    assert (enough.low[1], enough.high[1]) == (0.5, 0.5)


def test_bands_part_the_predictions_and_pairs_without_a_human_score_are_left_out() -> None:
    predicted = np.arange(480.0) / 48
    human = predicted + np.where(predicted < 5, 1.0, -1.0)
    gaps = np.where(np.arange(480) % 2, np.nan, human)
    found = calibration.interval(predicted, gaps, bands=2)
    assert len(found.edges) == 1
    assert found.edges[0] == pytest.approx(5.0, abs=0.05)
    assert (found.low, found.high) == (pytest.approx((1, -1)), pytest.approx((1, -1)))
    around = found.around(np.array([2.0, 8.0]), 10.0)
    np.testing.assert_allclose((around.low, around.value, around.high), [[2, 7], [2, 8], [3, 8]])


def test_platt_s_regression_is_the_penalised_maximum_of_likelihood() -> None:
    rng = np.random.default_rng(4)
    odds = rng.normal(-1, 2, 12)
    truth = (rng.uniform(size=12) < 1 / (1 + np.exp(-odds))).astype(float)

    def loss(at: np.ndarray) -> float:
        z = at[0] * odds + at[1]
        penalty = 0.5e-3 * ((at[0] - 1) ** 2 + at[1] ** 2)
        return float(np.sum(np.logaddexp(0, z) - truth * z) + penalty)

    expected = optimize.minimize(loss, np.zeros(2), tol=1e-12).x
    assert calibration.platt(odds, truth) == (
        pytest.approx(expected[0], abs=1e-4),
        pytest.approx(expected[1], abs=1e-4),
    )


def test_where_data_decide_nothing_the_prior_keeps_probabilities_as_they_are() -> None:
    assert calibration.platt(np.zeros(0), np.zeros(0)) == (1.0, 0.0)
    slope, offset = calibration.platt(np.zeros(8), np.tile([0.0, 1.0], 4))  # of no log-odds, no slope is learned
    assert (slope, offset) == (1.0, pytest.approx(0.0, abs=1e-9))
    slope, offset = calibration.platt(np.array([-2.0, -1.0, 1.0, 2.0]), np.array([0.0, 0.0, 1.0, 1.0]))
    assert 1 < slope < 20  # separable: without a prior it has no end
    assert offset == pytest.approx(0.0, abs=1e-6)


def test_thresholds_are_kept_for_shares_in_ascending_order_only() -> None:
    made = calibration.Calibration({}, 1.0, 0.0, {0.1: 0.3, 0.05: 0.5})
    assert made.threshold(0.05) == 0.5
    assert made.threshold(0.1) == 0.3
    assert made.threshold(0.06) == pytest.approx(0.46)
    for outside in (0.049, 0.101):
        with pytest.raises(PhonobenchError, match=r"choose from 0\.05 to 0\.1"):
            made.threshold(outside)
