"""A card, a family and a recipe, each added at run time as docs/adding.md says, trained and inferred."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import encoder_contract  # noqa: E402
import tiny_checkpoints  # noqa: E402

from phonobench import store  # noqa: E402
from phonobench.neural import inference  # noqa: E402
from phonobench.neural.checkpoints import families, pretrained  # noqa: E402
from phonobench.neural.training import loop  # noqa: E402
from phonobench.phones import COLUMNS  # noqa: E402
from phonobench.systems import cards, recipe  # noqa: E402
from phonobench.systems.cards import Card  # noqa: E402
from phonobench.systems.recipe import Recipe  # noqa: E402
from phonobench.types import Corpus  # noqa: E402

pytestmark = pytest.mark.torch

GUIDE = Path(__file__).parents[1] / "docs" / "adding.md"
LIMIT = 3


def documented(heading: str, module: Any) -> Any:
    """The value of the first example under a heading of the guide, as it would be read in `module`."""
    section = GUIDE.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    (code, *_) = re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL)
    return eval(code, vars(module))


def train_and_infer(card: Card, plan: Recipe, source: Path, corpus: Corpus, folder: Path) -> dict[str, Any]:
    """The manifest of a run on the first utterances, after its posteriors of dev were stored."""
    run_dir = loop.train(card, plan, corpus, folder / "runs", source=str(source), limit=LIMIT)
    inference.infer(run_dir, corpus, ("dev",), source=str(source), controls=False)
    posteriors = store.read_posteriors(run_dir, "dev")
    assert (len(posteriors), posteriors.hop) == (LIMIT, card.hop)
    return store.read_run(run_dir)


def one_epoch() -> Recipe:
    return recipe.with_settings(recipe.find("source-finetune"), {"epochs": "1", "precision": "fp32"})


def test_a_card(monkeypatch: pytest.MonkeyPatch, synthetic_corpus: Corpus, tmp_path: Path) -> None:
    card = documented("A system of a known family", cards)
    assert card.name not in cards.SYSTEMS
    monkeypatch.setitem(cards.SYSTEMS, card.name, card)
    assert encoder_contract.count_at_full_size(card) == card.parameters
    source = tiny_checkpoints.save(card, tmp_path / "model")
    encoder_contract.check(card, pretrained.load(card, source))
    manifest = train_and_infer(card, one_epoch(), source, synthetic_corpus, tmp_path)
    assert (manifest["card"], manifest["status"]) == (card.name, "trained")


def test_a_family(monkeypatch: pytest.MonkeyPatch, synthetic_corpus: Corpus, tmp_path: Path) -> None:
    family = documented("A new family", families)
    (name,) = family.model_types
    assert name not in families.FAMILIES
    monkeypatch.setitem(families.FAMILIES, name, family)
    monkeypatch.setitem(tiny_checkpoints.MAKERS, name, tiny_checkpoints.save_wave)
    card = Card(
        "unispeech-large",
        "UniSpeech Large",
        name,
        "microsoft/unispeech-large-1500h-cv",
        "waveform",
        1024,
        24,
        315_438_720,
        licence="",
        trained_on="",
    )
    monkeypatch.setitem(cards.SYSTEMS, card.name, card)
    assert encoder_contract.count_at_full_size(card) == card.parameters
    source = tiny_checkpoints.save(card, tmp_path / "model")
    encoder_contract.check(card, pretrained.load(card, source))
    manifest = train_and_infer(card, one_epoch(), source, synthetic_corpus, tmp_path)
    assert (manifest["card"], manifest["status"]) == (card.name, "trained")


def test_a_family_without_a_tiny_checkpoint_is_told_where_to_add_one(tmp_path: Path) -> None:
    unknown = Card("x", "", "unheard-of", "", "mel", 8, 1, 0, licence="", trained_on="")
    with pytest.raises(KeyError, match="'unheard-of': add a row to MAKERS"):
        tiny_checkpoints.save(unknown, tmp_path)


def test_a_recipe(monkeypatch: pytest.MonkeyPatch, synthetic_corpus: Corpus, tmp_path: Path) -> None:
    plan = documented("A recipe", recipe)
    assert plan.name not in recipe.RECIPES
    monkeypatch.setitem(recipe.RECIPES, plan.name, plan)
    card = cards.find("whisper-base")
    source = tiny_checkpoints.save(card, tmp_path / "model")
    chosen = recipe.with_settings(recipe.find(plan.name), {"precision": "fp32"})
    manifest = train_and_infer(card, chosen, source, synthetic_corpus, tmp_path)
    assert manifest["recipe"]["name"] == plan.name
    assert manifest["run_id"].startswith(f"whisper-base.{plan.name}.s0.")
    assert len(manifest["history"]) == 1
    hidden = 512
    by_hand = (tiny_checkpoints.WIDTH + 1) * hidden + (hidden + 1) * COLUMNS
    assert manifest["trained_parameters"] == by_hand
