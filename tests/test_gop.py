"""Pronunciation scores against their definitions, and against phones that were planted wrong."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from phonobench import gop
from phonobench.evidence import CTCEvidence, FusedEvidence
from phonobench.types import Rivals

IDS = (7, 3, 3, 21)


def normal(logits: np.ndarray) -> np.ndarray:
    return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)


def saying(path, strength: float = 9.0, seed: int = 0) -> CTCEvidence:
    logits = np.random.default_rng(seed).normal(size=(len(path), 40))
    logits[np.arange(len(path)), list(path)] += strength
    return CTCEvidence(normal(logits), 0.02)


def blurred(seed: int) -> CTCEvidence:
    return saying([0, 7, 7, 0, 3, 0, 3, 3, 0, 21, 0], strength=2.0, seed=seed)


def by_hand(heard: CTCEvidence) -> list[tuple[float, list[float], float]]:
    """For each phone: likelihood as expected, of the 38 other phones, of none; each by its own forward pass."""
    found = []
    for i in range(len(IDS)):
        others = [heard.loglik((*IDS[:i], q, *IDS[i + 1 :])) for q in range(1, 40) if q != IDS[i]]
        found.append((heard.loglik(IDS), others, heard.loglik((*IDS[:i], *IDS[i + 1 :]))))
    return found


DEFINITIONS = {
    "sd": lambda own, others, none: own - np.logaddexp.reduce([own, none, *others]),
    "s": lambda own, others, none: own - np.logaddexp.reduce([own, *others]),
    "d": lambda own, others, none: own - np.logaddexp(own, none),
    "best": lambda own, others, none: own - max([none, *others]),
    "odds": lambda own, others, none: own - np.logaddexp.reduce([none, *others]),
    "probability": lambda own, others, none: np.exp(own) / np.exp([own, none, *others]).sum(),
}


@pytest.mark.parametrize("name", gop.SCORERS)
@pytest.mark.parametrize("seed", range(3))
def test_scorers_are_what_they_say(name: str, seed: int) -> None:
    heard = blurred(seed)
    expected = [DEFINITIONS[name](*case) for case in by_hand(heard)]
    np.testing.assert_allclose(gop.SCORERS[name](heard.rivals(IDS)), expected, rtol=1e-9, atol=1e-9)


def test_odds_rank_as_the_default() -> None:
    rivals = blurred(0).rivals(IDS)
    posterior = np.exp(gop.sd(rivals))
    np.testing.assert_allclose(gop.odds(rivals), np.log(posterior / (1 - posterior)), rtol=1e-6)


def test_every_alignment_free_scorer_reads_fused_evidence() -> None:
    fused = FusedEvidence((blurred(0), blurred(1)), (0.5, 0.5))
    for scorer in gop.SCORERS.values():
        assert np.isfinite(scorer(fused.rivals(IDS))).all()


RIGHT = [0, 7, 7, 0, 3, 0, 3, 0, 21, 0]


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("name", [name for name in [*gop.SCORERS, *gop.DETAILED] if name != "d"])  # d: was any there?
def test_only_the_wrong_phone_drops(name: str, place: int) -> None:
    frames = [[1, 2], [4], [6], [8]][place]
    wrong = [30 if t in frames else column for t, column in enumerate(RIGHT)]
    logits = 9.0 * np.eye(40)
    logits[30, 29] += 8.0  # and unsure of it, for the scorer that asks how sure the model was
    heard = CTCEvidence(normal(logits[wrong]), 0.02)
    if_right = CTCEvidence(normal(logits[RIGHT]), 0.02)

    def scores(heard: CTCEvidence) -> np.ndarray:
        read = (
            gop.SCORERS[name](heard.rivals(IDS)) if name in gop.SCORERS else gop.DETAILED[name](gop.detail(heard, IDS))
        )
        return np.asarray(read)

    change = scores(heard) - scores(if_right)
    assert change.argmin() == place
    assert change[place] < -0.3


def test_a_phone_left_out_drops_in_the_deletion_score() -> None:
    heard = saying([0, 7, 7, 0, 3, 0, 3, 0, 0, 0])  # the last was never said
    score = gop.d(heard.rivals(IDS))
    assert score.argmin() == 3
    assert score[3] < -3
    assert score[0] > -0.1


def test_aligned_scorers_by_hand() -> None:
    logits = np.zeros((6, 40))
    logits[[0, 1, 2, 3, 4, 5], [0, 5, 5, 0, 9, 0]] = [6, 6, 4, 6, 3, 6]
    logits[4, 8] = 2.0
    logp = normal(logits)
    found = gop.detail(CTCEvidence(logp, 0.02), (5, 9))
    assert found.alignment.start.tolist() == [1, 4]
    assert found.alignment.end.tolist() == [3, 5]
    np.testing.assert_allclose(gop.posterior(found), [(logp[1, 5] + logp[2, 5]) / 2, logp[4, 9]])
    np.testing.assert_allclose(gop.peak(found), [logp[1, 5], logp[4, 9]])
    np.testing.assert_allclose(gop.margin(found), [5.0, 1.0])
    entropy = -(np.exp(logp) * logp).sum(axis=1)
    np.testing.assert_allclose(gop.certainty(found), [-(entropy[1] + entropy[2]) / 2, -entropy[4]])
    np.testing.assert_allclose(gop.sd_frame(found), gop.sd(found.rivals) / np.maximum(found.frames, 1))
    np.testing.assert_allclose(gop.best_frame(found), gop.best(found.rivals) / np.maximum(found.frames, 1))


def test_margin_is_negative_where_another_phone_leads() -> None:
    logits = np.zeros((3, 40))
    logits[[0, 1, 2], [0, 9, 0]] = 6.0
    assert gop.margin(gop.detail(CTCEvidence(normal(logits), 0.02), (5,)))[0] < -5


def test_impossible_and_undefined() -> None:
    four = np.full((4, 39), -np.inf)
    four[:, 0] = -5.0
    impossible = Rivals(-np.inf, four, np.full(4, -8.0))
    undefined = Rivals(-np.inf, np.full((4, 39), -np.inf), np.full(4, -np.inf))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isneginf(gop.sd(impossible)).all()
        assert np.isneginf(gop.best(impossible)).all()
        assert np.isnan(gop.sd(undefined)).all()
        assert np.isnan(gop.best(undefined)).all()
        assert np.isnan(gop.d(undefined)).all()
        assert np.isnan(gop.probability(undefined)).all()


def test_certain_posteriors_have_finite_entropy() -> None:
    with np.errstate(divide="ignore"):
        logp = np.log(np.eye(40)[[0, 5, 0]])
    found = gop.detail(CTCEvidence(logp, 0.02), (5,))
    assert gop.certainty(found)[0] == 0
    assert gop.peak(found)[0] == 0
    assert gop.margin(found)[0] == np.inf


def test_no_phones_no_scores() -> None:
    heard = blurred(0)
    assert all(len(scorer(heard.rivals(()))) == 0 for scorer in gop.SCORERS.values())
    assert all(len(scorer(gop.detail(heard, ()))) == 0 for scorer in gop.DETAILED.values())


def test_rivals_without_the_expected_sequence_are_a_bug() -> None:
    with pytest.raises(ValueError, match="expected sequence"):
        gop.best(Rivals(-3.0, np.full((2, 39), -9.0), np.full(2, -9.0)))


def test_the_default_is_there() -> None:
    assert gop.DEFAULT in gop.SCORERS
    assert not set(gop.SCORERS) & set(gop.DETAILED)


def test_the_margin_is_to_the_best_rival_among_many() -> None:
    """Against a full sort of every frame, for phones that are the best of their frames and for others."""
    rng = np.random.default_rng(5)
    logits = rng.normal(size=(60, 40)) * 3
    logp = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    ids = tuple(int(q) for q in rng.integers(1, 40, size=9))
    made = gop.detail(CTCEvidence(logp, 0.02), ids)
    for place, (start, end) in enumerate(zip(made.alignment.start, made.alignment.end, strict=True)):
        q = ids[place]
        gaps = [logp[t, q] - max(logp[t, k] for k in range(1, 40) if k != q) for t in range(start, end)]
        assert gop.margin(made)[place] == pytest.approx(np.mean(gaps), abs=1e-12)
