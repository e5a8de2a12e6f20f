"""A corpus of another layout, added at run time as docs/adding.md says: recognised, read, described, evaluated."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import planted
import pytest
import soundfile
from typer.testing import CliRunner

from phonobench import corpora, evaluate, phones
from phonobench.cli import app
from phonobench.corpora import layout
from phonobench.corpora.assembly import hold_out_dev
from phonobench.corpora.files import read_lines, sound_file
from phonobench.types import ADULT, Judgement, PhonobenchError, Prompt, Utterance, Word

TABLE = "phones.tsv"


def utterances(root: Path) -> list[Utterance]:
    """Lines of file, speaker, split, words, their phones with `|` between words, and the perceived phones."""
    found = []
    for number, line in read_lines(root / TABLE):
        name, speaker, split, text, expected, perceived = line.split("\t")
        words = zip(text.split(), expected.split(" | "), strict=True)
        prompt = Prompt(tuple(Word(word, tuple(said.split())) for word, said in words))
        named = [None if a == b else a for a, b in zip(perceived.split(), prompt.phones, strict=True)]
        audio = sound_file(root, name, f"line {number} of {TABLE}")
        judgement = Judgement.unknown(prompt, named)
        found.append(Utterance(audio.stem, speaker, split, audio, prompt, judgement, age=None, gender=None))
    return hold_out_dev(found)


SPECIFICATION = corpora.Specification(
    name="accents",
    title="Two words a recording, phones as perceived, no scores",
    licence="none",
    home="tests/test_adding_corpus.py",
    holds=f"{TABLE} and the recordings it names",
    recognises=lambda path: (path / TABLE).is_file(),
    utterances=utterances,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten train and four test speakers, three recordings each."""
    root, lines = tmp_path / "my recordings", []
    root.mkdir()
    for s in range(14):
        for u in range(3):
            name = f"s{s:02d}-{u}.wav"
            soundfile.write(root / name, 0.1 * np.sin(np.arange(8000) * (0.1 + 0.01 * s + 0.001 * u)), 16_000)
            perceived = "W IH K AO L" if u == 0 else "W IY K AO L"
            split = "train" if s < 10 else "test"
            lines.append(f"{name}\ts{s:02d}\t{split}\tWE CALL\tW IY | K AO L\t{perceived}\n")
    (root / TABLE).write_text("".join(lines), encoding="utf-8")
    return root


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(corpora.CORPORA, SPECIFICATION.name, SPECIFICATION)


@pytest.fixture
def roots(tmp_path: Path) -> list[str]:
    return ["--runs", str(tmp_path / "runs"), "--results", str(tmp_path / "results")]


def perceived(u: Utterance) -> tuple[int, ...]:
    pairs = zip(u.judgement.perceived, u.prompt.phones, strict=True)
    return phones.encode(expected if named is None else named for named, expected in pairs)


def run_verb(*words: str) -> str:
    done = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.usefixtures("known")
def test_the_folder_is_recognised_and_read(folder: Path) -> None:
    assert corpora.recognise(folder) is SPECIFICATION
    found = corpora.find(folder)
    assert (found.name, found.root, found.synthetic) == ("accents", folder, False)
    assert [len(found.split(name)) for name in ("train", "dev", "test")] == [24, 6, 12]
    first = found.split("test")[0]
    assert (first.age, first.gender, first.is_child) == (None, None, None)
    assert first.judgement.perceived == (None, "IH", None, None, None)
    assert np.isnan(first.judgement.accuracy) and np.isnan(first.judgement.phone_accuracy).all()
    assert found.fingerprint == corpora.find(folder).fingerprint


