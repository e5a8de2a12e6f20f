"""`phonobench.score` and its verb with a package that recognises what it is given: figures, formats, lists, faults."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import fake_package
import numpy as np
import pytest
import soundfile
from fake_package import FakePackage, speech
from typer.testing import CliRunner

import phonobench
from phonobench.assessment import schema, scoring
from phonobench.assessment.formats import FORMATS, Format, azure, page, terminal, textgrid
from phonobench.assessment.formats.format import paths
from phonobench.assessment.schema import Score
from phonobench.assessment.scoring import batch, warnings
from phonobench.cli import app
from phonobench.types import PhonobenchError

BEAR = "W IY K AO L IH T B EH R"
TEXT = "We call it bear."
HOSTILE = '</script><img src=x onerror="window.broken=1">'


def scored(said: str = BEAR, text: str | None = TEXT, **options: Any) -> Score:
    return phonobench.score(speech(), text, rate=16_000, package=FakePackage(said.split()), **options)


@pytest.fixture(scope="module")
def wrong() -> Score:
    """L is deleted, an AH is inserted before B, EH is pronounced as IH."""
    return scored("W IY K AO IH T AH B IH R")


def test_what_is_said_right_scores_high_and_only_the_wrong_phone_drops(wrong: Score) -> None:
    right = scored()
    assert right.sentence.total.value > 95
    assert right.sentence.total.meaning == "excellent"
    assert {phone.error for word in right.words for phone in word.phones} == {"none"}
    slip = scored("W IY K AO L IH T D EH R")
    values = {phone.expected: phone.accuracy.value for word in slip.words for phone in word.phones}
    assert values.pop("B") < 10
    assert min(values.values()) > 90
    assert wrong.sentence.accuracy.value < right.sentence.accuracy.value


def test_errors_are_told_with_what_was_heard(wrong: Score) -> None:
    phones = {phone.expected: phone for word in wrong.words for phone in word.phones}
    assert (phones["L"].error, phones["L"].heard, phones["L"].heard_ipa) == ("deletion", None, None)
    assert (phones["EH"].error, phones["EH"].heard, phones["EH"].heard_ipa) == ("substitution", "IH", "ɪ")
    assert phones["EH"].flagged and phones["L"].flagged and not phones["K"].flagged
    assert [(one.phone, one.before_word, one.before_phone) for one in wrong.insertions] == [("AH", 3, 7)]


def test_a_score_says_what_it_was_made_of(wrong: Score) -> None:
    assert (wrong.text, wrong.duration, wrong.file, wrong.model["name"]) == (TEXT, 2.0, None, "fake")
    assert [(word.text, word.written, word.source) for word in wrong.words][3] == ("bear", "bear.", "lexicon")
    assert wrong.words[1].pronunciation_ipa == "kɔl"
    assert wrong.threshold == pytest.approx(0.95)
    assert wrong.coverage == 0.9
    for word in wrong.words:
        assert word.start <= word.phones[0].start < word.phones[-1].end <= word.end <= wrong.duration
        for figure in (word.accuracy, word.stress, word.total, *(phone.accuracy for phone in word.phones)):
            assert figure.low <= figure.value <= figure.high


def test_the_variant_that_was_said_is_scored_and_named() -> None:
    weak = scored("W IY K AO L IH T F ER B EH AH", "We call it for bear.")
    assert {word.text: word.source for word in weak.words}["bear"] == "regional"
    assert weak.words[3].pronunciation == ("F", "ER")
    assert weak.sentence.accuracy.value > 95


def test_phones_can_be_given_instead_of_a_text() -> None:
    made = scored(text=None, phones="W IY | K AO L | IH T | B EH R")
    assert [word.source for word in made.words] == ["given"] * 4
    assert made.text is None
    assert made.sentence.accuracy.value > 95


@pytest.mark.parametrize(
    ("wave", "text", "culprit"),
    [
        (np.zeros(16_000), TEXT, "silent"),
        (speech(0.3), TEXT, "0.3 s cannot hold the 10 phones"),
        (speech(31), TEXT, "31.0 s long, the limit is 30"),
        (speech(), "", "holds no words"),
        (speech(), None, "--text"),
        (np.full(16_000, np.nan), TEXT, "NaN"),
    ],
)
def test_what_cannot_be_scored_is_a_clear_error(wave: np.ndarray, text: str | None, culprit: str) -> None:
    with pytest.raises(PhonobenchError, match=culprit):
        phonobench.score(wave, text, rate=16_000, package=FakePackage(BEAR.split()))


def test_audio_without_speech_is_an_error_and_half_a_sentence_is_not() -> None:
    with pytest.raises(
        PhonobenchError, match="hardly any speech in it, 1 phones were recognised where the text has 10"
    ):
        scored("W")
    half = scored("W IY K AO L")
    assert half.words[0].accuracy.value > 90
    assert half.words[3].accuracy.value < 50


def test_samples_need_a_rate_and_false_alarms_are_a_share() -> None:
    with pytest.raises(PhonobenchError, match="rate=16000"):
        phonobench.score(speech(), TEXT, package=FakePackage())
    with pytest.raises(PhonobenchError, match="false_alarms is 5"):
        scored(false_alarms=5)


def test_any_rate_gives_the_same_times() -> None:
    slow = phonobench.score(speech().repeat(3), TEXT, rate=48_000, package=FakePackage(BEAR.split()))
    assert [word.start for word in slow.words] == [word.start for word in scored().words]


def test_doubts_are_warned_of() -> None:
    assert scored().warnings == ()
    rng = np.random.default_rng(0)

    def codes(wave: np.ndarray, text: str = TEXT, said: str = BEAR) -> set[str]:
        made = phonobench.score(wave, text, rate=16_000, package=FakePackage(said.split()))
        return {one.code for one in made.warnings}

    assert codes(np.clip(20 * speech(), -1, 1)) == {"clipped"}
    assert codes(speech() / 100) >= {"quiet"}
    assert codes(0.1 * rng.normal(size=32_000).astype(np.float32).clip(-3, 3)) >= {"noisy"}
    assert codes(speech(), said="Z UW Z UW Z UW Z UW") == {"mismatch"}
    assert codes(speech(), "We call it blorf.", "W IY K AO L IH T B L AO R F") == {"guessed"}
    doubtful = FakePackage(BEAR.split())
    doubtful.scorer.read_probability = 0.3
    assert [one.code for one in phonobench.score(speech(), TEXT, rate=16_000, package=doubtful).warnings] == [
        "mismatch"
    ]


@pytest.mark.parametrize(("phones", "warned"), [("W IY | K AO", []), ("W IY | K AO | S", ["mismatch"])])
def test_a_mismatch_is_warned_of_from_five_phones_on(phones: str, warned: list[str]) -> None:
    said = ["Z", "UW", "Z", "UW", "Z"][: len(phones.replace("|", "").split())]
    made = phonobench.score(speech(), phones=phones, rate=16_000, package=FakePackage(said))
    assert [one.code for one in made.warnings] == warned


def test_dynamics_of_noise_are_small_and_of_pauses_large() -> None:
    rng = np.random.default_rng(1)
    assert warnings.dynamics(rng.normal(size=32_000)) < 3
    assert warnings.dynamics(speech()) > 40


def test_the_published_schema_is_that_of_the_models_and_holds_a_score(wrong: Score) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    assert schema.published_schema() == schema.schema()
    fields = json.loads(wrong.model_dump_json())
    jsonschema.Draft202012Validator(schema.published_schema()).validate(fields)
    assert Score.model_validate(fields) == wrong
    fields["sentence"]["total"]["value"] = 101
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(fields, schema.published_schema())


def test_meanings_cover_the_scale_and_change_with_it() -> None:
    for name in ("accuracy", "fluency", "prosody", "total"):
        told = [schema.meaning(name, value) for value in range(101)]
        assert len(set(told)) >= 4
    assert schema.meaning("total", 89.6) == "excellent"
    assert schema.meaning("total", 0) == "very poor: cannot be followed"


def test_azure_has_the_shape_and_the_ticks(wrong: Score) -> None:
    best = azure.convert(wrong)["NBest"][0]
    assert set(best["PronunciationAssessment"]) == {
        "AccuracyScore", "FluencyScore", "ProsodyScore", "CompletenessScore", "PronScore",
    }  # fmt: skip
    for word, ours in zip(best["Words"], wrong.words, strict=True):
        assert word["Offset"] == round(ours.start * 1e7)
        assert word["Offset"] + word["Duration"] == round(ours.end * 1e7)
        assert [one["Phoneme"] for one in word["Phonemes"]] == [azure.sapi(one.expected) for one in ours.phones]
        assert word["PronunciationAssessment"]["ErrorType"] in ("None", "Omission", "Insertion", "Mispronunciation")
    assert best["Words"][3]["PronunciationAssessment"]["ErrorType"] == "Mispronunciation"
    assert azure.sapi("HH") == "h"
    assert best["Words"][0]["Phonemes"][0]["PronunciationAssessment"]["NBestPhonemes"][0]["Phoneme"] == "w"


def test_a_word_of_which_nothing_was_heard_is_omitted_in_azure_s_terms() -> None:
    made = azure.convert(scored("W IY K AO L B EH R"))["NBest"][0]
    assert [word["PronunciationAssessment"]["ErrorType"] for word in made["Words"]] == [
        "None",
        "None",
        "Omission",
        "None",
    ]
    assert made["PronunciationAssessment"]["CompletenessScore"] == 75


def test_a_textgrid_is_read_back_by_praatio(wrong: Score, tmp_path: Path) -> None:
    from praatio import textgrid as praat

    (tmp_path / "a.TextGrid").write_text(textgrid.write([wrong]), encoding="utf-8")
    grid = praat.openTextgrid(str(tmp_path / "a.TextGrid"), includeEmptyIntervals=False)
    assert grid.tierNames == ("words", "phones", "heard", "accuracy", "verdict", "inserted")
    assert grid.maxTimestamp == wrong.duration
    assert [entry.label for entry in grid.getTier("words").entries] == [word.text for word in wrong.words]
    phones = [phone for word in wrong.words for phone in word.phones]
    read = grid.getTier("phones").entries
    assert [entry.label for entry in read] == [phone.expected for phone in phones]
    assert [entry.start for entry in read] == pytest.approx([phone.start for phone in phones])
    assert "-" in [entry.label for entry in grid.getTier("heard").entries]
    assert [(entry.label) for entry in grid.getTier("inserted").entries] == ["AH"]


def test_textgrids_never_share_a_name(tmp_path: Path) -> None:
    assert paths(["a/b.wav"], tmp_path / "x.TextGrid", ".TextGrid") == [tmp_path / "x.TextGrid"]
    assert paths(["a/b.wav", "c.wav"], tmp_path, ".TextGrid") == [tmp_path / "b.TextGrid", tmp_path / "c.TextGrid"]
    with pytest.raises(PhonobenchError, match="two sound files"):
        paths(["a/b.wav", "c/b.flac"], tmp_path, ".TextGrid")


def test_the_terminal_says_what_went_wrong(wrong: Score) -> None:
    from rich.console import Console

    text = terminal.write([wrong], Console(width=100, file=io.StringIO(), highlight=False))
    for piece in (
        "L /l/ is missing",
        "EH /ɛ/ sounds like IH /ɪ/",
        "AH /ʌ/ inserted",
        "We wi",
        "kɔl",
        wrong.sentence.total.meaning,
    ):
        assert piece in text


def test_a_page_escapes_and_needs_no_network(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", speech(), 16_000)
    made = phonobench.score(tmp_path / "a.wav", TEXT, package=FakePackage(BEAR.split()))
    hostile = made.model_copy(update={"text": HOSTILE, "model": {"name": HOSTILE}})
    html = page.render([hostile, scored()])
    assert HOSTILE not in html
    assert "<img" not in html
    data = json.loads(re.search(r'id="data">(.*?)</script>', html, re.DOTALL)[1])  # type: ignore[index]
    assert data[0]["text"] == HOSTILE
    assert data[0]["sound"]["mime"] == "audio/ogg"
    assert data[1]["sound"] is None
    assert "https://" not in html
    assert "http://" not in html.replace("http://www.w3.org/2000/svg", "")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakePackage:
    """What the verb loads in place of the package that ships: recognises BEAR, or ZEBRA in 2.2 s of sound."""
    made = FakePackage(BEAR.split(), {35_200: ["Z", "IY", "B", "R", "AH"]})
    monkeypatch.setattr("phonobench.assessment.scoring.load", lambda _: made)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two recordings with their texts, and one without."""
    root = tmp_path / "in"
    (root / "deep").mkdir(parents=True)
    soundfile.write(root / "bear.wav", speech(), 16_000)
    (root / "bear.txt").write_text("We call it\nbear.\n", encoding="utf-8")
    soundfile.write(root / "deep" / "zebra.flac", speech(2.2), 16_000)
    (root / "deep" / "zebra.txt").write_text("zebra", encoding="utf-8")
    soundfile.write(root / "mute.wav", speech(), 16_000)
    (root / "notes.md").write_text("no sound")
    return root


