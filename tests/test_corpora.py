"""The corpus reader: the published counts, the official release, and one clear error for each fault of a copy."""

from __future__ import annotations

import itertools
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from phonobench import corpora
from phonobench.corpora import assembly, raters, speechocean762
from phonobench.corpora.specification import count
from phonobench.types import SPLITS, PhonobenchError


def edit(root: Path, change, name: str = "resource/scores.json") -> None:
    """Change a JSON file in place."""
    content = json.loads((root / name).read_text())
    change(content)
    (root / name).write_text(json.dumps(content))


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_official_release_reads(official_layout, tiny):
    corpus = tiny.read(official_layout)
    assert [len(corpus.split(s)) for s in ("train", "dev", "test")] == [8, 4, 4]
    bear = next(u for u in corpus.utterances if u.id == "000010011")
    assert (bear.speaker, bear.age, bear.gender, bear.split) == ("0001", 6, "m", "dev")
    assert bear.audio == official_layout / "WAVE/SPEAKER0001/000010011.WAV"
    assert bear.prompt.text == "WE CALL IT BEAR"
    assert bear.prompt.phones == ("W", "IY", "K", "AO", "L", "IH", "T", "B", "EH", "R")
    assert bear.judgement.phone_accuracy == (2.0, 2.0, 2.0, 1.8, 1.8, 2.0, 2.0, 2.0, 1.2, 1.4)
    assert bear.judgement.word_accuracy == (10.0, 10.0, 10.0, 6.0)
    assert (bear.judgement.accuracy, bear.judgement.fluency, bear.judgement.completeness) == (8.0, 9.0, 10.0)
    assert bear.judgement.perceived == (None,) * 10
    lisa = next(u for u in corpus.utterances if u.id == "000010035")
    assert lisa.judgement.perceived == ("D", None, None, None)


def test_phones_written_as_one_string_read_the_same(official_layout, tiny):
    before = tiny.read(official_layout)

    def join(scores):
        for entry in scores.values():
            for word in entry["words"]:
                word["phones"] = " ".join(word["phones"])

    edit(official_layout, join)
    assert tiny.read(official_layout) == before


def test_a_copy_without_mispronunciation_blocks_reads_and_names_nothing_heard(official_layout, tiny):
    edit(official_layout, lambda scores: [w.pop("mispronunciations") for e in scores.values() for w in e["words"]])
    corpus = tiny.read(official_layout)
    assert {phone for u in corpus.utterances for phone in u.judgement.perceived} == {None}


@pytest.mark.parametrize(
    ("written", "heard"),
    [
        ("D", "D"), ("ER0", "ER"), ("<unk>", "<unk>"), ("<DEL>", "<DEL>"),
        ("N*", "N"), ("L*", "<unk>"), ("D Z", "<unk>"), ("AX0", "<unk>"),
    ],
)  # fmt: skip
def test_every_spelling_of_what_was_heard(official_layout, tiny, written, heard):
    def say(scores):
        scores["000010035"]["words"][0]["mispronunciations"][0]["pronounced-phone"] = written

    edit(official_layout, say)
    lisa = next(u for u in tiny.read(official_layout).utterances if u.id == "000010035")
    assert lisa.judgement.perceived == (heard, None, None, None)


def test_a_block_about_another_phone_than_stands_there_says_nothing(official_layout, tiny):
    edit(official_layout, lambda s: s["000010035"]["words"][0]["mispronunciations"][0].update({"index": 2}))
    lisa = next(u for u in tiny.read(official_layout).utterances if u.id == "000010035")
    assert lisa.judgement.perceived == (None,) * 4


def test_a_score_that_is_null_is_nan(official_layout, tiny):
    edit(official_layout, lambda scores: scores["000010035"].update(completeness=None))
    corpus = tiny.read(official_layout)
    lisa = next(u for u in corpus.utterances if u.id == "000010035")
    assert math.isnan(lisa.judgement.completeness)
    assert corpora.statistics(corpus)["splits"]["dev"]["sentence_completeness"] == {"10": 3, "none": 1}


