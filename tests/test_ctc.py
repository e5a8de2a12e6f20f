"""CTC against sums over all paths, against torch, against itself sequence by sequence, and against planted truth."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonobench import ctc
from phonobench.ctc import kernels
from phonobench.types import PhonobenchError


def normal(logits: np.ndarray) -> np.ndarray:
    return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)


def spread(frames: int, columns: int, sharpness: float, seed: int) -> np.ndarray:
    return normal(sharpness * np.random.default_rng(seed).normal(size=(frames, columns)))


def collapse(path) -> tuple[int, ...]:
    return tuple(column for column, _ in itertools.groupby(path) if column)


def brute(logp: np.ndarray) -> dict[tuple[int, ...], float]:
    """log P of every sequence, by the sum over every path."""
    found: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(logp.shape[1]), repeat=len(logp)):
        value = sum(logp[t, column] for t, column in enumerate(path))
        found[collapse(path)] = np.logaddexp(found.get(collapse(path), -np.inf), value)
    return found


def rivals_by_hand(loglik, ids, columns):
    """All substitutions, deletions and insertions by `loglik(sequence)`, one after the other."""
    n, others = len(ids), range(1, columns)
    substitute = [[loglik((*ids[:i], q, *ids[i + 1 :])) for q in others] for i in range(n)]
    delete = [loglik((*ids[:i], *ids[i + 1 :])) for i in range(n)]
    insert = [[loglik((*ids[:j], q, *ids[j:])) for q in others] for j in range(n + 1)]
    return np.reshape(substitute, (n, columns - 1)), np.array(delete), np.array(insert)


def check_rivals(logp, ids, loglik, tolerance=1e-8) -> None:
    substitute, delete, insert = rivals_by_hand(loglik, ids, logp.shape[1])
    found = ctc.rivals(logp, ids)
    np.testing.assert_allclose(found.loglik, loglik(ids), rtol=0, atol=tolerance)
    np.testing.assert_allclose(found.substitute, substitute, rtol=1e-13, atol=tolerance)
    np.testing.assert_allclose(found.delete, delete, rtol=1e-13, atol=tolerance)
    np.testing.assert_allclose(ctc.insertions(logp, ids), insert, rtol=1e-13, atol=tolerance)


TINY = [(), (1,), (2, 1), (1, 1), (1, 2, 1), (2, 2, 1), (1, 1, 1), (3, 1, 2, 3)]


@pytest.mark.parametrize("ids", TINY)
@pytest.mark.parametrize("frames", [0, 1, 2, 3, 5, 6])
def test_every_rival_is_the_sum_over_all_paths(ids, frames) -> None:
    logp = spread(frames, 4, 3.0, seed=frames)
    everything = brute(logp)

    def loglik(sequence) -> float:
        return everything.get(tuple(sequence), -np.inf)

    assert ctc.forward(logp, ids) == pytest.approx(loglik(ids), abs=1e-10)
    check_rivals(logp, ids, loglik)


def test_impossible_columns_are_impossible() -> None:
    logp = spread(5, 4, 2.0, seed=0)
    logp[2, 0] = logp[1, 2] = logp[3, 1] = -np.inf
    logp[4] = [-np.inf, -np.inf, 0.0, -np.inf]
    everything = brute(logp)
    for ids in TINY:
        check_rivals(logp, ids, lambda sequence: everything.get(tuple(sequence), -np.inf))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 40), st.lists(st.integers(1, 5), max_size=7), st.floats(0.1, 30))
def test_rivals_are_what_forward_says(seed, frames, ids, sharpness) -> None:
    logp = spread(frames, 6, sharpness, seed)
    check_rivals(logp, tuple(ids), lambda sequence: ctc.forward(logp, sequence))


def peaky(frames: int, ids, *, strength: float, seed: int, columns: int = 40) -> np.ndarray:
    """Posteriors as a CTC model gives them: blank, with a peak on each phone at even distances."""
    logits = np.random.default_rng(seed).normal(size=(frames, columns))
    at = np.linspace(1, frames - 2, len(ids)).round().astype(int)
    logits[:, 0] += strength
    logits[at, 0] -= 2 * strength
    logits[at, list(ids)] += strength
    return normal(logits)


EXTREMES = {
    "flat": lambda ids: normal(np.zeros((400, 40))),
    "peaky": lambda ids: peaky(400, ids, strength=12.0, seed=1),
    "certain": lambda ids: peaky(400, ids, strength=300.0, seed=1),
    "of another sentence": lambda ids: peaky(400, ids[::-1], strength=25.0, seed=2),
    "of other phones, certain": lambda ids: peaky(400, [q % 39 + 1 for q in ids], strength=300.0, seed=3),
    "wild": lambda ids: spread(400, 40, 40.0, seed=4),
    "lowest float16": lambda ids: np.maximum(1e4 * spread(400, 40, 3.0, seed=5), -65504),
    "no frame to spare": lambda ids: spread(60, 40, 4.0, seed=6),
}


@pytest.mark.parametrize("name", EXTREMES)
def test_nothing_underflows_at_length(name: str) -> None:
    rng = np.random.default_rng(7)
    ids = [1]
    while len(ids) < 60:
        ids += [q for q in rng.integers(1, 40, 1).tolist() if q != ids[-1]]
    logp = EXTREMES[name](ids).astype(np.float16)
    found, gaps = ctc.rivals(logp, ids), ctc.insertions(logp, ids)
    assert np.isfinite(found.loglik)
    places = [*rng.integers(0, 60, 12).tolist(), 0, 59]
    for i in places:
        for q in {int(rng.integers(1, 40)), ids[max(i - 1, 0)], ids[min(i + 1, 59)]}:
            changed = (*ids[:i], q, *ids[i + 1 :])
            np.testing.assert_allclose(found.substitute[i, q - 1], ctc.forward(logp, changed), rtol=1e-12, atol=1e-8)
            longer = (*ids[:i], q, *ids[i:])
            np.testing.assert_allclose(gaps[i, q - 1], ctc.forward(logp, longer), rtol=1e-12, atol=1e-8)
        np.testing.assert_allclose(found.delete[i], ctc.forward(logp, (*ids[:i], *ids[i + 1 :])), rtol=1e-12, atol=1e-8)


def test_the_certificate_sends_doubtful_columns_to_the_slow_path() -> None:
    ids = tuple(range(1, 31))
    blanks = 2 * np.arange(30)

    def recomputed(logp) -> int:
        labels = np.array(ids)
        alpha = kernels.prefixes(logp, labels)
        beta = kernels.prefixes(logp[::-1].copy(), labels[::-1].copy())[::-1, ::-1].copy()
        return kernels.slots(logp, labels, alpha, beta, blanks, blanks + 2)[1]

    assert recomputed(peaky(200, ids, strength=12.0, seed=0)) == 0
    assert recomputed(spread(200, 40, 60.0, seed=0)) > 30 * 20


@pytest.mark.parametrize("phone", [31, 39])
def test_a_single_doubtful_column_goes_to_the_slow_path_too(phone: int) -> None:
    ids = tuple(range(1, 31))
    logp = peaky(200, ids, strength=12.0, seed=0)
    logp[:, phone] = -3000.0  # its sum underflows where the others' are certain
    found = ctc.rivals(logp, ids)
    for i in (0, 7, 29):
        expected = ctc.forward(logp, (*ids[:i], phone, *ids[i + 1 :]))
        assert found.substitute[i, phone - 1] == pytest.approx(expected, rel=1e-12)


@pytest.mark.torch
@pytest.mark.parametrize("sharpness", [1.0, 8.0, 60.0])
def test_against_torch(sharpness: float) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    ids = (*rng.integers(1, 40, 20).tolist(), 7, 7, 7)
    logp = spread(120, 40, sharpness, seed=1)

    def loglik(sequence) -> float:
        loss = torch.nn.functional.ctc_loss(
            torch.from_numpy(logp)[:, None], torch.tensor([sequence]), [len(logp)], [len(sequence)], reduction="sum"
        )
        return -float(loss)

    assert ctc.forward(logp, ids) == pytest.approx(loglik(ids), abs=1e-8, rel=1e-12)
    found = ctc.rivals(logp, ids)
    for i in (0, 5, 20, 21, 22):
        assert found.delete[i] == pytest.approx(loglik((*ids[:i], *ids[i + 1 :])), abs=1e-8, rel=1e-12)
        for q in (1, 7, 30):
            changed = (*ids[:i], q, *ids[i + 1 :])
            assert found.substitute[i, q - 1] == pytest.approx(loglik(changed), abs=1e-8, rel=1e-12)


@pytest.mark.parametrize(("frames", "ids"), [(0, (1,)), (2, (1, 1)), (3, (1, 2, 1, 2)), (1, (1, 2))])
def test_too_few_frames_have_no_likelihood(frames: int, ids) -> None:
    logp = spread(frames, 3, 1.0, seed=0)
    assert ctc.forward(logp, ids) == -np.inf
    with pytest.raises(PhonobenchError, match=rf"{len(ids)} phones .* to {frames} frames"):
        ctc.align(logp, ids)


def test_greedy_merges_and_drops() -> None:
    path = [0, 3, 3, 0, 3, 1, 1, 2, 0, 0, 2]
    logp = normal(10.0 * np.eye(4)[path])
    assert ctc.greedy(logp) == (3, 3, 1, 2, 2)
    assert ctc.greedy(logp[:0]) == ()
    assert ctc.greedy(normal(np.zeros((3, 4)))) == ()  # ties go to the lower column


@pytest.mark.parametrize("seed", range(6))
def test_a_wide_beam_finds_every_sequence(seed: int) -> None:
    logp = spread(5, 4, 2.0, seed)
    everything = brute(logp)
    found = ctc.beam(logp, width=5000)
    assert {ids for ids, _ in found} == set(everything)
    for ids, value in found:
        assert value == pytest.approx(everything[ids], abs=1e-10)
    assert [value for _, value in found] == sorted((value for _, value in found), reverse=True)


@pytest.mark.parametrize("width", [1, 2, 5])
def test_a_narrow_beam_never_claims_too_much_nor_twice(width: int) -> None:
    for seed in range(20):
        logp = spread(7, 3, 1.0, seed)
        found = ctc.beam(logp, width)
        assert 1 <= len(found) <= width
        assert len({ids for ids, _ in found}) == len(found)
        assert all(value <= ctc.forward(logp, ids) + 1e-12 for ids, value in found)


def test_beam_adds_up_what_greedy_does_not() -> None:
    logp = np.log(np.array([[0.4, 0.35, 0.25], [0.4, 0.35, 0.25]]))
    assert ctc.greedy(logp) == ()  # .16, though "1" has .35 .35 + 2 .35 .4 = .4025
    ids, value = ctc.beam(logp, width=4)[0]
    assert ids == (1,)
    assert value == pytest.approx(np.log(0.4025))


def plain_beam(logp: np.ndarray, width: int) -> list[tuple[tuple[int, ...], float]]:
    """Prefix beam search over a dictionary of sequences, in probabilities: sequence -> ending in blank, in label."""
    kept = {(): (1.0, 0.0)}
    for frame in np.exp(logp):
        grown: dict[tuple[int, ...], list[float]] = {}
        for ids, (blank, label) in kept.items():
            grown.setdefault(ids, [0.0, 0.0])[0] += (blank + label) * frame[0]
            for q in range(1, len(frame)):
                repeat = ids[-1:] == (q,)
                grown.setdefault((*ids, q), [0.0, 0.0])[1] += (blank if repeat else blank + label) * frame[q]
                grown[ids][1] += label * frame[q] if repeat else 0.0
        kept = dict(sorted(grown.items(), key=lambda item: -sum(item[1]))[:width])
    return [(ids, float(np.log(sum(both)))) for ids, both in kept.items()]


@pytest.mark.parametrize("sharpness", [0.6, 1.0, 2.0])
@pytest.mark.parametrize("width", [1, 3, 6])
def test_beam_is_the_plain_beam_also_where_a_pruned_sequence_comes_back(width: int, sharpness: float) -> None:
    for seed in range(60):
        logp = spread(20, 3, sharpness, seed)
        found, expected = ctc.beam(logp, width), plain_beam(logp, width)
        assert [ids for ids, _ in found] == [ids for ids, _ in expected]
        np.testing.assert_allclose([value for _, value in found], [value for _, value in expected], atol=1e-9)


def test_a_planted_alignment_is_found() -> None:
    path = [0, 0, 5, 5, 5, 0, 5, 2, 2, 0, 0, 0, 9, 0]
    logp = normal(9.0 * np.eye(12)[path] + 0.1 * np.random.default_rng(0).normal(size=(14, 12)))
    found = ctc.align(logp, (5, 5, 2, 9))
    assert found.start.tolist() == [2, 6, 7, 12]
    assert found.end.tolist() == [5, 7, 9, 13]
    np.testing.assert_allclose(found.score[0], logp[2:5, 5].mean())
    np.testing.assert_allclose(found.loglik, logp[np.arange(14), path].sum())
    np.testing.assert_allclose(found.seconds(0.02)[1], [0.1, 0.14, 0.18, 0.26])


@pytest.mark.parametrize("ids", [ids for ids in TINY if ids])
def test_alignment_is_the_best_of_all_paths(ids) -> None:
    for seed in range(5):
        logp = spread(6, 4, 2.0, seed)
        values = {
            path: sum(logp[t, column] for t, column in enumerate(path))
            for path in itertools.product(range(4), repeat=6)
            if collapse(path) == ids
        }
        found = ctc.align(logp, ids)
        assert found.loglik == pytest.approx(max(values.values()))
        path = np.zeros(6, int)
        for a, b, q in zip(found.start, found.end, ids, strict=True):
            path[a:b] = q
        assert values[tuple(path)] == pytest.approx(found.loglik)


def test_alignment_through_probability_zero_is_refused() -> None:
    logp = normal(np.zeros((4, 3)))
    logp[:, 2] = -np.inf
    with pytest.raises(PhonobenchError, match="probability 0"):
        ctc.align(logp, (1, 2))


def test_no_phones_align_to_no_frames() -> None:
    found = ctc.align(spread(3, 3, 1.0, 0), ())
    assert len(found.start) == len(found.end) == len(found.score) == 0


def test_occupancy_is_the_mean_over_all_paths() -> None:
    logp, ids = spread(6, 4, 1.5, seed=2), (2, 1, 1)
    weights, frames = [], []
    for path in itertools.product(range(4), repeat=6):
        runs = [(column, len(list(run))) for column, run in itertools.groupby(path)]
        spoken = [(column, length) for column, length in runs if column]
        if tuple(column for column, _ in spoken) == ids:
            weights.append(np.exp(sum(logp[t, column] for t, column in enumerate(path))))
            frames.append([length for _, length in spoken])
    expected = np.average(frames, axis=0, weights=weights)
    np.testing.assert_allclose(ctc.occupancy(logp, ids), expected, rtol=1e-10)
    assert np.isnan(ctc.occupancy(logp[:2], ids)).all()


def faulty(change) -> np.ndarray:
    logp = spread(5, 4, 1.0, 0)
    change(logp)
    return logp


@pytest.mark.parametrize(
    ("logp", "message"),
    [
        (np.zeros(4), "shape"),
        (np.zeros((4, 1)), "shape"),
        (np.zeros((4, 3), dtype=int), "int64"),
        (faulty(lambda logp: logp.__setitem__((3, 1), np.nan)), "nan in frame 3 of 5"),
        (faulty(lambda logp: logp.__setitem__((2, 0), np.inf)), "inf in frame 2"),
        (faulty(lambda logp: logp.__setitem__((1, 0), 4.5)), "4.5 in frame 1.*log_softmax"),
        (faulty(lambda logp: logp.__setitem__(4, -np.inf)), "-inf in frame 4"),
    ],
)
@pytest.mark.parametrize("function", [ctc.forward, ctc.rivals, ctc.align, ctc.insertions, ctc.occupancy])
def test_bad_posteriors_are_refused(function, logp, message) -> None:
    with pytest.raises(PhonobenchError, match=message):
        function(logp, (1,))


@pytest.mark.parametrize("ids", [(0,), (4,), (1, -1)])
def test_bad_ids_are_refused(ids) -> None:
    with pytest.raises(PhonobenchError, match=r"outside 1\.\.3"):
        ctc.rivals(spread(5, 4, 1.0, 0), ids)


def test_beam_and_greedy_refuse_too() -> None:
    with pytest.raises(PhonobenchError, match="width 0"):
        ctc.beam(spread(3, 3, 1.0, 0), 0)
    with pytest.raises(PhonobenchError, match="nan"):
        ctc.greedy(np.full((3, 3), np.nan))


@pytest.mark.slow
def test_works_where_nothing_can_be_cached(tmp_path: Path) -> None:
    """Read-only code and no home to write to: compiled in the process, same numbers."""
    copy = tmp_path / "site" / "phonobench"
    skipped = shutil.ignore_patterns("__pycache__", "*_data", "neural")
    shutil.copytree(Path(ctc.__file__).parents[1], copy, ignore=skipped)
    code = (
        "import numba.core.caching as caching\n"  # below: as if no folder could be written
        "for found in [c for c in vars(caching).values() if hasattr(c, '_locator_classes')]:\n"
        "    found._locator_classes = []\n"
        "import numpy as np, phonobench\n"
        "from phonobench import ctc\n"
        "print(phonobench.__file__)\n"
        "print(ctc.forward(np.log(np.full((3, 2), 0.5)), (1,)), type(ctc.kernels.add._cache).__name__)"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site"), "PYTHONDONTWRITEBYTECODE": "1"}
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    place, value, cache = out.stdout.split()
    assert cache == "NullCache"
    assert str(tmp_path) in place
    assert float(value) == pytest.approx(np.log(6 / 8))
