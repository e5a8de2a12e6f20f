"""What is recognised in place of each phone, of what kind the error is, what was inserted, and when."""

from __future__ import annotations

import fake_package
import numpy as np
import pytest

from phonobench import ctc, phones
from phonobench.assessment import diagnosis
from phonobench.assessment.diagnosis import Diagnosis
from phonobench.evidence import CTCEvidence

EXPECTED = phones.encode(["W", "IY", "K", "AO", "L", "IH", "T"])
HOP = fake_package.HOP


def found(said: str, accuracy: float = 2.0, flag: bool = False, frames: int = 100) -> Diagnosis:
    evidence = CTCEvidence(fake_package.posteriors(phones.encode(said.split()), frames), HOP)
    n = len(EXPECTED)
    return diagnosis.diagnose([evidence], EXPECTED, np.full(n, accuracy), np.full(n, flag))


def test_what_was_said_right_is_no_error() -> None:
    made = found("W IY K AO L IH T")
    assert [one.likeliest for one in made.findings] == list(phones.decode(EXPECTED))
    assert {one.error for one in made.findings} == {"none"}
    assert made.insertions == ()


def test_shares_are_whole_sequence_likelihoods_of_the_forward_algorithm() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(12, 40))
    evidence = CTCEvidence(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True), HOP)
    ids = (3, 7, 7)
    share = diagnosis.shares(evidence.rivals(ids))
    assert share.shape == (3, 40)
    for i in range(3):
        every = [ids[:i] + ((q,) if q else ()) + ids[i + 1 :] for q in range(40)]
        likelihood = np.exp([ctc.forward(evidence.logp, one) for one in every])
        assert share[i] == pytest.approx(likelihood / likelihood.sum(), rel=1e-6)


def test_a_flagged_phone_is_told_apart_by_what_was_heard() -> None:
    made = found("W IY K AH L IH", accuracy=0.2, flag=True)
    assert [one.error for one in made.findings] == ["accent"] * 3 + ["substitution"] + ["accent"] * 2 + ["deletion"]
    assert made.findings[3].likeliest == "AH"
    assert made.findings[6].likeliest is None


def test_a_low_score_alone_is_an_accent() -> None:
    assert {one.error for one in found("W IY K AH L IH T", accuracy=1.2).findings} == {"accent"}
    assert {one.error for one in found("W IY K AH L IH T", accuracy=1.6).findings} == {"none"}


def test_candidates_are_ranked_and_hold_the_expected_phone() -> None:
    for said in ("W IY K AO L IH T", "W IY K AH L IH", "B AE D"):
        for one in found(said).findings:
            ranked = [c.probability for c in one.candidates if c.phone != one.expected]
            assert ranked == sorted(ranked, reverse=True)
            assert one.expected in [c.phone for c in one.candidates]
            assert len(one.candidates) <= diagnosis.BEST


@pytest.mark.parametrize(
    ("said", "phone", "before"),
    [("W IY K AO L AH IH T", "AH", 5), ("W IY K AO L IH T AH", "AH", 7), ("S W IY K AO L IH T", "S", 0)],
)
def test_an_inserted_phone_is_found_in_its_place(said: str, phone: str, before: int) -> None:
    made = found(said)
    assert [(one.phone, one.before) for one in made.insertions] == [(phone, before)]
    place = said.split().index(phone) if before < 7 else 7
    assert made.insertions[0].start <= (place + 0.5) * 100 / 8 * HOP <= made.insertions[0].end


@pytest.mark.parametrize("said", ["W IY K AH L IH T", "W IY K L IH T", "W IY K AO L L IH T"])
def test_what_a_change_of_a_neighbour_explains_is_not_inserted(said: str) -> None:
    assert found(said).insertions == ()


def test_times_cover_the_peaks_in_order_within_the_audio() -> None:
    made = found("W IY K AO L IH T", frames=140)
    peaks = [(i + 0.5) * 140 / 7 * HOP for i in range(7)]
    for one, peak in zip(made.findings, peaks, strict=True):
        assert one.start <= peak <= one.end
        assert one.end - one.start <= 2 * diagnosis.HALF_WIDTH + HOP + 1e-9
    starts = [one.start for one in made.findings]
    assert starts == sorted(starts)
    assert made.findings[-1].end <= 140 * HOP
    assert all(a.end <= b.start + 1e-9 for a, b in zip(made.findings[:-1], made.findings[1:], strict=True))


def test_a_phone_reaches_at_most_its_half_width_into_a_pause() -> None:
    alignment = ctc.Alignment(np.array([50, 55, 100]), np.array([52, 56, 101]), np.zeros(3), 0.0)
    start, end = diagnosis.spans(alignment, hop=0.02, duration=4.0)
    np.testing.assert_allclose(start, [0.85, 1.07, 1.85])
    np.testing.assert_allclose(end, [1.07, 1.27, 2.17])
    start, end = diagnosis.spans(alignment, hop=0.02, duration=2.05)
    assert end[-1] == 2.05


def test_several_listeners_share_the_verdict() -> None:
    panel = [CTCEvidence(fake_package.posteriors(phones.encode(said.split()), 100), HOP) for said in
             ("W IY K AO L IH T", "W IY K AH L IH T")]  # fmt: skip
    alone = [diagnosis.diagnose([one], EXPECTED, np.full(7, 2.0), np.full(7, False)) for one in panel]
    both = diagnosis.diagnose(panel, EXPECTED, np.full(7, 2.0), np.full(7, False))
    right = [next(c.probability for c in one.findings[3].candidates if c.phone == "AO") for one in (*alone, both)]
    assert right[2] == pytest.approx((right[0] + right[1]) / 2)


def test_only_a_copy_of_a_neighbour_is_no_insertion() -> None:
    """A repeated W two phones after its own is an insertion; beside its own it may be the same W in two peaks."""
    made = found("W IY W K AO L IH T")
    assert [(one.phone, one.before) for one in made.insertions] == [("W", 2)]
    assert found("W W IY K AO L IH T").insertions == ()


@pytest.mark.parametrize("earlier", [0, 1, 2])
@pytest.mark.parametrize(("left", "right", "kept"), [(0.92, 0.95, 4), (0.95, 0.92, 3)])
def test_one_sound_on_both_sides_of_a_phone_is_one_insertion(
    earlier: int, left: float, right: float, kept: int
) -> None:
    """The likelier place is kept, whatever was inserted before."""
    probability = np.zeros((len(EXPECTED) + 1, 39))
    probability[range(earlier), [20, 30][:earlier]] = [0.99, 0.91][:earlier]
    probability[[3, 4], 8] = left, right
    evidence = CTCEvidence(fake_package.posteriors(EXPECTED, 100), HOP)
    made = diagnosis._insertions(evidence, EXPECTED, probability)
    assert [one.before for one in made] == [*range(earlier), kept]
    assert made[-1].probability == max(left, right)
