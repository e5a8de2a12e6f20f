"""Two gloo processes under torchrun: what one process makes, to rounding; a killed one ends both, and it goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from phonobench import evaluate, store
from phonobench.types import Corpus

pytestmark = [pytest.mark.torch, pytest.mark.slow]

SETTINGS = (
    "epochs=4",
    "batch_seconds=12",
    "accumulate=2",
    "time_masks=0",
    "freq_masks=0",
    "dropout=0",
    "speeds=1",
)
COMMON = ("--corpus", "synthetic", "--limit", "6")


def two_processes(*words: str | Path) -> list[str]:
    """That program in two processes."""
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--rdzv-backend", "c10d"]
    return [*launch, "--rdzv-endpoint", "localhost:0", "--no-python", *map(str, words)]


def command(*words: str | Path) -> list[str]:
    """A verb in two processes, by the console script beside the interpreter, as a user starts it."""
    return two_processes(Path(sys.executable).with_name("phonobench"), *words)


def trained_and_inferred(runs: Path) -> list[str]:
    """Both verbs in one process, so that torch is imported once."""
    infer = ["infer", "scratch-mel", "--corpus", "synthetic", "--runs", runs]
    both = [[str(word) for word in verb] for verb in (train(runs), infer)]
    return [
        sys.executable,
        "-c",
        f"from phonobench.cli import app\nfor v in {both}:\n    app(v, standalone_mode=False)",
    ]


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


def train(runs: Path) -> list[str | Path]:
    settings = [word for pair in SETTINGS for word in ("--set", pair)]
    return ["train", "scratch-mel", *settings, *COMMON, "--runs", runs]


def call(words: list[str]) -> str:
    """What the command printed."""
    done = subprocess.run(words, capture_output=True, text=True, env=environment(), timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of one process."""
    runs = tmp_path_factory.mktemp("alone")
    call(trained_and_inferred(runs))
    (run_dir,) = store.list_runs(runs)
    return run_dir


def processes_of(runs: Path) -> list[tuple[int, list[bytes]]]:
    """Those that work on `runs`, each with its environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if str(runs).encode() in (folder / "cmdline").read_bytes():
                found.append((int(folder.name), (folder / "environ").read_bytes().split(b"\0")))
        except OSError:
            continue  # it has ended meanwhile, or is another user's
    return found


def same(one: Path, two: Path) -> None:
    ours, theirs = (store.read_run(run_dir) for run_dir in (one, two))
    assert ours["key"] == theirs["key"] and theirs["status"] == "trained"
    for a, b in zip(ours["history"], theirs["history"], strict=True):
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-3)
        assert a["dev_per_hq"] == pytest.approx(b["dev_per_hq"], abs=0.02)


def test_two_processes_make_what_one_makes(alone: Path, tmp_path: Path, synthetic_corpus: Corpus) -> None:
    printed = call(two_processes(*trained_and_inferred(tmp_path)))
    (run_dir,) = store.list_runs(tmp_path)
    assert printed.count("This is a trial on 6 utterances") == 2  # one process prints, of two verbs
    assert (printed.count(f"{run_dir.name}: PER"), printed.count(f"Posteriors of {run_dir.name}")) == (1, 1)
    same(alone, run_dir)
    for split in ("dev", "test", "dev-noise"):
        ours, theirs = (store.read_posteriors(folder, split) for folder in (alone, run_dir))
        assert ours.ids == theirs.ids
        for a, b in zip(ours.logp, theirs.logp, strict=True):
            np.testing.assert_allclose(np.exp(a.astype(float)), np.exp(b.astype(float)), atol=0.02)
    figures = []
    for folder in (alone, run_dir):
        evaluate.evaluate(folder, synthetic_corpus, folder.parent / "results", resamples=20)
        path = folder.parent / "results" / folder.name / "test.recognition.json"
        figures.append(json.loads(path.read_text())["metrics"]["per"]["value"])
    assert figures[0] == pytest.approx(figures[1], abs=0.02)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds the process to kill in /proc")
def test_a_killed_process_ends_the_run_and_the_same_command_goes_on(alone: Path, tmp_path: Path) -> None:
    begun = subprocess.Popen(
        command(*train(tmp_path)), env=environment(), start_new_session=True, stderr=subprocess.DEVNULL
    )
    checkpoint = "*/checkpoint/state.safetensors"
    patience = time.monotonic() + 300
    while not list(tmp_path.glob(checkpoint)) and begun.poll() is None and time.monotonic() < patience:
        time.sleep(0.05)
    (second,) = [pid for pid, environ in processes_of(tmp_path) if b"RANK=1" in environ]
    assert list(tmp_path.glob(checkpoint))
    os.kill(second, signal.SIGKILL)
    assert begun.wait(timeout=120) != 0  # the other one does not wait for ever
    (run_dir,) = store.list_runs(tmp_path)
    assert store.read_run(run_dir)["status"] == "training"
    call(command(*train(tmp_path)))
    same(alone, run_dir)
