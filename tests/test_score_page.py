"""The page of scored recordings in a real browser: a click plays a stretch, nothing breaks, nothing runs over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import soundfile
from fake_package import FakePackage, speech

import phonobench
from phonobench.assessment.formats import page

pytestmark = pytest.mark.slow

HOSTILE = '</script><img src=x onerror="window.broken=1">'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A page of two recordings, one with slips, and with a hostile text."""
    scores = []
    for name, said in (("first", "W IY K AO IH T AH B IH R"), ("second", "W IY K AO L IH T B EH R")):
        soundfile.write(tmp_path / f"{name}.wav", speech(), 16_000)
        package = FakePackage(said.split())
        scores.append(phonobench.score(tmp_path / f"{name}.wav", "We call it bear.", package=package))
    scores[1] = scores[1].model_copy(update={"text": HOSTILE})
    (tmp_path / "page.html").write_text(page.render(scores), encoding="utf-8")
    return tmp_path / "page.html"


def test_clicks_play_and_tell(browser: Any, file: Path) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    browser.get(file.as_uri())
    wait = WebDriverWait(browser, 30)
    assert len(browser.find_elements(By.CSS_SELECTOR, "article")) == 2
    slips = browser.find_element(By.ID, "recording-0")
    assert "∅" in slips.text
    assert len(slips.find_elements(By.CSS_SELECTOR, ".put-in")) == 1

    phone = slips.find_element(By.CSS_SELECTOR, "[aria-label^='EH']")
    phone.click()
    wait.until(lambda b: b.execute_script("return audio.currentTime") > 0)
    assert "sounds like IH /ɪ/" in slips.find_element(By.CSS_SELECTOR, ".detail").text
    stretch = browser.execute_script("const s = D[0].words[3].phones[1]; return [s.start, s.end]")
    wait.until(lambda b: b.execute_script("return audio.paused"))  # at the end of the phone, not of the recording
    stopped = browser.execute_script("return audio.currentTime")
    assert stretch[1] <= stopped < browser.execute_script("return audio.duration")
    assert browser.execute_script("return audio.error") is None

    browser.find_element(By.CSS_SELECTOR, "#recording-1 .play").click()
    wait.until(lambda b: "second.wav" in b.find_element(By.ID, "status").text)
    assert HOSTILE in browser.find_element(By.ID, "recording-1").text
    assert browser.execute_script("return window.broken") is None
    assert browser.get_log("browser") == []


def test_on_a_narrow_screen_the_page_does_not_run_over(browser: Any, file: Path) -> None:
    screen = {"width": 360, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    browser.get(file.as_uri())
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 360
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
