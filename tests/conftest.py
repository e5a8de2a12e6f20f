"""Corpora for the tests: the real one where it is at hand, the synthetic one, and a tiny official release.

The tiny release is written anew for each test, so that a test may damage it.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from fake_package import BEAR, FakePackage

from phonobench import corpora
from phonobench.corpora import layout
from phonobench.corpora.specification import Counts, Expected, Specification
from phonobench.types import Corpus, PhonobenchError

collect_ignore = ["conftest.py"]
"""Has no examples, and bears the name of the one in src/, so that the search for doctests must not import it."""

TRAIN_SPEAKERS = ("0001", "0005", "0006", "0026", "0036", "0048")
TEST_SPEAKERS = ("0003", "0024")
WORDS = {
    "WE": (["W", "IY0"], [2.0, 2.0], 10, ["W IY0"] * 5),
    "CALL": (["K", "AO0", "L"], [2.0, 1.8, 1.8], 10, ["K AO0 L", "K {AO0} L", "K AO0 L", "K AO0 L", "K AO0 {L}"]),
    "IT": (["IH0", "T"], [2.0, 2.0], 10, ["IH0 T"] * 5),
    "BEAR": (
        ["B", "EH0", "R"],
        [2.0, 1.2, 1.4],
        6,
        ["B (EH0) R", "B EH0 {R}", "B EH0 R", "B (EH0) (R)", "B EH0 [L] R"],
    ),
    "LISA": (
        ["L", "IY1", "S", "AH0"],
        [0.4, 2, 2, 1.2],
        5,
        ["(L) IY1 S {AH0}", "(L) IY1 S {AH0}", "{L} IY1 S {AH0}", "{L} [EH0] IY1 S {AH0}", "(L) IY1 S AH0"],
    ),
}
"""Word -> phones, phone scores (means over five raters), word score, the five raters' marks."""

TINY = Specification(
    name="tiny",
    title="A tiny corpus in the layout of the official release",
    licence="none",
    home="tests/conftest.py",
    holds="what write_release writes",
    recognises=layout.has_layout,
    utterances=layout.utterances,
    # by hand: a speaker reads WE CALL IT BEAR (4 words, 10 phones) and LISA (1 word, 4 phones, 1 of them below 0.5)
    expected=Expected(
        train=Counts(utterances=12, speakers=6, words=30, phones=84, mispronounced=6),
        test=Counts(utterances=4, speakers=2, words=10, phones=28, mispronounced=2),
    ),
)


def pytest_configure() -> None:
    """Workers that run side by side share the processors; this comes before torch counts them."""
    if workers := os.environ.get("PYTEST_XDIST_WORKER_COUNT"):
        os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // int(workers))))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first, so that the workers end with short tests, and so at the same time."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def real_corpus() -> Corpus:
    """SpeechOcean762 as it lies on this machine. A copy that is there but damaged fails, it does not skip."""
    try:
        found = corpora.find(allow_synthetic=False)
    except PhonobenchError as error:
        if not str(error).startswith("no copy of SpeechOcean762"):
            raise
        pytest.skip("SpeechOcean762 is not here: set PHONOBENCH_CORPUS or keep a sibling shared/speechocean762")
    if found.synthetic:
        pytest.skip("PHONOBENCH_CORPUS names a synthetic corpus")
    return found


@pytest.fixture(scope="session")
def synthetic_corpus() -> Corpus:
    """The corpus that ships with the package."""
    return corpora.find("synthetic")


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A headless Chromium of its own, with what its console says."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if binary is None or driver is None:
        pytest.skip("no Chromium with its chromedriver on the PATH")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    profile = tmp_path_factory.mktemp("profile")
    for flag in ("headless=new", "no-sandbox", "disable-gpu", "disable-background-networking", "mute-audio",
                 "autoplay-policy=user-gesture-required", f"user-data-dir={profile}"):  # fmt: skip
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield started
    started.quit()


