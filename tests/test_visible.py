"""What foreign names and texts hold is shown escaped: terminal, Markdown, HTML, CSV, JSON."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from pathlib import Path
from typing import Any

import planted
import pytest
import soundfile
from fake_package import FakePackage, speech
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from typer.testing import CliRunner

import phonobench
from phonobench import visible as shown
from phonobench.assessment.formats import page, terminal
from phonobench.cli import app, output
from phonobench.report import markdown
from phonobench.report.leaderboard import columns
from phonobench.report.page import html
from phonobench.types import Progress

HOSTILE = "a\x1b[31mred\x07\x9b2J\u200b\u202eevil\u2066\ufeff\u2028\u3164\U000e0041[/x][b]z"
TEXT = "We call it bear."
BEAR = "W IY K AO L IH T B EH R"


def is_clean(text: str) -> bool:
    return not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and c not in "\n" for c in text)


def test_what_cannot_be_seen_is_written_out() -> None:
    assert shown.visible(HOSTILE) == (
        "a\\x1b[31mred\\x07\\x9b2J\\u200b\\u202eevil\\u2066\\ufeff\\u2028\\u3164\\U000e0041[/x][b]z"
    )


@pytest.mark.parametrize("text", ["bear", "wɔːk", "naïve café", "汉字", "a\u00a0b", "❤️", "", "Ünï “quoted” — dash"])
def test_what_can_be_seen_stays(text: str) -> None:
    assert shown.visible(text) is text


@given(st.text())
def test_nothing_hidden_is_left_and_json_means_the_same(text: str) -> None:
    assert is_clean(shown.visible(text))
    made = shown.visible_json(json.dumps({"text": text}, ensure_ascii=False))
    assert is_clean(made) and json.loads(made) == {"text": text}


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert shown.cell(text).startswith("'")


@pytest.mark.parametrize("text", ["-0.5", "+1e-3", "-inf", "bear", "", "0"])
def test_numbers_and_words_stay_in_their_cells(text: str) -> None:
    assert shown.cell(text) == text


def test_the_command_line_shows_names_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_error(HOSTILE)
    output.print_note(HOSTILE)
    output.print_line(HOSTILE)
    output.print_table(HOSTILE, ["[b]name", HOSTILE], [["[/x]", HOSTILE], ["\\", "[red]"]])
    printed = capsys.readouterr()
    assert is_clean(printed.out) and is_clean(printed.err)
    assert "[/x]" in printed.out and "[red]" in printed.out and "[b]name" in printed.out and "[b]z" in printed.err


def test_bars_take_markup_for_text(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = io.StringIO()
    monkeypatch.setattr(output, "Console", lambda **_: Console(file=drawn, force_terminal=True, width=200))
    with output.progress() as report:
        report(Progress("[/x] score", 1, 2, "a[/y]\u202e.wav"))
    assert "[/x] score" in drawn.getvalue() and "a[/y]\\u202e.wav" in drawn.getvalue()


@pytest.fixture
def score(tmp_path: Path) -> Any:
    place = tmp_path / f"{HOSTILE.replace('/', '')}.wav"
    soundfile.write(tmp_path / "any.wav", speech(), 16_000)
    (tmp_path / "any.wav").rename(place)
    made = phonobench.score(place, TEXT, package=FakePackage(BEAR.split()))
    word = made.words[0].model_copy(update={"text": "=cmd" + HOSTILE, "written": HOSTILE})
    return made.model_copy(update={"text": HOSTILE, "words": (word, *made.words[1:])})


def test_scores_are_shown_as_they_are(score: Any) -> None:
    said = terminal.write([score], Console(highlight=False, width=300, color_system=None))
    assert is_clean(said) and "[b]z" in said
    page_ = page.render([score])
    assert is_clean(page_.replace("\t", " "))


def test_a_batch_with_markup_in_its_names_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phonobench.assessment.scoring.load", lambda _: FakePackage(BEAR.split()))
    for name in ("[", "[x]b", "a[bold]\x1b[2J"):
        folder = tmp_path / name
        folder.mkdir()
        soundfile.write(folder / "any.wav", speech(), 16_000)
        (folder / "any.wav").rename(folder / "[red]\u202e.wav")
        (folder / "[red]\u202e.txt").write_text(TEXT)
    (tmp_path / "[" / "[red]\u202e.txt").unlink()
    result = CliRunner().invoke(app, ["score", str(tmp_path), "-o", str(tmp_path / "o.jsonl")])
    assert result.exit_code == 1 and "1 of 3" in result.stderr
    assert is_clean(result.stderr) and "[red]\\u202e" in result.stderr
    assert {
        json.loads(line)["file"].rpartition("/")[2] for line in (tmp_path / "o.jsonl").read_bytes().splitlines()
    } == {"[red]\u202e.wav"}


@pytest.mark.parametrize("arguments", [[HOSTILE], ["score", "--format", HOSTILE], ["evaluate", HOSTILE]])
def test_options_and_verbs_are_shown_as_they_are(arguments: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(app, [*arguments, *(["x.wav"] if "--format" in arguments else [])])
    assert result.exit_code != 0 and not isinstance(result.exception, (ValueError, KeyError))
    assert "\u202e" not in result.stderr and "\x1b[31mred" not in result.stderr


def test_markdown_and_pages_of_results_hide_nothing() -> None:
    table = markdown.grid(["a"], [[HOSTILE + "|\n# heading"]])
    assert is_clean(table) and table.count("\n") == 2
    assert is_clean(markdown.plain(HOSTILE)) and "\\[b\\]z" in markdown.plain(HOSTILE)
    made = html.render("board.html.j2", {"x": HOSTILE}, (), tables=[], legend=HOSTILE, protocol=1, scorers=[])
    assert is_clean(made.replace("\t", " "))


def test_the_leaderboard_s_csv_holds_no_formula(tmp_path: Path) -> None:
    from phonobench import evaluate, phones
    from phonobench.report import leaderboard

    found, _ = planted.corpus(seed=9, speakers=3, each=2)
    planted.write_run(tmp_path / "runs", "one", found, lambda u: phones.encode(u.prompt.phones), card="=HYPERLINK(1)")
    evaluate.evaluate(tmp_path / "runs" / "one", found, tmp_path / "results", resamples=5)
    (row,) = [
        r for r in csv.DictReader(io.StringIO(leaderboard.build(tmp_path / "results").csv())) if r["run_id"] == "one"
    ]
    assert row["system"] == "'=HYPERLINK(1)" and set(columns()) <= set(row)
