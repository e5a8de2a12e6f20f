"""The Python call: arguments of other types are taken where they are clear, else refused in one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fake_package
import numpy as np
import pytest

import phonobench
from phonobench.assessment.scoring import arguments, score
from phonobench.types import PhonobenchError

WAVE = (0.1 * np.sin(np.arange(16000) / 20)).astype(np.float32)


@pytest.mark.parametrize(
    ("given", "culprit"),
    [
        ({"rate": None}, "samples need their rate"),
        ({"rate": "16000"}, "rate is '16000' .str.: give the samples a second as a number"),
        ({"rate": True}, "rate is True"),
        ({"rate": 16000.5}, "rate is 16000.5"),
        ({"rate": float("nan")}, "rate is nan"),
        ({"rate": 0}, "sample rate 0 Hz"),
        ({"text": 5}, "text is a int: give the sentence as a string"),
        ({"text": ["we", "call"]}, "text is a list"),
        ({"text": b"we call"}, "text is a bytes"),
        ({"text": None}, "what was read"),
        ({"phones": 3}, "phones is a int: give 'W IY"),
        ({"phones": b"W IY"}, "phones is a bytes"),
        ({"phones": [["W", 3]]}, "3 is no phone: give symbols"),
        ({"phones": []}, "phones are missing"),
        ({"phones": [[]]}, "phones are missing"),
        ({"phones": [["W", "IY"], []]}, "phones are missing"),
        ({"phones": ["W", ["IY"]]}, r"\['IY'\] is no phone"),
        ({"false_alarms": "0.05"}, "false_alarms is '0.05': give a share"),
        ({"false_alarms": True}, "false_alarms is True"),
        ({"false_alarms": float("nan")}, "false_alarms is nan"),
        ({"false_alarms": 0}, "false_alarms is 0"),
        ({"lexicon": 3}, "lexicon is a int: give a file"),
        ({"lexicon": {"bear": "B EE R"}}, "lexicon, 'bear': unknown phone 'EE'"),
        ({"lexicon": {"bear": 5}}, "lexicon, 'bear': no phones"),
        ({"lexicon": {"bear": []}}, "lexicon, 'bear': no phones"),
        ({"lexicon": {3: "B EH R"}}, "lexicon, 3: a word is a string"),
        ({"lexicon": {"new york": "N UW"}}, "'new york': never matches"),
        ({"package": 3}, "package is a int: give its folder"),
    ],
)
def test_a_wrong_argument_is_named(given: dict[str, Any], culprit: str) -> None:
    call = {"text": "we call", "rate": 16000, **given}
    with pytest.raises(PhonobenchError, match=culprit):
        score(WAVE, **call)


@pytest.mark.parametrize(
    ("recording", "culprit"),
    [
        (None, "the recording is None: give the path"),
        (b"a.wav", "the recording is a bytes"),
        ({"wave": 1}, "the recording is a dict"),
        ([[0.1, 0.2], [0.3]], "no array of samples"),
        (["a", "b"], "holds no samples"),
        ([None, 0.5], "holds no samples"),
        (WAVE.astype(complex), "complex128 holds no samples"),
        (WAVE > 0, "bool holds no samples"),
        (np.float32(0.5), "shape"),
        (WAVE.reshape(10, 10, 160), "shape"),
        (np.stack([WAVE, WAVE]), "shape"),
        (np.where(np.arange(16000) == 7, np.nan, WAVE), "1 of 16000 samples are NaN or infinite"),
        (np.where(np.arange(16000) == 7, np.inf, WAVE), "NaN or infinite"),
        (WAVE * 30000, "scale them to -1..1"),
        (np.arange(16000), "samples of type int64"),
        (WAVE[:0], "empty"),
        (WAVE * 0, "silent"),
    ],
)
def test_samples_that_are_none_are_refused(recording: Any, culprit: str) -> None:
    with pytest.raises(PhonobenchError, match=culprit):
        score(recording, "we call", rate=16000)


@pytest.mark.parametrize(
    ("recording", "rate", "culprit"),
    [
        ("a.wav", 16000, "a.wav: a sound file knows its own rate; leave out rate=16000"),
        (Path("a.wav"), "16000", "a.wav: a sound file knows its own rate"),
        ("", None, "'' is no path"),
        ("a\0.wav", None, "is no path"),
    ],
)
def test_a_file_needs_no_rate_and_has_a_path(recording: Any, rate: Any, culprit: str) -> None:
    with pytest.raises(PhonobenchError, match=culprit):
        score(recording, "we call", rate=rate)


@pytest.mark.parametrize("rate", [16000, 16000.0, np.int64(16000), np.float32(16000)])
def test_a_rate_may_be_any_whole_number(rate: Any) -> None:
    assert arguments.sampling_rate(rate) == 16000


@pytest.mark.parametrize(
    "phones", ["W IY | K AO L", [["W", "IY"], ["K", "AO", "L"]], (("w", "i"), ("k", "ɔː", "l")), ["wiː", "|", "kɔːl"]]
)
def test_phones_may_be_given_in_several_shapes(phones: Any) -> None:
    package = fake_package.FakePackage(["W", "IY", "K", "AO", "L"])
    made = score(fake_package.speech(), phones=phones, rate=16000, package=package)
    assert [word.pronunciation for word in made.words] == [("W", "IY"), ("K", "AO", "L")]


@pytest.mark.parametrize(
    "entry", ["B IY1 R", ["B IY R"], [["B", "IY", "R"]], ("B", "IY", "R"), (("B", "IY", "R"),), ["B", "IY", "R"]]
)
def test_a_lexicon_may_be_a_mapping_of_several_shapes(entry: Any) -> None:
    assert arguments.lexicon({"Bear": entry}) == {"bear": (("B", "IY", "R"),)}


def test_the_call_is_the_one_of_the_package() -> None:
    assert phonobench.score is score
