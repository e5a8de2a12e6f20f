"""What leaves the leaderboard: the page that sorts itself, the card and the results as the hub's library reads them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from test_leaderboard import result
from typer.testing import CliRunner

from phonobench.cli import app
from phonobench.report import hub, leaderboard, provenance_rows
from phonobench.report.page import board
from phonobench.results import Value
from phonobench.types import PhonobenchError

HOSTILE = "<img src=x onerror=alert(1)>"


def scored(root: Path, run_id: str, pearson: float, **facts_of: Any) -> None:
    value = Value(value=pearson, low=pearson - 0.1, high=pearson + 0.1, n=2500, speakers=125)
    result(root, run_id, task="scoring", metrics={"utterance_pearson": value, "phone_pearson": value}, **facts_of)


def test_the_hub_reads_the_card_and_the_results(tmp_path: Path) -> None:
    library = pytest.importorskip("huggingface_hub")
    yaml = pytest.importorskip("yaml")
    result(tmp_path, "a.s7", 0.178)
    scored(tmp_path, "a.s7", 0.5)
    out = tmp_path / "hub" / "README.md"
    made = CliRunner().invoke(app, ["card", "a.s", "-o", str(out), "--results", str(tmp_path)])
    assert made.exit_code == 0, made.output
    card = library.ModelCard(out.read_text(encoding="utf-8"))
    assert (card.data.license, card.data.base_model) == ("mit", ["openai/whisper-base"])
    found = {one.metric_name.split(",")[0]: one for one in card.data.eval_results}
    assert found["PER (HQ) %"].metric_value == 17.8
    assert found["utterance Pearson"].metric_type == "pearsonr"
    assert {one.dataset_split for one in found.values()} == {"test"}
    read = yaml.safe_load((out.parent / ".eval_results" / "speechocean762.yaml").read_text(encoding="utf-8"))
    if not hasattr(library, "parse_eval_result_entries"):
        pytest.skip("this huggingface_hub is older than .eval_results")
    entries = library.parse_eval_result_entries(read)
    assert [(e.task_id, e.value) for e in entries][:2] == [("per_hq", 17.8), ("utterance_pearson", 0.5)]
    assert "0.400 to 0.600" in entries[1].notes


@pytest.mark.parametrize("of", [{"corpus": "synthetic", "synthetic": True}, {"complete": False}])
def test_what_is_not_to_be_cited_has_no_figures_for_machines(tmp_path: Path, of: dict[str, Any]) -> None:
    result(tmp_path, "a", **of)
    (table,) = leaderboard.build(tmp_path).tables
    with pytest.raises(PhonobenchError, match="the hub takes no such results"):
        hub.eval_results(table, table.entries[0])
    card = hub.card(table, table.entries[0])
    assert "model-index" not in card
    assert "synthetic speech" in card or "not to be cited" in card


def test_a_setting_is_written_in_few_digits() -> None:
    assert provenance_rows.setting([0.7, 0.30000000000000004]) == "0.7/0.3"
    assert provenance_rows.setting(None) == "none"


def test_the_page_has_every_run_with_its_provenance_and_no_markup_from_outside(tmp_path: Path) -> None:
    result(tmp_path, "a", 0.2)
    result(tmp_path, HOSTILE.replace("/", ""), 0.3)
    result(tmp_path, "b", 0.1, corpus="synthetic", synthetic=True)
    text = board.render(leaderboard.build(tmp_path))
    assert "<img" not in text
    assert text.count('<tbody class="row">') == 3
    assert text.count('class="row theirs"') == 13
    real, synthetic = text.split("<h2>")[1:]
    assert "HuBERT Large" in real
    assert "HuBERT Large" not in synthetic
    assert "Synthetic speech" in synthetic
    assert "1000 draws of speakers, seed 762" in real
    assert not re.search(r"https?://", text)


@pytest.mark.slow
def test_in_a_browser_the_rows_sort_filter_and_open(tmp_path: Path, browser: Any) -> None:
    from selenium.webdriver.common.by import By

    for run, per, pearson in (("good", 0.1, 0.4), ("bad", 0.3, 0.6), ("fair", 0.2, 0.5)):
        result(tmp_path, run, per)
        scored(tmp_path, run, pearson)
    page = tmp_path / "board.html"
    made = CliRunner().invoke(app, ["leaderboard", "-o", str(page), "--results", str(tmp_path)])
    assert made.exit_code == 0, made.output
    browser.get(page.as_uri())

    def order() -> list[str]:
        rows = browser.find_elements(By.CSS_SELECTOR, "tbody.row .more")
        return [row.find_element(By.XPATH, "ancestor::tr").find_elements(By.TAG_NAME, "td")[3].text[:5] for row in rows]

    assert order() == ["10.00", "20.00", "30.00"]
    browser.find_element(By.XPATH, "//button[text()='utterance Pearson']").click()
    assert order() == ["30.00", "20.00", "10.00"]  # the highest Pearson first
    first = browser.find_element(By.CSS_SELECTOR, "tbody.row .more")
    details = first.find_element(By.XPATH, "ancestor::tr/following-sibling::tr")
    assert not details.is_displayed()
    first.click()
    assert "1000 draws of speakers" in details.text
    browser.find_element(By.ID, "filter").send_keys("hubert")
    shown = [row for row in browser.find_elements(By.CSS_SELECTOR, "tbody.row") if row.is_displayed()]
    assert len(shown) == 2
    assert all("HuBERT" in row.text for row in shown)
    assert browser.get_log("browser") == []
