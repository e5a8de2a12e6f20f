"""Text as it is written: the table of texts and their readings, what is refused, and the choice by the audio."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import fake_package
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonobench import phones
from phonobench.assessment.scoring import score
from phonobench.evidence import CTCEvidence
from phonobench.pronounce import lexicon, normalise, reading
from phonobench.types import PhonobenchError

TABLE = Path(__file__).with_name("readings.tsv")
ROWS = [line.split("\t") for line in TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]


def can_be_read(text: str, said: list[str]) -> bool:
    """Whether the words can be cut into readings of the pieces, in order."""
    ends = {0}
    for span in normalise.spans(text):
        ends = {end + len(one) for end in ends for one in span.readings if tuple(said[end : end + len(one)]) == one}
    return len(said) in ends


def test_the_table_is_long_enough() -> None:
    assert len({text for text, _, _ in ROWS}) == len(ROWS) >= 150


@pytest.mark.parametrize(("text", "first", "others"), ROWS, ids=[row[0] for row in ROWS])
def test_a_text_has_the_readings_of_the_table(text: str, first: str, others: str) -> None:
    assert " ".join(token.word for token in normalise.words(text)) == first
    assert [one for one in others.split("|") if one and not can_be_read(text, one.split())] == []
    assert all(len(span.readings) <= normalise.MOST for span in normalise.spans(text))


def test_every_word_of_the_table_has_a_pronunciation() -> None:
    words = {word for _, first, others in ROWS for one in (first, *others.split("|")) for word in one.split()}
    assert sorted(word for word in words if not lexicon.pronunciations(word)) == ["covid"]


@pytest.mark.parametrize(
    ("text", "culprit"),
    [
        ("你好 hello", "你 好 is no letter of English"), ("привет", "cannot read привет"), ("call 1-2-3x", "1-2-3x"),
        ("the km sign", "km"), ("...", "holds no words"), ("", "holds no words"), ("“”", "holds no words"),
        ("f**k", "f..k"), ("a\x07b", "U.0007"), ("$abc", "an amount of money"), ("12a34b56c7", "12a34b56c7"),
        ("$1,2,3", "1,2,3"), ("snake\\case", "snake"), ("I ♥ NY", "♥"), ("√2", "√"), ("https://a.b/c", "https"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named_with_the_remedy(text: str, culprit: str) -> None:
    with pytest.raises(PhonobenchError, match=culprit):
        reading.of_text(text, guess=False)


SPOKEN = [
    ("the IT guy", "the i. t. guy"), ("the IT guy", "the it guy"), ("ask WHO now", "ask w. h. o. now"),
    ("ask WHO now", "ask who now"), ("an LED lamp", "an l. e. d. lamp"), ("an LED lamp", "an led lamp"),
    ("COVID is over", "covid is over"), ("COVID is over", "c. o. v. i. d. is over"),
    ("in 1990 it was", "in nineteen ninety it was"), ("in 1990 it was", "in one thousand nine hundred ninety it was"),
    ("in 1990 it was", "in one nine nine zero it was"), ("call 911 now", "call nine one one now"),
    ("call 911 now", "call nine eleven now"), ("call 911 now", "call nine hundred eleven now"),
    ("on 5/10 we met", "on five tenths we met"), ("on 5/10 we met", "on may tenth we met"),
    ("on 5/10 we met", "on october fifth we met"), ("on 5/10 we met", "on five out of ten we met"),
    ("No. 5 is it", "number five is it"), ("No. 5 is it", "no five is it"), ("St. James went", "street james went"),
    ("Dr. Smith left", "drive smith left"), ("World War II ended", "world war the second ended"),
    ("5 m away", "five million away"), ("at 10:00 we go", "at ten we go"), ("AT&T won", "a. t. t. won"),
    ("$3.50 please", "three fifty please"), ("it has 105 and 911", "it has one oh five and nine one one"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), SPOKEN)
def test_the_audio_decides_between_readings(text: str, said: str) -> None:
    spoken = [lexicon.pronunciations(word)[0].phones for word in said.replace("covid", "cove id").split()]
    ids = phones.encode([phone for one in spoken for phone in one])
    audio = CTCEvidence(fake_package.posteriors(ids, 4 * len(ids)), 0.02)
    found = reading.choose(reading.of_text(text), audio)
    assert " ".join(one.word for one in found) == said
    again = reading.choose(found, audio)
    assert [one.word for one in again] == [one.word for one in found]


def test_the_more_expected_reading_stands_where_the_audio_says_nothing() -> None:
    silent = fake_package.posteriors((), 200)
    found = reading.choose(reading.of_text("call 911 in 1990"), CTCEvidence(silent * 0 - 3.7, 0.02))
    assert [one.word for one in found][:1] == ["call"]
    assert len(reading.prompt(found).words) == len(found)


def test_the_scored_words_are_those_that_were_said() -> None:
    said = [phone for word in ["call", "nine", "one", "one"] for phone in lexicon.pronunciations(word)[0].phones]
    made = score(fake_package.speech(), "Call 911!", rate=16000, package=fake_package.FakePackage(said))
    assert [(word.text, word.written) for word in made.words] == [
        ("call", "Call"), ("nine", "911!"), ("one", "911!"), ("one", "911!")
    ]  # fmt: skip


def test_short_audio_is_measured_by_the_shortest_reading() -> None:
    assert reading.fewest_phones(reading.of_text("AT&T")) == len(reading.prompt(reading.of_text("A.T.T.")).phones)
    assert reading.fewest_phones(reading.of_text("911")) == 8


PARTS = [
    *"1209.,-–/:'$€%°½⁄ab@#+x×()[~*_=<>你α😀mkM!…Ⅻ٣１①ﬁßé™¢№",
    *("IT", "km", "am", "p.m.", "II", "st", "'s", "No.", "Jan", "&", "^2", "hello", "World", "Ph.D", "U.S.", "&amp;"),
    *(" ", "\u200b", "\u00ad", "\x07", "\n", '"'),
]


@given(st.lists(st.sampled_from(PARTS), min_size=1, max_size=8))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_in_letters_or_refused(parts: list[str]) -> None:
    try:
        found = normalise.spans("".join(parts))
    except PhonobenchError:
        found = ()
    said = [word for span in found for one in span.readings for word in one]
    assert all(set(word) <= set("abcdefghijklmnopqrstuvwxyz'.-") and word.strip(".'-") for word in said)
    assert all(0 < len(span.readings) <= normalise.MOST for span in found)


@pytest.mark.slow
def test_the_number_of_tries_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    loglik = CTCEvidence.loglik
    monkeypatch.setattr(CTCEvidence, "loglik", lambda self, ids: calls.append(ids) or loglik(self, ids))
    readings = reading.of_text(" ".join(["1990"] * 24))
    audio = CTCEvidence(fake_package.posteriors(phones.encode(reading.prompt(readings).phones), 600), 0.02)
    reading.choose([*readings], audio)
    whole = [ids for ids in calls if len(ids) > 100]  # of the whole text, not of a word between two others
    assert 0 < len(whole) < 2 * reading.MOST_TRIED


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("AT&T won", "AT&T"), ("the U.S. team", "U.S."), ("the U.S., too", "u.s."), ("the U.S.", "u.s"),
        ("(COVID-19)", "COVID-19"), ("a well-known man", "well-known"), ("well‑known", "well-known"), ("1990!", "1990"),
        ("it’s", "it's"), ("5/10", "5/10"), ("C++", "C++"), ("“Node.js”", "node.js"), ("$5", "$5"), ("Jan. 5", "jan."),
    ],
)  # fmt: skip
def test_the_user_s_lexicon_comes_first_for_the_piece_as_written(tmp_path: Path, text: str, entry: str) -> None:
    path = tmp_path / "own.txt"
    path.write_text(f"{entry} B L AO1 R F\n", encoding="utf-8")
    found = reading.of_text(text, lexicon.read(path))
    own = [one for one in found if one.pronunciation.source == "own"]
    assert [one.pronunciation.phones for one in own] == [("B", "L", "AO", "R", "F")]
    assert own[0].alternatives == ()


def test_possessives_of_the_user_s_entries_are_known() -> None:
    found = reading.of_text("AT&T's phone", {"at&t": (("B", "L", "AO", "R", "F"),)})
    assert found[0].pronunciation.phones == ("B", "L", "AO", "R", "F", "S")


@pytest.mark.parametrize(
    ("entry", "remedy"),
    [("elephant(2)", "second line of 'elephant'"), ("hello,", "without the punctuation"), ("(x)", "punctuation"),
     ("!!!", "punctuation"), ('"so"', "punctuation")],
)  # fmt: skip
def test_an_entry_that_never_matches_is_named(tmp_path: Path, entry: str, remedy: str) -> None:
    path = tmp_path / "own.txt"
    path.write_text(f"bear B EH R\n{entry} B EH R\n", encoding="utf-8")
    with pytest.raises(PhonobenchError, match=rf"line 2, .*never matches a text.*{remedy}"):
        lexicon.read(path)


def test_hyphenated_entries_of_the_dictionary_are_reachable() -> None:
    entries = [word for word in lexicon.entries() if "-" in word]
    assert len(entries) > 500
    lost = []
    for word in entries:
        found = [option for span in normalise.spans(f"so {word} is") for option in span.readings]
        said = {phones for option in found for phones in normalise.phones_of(list(option))}
        if (word,) not in found and not set(lexicon.look_up(word)) <= said:
            lost.append(word)
    assert lost == []


@pytest.mark.slow
@pytest.mark.corpus
def test_texts_of_the_corpus_are_read_as_before(real_corpus) -> None:
    words: dict[str, list[str]] = {}
    for text in {utterance.prompt.text for utterance in real_corpus.utterances}:
        found = reading.of_text(text)
        assert [one.word for one in found] == text.lower().split()
        words |= {one.word: [" ".join(variant.phones) for variant in one.variants] for one in found}
    assert len(words) == 2604
    digest = hashlib.sha256(json.dumps(sorted(words.items())).encode()).hexdigest()
    assert digest[:16] == "7065c32ac31b92ee"  # of commit e122397, before text was read in several ways
