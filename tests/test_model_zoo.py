"""MODEL_ZOO.md says what the cards say; recipes of the source experiments say what its table says."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from phonobench.report.published import SOURCE_ROWS
from phonobench.systems import recipe
from phonobench.systems.cards import SYSTEMS

ROOT = Path(__file__).parents[1]
ZOO = runpy.run_path(str(ROOT / "tools" / "make_model_zoo.py"))
OURS = ZOO["COLUMNS"].index("our PER")


def without_ours(page: str) -> list[list[str]]:
    """The page's lines as cells, less our own figures, which come and go with the runs that are kept."""
    rows = [line.split(" | ") for line in page.splitlines()]
    return [row[:OURS] + row[OURS + 1 :] if len(row) == len(ZOO["COLUMNS"]) else row for row in rows]


def test_the_page_is_current() -> None:
    page = (ROOT / "MODEL_ZOO.md").read_text(encoding="utf-8")
    assert without_ours(page) == without_ours(ZOO["text"]()), "run python tools/make_model_zoo.py"
    assert sum(line.startswith("| `") for line in page.splitlines()) == len(SYSTEMS)


def test_source_rows_are_named_as_they_are() -> None:
    assert set(ZOO["SOURCE_NAMES"]) <= set(SYSTEMS)
    assert set(ZOO["SOURCE_NAMES"].values()) <= {row.system for row in SOURCE_ROWS}


@pytest.mark.parametrize(
    ("name", "rate", "utterances", "trained"),
    [
        ("source-finetune", 3e-4, 4, "all"),
        ("source-weighted", 3e-4, 4, "all"),
        ("source-whisper", 3e-4, 4, "last:4"),
        ("source-phoneme", 3e-5, 4, "all"),
        ("source-probe", 1e-3, 2, "none"),
    ],
)
def test_source_recipes_are_the_source_experiments_settings(name, rate, utterances, trained) -> None:
    preset = recipe.find(name)
    assert (preset.epochs, preset.head_lr, preset.trainable) == (10, rate, trained)
    assert trained == "none" or preset.lr == rate
    assert preset.batch_seconds / recipe.MEAN_SECONDS == utterances
    assert not preset.augments
