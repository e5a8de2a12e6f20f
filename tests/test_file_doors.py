"""Files that programs wrote, changed in one place each: refused in one line that names file and place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import planted
import pytest

from phonobench import results, store
from phonobench.assessment.scoring import batch
from phonobench.store import door
from phonobench.store.run_facts import recipe_of
from phonobench.types import PhonobenchError

NAN, DEEP = float("nan"), [[[[1]]]]


def refused(call: Callable[[], Any], wanted: str) -> None:
    with pytest.raises(PhonobenchError, match=wanted) as fault:
        call()
    assert "\n" not in str(fault.value)


def edited(path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    fields = json.loads(path.read_text(encoding="utf-8"))
    change(fields)
    path.write_text(json.dumps(fields), encoding="utf-8")


RUN: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "an id that leads elsewhere": (lambda m: m.update(run_id="../../x"), "run_id: .*plain file name"),
    "another run's id": (lambda m: m.update(run_id="other"), "another name than its folder"),
    "a member elsewhere": (lambda m: m.update(members=[{"run": "../x", "card": "c", "step": 0.02}]), "members"),
    "an unknown field": (lambda m: m.update(new=1), "new: Extra"),
    "a missing field": (lambda m: m.pop("seed"), "seed: Field required"),
    "null for a part": (lambda m: m.update(decoder=None), "decoder"),
    "a decoder that is none": (lambda m: m.update(decoder={"name": "beam:999999", "chosen_on": None}), "decoder.name"),
    "NaN": (lambda m: m.update(seconds=NAN), "NaN is no number"),
    "a negative seed": (lambda m: m.update(seed=-1), "seed"),
    "true for a number": (lambda m: m.update(parameters=True), "parameters"),
    "a limit of nothing": (lambda m: m.update(limit=0), "limit"),
    "no epoch of a trained run": (lambda m: m.update(history=[], best_epoch=None), "best_epoch"),
    "a best epoch that was not": (lambda m: m.update(best_epoch=7), "7 of 1 epochs"),
    "a recipe out of range": (lambda m: m["recipe"].update(epochs=0), "epochs = 0 is out of its range"),
    "a recipe of tomorrow": (lambda m: m["recipe"].update(new=1), "new"),
    "many digits": (lambda m: m.update(seed=10**400), "an integer of 401 digits"),
    "a list": (lambda m: m.update(corpus=DEEP), "corpus"),
}  # fmt: skip


@pytest.mark.parametrize("fault", RUN)
def test_a_changed_manifest_is_refused(tmp_path: Path, fault: str) -> None:
    store.write_run(tmp_path / "r", planted.manifest("r"))
    change, wanted = RUN[fault]
    edited(tmp_path / "r" / store.RUN_FILE, change)
    refused(lambda: store.read_run(tmp_path / "r"), wanted)


def test_a_fusion_whose_weights_do_not_sum_to_one_is_refused(tmp_path: Path) -> None:
    fused = {k: v for k, v in planted.manifest("r", status="fused").items() if k not in ("history", "best_epoch")}
    fusion = {"method": "frames", "members": ["a", "b"], "weights": [0.5, 0.5], "seeds": [0, 0], "chosen_on": None}
    store.write_run(tmp_path / "r", {**fused, "fusion": fusion})
    for change in ({"weights": [0.5, 0.6]}, {"weights": [1.0]}, {"members": ["a", "a"]}, {"members": ["a", "/b"]}):
        refused(lambda: store.write_run(tmp_path / "r", {**fused, "fusion": {**fusion, **change}}), "fusion")  # noqa: B023


def test_a_recipe_comes_back_under_names_of_any_time() -> None:
    recipe = recipe_of({"name": "x", "about": "y", "epochs": 2, "rise": 0.2, "speeds": [0.9, 1.0]})
    assert (recipe.warmup_fraction, recipe.speeds) == (0.2, (0.9, 1.0))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (b"[" * 100_000, "nested too deep"), (b'{"a": 1, "a": 2}', "twice"), (b"1e999", "too large"),
        (b"[NaN]", "no number"), (b'"\\ud800"', "surrogate"), (b"9" * 5_000, "5000 digits"), (b"\xff", "JSON"),
    ],
)  # fmt: skip
def test_what_no_json_of_ours_holds_is_refused(tmp_path: Path, text: bytes, wanted: str) -> None:
    (tmp_path / "a.json").write_bytes(text)
    refused(lambda: door.read_json(tmp_path / "a.json"), wanted)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "device").symlink_to("/dev/zero")
    for name in ("folder", "loop", "device", "nothing", "n" * 300, "a\0b", "\ud800"):
        for read in (door.read_json, store.read_arrays, store.hash_file, store.read_json):
            refused(lambda: read(tmp_path / name), ".")  # noqa: B023


def shard(tmp_path: Path) -> tuple[Path, Path]:
    logp = np.log(np.full((4, 40), 1 / 40, np.float32))
    inputs = {"weights": "w", "corpus": "c", "split": "dev"}
    folder = store.posteriors_folder(tmp_path, "dev")
    store.write_posteriors(folder, store.posteriors.Posteriors(("a", "b"), (logp, logp), 0.02), inputs)
    return folder / "manifest.json", next(folder.glob("part-*"))


@pytest.mark.parametrize("fault", ["NaN", "no log-probabilities", "bounds", "kind", "an id twice", "no offsets"])
def test_a_changed_shard_is_refused_though_its_hash_fits(tmp_path: Path, fault: str) -> None:
    manifest, path = shard(tmp_path)
    arrays, facts = store.read_arrays(path)
    changes: dict[str, Callable[[], Any]] = {
        "NaN": lambda: arrays["logp"].__setitem__((0, 0), np.nan),
        "no log-probabilities": lambda: arrays["logp"].__setitem__(0, 0.0),
        "bounds": lambda: arrays["offsets"].__setitem__(1, 100),
        "kind": lambda: arrays.update(offsets=arrays["offsets"].astype(np.float32)),
        "an id twice": lambda: facts.update(ids=["a", "a"]),
        "no offsets": lambda: arrays.pop("offsets"),
    }
    changes[fault]()
    store.write_arrays(path, arrays, facts)
    edited(manifest, lambda m: m["shards"][0].update(sha256=store.hash_file(path)))
    refused(lambda: store.read_posteriors(tmp_path, "dev"), ".")


def test_a_manifest_of_posteriors_names_shards_of_its_own_folder_alone(tmp_path: Path) -> None:
    manifest, _ = shard(tmp_path)
    edited(manifest, lambda m: m["shards"][0].update(file="../part-0123456789abcdef.safetensors"))
    refused(lambda: store.read_posteriors(tmp_path, "dev"), "shards.0.file")


WEIGHTS = {"card_key": "c" * 64, "key": store.fingerprint("r"), "epoch": 1, "frozen": False, "encoder": {}}


@pytest.mark.parametrize(
    ("arrays", "facts", "wanted"),
    [
        ({"w": np.full((2, 2), np.nan, np.float32)}, {}, "no finite numbers"),
        ({"w": np.zeros((2, 2), np.int8)}, {}, "floats are expected"),
        ({}, {}, "no tensors"),
        ({"w": np.zeros(2, np.float32)}, {"key": "f" * 64}, "another run"),
        ({"w": np.zeros(2, np.float32)}, {"epoch": 0}, "epoch"),
        ({"w": np.zeros(2, np.float32)}, {"packed": True}, "unpacks it"),
    ],
)
def test_changed_weights_are_refused(tmp_path: Path, arrays: Any, facts: dict[str, Any], wanted: str) -> None:
    run_dir = tmp_path / "r"
    store.write_run(run_dir, planted.manifest("r"))
    store.write_arrays(run_dir / "weights" / "model.safetensors", arrays, {**WEIGHTS, **facts})
    refused(lambda: store.read_weights(run_dir, store.read_run(run_dir)), wanted)


RESULT: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "a PER below nothing": (lambda r: r["metrics"]["per"].update(value=-5.0, low=-6.0, high=-4.0), "out of its range"),
    "low over high": (lambda r: r["metrics"]["per"].update(low=0.9, high=0.1), "low 0.9 is above high 0.1"),
    "NaN": (lambda r: r["metrics"]["per"].update(value=NAN), "NaN is no number"),
    "a correlation of two": (lambda r: r["metrics"].update(x_pearson=dict(r["metrics"]["per"], value=2.0)), "range"),
    "another run's": (lambda r: r.update(run_id="other"), "a copy"),
    "another task's": (lambda r: r.update(task="scoring"), "a copy"),
    "a negative count": (lambda r: r["metrics"]["per"].update(n=-1), "metrics.per.n"),
    "text for a number": (lambda r: r["metrics"]["per"].update(value="0.2"), "metrics.per.value"),
}  # fmt: skip


@pytest.mark.parametrize("fault", RESULT)
def test_a_changed_result_is_refused(tmp_path: Path, fault: str) -> None:
    place = Path(__file__).parents[1] / "results" / "whisper-base.probe.s0.f77fc564" / "test.recognition.json"
    path = tmp_path / "results" / place.parent.name / place.name
    path.parent.mkdir(parents=True)
    path.write_bytes(place.read_bytes())
    assert len(results.read_all(tmp_path / "results")) == 1
    change, wanted = RESULT[fault]
    edited(path, change)
    refused(lambda: results.read_all(tmp_path / "results"), wanted)


def test_a_list_that_is_a_device_has_no_end() -> None:
    with pytest.raises(PhonobenchError, match="is a device"):
        batch.of_list(Path("/dev/zero"))
