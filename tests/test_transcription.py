"""Phones as people write them: customary IPA and ARPAbet."""

from __future__ import annotations

import pytest

from phonobench import phones
from phonobench.pronounce import reading, transcription
from phonobench.types import PhonobenchError


def first(written: str) -> str:
    return " ".join(transcription.parse(written.split())[0])


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ə b aʊ t", "AH B AW T"), ("ˈbɛtɚ", "B EH T ER"), ("b ɝ d", "B ER D"), ("bɜːd", "B ER D"),
        ("b ɜː r d", "B ER D"), ("ˈfɜri", "F ER IY"), ("r ɛ d", "R EH D"), ("red", "R EH D"), ("ɡəʊ", "G OW"),
        ("go", "G OW"), ("bɐt", "B AH T"), ("fɪɫ", "F IH L"), ("ʤʌʤ", "JH AH JH"), ("ʧ ɜː ʧ", "CH ER CH"),
        ("t͡ʃiːz", "CH IY Z"), ("t͜ʃ iː z", "CH IY Z"), ("dʒʌmp", "JH AH M P"), ("/ˈpræktɪkəl/", "P R AE K T IH K AH L"),
        ("[pʰɪn]", "P IH N"), ("ˌɪntəˈnæʃənəl", "IH N T AH N AE SH AH N AH L"), ("ɔɪ", "OY"), ("aɪ", "AY"),
        ("a͡ɪ", "AY"), ("eɪ", "EY"), ("ɪə", "IH AH"), ("ˈlɛtər", "L EH T ER"), ("əˈraʊnd", "AH R AW N D"),
        ("ˈbʌtn̩", "B AH T AH N"), ("ˈlɪtl̩", "L IH T AH L"), ("ʍɪtʃ", "W IH CH"), ("bə˞d", "B ER D"),
        ("ɡ uː d", "G UW D"), ("g ʊ d", "G UH D"), ("ˈsɪŋ.ɪŋ", "S IH NG IH NG"), ("t ʃ", "T SH"),
        ("K AO1 L", "K AO L"), ("fiːʃər", "F IY SH ER"), ("ɑː", "AA"), ("ɜ˞", "ER"), ("kɑɹ", "K AA R"),
    ],
)  # fmt: skip
def test_customary_ipa_is_read(written: str, meant: str) -> None:
    assert first(written) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [("hɒt", {"HH AA T", "HH AH T", "HH AO T"}), ("bɛɾɚ", {"B EH T ER", "B EH D ER"}), ("bat", {"B AE T", "B AA T"})],
)
def test_a_broad_symbol_leaves_the_choice_to_the_audio(written: str, meant: set[str]) -> None:
    assert {" ".join(one) for one in transcription.parse([written])} == meant
    (found,) = reading.of_phones(written)
    assert {" ".join(one.phones) for one in found.variants} == meant


@pytest.mark.parametrize(
    ("written", "culprit"),
    [
        ("b a χ", "'χ'"), ("ðəχ", "'χ'.* in 'ðəχ'"), ("y ɛ s", "'y'.*is j"), ("ð ə Q", "'Q'"), ("W QQ", "'QQ'"),
        ("W iy", "capitals, W IY"), ("sh iy", "capitals, SH IY"), ("b er d", "capitals, B ER D"),
        ("K ɔ l", "ARPAbet and IPA in one word, K and ɔ l"), ("ˈ", "holds no phones"),
        ("b 4 t", "'4'"),
    ],
)  # fmt: skip
def test_the_symbol_that_is_unknown_is_the_one_that_is_named(written: str, culprit: str) -> None:
    with pytest.raises(PhonobenchError, match=culprit):
        transcription.parse(written.split())


def test_every_ipa_symbol_of_ours_is_read_alone_and_run_together() -> None:
    for ipa, arpabet in phones.IPA_TO_ARPABET.items():
        assert transcription.parse([ipa]) == ((arpabet,),)
        assert transcription.parse([f"p{ipa}p"])[0] == ("P", arpabet, "P")


def test_the_number_of_pronunciations_is_bounded() -> None:
    assert len(transcription.parse(["ɒɾaɒɾaɒɾa"])) == transcription.MOST
