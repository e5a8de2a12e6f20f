"""Signals: one line that says what remains, an exit code, no traceback and no scraps."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from phonobench.cli import interruption, output
from phonobench.cli.verb import Verb, add_verb
from phonobench.store import atomic, outputs
from phonobench.types import PhonobenchError, Progress

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@pytest.fixture(autouse=True)
def _signals_are_not_ignored() -> Iterator[None]:
    """A parent that runs the tests in the background may have had them ignored, which a verb respects."""
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL, signal.SIGHUP: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def signalled(number: int) -> None:
    os.kill(os.getpid(), number)
    time.sleep(5)  # is never slept to its end


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_raised_within_a_verb_and_handlers_come_back(number: int) -> None:
    before = signal.getsignal(number)
    with pytest.raises(interruption.StoppedError), interruption.raised():
        signalled(number)
    assert signal.getsignal(number) is before


def test_a_signal_that_the_parent_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruption.raised():
            os.kill(os.getpid(), signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_signal_that_is_sent_twice_is_one(tmp_path: Path) -> None:
    with pytest.raises(interruption.StoppedError), interruption.raised():
        try:
            signalled(signal.SIGTERM)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            (tmp_path / "cleaned").touch()
    assert (tmp_path / "cleaned").exists()


@pytest.mark.parametrize(
    ("number", "code", "begin"), [(signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "interrupted")]
)
def test_a_verb_says_what_remains_in_one_line(tmp_path: Path, number: int, code: int, begin: str) -> None:
    def work() -> None:
        """Work."""
        with output.progress() as report:
            report(Progress("bake", 3, 10))

            def parts():
                yield b"half"
                signalled(number)

            atomic.write_parts(tmp_path / "cake", parts())

    app = typer.Typer()
    add_verb(app, "bake", Verb(work, "bake"))
    result = CliRunner().invoke(app, [])
    assert result.exit_code == code
    assert result.stderr.splitlines()[-1] == (
        f"{begin} at bake 3 of 10, 7 remain; what is done is kept; the same command continues"
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (PermissionError(13, "Permission denied", "a.json"), "error: a.json: Permission denied; check its name"),
        (OSError(36, "File name too long", b"caf\xe9"), "error: caf\\xe9: File name too long; check its name"),
        (TimeoutError("timed out"), "error: timed out; check its name"),
    ],
)
def test_what_the_system_refuses_is_one_line(fault: OSError, line: str) -> None:
    def work() -> None:
        """Work."""
        raise fault

    app = typer.Typer()
    add_verb(app, "bake", Verb(work, "bake"))
    result = CliRunner().invoke(app, [])
    assert result.exit_code == 1 and result.stderr.startswith(line) and result.stderr.count("\n") == 1


def test_a_draft_replaces_all_files_at_the_end_and_none_before(tmp_path: Path) -> None:
    for name in ("a", "facts"):
        (tmp_path / name).write_text("old")
    with pytest.raises(KeyboardInterrupt), atomic.staged(tmp_path, "facts") as draft:
        atomic.write_bytes(draft / "a", b"new")
        raise KeyboardInterrupt
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "old", "facts": "old"}
    with atomic.staged(tmp_path, "facts") as draft:
        for name in ("facts", "a"):
            atomic.write_bytes(draft / name, b"new")
        assert (tmp_path / "a").read_text() == "old"
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "new", "facts": "new"}


def test_a_draft_that_a_kill_left_is_swept(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys, pathlib; from phonobench.store import atomic\n"
        "with atomic.staged(pathlib.Path(sys.argv[1]), 'facts') as draft:\n"
        "    atomic.write_bytes(draft / 'a', b'new')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert [path.suffix for path in tmp_path.iterdir()] == [".tmp"]
    atomic._swept.clear()
    atomic.write_bytes(tmp_path / "facts", b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["facts"]


def test_a_folder_has_one_owner_and_no_file_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with outputs.sole_owner(folder):
        with pytest.raises(PhonobenchError, match="being written by another command"), outputs.sole_owner(folder):
            raise AssertionError
        assert folder.is_dir() and not list(folder.iterdir())
    assert not folder.exists()  # nothing was written
    folder.mkdir()
    with outputs.sole_owner(folder):
        pass
    assert folder.exists()  # it was there


def catches(process: subprocess.Popen, number: int) -> bool:
    """Whether a handler is set in another process."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    mask = int(next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt")), 16)
    return bool(mask >> (number - 1) & 1)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_no_traceback_from_the_first_moment_on(number: int) -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("no /proc, which says when handlers are set")
    for delay in (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0):
        process = subprocess.Popen(
            [sys.executable, "-m", "phonobench", "score", "none.wav", "--text", "bear"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        while not catches(process, signal.SIGTERM):
            assert process.poll() is None
        time.sleep(delay)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
        assert "Traceback" not in said and said.count("\n") <= 2, said
        assert process.returncode in (1, 128 + number, -number)


@pytest.mark.torch
@pytest.mark.slow
def test_a_terminated_training_leaves_no_scraps_and_goes_on(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    command = [sys.executable, "-m", "phonobench", "train", "scratch-mel", "--corpus", "synthetic", "--limit", "8",
               "--set", "epochs=2", "--runs", str(tmp_path)]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if line.startswith("train "):
            process.send_signal(signal.SIGTERM)
    assert process.wait() == 143
    assert "terminated at " in said[-1] and "remain" in said[-1] and "the same command continues" in said[-1]
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".tmp", ".part")]
    subprocess.run(command, check=True, capture_output=True)
