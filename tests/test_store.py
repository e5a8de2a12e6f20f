"""The store: atomic files, keys, and posteriors that survive a kill."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import numpy as np
import planted
import pytest

from phonobench import store
from phonobench.store import atomic
from phonobench.types import PhonobenchError, Posteriors

INPUTS = {"weights": "abc", "corpus": "def", "split": "test", "code": "1"}
MANIFEST = planted.manifest("r")


def posteriors(n: int = 5, seed: int = 0) -> Posteriors:
    rng = np.random.default_rng(seed)
    logits = [rng.normal(size=(rng.integers(1, 9), 40)) * 3 for _ in range(n)]
    logp = tuple((x - np.log(np.exp(x).sum(1, keepdims=True))).astype(np.float32) for x in logits)
    return Posteriors(tuple(f"u{i}" for i in range(n)), logp, 0.02)


def test_posteriors_come_back_as_stored(tmp_path: Path) -> None:
    given = posteriors(150)
    store.write_posteriors(tmp_path / "posteriors" / "test", given, INPUTS)
    read = store.read_posteriors(tmp_path, "test")
    assert read.ids == given.ids
    assert read.hop == given.hop
    for ours, theirs in zip(read.logp, given.logp, strict=True):
        assert ours.dtype == np.float16
        np.testing.assert_allclose(ours, theirs, atol=0.01)
    assert len(list((tmp_path / "posteriors" / "test").glob("part-*"))) == 3


def test_read_in_another_order(tmp_path: Path) -> None:
    given = posteriors()
    store.write_posteriors(tmp_path / "posteriors" / "test", given, INPUTS)
    read = store.read_posteriors(tmp_path, "test", ids=("u3", "u0"))
    assert read.ids == ("u3", "u0")
    np.testing.assert_allclose(read.logp[0], given.logp[3], atol=0.01)


def test_a_killed_inference_is_refused_then_continued(tmp_path: Path) -> None:
    given, folder = posteriors(5), tmp_path / "posteriors" / "test"
    writer = store.PosteriorsWriter(folder, INPUTS, given.ids, given.hop, shard=2)
    for i in range(3):  # two stored, the third lost: no flush, as after a kill
        writer.add(given.ids[i], given.logp[i])
    assert store.posteriors_done(folder) == {"u0", "u1"}
    with pytest.raises(PhonobenchError, match=r"incomplete .*2 of 5.*phonobench infer"):
        store.read_posteriors(tmp_path, "test")
    again = store.PosteriorsWriter(folder, INPUTS, given.ids, given.hop, shard=2)
    assert again.todo == ("u2", "u3", "u4")
    store.write_posteriors(folder, given, INPUTS)
    assert store.read_posteriors(tmp_path, "test").ids == given.ids


def test_an_error_keeps_what_was_heard(tmp_path: Path) -> None:
    given, folder = posteriors(5), tmp_path / "posteriors" / "test"
    with pytest.raises(KeyboardInterrupt), store.PosteriorsWriter(folder, INPUTS, given.ids, given.hop) as writer:
        writer.add("u0", given.logp[0])
        raise KeyboardInterrupt
    assert store.posteriors_done(folder) == {"u0"}
    assert not (folder / "manifest.json").exists()


def test_a_limit_can_be_widened(tmp_path: Path) -> None:
    given, folder = posteriors(5), tmp_path / "posteriors" / "test"
    store.write_posteriors(folder, Posteriors(given.ids[:2], given.logp[:2], given.hop), INPUTS)
    with pytest.raises(PhonobenchError, match="lacks 3 of the 5 wanted, u2 first"):
        store.read_posteriors(tmp_path, "test", ids=given.ids)
    store.write_posteriors(folder, given, INPUTS)
    assert store.read_posteriors(tmp_path, "test").ids == given.ids


@pytest.mark.parametrize("finished", [True, False])
def test_other_inputs_are_refused_naming_both_keys(tmp_path: Path, finished: bool) -> None:
    given, folder = posteriors(3), tmp_path / "posteriors" / "test"
    store.write_posteriors(folder, given, INPUTS)
    if not finished:
        (folder / "manifest.json").unlink()
    mine = store.fingerprint({**INPUTS, "hop": 0.02, "format": 1})[:12]
    other = store.fingerprint({**INPUTS, "weights": "zzz", "hop": 0.02, "format": 1})[:12]
    with pytest.raises(PhonobenchError, match=rf"{mine}, not {other} \(they differ in weights\)"):
        store.write_posteriors(folder, given, {**INPUTS, "weights": "zzz"})


def test_a_damaged_shard_is_refused(tmp_path: Path) -> None:
    store.write_posteriors(tmp_path / "posteriors" / "test", posteriors(), INPUTS)
    (shard,) = (tmp_path / "posteriors" / "test").glob("part-*")
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-10])
    with pytest.raises(PhonobenchError, match="is damaged"):
        store.read_posteriors(tmp_path, "test")
    shard.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(PhonobenchError, match="is not what"):
        store.read_posteriors(tmp_path, "test")


def test_absent_posteriors_name_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(PhonobenchError, match=r"no posteriors of dev .*phonobench infer"):
        store.read_posteriors(tmp_path / "run", "dev")


@pytest.mark.parametrize(
    ("logp", "message"),
    [
        (np.zeros((0, 40)), r"shape \(0, 40\)"),
        (np.zeros((3, 39)), r"shape \(3, 39\)"),
        (np.full((3, 40), np.nan), "not finite"),
        (np.zeros((3, 40)), "no log-probabilities"),
    ],
)
def test_what_is_no_posteriorgram_is_refused(tmp_path: Path, logp: np.ndarray, message: str) -> None:
    writer = store.PosteriorsWriter(tmp_path / "x", INPUTS, ("u0",), 0.02)
    with pytest.raises(PhonobenchError, match=f"utterance u0.*{message}"):
        writer.add("u0", logp)


def test_unasked_and_repeated_utterances_are_refused(tmp_path: Path) -> None:
    given = posteriors(1)
    writer = store.PosteriorsWriter(tmp_path / "x", INPUTS, ("u0",), 0.02)
    with pytest.raises(PhonobenchError, match="u9 was not asked for"):
        writer.add("u9", given.logp[0])
    writer.add("u0", given.logp[0])
    with pytest.raises(PhonobenchError, match="already stored"):
        writer.add("u0", given.logp[0])


def test_a_full_disk_leaves_the_former_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    store.write_json(path, {"a": 1})

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(PhonobenchError, match=r"disk full while writing .*a\.json"):
        store.write_json(path, {"a": 2})
    assert store.read_json(path) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_the_kernels_own_full_disk(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    target.symlink_to("/dev/full")
    with pytest.raises(PhonobenchError, match="disk full"):
        store.write_json(target, list(range(10_000)))
    assert target.is_symlink() and Path("/dev/full").is_char_device()


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PhonobenchError, match="cannot write"):
        store.write_json(tmp_path / "file" / "a.json", 1)


def test_json_refuses_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        store.write_json(tmp_path / "a.json", float("nan"))


def test_damaged_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a":')
    with pytest.raises(PhonobenchError, match=r"a\.json is not readable JSON"):
        store.read_json(tmp_path / "a.json")


def test_fingerprint_ignores_the_order_of_keys_only() -> None:
    assert store.fingerprint({"a": 1, "b": [1, 2]}) == store.fingerprint({"b": [1, 2], "a": 1})
    assert store.fingerprint({"a": [1, 2]}) != store.fingerprint({"a": [2, 1]})
    assert len(store.fingerprint(json.loads("{}"))) == 64


def test_run_manifest(tmp_path: Path) -> None:
    store.write_run(tmp_path / "r", MANIFEST)
    assert store.read_run(tmp_path / "r") == MANIFEST
    assert store.list_runs(tmp_path) == (tmp_path / "r",)
    with pytest.raises(PhonobenchError, match="no run at"):
        store.read_run(tmp_path / "nothing")
    with pytest.raises(PhonobenchError, match="seed: Field required"):
        store.write_run(tmp_path / "r", {k: v for k, v in MANIFEST.items() if k != "seed"})
