"""What tells one recipe from another, also across versions of this package that name its fields otherwise.

Some fields were renamed after runs had been stored. Files are written with today's names; a reader of a manifest, a
result or an exported scorer passes what it reads through `renamed` or `with_today_names`, so that files from before
show today's names too. Identities (keys of runs, groups of seeds) are hashed under the former names and without later
fields that change nothing: a run of before keeps its id, resumes, and counts as the same recipe as a run of today.

What is hashed must stay as it is: the names and the `about` lines of the presets belong to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

FORMER_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "warm_epochs": "head_only_epochs",
        "rise": "warmup_fraction",
        "clip": "grad_clip",
        "noise_db": "snr_db",
        "flat_epochs": "flat_start_epochs",
        "judged": "score_loss_weight",
    }
)
"""Today's names of a recipe's fields by those that they had before."""

LATER: Mapping[str, Any] = MappingProxyType(
    {
        "wildcard_below": 0.0,
        "flat_start_epochs": 0,
        "score_loss_weight": 0.0,
        "lora": 0,
        "quantise": "none",
        "checkpointing": False,
        "codebooks": 8,
    }
)
"""Fields that came after the first results, with the value that changes nothing: identities leave those out."""

_FORMER_OF = {today: former for former, today in FORMER_NAMES.items()}


def renamed(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with today's names, in their order.

    Settings may hold recipes: those of a scorer have a list of them, one for each acoustic model (`acoustic`).

    Args:
        settings: fields and values of a recipe, a fusion or a scorer, under former names or today's.

    Example:
        >>> renamed({"name": "polish", "rise": 0.05, "lr": 1e-4})
        {'name': 'polish', 'warmup_fraction': 0.05, 'lr': 0.0001}
        >>> renamed({"name": "scorer", "acoustic": [{"clip": 1.0}]})
        {'name': 'scorer', 'acoustic': [{'grad_clip': 1.0}]}
    """
    return {FORMER_NAMES.get(name, name): _renamed_within(value) for name, value in settings.items()}


def with_today_names(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest whose `recipe` has today's names; all else is as it was.

    Example:
        >>> with_today_names({"run_id": "r", "recipe": {"judged": 2.0}})
        {'run_id': 'r', 'recipe': {'score_loss_weight': 2.0}}
    """
    return {**manifest, "recipe": renamed(manifest["recipe"])}


def identifying(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a recipe's settings that is hashed: former names, and later fields only where they change something.

    Args:
        settings: as `renamed` takes them.

    Example:
        >>> identifying({"epochs": 4, "warmup_fraction": 0.1, "lora": 0})
        {'epochs': 4, 'rise': 0.1}
        >>> identifying({"epochs": 4, "rise": 0.1}) == identifying({"epochs": 4, "warmup_fraction": 0.1})
        True
    """
    today = renamed(settings)
    return {_FORMER_OF.get(k, k): v for k, v in today.items() if k not in LATER or v != LATER[k]}


def _renamed_within(value: Any) -> Any:
    if isinstance(value, Mapping):
        return renamed(value)
    if isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
        return [_renamed_within(one) for one in value]
    return value