@pytest.fixture
def tiny() -> Specification:
    """What the tiny official release must contain."""
    return TINY


@pytest.fixture
def official_layout(tmp_path: Path) -> Path:
    """Folder of a tiny corpus laid out as the official release: WAV, tabs, `mispronunciations` blocks."""
    return write_release(tmp_path / "speechocean762")


def write_release(root: Path) -> Path:
    scores: dict[str, dict] = {}
    details: dict[str, dict] = {}
    for folder, speakers in (("train", TRAIN_SPEAKERS), ("test", TEST_SPEAKERS)):
        tables: dict[str, list[str]] = {name: [] for name in ("wav.scp", "utt2spk", "spk2utt", "text")}
        for speaker in speakers:
            ids = [f"{speaker.zfill(5)}0011", f"{speaker.zfill(5)}0035"]
            for uid, text in zip(ids, ("WE CALL IT BEAR", "LISA"), strict=True):
                scores[uid], details[uid] = _sentence(text)
                name = f"WAVE/SPEAKER{speaker}/{uid}.WAV"
                _tone(root / name, pitch=200 + 10 * len(scores), seconds=0.5)
                tables["wav.scp"].append(f"{uid}\t{name}")
                tables["utt2spk"].append(f"{uid} {speaker}")
                tables["text"].append(f"{uid}\t{text}")
            tables["spk2utt"].append(f"{speaker} {' '.join(ids)}")
        tables["spk2age"] = [f"{speaker}\t{6 + 4 * i}" for i, speaker in enumerate(speakers)]
        tables["spk2gender"] = [f"{speaker}\t{'mf'[i % 2]}" for i, speaker in enumerate(speakers)]
        for name, lines in tables.items():
            _write(root / folder / name, "\n".join(lines) + "\n")
    _write(root / "resource/scores.json", json.dumps(scores, indent=1))
    _write(root / "resource/scores-detail.json", json.dumps(details))
    _write(root / "resource/lexicon.txt", "A\tAH0\nA\tEY0\nA\tAH1\nBEAR\tB EH1 R\nZERO\tZ IH1 R OW0\n")
    return root


def _sentence(text: str) -> tuple[dict, dict]:
    mean = {"accuracy": 8, "completeness": 10.0, "fluency": 9, "prosodic": 9, "text": text, "total": 8}
    single = {
        "accuracy": [7.0, 9.0, 8.0, 8.0, 9.0],
        "completeness": [1.0, 1.0, 1.0, 0.75, 1.0],
        "fluency": [10.0, 9.0, 8.0, 8.0, 10.0],
        "prosodic": [10.0, 9.0, 7.0, 8.0, 9.0],
        "total": [7.6, 9.0, 7.9, 8.0, 9.1],
        "text": text,
    }
    words, raters = [], []
    for word in text.split():
        phones, means, score, marked = copy.deepcopy(WORDS[word])
        entry = {"accuracy": score, "stress": 10, "total": score, "phones": phones, "phones-accuracy": means}
        entry["mispronunciations"] = []
        if word == "LISA":
            entry["mispronunciations"] = [{"canonical-phone": "L", "index": 0, "pronounced-phone": "D"}]
        words.append({**entry, "text": word})
        by_rater = {key: [float(score)] * 5 for key in ("accuracy", "stress", "total")}
        raters.append({**by_rater, "text": word, "ref-phones": " ".join(phones), "phones": marked})
    return {**mean, "words": words}, {**single, "words": raters}


def _tone(path: Path, pitch: float, seconds: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(int(16_000 * seconds)) / 16_000
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * pitch * time), 16_000, subtype="PCM_16", format="WAV")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakePackage:
    """What the verb loads in place of the package that ships: recognises `BEAR`, whatever the sound."""
    made = FakePackage(BEAR.split())
    monkeypatch.setattr("phonobench.assessment.scoring.load", lambda _: made)
    return made
