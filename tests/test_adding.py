"""A metric and a task that are added at run time, as docs/adding.md says, are measured and shown like any other."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from pathlib import Path

import numpy as np
import planted
import pytest
from typer.testing import CliRunner

from phonobench import evaluate, phones, results, stats, tasks
from phonobench.cli import app
from phonobench.report import hub, leaderboard, markdown
from phonobench.report.page import board
from phonobench.tasks import PERCENT, Metric, Prediction, Task, recognition
from phonobench.types import Corpus, Evidence, Prompt, Utterance


@pytest.fixture(scope="module")
def planted_corpus() -> tuple[Corpus, planted.SAID]:
    return planted.corpus(seed=5, speakers=6, each=3)


@pytest.fixture(scope="module")
def runs(planted_corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`exact` recognises what was spoken, `canonical` always the prompt."""
    corpus, spoken = planted_corpus
    folder = tmp_path_factory.mktemp("runs")
    planted.write_run(folder, "exact", corpus, lambda u: spoken[u.id], controls=False)
    planted.write_run(folder, "canonical", corpus, lambda u: phones.encode(u.prompt.phones), controls=False)
    return folder


def well_recognised(rows: stats.Rows, weights: np.ndarray) -> np.ndarray:
    return stats.mean((rows["errors"] <= 0.3 * rows["phones"]).astype(float), rows.speaker, weights)


NEW = Metric(
    "few_errors",
    "utterance",
    "share of utterances with a PER of 30 % or less",
    well_recognised,
    label="few errors",
    short="few",
    display=PERCENT,
)


def measured(planted_corpus, runs: Path, root: Path) -> results.Result:
    for run in ("exact", "canonical"):
        found = evaluate.evaluate(runs / run, planted_corpus[0], root, splits=("test",), resamples=30)
    return found[0]


def test_a_metric_is_one_row(planted_corpus, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = dataclasses.replace(recognition.TASK, metrics=(*recognition.TASK.metrics, NEW))
    monkeypatch.setitem(tasks.TASKS, task.name, task)
    measured(planted_corpus, runs, tmp_path)
    value = results.read(tmp_path / "exact" / "test.recognition.json").metrics["few_errors"]
    few = [u.judgement.accuracy >= 7 for u in planted_corpus[0].split("test")]  # 10 times the share of right phones
    assert value.value == pytest.approx(np.mean(few))
    assert value.low < value.value < value.high
    shown = f"{100 * value.value:.2f} [{100 * value.low:.2f}, {100 * value.high:.2f}]"

    made = leaderboard.build(tmp_path)
    rows = {row["run_id"]: row for row in csv.DictReader(io.StringIO(made.csv()))}
    assert rows["exact"]["few_errors"] == f"{value.value:.6g}"
    assert rows["canonical"]["few_errors_low"] == "1"
    section = re.search(r"### Recognition\n\n(.*?)\n\n###", markdown.write(made), re.DOTALL)[1]
    assert "| few errors % |" in section.splitlines()[0]
    assert shown in section
    assert f"few errors % <b>{100 * value.value:.2f}</b>" in board.render(made)
    (table,) = made.tables
    entry = next(entry for entry in table.entries if entry.run_id == "exact")
    assert f"| few errors % | {shown} |" in hub.card(table, entry)

    (gap,) = evaluate.compare(
        [runs / "exact", runs / "canonical"], planted_corpus[0], metrics=("few_errors",), resamples=30
    ).gaps
    assert (gap.metric, gap.better) == ("few_errors", "canonical")
    assert "few_errors" in evaluate.headline()


def test_the_command_line_prints_a_new_metric(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planted_corpus
) -> None:
    task = dataclasses.replace(recognition.TASK, metrics=(*recognition.TASK.metrics, NEW))
    monkeypatch.setitem(tasks.TASKS, task.name, task)
    monkeypatch.setattr("phonobench.corpora.find", lambda name=None: planted_corpus[0])
    common = ["--runs", str(runs), "--resamples", "20"]
    printed = CliRunner().invoke(app, ["evaluate", "exact", "--split", "test", "--results", str(tmp_path), *common])
    assert printed.exit_code == 0, printed.output
    assert re.search(r"^few_errors +\d+\.\d\d % +\[", printed.stdout, re.MULTILINE)
    compared = CliRunner().invoke(app, ["compare", "exact", "canonical", *common])
    assert compared.exit_code == 0, compared.output
    assert re.search(r"^few % +A-B ", compared.stdout, re.MULTILINE)


@dataclasses.dataclass(frozen=True, eq=False)
class Length(Prediction):
    """A prediction with something of its own."""

    best: int


def predict_length(evidence: Evidence, prompt: Prompt) -> Length:
    common = tasks.predict(evidence, prompt)
    return Length(**vars(common), best=len(evidence.best()))


def length_rows(prediction: Prediction, utterance: Utterance) -> dict:
    assert isinstance(prediction, Length)
    columns = {"off": abs(prediction.best - len(utterance.prompt.phones)), "accuracy": utterance.judgement.accuracy}
    return {"utterance": {name: np.array([float(value)]) for name, value in columns.items()}}


def off(rows: stats.Rows, weights: np.ndarray) -> np.ndarray:
    return stats.mean(rows["off"], rows.speaker, weights)


LENGTH = Task(
    "length",
    predict_length,
    length_rows,
    (Metric("length_off", "utterance", "phones too many or too few", off, "low", label="off"),),
    headline=("length_off",),
    counts=lambda predictions: {"phones": sum(one.best for one in predictions)},
)


def test_a_task_is_one_file(planted_corpus, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(tasks.TASKS, "length", LENGTH)
    measured(planted_corpus, runs, tmp_path)
    stored = results.read(tmp_path / "exact" / "test.length.json")
    assert stored.task == "length"
    assert stored.metrics["length_off"].n == 18
    assert set(stored.breakdowns) == {"age", "gender", "proficiency"}
    assert stored.counts["phones"] > 100
    text = markdown.write(leaderboard.build(tmp_path))
    assert re.search(r"### Length\n\n\| system \| recipe, seed \| off \|", text)
    assert "length_off" in json.dumps(leaderboard.build(tmp_path).json())
    (gap, _) = evaluate.compare(
        [runs / "exact", runs / "canonical"], planted_corpus[0], metrics=("length_off", "per"), resamples=20
    ).gaps
    assert gap.metric in ("per", "length_off")


def test_two_metrics_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    twice = dataclasses.replace(LENGTH, metrics=(dataclasses.replace(LENGTH.metrics[0], name="per"),))
    monkeypatch.setitem(tasks.TASKS, "length", twice)
    with pytest.raises(ValueError, match="task length has a metric 'per'"):
        tasks.metrics()
