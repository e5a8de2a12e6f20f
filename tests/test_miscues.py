"""Words that were not said or said besides: their evidence, what they score, and the shipped scorer on real speech."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from phonobench import audio, ctc, phones
from phonobench.assessment import bundle, diagnosis, miscues
from phonobench.assessment.formats import azure, terminal, textgrid
from phonobench.assessment.model import absent, presence, word_evidence
from phonobench.assessment.model.features import NAMES, Description
from phonobench.assessment.types import Assessment, ScoreEstimate
from phonobench.corpora import synthetic
from phonobench.evidence import CTCEvidence
from phonobench.fitting import presence as fitting
from phonobench.types import Prompt, Utterance, Word

WORDS = (Word("we", ("W", "IY")), Word("call", ("K", "AO", "L")), Word("it", ("IH", "T")))


def ids_of(words: tuple[Word, ...]) -> list[tuple[int, ...]]:
    return [phones.encode(word.phones) for word in words]


def logp_of(*spoken: str) -> np.ndarray:
    """Posteriors of a recogniser that is sure: two frames a phone, two blank ones before and after each."""
    ids = phones.encode([phone for word in spoken for phone in word.split()])
    columns = [0, 0, *(column for q in ids for column in (q, q, 0, 0))]
    probability = np.full((len(columns), 40), 0.01 / 39)
    probability[np.arange(len(columns)), columns] = 0.99
    return np.log(probability)


def evidence_of(logp: np.ndarray, words: tuple[Word, ...]) -> np.ndarray:
    prompt = Prompt(words)
    ids = phones.encode(prompt.phones)
    return word_evidence.measure(logp, ids, np.array(prompt.word_of_phone), ctc.align(logp, ids))


def test_a_word_in_the_text_alone_has_evidence_against_it_and_the_others_for_them() -> None:
    made = evidence_of(logp_of("W IY", "IH T"), WORDS)
    with_without = made[:, word_evidence.WORD_FEATURES.index("with_without")]
    assert with_without[1] < -1
    assert with_without[0] > 1
    assert with_without[2] > 1


def test_another_word_in_its_place_is_evidence_against_a_word_but_not_for_nothing() -> None:
    names = word_evidence.WORD_FEATURES
    made = dict(zip(names, evidence_of(logp_of("W IY", "S AE D", "IH T"), WORDS)[1], strict=True))
    assert made["with_free"] < -1
    assert made["free_phones"] == 3
    assert made["matched"] == 0


def test_evidence_of_a_word_is_that_of_its_surroundings_alone() -> None:
    before, after = ("S AE D", "M EH N"), ("B UH K", "T UW")
    alone = evidence_of(logp_of("W IY", "K AO L", "IH T"), WORDS)
    words = (Word("sad", ("S", "AE", "D")), Word("men", ("M", "EH", "N")), *WORDS)
    words = (*words, Word("book", ("B", "UH", "K")), Word("two", ("T", "UW")))
    within = evidence_of(logp_of(*before, "W IY", "K AO L", "IH T", *after), words)
    np.testing.assert_allclose(within[3], alone[1], atol=1e-3)


def test_inserted_speech_is_found_between_the_words_it_stands_between() -> None:
    evidence = CTCEvidence(logp_of("W IY", "S AE D", "K AO L", "IH T"), 0.02)
    (found,) = miscues.inserted_speech(evidence, ids_of(WORDS))
    assert (found.phones, found.before, found.repeats) == (("S", "AE", "D"), 1, ())
    assert 0 < found.start < found.end < evidence.duration


def test_a_phrase_said_again_is_a_repetition_of_its_words() -> None:
    evidence = CTCEvidence(logp_of("W IY", "K AO L", "W IY", "K AO L", "IH T"), 0.02)
    found = miscues.inserted_speech(evidence, ids_of(WORDS))
    assert [one.repeats for one in found] == [(0, 1)]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_word_said_twice_is_a_repetition_of_it(place: int) -> None:
    spoken = ["W IY", "K AO L", "IH T"]
    evidence = CTCEvidence(logp_of(*spoken[: place + 1], *spoken[place:]), 0.02)
    (found,) = miscues.inserted_speech(evidence, ids_of(WORDS))
    assert found.repeats == (place,)
    assert 0 < found.start < found.end < evidence.duration


@pytest.mark.parametrize("spoken", [("W IY", "K AO L", "IH T"), ("W IY", "T", "K AO L", "IH T")])
def test_neither_a_reading_nor_a_single_consonant_more_is_inserted_speech(spoken: tuple[str, ...]) -> None:
    assert miscues.inserted_speech(CTCEvidence(logp_of(*spoken), 0.02), ids_of(WORDS)) == ()


def estimate(*values: float) -> ScoreEstimate:
    value = np.array(values)
    return ScoreEstimate(value, value - 0.1, value + 0.1)


def assessment(phone: list[float], word: list[float], total: float) -> Assessment:
    whole = ScoreEstimate(np.array(total), np.array(total - 1), np.array(total + 1))
    return Assessment(
        estimate(*phone),
        np.full(len(phone), 0.2),
        {name: estimate(*word) for name in ("accuracy", "stress", "total")},
        dict.fromkeys(("accuracy", "fluency", "prosodic", "total"), whole),
    )


def test_an_omitted_word_scores_next_to_nothing_and_the_others_what_the_rest_scores() -> None:
    whole = assessment([1.0, 1.0, 1.6, 1.0], [5.0, 8.0, 5.0], 6.0)
    rest = assessment([1.8, 1.8, 1.8], [9.0, 9.0], 9.0)
    found = absent.Absence(np.array([presence.SAID, presence.OMITTED, presence.SAID]), np.array([0.99, 0.1, 0.98]))
    made = absent.merged(whole, rest, found, [0, 0, 1, 2])
    assert made.miscues == ("none", "omission", "none")
    np.testing.assert_allclose(made.phone.value, [1.8, 1.8, 0.16, 1.8])
    np.testing.assert_allclose(made.word["accuracy"].value, [9.0, 0.8, 9.0])
    np.testing.assert_allclose(made.phone_error, [0.2, 0.2, 0.92, 0.2])
    assert made.word["stress"].value.tolist() == [9.0, 8.0, 9.0]
    assert made.sentence["total"].value == pytest.approx(6.0)
    assert made.sentence["fluency"].value == 9.0
    low, value, high = (getattr(made.phone, name) for name in ("low", "value", "high"))
    assert ((low <= value) & (value <= high)).all()


def test_of_a_prompt_of_which_half_is_absent_nothing_is_left_out() -> None:
    half = absent.Absence(np.array([presence.OMITTED, presence.SAID]), np.array([0.0, 1.0]))
    assert half.rest(Prompt(WORDS[:2])) is None
    third = absent.Absence(np.array([presence.OMITTED, presence.SAID, presence.SAID]), np.array([0.0, 1.0, 1.0]))
    assert third.rest(Prompt(WORDS)) == Prompt(WORDS[1:])
    replaced = absent.Absence(np.array([presence.REPLACED, presence.SAID, presence.SAID]), np.array([0.0, 1.0, 1.0]))
    assert replaced.rest(Prompt(WORDS)) is None


def test_a_replaced_word_lowers_the_sentence_by_its_sounds_alone() -> None:
    whole = assessment([1.0, 1.0, 1.6, 1.0], [5.0, 8.0, 5.0], 6.0)
    found = absent.Absence(np.array([presence.SAID, presence.REPLACED, presence.SAID]), np.array([0.99, 0.1, 0.98]))
    made = absent.merged(whole, None, found, [0, 0, 1, 2])
    assert made.sentence["total"].value == 6.0
    np.testing.assert_allclose(made.phone.value, [1.0, 1.0, 0.16, 1.0])


def random_description(rng: np.random.Generator, words: np.ndarray, evidence: np.ndarray) -> Description:
    rows = rng.standard_normal((len(words), len(NAMES))).astype(np.float32)
    rivals = [NAMES.index(f"rival_{name}") for name in ("none", *phones.PHONES)]
    rows[:, rivals] -= np.logaddexp.reduce(rows[:, rivals], axis=1, keepdims=True)
    return Description(rows, np.zeros((len(words), 0), np.float32), rng.integers(1, 40, len(words)), words, evidence)


def utterances(count: int) -> list[Utterance]:
    return [replace(one, speaker=f"s{k % 7}") for k, one in enumerate(synthetic.read().utterances[:count])]


def test_the_regression_tells_what_its_examples_tell_and_loses_few_said_words() -> None:
    rng = np.random.default_rng(5)
    spoken = utterances(60)
    prompts = fitting.changed_prompts(spoken)
    read = [(described(rng, u.prompt, None, 0), u) for u in spoken]
    changed = [(described(rng, one.prompt, one.index, one.truth), one) for one in prompts.values()]
    fitted = fitting.fit_presence(read, changed, NAMES)
    probabilities = [fitted.probabilities(one, NAMES)[of.index] for one, of in changed]
    assert np.mean(np.argmax(probabilities, axis=1) == [of.truth for _, of in changed]) > 0.9
    said = np.concatenate([fitted.probabilities(one, NAMES)[:, presence.SAID] for one, _ in read])
    assert np.mean(said < fitted.threshold) < 0.02
    again = presence.Presence.from_json(fitted.to_json())
    np.testing.assert_allclose(
        again.probabilities(read[0][0], NAMES), fitted.probabilities(read[0][0], NAMES), atol=1e-4
    )


def described(rng: np.random.Generator, prompt: Prompt, index: int | None, truth: int) -> Description:
    """Random numbers, but for the evidence of the absent word."""
    evidence = rng.standard_normal((len(prompt.words), 7)).astype(np.float32)
    evidence[:, 0] += 6
    if index is not None:
        evidence[index, 0] -= 12
        evidence[index, 2] += 8 * (truth == presence.REPLACED)
    return random_description(rng, np.array(prompt.word_of_phone), evidence)


def test_changed_prompts_hold_one_other_word_that_does_not_sound_like_its_neighbours() -> None:
    spoken = utterances(40)
    for name, one in fitting.changed_prompts(spoken).items():
        words, changed = one.utterance.prompt.words, one.prompt.words
        assert name.endswith(one.utterance.id)
        assert len(changed) == len(words) + (one.truth == presence.OMITTED)
        assert changed[: one.index] == words[: one.index]
        assert changed[one.index + 1 :] == words[one.index + (one.truth == presence.REPLACED) :]
        assert changed[one.index].phones not in {near.phones for near in words[max(0, one.index - 1) : one.index + 2]}


def test_an_omitted_phone_has_no_duration_and_leaves_the_others_where_they_are() -> None:
    spoken = CTCEvidence(logp_of("W IY", "IH T"), 0.02)
    ids = [q for word in ids_of(WORDS) for q in word]
    omitted = np.array([False, False, True, True, True, False, False])
    accuracy, flagged = np.full(7, 2.0), omitted.copy()
    found = diagnosis.diagnose([spoken], ids, accuracy, flagged, omitted, begin=1.0).findings
    rest = diagnosis.diagnose([spoken], [*ids[:2], *ids[5:]], np.full(4, 2.0), np.zeros(4, bool)).findings
    assert [one.error for one in found] == ["none"] * 2 + ["deletion"] * 3 + ["none"] * 2
    assert [one.start for one in found[2:5]] == [one.end for one in found[2:5]]
    np.testing.assert_allclose([found[k].start for k in (0, 1, 5, 6)], [1 + one.start for one in rest])


@pytest.fixture(scope="module")
def shipped() -> bundle.Bundle:
    return bundle.load()


def test_the_shipped_scorer_finds_a_word_that_is_in_the_text_alone_in_every_format(shipped: bundle.Bundle) -> None:
    import phonobench

    (one, *_) = [u for u in synthetic.read().utterances if len(u.prompt.words) >= 4]
    words = [word.text.lower() for word in one.prompt.words]
    as_read = phonobench.score(one.audio, " ".join(words), package=shipped)
    made = phonobench.score(one.audio, " ".join([*words[:2], "elephants", *words[2:]]), package=shipped)
    extra = made.words[2]
    assert (extra.text, extra.miscue) == ("elephants", "omission")
    assert extra.accuracy.value <= 10
    assert max(phone.accuracy.value for phone in extra.phones) <= 10
    assert {phone.verdict for phone in extra.phones} == {"wrong"}
    assert [word.miscue for word in as_read.words] == ["none"] * len(words)
    assert as_read.sentence.completeness == 100.0
    assert made.sentence.completeness == pytest.approx(100 * len(words) / (len(words) + 1), abs=0.06)
    kept = [word.total.value for place, word in enumerate(made.words) if place != 2]
    assert kept == [word.total.value for word in as_read.words]
    assert "elephants: not said" in terminal.write([made])
    assert azure.convert(made)["NBest"][0]["Words"][2]["PronunciationAssessment"]["ErrorType"] == "Omission"
    assert "verdict" in textgrid.convert(made)


@pytest.mark.parametrize(("seconds", "level"), [(2.0, None), (6.0, None), (6.0, -60.0), (3.0, -50.0)])
def test_silence_and_noise_around_the_speech_leave_the_score_as_it_is(
    shipped: bundle.Bundle, seconds: float, level: float | None
) -> None:
    import phonobench

    one = synthetic.read().utterances[3]
    wave = audio.read(one.audio)
    rng = np.random.default_rng(0)
    size = int(seconds * 16_000)
    around = [np.zeros(size) if level is None else 10 ** (level / 20) * rng.standard_normal(size) for _ in range(2)]
    longer = np.concatenate([around[0], wave, around[1]]).astype(np.float32)
    text = one.prompt.text.lower()
    alone, padded = (phonobench.score(w, text, rate=16_000, package=shipped) for w in (wave, longer))
    assert padded.sentence.total.value == pytest.approx(alone.sentence.total.value, abs=5)
    assert padded.words[0].start == pytest.approx(alone.words[0].start + seconds, abs=0.1)
    assert padded.words[-1].end == pytest.approx(alone.words[-1].end + seconds, abs=0.1)


def test_a_word_of_one_phone_said_twice_is_a_repetition_too() -> None:
    words = (WORDS[0], Word("a", ("AH",)), WORDS[1])
    (found,) = miscues.inserted_speech(CTCEvidence(logp_of("W IY", "AH", "AH", "K AO L"), 0.02), ids_of(words))
    assert (found.phones, found.repeats) == (("AH",), (1,))
