"""The folder of an exported scorer, changed in every way: refused in one sentence, or the same scores."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from phonobench import store
from phonobench.assessment import bundle
from phonobench.assessment.model.trees import Forest
from phonobench.assessment.package_facts import seal
from phonobench.store import door
from phonobench.types import PhonobenchError

SHIPPED: dict[str, Any] = json.loads((bundle.DEFAULT / bundle.FACTS).read_text(encoding="utf-8"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle.DEFAULT, tmp_path / "scorer"))


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of the facts; of lists the first and the last entry. What a run's manifest told is free."""
    if at == ("run",):
        return [at]
    inside: list[tuple[Any, ...]] = []
    if isinstance(value, dict):
        inside = [place for key in value for place in places(value[key], (*at, key))]
    elif isinstance(value, list) and value:
        inside = [place for key in {0, len(value) - 1} for place in places(value[key], (*at, key))]
    return ([at] if at else []) + inside


def changed(at: tuple[Any, ...], how: Callable[[Any, Any], None]) -> dict[str, Any]:
    facts = copy.deepcopy(SHIPPED)
    inner = facts
    for key in at[:-1]:
        inner = inner[key]
    how(inner, at[-1])
    facts.pop("sha256", None)
    return facts


CHANGES: dict[str, Any] = {
    "null": None, "text": "x", "list": [], "map": {}, "true": True, "deep": [[[[1]]]], "path": "../../x",
    "NaN": float("nan"), "infinite": float("inf"), "huge": 10**400,
}  # fmt: skip


def refused(folder: Path, facts: Any, at: Any = None) -> str:
    """The one sentence with which the folder is refused. Anything but a refusal fails the test."""
    (folder / bundle.FACTS).write_text(json.dumps(facts), encoding="utf-8")
    try:
        bundle._checked_facts(folder)
    except PhonobenchError as refusal:
        message = str(refusal)
    else:
        pytest.fail(f"accepted: {at}")
    assert message.startswith(str(folder)) and "\n" not in message and len(message) < 600
    return message


LATER = (("presence",), ("readers",))
"""Facts that older packages lack."""


def test_the_shipped_facts_are_sealed() -> None:
    assert SHIPPED["sha256"] == seal(SHIPPED)


@pytest.mark.parametrize("kind", CHANGES)
def test_a_value_of_another_kind_is_refused_wherever_it_stands(folder: Path, kind: str) -> None:
    wanted = CHANGES[kind]
    optional = {
        ("level",): ("null",),
        ("presence",): ("null",),
        ("readers",): ("null",),
        ("run",): ("map",),
        ("reads_states",): ("true",),
    }
    texts = [("card", name) for name in SHIPPED["card"] if name != "fitted_speakers"]
    for at in places(SHIPPED):
        accepted = kind in optional.get(at, ()) or (at in texts and kind in ("text", "path")) or at == ("sha256",)
        accepted |= at == ("thresholds",) and kind == "map"
        if not accepted:
            refused(folder, changed(at, lambda inner, key: inner.__setitem__(key, wanted)), at)


def test_a_missing_value_is_refused_wherever_it_stood(folder: Path) -> None:
    for at in places(SHIPPED):
        free = ("sha256", "run"), ("thresholds", "features"), at[:2] == ("calibration", "thresholds")
        if (
            at in (("presence",), ("readers",))
            or at[0] in free[0]
            or (len(at) > 1 and at[0] in free[1])
            or (len(at) > 2 and free[2])
        ):
            continue
        refused(folder, changed(at, lambda inner, key: inner.pop(key)), at)


@pytest.mark.parametrize("at", [(), ("card",), ("gate",), ("presence",), ("readers",), ("calibration",)])
def test_an_unknown_value_is_refused(folder: Path, at: tuple[str, ...]) -> None:
    assert "new" in refused(folder, changed((*at, "new"), lambda inner, key: inner.__setitem__(key, 1)))


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (("hop",), 0.0), (("hop",), -0.02), (("bands",), 0), (("bands",), 10**9), (("panel",), 2), (("panel",), 0),
        (("level",), 3.0), (("gate", "scale", 0), 0.0), (("gate", "scale", 0), -1.0),
        (("readers", "total", 0), 11.0), (("readers", "total", 0), 9.9), (("readers", "total"), [1.0]),
        (("presence", "threshold"), 1.0), (("presence", "threshold"), 0.0), (("presence", "scale", 0), 0.0),
        (("presence", "confusions", 0, 0), 0.0), (("presence", "weights"), []), (("presence", "offset"), [0.0]),
        (("calibration", "thresholds", "0.05"), 1.5), (("card", "fitted_speakers"), 0), (("format",), 7),
        (("calibration", "intervals", "phone", 1, 0), 99.0), (("calibration", "intervals", "phone", 0, 0), 99.0),
        (("features", 0), "loudness of the moon"), (("features", 0), SHIPPED["features"][1]),
    ],
)  # fmt: skip
def test_a_number_out_of_its_range_is_refused(folder: Path, at: tuple[Any, ...], value: Any) -> None:
    refused(folder, changed(at, lambda inner, key: inner.__setitem__(key, value)))


