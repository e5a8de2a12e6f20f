"""Fetching a corpus from a local server that resumes, breaks, lies and serves damaged archives."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import http.server
import io
import json
import shutil
import tarfile
import threading
from collections import namedtuple
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from phonobench import corpora
from phonobench.cli import app
from phonobench.corpora import download, transfer
from phonobench.types import PhonobenchError

OFFICIAL = "/resources/101/speechocean762.tar.gz"


@dataclass
class Site:
    """What the server serves, how it misbehaves, and what it was asked."""

    content: bytes
    tag: str = '"one"'
    ranges: bool = True
    status: int = 200
    cut: list[int] = field(default_factory=list)
    """For each coming answer, after how many bytes the connection breaks."""
    requests: list[tuple[str, str]] = field(default_factory=list)
    """Path and Range header of each request."""
    url: str = ""


@pytest.fixture
def site():
    shown = Site(b"")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            wanted = self.headers.get("Range", "")
            shown.requests.append((self.path, wanted))
            if shown.status != 200 or self.path.partition("?")[0] != OFFICIAL:
                self.send_error(shown.status if shown.status != 200 else 404)
                return
            unchanged = self.headers.get("If-Range", shown.tag) == shown.tag
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and shown.ranges and unchanged else 0
            if start >= len(shown.content) > 0:
                self.send_error(416)
                return
            body = shown.content[start:]
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(shown.content) - 1}/{len(shown.content)}")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", shown.tag)
            self.end_headers()
            if shown.cut:
                body = body[: shown.cut.pop(0)]
            with contextlib.suppress(ConnectionError):
                self.wfile.write(body)
            self.close_connection = True

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    shown.url = f"http://127.0.0.1:{server.server_port}{OFFICIAL}"
    yield shown
    server.shutdown()
    server.server_close()


def packed(folder: Path, name: str = "speechocean762") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.add(folder, arcname=name)
    return buffer.getvalue()


@pytest.fixture
def wanted(official_layout, tiny, site, tmp_path):
    """A function that fetches the tiny corpus from the site into a fresh folder."""
    site.content = packed(official_layout)
    specification = replace(tiny, name="speechocean762", urls=(site.url,))

    def fetch(**more):
        return download.fetch(tmp_path / "target", more.pop("specification", specification), pause=0.0, **more)

    fetch.specification = specification
    fetch.target = tmp_path / "target"
    return fetch


def left_over(target: Path) -> list[str]:
    return sorted(path.name for path in target.glob("*"))


def test_the_archive_is_fetched_checked_and_put_in_place(wanted, site, official_layout):
    seen = []
    got = wanted(progress=seen.append)
    assert got.root == wanted.target / "speechocean762"
    assert got.url == site.url and got.size == len(site.content)
    assert got.sha256 == hashlib.sha256(site.content).hexdigest()
    assert left_over(wanted.target) == ["speechocean762"]
    original = wanted.specification.read(official_layout)
    assert wanted.specification.read(got.root).fingerprint == original.fingerprint
    assert list(dict.fromkeys(step.stage for step in seen)) == ["download", "verify", "unpack"]
    assert [step for step in seen if step.stage == "download"][-1].done == len(site.content)
    assert all(step.done <= step.total == len(site.content) for step in seen)


def test_a_corpus_that_is_there_is_checked_and_not_fetched_again(wanted, site):
    wanted()
    site.requests.clear()
    assert wanted() == download.Fetched(wanted.target / "speechocean762", "", 0, "")
    assert site.requests == []
    next((wanted.target / "speechocean762").rglob("*.WAV")).unlink()
    with pytest.raises(PhonobenchError, match="is missing"):
        wanted()


def test_a_broken_connection_is_taken_up_where_it_broke(wanted, site):
    site.cut = [10_000, 5_000]
    got = wanted()
    assert [asked for _, asked in site.requests] == ["", "bytes=10000-", "bytes=15000-"]
    assert got.sha256 == hashlib.sha256(site.content).hexdigest()


def test_a_download_that_failed_is_continued_by_the_next_run(wanted, site):
    site.cut = [10_000] + [0] * 10
    with pytest.raises(PhonobenchError, match=r"download failed .*10,000 bytes are kept, the same command continues"):
        wanted()
    assert not (wanted.target / "speechocean762").exists()
    site.cut, asked_before = [], len(site.requests)
    got = wanted()
    assert [asked for _, asked in site.requests[asked_before:]] == ["bytes=10000-"]
    assert got.sha256 == hashlib.sha256(site.content).hexdigest()


def test_a_complete_archive_is_not_asked_for_again(wanted, site, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(download, "_install", full)
        with pytest.raises(PhonobenchError, match="No space left on device; free disk space"):
            wanted()
    site.requests.clear()
    assert wanted().root.is_dir()
    assert site.requests == []


def test_a_file_that_changed_meanwhile_is_begun_anew(wanted, site):
    site.cut = [10_000] + [0] * 10
    with pytest.raises(PhonobenchError):
        wanted()
    site.content, site.tag, site.cut = gzip.compress(gzip.decompress(site.content), 1), '"two"', []
    assert wanted().sha256 == hashlib.sha256(site.content).hexdigest()


def test_a_file_of_the_same_size_but_another_tag_is_begun_anew(wanted, site):
    site.cut = [10_000] + [0] * 10
    with pytest.raises(PhonobenchError):
        wanted()
    site.content = site.content[:4] + b"\x01\x02\x03\x04" + site.content[8:]  # the date in the gzip header
    site.tag, site.cut = '"two"', []
    assert wanted().sha256 == hashlib.sha256(site.content).hexdigest()


def test_a_mirror_with_a_file_of_another_size_is_begun_anew(wanted, site):
    site.cut = [10_000] + [0] * 10
    with pytest.raises(PhonobenchError):
        wanted()
    site.content, site.cut = gzip.compress(gzip.decompress(site.content), 1), []
    got = wanted(urls=(site.url + "?mirror",))
    assert got.sha256 == hashlib.sha256(site.content).hexdigest()
    assert [asked for _, asked in site.requests[-2:]] == ["bytes=10000-", ""]


def test_a_mirror_with_the_same_file_continues_it(wanted, site):
    site.cut = [10_000] + [0] * 10
    with pytest.raises(PhonobenchError):
        wanted()
    site.cut = []
    got = wanted(urls=(site.url + "?mirror",))
    assert got.sha256 == hashlib.sha256(site.content).hexdigest()
    assert site.requests[-1][1] == "bytes=10000-"


def test_a_server_that_cannot_resume_is_begun_anew(wanted, site):
    site.ranges, site.cut = False, [10_000]
    assert wanted().sha256 == hashlib.sha256(site.content).hexdigest()


@pytest.mark.parametrize("size", [9_000, 10_000])
def test_a_file_that_became_shorter_than_what_was_fetched_is_begun_anew(wanted, site, size):
    whole, site.cut = site.content, [10_000] + [0] * 10
    with pytest.raises(PhonobenchError):
        wanted()
    site.content, site.cut = whole[:size], []
    specification = replace(wanted.specification, urls=(site.url + "?again",))
    with pytest.raises(PhonobenchError):
        wanted(specification=specification)
    site.content = whole
    assert wanted().sha256 == hashlib.sha256(whole).hexdigest()


def test_a_note_that_is_damaged_makes_it_begin_anew(wanted, site):
    site.cut = [10_000] + [0] * 10
    with pytest.raises(PhonobenchError):
        wanted()
    (wanted.target / ".speechocean762.tar.gz.part.json").write_text("{")
    site.cut = []
    site.requests.clear()
    assert wanted().sha256 == hashlib.sha256(site.content).hexdigest()
    assert [asked for _, asked in site.requests] == [""]


def test_the_next_mirror_takes_over_where_the_first_broke(wanted, site):
    gone = site.url.replace(OFFICIAL, "/gone.tar.gz")
    got = wanted(urls=("http://127.0.0.1:1/closed.tar.gz", gone, site.url))
    assert got.url == site.url
    assert [path for path, _ in site.requests] == ["/gone.tar.gz", OFFICIAL]


def test_no_mirror_at_all_names_each_and_why(wanted, site):
    gone = site.url.replace(OFFICIAL, "/gone.tar.gz")
    with pytest.raises(PhonobenchError, match=r"gone\.tar\.gz: HTTP 404 Not Found; nonsense: not an address"):
        wanted(urls=(gone, "nonsense"))
    site.status = 503
    with pytest.raises(PhonobenchError, match=r"HTTP 503 Service Unavailable\); 0 bytes are kept"):
        wanted()
    assert len([path for path, _ in site.requests if path == OFFICIAL]) == transfer.ATTEMPTS


def test_the_sha256_is_compared_where_it_is_known(wanted, site):
    digest = hashlib.sha256(site.content).hexdigest()
    with pytest.raises(PhonobenchError, match=f"SHA-256 {digest} is not the expected {'0' * 64}; .* thrown away"):
        wanted(sha256="0" * 64)
    assert left_over(wanted.target) == []
    assert wanted(sha256=digest.upper()).sha256 == digest


def test_the_verb_fetches_from_a_given_address_and_compares_a_given_sha256(wanted, site, monkeypatch):
    """The counts are those of the tiny corpus; address, hash and place come from the command line."""
    monkeypatch.setitem(corpora.CORPORA, "speechocean762", wanted.specification)
    wrong = ["corpus", "--download", "--to", str(wanted.target), "--url", site.url, "--sha256", "0" * 64]
    said = CliRunner().invoke(app, wrong)
    assert said.exit_code == 1 and "is not the expected" in said.stderr
    said = CliRunner().invoke(app, [*wrong[:-1], hashlib.sha256(site.content).hexdigest()])
    assert said.exit_code == 0, said.output
    assert f"fetched {site.url}" in said.stderr
    assert left_over(wanted.target) == ["speechocean762"]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["corpus", "--url", "http://localhost/x"], "give --download with them"),
        (["corpus", "--sha256", "0" * 64], "give --download with them"),
        (["corpus", "--download", "--sha256", "abc"], "64 hexadecimal digits"),
    ],
)
def test_addresses_and_hashes_that_mean_nothing_are_refused(options, complaint):
    said = CliRunner().invoke(app, options)
    assert said.exit_code == 1 and complaint in said.stderr


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "spoil",
    [
        flipped,
        lambda content: content[: len(content) // 2],
        lambda content: content[:-4],
        lambda content: content[:-8] + bytes(4) + content[-4:],
        lambda content: b"<html>moved</html>" * 100,
    ],
    ids=["a flipped byte", "cut in half", "cut at the end", "another CRC", "a web page"],
)
def test_a_corrupt_archive_is_thrown_away_and_nothing_is_installed(wanted, site, spoil):
    whole, site.content = site.content, spoil(site.content)
    with pytest.raises(PhonobenchError, match=r"archive is damaged .* thrown away, fetch it again") as error:
        wanted()
    assert "\n" not in str(error.value)
    assert left_over(wanted.target) == []
    site.content, site.tag = whole, '"two"'
    assert wanted().root.is_dir()


def test_an_archive_of_something_else_is_refused(wanted, site, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other/readme").write_text("nothing")
    site.content = packed(tmp_path / "other")
    with pytest.raises(PhonobenchError, match="the archive does not hold speechocean762"):
        wanted()
    assert left_over(wanted.target) == []


def test_an_archive_with_a_part_of_the_corpus_is_refused(wanted, site, official_layout):
    shutil.rmtree(official_layout / "WAVE/SPEAKER0024")
    site.content = packed(official_layout)
    with pytest.raises(PhonobenchError, match=r"the corpus in it is not sound: .* is missing"):
        wanted()
    assert left_over(wanted.target) == []


@pytest.mark.parametrize("name", ["../escaped", "/tmp/phonobench-escaped", "speechocean762/../../../escaped"])
def test_an_archive_that_writes_outside_its_folder_is_refused(wanted, site, tmp_path, name):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = 4
        archive.addfile(member, io.BytesIO(b"evil"))
    site.content = buffer.getvalue()
    with pytest.raises(PhonobenchError, match="a link or a path outside its folder"):
        wanted()
    assert not list(tmp_path.rglob("*escaped")) and not Path("/tmp/phonobench-escaped").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_an_archive_with_links_or_devices_is_refused(wanted, site, kind):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo("speechocean762/link")
        member.type, member.linkname = kind, "/etc/hostname"
        archive.addfile(member)
    site.content = buffer.getvalue()
    with pytest.raises(PhonobenchError, match="'speechocean762/link', a link or a path outside"):
        wanted()


def test_a_disk_that_is_too_small_is_noticed_before_the_download(wanted, site, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(transfer.shutil, "disk_usage", lambda _: usage(0, 0, 3 * len(site.content) - 1))
    with pytest.raises(PhonobenchError, match=r"GB free, .* GB needed; free disk space"):
        wanted()
    monkeypatch.setattr(transfer.shutil, "disk_usage", lambda _: usage(0, 0, 3 * len(site.content)))
    assert wanted().root.is_dir()


def test_a_kill_while_unpacking_leaves_no_half_corpus_behind(wanted, site, monkeypatch):
    def killed(step):
        if step.stage == "unpack":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        wanted(progress=killed)
    assert left_over(wanted.target) == [".speechocean762.tar.gz.part", ".speechocean762.tar.gz.part.json"]
    (wanted.target / ".speechocean762.unpacked").mkdir()  # what a kill without any clean-up would leave
    (wanted.target / ".speechocean762.unpacked/scores.json").write_text("{}")
    site.requests.clear()
    assert wanted().root.is_dir()
    assert site.requests == [] and left_over(wanted.target) == ["speechocean762"]


def test_a_corpus_without_an_address_says_where_to_look(wanted, tiny):
    with pytest.raises(PhonobenchError, match=r"tiny has no address to fetch it from; see tests/conftest\.py"):
        wanted(specification=tiny)


def test_the_note_says_what_the_part_is_a_part_of(wanted, site):
    site.cut = [10_000] + [0] * 10
    with pytest.raises(PhonobenchError):
        wanted()
    note = json.loads((wanted.target / ".speechocean762.tar.gz.part.json").read_text())
    assert note == {"url": site.url, "size": len(site.content), "tag": '"one"'}
