"""Many systems from several seeds: what is asked for, the commands of a job array, mean and spread."""

from __future__ import annotations

import shlex
from pathlib import Path

import planted
import pytest
from test_cli import invoke, refused
from test_leaderboard import result

from phonobench import bench, store
from phonobench.report import leaderboard, markdown, seeds
from phonobench.types import Corpus


def test_seeds_are_written_in_a_row_or_apart(tmp_path: Path) -> None:
    file = tmp_path / "jobs.txt"
    for typed in (["--seeds", "0", "1", "2"], ["--seed", "0", "--seed", "1", "--seed", "2"], ["--seeds", "0,1,2"]):
        done = invoke("bench", "scratch-mel", "whisper-base", *typed, "--corpus", "synthetic", "--jobs", file)
        assert done.exit_code == 0, done.output
        lines = [shlex.split(line) for line in file.read_text().splitlines()]
        assert [(line[2], line[line.index("--seed") + 1]) for line in lines] == [
            (system, seed) for system in ("scratch-mel", "whisper-base") for seed in "012"
        ]
    assert "write seeds after --seeds" in refused("bench", "scratch-mel", "1", "--corpus", "synthetic")
    assert "whole number" in refused("bench", "scratch-mel", "--seeds", "one", "--corpus", "synthetic")


def test_a_job_array_does_what_the_bench_would(
    tmp_path: Path, synthetic_corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bench.TrainingJob] = []

    def run(job: bench.TrainingJob, *_: object, **__: object) -> Path:
        asked.append(job)
        store.write_run(tmp_path / "runs" / "x", planted.manifest("x"))
        return tmp_path / "runs" / "x"

    monkeypatch.setattr(bench, "run", run)
    monkeypatch.setattr(bench, "require_torch", lambda: None)
    for name in ("show", "_show_seeds", "write_page"):
        monkeypatch.setattr(f"phonobench.cli.bench.{name}", lambda *_: {"file": ""})
    members = ("--member", "whisper-base", "--member", "hubert-large")
    common = (
        "scratch-mel",
        "early-fusion",
        "--seeds",
        "3",
        "4",
        "--set",
        "epochs=40",
        *members,
        "--corpus",
        "synthetic",
    )
    places = ("--runs", tmp_path / "with space", "--results", tmp_path / "results", "--limit", "5")
    assert invoke("bench", *common, *places).exit_code == 0
    whole, asked[:] = list(asked), []
    assert invoke("bench", *common, *places, "--jobs", tmp_path / "jobs").exit_code == 0
    assert not asked
    for line in (tmp_path / "jobs").read_text().splitlines():
        assert invoke(*shlex.split(line)[1:]).exit_code == 0
    assert asked == whole
    assert [(job.seed, len(job.members)) for job in asked] == [(3, 0), (4, 0), (3, 2), (4, 2)]


def test_mean_and_spread_are_over_runs_that_differ_in_the_seed_alone(tmp_path: Path) -> None:
    for run, seed, per in (("a", 0, 0.10), ("b", 1, 0.20), ("c", 2, 0.60)):
        result(tmp_path, run, per)
        path = tmp_path / run / "test.recognition.json"
        fields = store.read_json(path)
        fields["provenance"]["training"]["seed"] = seed
        if run == "c":
            fields["provenance"]["training"]["recipe"] = {"name": "another"}
        store.write_json(path, fields)
    (row,) = seeds.table(tmp_path)
    assert row[2] == "0 1"
    assert row[3] == "15.00 ± 7.07 [10.00, 20.00]"
    assert set(row[4:]) == {"–"}
    assert seeds.table(tmp_path, ["a", "c"]) == []
    board = leaderboard.build(tmp_path)
    assert board.tables[0].repeats == (row,)
    assert "### Over seeds" in (page := markdown.write(board)) and "| 15.00 ± 7.07 [10.00, 20.00] |" in page


def test_a_recipe_field_that_came_later_and_changes_nothing_keeps_runs_together(tmp_path: Path) -> None:
    for run, seed, later in (("a", 0, {}), ("b", 1, {"lora": 0}), ("c", 2, {"lora": 8})):
        result(tmp_path, run, 0.1)
        path = tmp_path / run / "test.recognition.json"
        fields = store.read_json(path)
        fields["provenance"]["training"] |= {"seed": seed, "recipe": {"name": "probe", **later}}
        store.write_json(path, fields)
    assert [row[2] for row in seeds.table(tmp_path)] == ["0 1"]


def test_a_chosen_decoder_is_not_averaged_with_one_that_was_not(tmp_path: Path) -> None:
    for run, seed, chosen_on in (("a", 0, "dev"), ("b", 1, None)):
        result(tmp_path, run, 0.1)
        path = tmp_path / run / "test.recognition.json"
        fields = store.read_json(path)
        fields["provenance"]["training"]["seed"] = seed
        fields["provenance"]["decoder"] = {"name": "greedy", "chosen_on": chosen_on}
        store.write_json(path, fields)
    assert seeds.table(tmp_path) == []
