"""Statistics against scikit-learn and scipy, and the bootstrap against what it must and must not do."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st

from phonobench import stats

SPEAKERS = 7


def data(seed: int, n: int = 200, levels: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Tied scores, truth that follows them loosely, speakers, and integer weights with a zero among them."""
    rng = np.random.default_rng(seed)
    score = rng.integers(0, levels, n).astype(float)
    truth = score + rng.normal(scale=4, size=n) > levels / 2
    speaker = rng.integers(0, SPEAKERS, n).astype(np.int32)
    weights = np.vstack([np.ones(SPEAKERS), rng.integers(0, 4, (6, SPEAKERS))]).astype(float)
    weights[1, 0] = 0
    return score, truth, speaker, weights


def repeated(column: np.ndarray, speaker: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The column with each row written as often as its speaker was drawn: the plain meaning of a bootstrap draw."""
    return np.repeat(column, weight[speaker].astype(int))


@pytest.mark.parametrize("seed", range(3))
def test_auc_and_average_precision_with_ties(seed: int) -> None:
    score, truth, speaker, weights = data(seed)
    auc, ap = (f(score, truth, speaker, weights) for f in (stats.auc, stats.average_precision))
    for r, weight in enumerate(weights):
        args = {"y_true": truth, "y_score": score, "sample_weight": weight[speaker]}
        assert auc[r] == pytest.approx(sklearn.metrics.roc_auc_score(**args), abs=1e-12)
        assert ap[r] == pytest.approx(sklearn.metrics.average_precision_score(**args), abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_correlations_equal_scipy_on_repeated_rows(seed: int) -> None:
    x, _, speaker, weights = data(seed)
    y = np.round(x / 3 + np.random.default_rng(seed + 9).normal(size=len(x)))
    pearson, spearman = (f(x, y, speaker, weights) for f in (stats.pearson, stats.spearman))
    for r, weight in enumerate(weights):
        again = repeated(x, speaker, weight), repeated(y, speaker, weight)
        assert pearson[r] == pytest.approx(scipy.stats.pearsonr(*again).statistic, abs=1e-12)
        assert spearman[r] == pytest.approx(scipy.stats.spearmanr(*again).statistic, abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_decisions_equal_sklearn(seed: int) -> None:
    score, truth, speaker, weights = data(seed)
    said = score > 6
    counts = stats.confusion(said, truth, speaker, weights)
    for name, oracle in (
        ("f1", sklearn.metrics.f1_score),
        ("mcc", sklearn.metrics.matthews_corrcoef),
        ("precision", sklearn.metrics.precision_score),
        ("recall", sklearn.metrics.recall_score),
    ):
        ours = getattr(stats, name)(counts)
        for r, weight in enumerate(weights):
            assert ours[r] == pytest.approx(oracle(truth, said, sample_weight=weight[speaker]), abs=1e-12)


def test_pooled_rate_is_not_the_mean_of_rates() -> None:
    errors, length, speaker = np.array([1.0, 9.0]), np.array([2.0, 100.0]), np.array([0, 1])
    weights = np.array([[1.0, 1.0], [2.0, 0.0], [0.0, 0.0]])
    got = stats.ratio(errors, length, speaker, weights)
    np.testing.assert_allclose(got[:2], [10 / 102, 2 / 4])
    assert math.isnan(got[2])


def test_a_large_offset_does_not_spoil_pearson() -> None:
    x, _, speaker, weights = data(0)
    y = x + np.random.default_rng(1).normal(size=len(x))
    np.testing.assert_allclose(
        stats.pearson(x + 1e7, y, speaker, weights), stats.pearson(x, y, speaker, weights), atol=1e-7
    )


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=30))
@settings(max_examples=60, deadline=None)
def test_threshold_has_the_best_f1_of_all(rows: list[tuple[int, bool]]) -> None:
    score, truth = np.array([s for s, _ in rows], dtype=float), np.array([t for _, t in rows])
    truth[0], truth[1] = True, False
    chosen = stats.best_f1_threshold(score, truth)
    tried = [sklearn.metrics.f1_score(truth, score >= t) for t in np.unique(score)]
    assert sklearn.metrics.f1_score(truth, score >= chosen) == pytest.approx(max(tried))


def test_threshold_lies_between_two_scores() -> None:
    score, truth = np.array([1.0, 2.0, 5.0, 6.0]), np.array([False, False, True, True])
    assert stats.best_f1_threshold(score, truth) == 3.5
    assert stats.best_f1_threshold(score[2:], np.array([True, False])) == 5.0


@pytest.mark.parametrize(
    ("statistic", "reason"),
    [
        (lambda s, w: stats.auc(np.arange(3.0), np.zeros(3, bool), s, w), "no positives"),
        (lambda s, w: stats.average_precision(np.arange(3.0), np.ones(3, bool), s, w), "no negatives"),
        (lambda s, w: stats.pearson(np.ones(3), np.arange(3.0), s, w), "every score is the same"),
        (lambda s, w: stats.spearman(np.arange(3.0), np.ones(3), s, w), "every human score is the same"),
        (lambda s, w: stats.pearson(np.ones(1), np.ones(1), s[:1], w), "1 rows"),
        (lambda s, w: stats.ratio(np.zeros(0), np.zeros(0), s[:0], w), "nothing to count"),
    ],
)
def test_undefined_has_a_reason(statistic, reason: str) -> None:
    with pytest.raises(stats.Undefined, match=reason):
        statistic(np.array([0, 0, 1]), np.ones((1, 2)))


def test_a_draw_may_be_undefined_alone() -> None:
    truth, speaker = np.array([True, False, False]), np.array([0, 1, 1])
    weights = np.array([[1.0, 1.0], [2.0, 0.0], [0.0, 2.0]])
    score = np.array([2.0, 1.0, 0.0])
    np.testing.assert_array_equal(stats.auc(score, truth, speaker, weights), [1, math.nan, math.nan])
    np.testing.assert_array_equal(stats.average_precision(score, truth, speaker, weights), [1, math.nan, math.nan])
    np.testing.assert_array_equal(
        stats.pearson(score, score, speaker, np.array([[1.0, 1.0], [2.0, 0.0]])), [1, math.nan]
    )


def test_scores_that_are_not_finite_are_a_bug_not_a_number() -> None:
    score, truth, speaker, weights = data(0)
    with pytest.raises(ValueError, match="not finite"):
        stats.auc(np.where(score == 3, np.nan, score), truth, speaker, weights)
    with pytest.raises(ValueError, match="not finite"):
        stats.pearson(np.where(score == 3, -np.inf, score), score, speaker, weights)


def test_draws_are_multinomial_over_speakers_and_fixed() -> None:
    draws = stats.speaker_draws(25, 400, seed=1)
    assert draws.shape == (401, 25)
    assert (draws[0] == 1).all()
    assert (draws.sum(axis=1) == 25).all()
    assert draws[1:].var() == pytest.approx(1 - 1 / 25, rel=0.1)
    np.testing.assert_array_equal(draws, stats.speaker_draws(25, 400, seed=1))
    assert (draws != stats.speaker_draws(25, 400, seed=2)).any()


def correlated(seed: int, speakers: int = 30, each: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Errors of utterances whose level is a trait of the speaker, and the speaker of each."""
    rng = np.random.default_rng(seed)
    speaker = np.repeat(np.arange(speakers), each)
    return rng.normal(size=speakers)[speaker] + 0.3 * rng.normal(size=len(speaker)), speaker


def width(column: np.ndarray, speaker: np.ndarray) -> float:
    values = stats.mean(column, speaker, stats.speaker_draws(int(speaker.max()) + 1))
    found = stats.estimate(values, len(column), int(speaker.max()) + 1)
    return found.high - found.low


def test_duplicated_utterances_narrow_no_interval() -> None:
    column, speaker = correlated(0)
    assert width(np.tile(column, 5), np.tile(speaker, 5)) == pytest.approx(width(column, speaker), rel=1e-9)


def test_interval_is_that_of_the_speakers_mean() -> None:
    column, speaker = correlated(0)
    per_speaker = column.reshape(30, 20).mean(axis=1)
    normal = 2 * 1.96 * per_speaker.std() / math.sqrt(30)
    assert width(column, speaker) == pytest.approx(normal, rel=0.1)


def test_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    draws = stats.speaker_draws(40, 300)
    hits = 0
    for seed in range(200):
        column, speaker = correlated(seed, speakers=40, each=5)
        found = stats.estimate(stats.mean(column, speaker, draws), len(column), 40)
        hits += found.low <= 0 <= found.high
    assert 0.88 <= hits / 200 <= 0.99


def test_paired_draws_see_a_small_difference_that_unpaired_ones_miss() -> None:
    column, speaker = correlated(3)
    better = column - 0.05 + 0.01 * np.random.default_rng(4).normal(size=len(column))
    draws, other = stats.speaker_draws(30), stats.speaker_draws(30, seed=99)
    paired = stats.difference(stats.mean(column, speaker, draws), stats.mean(better, speaker, draws), 30)
    unpaired = stats.difference(stats.mean(column, speaker, draws), stats.mean(better, speaker, other), 30)
    assert paired.low > 0
    assert paired.p < 0.01
    assert paired.high - paired.low < 0.1 * (unpaired.high - unpaired.low)
    assert unpaired.p > 0.5


def test_p_is_two_sided_never_zero_and_uniform_at_worst() -> None:
    a, zero = np.concatenate([[1.0], np.full(999, 1.0)]), np.zeros(1000)
    assert stats.difference(a, zero, 5).p == pytest.approx(2 / 1000)
    assert stats.difference(zero, a, 5).p == pytest.approx(2 / 1000)
    assert stats.difference(zero, zero, 5).p == 1.0


def test_difference_needs_the_same_draws() -> None:
    with pytest.raises(ValueError, match="not paired"):
        stats.difference(np.zeros(3), np.zeros(4), 5)


def test_holm_by_hand() -> None:
    assert stats.holm([0.01, 0.04, 0.03]) == pytest.approx((0.03, 0.06, 0.06))
    got = stats.holm([0.5, math.nan, 0.01, 0.9])
    assert got[0] == pytest.approx(1.0)
    assert math.isnan(got[1])
    assert got[2] == pytest.approx(0.03)
    assert stats.holm([]) == ()


def test_what_leaves_no_interval() -> None:
    one = stats.estimate(np.array([0.5, 0.5, 0.5]), 9, 1)
    assert (one.value, one.reason) == (0.5, "one speaker: no interval")
    assert math.isnan(one.low)
    holes = np.full(101, 0.5)
    holes[1:11] = math.nan
    assert stats.estimate(holes, 9, 3).reason == "undefined in 10 of 100 resamples: no interval"
    holes[1:7] = 0.5
    assert stats.estimate(holes, 9, 3).low == 0.5
    assert stats.estimate(np.array([math.nan, 1.0]), 9, 3).reason == "undefined on these rows"
    assert stats.estimate(np.array([0.1]), 9, 3).reason == "no resamples: no interval"


def test_rows_keep_all_speakers_in_a_subset() -> None:
    rows = stats.gather([{"x": np.array([1.0, 2.0])}, {"x": np.array([3.0])}], ["b", "a"])
    assert rows.speakers == ("a", "b")
    np.testing.assert_array_equal(rows.speaker, [1, 1, 0])
    kept = rows.with_constants({"t": 1.0}).keep(rows["x"] > 1.5).keep(np.array([True, False]))
    assert kept.speakers == ("a", "b")
    assert kept.speakers_present == 1
    assert (len(kept), kept.constants["t"]) == (1, 1.0)


def test_rows_refuse_columns_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        stats.gather([{"x": np.zeros(2)}, {"y": np.zeros(2)}], ["a", "b"])
    with pytest.raises(ValueError, match="do not fit"):
        stats.gather([{"x": np.zeros(2), "y": np.zeros(3)}], ["a"])
    with pytest.raises(ValueError, match="no utterances"):
        stats.gather([], [])
