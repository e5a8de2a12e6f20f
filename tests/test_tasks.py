"""Tasks: what is counted, by hand; prediction is blind; impossible phones get the floor; partners to swap with."""

from __future__ import annotations

import dataclasses
import math
import re
import typing
from pathlib import Path

import numpy as np
import planted
import pytest

from phonobench import phones, stats, tasks
from phonobench.tasks import FLOOR, Prediction, collect, controls, detection, recognition, scoring
from phonobench.types import Evidence, Judgement, PhonobenchError, Prompt, Rivals, Utterance, Word


@dataclasses.dataclass(frozen=True, eq=False)
class FakeEvidence:
    """Evidence that was written down by hand."""

    heard: tuple[int, ...]
    rival: Rivals

    def best(self) -> tuple[int, ...]:
        return self.heard

    def loglik(self, ids: tuple[int, ...]) -> float:
        return self.rival.loglik

    def rivals(self, ids: tuple[int, ...]) -> Rivals:
        return self.rival


def utterance(words: str, accuracy: float = 8.0, phone_accuracy=None, heard=None, speaker="s", id="u") -> Utterance:
    prompt = Prompt(tuple(Word("w", tuple(word.split())) for word in words.split("|")))
    n = len(prompt.phones)
    judgement = Judgement(
        accuracy, 1.0, 1.0, 1.0, 1.0, tuple(range(len(prompt.words))), (10.0,) * len(prompt.words),
        (5.0,) * len(prompt.words), phone_accuracy or (2.0,) * n, heard or (None,) * n,
    )  # fmt: skip
    return Utterance(id, speaker, "test", planted.Path("x"), prompt, judgement, 20, "f")


def prediction(heard: str, score=(), rival=()) -> Prediction:
    return Prediction(phones.encode(heard.split()), np.array(score, dtype=float), np.array(rival, dtype=int), 0)


def rivals(ids: tuple[int, ...], loglik: float) -> Rivals:
    substitute = np.full((len(ids), 39), loglik - 5.0)
    substitute[np.arange(len(ids)), np.array(ids) - 1] = loglik
    return Rivals(loglik, substitute, np.full(len(ids), loglik - 9.0))


@pytest.mark.parametrize("task", tasks.TASKS.values(), ids=lambda task: task.name)
def test_prediction_is_blind_by_type(task: tasks.Task) -> None:
    assert typing.get_type_hints(task.predict) == {"evidence": Evidence, "prompt": Prompt, "return": Prediction}


def test_names_of_the_metrics_are_those_that_were_promised() -> None:
    promised = (
        "per_hq per per_ipa_char_hq utterance_pearson utterance_spearman phone_pearson phone_spearman utterance_auc "
        "phone_auc phone_ap phone_f1 phone_mcc"
    )
    assert set(promised.split()) <= set(tasks.metrics())
    apart = len(controls.METRICS) + len(tasks.assessment.METRICS)
    assert len(tasks.metrics()) == sum(len(t.metrics) for t in tasks.TASKS.values()) + apart


def test_recognition_counts_by_hand() -> None:
    # expected G OW D IH, recognised G AY IH IH: OW -> AY substituted; D -> IH substituted
    columns = recognition.rows(prediction("G AY IH IH"), utterance("G OW | D IH"))["utterance"]
    got = {name: float(column[0]) for name, column in columns.items()}
    assert (got["substitutions"], got["deletions"], got["insertions"], got["errors"]) == (2, 0, 0, 2)
    # ɡ o ʊ d ɪ against ɡ a ɪ ɪ ɪ: three substituted characters of five
    assert (got["phones"], got["characters"], got["character_errors"]) == (4, 5, 3)
    assert 0 < got["feature_distance"] < 2


def test_insertions_and_deletions_by_hand() -> None:
    columns = recognition.rows(prediction("S T K"), utterance("T K L"))["utterance"]
    assert (columns["substitutions"][0], columns["deletions"][0], columns["insertions"][0]) == (0, 1, 1)
    nothing = recognition.rows(prediction(""), utterance("T K L"))["utterance"]
    assert (nothing["errors"][0], nothing["deletions"][0], nothing["character_errors"][0]) == (3, 3, 3)


def test_rates_are_pooled_and_hq_starts_at_eight() -> None:
    utterances = [utterance("T K", accuracy=a, speaker=s, id=s) for s, a in (("a", 8.0), ("b", 7.9), ("c", math.nan))]
    rows = collect(recognition.TASK, [prediction(h) for h in ("T", "T K L L L", "T K")], utterances)["utterance"]
    metrics = {m.name: m for m in recognition.TASK.metrics}
    ones = np.ones((1, 3))
    assert metrics["per"].value(rows, ones) == pytest.approx(4 / 6)
    assert metrics["insertions"].value(rows, ones) == pytest.approx(3 / 6)
    hq = metrics["per_hq"]
    assert hq.value(rows.keep(hq.keep(rows)), ones) == pytest.approx(1 / 2)


