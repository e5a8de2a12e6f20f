"""The experiments log: what it says of planted runs, and when it calls one the best."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import planted
import pytest
from typer.testing import CliRunner

from phonobench import evaluate, phones, store
from phonobench.cli import app
from phonobench.report import labels, learning_curve, log, loggers, runs
from phonobench.results import Value
from phonobench.systems import cards
from phonobench.types import Corpus, PhonobenchError

HISTORY = [{"epoch": e, "loss": 6 / e, "dev_per_hq": 0.4 / e, "seconds": 30.0 * e} for e in (1, 2, 3, 4)]


@pytest.fixture(scope="module")
def planted_corpus() -> tuple[Corpus, planted.SAID]:
    return planted.corpus(seed=4)


@pytest.fixture(scope="module")
def roots(planted_corpus, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    corpus, said = planted_corpus
    folder, results = (tmp_path_factory.mktemp(name) for name in ("runs", "results"))
    planted.write_run(folder, "first.s0", corpus, lambda u: said[u.id], controls=False, history=HISTORY, best_epoch=3)
    planted.write_run(folder, "second.s0", corpus, lambda u: phones.encode(u.prompt.phones), controls=False,
                      started_from="first.s0")  # fmt: skip
    planted.write_run(folder, "third.s0", corpus, lambda u: (), splits=(), controls=False, status="training",
                      history=[{"epoch": 1, "loss": 4.5, "dev_per_hq": 0.9, "seconds": 120.0}])  # fmt: skip
    for run in ("first.s0", "second.s0"):
        evaluate.evaluate(folder / run, corpus, results, resamples=100)
    return folder, results


def test_the_log_holds_every_run_and_what_is_open(roots: tuple[Path, Path]) -> None:
    text = log.write(log.read(*roots))
    assert next(line for line in text.splitlines() if line.startswith("### ") and ".s0" in line) == "### third.s0"
    assert "1 epoch, 2 min, loss 4.5 to 4.5" in text
    assert "- Started from `first.s0`\n" in text
    (second,) = (run for run in log.read(*roots) if run.run_id == "second.s0")  # ties of a second have no order
    per = second.metrics["per_hq"]
    assert f"**{labels.with_interval(per, 'per_hq')}**" in text  # the reader of the prompt has no errors at all
    assert "- [ ] `phonobench bench hubert-large`" in text
    assert "- [ ] `phonobench bench whisper-base`" not in text
    assert all(card.title in text for card in cards.SYSTEMS.values())


def test_the_best_is_settled_only_where_intervals_lie_apart() -> None:
    def run(name: str, low: float, high: float) -> log.Run:
        value = Value(value=(low + high) / 2, low=low, high=high, n=9, speakers=9)
        return type("Stub", (), {"run_id": name, "metrics": {"per_hq": value, "phone_auc": value}})()

    apart = [run("a", 0.1, 0.2), run("b", 0.25, 0.3)]
    assert log.settled_best("per_hq", apart) == "a"
    assert log.settled_best("phone_auc", apart) == "b"
    assert log.settled_best("per_hq", [run("a", 0.1, 0.26), run("b", 0.25, 0.3)]) is None
    assert log.settled_best("per_hq", apart[:1]) is None


def test_a_note_is_kept_and_cannot_become_markup(roots: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "EXPERIMENTS.md"
    common = ["-o", str(out), "--runs", str(roots[0]), "--results", str(roots[1])]
    result = CliRunner().invoke(app, ["log", "second", "--note", "better, <b>why</b>?", *common])
    assert result.exit_code == 0, result.output
    assert CliRunner().invoke(app, ["log", *common]).exit_code == 0
    assert "> better, &lt;b&gt;why&lt;/b&gt;?" in out.read_text(encoding="utf-8")
    refused = CliRunner().invoke(app, ["log", "--note", "of what?", *common])
    assert refused.exit_code == 1
    assert "a note needs its run" in refused.stderr


def test_pairing_settles_what_intervals_leave_open(roots: tuple[Path, Path], planted_corpus) -> None:
    found = [run for run in log.read(*roots) if run.tests]
    compared = evaluate.compare([roots[0] / run.run_id for run in found], planted_corpus[0], metrics=("per_hq",),
                                resamples=100)  # fmt: skip
    gaps = log.paired(compared, found)
    assert gaps["per_hq", "first.s0", "second.s0"].difference == -gaps["per_hq", "second.s0", "first.s0"].difference
    assert log.settled_best("per_hq", found, gaps) == "second.s0"
    text = log.write(found, gaps)
    (change,) = (line for line in text.splitlines() if line.startswith("| PER (HQ) % |") and line.count("[") == 2)
    gap = gaps["per_hq", "second.s0", "first.s0"]
    assert f"{100 * gap.difference:.2f} [{100 * gap.low:.2f}, {100 * gap.high:.2f}]" in change
    stale = [type("Stub", (), {"run_id": run.run_id, "metrics": {"per_hq": Value(
        value=0.99, low=0.9, high=1, n=1, speakers=2)}})() for run in found]  # fmt: skip
    with pytest.raises(PhonobenchError, match="evaluate it"):
        log.paired(compared, stale)


def test_the_course_is_a_picture_beside_the_results(roots: tuple[Path, Path], tmp_path: Path) -> None:
    (path,) = log.draw(log.read(*roots), roots[1]).values()
    assert path == roots[1] / "first.s0" / "training.svg"
    root = ElementTree.parse(path).getroot()
    titles = [node.text for node in root.iter("{http://www.w3.org/2000/svg}title")]
    assert titles == ["Training of first.s0", "epoch 3, chosen on dev: 2", "epoch 3, chosen on dev: 13.33"]
    text = log.write(log.read(*roots), pictures={"first.s0": "results/first.s0/training.svg"})
    assert text.count("](results/first.s0/training.svg)") == 1
    assert learning_curve.picture(runs.history({"history": HISTORY[:1]}), 1, "one epoch") == ""


def test_ticks_are_round_and_inside() -> None:
    assert learning_curve.ticks(0, 9.7) == [0, 5]
    assert learning_curve.ticks(1, 40) == [10, 20, 30, 40]


def test_tensorboard_reads_back_what_was_written(roots: tuple[Path, Path], tmp_path: Path) -> None:
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    found = log.read(*roots)
    assert sorted(loggers.tensorboard(found, tmp_path)) == ["first.s0", "second.s0", "third.s0"]
    assert loggers.tensorboard(found, tmp_path) == []
    read = accumulators.EventAccumulator(str(tmp_path / "first.s0")).Reload()
    assert [(event.step, event.value) for event in read.Scalars("loss")] == [(1, 6), (2, 3), (3, 2), (4, 1.5)]
    (per,) = read.Scalars("test/per_hq")
    first = next(run for run in found if run.run_id == "first.s0")
    assert per.value == pytest.approx(first.metrics["per_hq"].value)


def test_mlflow_reads_back_what_was_logged(
    roots: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracking = pytest.importorskip("mlflow.tracking")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # a server, or a data base, needs more than its small package
    uri = (tmp_path / "mlflow").as_uri()
    found = log.read(*roots)
    assert len(loggers.mlflow(found, uri)) == 3
    assert loggers.mlflow(found, uri) == []
    client = tracking.MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("phonobench").experiment_id
    (run,) = client.search_runs([experiment], "tags.run_id = 'first.s0'")
    assert [m.value for m in client.get_metric_history(run.info.run_id, "loss")] == [6, 3, 2, 1.5]


def test_speed_is_audio_by_time_and_a_fusion_takes_the_time_of_all_members(tmp_path: Path, planted_corpus) -> None:
    corpus, _ = planted_corpus
    machine = {"device": "a processor", "threads": 2, "processors": 2, "load": 0.5}
    for name, seconds in (("fast", 1.0), ("slow", 3.0)):
        planted.write_run(tmp_path, name, corpus, lambda u: (), splits=(), controls=False)
        store.add_speed(tmp_path / name, "test", {"audio_seconds": 60.0, "seconds": seconds / 2, **machine})
        store.add_speed(tmp_path / name, "test", {"audio_seconds": 60.0, "seconds": seconds / 2, **machine})
    fused = planted.manifest("both", status="fused")
    del fused["history"], fused["best_epoch"]
    fusion = {"method": "frames", "members": ["fast", "slow"], "weights": [0.5, 0.5], "seeds": [0, 0]}
    store.write_run(tmp_path / "both", {**fused, "fusion": {**fusion, "chosen_on": None}})
    fast, both = (runs.speed(tmp_path / name, "test") for name in ("fast", "both"))
    assert (fast.audio_per_second, fast.machine, fast.busy) == (120, "a processor, 2 threads", False)
    assert both.audio_per_second == pytest.approx(120 / 4)
    store.add_speed(tmp_path / "slow", "test", {"audio_seconds": 60.0, "seconds": 1.0, **machine, "device": "another"})
    assert runs.speed(tmp_path / "both", "test") is None
    assert runs.speed(tmp_path / "fast", "dev") is None
