"""Scoring stays on the machine: no telemetry of the inference library, no file in the user's home, no look-up."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCORE = """
import phonobench
from phonobench.corpora import synthetic
utterance = synthetic.read(limit=1).utterances[0]
print(phonobench.score(utterance.audio, utterance.prompt.text).sentence.total.value)
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder; compiled kernels go elsewhere, so that whatever lies in it was not asked for."""
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("NUMBA_CACHE_DIR", os.environ.get("NUMBA_CACHE_DIR", str(tmp_path / "numba")))
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.mark.slow
def test_scoring_leaves_nothing_in_the_home_folder(home: Path) -> None:
    done = subprocess.run([sys.executable, "-c", SCORE], capture_output=True, text=True, check=True)
    assert 0 <= float(done.stdout) <= 100
    assert not [path for path in home.rglob("*") if path.is_file()]


@pytest.mark.slow
def test_scoring_opens_no_connection_and_looks_no_name_up(home: Path, tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed: it sees what compiled code asks of the network")
    trace = tmp_path / "trace"
    command = ["strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", str(trace)]
    done = subprocess.run([*command, sys.executable, "-c", SCORE], capture_output=True, text=True)
    if "Operation not permitted" in done.stderr:
        pytest.skip("this machine does not allow tracing")
    assert done.returncode == 0, done.stderr
    asked = [line for line in trace.read_text(errors="replace").splitlines() if "AF_INET" in line]
    assert not asked


def test_a_user_who_wants_telemetry_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import os, phonobench; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    for given, expected in ((None, "1"), ("0", "0")):
        environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
        environment |= {} if given is None else {"ORT_DISABLE_TELEMETRY": given}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
        assert done.stdout.strip() == expected
