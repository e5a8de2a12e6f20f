"""The leaderboard: order, separation of corpora, others' rows marked, three formats of the same figures."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from phonobench import results, store
from phonobench.report import leaderboard, markdown
from phonobench.results import Value
from phonobench.tasks import metrics
from phonobench.types import PhonobenchError


def result(
    root: Path, run_id: str, per: float | None = 0.2, *, task: str = "recognition", corpus: str = "speechocean762",
    synthetic: bool = False, complete: bool = True, key: str = "k", metrics: dict | None = None,
) -> None:  # fmt: skip
    value = (
        Value(value=None, low=None, high=None, n=0, speakers=0, reason="nothing to count")
        if per is None
        else Value(value=per, low=per - 0.01, high=per + 0.01, n=2500, speakers=125)
    )
    provenance = {
        "corpus": {"name": corpus, "fingerprint": corpus * 5, "synthetic": synthetic},
        "split": {"utterances": 2500, "speakers": 125, "words": 1, "phones": 1, "complete": complete},
        "model": {"card": "whisper-base", "card_key": "c", "id": "openai/whisper-base", "revision": "r",
                  "parameters": 20_590_592},
        "training": {"corpus": corpus, "fingerprint": "f", "synthetic": synthetic, "utterances": 2000, "speakers": 100,
                     "seed": 7, "recipe": {"name": "finetune"}},
        "code": {"version": "0.1.0"}, "bootstrap": {"resamples": 1000, "seed": 762}, "posteriors": {"test": key},
    }  # fmt: skip
    made = results.Result.model_validate(
        {
            "protocol_version": results.PROTOCOL_VERSION, "run_id": run_id, "split": "test", "task": task,
            "created": "2026-01-01T00:00:00+00:00", "provenance": provenance,
            "metrics": metrics or {"per_hq": value, "per": value},
            "breakdowns": {"age": {"child": {"per": value}}} if task == "recognition" else {},
        }
    )  # fmt: skip
    results.write(made, root)


def test_best_first_and_bold(tmp_path: Path) -> None:
    for run, per in (("b", 0.25), ("a", 0.178), ("none", None)):
        result(tmp_path, run, per)
    board = leaderboard.build(tmp_path)
    assert [entry.run_id for entry in board.tables[0].entries] == ["a", "b", "none"]
    text = markdown.write(board)
    assert "**17.80** [16.80, 18.80]" in text
    assert "25.00 [24.00, 26.00]" in text
    assert "**25.00**" not in text


def test_formats_agree(tmp_path: Path) -> None:
    result(tmp_path, "a", 0.178)
    result(
        tmp_path, "a", task="scoring", metrics={"phone_pearson": Value(value=0.5, low=0.4, high=0.6, n=9, speakers=2)}
    )
    board = leaderboard.build(tmp_path)
    rows = list(csv.DictReader(io.StringIO(board.csv())))
    ours = [row for row in rows if row["origin"] == "measured"]
    assert [(row["run_id"], row["per_hq"], row["per_hq_low"], row["phone_pearson"]) for row in ours] == [
        ("a", "0.178", "0.168", "0.5")
    ]
    assert ours[0]["phone_mcc"] == ""
    (run,) = json.loads(json.dumps(board.json()))["tables"][0]["runs"]
    assert run["metrics"]["per_hq"]["value"] == 0.178
    assert (run["input"], run["recipe"], run["seed"], run["saw_test_corpus"]) == ("mel", "finetune", 7, "unknown")
    assert run["breakdowns"]["age"]["child"]["per"]["low"] == pytest.approx(0.168)


def test_the_source_rows_stand_beside_the_real_corpus_only_and_are_marked(tmp_path: Path) -> None:
    result(tmp_path / "real", "a")
    result(tmp_path / "synthetic", "a", corpus="synthetic", synthetic=True)
    result(tmp_path / "trial", "a", complete=False)
    real, synthetic, trial = (leaderboard.build(tmp_path / kind) for kind in ("real", "synthetic", "trial"))
    assert "| *HuBERT Large* | *theirs* | waveform |  |  | – | 8.84 | 0.593 | – | 0.843 | – |" in markdown.write(real)
    theirs = [row for row in csv.DictReader(io.StringIO(real.csv())) if row["origin"] == "source experiments"]
    assert len(theirs) == len(real.json()["tables"][0]["source_experiments"]) == 13
    assert theirs[0]["per_hq"] == ""
    assert theirs[0]["per_ipa_char_hq"] == "0.0884"
    for board in (synthetic, trial):
        assert "theirs" not in markdown.write(board)
        assert "source experiments" not in board.csv()


def test_synthetic_speech_and_trials_stand_apart_and_say_so(tmp_path: Path) -> None:
    result(tmp_path, "real")
    result(tmp_path, "fake", 0.01, corpus="synthetic", synthetic=True)
    result(tmp_path, "trial", 0.02, complete=False)
    board = leaderboard.build(tmp_path)
    assert [(t.synthetic, t.complete, len(t.entries)) for t in board.tables] == [
        (False, True, 1), (False, False, 1), (True, True, 1),
    ]  # fmt: skip
    sections = markdown.write(board).split("\n## ")[1:]
    assert [section.splitlines()[2][:20] for section in sections[1:]] == [
        "**These runs saw onl",
        "**The figures below ",
    ]
    assert "synthetic" not in sections[0]


def test_missing_tasks_are_dashes_and_pipes_are_escaped(tmp_path: Path) -> None:
    result(tmp_path, "a")
    assert "| – |" in markdown.write(leaderboard.build(tmp_path))
    from phonobench.report.markdown import grid

    assert grid(["a"], [["x|y"]]).splitlines()[2] == "| x\\|y |"


def test_mixed_results_of_a_run_are_refused(tmp_path: Path) -> None:
    result(tmp_path, "a", key="old")
    result(tmp_path, "a", task="scoring", key="new", metrics={})
    with pytest.raises(PhonobenchError, match="results of a are mixed: recognition is of posteriors old"):
        leaderboard.build(tmp_path)


def test_another_protocol_and_no_results_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PhonobenchError, match="no results at"):
        leaderboard.build(tmp_path / "nothing")
    with pytest.raises(PhonobenchError, match="no test results under"):
        leaderboard.build(tmp_path)
    result(tmp_path, "a")
    path = tmp_path / "a" / "test.recognition.json"
    store.write_json(path, {**store.read_json(path), "protocol_version": "9"})
    with pytest.raises(PhonobenchError, match=r"test\.recognition\.json is of protocol version 9"):
        leaderboard.build(tmp_path)


def test_every_column_is_a_metric() -> None:
    from phonobench.report import labels

    chosen = {*labels.SUMMARY, *labels.BROKEN_DOWN, *labels.SCORER_BANDS}
    assert {*leaderboard.columns(), *labels.control_columns(), *chosen} <= set(metrics())
