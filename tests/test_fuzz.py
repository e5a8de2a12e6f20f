"""Every kind of file, changed at random and read: refused in one line or read, in a minute of `tools/fuzz.py`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[1] / "tools" / "fuzz.py"


@pytest.mark.slow
@pytest.mark.torch
def test_a_minute_of_changed_files_ends_well(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    line = [sys.executable, str(TOOL), "--seconds", "60", "--seed", "1", "--json", str(tmp_path / "counts.json")]
    ended = subprocess.run(line, capture_output=True, text=True, timeout=900, check=False)
    assert ended.returncode == 0, ended.stdout[-6_000:] + ended.stderr[-2_000:]
    assert "0 ended badly" in ended.stdout
