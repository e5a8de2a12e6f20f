"""`phonobench list`: the systems and recipes that are known, without loading any of them."""

from __future__ import annotations

import dataclasses
from typing import Any

from phonobench.cli.options import JsonOption, ModelsOption, use_models
from phonobench.cli.output import print_json, print_table
from phonobench.systems.cards import SYSTEMS, Card
from phonobench.systems.local_models import local_folder
from phonobench.systems.recipe import RECIPES


def list_systems(models: ModelsOption = None, as_json: JsonOption = False) -> None:
    """List the systems (what each is, and whether its weights are on this machine) and the recipes."""
    use_models(models)
    if as_json:
        recipes = [dataclasses.asdict(recipe) for recipe in RECIPES.values()]
        print_json({"systems": [_described(card) for card in SYSTEMS.values()], "recipes": recipes})
        return
    columns = ("system", "params", "input", "Hz", "licence", "weights", "recipe")
    print_table("Systems", columns, [_row(card) for card in SYSTEMS.values()], right=("params", "Hz"))
    print()
    print_table("Recipes", ("recipe", "what it does"), [(recipe.name, recipe.about) for recipe in RECIPES.values()])


def _weights(card: Card) -> str:
    if card.scratch:
        return "none"
    if card.members:
        return "--member"
    return "here" if local_folder(card.checkpoint) else "hub"


def _row(card: Card) -> tuple[str, ...]:
    millions = f"{card.parameters / 1e6:.1f} M" if not card.members else "-"
    hertz = f"{1 / card.hop:.4g}" if not card.members else "-"
    return card.name, millions, card.input, hertz, card.licence, _weights(card), card.recipe


def _described(card: Card) -> dict[str, Any]:
    """A card as JSON: its own fields, the frame rate, and where its weights lie (null: on the hub only)."""
    fields = {f.name: getattr(card, f.name) for f in dataclasses.fields(card)}
    folder = local_folder(card.checkpoint)
    return {
        **fields,
        "config": dict(card.config),
        "frames_per_second": 1 / card.hop,
        "needs_weights": not card.scratch and not card.members,
        "weights": None if folder is None else str(folder),
    }
