"""Late fusion of runs: refusals by name, weights from dev alone, the curve against plain averaging and decoding."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import planted
import pytest
from rapidfuzz.distance import Levenshtein
from typer.testing import CliRunner

from phonobench import ctc, evaluate, evidence, fusion, phones, results, store
from phonobench.cli import app
from phonobench.evaluate.predictions import evidence as evidence_of
from phonobench.report import leaderboard
from phonobench.types import HQ_ACCURACY, Corpus, PhonobenchError, Posteriors, Utterance

RESAMPLES = 50
METRICS = ("per_hq", "per", "utterance_pearson", "utterance_auc")


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return planted.corpus(seed=5)[0]


def prompt(utterance: Utterance) -> tuple[int, ...]:
    return phones.encode(utterance.prompt.phones)


@pytest.fixture(scope="module")
def runs(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two weak runs whose errors are their own, a third, and some of other corpora or phones."""
    folder = tmp_path_factory.mktemp("runs")
    for name, strength in (("one", 2.5), ("two", 2.2), ("three", 2.0)):
        planted.write_run(folder, name, corpus, prompt, strength=strength, trained_parameters=7, card=f"{name}-card")
    planted.write_run(folder, "other", planted.corpus(seed=6)[0], prompt)
    planted.write_run(folder, "trial", corpus, prompt, limit=5)
    slow = planted.write_run(folder, "slow", corpus, prompt, splits=())
    for split in ("dev", "test"):
        posteriors = store.read_posteriors(folder / "one", split)
        inputs = {"weights": "slow", "corpus": corpus.fingerprint, "split": split}
        twice = Posteriors(posteriors.ids, posteriors.logp, 0.04)
        store.write_posteriors(store.posteriors_folder(slow, split), twice, inputs)
    return folder


def errors(corpus: Corpus, hypotheses: dict[str, tuple[int, ...]], split: str = "test") -> tuple[int, int]:
    """Edits and phones over HQ."""
    chosen = [u for u in corpus.split(split) if u.judgement.accuracy >= HQ_ACCURACY]
    return sum(Levenshtein.distance(prompt(u), hypotheses[u.id]) for u in chosen), sum(len(prompt(u)) for u in chosen)


@pytest.mark.parametrize("weights", [(0.3, 0.7), (1.0, 0.0), (0.55, 0.45)])
def test_a_point_of_the_curve_is_averaging_then_greedy_decoding(weights, runs, corpus) -> None:
    (point,) = evaluate.curve([runs / "one", runs / "two"], corpus, "test", [weights], resamples=RESAMPLES)
    read = [store.read_posteriors(runs / name, "test") for name in ("one", "two")]
    mixed = evidence.average(read, weights)
    wrong, total = errors(corpus, {id: ctc.greedy(logp) for id, logp in zip(mixed.ids, mixed.logp, strict=True)})
    assert wrong > 0
    assert point.metrics["per_hq"].value == pytest.approx(wrong / total)


def test_a_point_of_the_curve_is_what_the_fused_run_scores(runs, corpus, tmp_path) -> None:
    run_dir = fusion.fuse([runs / "one", runs / "two"], (0.4, 0.6), runs)
    found = {
        name: value
        for result in evaluate.evaluate(run_dir, corpus, tmp_path, ("test",), resamples=RESAMPLES)
        for name, value in result.metrics.items()
    }
    (point,) = evaluate.curve([runs / "one", runs / "two"], corpus, "test", [(0.4, 0.6)], resamples=RESAMPLES)
    for name in METRICS:
        ours, theirs = point.metrics[name], found[name]
        assert (ours.value, ours.low, ours.high) == pytest.approx((theirs.value, theirs.low, theirs.high), abs=0.02), (
            name
        )  # stored in float16, a near tie may fall the other way
        assert (ours.n, ours.speakers) == (theirs.n, theirs.speakers)


def test_an_utterance_may_begin_with_the_phone_that_ends_the_one_before() -> None:
    from phonobench.evaluate.fusion_weights import _decode

    alike = np.full((8, 40), -9.0, dtype=np.float32)
    alike[:, 7] = 0.0
    assert _decode([alike, alike], np.array([0, 4, 8]), (0.5, 0.5)) == [(7,), (7,)]


