"""Every stage that writes, cut short: by SIGKILL in the middle of a file, and by a full disk.

Either way the same command finishes the work, and what then lies there is what an unbroken run leaves.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import planted
import pytest
from typer.testing import CliRunner

from phonobench import evaluate, fusion, phones, store
from phonobench.cli import app
from phonobench.ctc import Decoder
from phonobench.evaluate import decoders
from phonobench.report import leaderboard
from phonobench.store import atomic, files
from phonobench.types import PhonobenchError

FOUND, _ = planted.corpus(seed=9, speakers=3, each=2)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs, one of them evaluated: what every stage starts from. To be copied, not written into."""
    place = tmp_path_factory.mktemp("prepared")
    for name, strength in (("one", 2.5), ("two", 2.2)):
        planted.write_run(
            place / "runs",
            name,
            FOUND,
            lambda u: phones.encode(u.prompt.phones),
            strength=strength,
            card=name,
            trained_parameters=7,
        )
    evaluate.evaluate(place / "runs" / "two", FOUND, place / "results", resamples=5)
    return place


def fuse(place: Path) -> None:
    fusion.fuse([place / "runs" / "one", place / "runs" / "two"], (0.5, 0.5), place / "runs")


def decode(place: Path) -> None:
    decoders.write(place / "runs" / "one", Decoder(4), error_rates(place / "runs" / "one"))


ERROR_RATES: dict[Decoder, float] = {}


def error_rates(run_dir: Path) -> dict[Decoder, float]:
    """Computed once: every copy of the run has the same."""
    if not ERROR_RATES:
        ERROR_RATES.update(decoders.error_rates(run_dir, FOUND, (Decoder(), Decoder(4))))
    return ERROR_RATES


def evaluated(place: Path) -> None:
    evaluate.evaluate(place / "runs" / "one", FOUND, place / "results", resamples=5)


def tabulate(place: Path) -> None:
    leaderboard.build(place / "results")
    printed = CliRunner().invoke(
        app, ["leaderboard", "--results", str(place / "results"), "-o", str(place / "board.md")]
    )
    if printed.exit_code:
        raise PhonobenchError(printed.stderr)


STAGES: dict[str, Callable[[Path], None]] = {
    "fuse": fuse,
    "decode": decode,
    "evaluate": evaluated,
    "leaderboard": tabulate,
}


def contents(place: Path) -> dict[str, object]:
    """What every file holds, but for when it was made and the scraps of killed writers."""
    found: dict[str, object] = {}
    for path in sorted(place.rglob("*")):
        if path.is_file() and path.suffix != ".tmp":
            text = path.read_bytes()
            value = json.loads(text) if path.suffix == ".json" else text
            if isinstance(value, dict):
                value.pop("created", None)
            found[str(path.relative_to(place))] = value
    return found


def at_write(number: int, act: Callable[[], None]) -> Callable[[int], None]:
    """An fsync that acts in place of the `number`th write."""
    seen = iter(range(1, 10_000))

    def fsync(_: int) -> None:
        if next(seen) == number:
            act()

    return fsync


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fill() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def writes(stage: Callable[[Path], None], place: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many files an unbroken stage writes."""
    made: list[int] = []
    with monkeypatch.context() as patched:
        patched.setattr(atomic.os, "fsync", made.append)
        stage(place)
    return len(made)


@pytest.mark.parametrize("name", STAGES)
def test_a_full_disk_is_one_clear_error_and_the_next_run_finishes(name, prepared, tmp_path, monkeypatch) -> None:
    stage = STAGES[name]
    shutil.copytree(prepared, tmp_path / "whole")
    total = writes(stage, tmp_path / "whole", monkeypatch)
    assert total > 0
    for number in sorted({1, (total + 1) // 2, total}):
        place = tmp_path / str(number)
        shutil.copytree(prepared, place)
        with monkeypatch.context() as patched:
            patched.setattr(atomic.os, "fsync", at_write(number, fill))
            with pytest.raises(PhonobenchError, match="disk full while writing"):
                stage(place)
        assert not list(place.rglob("*.tmp"))
        stage(place)
        assert contents(place) == contents(tmp_path / "whole")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("name", STAGES)
def test_a_kill_leaves_no_half_file_and_the_next_run_finishes(name, prepared, tmp_path, monkeypatch) -> None:
    stage = STAGES[name]
    shutil.copytree(prepared, tmp_path / "whole")
    total = writes(stage, tmp_path / "whole", monkeypatch)
    for number in sorted({1, total}):
        place = tmp_path / str(number)
        shutil.copytree(prepared, place)
        before = contents(place)
        child = os.fork()
        if not child:
            atomic.os.fsync = at_write(number, kill)
            stage(place)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        after = contents(place)
        assert len(after) == len(before.keys() | after.keys())  # nothing that was there is gone
        stage(place)
        assert contents(place) == contents(tmp_path / "whole")


KILLED = """
import os, signal, sys
from phonobench.store import atomic
left = int(sys.argv.pop(1))
def fsync(_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
atomic.os.fsync = fsync
from phonobench.cli import main
main()
"""


@pytest.mark.torch
@pytest.mark.slow
def test_a_killed_training_and_a_killed_inference_go_on_to_the_same_run(tmp_path, monkeypatch) -> None:
    pytest.importorskip("torch")

    def command(place: Path) -> list[str]:
        return [
            "bench",
            "scratch-mel",
            "--corpus",
            "synthetic",
            "--set",
            "epochs=2",
            "--limit",
            "8",
            "--runs",
            str(place / "runs"),
            "--results",
            str(place / "results"),
        ]

    def killed_at(number: int) -> None:
        process = subprocess.run(
            [sys.executable, "-c", KILLED, str(number), *command(tmp_path / "broken")], check=False
        )
        assert process.returncode == -signal.SIGKILL

    done: list[str] = []
    with monkeypatch.context() as patched:
        write = files.write_bytes
        patched.setattr(files, "write_bytes", lambda path, content: (done.append(str(path)), write(path, content))[1])
        assert CliRunner().invoke(app, command(tmp_path / "whole")).exit_code == 0
    in_training = max(i for i, path in enumerate(done) if "checkpoint" in path) + 1
    shards = [path for path in done if "posteriors" in path]
    killed_at(in_training)
    (run_dir,) = store.list_runs(tmp_path / "broken" / "runs")
    assert store.read_run(run_dir)["status"] == "training"
    killed_at(len(done) - in_training - 10)  # in the inference: what is left, less the results and the last shards
    assert store.read_run(run_dir)["status"] == "trained"
    assert 0 < len(list(run_dir.rglob("posteriors/**/*.*"))) < len(shards) + 1
    assert CliRunner().invoke(app, command(tmp_path / "broken")).exit_code == 0
    for split in ("dev", "test", "test-noise"):
        one, two = (
            store.read_posteriors(tmp_path / place / "runs" / run_dir.name, split) for place in ("whole", "broken")
        )
        assert one.ids == two.ids
        for ours, theirs in zip(one.logp, two.logp, strict=True):
            np.testing.assert_array_equal(ours, theirs)
