"""The report page: its curves against outside oracles, what it embeds and escapes, and itself in a real browser."""

from __future__ import annotations

import json
import re
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import planted
import pytest
from typer.testing import CliRunner

from phonobench import evaluate, phones
from phonobench.assessment.formats.page import sound
from phonobench.cli import app
from phonobench.evidence import CTCEvidence
from phonobench.report import page
from phonobench.report.page import cases, curves
from phonobench.types import Corpus, PhonobenchError

HOSTILE = '</script><img src=x onerror="window.broken=1">'


@pytest.fixture(scope="module")
def folders(synthetic_corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Runs and results on the synthetic corpus: one run recognises the prompt, one slips at every R."""
    runs, results = (tmp_path_factory.mktemp(name) for name in ("runs", "results"))
    r, w = phones.encode(["R", "W"])

    def slips(u):
        return tuple(w if q == r else q for q in phones.encode(u.prompt.phones))

    planted.write_run(runs, "reads", synthetic_corpus, lambda u: phones.encode(u.prompt.phones), controls=False)
    planted.write_run(runs, "slips", synthetic_corpus, slips, controls=False, recipe={"name": HOSTILE})
    for run in ("reads", "slips"):
        evaluate.evaluate(runs / run, synthetic_corpus, results, resamples=50)
    return runs, results


@pytest.fixture(scope="module")
def made(folders: tuple[Path, Path], synthetic_corpus: Corpus) -> page.Page:
    runs, results = folders
    return page.build([runs / "slips", runs / "reads"], synthetic_corpus, results, audio_bytes=400_000)


def test_roc_is_that_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    truth = rng.random(3000) < 0.1
    score = np.round(rng.normal(size=3000) + truth, 2)  # with ties
    points = np.array(curves.roc(score, truth))
    assert len(points) <= curves.ROC_POINTS
    assert points[0].tolist() == [0, 0]
    assert points[-1].tolist() == [1, 1]
    assert np.trapezoid(points[:, 1], points[:, 0]) == pytest.approx(metrics.roc_auc_score(truth, score), abs=2e-3)
    assert curves.roc(score, truth & False) == []


def test_midranks_are_those_of_scipy() -> None:
    statistics = pytest.importorskip("scipy.stats")
    values = np.random.default_rng(1).integers(0, 10, 200).astype(float)
    assert cases._midranks(values) == pytest.approx(statistics.rankdata(values))


def test_a_page_says_what_was_planted(made: page.Page) -> None:
    slips, reads = made.data["systems"]
    rates = {p["phone"]: p["rate"] for p in slips["phones"]}
    assert rates["R"] == 1
    assert sum(rates.values()) == 1
    assert all(p["rate"] == 0 for p in reads["phones"])
    times, listed = made.data["confusion"][0]["R>W"]
    assert times == next(p["n"] for p in slips["phones"] if p["phone"] == "R")
    assert str(listed[0]) in made.data["cases"]
    assert made.data["confusion"][1] == {}


def test_sound_fits_the_budget_and_can_be_read_back(made: page.Page, synthetic_corpus: Corpus) -> None:
    utterances = synthetic_corpus.split("test")
    chosen = [utterances[int(index)] for index in made.data["cases"]]
    assert 0 < sum(u.audio.stat().st_size for u in chosen) <= 400_000
    case = next(iter(made.data["cases"].values()))
    assert len(case["peaks"]) == pytest.approx(case["seconds"] * sound.PEAKS_PER_SECOND, abs=1)
    assert "9" in case["peaks"]


def test_files_that_browsers_do_not_play_become_opus(official_layout: Path) -> None:
    mime, content = sound.playable(next(official_layout.rglob("*.WAV")))
    assert mime == "audio/ogg"
    assert content[:4] == b"OggS"
    assert b"OpusHead" in content[:64]


def test_spans_lie_round_the_peaks_and_never_overlap() -> None:
    said = phones.encode(["K", "AE", "T"])
    spans = cases.spans_of(CTCEvidence(planted.logp(said, 1), planted.HOP), said)
    for place, span in enumerate(spans):
        middle = 100 * planted.HOP * (2 * place + 1.5)  # each phone is the only frame between two blanks
        assert span is not None
        assert span[0] <= middle <= span[1]
    assert all(a is not None and b is not None and a[1] <= b[0] for a, b in pairwise(spans))
    assert cases.spans_of(None, said) == [None] * 3


def test_what_the_corpus_or_a_manifest_says_is_never_markup(made: page.Page) -> None:
    first, *rest = made.data["utterances"]
    hostile = [[first[0], first[1], HOSTILE, *first[3:]], *rest]
    html = page.render(page.Page(made.table, {**made.data, "utterances": hostile}))
    assert HOSTILE not in html
    assert "<img" not in html
    assert html.count("</script>") == 2
    data = json.loads(re.search(r'id="data">(.*?)</script>', html, re.DOTALL)[1])  # type: ignore[index]
    assert data["utterances"][0][2] == HOSTILE
    assert "http://" not in html.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in html


def test_stored_figures_of_other_posteriors_are_refused(
    folders: tuple[Path, Path], synthetic_corpus: Corpus, tmp_path: Path
) -> None:
    _, results = folders
    planted.write_run(tmp_path, "reads", synthetic_corpus, lambda u: (5,), splits=("test",), controls=False)
    with pytest.raises(PhonobenchError, match="results of reads are not of its posteriors"):
        page.build([tmp_path / "reads"], synthetic_corpus, results)
    runs, copied = folders[0], tmp_path / "results"
    shutil.copytree(results / "reads", copied / "reads")
    for path in copied.glob("*/test.*.json"):
        fields = json.loads(path.read_text(encoding="utf-8"))
        fields["provenance"]["posteriors"]["test"] = "0" * 64
        path.write_text(json.dumps(fields), encoding="utf-8")
    with pytest.raises(PhonobenchError, match="results of reads are not of its posteriors"):
        page.build([runs / "reads"], synthetic_corpus, copied)


def test_gap_as_html_begins_with_the_gap(folders: tuple[Path, Path], tmp_path: Path) -> None:
    runs, results = folders
    out = tmp_path / "gap.html"
    common = ["--runs", str(runs), "--results", str(results), "--corpus", "synthetic", "--resamples", "20"]
    made = CliRunner().invoke(app, ["gap", "reads", "slips", "-o", str(out), *common])
    assert made.exit_code == 0, made.output
    sections = re.findall(r'<section id="(\w+)">', out.read_text(encoding="utf-8"))
    assert sections[:2] == ["gap", "listen"]
    assert len(sections) == 8


def test_a_run_without_results_is_refused_by_name(
    folders: tuple[Path, Path], synthetic_corpus: Corpus, tmp_path: Path
) -> None:
    runs, results = folders
    planted.write_run(tmp_path, "fresh", synthetic_corpus, lambda u: (), splits=("test",), controls=False)
    with pytest.raises(PhonobenchError, match="no test results of fresh"):
        page.build([runs / "reads", tmp_path / "fresh"], synthetic_corpus, results)


@pytest.mark.slow
def test_in_a_browser_clicks_play_filters_filter_and_the_console_is_empty(
    browser: Any, made: page.Page, tmp_path: Path
) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    place = str(made.data["order"][0])
    utterances = [list(u) for u in made.data["utterances"]]
    utterances[int(place)][2] = HOSTILE
    (tmp_path / "page.html").write_text(
        page.render(page.Page(made.table, {**made.data, "utterances": utterances})), encoding="utf-8"
    )
    browser.get((tmp_path / "page.html").as_uri())
    wait = WebDriverWait(browser, 30)

    def click(css: str) -> None:
        browser.execute_script("document.querySelector(arguments[0]).scrollIntoView({block: 'center'})", css)
        browser.find_element(By.CSS_SELECTOR, css).click()

    first = browser.find_element(By.CSS_SELECTOR, "#case-list details")
    assert first.get_attribute("id") == f"case-{place}"
    assert HOSTILE in first.text
    click("summary .play")
    wait.until(lambda b: b.execute_script("return player.audio.currentTime") > 0)
    assert browser.execute_script("return player.audio.error") is None

    click('[data-cell="R>W"]')
    count = made.data["confusion"][0]["R>W"][0]
    wait.until(lambda b: f"R recognised as W: {count} times" in b.find_element(By.ID, "cell-cases").text)
    browser.execute_script("player.stop(); player.audio.removeAttribute('src'); delete player.audio.dataset.index")
    click("#cell-cases .play")
    wait.until(lambda b: b.execute_script("return player.audio.currentTime") > 0)

    everything = len(browser.find_elements(By.CSS_SELECTOR, "#case-list details"))
    text = next(u[0] for i, u in enumerate(made.data["utterances"]) if str(i) in made.data["cases"] and str(i) != place)
    browser.find_element(By.ID, "case-search").send_keys(text)
    wait.until(lambda b: len(b.find_elements(By.CSS_SELECTOR, "#case-list details")) == 1)
    assert everything > 1
    assert text in browser.find_element(By.ID, "case-list").text

    matrix = browser.find_element(By.CSS_SELECTOR, "svg.matrix")
    browser.execute_script("arguments[0].focus()", matrix)
    before = browser.find_element(By.ID, "cell-name").text
    matrix.send_keys("\ue015")  # arrow down
    assert browser.find_element(By.ID, "cell-name").text != before

    assert browser.execute_script("return window.broken") is None
    assert browser.get_log("browser") == []


@pytest.mark.slow
def test_on_a_narrow_screen_the_page_does_not_run_over(browser: Any, made: page.Page, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(page.render(made), encoding="utf-8")
    phone = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    browser.get((tmp_path / "page.html").as_uri())
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_verb_writes_the_page_and_says_its_size(folders: tuple[Path, Path], tmp_path: Path) -> None:
    runs, results = folders
    out = tmp_path / "a.html"
    common = ["--runs", str(runs), "--results", str(results), "--corpus", "synthetic", "--audio-mb", "0.1"]
    result = CliRunner().invoke(app, ["report", "-o", str(out), "--json", *common])
    assert result.exit_code == 0, result.output
    facts = json.loads(result.stdout)
    assert facts["bytes"] == out.stat().st_size
    assert facts["runs"] == ["reads", "slips"]
    assert facts["utterances_with_sound"] > 0