def test_two_weak_runs_are_better_together(runs, corpus) -> None:
    points = evaluate.curve([runs / "one", runs / "two"], corpus, "test", evaluate.grid(2), resamples=0)
    pers = [point.metrics["per_hq"].value for point in points]
    assert len(pers) == 101
    assert min(pers[30:70]) < 0.8 * min(pers[0], pers[-1])


def test_grids_hold_every_weighting() -> None:
    assert evaluate.grid(2, 2) == ((0.0, 1.0), (0.5, 0.5), (1.0, 0.0))
    three = evaluate.grid(3, 10)
    assert len(three) == len(set(three)) == 66
    assert all(sum(weights) == pytest.approx(1) for weights in three)


@pytest.mark.parametrize("method", ["frames", "likelihoods"])
def test_weights_are_chosen_on_dev_and_test_is_not_read(method, runs, corpus, tmp_path) -> None:
    import shutil

    for name in ("one", "two"):
        shutil.copytree(runs / name, tmp_path / name)
        for part in (tmp_path / name / "posteriors" / "test").glob("part-*"):
            part.unlink()  # whoever looks at test now fails
    candidates = [(0.0, 1.0), (0.5, 0.5), (1.0, 0.0)]
    chosen = evaluate.choose([tmp_path / "one", tmp_path / "two"], corpus, method, candidates)
    pers = {}
    for weights in candidates:
        fused, _ = evidence_of(
            fusion.fuse([runs / "one", runs / "two"], weights, runs, method=method), corpus, "dev", None
        )
        pers[weights] = errors(corpus, {id: one.best() for id, one in fused.items()}, "dev")[0]
    assert len(set(pers.values())) > 1
    assert pers[chosen] == min(pers.values())


@pytest.mark.parametrize("method", ["frames", "likelihoods"])
def test_a_fused_run_is_evaluated_compared_and_listed(method, runs, corpus, tmp_path) -> None:
    members = [runs / "one", runs / "two", runs / "three"]
    run_dir = fusion.fuse(members, (0.5, 0.25, 0.25), runs, method=method, chosen_on="dev")
    evaluate.evaluate(run_dir, corpus, tmp_path, resamples=RESAMPLES)
    (table,) = leaderboard.build(tmp_path).tables
    (entry,) = table.entries
    assert (entry.run_id, entry.card) == (run_dir.name, "one-card+two-card+three-card")
    assert method in entry.recipe and "0.50/0.25/0.25" in entry.recipe
    result = results.read(results.path_of(tmp_path, run_dir.name, "test", "recognition"))
    assert result.provenance.training.recipe["members"] == ["one", "two", "three"]
    assert result.provenance.model.trained_parameters == 21
    controls = results.read(results.path_of(tmp_path, run_dir.name, "test", "controls"))
    assert controls.metrics["true_auc_silence"].value is not None
    compared = evaluate.compare([run_dir, runs / "one"], corpus, metrics=["per_hq"], resamples=RESAMPLES)
    (gap,) = compared.gaps
    assert gap.better == run_dir.name


def test_likelihoods_take_different_frame_rates_and_frames_refuse_them(runs, corpus) -> None:
    pair = [runs / "two", runs / "slow"]
    with pytest.raises(PhonobenchError, match=r"two and slow by frames: 20 and 40 ms a frame; --method likelihoods"):
        fusion.fuse(pair, (0.5, 0.5), runs)
    run_dir = fusion.fuse(pair, (0.5, 0.5), runs, method="likelihoods")
    found, _ = evidence_of(run_dir, corpus, "test", [corpus.split("test")[0].id])
    (one,) = found.values()
    ids = prompt(corpus.split("test")[0])
    by_hand = [ctc.forward(store.read_posteriors(folder, "test").logp[0], ids) for folder in pair]
    assert one.loglik(ids) == pytest.approx(sum(by_hand) / 2)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("one", "other"), r"one and other: trained on different corpora"),
        (("one", "trial"), r"one and trial: their utterances of dev differ \(72 and 5"),
        (("one", "one"), r"each once: one, one given"),
        (("one",), r"two members or more"),
    ],
)
@pytest.mark.parametrize("method", ["frames", "likelihoods"])
def test_what_does_not_belong_together_is_refused_by_name(method, names, message, runs) -> None:
    with pytest.raises(PhonobenchError, match=message):
        fusion.members([runs / name for name in names], method)