def test_dev_is_every_fifth_sorted_train_speaker_beginning_with_the_first(official_layout, tiny):
    corpus = tiny.read(official_layout)
    assert {u.speaker for u in corpus.split("dev")} == {"0001", "0048"}
    assert {u.speaker for u in corpus.split("train")} == {"0005", "0006", "0026", "0036"}
    assert assembly.dev_speakers(str(i) for i in (9, 3, 7, 1, 5, 8)) == ["1", "9"]


def word(uid: str, **fields):
    return lambda scores: scores[uid]["words"][0].update(fields)


SCORES = {
    "scores missing": (lambda s: s.pop("000010035"), r"scores\.json has no scores for utterance 000010035 of train"),
    "unknown phone": (
        word("000010035", phones=["L", "IY1", "S", "AX0"]),
        r"utterance 000010035, word 'LISA': unknown phone 'AX0'",
    ),
    "fewer scores than phones": (
        word("000010035", **{"phones-accuracy": [2.0, 2.0, 2.0]}),
        r"utterance 000010035, word 'LISA': 4 phones but 3 phone scores",
    ),
    "no phones": (word("000010035", phones=[], **{"phones-accuracy": []}), "0 phones but 0 phone scores"),
    "words unlike the text": (word("000010035", text="LIZA"), "words 'LIZA' are not those of the transcript 'LISA'"),
    "a field missing": (lambda s: s["000010035"].pop("fluency"), "utterance 000010035: 'fluency' is missing"),
    "a score out of range": (lambda s: s["000010035"].update(accuracy=80), "accuracy 80 is not a number from 0 to 10"),
    "a phone score out of range": (
        word("000010035", **{"phones-accuracy": [2.0, 2.0, 2.0, 2.5]}),
        "phone accuracy 2.5 is not a number from 0 to 2",
    ),
    "a score that is text": (lambda s: s["000010035"].update(total="8"), "total '8' is not a number"),
    "no words": (lambda s: s["000010035"].update(words=[]), "its words '' are not those"),
    "an entry of another form": (lambda s: s.update({"000010035": [1, 2]}), "not in the form of the corpus"),
    "an index outside the word": (
        word("000010035", mispronunciations=[{"canonical-phone": "L", "index": 4, "pronounced-phone": "D"}]),
        "mispronunciation of phone 4, but the word has 4",
    ),
    "something heard that is no phone": (
        word("000010035", mispronunciations=[{"canonical-phone": "L", "index": 0, "pronounced-phone": "??"}]),
        r"pronounced phone '\?\?' is not a phone",
    ),
    "fewer mispronounced phones": (
        word("000010035", **{"phones-accuracy": [2.0, 2.0, 2.0, 2.0]}),
        "train: 5 mispronounced, published are 6; the copy is incomplete or another release",
    ),
}

