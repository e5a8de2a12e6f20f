"""A batch goes on: whatever one recording, name, text or folder is like, it is refused by name and the rest is done."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from fake_package import BEAR, TEXT, FakePackage, speech
from typer.testing import CliRunner

import phonobench
from phonobench.assessment.bundle import load
from phonobench.assessment.scoring import arguments, assembly
from phonobench.cli import app
from phonobench.types import PhonobenchError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "in"
    root.mkdir()
    soundfile.write(root / "good.wav", speech(), 16_000)
    (root / "good.txt").write_text(TEXT)
    return root


def verb(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["score", *map(str, arguments)])


def sound(path: Path, text: str | None = TEXT) -> Path:
    soundfile.write(path.with_name("any.wav"), speech(), 16_000)
    path.with_name("any.wav").rename(path)
    if text is not None:
        path.with_suffix(".txt").write_text(text)
    return path


def raw(folder: Path) -> tuple[Path, str]:
    (folder / "x.raw").write_bytes(bytes(range(256)) * 200)
    (folder / "x.txt").write_text(TEXT)
    return folder / "x.raw", "x.raw: samples without a header"


def not_utf8(folder: Path) -> tuple[Path, str]:
    if sys.platform == "darwin":
        pytest.skip("this file system takes UTF-8 only")
    return sound(folder / os.fsdecode(b"caf\xe9.wav")), "not UTF-8"


def over_long(folder: Path) -> tuple[Path, str]:
    return folder / ("x" * 300 + ".wav"), "too long"


def long_path(folder: Path) -> tuple[Path, str]:
    return folder / "/".join(["deep"] * 2_000) / "a.wav", "too long"


def markup(folder: Path) -> tuple[Path, str]:
    return sound(folder / "a [b]c[-x].wav", "…"), "[b]c[-x]"


def empty_name(folder: Path) -> tuple[str, str]:
    return "", "no path of a sound file"


def nul(folder: Path) -> tuple[str, str]:
    return f"{folder}/a\0b.wav", "a"


def missing(folder: Path) -> tuple[Path, str]:
    return folder / "none.wav", "none.wav"


def long_word(folder: Path) -> tuple[Path, str]:
    return sound(folder / "long.wav", "a" * 20_000), "long.wav: the text has"


def unreadable_text(folder: Path) -> tuple[Path, str]:
    path = sound(folder / "bad.wav")
    path.with_suffix(".txt").write_bytes(b"caf\xe9")
    return path, "bad.txt: cannot be read"


def text_is_folder(folder: Path) -> tuple[Path, str]:
    path = sound(folder / "odd.wav", None)
    path.with_suffix(".txt").mkdir()
    return path, "cannot be read (Is a directory)"


def unknown_text(folder: Path) -> tuple[Path, str]:
    return sound(folder / "sign.wav", "½⅓☃"), "sign.wav: "


BAD = [raw, not_utf8, over_long, long_path, markup, empty_name, nul, missing, long_word, unreadable_text,
       text_is_folder, unknown_text]  # fmt: skip


@pytest.mark.parametrize("make", BAD)
def test_one_that_cannot_be_scored_is_refused_by_name_and_the_rest_is_done(
    fake: FakePackage, folder: Path, tmp_path: Path, make: Any
) -> None:
    bad, culprit = make(folder)
    out = tmp_path / "o.jsonl"
    result = verb(bad, folder / "good.wav", "-o", out)
    assert result.exit_code == 1, result.output
    assert [Path(json.loads(line)["file"]).name for line in out.read_bytes().splitlines()] == ["good.wav"]
    refused = [line for line in result.stderr.splitlines() if line.startswith("not scored: ")]
    assert len(refused) == 1 and culprit in refused[0], result.stderr
    assert "1 of 2 recordings could not be scored" in result.stderr


def test_an_unreadable_folder_within_is_one_refusal(
    fake: FakePackage, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "locked").mkdir()
    scandir = os.scandir

    def refusing(path: Any) -> Any:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    result = verb(folder, "-o", tmp_path / "o.jsonl")
    assert result.exit_code == 1
    assert "locked: this folder cannot be read" in result.stderr and "1 of 2" in result.stderr
    assert (tmp_path / "o.jsonl").read_bytes().count(b"\n") == 1


def test_what_cannot_be_read_is_not_said_to_be_absent(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    stat = Path.stat

    def refusing(self: Path, **options: Any) -> Any:
        if self.name == "good.wav":
            raise PermissionError(13, "Permission denied", str(self))
        return stat(self, **options)

    monkeypatch.setattr(Path, "stat", refusing)
    with pytest.raises(PhonobenchError, match=r"good\.wav: cannot be read \(Permission denied\)"):
        phonobench.score(folder / "good.wav", TEXT, package=FakePackage(BEAR.split()))


def test_a_bug_that_one_brings_out_does_not_lose_the_others(
    fake: FakePackage, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound(folder / "bug.wav")
    recognise = fake.recognise

    def odd(wave: np.ndarray) -> Any:
        if fake.calls == 0:
            fake.calls += 1
            raise TypeError("a bug")
        return recognise(wave)

    monkeypatch.setattr(fake, "recognise", odd)
    result = verb(folder, "-o", tmp_path / "o.jsonl")
    assert result.exit_code == 1
    assert "bug.wav: TypeError: a bug" in result.stderr and "1 of 2" in result.stderr


@pytest.mark.parametrize("share", [0.001, 0.004, 0.6])
def test_a_share_that_the_package_does_not_serve_is_refused_before_any_work(folder: Path, share: float) -> None:
    result = verb(folder / "good.wav", folder / "none.wav", "--false-alarms", share)
    assert result.exit_code == 1 and "choose from 0.005 to 0.5" in result.stderr
    assert result.stderr.count("\n") == 1
    with pytest.raises(PhonobenchError, match=r"choose from 0\.005"):
        phonobench.score(speech(), TEXT, rate=16_000, package=load(), false_alarms=share)


@pytest.mark.parametrize("share", [0, 1, -0.1, "nan"])
def test_a_share_that_is_none_is_one_line(fake: FakePackage, folder: Path, share: Any) -> None:
    result = verb(folder / "good.wav", "--false-alarms", share)
    assert result.exit_code == 1 and "give a share between 0 and 1" in result.stderr


@pytest.mark.parametrize(
    "text", ["a" * 20_000, "b" * 65, "é" * 70, "word " * 2_001, "bear \udcff", "don't" + "x" * 65 + "!"]
)
def test_texts_that_nobody_reads_in_half_a_minute_are_refused_at_once(text: str) -> None:
    started = time.perf_counter()
    with pytest.raises(PhonobenchError, match=r"letters|characters|UTF-8"):
        phonobench.score(speech(), text, rate=16_000, package=FakePackage(BEAR.split()))
    assert time.perf_counter() - started < 1.0


def test_the_longest_word_of_dictionaries_is_taken() -> None:
    arguments.check_text("Pneumonoultramicroscopicsilicovolcanoconiosis is a word")
    arguments.check_text(None)


@pytest.mark.parametrize(("time_", "wanted"), [(1.9996, 1.999), (2.02, 1.999), (1.2344, 1.234)])
def test_no_time_lies_after_the_end(time_: float, wanted: float) -> None:
    assert assembly._time(time_, 1.999) == wanted


def test_the_last_phone_ends_with_the_recording() -> None:
    wave = speech(1.9991)
    made = phonobench.score(wave, TEXT, rate=16_000, package=FakePackage(BEAR.split()))
    assert made.words[-1].phones[-1].end <= made.duration and made.words[-1].end <= made.duration
