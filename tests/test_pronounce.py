"""Text to phones: what is read aloud, how words may be said, guesses at unknown ones, and which variant was said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import fake_package
import numpy as np
import pytest

from phonobench import phones
from phonobench.evidence import CTCEvidence
from phonobench.pronounce import accents, g2p, lexicon, normalise, numbers, reading
from phonobench.types import PhonobenchError


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("WE CALL IT BEAR", "we call it bear"),
        ("Don’t — I said: “it’s 3:05 p.m.!”", "don't i said it's three oh five p. m."),
        ("It cost $3.50, or $3 million.", "it cost three dollars and fifty cents or three million dollars"),
        ("$3 million dollars", "three million dollars"),
        ("20% off in 1984 and the 1990s", "twenty percent off in nineteen eighty four and the nineteen nineties"),
        ("in 2005, 1905, 1900 and 2020", "in two thousand five nineteen oh five nineteen hundred and twenty twenty"),
        ("the 21st, 007, 3.14, -5", "the twenty first zero zero seven three point one four minus five"),
        ("1,234,567", "one million two hundred thirty four thousand five hundred sixty seven"),
        ("well-known café, 5-year-old", "well known cafe five year old"),
        ("the U.S. and 'em & $1.01", "the u. s. and 'em and one dollar and one cent"),
        ("at 10:00 on Mr. Jones's 12th", "at ten o'clock on mr jones's twelfth"),
        ("'quoted' words (here)", "quoted words here"),
    ],
)
def test_text_is_read_as_people_read_it(text: str, said: str) -> None:
    assert " ".join(token.word for token in normalise.words(text)) == said


@pytest.mark.parametrize(
    ("text", "culprit"),
    [("你好 hello", "你 好"), ("call 1-2-3x", "1-2-3x"), ("...", "holds no words"), ("", "holds no words")],
)  # fmt: skip
def test_what_cannot_be_read_is_named(text: str, culprit: str) -> None:
    with pytest.raises(PhonobenchError, match=culprit):
        normalise.words(text)


def test_numbers_are_spelled_out() -> None:
    by_hand = {0: "zero", 13: "thirteen", 40: "forty", 101: "one hundred one", 1_000_000: "one million",
               999_999: "nine hundred ninety nine thousand nine hundred ninety nine"}  # fmt: skip
    assert {n: " ".join(numbers.cardinal(n)) for n in by_hand} == by_hand
    assert [" ".join(numbers.ordinal(n)) for n in (1, 12, 20, 33)] == ["first", "twelfth", "twentieth", "thirty third"]
    assert numbers.cardinal(numbers.LARGEST + 1) == ["one", *["zero"] * 15]


def test_every_spoken_number_is_in_the_lexicon() -> None:
    said = {word for n in [*range(100), 100, 1000, 10**6, 10**9, 10**12] for word in numbers.cardinal(n)}
    said |= {word for n in range(1, 32) for word in numbers.ordinal(n)} | {"point", "percent", "minus", "oh", "dollars"}
    assert [word for word in sorted(said) if not lexicon.look_up(word)] == []


def test_every_letter_has_a_name() -> None:
    assert [name for name in normalise.initials("ABCDEFGHIJKLMNOPQRSTUVWXYZ") if not lexicon.look_up(name)] == []


MENDS = Path(__file__).parents[1] / "tools" / "cmudict_mends.txt"


def test_known_faults_of_the_dictionary_are_mended() -> None:
    mends: dict[str, list[tuple[str, ...]]] = {}
    for line in MENDS.read_text(encoding="utf-8").splitlines():
        word, *symbols = line.partition("#")[0].split() or [""]
        mends.setdefault(word, []).append(tuple(phones.strip_stress(symbol) for symbol in symbols))
    del mends[""]
    assert len(mends) > 30
    assert {word: lexicon.look_up(word) for word in mends} == {word: tuple(one) for word, one in mends.items()}
    assert lexicon.look_up("tern") == (("T", "ER", "N"),)
    assert lexicon.look_up("synapse") == (("S", "IH", "N", "AE", "P", "S"),)


def test_words_have_the_dictionary_s_variants_first() -> None:
    found = lexicon.pronunciations("the")
    assert [(one.phones, one.source) for one in found][:2] == [(("DH", "AH"), "lexicon"), (("DH", "IY"), "lexicon")]
    assert ("F", "ER") in [one.phones for one in lexicon.pronunciations("for")]
    unknown = ("zzyzxx", "", "!", "~", "zz", "zeqx", "aaaa")  # before, behind and between what is there
    assert [lexicon.look_up(word) for word in unknown] == [()] * 7
    assert lexicon.pronunciations("he llo") == ()
    every = [phone for word in ("bear", "read", "world") for variant in lexicon.look_up(word) for phone in variant]
    phones.encode(every)
    assert lexicon.look_up("read") == (("R", "EH", "D"), ("R", "IY", "D"))


def test_every_word_is_found_where_it_stands() -> None:
    known = lexicon.entries()
    assert len(known) > 120_000
    assert all(known.values())
    assert list(known) == sorted(known)


def test_weak_forms_are_of_known_words_and_phones() -> None:
    for word, forms in lexicon.WEAK.items():
        assert lexicon.look_up(word), word
        for form in forms.split("|"):
            phones.encode(form.split())


@pytest.mark.parametrize(
    ("word", "form", "kind"),
    [
        ("better", "B EH T AH", "regional"), ("near", "N IH AH", "regional"), ("for", "F AO", "regional"),
        ("hot", "HH AH T", "regional"), ("last", "L AA S T", "regional"), ("answered", "AA N S AH D", "regional"),
        ("around", "AH R AW N D", "regional"), ("people", "P IY P L", "reduced"), ("seven", "S EH V N", "reduced"),
        ("happy", "HH AE P IH", "reduced"), ("basket", "B AE S K IH T", "reduced"),
    ],
)  # fmt: skip
def test_british_and_reduced_forms_are_accepted(word: str, form: str, kind: str) -> None:
    assert {one.phones: one.source for one in lexicon.pronunciations(word)}[tuple(form.split())] == kind


@pytest.mark.parametrize(("word", "form"), [("bird", "B AH D"), ("but", "B IH T"), ("red", "EH D"), ("law", "L AH")])
def test_rules_leave_alone_what_they_should(word: str, form: str) -> None:
    assert tuple(form.split()) not in [one.phones for one in lexicon.pronunciations(word)]
    assert accents.forms("cat", [("K", False), ("AE", False), ("T", False)]) == {}


def test_an_unknown_possessive_has_the_ending_of_its_stem() -> None:
    ends = {word: lexicon.pronunciations(word + "'s", {})[0] for word in ("zebra", "giraffe", "ostrich")}
    assert [one.phones[-2:] for one in ends.values()] == [("AH", "Z"), ("F", "S"), ("IH", "Z")]
    assert {one.source for one in ends.values()} == {"derived"}


def test_an_own_lexicon_stands_in_place_of_the_dictionary(tmp_path: Path) -> None:
    path = tmp_path / "own.txt"
    path.write_text("# mine\nBear  B IY1 R  # not the animal\nblorf B L AO1 R F\nblorf B L AA R F\n", encoding="utf-8")
    own = lexicon.read(path)
    assert own == {"bear": (("B", "IY", "R"),), "blorf": (("B", "L", "AO", "R", "F"), ("B", "L", "AA", "R", "F"))}
    assert [one.source for one in lexicon.pronunciations("bear", own)] == ["own"]
    for content, culprit in (("bear\n", "no phones"), ("\nbear B EE R\n", "line 2.*'EE'")):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(PhonobenchError, match=culprit):
            lexicon.read(path)
    with pytest.raises(PhonobenchError, match="does not exist"):
        lexicon.read(tmp_path / "none.txt")


def test_guesses_sound_like_the_word() -> None:
    assert g2p.guess("blorfing")[0].phones[-2:] == ("IH", "NG")
    assert g2p.guess("mumbleton")[0].phones[:6] == ("M", "AH", "M", "B", "AH", "L")
    shares = [one.probability for one in g2p.guess("quexley")]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) <= 1 + 1e-9
    assert g2p.guess("a1") == ()


def test_the_guessing_model_is_a_probability_model() -> None:
    grams = g2p.shipped()
    units = np.arange(1, len(grams.letters) + 2)  # the end and every unit
    for word in ("", "th", "knowl"):
        history = 0
        for letter in word:
            history = (history << g2p.BITS) | (grams.letters.index(letter) + 2)
        history &= (1 << g2p.BITS * (grams.order - 1)) - 1
        total = np.exp(grams.score(np.full(len(units), history), units)).sum()
        assert total == pytest.approx(1, abs=0.05)  # values are rounded to 1/16 nat


def test_packing_a_model_keeps_it() -> None:
    grams = g2p.shipped()
    again = g2p.unpack(g2p.pack(grams))
    for name in ("keys", "logp", "backoff"):
        assert all((a == b).all() for a, b in zip(getattr(grams, name), getattr(again, name), strict=True))
    assert (again.letters, again.phones) == (grams.letters, grams.phones)


def test_unknown_words_are_guessed_or_refused_by_name() -> None:
    found = reading.of_text("the blorfing bear")
    assert [one.pronunciation.source for one in found] == ["lexicon", "guessed", "lexicon"]
    with pytest.raises(PhonobenchError, match=r"known for blorfing, quxly: .*--phones.*--lexicon"):
        reading.of_text("the blorfing quxly bear", guess=False)


def test_capitals_that_are_no_word_are_spelled_unless_all_is_in_capitals() -> None:
    assert [one.word for one in reading.of_text("the XQC bear")] == ["the", "x.", "q.", "c.", "bear"]
    shouted = reading.of_text("THE XQC BEAR")
    assert [one.word for one in shouted] == ["the", "xqc", "bear"]
    assert [[word.word for word in option] for option in shouted[1].alternatives] == [["x.", "q.", "c."]]


def test_phones_can_be_given() -> None:
    found = reading.of_phones("W IY1 | K AO1 L")
    assert reading.prompt(found).phones == ("W", "IY", "K", "AO", "L")
    assert [one.word for one in found] == ["W IY", "K AO L"]
    assert reading.of_phones(["w", "i"], "we")[0] == reading.of_phones("W IY", "we")[0]
    for given, text, culprit in (("W |", None, "missing"), ("W QQ", None, "'QQ'"), ("W IY", "we call", "2 words")):
        with pytest.raises(PhonobenchError, match=culprit):
            reading.of_phones(given, text)


@pytest.mark.parametrize("said", ["DH AH R EH D B EH AH", "DH IY R IY D B EH R", "DH AH R IY D B EH R"])
def test_the_variant_that_was_said_is_chosen(said: str) -> None:
    heard = CTCEvidence(fake_package.posteriors(phones.encode(said.split()), 60), 0.02)
    assert reading.prompt(reading.choose(reading.of_text("the read bear"), heard)).phones == tuple(said.split())


def test_a_variant_needs_evidence() -> None:
    uniform = CTCEvidence(np.full((60, 40), -np.log(40)), 0.02)
    same_length = reading.of_text("with")  # W IH DH, W IH TH: all frames alike cannot tell them apart
    assert [one.chosen for one in reading.choose(same_length, uniform)] == [0]


def tilted(gap: float) -> CTCEvidence:
    """Even posteriors, tilted until the second pronunciation of `with` is `gap` nats likelier than the first."""
    first, second = (phones.encode(one.phones) for one in reading.of_text("with")[0].variants[:2])
    low, high = -1.0, 1.0
    for _ in range(60):
        logits = np.zeros((20, phones.COLUMNS))
        logits[:, second[-1]] = (low + high) / 2
        evidence = CTCEvidence(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True), 0.02)
        apart = evidence.loglik(second) - evidence.loglik(first)
        low, high = ((low + high) / 2, high) if apart < gap else (low, (low + high) / 2)
    assert apart == pytest.approx(gap, abs=1e-6)
    return evidence


@pytest.mark.parametrize(("gap", "chosen"), [(-1.0, 0), (0.0, 0), (0.09, 0), (0.11, 1), (1.0, 1)])
def test_a_later_variant_must_be_likelier_by_a_tenth_of_a_nat(gap: float, chosen: int) -> None:
    readings = reading.of_text("with")
    readings = (replace(readings[0], variants=readings[0].variants[:2]),)
    assert [one.chosen for one in reading.choose(readings, tilted(gap))] == [chosen]


def test_audio_that_holds_only_the_short_variants_is_still_aligned() -> None:
    readings = reading.of_text("for people")  # F AO R P IY P AH L, or F AO P IY P L
    short = phones.encode(["F", "AO", "P", "IY", "P", "L"])
    tight = CTCEvidence(fake_package.posteriors(short, 7), 0.02)
    assert len(reading.prompt(reading.choose(readings, tight)).phones) <= 7
    with pytest.raises(PhonobenchError, match="too short"):
        reading.choose(readings, CTCEvidence(tight.logp[:4], 0.02))


@pytest.mark.corpus
def test_the_words_of_the_corpus_are_known_but_for_a_few(real_corpus) -> None:
    words = {word.text.lower() for u in real_corpus.utterances for word in u.prompt.words}
    unknown = {word for word in words if not lexicon.pronunciations(word)}
    assert len(words) > 2000
    assert len(unknown) / len(words) < 0.02