FILES = {
    "a missing recording": (
        lambda r: (r / "WAVE/SPEAKER0005/000050011.WAV").unlink(),
        r"000050011\.WAV is missing \(utterance 000050011 of train/wav\.scp\); copy the recordings again",
    ),
    "an empty recording": (
        lambda r: (r / "WAVE/SPEAKER0003/000030011.WAV").write_bytes(b""),
        r"000030011\.WAV is an empty file \(utterance 000030011 of test/wav\.scp\)",
    ),
    "a missing table": (lambda r: (r / "train/spk2age").unlink(), r"train/spk2age is missing"),
    "truncated JSON": (
        lambda r: (r / "resource/scores.json").write_text((r / "resource/scores.json").read_text()[:5_000]),
        r"scores\.json is not readable JSON .* truncated or damaged JSON",
    ),
    "JSON of another form": (lambda r: (r / "resource/scores.json").write_text("[1]"), "not a table of utterances"),
    "a table that is not text": (lambda r: (r / "test/text").write_bytes(b"\xff\xfe\x00"), r"test/text: not text"),
    "an utterance without a speaker": (
        lambda r: replace(r / "train/utt2spk", "000050011 0005\n", ""),
        r"wav\.scp and utt2spk do not list the same utterances, 000050011 is in one only",
    ),
    "an utterance without a recording": (
        lambda r: replace(r / "train/wav.scp", "000050011\tWAVE/SPEAKER0005/000050011.WAV\n", ""),
        r"wav\.scp and utt2spk do not list the same utterances, 000050011",
    ),
    "a line without a value": (
        lambda r: replace(r / "test/text", "000030035\tLISA", "000030035"),
        r"test/text, line 2: '000030035' has no value",
    ),
    "a line that stands twice": (
        lambda r: replace(r / "test/text", "000030035\tLISA", "000030011\tLISA"),
        r"test/text, line 2: '000030011' stands twice",
    ),
    "a speaker without an age": (
        lambda r: replace(r / "test/spk2age", "0003\t6\n", ""),
        "spk2age lacks speaker 0003",
    ),
    "an age that is no number": (lambda r: replace(r / "test/spk2age", "0003\t6", "0003\tsix"), "age 'six'"),
    "a recording outside the corpus": (
        lambda r: replace(r / "test/wav.scp", "WAVE/SPEAKER0003/000030011.WAV", "../../000030011.WAV"),
        "does not lie in the corpus",
    ),
    "a speaker in both splits": (
        lambda r: replace(r / "test/utt2spk", " 0024", " 0005") or replace(r / "test/spk2age", "0024", "0005")
        or replace(r / "test/spk2gender", "0024", "0005"),
        r"speaker 0005 is in both train and test \(1 such\), the splits overlap",
    ),
    "an utterance in both splits": (
        lambda r: [
            (r / "test" / name).write_text((r / "test" / name).read_text() + line)
            for name, line in (
                ("wav.scp", "000050011\tWAVE/SPEAKER0005/000050011.WAV\n"),
                ("utt2spk", "000050011 0024\n"),
                ("text", "000050011\tWE CALL IT BEAR\n"),
            )
        ],
        "utterance 000050011 is in both train and test",
    ),
    "utterances left out": (
        lambda r: [
            (r / "test" / name).write_text("\n".join((r / "test" / name).read_text().splitlines()[:-1]) + "\n")
            for name in ("wav.scp", "utt2spk", "text")
        ],
        r"test: 3 utterances, published are 4; the copy is incomplete or another release",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", SCORES)
def test_each_fault_of_the_scores_is_one_clear_error(official_layout, tiny, fault):
    change, complaint = SCORES[fault]
    edit(official_layout, change)
    with pytest.raises(PhonobenchError, match=complaint) as error:
        tiny.read(official_layout)
    assert "\n" not in str(error.value) and str(official_layout) in str(error.value)


@pytest.mark.parametrize("fault", FILES)
def test_each_fault_of_the_files_is_one_clear_error(official_layout, tiny, fault):
    change, complaint = FILES[fault]
    change(official_layout)
    with pytest.raises(PhonobenchError, match=complaint) as error:
        tiny.read(official_layout)
    assert "\n" not in str(error.value) and str(official_layout) in str(error.value)


def test_a_folder_that_is_no_corpus_says_which_folder_is_wanted(tmp_path, tiny):
    with pytest.raises(PhonobenchError, match=r"lacks resource/scores\.json; give the folder that holds train/"):
        tiny.read(tmp_path)
    with pytest.raises(PhonobenchError, match="is no folder"):
        tiny.read(tmp_path / "gone")


def test_counts_can_be_waived_and_a_limit_keeps_the_first_of_each_split(official_layout, tiny):
    (official_layout / "test/wav.scp").write_text("000030011\tWAVE/SPEAKER0003/000030011.WAV\n")
    (official_layout / "test/utt2spk").write_text("000030011 0003\n")
    (official_layout / "test/text").write_text("000030011\tWE CALL IT BEAR\n")
    assert len(tiny.read(official_layout, counted=False).split("test")) == 1
    limited = tiny.read(official_layout, counted=False, limit=1)
    assert [u.id for u in limited.utterances] == ["000010011", "000030011", "000050011"]
    with pytest.raises(PhonobenchError, match="limit 0"):
        tiny.read(official_layout, counted=False, limit=0)


def test_the_fingerprint_is_that_of_the_content_not_of_the_place(official_layout, tiny, tmp_path):
    here = tiny.read(official_layout).fingerprint
    moved = shutil.copytree(official_layout, tmp_path / "elsewhere/another name")
    assert tiny.read(moved).fingerprint == here
    edit(moved, word("000010035", accuracy=4))
    assert tiny.read(moved).fingerprint != here
    edit(moved, word("000010035", accuracy=5))
    assert tiny.read(moved).fingerprint == here
    with (moved / "WAVE/SPEAKER0005/000050011.WAV").open("ab") as file:
        file.write(b"\0")
    assert tiny.read(moved).fingerprint != here


def test_check_audio_names_each_recording_that_is_damaged(official_layout, tiny):
    def record(uid: str) -> Path:
        return official_layout / f"WAVE/SPEAKER{uid[1:5]}/{uid}.WAV"

    def write(uid: str, wave) -> None:
        soundfile.write(record(uid), wave, 16_000, format="WAV")

    corpus = tiny.read(official_layout)
    assert corpora.check_audio(corpus) == []
    content = record("000010011").read_bytes()
    record("000010011").write_bytes(content[:-100])
    record("000010035").write_bytes(b"not audio at all")
    write("000030011", np.zeros(8_000))
    write("000050011", np.clip(4 * np.sin(np.arange(8_000)), -1, 1))
    write("000060011", 0.1 * np.sin(np.arange(4_000)))
    record("000260011").write_bytes(record("000240011").read_bytes())
    seen = []
    found = corpora.check_audio(corpus, seen.append)
    told = {fault.utterance: fault.message for fault in found}
    assert sorted(told) == ["000010011", "000010035", "000030011", "000050011", "000060011", "000260011"]
    assert told["000010011"].startswith("truncated WAV file, a part of it is missing (15900 of 16000 bytes are there)")
    assert told["000010035"].startswith("not a readable sound file")
    assert told["000030011"].startswith("silent")
    assert told["000050011"].startswith("clipped")
    assert told["000060011"].startswith("too short: 0.25 s for 10 phones")
    assert told["000260011"] == "double: the same sound as utterance 000240011"
    assert [(step.done, step.total) for step in seen] == [(i, 16) for i in range(1, 17)]


def test_statistics_count_what_is_there(official_layout, tiny):
    found = corpora.statistics(tiny.read(official_layout))
    json.dumps(found, allow_nan=False)
    dev = found["splits"]["dev"]
    assert (dev["utterances"], dev["speakers"], dev["words"], dev["phones"]) == (4, 2, 10, 28)
    assert (dev["mispronounced"], dev["heard"]) == (2, 2)
    assert dev["hours"] == pytest.approx(4 * 0.5 / 3600)
    assert dev["ages"] == {"6": 1, "26": 1} and dev["genders"] == {"f": 1, "m": 1} and dev["children"] == 1
    assert dev["word_accuracy"] == {"5": 2, "6": 2, "10": 6}
    assert dev["phone_accuracy"] == {"0.4": 2, "1.2": 4, "1.4": 2, "1.8": 4, "2": 16}


def test_raters_marks_become_scores_and_their_means_those_of_the_corpus(official_layout, tiny):
    corpus, found = tiny.read(official_layout), raters.read(official_layout)
    bear = found["000010011"]
    assert bear.phone_accuracy.shape == (10, 5) and bear.word_accuracy.shape == (4, 5)
    assert bear.phone_accuracy[8].tolist() == [0, 2, 2, 0, 2]  # EH in "B (EH0) R", "B EH0 {R}", ...
    assert bear.phone_accuracy[9].tolist() == [2, 1, 2, 0, 2]
    assert bear.completeness.tolist() == [10, 10, 10, 7.5, 10]
    for u in corpus.utterances:
        assert np.allclose(found[u.id].phone_accuracy.mean(axis=1), u.judgement.phone_accuracy)


def test_words_without_marks_are_nan_in_the_table(official_layout, tiny):
    edit(official_layout, lambda d: d["000030035"]["words"][0].update(phones=None), "resource/scores-detail.json")
    found = raters.read(official_layout)
    assert np.isnan(found["000030035"].phone_accuracy).all()
    corpus = tiny.read(official_layout)
    scores, speakers = raters.table(corpus, found, "phone_accuracy", "test")
    marked = np.isfinite(scores).all(axis=1)
    assert scores.shape == (28, 5) and np.bincount(speakers[marked]).tolist() == [10, 14]
    scores, speakers = raters.table(corpus, found, "accuracy", "test")
    assert scores.shape == (4, 5) and speakers.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda d: d["000030035"]["words"][0]["phones"].pop(), "4 raters, not 5"),
        (lambda d: d["000030035"]["fluency"].pop(), "4 raters for fluency, 5 for accuracy"),
        (lambda d: d["000030035"]["words"][0]["phones"].__setitem__(1, "L IY1 S"), "rater 2 marks 'L IY1 S'"),
        (lambda d: d["000030035"].pop("words"), "utterance 000030035: 'words' is missing"),
    ],
)
def test_faulty_ratings_are_refused(official_layout, change, complaint):
    edit(official_layout, change, "resource/scores-detail.json")
    with pytest.raises(PhonobenchError, match=complaint):
        raters.read(official_layout)


