"""A small copy of a run: what int8 costs, and that it comes back as a run."""

import numpy as np
import planted
import pytest

pytest.importorskip("torch")

from phonobench import store
from phonobench.neural.checkpoints import archive
from phonobench.types import PhonobenchError

pytestmark = pytest.mark.torch


def arrays():
    rng = np.random.default_rng(3)
    wide = rng.standard_normal((64, 3, 40)).astype(np.float32) * rng.uniform(1e-3, 10, (64, 1, 1)).astype(np.float32)
    return {
        "layer.weight": wide,
        "layer.bias": rng.standard_normal(64).astype(np.float32),
        "zero.weight": np.zeros((80, 64), np.float32),
    }


def test_each_value_comes_back_within_half_a_step_of_its_row():
    given = arrays()
    back = archive.unpack(archive.pack(given))
    assert set(back) == set(given)
    step = np.abs(given["layer.weight"]).reshape(64, -1).max(1) / 127
    error = np.abs(back["layer.weight"] - given["layer.weight"]).reshape(64, -1).max(1)
    assert (error <= 0.51 * step + 127 * step * 2**-11).all()
    np.testing.assert_allclose(back["layer.bias"], given["layer.bias"], rtol=1e-3)
    assert not back["zero.weight"].any()


def test_it_takes_a_quarter_of_the_room():
    given = arrays()
    assert sum(a.nbytes for a in archive.pack(given).values()) < 0.27 * sum(a.nbytes for a in given.values())


FACTS = {"card_key": "c" * 64, "key": store.fingerprint("a.b.s0.1"), "epoch": 3, "frozen": False, "encoder": {}}


def manifest(status):
    return planted.manifest("a.b.s0.1", card="scratch-mel", status=status)


def test_a_run_is_kept_and_restored(tmp_path):
    run_dir = tmp_path / "runs" / "a.b.s0.1"
    store.write_run(run_dir, manifest("trained"))
    store.write_arrays(run_dir / "weights" / "model.safetensors", arrays(), FACTS)
    kept = archive.keep(run_dir, tmp_path / "kept")
    again = archive.restore(kept, tmp_path / "elsewhere")
    assert store.read_run(again)["weights"] == "int8"
    values, facts = store.read_arrays(again / "weights" / "model.safetensors")
    assert facts == FACTS
    np.testing.assert_allclose(values["layer.bias"], arrays()["layer.bias"], rtol=1e-3)


def test_an_unfinished_run_is_not_kept(tmp_path):
    run_dir = tmp_path / "a.b.s0.1"
    store.write_run(run_dir, manifest("training"))
    with pytest.raises(PhonobenchError, match="not trained to its end"):
        archive.keep(run_dir, tmp_path / "kept")