def test_posteriors_of_another_corpus_are_refused(runs, corpus, tmp_path) -> None:
    foreign = dataclasses.replace(corpus, fingerprint="f" * 64)
    planted.write_run(tmp_path, "foreign", foreign, prompt)
    manifest = store.read_run(tmp_path / "foreign")
    store.write_run(tmp_path / "foreign", {**manifest, "corpus": store.read_run(runs / "one")["corpus"]})
    with pytest.raises(PhonobenchError, match=r"one and foreign: their posteriors of dev are of different corpora"):
        fusion.members([runs / "one", tmp_path / "foreign"], "frames")


def test_another_phone_set_is_refused(runs, tmp_path) -> None:
    import shutil

    run_dir = tmp_path / "one"
    shutil.copytree(runs / "one", run_dir)
    manifest = store.posteriors_manifest(run_dir, "dev")
    part = store.posteriors_folder(run_dir, "dev") / manifest["shards"][0]["file"]
    arrays, metadata = store.read_arrays(part)
    store.write_arrays(part, {**arrays, "logp": arrays["logp"][:, :36]}, metadata)
    with pytest.raises(PhonobenchError, match=r"has another phone set: 36 columns, 40 expected"):
        fusion.members([runs / "two", run_dir], "frames")


def test_a_fusion_by_likelihoods_is_no_member(runs) -> None:
    run_dir = fusion.fuse([runs / "one", runs / "two"], (0.5, 0.5), runs, method="likelihoods")
    with pytest.raises(PhonobenchError, match="name its members instead"):
        fusion.members([run_dir, runs / "three"], "likelihoods")


def test_members_of_a_fusion_by_likelihoods_lie_beside_it(runs, tmp_path) -> None:
    with pytest.raises(PhonobenchError, match="is not under"):
        fusion.fuse([runs / "one", runs / "two"], (0.5, 0.5), tmp_path, method="likelihoods")


def test_fusing_again_writes_the_same_run(runs) -> None:
    first = fusion.fuse([runs / "one", runs / "three"], (0.5, 0.5), runs)
    stamps = {path: path.stat().st_mtime_ns for path in first.rglob("part-*")}
    assert fusion.fuse([runs / "one", runs / "three"], (0.5, 0.5), runs) == first
    assert stamps == {path: path.stat().st_mtime_ns for path in first.rglob("part-*")}
    assert fusion.fuse([runs / "one", runs / "three"], (0.4, 0.6), runs) != first


def command(*arguments: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def found(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phonobench.corpora.find", lambda *_, **__: corpus)


@pytest.mark.usefixtures("found")
def test_the_command_of_the_issue(runs, tmp_path) -> None:
    places = ("--runs", runs, "--results", tmp_path, "--resamples", 20)
    code, said, _ = command("fuse", "one", "two", "--alpha", "0.3", "0.5", "0.7", *places, "--json")
    assert code == 0
    got = json.loads(said)
    shares = sorted(tuple(weights) for weights in got["fused"].values())
    assert {(0.3, 0.7), (0.5, 0.5), (0.7, 0.3), tuple(got["chosen_on_dev"])} == {
        tuple(round(w, 9) for w in pair) for pair in shares
    }
    assert {(gap["a"], gap["b"]) for gap in got["gaps"]} == {(f, m) for f in got["fused"] for m in ("one", "two")}
    assert {path.name for path in tmp_path.iterdir()} == set(got["fused"])
    (chosen,) = [name for name, shares in got["fused"].items() if shares == got["chosen_on_dev"]]
    assert json.loads((tmp_path / chosen / "fusion.json").read_text()) == got  # the paired differences are kept


@pytest.mark.usefixtures("found")
def test_the_curve_prints_101_weights_and_marks_the_choice(runs, tmp_path) -> None:
    code, said, _ = command("fuse", "one", "two", "--curve", "--runs", runs, "--resamples", 20, "--results", tmp_path)
    assert code == 0
    (kept,) = tmp_path.rglob("curve-101.json")
    assert len(json.loads(kept.read_text())["points"]) == 101
    lines = said.splitlines()
    assert sum("%" in line for line in lines) == 101
    assert sum(line.strip().startswith("* 0.") for line in lines[1:]) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("one", "two", "0.5"), "write weights after --alpha"),
        (("one", "two", "--alpha", "1.5"), "must be 0 or more and sum to 1"),
        (("one", "two", "--alpha", "half"), "'half' is no number"),
        (("one", "two", "three", "--alpha", "0.5"), "write --weights A,B,C"),
        (("one", "two", "three", "--curve"), "--curve is of two runs"),
        (("one", "two", "--weights", "0.5,0.2,0.3"), "3 weights, 2 parts"),
        (("one", "two", "--method", "votes"), "unknown method of fusion 'votes'; one of frames, likelihoods"),
    ],
)
@pytest.mark.usefixtures("found")
def test_wrong_weights_are_named(arguments, message, runs) -> None:
    code, said, complaint = command("fuse", *arguments, "--runs", runs)
    assert (code, said) == (1, "")
    assert message in complaint
    assert complaint.count("\n") == 1