@pytest.mark.usefixtures("known")
def test_the_verb_says_what_is_in_it_and_what_is_not(folder: Path) -> None:
    described = json.loads(run_verb("corpus", str(folder), "--json"))
    assert described["lacking"] == ["sentence scores", "word scores", "phone scores", "ages", "genders"]
    test = described["splits"]["test"]
    assert (test["utterances"], test["speakers"], test["words"], test["phones"]) == (12, 4, 24, 60)
    assert (test["mispronounced"], test["heard"], test["perceived"]) == (None, None, 4)
    assert (test["children"], test["ages"], test["genders"]) == (None, {"unknown": 4}, {"unknown": 4})
    assert test["sentence_accuracy"] == {"none": 12}
    shown = run_verb("corpus", "--corpus", str(folder), "--check-audio")
    assert "accents" in shown and "unknown" in shown
    assert "Known of no utterance: sentence scores, word scores, phone scores, ages, genders." in " ".join(
        shown.split()
    )


@pytest.mark.usefixtures("known")
def test_evaluation_gives_per_over_all_and_reasons_for_what_needs_scores(folder: Path, roots: list[str]) -> None:
    found = corpora.find(folder)
    planted.write_run(Path(roots[1]), "planted", found, perceived)
    run_verb("evaluate", "planted", "--corpus", str(folder), "--resamples", "50", *roots)
    results = {path.name: json.loads(path.read_text()) for path in Path(roots[3]).rglob("*.json")}
    recognition, scoring, detection = (
        results[f"test.{task}.json"]["metrics"] for task in ("recognition", "scoring", "detection")
    )
    assert recognition["per"]["value"] == pytest.approx(1 / 15)  # one phone of fifteen, by hand
    assert (recognition["per_hq"]["value"], recognition["per_hq"]["reason"]) == (None, "no human sentence accuracy")
    reasons = {name: metric["reason"] for name, metric in (scoring | detection).items() if metric["value"] is None}
    assert reasons["phone_pearson"] == reasons["phone_auc"] == reasons["phone_f1"] == "no human phone accuracy"
    assert reasons["utterance_auc"] == "no human sentence accuracy"
    assert reasons["word_stress_pearson"] == "no human word stress"
    assert set(reasons) == set(scoring | detection) - {"diagnosis_accuracy"}
    assert detection["diagnosis_accuracy"]["value"] == 1.0  # the planted posteriors peak at what was perceived
    assert results["test.recognition.json"]["breakdowns"] == {"age": {}, "gender": {}, "proficiency": {}}
    thresholds = results["test.detection.json"]["thresholds"]
    assert {facts["value"] for facts in thresholds.values()} == {None}


@pytest.mark.usefixtures("known")
def test_a_decoder_and_a_fusion_are_chosen_by_per_over_all_and_say_so(folder: Path, roots: list[str]) -> None:
    found, runs = corpora.find(folder), Path(roots[1])
    canonical = [planted.write_run(runs, "canonical", found, lambda u: phones.encode(u.prompt.phones))]
    other = planted.write_run(runs, "perceived", found, perceived)
    shown = run_verb("decode", "perceived", "--corpus", str(folder), *roots[:2], "--json")
    facts = json.loads(shown)
    assert "dev_per" in facts and "dev_per_hq" not in facts
    assert facts["chosen_by"] == "no utterance has a human sentence accuracy"
    grid = evaluate.grid(2, 10)
    chosen = evaluate.choose([*canonical, other], found, "frames", grid)
    assert chosen[0] >= 0.5  # the run without errors outweighs the other


def test_without_its_row_the_folder_is_refused_with_what_was_looked_for(folder: Path) -> None:
    with pytest.raises(
        PhonobenchError, match="is not a corpus that is known here; looked for: speechocean762"
    ) as error:
        corpora.find(folder)
    assert all(f"{spec.name} ({spec.holds})" in str(error.value) for spec in corpora.CORPORA.values())


def test_a_folder_that_several_recognise_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "other"):
        monkeypatch.setitem(corpora.CORPORA, name, replace(SPECIFICATION, name=name))
    with pytest.raises(PhonobenchError, match="is recognised as one and other"):
        corpora.find(folder)
    monkeypatch.setitem(corpora.CORPORA, "other", replace(SPECIFICATION, name="other", general=True))
    assert corpora.find(folder).name == "one"


