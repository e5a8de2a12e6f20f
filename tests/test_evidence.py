"""Evidence of one model and of several: what fusion must keep, and the trap that frame fusion falls into."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from phonobench import ctc
from phonobench.evidence import CTCEvidence, FusedEvidence, average
from phonobench.types import PhonobenchError, Posteriors


def normal(logits: np.ndarray) -> np.ndarray:
    return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)


def noise(frames: int, columns: int = 6, seed: int = 0) -> np.ndarray:
    return normal(2 * np.random.default_rng(seed).normal(size=(frames, columns)))


def saying(path, columns: int = 6, strength: float = 12.0) -> np.ndarray:
    return normal(strength * np.eye(columns)[list(path)])


def test_heard_asks_ctc() -> None:
    logp, ids = noise(12), (3, 1, 1)
    heard = CTCEvidence(logp.astype(np.float16), 0.02)
    assert heard.duration == pytest.approx(0.24)
    assert heard.best() == ctc.greedy(heard.logp)
    assert heard.loglik(ids) == ctc.forward(heard.logp, ids)
    np.testing.assert_array_equal(heard.rivals(ids).substitute, ctc.rivals(heard.logp, ids).substitute)
    np.testing.assert_array_equal(heard.insertions(ids), ctc.insertions(heard.logp, ids))
    np.testing.assert_array_equal(heard.align(ids).start, ctc.align(heard.logp, ids).start)


def test_fused_likelihoods_are_weighted_sums_whatever_the_frame_rates() -> None:
    slow, fast = CTCEvidence(noise(9, seed=1), 0.04), CTCEvidence(noise(18, seed=2), 0.02)
    fused, ids = FusedEvidence((slow, fast), (0.3, 0.7)), (2, 4, 4)
    assert fused.loglik(ids) == pytest.approx(0.3 * slow.loglik(ids) + 0.7 * fast.loglik(ids))
    rivals = fused.rivals(ids)
    for i in range(3):
        shorter = (*ids[:i], *ids[i + 1 :])
        assert rivals.delete[i] == pytest.approx(fused.loglik(shorter))
        for q in range(1, 6):
            assert rivals.substitute[i, q - 1] == pytest.approx(fused.loglik((*ids[:i], q, *ids[i + 1 :])))
    assert fused.insertions(ids)[1, 4] == pytest.approx(fused.loglik((2, 5, 4, 4)))
    np.testing.assert_array_equal(rivals.substitute[np.arange(3), np.array(ids) - 1], rivals.loglik)


def test_one_part_or_all_the_weight_is_that_part() -> None:
    one, other = CTCEvidence(noise(14, seed=3), 0.02), CTCEvidence(noise(3, seed=4), 0.02)
    for fused in (FusedEvidence((one,), (1.0,)), FusedEvidence((one, other), (1.0, 0.0))):
        long = (1, 2, 3, 4, 5)  # the other has no path for it, and must not be asked
        assert fused.loglik(long) == one.loglik(long)
        assert np.isfinite(fused.rivals(long).substitute).all()


def test_fusion_of_fusions() -> None:
    a, b, c = (CTCEvidence(noise(12, seed=seed), 0.02) for seed in (1, 2, 3))
    nested = FusedEvidence((FusedEvidence((a, b), (0.5, 0.5)), c), (0.4, 0.6))
    flat = FusedEvidence((a, b, c), (0.2, 0.2, 0.6))
    assert nested.loglik((1, 2)) == pytest.approx(flat.loglik((1, 2)))
    assert nested.best() == flat.best()


@pytest.mark.parametrize("seed", range(8))
def test_no_single_edit_betters_the_fused_best(seed: int) -> None:
    parts = (CTCEvidence(noise(4, 3, seed), 0.02), CTCEvidence(noise(5, 3, seed + 100), 0.016))
    fused = FusedEvidence(parts, (0.5, 0.5))
    best = fused.best()
    starts = [part.best() for part in parts]
    assert fused.loglik(best) >= max(fused.loglik(start) for start in starts)
    neighbours = [(*best[:j], q, *best[j:]) for j in range(len(best) + 1) for q in (1, 2)]
    neighbours += [(*best[:i], q, *best[i + 1 :]) for i in range(len(best)) for q in (1, 2)]
    neighbours += [(*best[:i], *best[i + 1 :]) for i in range(len(best))]
    assert all(fused.loglik(other) <= fused.loglik(best) + 1e-9 for other in neighbours)


def test_fused_best_is_nearly_always_the_best_of_all_sequences() -> None:
    """Climbing may end on a lower hill: in 2 of the first 100 of these near-flat cases, one of which is here."""
    everything = [ids for n in range(6) for ids in itertools.product((1, 2, 3), repeat=n)]
    missed = 0
    for seed in range(20):
        fused = FusedEvidence(
            (CTCEvidence(noise(6, 4, seed), 0.02), CTCEvidence(noise(7, 4, seed + 100), 0.017)), (0.5, 0.5)
        )
        missed += fused.loglik(fused.best()) < max(map(fused.loglik, everything)) - 1e-9
    assert missed <= 1


def test_fusion_can_hear_what_no_part_heard() -> None:
    """Each part errs elsewhere, and the truth is second best there: together they are right."""

    def unsure(path, frame: int, wrong: int) -> np.ndarray:
        logits = 12.0 * np.eye(6)[list(path)]
        logits[frame, wrong] = 13.0
        return normal(logits)

    one = CTCEvidence(unsure([1, 0, 2, 0, 3], 0, 4), 0.02)
    other = CTCEvidence(unsure([1, 0, 2, 0, 3], 4, 5), 0.02)
    assert one.best() == (4, 2, 3)
    assert other.best() == (1, 2, 5)
    assert FusedEvidence((one, other), (0.5, 0.5)).best() == (1, 2, 3)


def test_two_perfect_models_one_frame_apart() -> None:
    """The trap of DESIGN.md: frame averages of logs lose every phone, sums of likelihoods none."""
    early = saying([1, 0, 2, 0, 3, 0, 4, 0, 0])
    late = saying([0, 1, 0, 2, 0, 3, 0, 4, 0])
    late[:, 0] += 0.1
    early[:, 0] += 0.1  # blank wins the ties
    early, late = normal(early), normal(late)
    said = (1, 2, 3, 4)
    assert CTCEvidence(early, 0.02).best() == CTCEvidence(late, 0.02).best() == said
    assert FusedEvidence((CTCEvidence(early, 0.02), CTCEvidence(late, 0.02)), (0.5, 0.5)).best() == said
    parts = [Posteriors(("u",), (logp,), 0.02) for logp in (early, late)]
    assert CTCEvidence(average(parts, (0.5, 0.5)).logp[0], 0.02).best() == ()


def test_fused_with_no_path_at_all() -> None:
    fused = FusedEvidence((CTCEvidence(noise(3), 0.02), CTCEvidence(noise(2), 0.03)), (0.5, 0.5))
    assert fused.loglik((1, 2, 3, 4)) == -np.inf
    assert np.isneginf(fused.rivals((1, 2, 3, 4)).substitute).all()
    silent = CTCEvidence(saying([0, 0]), 0.02)
    assert FusedEvidence((silent, silent), (0.5, 0.5)).best() == ()


@pytest.mark.parametrize(
    ("parts", "weights", "message"),
    [
        (2, (0.5, 0.6), "sum to 1"),
        (2, (1.5, -0.5), "0 or more"),
        (2, (1.0,), "1 weights, 2 parts"),
        (0, (), "0 parts"),
        (2, (float("nan"), 0.5), "nan"),
    ],
)
def test_weights_are_checked(parts: int, weights, message: str) -> None:
    with pytest.raises(PhonobenchError, match=message):
        FusedEvidence((CTCEvidence(noise(3), 0.02),) * parts, weights)
    with pytest.raises(PhonobenchError, match=message):
        average([Posteriors(("u",), (noise(3),), 0.02)] * parts, weights)


def test_average_in_both_domains() -> None:
    a, b = noise(5, seed=1), noise(5, seed=2)
    parts = [Posteriors(("x", "y"), (a, b), 0.02), Posteriors(("y", "x"), (a, b), 0.02)]
    found = average(parts, (0.25, 0.75), domain="probability")
    assert found.ids == ("x", "y")
    np.testing.assert_allclose(np.exp(found.logp[0]), 0.25 * np.exp(a) + 0.75 * np.exp(b), rtol=1e-5)
    found = average(parts, (0.25, 0.75))
    geometric = np.exp(a) ** 0.25 * np.exp(b) ** 0.75
    np.testing.assert_allclose(np.exp(found.logp[0]), geometric / geometric.sum(axis=1, keepdims=True), rtol=1e-5)
    assert found.logp[0].dtype == np.float32


def of(frames: int = 5, hop: float = 0.02, id: str = "u") -> Posteriors:
    return Posteriors((id,), (noise(frames),), hop)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (of(frames=6), r"frames of u.*\(5, 6\), \(6, 6\)"),
        (of(hop=0.025), "0.02 s and 0.025 s a frame"),
        (of(id="v"), "u is not in all"),
    ],
)
def test_average_refuses_grids_that_differ(other: Posteriors, message: str) -> None:
    with pytest.raises(PhonobenchError, match=message):
        average([of(), other], (0.5, 0.5))


def test_average_cuts_only_where_told() -> None:
    assert len(average([of(5), of(6)], (0.5, 0.5), slack=1).logp[0]) == 5
    with pytest.raises(PhonobenchError, match="slack 1"):
        average([of(5), of(7)], (0.5, 0.5), slack=1)


def test_average_of_parts_that_exclude_each_other() -> None:
    with np.errstate(divide="ignore"):
        one, other = (Posteriors(("u",), (np.log(np.eye(3)[[k]]),), 0.02) for k in (0, 1))
    with pytest.raises(PhonobenchError, match="exclude each other"):
        average([one, other], (0.5, 0.5))
    mixed = average([one, other], (0.5, 0.5), domain="probability").logp[0]
    np.testing.assert_allclose(np.exp(mixed), [[0.5, 0.5, 0.0]])


def test_average_refuses_an_unknown_domain() -> None:
    with pytest.raises(PhonobenchError, match="'logit'"):
        average([of(), of()], (0.5, 0.5), domain="logit")  # type: ignore[arg-type]
