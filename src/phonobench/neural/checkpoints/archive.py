"""Small copies of trained runs that fit into a repository: int8 weights by rows, the manifest, nothing else.

A kept run is restored into the runs folder as a run like any other; its manifest says that its weights are int8.
Matrices are stored as int8 with one float16 scale a row (symmetric, nearest), vectors and positions as float16.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from phonobench import store
from phonobench.neural.checkpoints.trained import FILE
from phonobench.store.weights import SCALE
from phonobench.types import PhonobenchError

SMALLEST = 4096
"""Values. Arrays below it are not worth quantising."""


def pack(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Float arrays -> int8 with scales by the first axis, or float16."""
    packed: dict[str, np.ndarray] = {}
    for name, array in arrays.items():
        if array.ndim < 2 or array.size < SMALLEST or "embed_positions" in name:
            packed[name] = array.astype(np.float16)
            continue
        rows = array.reshape(len(array), -1).astype(np.float32)
        # Below 6.2e-5 float16 has no full precision; such a row is all but zero.
        scale = np.maximum(np.abs(rows).max(axis=1) / 127, 6.2e-5).astype(np.float16)
        packed[name] = np.clip(np.rint(rows / scale[:, None].astype(np.float32)), -127, 127).astype(np.int8)
        packed[name] = packed[name].reshape(array.shape)
        packed[name + SCALE] = scale
    return packed


def unpack(packed: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What `pack` made, as float32 arrays."""
    arrays: dict[str, np.ndarray] = {}
    for name, array in packed.items():
        if name.endswith(SCALE):
            continue
        scale = packed.get(name + SCALE)
        wide = array.astype(np.float32)
        arrays[name] = wide if scale is None else wide * scale.astype(np.float32).reshape(-1, *[1] * (wide.ndim - 1))
    return arrays


def keep(run_dir: Path, target: Path) -> Path:
    """Write the small int8 copy of a trained run.

    Args:
        run_dir: The run's folder.
        target: The folder of kept runs.

    Returns:
        The copy's folder.
    """
    manifest = store.read_run(run_dir)
    if "fusion" in manifest:
        raise PhonobenchError(
            f"{run_dir.name} is a late fusion without weights: keep {', '.join(manifest['fusion']['members'])}"
        )
    if manifest.get("status") != "trained":
        raise PhonobenchError(f"{run_dir.name} is not trained to its end; only a finished run is kept")
    given = store.read_weights(run_dir, manifest)
    folder = target / str(manifest["run_id"])
    store.write_arrays(folder / "weights" / FILE, pack(given.arrays), {**given.facts, "packed": True})
    store.write_run(folder, {**manifest, "weights": "int8"})
    return folder


def restore(kept: Path, runs_root: Path) -> Path:
    """Put a kept run into the runs folder, float32 again; a run of that name that is there is left alone.

    Args:
        kept: The copy's folder.
        runs_root: The folder of all runs.

    Returns:
        The run's folder.

    Raises:
        PhonobenchError: For a folder that is no kept run.
    """
    manifest = store.read_run(kept)
    run_dir = runs_root / str(manifest["run_id"])
    if store.has_run(run_dir) and store.read_run(run_dir).get("status") == "trained":
        return run_dir
    given = store.read_weights(kept, manifest, packed=True)
    facts = {name: value for name, value in given.facts.items() if name != "packed"}
    store.write_arrays(run_dir / "weights" / FILE, unpack(given.arrays), facts)
    store.write_run(run_dir, manifest)
    return run_dir