def nowhere(monkeypatch) -> None:
    monkeypatch.delenv(corpora.ENVIRONMENT, raising=False)
    monkeypatch.setattr(corpora, "_nearby", lambda name: iter(()))


def test_find_takes_the_environment_and_never_passes_a_named_folder_over(monkeypatch, tmp_path, official_layout, tiny):
    nowhere(monkeypatch)
    monkeypatch.setenv(corpora.ENVIRONMENT, str(tmp_path / "gone"))
    with pytest.raises(PhonobenchError, match=r"^PHONOBENCH_CORPUS: .*gone is not a corpus"):
        corpora.find()
    with pytest.raises(PhonobenchError, match="12 utterances, published are 2,500"):
        corpora.find(official_layout)
    with pytest.raises(PhonobenchError, match=r"did you mean speechocean762\?"):
        corpora.find("speechocean")


def test_find_looks_beside_and_above_the_working_directory(monkeypatch, tmp_path, official_layout):
    monkeypatch.delenv(corpora.ENVIRONMENT, raising=False)
    (tmp_path / "shared").mkdir()
    (tmp_path / "project/deep").mkdir(parents=True)
    official_layout.rename(tmp_path / "shared/speechocean762")
    for start in ("project/deep", "project", "."):
        monkeypatch.chdir(tmp_path / start)
        with pytest.raises(PhonobenchError, match=rf"^{tmp_path}/shared/speechocean762/train: 12 utterances"):
            corpora.find()