def test_one_s_own_data_in_the_layout_reads_without_counts_and_is_called_after_its_folder(
    official_layout: Path, tmp_path: Path
) -> None:
    own = official_layout.rename(tmp_path / "school-b")
    for part in ("train", "test"):
        text = own / part / "text"
        text.write_text(text.read_text().replace("000010011\tWE CALL IT BEAR", "000010011\tBEAR CALL IT WE"))
        (own / part / "spk2age").write_text(
            "".join(f"{line.split()[0]} unknown\n" for line in (own / part / "spk2age").read_text().splitlines())
        )
    scores = json.loads((own / layout.SCORES).read_text())
    scores["000010011"]["words"].reverse()
    first, *between, last = scores["000010011"]["words"]
    scores["000010011"]["words"] = [first, *reversed(between), last]
    (own / layout.SCORES).write_text(json.dumps(scores))
    assert corpora.recognise(own) is layout.SPECIFICATION
    found = corpora.find(own)
    assert (found.name, len(found.utterances)) == ("school-b", 16)
    assert {u.age for u in found.utterances} == {None}


def test_a_copy_of_speechocean762_is_known_by_a_sentence_whatever_it_is_called(
    official_layout: Path, tmp_path: Path
) -> None:
    moved = official_layout.rename(tmp_path / "another name")
    with pytest.raises(PhonobenchError, match="12 utterances, published are 2,500"):
        corpora.find(moved)


def test_a_copy_of_the_synthetic_corpus_is_known_as_such(synthetic_corpus, tmp_path: Path) -> None:
    (tmp_path / "copy").symlink_to(synthetic_corpus.root)
    found = corpora.find(tmp_path / "copy")
    assert (found.name, found.synthetic, found.fingerprint) == ("synthetic", True, synthetic_corpus.fingerprint)


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda us: [], "holds no utterances"),
        (lambda us: [*us, us[0]], "utterance s00-0 stands twice"),
        (lambda us: [replace(us[0], split="test"), *us[1:]], "speaker s00 is in both"),
        (lambda us: [replace(us[0], prompt=Prompt((Word("WE", ("W", "QQ")),))), *us[1:]], "s00-0: unknown phone 'QQ'"),
        (lambda us: [replace(us[0], prompt=Prompt(())), *us[1:]], "s00-0: its prompt has no phones"),
        (
            lambda us: [replace(us[0], judgement=replace(us[0].judgement, phone_accuracy=(2.0,))), *us[1:]],
            "s00-0: 1 entries of phone_accuracy, but 5 phones",
        ),
        (lambda us: [replace(us[0], audio=us[0].audio.with_name("gone.wav")), *us[1:]], "gone.wav is missing or empty"),
        (lambda us: [replace(us[0], audio=Path(__file__)), *us[1:]], "does not lie in the corpus"),
    ],
)
def test_what_must_hold_of_any_corpus_is_checked(folder: Path, damage, complaint: str) -> None:
    spoilt = replace(SPECIFICATION, utterances=lambda root: damage(utterances(root)))
    with pytest.raises(PhonobenchError, match=complaint) as error:
        spoilt.read(folder)
    assert "\n" not in str(error.value)


def test_a_download_is_of_a_corpus_that_has_an_address() -> None:
    refused = CliRunner().invoke(app, ["corpus", "--download", "nowhere"])
    assert refused.exit_code == 1 and "these can be fetched: speechocean762" in " ".join(refused.stderr.split())
    both = CliRunner().invoke(app, ["corpus", "here", "--corpus", "there"])
    assert both.exit_code == 1 and "name one of them" in " ".join(both.stderr.split())


@pytest.mark.parametrize(("age", "band"), [(ADULT - 1, "child"), (ADULT, "adult"), (None, None)])
def test_who_is_a_child_is_the_same_in_bands_and_statistics(folder: Path, age: int | None, band: str | None) -> None:
    aged = replace(SPECIFICATION, utterances=lambda root: [replace(u, age=age) for u in utterances(root)])
    found = aged.read(folder)
    assert ADULT == 18  # the bands of the published results
    assert list(evaluate.intervals.bands(found.split("test"))["age"]) == ([] if band is None else [band])
    children = corpora.statistics(found)["splits"]["test"]["children"]
    assert children == {"child": 4, "adult": 0, None: None}[band]