def verb(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["score", *map(str, arguments)])


def test_the_verb_scores_one_file(fake: FakePackage, folder: Path) -> None:
    result = verb(folder / "bear.wav", "--text", TEXT, "--json")
    assert result.exit_code == 0, result.output
    made = Score.model_validate_json(result.stdout)
    assert made.file == str(folder / "bear.wav")
    assert made.sentence.total.value > 95
    assert "excellent" in verb(folder / "bear.wav").stdout
    assert json.loads(verb(folder / "bear.wav", "--format", "azure").stdout)["RecognitionStatus"] == "Success"


def test_a_folder_is_scored_and_what_fails_is_told_at_the_end(fake: FakePackage, folder: Path, tmp_path: Path) -> None:
    out, html, grids = tmp_path / "out.jsonl", tmp_path / "out.html", tmp_path / "grids"
    result = verb(folder, "-o", out, "--html", html, "--textgrid", grids)
    assert result.exit_code == 1
    assert "no mute.txt beside it" in result.stderr
    assert "1 of 3 recordings could not be scored" in result.stderr
    lines = [Score.model_validate_json(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [(Path(one.file or "").name, one.text) for one in lines] == [("bear.wav", TEXT), ("zebra.flac", "zebra")]
    assert min(one.sentence.total.value for one in lines) > 95
    assert sorted(one.name for one in grids.iterdir()) == ["bear.TextGrid", "zebra.TextGrid"]
    assert html.read_text(encoding="utf-8").count("data:") >= 1


def test_a_folder_names_what_it_leaves_out_and_goes_on_past_what_cannot_be_read(
    fake: FakePackage, folder: Path, tmp_path: Path
) -> None:
    (folder / "mute.wav").unlink()
    for name, content in {"a.raw": bytes(9_000), "b.m4a": b"\0\0\0\x08ftyp", "c.au": b".snd" + bytes(99)}.items():
        (folder / name).write_bytes(content)
        (folder / name).with_suffix(".txt").write_text("zebra", encoding="utf-8")
    for name in ("Makefile", "lonely.txt", "._bear.wav", *(f"{number}.json" for number in range(7))):
        (folder / name).write_text("no sound")
    result = verb(folder, "-o", tmp_path / "out.jsonl")
    assert "3 of 5 recordings could not be scored" in result.stderr
    for reason in ("a.raw: samples without a header", "b.m4a: truncated MP4 file", "c.au: truncated AU file"):
        assert reason in result.stderr
    left = next(line for line in result.stderr.splitlines() if "left out" in line)
    for name in ("7 .json (0.json, 1.json, 2.json, 3.json, 4.json, 2 more)", "1 .md (notes.md)", "1 .txt (lonely.txt)",
                 "1 without an ending (Makefile)", "1 hidden (._bear.wav)"):  # fmt: skip
        assert name in left
    assert "bear.txt" not in left and len((tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()) == 2


def test_a_list_is_continued_where_it_stopped(fake: FakePackage, folder: Path, tmp_path: Path) -> None:
    listed, out = folder / "list.csv", tmp_path / "out.jsonl"
    listed.write_text('file,text\nbear.wav,"We call it bear."\ndeep/zebra.flac,zebra\nmute.wav,We call it bear\n')
    assert verb("--list", listed, "-o", out).exit_code == 0
    whole = out.read_bytes()
    assert (whole.count(b"\n"), fake.calls) == (3, 3)
    lines = whole.splitlines(keepends=True)
    out.write_bytes(lines[0] + lines[1] + lines[2][:40])  # as a crash leaves it
    result = verb("--list", listed, "-o", out)
    assert result.exit_code == 0, result.output
    assert "2 of 3 are in" in result.stderr
    assert (out.read_bytes(), fake.calls) == (whole, 4)
    assert verb("--list", listed, "-o", out).exit_code == 0
    assert (out.read_bytes(), fake.calls) == (whole, 4)


def test_lines_of_other_things_are_not_continued(fake: FakePackage, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    for content, culprit in (
        ("{}\n", "no scores"),
        ("hello\n", "other things than JSON"),
        ('{"format": "score/1", "inputs": {"sound": 1}, "sentence": 1}\n', "no scores"),
        ("[" * 100_000 + "\n", "other things than JSON"),
    ):
        out.write_text(content)
        refused = verb(folder, "-o", out)
        assert refused.exit_code == 1 and culprit in refused.stderr
        assert out.read_text() == content


def test_a_format_added_at_run_time_is_offered_written_and_continued(
    fake: FakePackage, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As docs/adding.md says: one value, one row."""

    def row(score: Score) -> str:
        return f"{score.file};{score.sentence.total.value}"

    made = Format("table", "a row a recording", lambda scores: "\n".join(map(row, scores)), suffixes=(".csv",),
                  line=row, header="file;total", line_suffixes=(".csv",))  # fmt: skip
    monkeypatch.setitem(FORMATS, "table", made)
    (folder / "mute.txt").write_text("We call it bear.")
    assert "table" in verb(folder, "--format", "nonesuch").stderr
    assert verb(folder / "bear.wav", "--format", "table").stdout.startswith(str(folder / "bear.wav") + ";9")
    out = tmp_path / "scores.csv"
    assert verb(folder, "--format", "table", "-o", out).exit_code == 0
    lines = out.read_text().splitlines()
    assert lines[0] == "file;total" and len(lines) == 4
    refused = verb(folder, "--format", "table", "-o", out)
    assert refused.exit_code == 1 and "cannot be continued" in refused.stderr
    assert out.read_text().splitlines() == lines
    assert verb(folder / "bear.wav", "--format", "table", "-o", out, "--overwrite").exit_code == 0
    assert out.read_text().splitlines() == lines[:2]


@pytest.mark.parametrize("arguments", [("-o",), ("--html",), ("--format", "azure", "-o"), ("--textgrid",)])
@pytest.mark.parametrize("many", [True, False])
def test_files_of_others_and_recordings_are_never_written_over(
    fake: FakePackage, folder: Path, tmp_path: Path, arguments: tuple[str, ...], many: bool
) -> None:
    (folder / "mute.txt").write_text("We call it bear.")
    files = [folder / "bear.wav", folder / "mute.wav"][: 2 if many else 1]
    notes = tmp_path / "notes.txt"
    notes.write_text("dear diary\nnobody reads this")
    victims = [notes, folder / "bear.wav", folder / "bear.txt"]
    victims = [] if many and arguments == ("--textgrid",) else victims  # a folder is named there
    for victim in victims:
        before = victim.read_bytes()
        refused = verb(*files, *arguments, victim)
        assert refused.exit_code == 1 and str(victim) in refused.stderr, refused.output
        assert victim.read_bytes() == before
    assert fake.calls == 0


def test_one_recording_is_added_to_the_lines_of_many(fake: FakePackage, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "s.jsonl"
    verb(folder, "-o", out)
    before = out.read_text().splitlines()
    assert verb(folder / "mute.wav", "--text", TEXT, "-o", out).exit_code == 0
    after = out.read_text().splitlines()
    assert after[:2] == before and len(after) == 3


def test_one_place_for_two_formats_is_refused(fake: FakePackage, folder: Path, tmp_path: Path) -> None:
    refused = verb(folder / "bear.wav", "-o", tmp_path / "x", "--html", tmp_path / "x")
    assert refused.exit_code == 1 and "name two" in refused.stderr


def test_what_this_command_made_is_made_anew(fake: FakePackage, folder: Path, tmp_path: Path) -> None:
    options = ("-o", tmp_path / "a.json", "--html", tmp_path / "a.html", "--textgrid", tmp_path / "a.TextGrid")
    for _ in range(2):
        assert verb(folder / "bear.wav", *options).exit_code == 0
    assert (tmp_path / "a.json").read_text().startswith("{")
    (tmp_path / "a.TextGrid").write_text('"words" of an annotator')
    assert verb(folder / "bear.wav", *options).exit_code == 1
    assert verb(folder / "bear.wav", *options, "--overwrite").exit_code == 0


def test_a_device_takes_the_scores(fake: FakePackage, folder: Path) -> None:
    assert verb(folder / "bear.wav", "-o", "/dev/null").exit_code == 0
    full = verb(folder / "bear.wav", "-o", "/dev/full")
    assert full.exit_code == 1 and "disk full" in full.stderr
    assert Path("/dev/full").is_char_device() and Path("/dev/null").is_char_device()


def test_other_phones_are_scored_again(fake: FakePackage, folder: Path, tmp_path: Path) -> None:
    out, listed = tmp_path / "out.jsonl", folder / "list.csv"
    for phones in ("Z IY B R AH", "Z EH B R AH"):
        listed.write_text(f"file,phones\nbear.wav,W IY\ndeep/zebra.flac,{phones}\n")
        assert verb("--list", listed, "-o", out).exit_code == 0
    said = [json.loads(line)["words"][0]["pronunciation"][1] for line in out.read_text().splitlines()]
    assert said == ["IY", "IY", "EH"]


@pytest.mark.parametrize(
    ("content", "culprit"),
    [
        ("name,text\na.wav,b\n", "line 1: columns are name, text.*file,text"),
        ("file,text\n", "needs a line"),
        ("file,text\n,hello\n", "line 2: no file"),
    ],
)
def test_a_list_that_is_none_is_refused(tmp_path: Path, content: str, culprit: str) -> None:
    (tmp_path / "list.csv").write_text(content)
    with pytest.raises(PhonobenchError, match=culprit):
        batch.of_list(tmp_path / "list.csv")


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [((), "name sound files"), (("a.wav", "--list", "b.csv"), "name sound files"),
     (("none.wav", "--text", "a"), "none.wav"), (("a.wav", "--format", "xml"), "azure, textgrid, html")],
)  # fmt: skip
def test_a_wrong_use_is_one_line(fake: FakePackage, arguments: tuple[str, ...], culprit: str) -> None:
    result = verb(*arguments)
    assert result.exit_code == 1
    assert culprit in result.stderr
    assert result.stderr.count("\n") == 1


def test_importing_the_package_loads_nothing() -> None:
    code = "import sys, phonobench; print(sorted({'numpy', 'numba', 'pydantic', 'rich'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
    assert callable(phonobench.score)
    with pytest.raises(AttributeError, match="nonesuch"):
        _ = phonobench.nonesuch


def test_scoring_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import fake_package as f, phonobench;"
        "phonobench.score(f.speech(), 'bear', rate=16000, package=f.FakePackage(['B', 'EH', 'R']));"
        "heavy = {'torch', 'sklearn', 'pandas', 'transformers', 'praatio', 'jinja2', 'rich'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(Path(fake_package.__file__).parent)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_package_is_read_once_and_again_when_its_facts_change(monkeypatch, tmp_path) -> None:
    from phonobench.assessment import bundle

    read = []
    monkeypatch.setattr(bundle, "load", lambda folder: read.append(folder) or object())
    facts = tmp_path / bundle.FACTS
    facts.write_text("{}")
    first = scoring.load(tmp_path)
    assert scoring.load(str(tmp_path)) is first
    os.utime(facts, ns=(1, 1))
    assert scoring.load(tmp_path) is not first
    assert read == [tmp_path.resolve()] * 2
