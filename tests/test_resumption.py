"""A second start of `score` continues by content: what a line was made of, not what it is called."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import soundfile
from fake_package import TEXT, FakePackage, speech
from typer.testing import CliRunner

from phonobench.assessment.formats import json_lines
from phonobench.assessment.schema import Score
from phonobench.cli import app


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    for name in "ab":
        soundfile.write(tmp_path / f"{name}.wav", speech(seed=ord(name)), 16_000)
        (tmp_path / f"{name}.txt").write_text(TEXT)
    return tmp_path


def score(*arguments: object) -> Any:
    result = CliRunner().invoke(app, ["score", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result


def lines(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.read_bytes().splitlines()]


def test_the_same_again_adds_nothing(fake: FakePackage, sounds: Path) -> None:
    out = sounds / "o.jsonl"
    score(sounds, "-o", out)
    before = out.read_bytes()
    result = score(sounds, "-o", out)
    assert (out.read_bytes(), fake.calls) == (before, 2)
    assert "2 of 2 are in" in result.stderr and "outdated" not in result.stderr


def change_sound(fake: FakePackage, sounds: Path) -> list[str]:
    soundfile.write(sounds / "a.wav", speech(seed=5), 16_000)
    return []


def change_lexicon(fake: FakePackage, sounds: Path) -> list[str]:
    (sounds / "own.lex").write_text("bear B EH R\n")
    return ["--lexicon", str(sounds / "own.lex")]


def change_package(fake: FakePackage, sounds: Path) -> list[str]:
    fake.key = "1" * 64
    return []


def change_settings(fake: FakePackage, sounds: Path) -> list[str]:
    return ["--false-alarms", "0.1"]


@pytest.mark.parametrize(
    ("change", "name", "many"),
    [(change_sound, "sound", 1), (change_lexicon, "lexicon", 2), (change_package, "package", 2),
     (change_settings, "settings", 2)],
)  # fmt: skip
def test_whatever_changed_is_scored_anew_and_the_line_replaced(
    fake: FakePackage, sounds: Path, change: Any, name: str, many: int
) -> None:
    out = sounds / "o.jsonl"
    score(sounds, "-o", out)
    result = score(sounds, "-o", out, *change(fake, sounds))
    assert fake.calls == 2 + many
    assert f"{many} lines were outdated ({many}: made with another {name}) and are replaced" in result.stderr
    assert sorted(Path(one["file"]).name for one in lines(out)) == ["a.wav", "b.wav"]
    assert len({json.dumps(one["inputs"]) for one in lines(out)}) == 2
    again = score(sounds, "-o", out, *change(fake, sounds))
    assert "outdated" not in again.stderr and fake.calls == 2 + many


def test_another_text_is_another_request_and_both_lines_stay(fake: FakePackage, sounds: Path) -> None:
    out = sounds / "o.jsonl"
    for text in (TEXT, "We call it beer"):
        score(sounds / "a.wav", "--text", text, "-o", out)
    assert [one["text"] for one in lines(out)] == [TEXT, "We call it beer"]


def test_a_package_that_is_half_tried_loses_no_line_of_the_other(
    fake: FakePackage, sounds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outdated lines go when the command ends; a kill before that leaves both, and the next start cleans up."""
    out = sounds / "o.jsonl"
    score(sounds, "-o", out)
    before = lines(out)
    fake.key = "1" * 64
    with monkeypatch.context() as patched:
        patched.setattr("phonobench.assessment.scoring.lines.Lines.close", lambda self: self._stack.close())
        score(sounds, "-o", out)
    assert lines(out)[:2] == before and len(lines(out)) == 4
    result = score(sounds, "-o", out)
    assert [one["inputs"]["package"] for one in lines(out)] == ["1" * 64] * 2
    assert "2 lines were outdated" in result.stderr and fake.calls == 4