def test_confusions_by_hand() -> None:
    table = recognition.confusions(
        [prediction("S T K"), prediction("T IH")], [utterance("T K L"), utterance("T IY", id="v")]
    )
    assert table == {"<INS>": {"S": 1}, "IY": {"IH": 1}, "K": {"K": 1}, "L": {"<DEL>": 1}, "T": {"T": 2}}


def test_a_words_score_is_the_mean_of_its_phones() -> None:
    rows = scoring.rows(prediction("T K L", score=(-1, -3, -7)), utterance("T K | L"))
    np.testing.assert_allclose(rows["word"]["score"], [-2, -7])
    np.testing.assert_allclose(rows["word"]["accuracy"], [0, 1])
    np.testing.assert_allclose(rows["phone"]["score"], [-1, -3, -7])
    assert rows["utterance"]["score"][0] == 1.0


def test_per_of_an_utterance_may_exceed_one() -> None:
    assert scoring.phone_error_rate(prediction("S S S S S S"), utterance("T K")) == 3.0


def test_unjudged_units_are_left_out_and_counted() -> None:
    rows = collect(
        scoring.TASK, [prediction("T K L", score=(-1, -2, -3))], [utterance("T K L", phone_accuracy=(2, math.nan, 1))]
    )["phone"]
    metric = next(m for m in scoring.TASK.metrics if m.name == "phone_pearson")
    assert metric.keep(rows).tolist() == [True, False, True]


def test_targets_of_detection() -> None:
    by_name = {target.name: target for target in detection.TARGETS}
    accuracy = np.array([0.0, 0.4, 0.5, 1.0, 1.2])
    assert by_name["phone"].is_positive(accuracy).tolist() == [True, True, False, False, False]
    assert by_name["phone_le1"].is_positive(accuracy).tolist() == [True, True, True, True, False]
    assert by_name["utterance"].is_positive(np.array([6.0, 6.1])).tolist() == [True, False]


def test_diagnosis_only_where_the_corpus_names_what_was_heard() -> None:
    heard = ("IH", "<DEL>", "<unk>", None, "S")
    rival = (*phones.encode(["IH"]), 0, 5, 5, *phones.encode(["T"]))
    rows = detection.rows(
        prediction("T", score=(0,) * 5, rival=rival), utterance("IY T K L Z", heard=heard)
    )["phone"]  # fmt: skip
    np.testing.assert_array_equal(rows["diagnosis"], [1, 1, math.nan, math.nan, 0])
    with pytest.raises(PhonobenchError, match="utterance u, phone 1: unknown phone 'XX'"):
        detection.rows(prediction("T", score=(0,), rival=(1,)), utterance("T", heard=("XX",)))


def test_no_threshold_is_a_reason_not_a_number() -> None:
    rows = collect(
        detection.TASK, [prediction("T K", score=(-1, -9), rival=(1, 1))], [utterance("T K", phone_accuracy=(2, 0))]
    )["phone"]
    f1 = next(m for m in detection.TASK.metrics if m.name == "phone_f1")
    with pytest.raises(stats.Undefined, match="chosen on dev"):
        f1.value(rows, np.ones((1, 1)))
    assert f1.value(rows.with_constants({"phone": 5.0}), np.ones((1, 1))) == 1.0


def test_phones_that_no_path_allows_get_the_floor() -> None:
    ids = phones.encode(["T", "K"])
    prompt = utterance("T K").prompt
    impossible = rivals(ids, -math.inf)
    nothing = dataclasses.replace(impossible, substitute=np.full((2, 39), -math.inf), delete=np.full(2, -math.inf))
    for evidence in (impossible, nothing):
        found = tasks.predict(FakeEvidence((), evidence), prompt)
        np.testing.assert_array_equal(found.phone_score, [FLOOR, FLOOR])
        assert found.floored == 2
    fine = tasks.predict(FakeEvidence(ids, rivals(ids, -3.0)), prompt)
    assert fine.floored == 0
    assert (fine.phone_score > FLOOR).all()


def test_the_floor_of_phone_scores_is_a_hundred_nats_under_the_rivals() -> None:
    ids, prompt = phones.encode(["T"]), utterance("T").prompt
    for below, score, floored in ((99.0, -99.0, 0), (101.0, -100.0, 1)):
        better = rivals(ids, -below)
        better.delete[:] = 0.0
        found = tasks.predict(FakeEvidence((), better), prompt)
        assert found.phone_score[0] == pytest.approx(score, abs=1e-6)
        assert found.floored == floored