def test_without_a_copy_find_says_how_to_get_one(monkeypatch):
    nowhere(monkeypatch)
    with pytest.raises(PhonobenchError, match=r"no copy of SpeechOcean762 found; give --corpus FOLDER"):
        corpora.find(allow_synthetic=False)
    with pytest.raises(PhonobenchError, match="no copy of speechocean762 found nearby"):
        corpora.find("speechocean762")


def test_without_a_copy_the_synthetic_corpus_is_found_and_says_so(monkeypatch, synthetic_corpus):
    nowhere(monkeypatch)
    found = corpora.find()
    assert found.synthetic and found.name == "synthetic"
    assert found == synthetic_corpus == corpora.find(found.root)
    assert {u.split for u in corpora.find(limit=1).utterances} == {"train", "dev", "test"}


def test_a_real_corpus_nearby_goes_before_the_synthetic_one(monkeypatch, official_layout):
    nowhere(monkeypatch)
    monkeypatch.setattr(corpora, "_nearby", lambda name: iter([official_layout]))
    with pytest.raises(PhonobenchError, match="12 utterances, published are 2,500"):
        corpora.find()


def test_the_synthetic_corpus_is_whole_and_its_raters_have_its_scores_as_their_mean(synthetic_corpus):
    assert corpora.check_audio(corpora.find("synthetic", limit=20)) == []
    found = raters.read(synthetic_corpus.root)
    for u in synthetic_corpus.utterances:
        assert np.allclose(found[u.id].phone_accuracy.mean(axis=1), u.judgement.phone_accuracy)
    for part in corpora.statistics(synthetic_corpus)["splits"].values():
        assert part["heard"] == part["mispronounced"] > 0


