"""Evaluate and compare on planted truth: exact, canonical and random runs, intervals, thresholds, refusals."""

from __future__ import annotations

import json
import math
from pathlib import Path

import jsonschema
import numpy as np
import planted
import pytest

from phonobench import evaluate, results, stats, store
from phonobench.results import Result
from phonobench.types import Corpus, PhonobenchError, Utterance

RESAMPLES = 200


@pytest.fixture(scope="module")
def corpus() -> tuple[Corpus, planted.SAID]:
    return planted.corpus(seed=1)


@pytest.fixture(scope="module")
def runs(corpus: tuple[Corpus, planted.SAID], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs: `exact` recognises what was spoken, `canonical` the prompt, `random` another utterance's phones."""
    found, said = corpus
    folder = tmp_path_factory.mktemp("runs")
    ids = sorted(said)
    shuffled = dict(zip(ids, np.random.default_rng(3).permutation(ids), strict=True))
    planted.write_run(folder, "exact", found, lambda u: said[u.id])
    planted.write_run(folder, "canonical", found, lambda u: planted.phones.encode(u.prompt.phones), controls=False)
    planted.write_run(folder, "random", found, lambda u: said[shuffled[u.id]])
    return folder


@pytest.fixture(scope="module")
def root(runs: Path, corpus: tuple[Corpus, planted.SAID], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    for run in ("exact", "canonical", "random"):
        evaluate.evaluate(runs / run, corpus[0], folder, resamples=RESAMPLES)
    return folder


def figures(root: Path, run: str, split: str = "test") -> dict[str, results.Value]:
    found = [results.read(path) for path in sorted((root / run).glob(f"{split}.*.json"))]
    return {name: value for result in found for name, value in result.metrics.items()}


def test_exact_hypotheses_score_perfectly(root: Path) -> None:
    got = figures(root, "exact")
    for name in ("utterance_pearson", "utterance_spearman", "utterance_auc", "utterance_f1"):
        assert got[name].value == pytest.approx(1, abs=0.02), name
    for name in ("phone_auc", "phone_ap", "phone_f1", "phone_mcc", "diagnosis_accuracy"):
        assert got[name].value == pytest.approx(1, abs=0.03), name
    assert got["phone_pearson"].value > 0.8
    assert got["word_spearman"].value > 0.8


def test_who_reads_the_prompt_makes_no_errors_and_knows_nothing(root: Path) -> None:
    got = figures(root, "canonical")
    for name in ("per", "per_hq", "per_ipa_char_hq", "substitutions", "deletions", "insertions", "pfer"):
        assert (got[name].value, got[name].low, got[name].high) == (0, 0, 0), name
    assert got["utterance_pearson"].value is None
    assert got["utterance_pearson"].reason == "every score is the same"
    assert got["utterance_auc"].value == 0.5
    assert got["phone_auc"].low < 0.5 < got["phone_auc"].high


def test_per_is_the_share_that_was_planted(root: Path, corpus: tuple[Corpus, planted.SAID]) -> None:
    test = corpus[0].split("test")
    wrong = sum(phone == 0 for u in test for phone in u.judgement.phone_accuracy)
    total = sum(len(u.prompt.phones) for u in test)
    got = figures(root, "exact")["per"]
    assert got.value == pytest.approx(wrong / total, abs=0.01)
    assert got.low < got.value < got.high
    assert (got.n, got.speakers) == (len(test), 12)


def test_random_hypotheses_are_at_chance(root: Path) -> None:
    got = figures(root, "random")
    for name, chance in (("utterance_pearson", 0), ("phone_pearson", 0), ("utterance_auc", 0.5), ("phone_auc", 0.5)):
        assert got[name].low < chance < got[name].high, name
    assert got["per"].value > 0.8


def test_controls_fall_for_a_run_that_uses_the_audio(root: Path) -> None:
    got = figures(root, "exact")
    assert got["phone_fall_swapped"].low > 1
    assert got["phone_fall_silence"].low > 1
    assert got["true_auc_swapped"].value > 0.95
    assert got["phone_score_noise"].value is None
    assert "no posteriors of the control 'noise'" in got["phone_score_noise"].reason
    assert (got["phone_fall_silence"].n, got["phone_fall_swapped"].n) == (24, 72)


def test_every_figure_has_an_interval_or_a_reason_and_the_schema_holds(root: Path) -> None:
    schema = results.published_schema()
    paths = sorted(root.glob("*/*.json"))
    assert len(paths) == 3 * 2 * 4
    for path in paths:
        fields = json.loads(path.read_text())
        jsonschema.validate(fields, schema)
        for value in fields["metrics"].values():
            assert {"value", "low", "high", "n", "speakers"} <= set(value)
            assert (None in (value["value"], value["low"], value["high"])) == ("reason" in value)


def test_breakdowns_add_up(root: Path, corpus: tuple[Corpus, planted.SAID]) -> None:
    result = results.read(root / "exact" / "test.recognition.json")
    whole = result.metrics["per"]
    assert set(result.breakdowns) == {"age", "gender", "proficiency"}
    for dimension, found in result.breakdowns.items():
        assert sum(values["per"].n for values in found.values()) == whole.n, dimension
    assert set(result.breakdowns["age"]) == {"child", "adult"}
    per = [values["per"].value for _, values in sorted(result.breakdowns["proficiency"].items())]
    assert per == sorted(per, reverse=True)
    detection = results.read(root / "exact" / "test.detection.json").breakdowns["proficiency"]["9-10"]
    assert detection["utterance_auc"].reason == "no positives"


def test_confusions_count_every_phone(root: Path) -> None:
    result = results.read(root / "exact" / "test.recognition.json")
    rows = {phone: sum(others.values()) for phone, others in result.confusion.items() if phone != "<INS>"}
    assert sum(rows.values()) == result.provenance.split.phones


def test_thresholds_come_from_dev_alone(
    root: Path, runs: Path, corpus: tuple[Corpus, planted.SAID], tmp_path: Path
) -> None:
    stored = [results.read(root / "exact" / f"{split}.detection.json") for split in ("dev", "test")]
    assert stored[0].thresholds == stored[1].thresholds
    assert any("flattered" in note for note in stored[0].notes)
    only_test = evaluate.evaluate(runs / "exact", corpus[0], tmp_path, splits=("test",), resamples=20)
    assert only_test[2].thresholds == stored[1].thresholds
    rows = [
        (-score, accuracy)
        for u, p in _predictions(runs / "exact", corpus[0], "dev")
        for score, accuracy in zip(p.phone_score, u.judgement.phone_accuracy, strict=True)
    ]
    score, accuracy = np.array(rows).T
    assert stored[1].thresholds["phone"].value == stats.best_f1_threshold(score, accuracy < 0.5)


def _predictions(run_dir: Path, corpus: Corpus, split: str):
    found = evaluate.predict_split(run_dir, corpus, split, controls=False)
    return zip(found.utterances, found.predictions, strict=True)


def test_without_dev_the_decisions_are_undefined(corpus: tuple[Corpus, planted.SAID], tmp_path: Path) -> None:
    found, said = corpus
    run_dir = planted.write_run(tmp_path, "r", found, lambda u: said[u.id], splits=("test",))
    detection = evaluate.evaluate(run_dir, found, tmp_path / "results", splits=("test",), resamples=20)[2]
    for name in ("phone_f1", "phone_mcc", "utterance_f1", "phone_precision"):
        assert detection.metrics[name].value is None
        assert "chosen on dev" in detection.metrics[name].reason
    assert planted.finite(detection.metrics["phone_auc"].value)
    assert detection.thresholds["phone"].reason == "no dev posteriors"


def test_provenance_is_whole(root: Path, corpus: tuple[Corpus, planted.SAID]) -> None:
    result = results.read(root / "exact" / "test.scoring.json")
    assert result.protocol_version == results.PROTOCOL_VERSION
    facts = result.provenance
    assert facts.corpus.fingerprint == corpus[0].fingerprint
    assert (facts.split.utterances, facts.split.speakers, facts.split.complete) == (72, 12, True)
    assert facts.model.id == "openai/whisper-base"
    assert (facts.training.utterances, facts.training.seed, facts.training.recipe) == (
        72,
        0,
        planted.manifest("")["recipe"],
    )
    assert facts.bootstrap.resamples == RESAMPLES
    assert facts.posteriors["test"] != facts.posteriors["test-silence"]


def test_evaluating_again_changes_nothing(
    runs: Path, corpus: tuple[Corpus, planted.SAID], root: Path, tmp_path: Path
) -> None:
    evaluate.evaluate(runs / "exact", corpus[0], tmp_path, resamples=RESAMPLES)
    before = {path.name: path.read_bytes() for path in (tmp_path / "exact").iterdir()}
    evaluate.evaluate(runs / "exact", corpus[0], tmp_path, resamples=RESAMPLES)
    assert {path.name: path.read_bytes() for path in (tmp_path / "exact").iterdir()} == before
    assert figures(tmp_path, "exact") == figures(root, "exact")


def test_a_trial_is_marked(corpus: tuple[Corpus, planted.SAID], tmp_path: Path) -> None:
    found, said = corpus
    run_dir = planted.write_run(tmp_path, "r", found, lambda u: said[u.id], limit=20)
    result = evaluate.evaluate(run_dir, found, tmp_path / "results", splits=("test",), resamples=20)[0]
    assert not result.provenance.split.complete
    assert result.provenance.split.utterances == 20
    assert any("not to be cited" in note for note in result.notes)


@pytest.mark.parametrize("limit", [1, 5])
def test_one_speaker_has_values_and_no_intervals(limit, corpus: tuple[Corpus, planted.SAID], tmp_path: Path) -> None:
    found, said = corpus
    run_dir = planted.write_run(tmp_path, "r", found, lambda u: said[u.id], limit=limit)
    got = figures_of(run_dir, found, tmp_path / "results")
    assert planted.finite(got["per"].value)
    assert (got["per"].low, got["per"].reason) == (None, "one speaker: no interval")
    assert "no audio to swap with" in got["phone_fall_swapped"].reason


def test_two_speakers_of_a_small_trial_swap_and_have_figures_or_reasons(corpus, tmp_path: Path) -> None:
    found, said = corpus
    run_dir = planted.write_run(tmp_path, "r", found, lambda u: said[u.id], limit=7)
    got = figures_of(run_dir, found, tmp_path / "results")
    assert planted.finite(got["phone_fall_swapped"].value)
    assert all(value.value is not None or value.reason for value in got.values())


def test_another_corpus_is_refused(runs: Path, tmp_path: Path) -> None:
    other, _ = planted.corpus(seed=2)
    with pytest.raises(PhonobenchError, match=r"fingerprint \w{12}, not of planted with \w{12}"):
        evaluate.evaluate(runs / "exact", other, tmp_path)


def test_missing_inference_names_the_remedy(corpus: tuple[Corpus, planted.SAID], tmp_path: Path) -> None:
    found, said = corpus
    run_dir = planted.write_run(tmp_path, "r", found, lambda u: said[u.id], splits=("dev",))
    with pytest.raises(PhonobenchError, match=r"no posteriors of test .*phonobench infer r"):
        evaluate.evaluate(run_dir, found, tmp_path / "results")


def test_results_of_another_protocol_are_refused(root: Path, tmp_path: Path) -> None:
    fields = json.loads((root / "exact" / "test.scoring.json").read_text())
    path = tmp_path / "exact" / "test.scoring.json"
    store.write_json(path, {**fields, "protocol_version": "0"})
    with pytest.raises(PhonobenchError, match=r"test\.scoring\.json is of protocol version 0, .* reads version 1"):
        results.read(path)
    store.write_json(path, {**fields, "metrics": {"phone_pearson": {"value": None, "low": 0, "high": 1, "n": 1}}})
    with pytest.raises(PhonobenchError, match=r"is no valid result: metrics\.phone_pearson"):
        results.read(path)
    store.write_json(path, [1])
    with pytest.raises(PhonobenchError, match="protocol version None"):
        results.read(path)


def test_a_null_without_a_reason_is_no_value() -> None:
    with pytest.raises(ValueError, match="a null needs a reason"):
        results.Value(value=None, low=None, high=None, n=0, speakers=0)


def test_the_published_schema_is_current() -> None:
    assert results.published_schema() == results.schema(), "run: python -m phonobench.results"
    jsonschema.Draft202012Validator.check_schema(results.published_schema())


def test_compare_finds_who_is_better(runs: Path, corpus: tuple[Corpus, planted.SAID], root: Path) -> None:
    found = evaluate.compare([runs / "exact", runs / "random", runs / "canonical"], corpus[0], resamples=RESAMPLES)
    assert found.runs == ("exact", "random", "canonical")
    assert len(found.gaps) == 3 * len(evaluate.headline())
    by_name = {(gap.metric, gap.a, gap.b): gap for gap in found.gaps}
    per = by_name["per", "exact", "random"]
    assert (per.better, per.p) == ("exact", pytest.approx(2 / (RESAMPLES + 1)))
    assert per.high < 0
    assert per.p_holm == pytest.approx(3 * per.p)
    auc = by_name["phone_auc", "exact", "random"]
    assert (auc.better, auc.value_a) == ("exact", pytest.approx(figures(root, "exact")["phone_auc"].value))
    assert by_name["per", "exact", "canonical"].better == "canonical"
    undefined = by_name["utterance_pearson", "exact", "canonical"]
    assert math.isnan(undefined.p)
    assert (undefined.better, undefined.reason) == (None, "undefined for one of the two")
    plain = json.loads(json.dumps(found.json(), allow_nan=False))
    assert [gap["p"] for gap in plain["gaps"] if gap["reason"]] == [None] * sum(
        gap.reason is not None for gap in found.gaps
    )
    assert by_name["utterance_pearson", "exact", "random"].p_holm == pytest.approx(2 / (RESAMPLES + 1))


def test_compare_pairs_the_draws(runs: Path, corpus: tuple[Corpus, planted.SAID], tmp_path: Path) -> None:
    """Two runs with the same errors differ by a little noise: paired, the interval is far below the single ones."""
    found, said = corpus
    twin = planted.write_run(tmp_path, "twin", found, lambda u: said[u.id], strength=11.0)
    gap = evaluate.compare([runs / "exact", twin], found, metrics=("per",), resamples=RESAMPLES).gaps[0]
    single = figures_of(runs / "exact", found, tmp_path)["per"]
    assert gap.high - gap.low < 0.2 * (single.high - single.low)


def figures_of(run_dir: Path, corpus: Corpus, folder: Path) -> dict[str, results.Value]:
    found: list[Result] = evaluate.evaluate(run_dir, corpus, folder, splits=("test",), resamples=RESAMPLES)
    return {name: value for result in found for name, value in result.metrics.items()}


def test_compare_refuses_other_utterances(runs: Path, corpus: tuple[Corpus, planted.SAID], tmp_path: Path) -> None:
    found, said = corpus
    trial = planted.write_run(tmp_path, "trial", found, lambda u: said[u.id], limit=20)
    with pytest.raises(PhonobenchError, match=r"exact and trial do not cover the same test utterances \(72 and 20"):
        evaluate.compare([runs / "exact", trial], found, resamples=20)


def test_compare_refuses_one_run_and_unknown_metrics(runs: Path, corpus: tuple[Corpus, planted.SAID]) -> None:
    with pytest.raises(PhonobenchError, match="name at least two"):
        evaluate.compare([runs / "exact"], corpus[0])
    with pytest.raises(PhonobenchError, match="the same run"):
        evaluate.compare([runs / "exact", runs / "exact"], corpus[0], metrics=("per",), resamples=2)
    with pytest.raises(PhonobenchError, match="unknown metric 'wer'"):
        evaluate.compare([runs / "exact", runs / "canonical"], corpus[0], metrics=("wer",))


def test_bands_are_stated_and_leave_nobody_out_silently(corpus: tuple[Corpus, planted.SAID]) -> None:
    band = evaluate.BANDS["proficiency"]

    def at(accuracy: float) -> Utterance:
        import dataclasses

        u = corpus[0].utterances[0]
        return dataclasses.replace(u, judgement=dataclasses.replace(u.judgement, accuracy=accuracy))

    assert [band(at(a)) for a in (10, 9, 8.5, 8, 7, 6, 5, 4, 0)] == [
        "9-10", "9-10", "9-10", "7-8", "7-8", "5-6", "5-6", "0-4", "0-4",
    ]  # fmt: skip
    assert band(at(math.nan)) is None
