"""The embedded synthetic corpus: what is in the data, whether they agree with each other and with their generator."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from phonobench import audio
from phonobench.corpora import raters, synthetic
from phonobench.corpora.survey import check_audio
from phonobench.phones import ARPABET_TO_IPA, PHONES, VOWELS, strip_stress
from phonobench.types import SPLITS, Corpus

TOOLS = Path(__file__).resolve().parents[1] / "tools"
CONTENT = "a974dd948cca9d3142754a0e7c3b89d4e1c3d855773f22f0609800cf701f353e"
"""sha256 over names and contents of all files. After a wanted change of the generator: regenerate, then renew it."""


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return synthetic.read()


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    if not (TOOLS / "make_synthetic.py").exists():
        pytest.skip("no checkout: the generator is not part of the package")
    spec = importlib.util.spec_from_file_location("make_synthetic", TOOLS / "make_synthetic.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def espeak(generator: ModuleType) -> ModuleType:
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed; only the generator needs it")
    return generator


def _spoken(text: str) -> str:
    command = ["espeak-ng", "-v", "en-us", "-q", "--ipa", "--sep=_", text]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_content_is_what_was_generated() -> None:
    digest = hashlib.sha256()
    for file in sorted(p for p in synthetic.ROOT.rglob("*") if p.is_file()):
        digest.update(f"{file.relative_to(synthetic.ROOT).as_posix()}\0".encode() + file.read_bytes())
    assert digest.hexdigest() == CONTENT


def test_it_stays_small() -> None:
    assert sum(p.stat().st_size for p in synthetic.ROOT.rglob("*") if p.is_file()) < 4_000_000


def test_it_says_that_it_is_synthetic(corpus: Corpus) -> None:
    words = (synthetic.ROOT / "README.md").read_text(encoding="utf-8")
    assert corpus.synthetic
    assert "not human speech" in words
    assert "CC0" in words


def test_splits(corpus: Corpus) -> None:
    parts = {split: corpus.split(split) for split in SPLITS}
    assert {split: len(part) for split, part in parts.items()} == {"train": 320, "dev": 80, "test": 144}
    assert {split: len({u.speaker for u in part}) for split, part in parts.items()} == {
        "train": 20,
        "dev": 5,
        "test": 12,
    }


def test_ids_are_those_of_the_official_layout(corpus: Corpus) -> None:
    assert [u.id for u in corpus.utterances if not re.fullmatch(rf"0{u.speaker}\d{{4}}", u.id)] == []
    assert {len(u.speaker) for u in corpus.utterances} == {4}


@pytest.mark.parametrize("split", SPLITS)
def test_every_metric_is_defined_on_each_split(corpus: Corpus, split: str) -> None:
    part = corpus.split(split)  # type: ignore[arg-type]
    accuracy = np.array([u.judgement.accuracy for u in part])
    marks = np.array([mark for u in part for mark in u.judgement.phone_accuracy])
    by_speaker = Counter(u.speaker for u in part if u.judgement.accuracy >= 8)
    assert {phone for u in part for phone in u.prompt.phones} == set(PHONES)
    assert (accuracy >= 8).sum() >= 50
    assert (accuracy <= 6).sum() >= 10
    assert (marks < 0.5).sum() >= 50
    assert (marks <= 1.0).sum() > (marks < 0.5).sum()
    assert len(by_speaker) > len({u.speaker for u in part}) / 2


def test_every_phone_can_be_learnt(corpus: Corpus) -> None:
    counts = Counter(phone for u in corpus.split("train") for phone in u.prompt.phones)
    assert set(counts) == set(PHONES)
    assert min(counts.values()) >= 50


def test_test_has_new_and_known_sentences(corpus: Corpus) -> None:
    known = {u.prompt.text for u in corpus.split("train") + corpus.split("dev")}
    new = [u for u in corpus.split("test") if u.prompt.text not in known]
    assert 0.5 < len(new) / 144 < 0.8


def test_every_recording_is_sound(corpus: Corpus) -> None:
    assert list(check_audio(corpus)) == []


def test_longer_prompts_take_longer(corpus: Corpus) -> None:
    said = synthetic.said()
    part = corpus.split("test")
    seconds = [audio.info(u.audio).samples / audio.info(u.audio).rate for u in part]
    sounds = [sum(len(word) for word in said[u.id]) for u in part]
    assert min(seconds) > 1.0
    assert max(seconds) < 5.0
    assert np.corrcoef(seconds, sounds)[0, 1] > 0.6


def test_raters_make_the_released_scores(corpus: Corpus) -> None:
    """As in SpeechOcean762: the mean of five for phones, the median (cut to an integer) for the rest."""
    ratings = raters.read(corpus.root)
    assert set(ratings) == {u.id for u in corpus.utterances}
    for u in corpus.utterances:
        own, released = ratings[u.id], u.judgement
        np.testing.assert_allclose(own.phone_accuracy.mean(axis=1), released.phone_accuracy, atol=1e-9)
        np.testing.assert_array_equal(np.floor(np.median(own.word_accuracy, axis=1)), released.word_accuracy)
        np.testing.assert_array_equal(np.floor(np.median(own.word_stress, axis=1)), released.word_stress)
        np.testing.assert_array_equal(np.floor(np.median(own.word_total, axis=1)), released.word_total)
        for level in ("accuracy", "fluency", "prosodic", "total"):
            assert np.floor(np.median(getattr(own, level))) == getattr(released, level)


def test_what_was_said_covers_every_word(corpus: Corpus) -> None:
    said = synthetic.said()
    assert set(said) == {u.id for u in corpus.utterances}
    assert all(len(said[u.id]) == len(u.prompt.words) for u in corpus.utterances)
    symbols = {symbol for words in said.values() for word in words for symbol in word}
    assert symbols - set(PHONES) == {"CH*", "EY*", "HH*", "JH*", "OW*", "R*", "SH*"}


def test_what_was_heard_was_said(corpus: Corpus) -> None:
    """A phone named in a mispronunciations block is among the sounds of its word; a deleted one makes it shorter."""
    said = synthetic.said()
    wrong = []
    named = 0
    for u in corpus.utterances:
        for index, heard in zip(u.prompt.word_of_phone, u.judgement.perceived, strict=True):
            sounds = said[u.id][index]
            named += heard is not None
            added = sounds[-1:] == ("AH",) and u.prompt.words[index].phones[-1] != "AH"
            shorter = len(sounds) - added < len(u.prompt.words[index].phones)
            fits = heard in (None, "<unk>") or heard in sounds or (heard == "<DEL>" and shorter)
            wrong += [] if fits else [(u.id, index, heard)]
    assert wrong == []
    assert named == 386  # every phone scored below 0.5, and no other


def test_scores_follow_what_was_said(corpus: Corpus) -> None:
    """Words said as they should be score far above the others, and utterances with more errors lower."""
    said = synthetic.said()
    pairs = [
        (said[u.id][place] == word.phones, score)
        for u in corpus.utterances
        for place, (word, score) in enumerate(zip(u.prompt.words, u.judgement.word_accuracy, strict=True))
    ]
    right = np.array([score for good, score in pairs if good])
    wrong = np.array([score for good, score in pairs if not good])
    assert len(wrong) > 300
    assert right.mean() > 9.5
    assert wrong.mean() < 6.5
    share = [
        np.mean([said[u.id][place] != word.phones for place, word in enumerate(u.prompt.words)])
        for u in corpus.utterances
    ]
    assert np.corrcoef(share, [u.judgement.accuracy for u in corpus.utterances])[0, 1] < -0.6


def test_generator_makes_the_same_labels(generator: ModuleType) -> None:
    everything = [reading for speaker in generator.SPEAKERS for reading in generator.readings(speaker)]
    made = dict(generator.files(everything))
    assert len(made) == 17
    different = [name for name, text in made.items() if (synthetic.ROOT / name).read_text(encoding="utf-8") != text]
    assert different == []


def test_generator_makes_the_same_sound(espeak: ModuleType, tmp_path: Path) -> None:
    made_with = re.search(r"espeak-ng (\S+),", (synthetic.ROOT / "README.md").read_text(encoding="utf-8"))
    assert made_with is not None
    if espeak.voice.version() != made_with[1]:
        pytest.skip(f"another espeak-ng ({espeak.voice.version()}) than the data were made with ({made_with[1]})")
    speaker = next(s for s in espeak.SPEAKERS if s.number == "0012")
    for reading in espeak.readings(speaker)[:3]:
        file = tmp_path / "again.opus"
        file.write_bytes(espeak.sound(reading))
        again = audio.read(file)
        kept = audio.read(synthetic.ROOT / f"WAVE/SPEAKER0012/{reading.id}.opus")
        assert again.shape == kept.shape
        assert np.corrcoef(again, kept)[0, 1] > 0.95  # lossy codec: another libopus may differ in detail


@pytest.mark.parametrize("phone", PHONES)
def test_mnemonics_sound_as_their_phone(espeak: ModuleType, phone: str) -> None:
    """Oracle: the IPA that espeak-ng prints for the mnemonic, against the package's own table."""
    vowel = "" if phone in VOWELS else "i:"  # some consonants are named only before a vowel
    sounds = _spoken(f"[['{espeak.voice.MNEMONICS[phone]}{vowel}]]").split("_")
    assert sounds[1:] == (["ˈiː"] if vowel else [])
    assert re.sub("[ˈː]", "", sounds[0]).replace("ɜ", "ɝ") == ARPABET_TO_IPA[phone]