@pytest.mark.corpus
def test_the_real_corpus_has_its_published_counts(real_corpus):
    expected = speechocean762.SPECIFICATION.expected
    assert expected is not None
    train = real_corpus.split("train") + real_corpus.split("dev")
    assert count(train) == expected.train and count(real_corpus.split("test")) == expected.test
    sizes = {s: (len(real_corpus.split(s)), len({u.speaker for u in real_corpus.split(s)})) for s in SPLITS}
    assert sizes == {"train": (2000, 100), "dev": (500, 25), "test": (2500, 125)}
    at_most_one = sum(mark <= 1.0 for u in real_corpus.split("test") for mark in u.judgement.phone_accuracy)
    assert at_most_one == 2_149  # PROTOCOL.md, task C


def agree(scores: np.ndarray) -> tuple[float, float]:
    """Pearson of a rater with the mean of the others and of two raters, each a mean, over the units that all scored."""
    scores = scores[np.isfinite(scores).all(axis=1)]
    raters = range(scores.shape[1])
    ones = [np.corrcoef(scores[:, i], np.delete(scores, i, axis=1).mean(axis=1))[0, 1] for i in raters]
    pairs = [np.corrcoef(scores[:, i], scores[:, j])[0, 1] for i, j in itertools.combinations(raters, 2)]
    return round(float(np.mean(ones)), 3), round(float(np.mean(pairs)), 3)


@pytest.mark.corpus
def test_the_real_raters_agree_as_published_and_reproduce_the_phone_scores(real_corpus):
    found = raters.read(real_corpus.root)
    agreement = {
        judgement: agree(raters.table(real_corpus, found, judgement)[0])
        for judgement in ("phone_accuracy", "word_accuracy", "accuracy")
    }
    # one rater against the mean of the others, and pairs of raters
    assert agreement == {
        "phone_accuracy": (0.678, 0.555), "word_accuracy": (0.706, 0.588), "accuracy": (0.749, 0.638)
    }  # fmt: skip
    means = np.concatenate([found[u.id].phone_accuracy.mean(axis=1) for u in real_corpus.utterances])
    given = np.concatenate([u.judgement.phone_accuracy for u in real_corpus.utterances])
    marked = np.isfinite(means)
    differ = np.abs(means - given)[marked] > 1e-9
    assert (len(differ), np.count_nonzero(differ)) == (93_335, 294)


@pytest.mark.corpus
def test_the_real_recordings_of_a_few_speakers_are_sound_and_the_hours_are_as_published(real_corpus):
    hours = {split: part["hours"] for split, part in corpora.statistics(real_corpus)["splits"].items()}
    assert round(hours["train"] + hours["dev"], 1) == 2.9 and round(hours["test"], 1) == 2.7
    few = tuple(u for u in real_corpus.utterances if u.id.endswith("1"))[:100]
    part = type(real_corpus)(real_corpus.name, real_corpus.root, few, "", False)
    assert corpora.check_audio(part) == []