def test_the_curve_of_a_whole_test_split_takes_seconds(tmp_path) -> None:
    """A tenth of the real test split's frames (2,500 utterances of 4.2 s at 50 Hz) at 101 weights."""
    large, _ = planted.corpus(seed=9, speakers=125, each=2)
    rng = np.random.default_rng(0)
    for name in ("one", "two"):
        run_dir = planted.write_run(tmp_path, name, large, prompt, splits=("dev",), controls=False)
        utterances = large.split("test")
        logits = [rng.normal(size=(210, 40)) for _ in utterances]
        logp = tuple((x - np.logaddexp.reduce(x, axis=1, keepdims=True)).astype(np.float16) for x in logits)
        inputs = {"weights": name, "corpus": large.fingerprint, "split": "test"}
        store.write_posteriors(
            store.posteriors_folder(run_dir, "test"), Posteriors(tuple(u.id for u in utterances), logp, 0.02), inputs
        )
    started = time.process_time()
    evaluate.curve([tmp_path / "one", tmp_path / "two"], large, "test", evaluate.grid(2))
    assert time.process_time() - started < 12  # processor seconds: two processors and ten times the frames: 60 s


@pytest.mark.usefixtures("found")
def test_the_curve_by_likelihoods_takes_different_frame_rates(runs, corpus, tmp_path) -> None:
    places = ("--runs", runs, "--results", tmp_path, "--resamples", 20)
    code, said, _ = command(
        "fuse", "two", "slow", "--curve", "--method", "likelihoods", "--steps", 2, *places, "--json"
    )
    assert code == 0
    points = json.loads(said)["points"]
    assert [point["weights"] for point in points] == [[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]]
    both = [store.read_posteriors(runs / name, "test") for name in ("two", "slow")]
    together = {
        id: evidence.FusedEvidence((evidence.CTCEvidence(a, 0.02), evidence.CTCEvidence(b, 0.04)), (0.5, 0.5)).best()
        for id, a, b in zip(both[0].ids, both[0].logp, both[1].logp, strict=True)
    }
    wrong, total = errors(corpus, together)
    assert points[1]["per_hq"]["value"] == pytest.approx(wrong / total)


def test_three_runs_of_two_frame_rates_fuse_by_likelihoods(runs, corpus, tmp_path) -> None:
    names = ("two", "three", "slow")
    run_dir = fusion.fuse([runs / name for name in names], (0.5, 0.25, 0.25), runs, method="likelihoods")
    assert store.read_run(run_dir)["fusion"]["seeds"] == [0, 0, 0]
    read = [store.read_posteriors(runs / name, "test") for name in names]
    found = evaluate.evaluate(run_dir, corpus, tmp_path, ["test"], resamples=20)
    per = next(result for result in found if result.task == "recognition").metrics["per_hq"].value
    together = {
        id: evidence.FusedEvidence(tuple(evidence.CTCEvidence(logp, 0.02) for logp in parts), (0.5, 0.25, 0.25)).best()
        for id, *parts in zip(read[0].ids, *(one.logp for one in read), strict=True)
    }
    wrong, total = errors(corpus, together)
    assert per == pytest.approx(wrong / total)


def test_three_runs_fuse_by_frames_to_their_weighted_mean(runs) -> None:
    names = ("one", "two", "three")
    run_dir = fusion.fuse([runs / name for name in names], (0.2, 0.3, 0.5), runs)
    logps = [store.read_posteriors(runs / name, "test").logp[0].astype(np.float64) for name in names]
    mean = sum(weight * logp for weight, logp in zip((0.2, 0.3, 0.5), logps, strict=True))
    mean = mean - np.logaddexp.reduce(mean, axis=1, keepdims=True)
    np.testing.assert_allclose(store.read_posteriors(run_dir, "test").logp[0], mean, atol=2e-2)


def test_fusing_needs_no_torch() -> None:
    code = "import sys, phonobench.evaluate, phonobench.fusion; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