@pytest.mark.parametrize("left", [0, 1, 2, 3])
def test_a_repeated_row_has_its_line_after_an_interruption_too(fake: FakePackage, sounds: Path, left: int) -> None:
    listed, out = sounds / "list.csv", sounds / "o.jsonl"
    listed.write_text("file,text\n" + f'a.wav,"{TEXT}"\n' * 2 + f'b.wav,"{TEXT}"\n')
    score("--list", listed, "-o", out)
    whole = out.read_bytes()
    out.write_bytes(b"".join(whole.splitlines(keepends=True)[:left]) + b'{"format":"sc')
    score("--list", listed, "-o", out)
    assert sorted(out.read_bytes().splitlines()) == sorted(whole.splitlines())
    assert fake.calls == 6 - left


def test_lines_without_hashes_are_read_and_replaced(fake: FakePackage, sounds: Path) -> None:
    out = sounds / "o.jsonl"
    score(sounds, "-o", out)
    former = [{k: v for k, v in one.items() if k != "inputs"} for one in lines(out)]
    former.append({**former[0], "text": "another text"})
    out.write_text("".join(json.dumps(one) + "\n" for one in former))
    assert all(Score.model_validate(one).inputs is None for one in former)
    result = score(sounds, "-o", out)
    assert "2: made without hashes" in result.stderr
    assert [one["text"] for one in lines(out)] == ["another text", TEXT, TEXT]


def test_a_damaged_line_that_a_page_needs_is_scored_again(fake: FakePackage, sounds: Path) -> None:
    out = sounds / "o.jsonl"
    score(sounds, "-o", out)
    out.write_bytes(out.read_bytes().replace(b'"total":{', b'"total":[', 1))
    result = score(sounds, "-o", out, "--html", sounds / "o.html")
    assert "1: damaged" in result.stderr and fake.calls == 3
    assert all(Score.model_validate(one) for one in lines(out))


def test_breaks_that_are_no_line_feeds_do_not_part_a_line(fake: FakePackage, sounds: Path) -> None:
    out, text = sounds / "o.jsonl", "We call\u2028it\x85bear."
    for _ in range(2):
        score(sounds / "a.wav", "--text", text, "-o", out)
    assert out.read_bytes().count(b"\n") == 1 and fake.calls == 1


def test_what_a_line_is_of_is_read_from_its_beginning(fake: FakePackage, sounds: Path) -> None:
    """A million lines are looked at in seconds; parsing them all would take minutes."""
    out = sounds / "o.jsonl"
    score(sounds, "-o", out)
    (line, _) = out.read_bytes().splitlines()
    started = time.perf_counter()
    for _ in range(20_000):
        origin = json_lines.origin(line)
    assert time.perf_counter() - started < 2.0
    whole = json_lines.parse(line.decode())
    assert whole.inputs is not None
    assert origin.file == whole.file and origin.inputs == tuple(whole.inputs.model_dump().values())


@pytest.mark.parametrize("name", ['qu"ote', "back\\slash", "ünïcode", "tab\there"])
def test_a_name_is_read_back_as_it_was_written(fake: FakePackage, sounds: Path, name: str) -> None:
    out = sounds / "o.jsonl"
    (sounds / "a.wav").rename(sounds / f"{name}.wav")
    for _ in range(2):
        score(sounds / f"{name}.wav", "--text", TEXT, "-o", out)
    assert len(lines(out)) == 1 and fake.calls == 1


def test_an_interruption_keeps_what_is_done_and_takes_the_outdated_out(
    fake: FakePackage, sounds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = sounds / "o.jsonl"
    score(sounds, "-o", out)
    fake.key = "1" * 64
    recognise = fake.recognise

    def interrupted(wave: Any) -> Any:
        if fake.calls == 3:
            raise KeyboardInterrupt
        return recognise(wave)

    monkeypatch.setattr(fake, "recognise", interrupted)
    result = CliRunner().invoke(app, ["score", str(sounds), "-o", str(out)])
    assert result.exit_code == 130
    assert sorted(one["inputs"]["package"][0] for one in lines(out)) == ["0", "1"]
