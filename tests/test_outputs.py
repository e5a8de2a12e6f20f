"""Outputs destroy nothing: inputs, files of others, links, devices; killed writers leave nothing for long."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from phonobench.store import atomic, outputs
from phonobench.types import PhonobenchError


@pytest.fixture(autouse=True)
def _unswept() -> None:
    atomic._swept.clear()


def scraps(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix == ".tmp")


def test_a_link_is_followed_and_stays(tmp_path: Path) -> None:
    target, link = tmp_path / "elsewhere" / "target.json", tmp_path / "link.json"
    target.parent.mkdir()
    target.write_text("old")
    link.symlink_to(target)
    atomic.write_bytes(link, b"new")
    assert link.is_symlink() and target.read_bytes() == b"new"
    assert not scraps(tmp_path) and not scraps(target.parent)


def test_a_dangling_link_makes_its_target(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "later")
    atomic.write_bytes(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "later").read_bytes() == b"new"


def test_a_loop_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises((PhonobenchError, RuntimeError), match=r"cannot write|[Ss]ymlink loop"):
        atomic.write_bytes(tmp_path / "a", b"new")


def test_a_device_is_written_to_and_not_replaced() -> None:
    before = Path("/dev/null").stat()
    atomic.write_bytes(Path("/dev/null"), b"new")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode) and Path("/dev/null").stat().st_ino == before.st_ino


def test_a_full_device_is_one_sentence() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(PhonobenchError, match="disk full while writing /dev/full"):
        atomic.write_bytes(Path("/dev/full"), b"x" * 10_000)
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)


def test_nobody_can_plant_a_link_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    monkeypatch.setattr(atomic, "_temporary_name", lambda name: ".guessed.tmp")
    (tmp_path / ".guessed.tmp").symlink_to(victim)
    with pytest.raises(PhonobenchError, match="cannot write"):
        atomic.write_bytes(tmp_path / "out.json", b"new")
    assert victim.read_text() == "precious"


def test_permissions_of_the_former_file_stay(tmp_path: Path) -> None:
    path = tmp_path / "private.json"
    path.write_text("old")
    path.chmod(0o600)
    atomic.write_bytes(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_longest_name_that_a_file_system_takes_is_written(tmp_path: Path) -> None:
    path = tmp_path / ("é" * 120 + ".json")
    atomic.write_bytes(path, b"new")
    assert path.read_bytes() == b"new"


def test_a_name_that_is_too_long_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(PhonobenchError, match="too long"):
        atomic.write_bytes(tmp_path / ("x" * 300), b"new")


def dead_process() -> int:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


def test_what_killed_writers_left_is_swept_by_the_next_write(tmp_path: Path) -> None:
    dead = dead_process()
    left = [f".out.json.{dead}.tmp", f".out.json.{atomic._host()}-{dead}.0123456789ab.tmp"]
    kept = [
        f".out.json.{atomic._host()}-{os.getppid()}.0123456789ab.tmp",
        ".mine.tmp",
        f".o.deadbeef-{dead}.0a0b0c0d0e0f.tmp",
    ]
    for name in (*left, *kept):
        (tmp_path / name).write_text("half")
    atomic.write_bytes(tmp_path / "out.json", b"whole")
    assert scraps(tmp_path) == sorted(kept)


def test_a_day_old_scrap_of_another_host_is_swept(tmp_path: Path) -> None:
    scrap = tmp_path / ".o.deadbeef-12.0a0b0c0d0e0f.tmp"
    scrap.write_text("half")
    os.utime(scrap, (1, 1))
    assert atomic.sweep(tmp_path) == [scrap]


@pytest.mark.parametrize("make", ["same", "hard", "soft", "dotted"])
def test_an_input_is_never_an_output(tmp_path: Path, make: str) -> None:
    sound = tmp_path / "a.wav"
    sound.write_bytes(b"RIFF")
    out = {"same": sound, "hard": tmp_path / "h", "soft": tmp_path / "s", "dotted": tmp_path / "x" / ".." / "a.wav"}[
        make
    ]
    (tmp_path / "x").mkdir()
    if make == "hard":
        out.hardlink_to(sound)
    if make == "soft":
        out.symlink_to(sound)
    with pytest.raises(PhonobenchError, match="read by this command"):
        outputs.claim(out, inputs=[tmp_path / "other.wav", sound], overwrite=True, is_ours=lambda _: True)


def test_a_file_of_others_is_kept_unless_told(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("dear diary")
    with pytest.raises(PhonobenchError, match="--overwrite"):
        outputs.claim(notes, is_ours=lambda head: head.startswith(b"{"))
    outputs.claim(notes, is_ours=lambda head: head.startswith(b"{"), overwrite=True)
    notes.write_text('{"ours": 1}')
    outputs.claim(notes, is_ours=lambda head: head.startswith(b"{"))
    assert notes.read_text() == '{"ours": 1}'


def test_an_empty_file_and_a_new_one_may_be_written(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    outputs.claim(tmp_path / "empty")
    outputs.claim(tmp_path / "new")
    outputs.claim(Path("/dev/null"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty"]


def test_a_folder_is_no_output(tmp_path: Path) -> None:
    with pytest.raises(PhonobenchError, match="is a folder"):
        outputs.claim(tmp_path, overwrite=True)


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    code = (
        "import sys, pathlib; from phonobench.store import outputs\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "with path.open('ab') as file, outputs.sole_writer(file, path): pass"
    )
    with path.open("ab") as file, outputs.sole_writer(file, path):
        done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
    assert done.returncode == 1 and "being written by another command" in done.stderr
    again = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
    assert again.returncode == 0