def test_the_best_rival_is_never_the_expected_phone() -> None:
    ids = phones.encode(["T", "K"])
    evidence = rivals(ids, -3.0)
    evidence.substitute[0, phones.encode(["D"])[0] - 1] = -4.0
    evidence.delete[1] = -3.5
    found = tasks.predict(FakeEvidence(ids, evidence), utterance("T K").prompt)
    assert found.rival.tolist() == [*phones.encode(["D"]), 0]


def test_partners_are_of_another_speaker_and_another_sentence() -> None:
    corpus, _ = planted.corpus()
    utterances = {u.id: u for u in corpus.split("test")}
    found = controls.partners(tuple(utterances.values()))
    assert set(found) == set(utterances)
    assert found == controls.partners(tuple(utterances.values())[::-1])
    for id, other in found.items():
        assert utterances[id].speaker != utterances[other].speaker
        assert utterances[id].prompt.phones != utterances[other].prompt.phones


def test_who_has_no_partner_is_left_out() -> None:
    ours = [utterance("T K", speaker="a", id="a1"), utterance("T L", speaker="a", id="a2")]
    assert controls.partners([*ours, utterance("T K", speaker="b", id="b")]) == {"a2": "b", "b": "a2"}
    assert controls.partners(ours) == {}


def test_controls_by_hand() -> None:
    utterances = [utterance("T K", speaker=s, id=s) for s in "abc"]
    true = [prediction("T K", score=(-1, -1)) for _ in utterances]
    blank = {"a": prediction("", score=(-3, -5)), "b": prediction("", score=(-1, -0.5))}
    rows = controls.rows(utterances, true, {"silence": blank})
    metrics = {m.name: m for m in controls.METRICS}
    assert metrics["phone_score_true"].value(rows, np.ones((1, 3))) == -1
    silence = rows.keep(metrics["phone_fall_silence"].keep(rows))
    assert len(silence) == 2
    assert metrics["phone_fall_silence"].value(silence, np.ones((1, 3))) == pytest.approx((6 - 0.5) / 4)
    assert metrics["true_auc_silence"].value(silence, np.ones((1, 3))) == 0.5
    noise = rows.keep(metrics["phone_fall_noise"].keep(rows))
    with pytest.raises(stats.Undefined, match="no posteriors of the control 'noise'"):
        metrics["phone_fall_noise"].value(noise, np.ones((1, 3)))


@pytest.mark.corpus
def test_units_of_the_real_test_split_are_those_that_were_published(real_corpus) -> None:
    utterances = real_corpus.split("test")
    ids = [phones.encode(u.prompt.phones) for u in utterances]
    dull = [Prediction(i, np.zeros(len(i)), np.ones(len(i), dtype=int), 0) for i in ids]
    scored = collect(scoring.TASK, dull, utterances)
    flagged = collect(detection.TASK, dull, utterances)["phone"]
    targets = {target.name: target.is_positive(flagged["accuracy"]).sum() for target in detection.TARGETS}
    assert (len(scored["utterance"]), len(scored["word"]), len(scored["phone"])) == (2500, 15_967, 47_369)
    assert (targets["phone"], targets["phone_le1"]) == (1412, 2149)
    assert len(scored["phone"].speakers) == 125
    assert len(controls.partners(utterances)) == 2500


def expanded(text: str) -> list[str]:
    """Braces as a shell expands them."""
    before, brace, rest = text.partition("{")
    if not brace:
        return [text]
    choices, _, after = rest.partition("}")
    return [before + choice + end for choice in choices.split(",") for end in expanded(after)]


def test_the_documentation_names_every_metric_with_its_task_and_unit_and_nothing_else() -> None:
    text = (Path(__file__).parents[1] / "docs" / "results.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:4] for line in text.partition("## Metrics")[2].splitlines() if line.startswith("| ")]
    documented = [
        (task.strip(), unit.strip(), name)
        for task, unit, names in rows[1:]
        for pattern in re.findall("`(.*?)`", names)
        for name in expanded(pattern)
    ]
    real = {(task, metric.unit, metric.name) for task, group in tasks.groups().items() for metric in group}
    assert sorted(documented) == sorted(real)


def test_the_floor_is_minus_one_hundred_nats() -> None:
    ids = phones.encode(["T"])
    rivals_of = {nats: dataclasses.replace(rivals(ids, -3.0), delete=np.array([-3.0 + nats])) for nats in (99.0, 101.0)}
    found = {nats: tasks.predict(FakeEvidence(ids, one), utterance("T").prompt) for nats, one in rivals_of.items()}
    assert found[99.0].phone_score == pytest.approx([-99.0])
    assert found[99.0].floored == 0
    assert (found[101.0].phone_score.tolist(), found[101.0].floored) == ([-100.0], 1)