@pytest.mark.parametrize(
    "name", ["../up.onnx", "/etc/passwd", "a/b.onnx", "", ".", "..", "x\0y", "n" * 300, "other.onnx"]
)
def test_a_file_that_does_not_belong_there_is_refused(folder: Path, name: str) -> None:
    refused(folder, changed(("files", name), lambda inner, key: inner.__setitem__(key, "0" * 64)))


def test_a_list_without_the_score_head_is_refused(folder: Path) -> None:
    assert "score head" in refused(folder, changed(("files", "judge-0.onnx"), lambda inner, key: inner.pop(key)))


def test_facts_that_were_edited_are_refused(folder: Path) -> None:
    facts = copy.deepcopy(SHIPPED)
    facts["gate"]["offset"] += 1
    assert "was changed" in refused(folder, facts)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[" * 100_000, "nested too deep"), ("{", "not readable JSON"), ("", "not readable JSON"),
        ('{"format": ' + "9" * 5_000 + "}", "not readable JSON"), ("[]", "another version"), ("2", "another version"),
    ],
)  # fmt: skip
def test_what_is_no_facts_at_all_is_refused(folder: Path, text: str, wanted: str) -> None:
    (folder / bundle.FACTS).write_text(text, encoding="utf-8")
    with pytest.raises(PhonobenchError, match=wanted):
        bundle._checked_facts(folder)


def test_bytes_that_are_no_text_are_refused(folder: Path) -> None:
    (folder / bundle.FACTS).write_bytes(b"\xff\xfe{}")
    with pytest.raises(PhonobenchError, match="not readable JSON"):
        bundle._checked_facts(folder)


def test_a_folder_in_place_of_the_facts_is_refused(folder: Path) -> None:
    (folder / bundle.FACTS).unlink()
    (folder / bundle.FACTS).mkdir()
    with pytest.raises(PhonobenchError, match="is not a file"):
        bundle._checked_facts(folder)


def test_something_that_is_no_network_is_refused(folder: Path) -> None:
    """With a fitting hash, as an attacker or another exporter would leave it."""
    (folder / "scorer.onnx").write_bytes(b"not a network")
    facts = changed(("files", "scorer.onnx"), lambda inner, key: inner.__setitem__(key, store.hash_file(folder / key)))
    (folder / bundle.FACTS).write_text(json.dumps(facts), encoding="utf-8")
    with pytest.raises(PhonobenchError, match=r"scorer.onnx"):
        bundle.load(folder)


TREES = {
    "a loop": ("left", 0, 0), "outside": ("right", 0, 10**6), "upwards": ("right", 0, 0),
    "a column before": ("column", 0, -1),
    "a root outside": ("roots", 0, 10**6), "a root before": ("roots", 0, -2), "no value": ("value", 1, np.nan),
    "no threshold": ("threshold", 0, np.nan), "an infinite value": ("value", 1, np.inf),
}  # fmt: skip


@pytest.mark.parametrize("how", TREES)
def test_arrays_that_are_no_trees_are_refused(folder: Path, how: str) -> None:
    part, place, value = TREES[how]
    arrays, facts = store.read_arrays(folder / "trees.safetensors")
    arrays[f"phone {part}"][place] = value
    store.write_arrays(folder / "trees.safetensors", arrays, facts)
    with pytest.raises(PhonobenchError, match="trees of phone"):
        Forest.read(folder / "trees.safetensors")


def test_trees_that_read_beside_the_table_are_refused() -> None:
    forest = Forest.read(bundle.DEFAULT / "trees.safetensors")
    with pytest.raises(PhonobenchError, match="column"):
        forest.trees["phone"].predict(np.zeros((3, 4)))


@pytest.mark.parametrize("missing", ["phone left", "error value"])
def test_missing_arrays_are_refused(folder: Path, missing: str) -> None:
    arrays, facts = store.read_arrays(folder / "trees.safetensors")
    arrays.pop(missing)
    store.write_arrays(folder / "trees.safetensors", arrays, facts)
    with pytest.raises(PhonobenchError, match=missing):
        Forest.read(folder / "trees.safetensors")


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "LARGEST_BYTES", 3)
    (tmp_path / "a.json").write_text("[1,2,3]")
    with pytest.raises(PhonobenchError, match="too large"):
        door.read_json(tmp_path / "a.json")


def test_names_with_odd_characters_are_shown_escaped() -> None:
    assert door.shown("a\x1b[31m\u200b\ud800") == r"'a\x1b[31m\u200b\ud800'"
