from __future__ import annotations

import importlib.metadata
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from phonobench import doctor
from phonobench.cli import app
from phonobench.systems import local_models

runner = CliRunner()


def check(checks: tuple[doctor.Check, ...], name: str) -> doctor.Check:
    return next(one for one in checks if one.name == name)


def without(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    version = importlib.metadata.version

    def lookup(name: str) -> str:
        if name == package:
            raise importlib.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(importlib.metadata, "version", lookup)


def test_a_missing_package_is_a_fault_with_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "transformers")
    checks = doctor.examine("synthetic", tmp_path, tmp_path)
    found = check(checks, "transformers")
    assert (found.level, found.found) == ("fault", "not installed")
    assert "phonobench[train]" in found.remedy
    assert not doctor.runs_main_job(checks)


def test_a_package_of_the_core_is_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "rapidfuzz")
    found = check(doctor.examine("synthetic", tmp_path, tmp_path), "packages")
    assert (found.level, found.remedy) == ("fault", "pip install rapidfuzz")


def test_another_generation_of_a_package_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "4.57.1")
    checks = doctor.examine("synthetic", tmp_path, tmp_path)
    assert check(checks, "packages").level == "ok"
    assert check(checks, "transformers").level == "fault"
    assert "4.57.1" in check(checks, "transformers").found


def test_a_wrong_corpus_is_a_fault_that_names_it(tmp_path: Path) -> None:
    found = check(doctor.examine(str(tmp_path / "nowhere"), tmp_path, tmp_path), "corpus")
    assert found.level == "fault"
    assert str(tmp_path / "nowhere") in found.remedy


def test_synthetic_speech_is_noted(tmp_path: Path) -> None:
    found = check(doctor.examine("synthetic", tmp_path, tmp_path), "corpus")
    assert found.level == "note"
    assert "synthetic" in found.found
    assert "--download" in found.remedy


def test_a_place_that_cannot_be_written_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    checks = doctor.examine("synthetic", tmp_path / "file" / "runs", tmp_path)
    assert check(checks, "runs").level == "fault"
    assert "--runs" in check(checks, "runs").remedy
    assert check(checks, "results").level == "ok"


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    doctor.examine("synthetic", tmp_path / "runs", tmp_path / "results")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=1 << 20))
    found = check(doctor.examine("synthetic", tmp_path, tmp_path), "disk")
    assert found.level == "fault"
    assert "2 GB" in found.remedy


def test_models_are_counted_where_they_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(local_models.VARIABLE, str(tmp_path))
    assert check(doctor.examine("synthetic", tmp_path, tmp_path), "models").level == "note"
    (tmp_path / "wavlm-base").mkdir()
    (tmp_path / "wavlm-base" / "config.json").write_text("{}")
    found = check(doctor.examine("synthetic", tmp_path, tmp_path), "models")
    assert found.level == "ok"
    assert "wavlm-base" in found.found


def test_a_models_folder_that_is_none_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(local_models.VARIABLE, str(tmp_path / "none"))
    assert check(doctor.examine("synthetic", tmp_path, tmp_path), "models").level == "fault"


def test_the_verb_fails_when_the_main_job_cannot_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "torch")
    roots = ["--runs", str(tmp_path), "--results", str(tmp_path), "--corpus", "synthetic"]
    result = runner.invoke(app, ["doctor", "--json", *roots])
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert report["fit"] is False
    faults = [one["name"] for one in report["checks"] if one["level"] == "fault"]
    assert [name for name in faults if name != "transformers"] == ["torch"]  # the core installation lacks both