def test_lexicon_agrees_with_the_dictionary_of_espeak(espeak: ModuleType) -> None:
    """Oracle: how espeak-ng itself reads the words. The agreeing words must have every phone between them."""
    lexicon = {
        word: tuple(strip_stress(symbol) for symbol in symbols) for word, symbols in espeak.prompts.LEXICON.items()
    }
    printed = _spoken(".\n".join(word.lower() for word in lexicon)).split("\n")
    agreeing = [
        word for (word, phones), ipa in zip(lexicon.items(), printed, strict=True) if _known(espeak, ipa) == phones
    ]
    assert len(agreeing) >= 70
    assert {phone for word in agreeing for phone in lexicon[word]} == set(PHONES)


def _known(espeak: ModuleType, ipa: str) -> tuple[str, ...] | None:
    """Phones of an IPA transcription, None where it has a sound of another accent (the oː of FOUR)."""
    try:
        return tuple(espeak.voice.heard(ipa))
    except KeyError:
        return None


def test_every_recording_was_checked_against_what_espeak_says(espeak: ModuleType) -> None:
    """A generator that says something else than it was told must stop, not write."""
    speaker = espeak.SPEAKERS[0]
    word = espeak.errors.SaidWord("THE", ("DH", "AH"))
    weak = espeak.voice.WEAK
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(weak, "AH", "I#")
        with pytest.raises(ValueError, match=r"was told .* DH AH but says DH IH"):
            espeak.voice.wave(speaker, (word,), 1)
