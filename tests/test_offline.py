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


TRACED = ("strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o")


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what one scoring left in an empty `home`, and, where it can be had, its `trace`.

    Compiled kernels go elsewhere, so that whatever lies in the home folder was not asked for.
    """
    place = tmp_path_factory.mktemp("scored")
    (place / "home").mkdir()
    homes = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), str(place / "home"))
    kept = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    environment = {**kept, **homes, "NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR", str(place / "numba"))}
    command = [sys.executable, "-c", SCORE]
    traced = [*TRACED, str(place / "trace"), *command]
    allowed = (
        shutil.which("strace") and not subprocess.run([*TRACED, os.devnull, "true"], capture_output=True).returncode
    )
    done = subprocess.run(traced if allowed else command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert 0 <= float(done.stdout) <= 100
    return place


@pytest.mark.slow
def test_scoring_leaves_nothing_in_the_home_folder(scored: Path) -> None:
    assert not [path for path in (scored / "home").rglob("*") if path.is_file()]


@pytest.mark.slow
def test_scoring_opens_no_connection_and_looks_no_name_up(scored: Path) -> None:
    if not (scored / "trace").exists():
        pytest.skip("no strace here, or no leave to trace: it sees what compiled code asks of the network")
    calls = (scored / "trace").read_text(errors="replace").splitlines()
    assert not [line for line in calls if "AF_INET" in line]


def test_a_user_who_wants_telemetry_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import os, phonobench; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    for given, expected in ((None, "1"), ("0", "0")):
        environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
        environment |= {} if given is None else {"ORT_DISABLE_TELEMETRY": given}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
        assert done.stdout.strip() == expected
