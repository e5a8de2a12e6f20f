"""The margins around the speech: cut, lengthened, and recognised anew where they were long."""

from __future__ import annotations

import numpy as np
import pytest

from phonobench import phones
from phonobench.assessment.model import speech_span
from phonobench.assessment.types import AcousticOutput, HeadOutput

HOP, RATE = 0.02, 16_000
MARGIN = round(speech_span.MARGIN / HOP)


def output(before: int, after: int, per_state: int = 1) -> AcousticOutput:
    """Ten frames of speech with so many frames around them; states count the frames, the wave is loud in the speech."""
    frames = before + 10 + after
    probability = np.full((frames, 40), 0.05 / 39)
    probability[:, 0] = 0.95
    probability[before : before + 10] = 0.01 / 39
    probability[before : before + 10, phones.encode(["AA"])[0]] = 0.99
    wave = 0.001 * np.random.default_rng(1).standard_normal(int(frames * HOP * RATE)).astype(np.float32)
    wave[int(before * HOP * RATE) : int((before + 10) * HOP * RATE)] = 0.5
    states = np.arange(frames // per_state, dtype=np.float32)[:, None]
    head = HeadOutput(states, lambda pooled, whole, ids: (pooled[:, 0], whole))
    return AcousticOutput(np.log(probability / probability.sum(1, keepdims=True)), states[:, :0], wave, HOP, head=head)


@pytest.mark.parametrize(("before", "after"), [(MARGIN, MARGIN), (2, 3), (2, 0), (45, 60), (5, 70), (60, 0)])
def test_every_recording_has_the_same_margins(before: int, after: int) -> None:
    made = speech_span.with_margins(output(before, after))
    assert len(made.logp) == 10 + 2 * MARGIN
    assert speech_span.speech_span(made.logp) == (MARGIN, MARGIN + 10)
    assert len(made.wave) == pytest.approx(len(made.logp) * HOP * RATE, abs=1)
    assert made.start == pytest.approx((before - MARGIN) * HOP)
    loud = np.flatnonzero(np.abs(made.wave) > 0.1)
    assert loud[0] == pytest.approx(MARGIN * HOP * RATE, abs=1)
    assert loud[-1] == pytest.approx((MARGIN + 10) * HOP * RATE, abs=2)
    assert made.head is not None
    assert len(made.head.states) == len(made.logp)
    assert made.head.states[MARGIN, 0] == before


def test_states_further_apart_than_posteriors_keep_their_places() -> None:
    made = speech_span.with_margins(output(40, 40, per_state=2))
    assert made.head is not None
    assert len(made.head.states) == len(made.logp) // 2
    assert made.head.states[MARGIN // 2, 0] == 20


def test_what_is_added_is_as_loud_as_the_quiet_parts() -> None:
    made = speech_span.with_margins(output(4, 40))
    added = made.wave[: (MARGIN - 4) * round(HOP * RATE)]
    assert np.sqrt(np.mean(added**2)) == pytest.approx(0.001, rel=0.1)


def test_an_output_without_phones_stays_as_it_is() -> None:
    silent = output(5, 5)
    quiet = AcousticOutput(silent.logp[:4], silent.states[:4], silent.wave[:1280], HOP)
    assert speech_span.with_margins(quiet) is quiet
    assert speech_span.cut(1280, quiet.logp, HOP) is None


@pytest.mark.parametrize(
    ("before", "after", "anew"), [(40, 40, False), (54, 54, False), (56, 56, True), (85, 30, True)]
)
def test_only_long_margins_are_recognised_anew(before: int, after: int, anew: bool) -> None:
    one = output(before, after)
    part = speech_span.cut(len(one.wave), one.logp, HOP)
    assert (part is not None) == anew


def test_the_part_that_is_recognised_anew_is_the_speech_and_its_margins() -> None:
    one = output(200, 100)
    part = speech_span.cut(len(one.wave), one.logp, HOP)
    assert part == slice(round((200 - MARGIN) * HOP * RATE), round((210 + MARGIN) * HOP * RATE))
