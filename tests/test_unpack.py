"""Archives from strangers: large, deep, colliding, odd. One refusal each, and nothing outside the folder."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from phonobench.corpora import unpack


def archive(path: Path, *members: tuple[str, bytes | None]) -> Path:
    """A .tar.gz of files (name, content) and folders (name, None)."""
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.type = tarfile.DIRTYPE if content is None else tarfile.REGTYPE
            info.size = len(content or b"")
            tar.addfile(info, io.BytesIO(content or b""))
    return path


def refusal(made: Path, folder: Path) -> str:
    with pytest.raises(unpack.DamagedArchiveError) as fault:
        unpack.extract(made, folder)
    return str(fault.value)


def test_what_is_sound_is_unpacked(tmp_path: Path) -> None:
    made = archive(tmp_path / "a.tar.gz", ("./c", None), ("./c/x.txt", b"one"), ("c/d/y.txt", b"two"))
    unpack.extract(made, tmp_path / "out")
    found = {str(p.relative_to(tmp_path / "out")): p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert found == {"c/x.txt": b"one", "c/d/y.txt": b"two"}


def test_a_small_archive_that_unpacks_to_much_is_refused_before_it_is_written(tmp_path: Path) -> None:
    made = archive(tmp_path / "bomb.tar.gz", *((f"{k}", bytes(1 << 20)) for k in range(64)))
    assert made.stat().st_size < 1 << 20
    assert "times its size" in refusal(made, tmp_path / "out")
    written = sum(path.stat().st_size for path in (tmp_path / "out").rglob("*"))
    assert written <= unpack.ALWAYS_ALLOWED + unpack.LARGEST_RATIO * made.stat().st_size


def test_what_follows_the_archive_has_the_same_limit(tmp_path: Path) -> None:
    made = archive(tmp_path / "a.tar.gz", ("x", b"1"))
    content = gzip.decompress(made.read_bytes()) + bytes(64 << 20)
    made.write_bytes(gzip.compress(content, 1))
    assert "times its size" in refusal(made, tmp_path / "out")


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "MOST_MEMBERS", 3)
    made = archive(tmp_path / "a.tar.gz", *((f"{k}", b"") for k in range(4)))
    assert "more than 3 files" in refusal(made, tmp_path / "out")


@pytest.mark.parametrize("depth", [unpack.DEEPEST + 1, 2_000])
def test_a_deep_path_is_refused(tmp_path: Path, depth: int) -> None:
    assert f"path of {depth} folders" in refusal(
        archive(tmp_path / "a.tar.gz", ("d/" * (depth - 1) + "x", b"1")), tmp_path / "o"
    )


@pytest.mark.parametrize("name", ["x" * 256, "é" * 128, "a\tb", "a\u202eb", "a\\b"])
def test_a_name_that_no_system_takes_is_refused(tmp_path: Path, name: str) -> None:
    message = refusal(archive(tmp_path / "a.tar.gz", (name, b"1")), tmp_path / "out")
    assert "no system takes" in message and message.isprintable() and len(message) < 400


@pytest.mark.parametrize(
    "members",
    [
        [("x", b"1"), ("x", b"2")],
        [("x", b"1"), ("x/y", b"2")],
        [("x/y", b"1"), ("x", b"2")],
        [("x", b"1"), ("x", None)],
    ],
)
def test_a_file_that_stands_there_twice_is_refused(tmp_path: Path, members: list[tuple[str, bytes | None]]) -> None:
    assert "twice" in refusal(archive(tmp_path / "a.tar.gz", *members), tmp_path / "out")


def test_a_sparse_file_is_refused(tmp_path: Path) -> None:
    made = tmp_path / "a.tar.gz"
    with tarfile.open(made, "w:gz", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("hole")
        info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "hole",
                            "GNU.sparse.realsize": str(1 << 40)}  # fmt: skip
        content = b"1\n0\n0\n".ljust(512, b"\0")
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    assert refusal(made, tmp_path / "out")
    assert sum(path.stat().st_size for path in (tmp_path / "out").rglob("*")) < 1 << 20
