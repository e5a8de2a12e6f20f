"""Runs that differ in their seed alone: mean and spread of their test figures.

The spread over seeds is another matter than the interval over speakers: it shows how well a training can be repeated.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from phonobench import results, store
from phonobench.report.labels import MAIN, heading, number
from phonobench.results import Result
from phonobench.systems.identity import identifying


def columns() -> tuple[str, ...]:
    """Headings of the table."""
    return ("system", "recipe", "seeds", *map(heading, MAIN))


def groups(results_root: Path, run_ids: Sequence[str] | None = None) -> dict[str, list[Sequence[Result]]]:
    """Test results of runs that agree in all but the seed.

    Args:
        results_root: The folder of all results.
        run_ids: Those that count; None: all.

    Returns:
        Groups of two or more, by canonical JSON of system, checkpoint, recipe, training data and what was measured.
    """
    by_run: dict[str, list[Result]] = {}
    for result in results.read_all(results_root):
        if result.split == "test" and (run_ids is None or result.run_id in run_ids):
            by_run.setdefault(result.run_id, []).append(result)
    return alike(by_run.values())


def alike(runs: Iterable[Sequence[Result]]) -> dict[str, list[Sequence[Result]]]:
    """Those of `runs` (each its results) that agree in all but the seed, two or more, by what they agree in."""
    found: dict[str, list[Sequence[Result]]] = {}
    for parts in runs:
        origin = parts[0].provenance
        training = origin.training.model_dump(exclude={"seed", "best_epoch"})
        training["recipe"] = identifying(training["recipe"])
        facts: dict[str, Any] = {
            "card": origin.model.card,
            "model": origin.model.revision,
            "training": training,
            "corpus": origin.corpus.fingerprint,
            "utterances": origin.split.utterances,
            "decoder": origin.decoder.chosen_on,
        }
        found.setdefault(store.fingerprint(facts), []).append(parts)
    return {key: group for key, group in found.items() if len({_seed(parts) for parts in group}) > 1}


def table(results_root: Path, run_ids: Sequence[str] | None = None) -> list[tuple[str, ...]]:
    """`rows` of the results under a folder."""
    return rows(groups(results_root, run_ids))


def rows(found: Mapping[str, Sequence[Sequence[Result]]]) -> list[tuple[str, ...]]:
    """A row of text for every group, in the order of `columns()`: mean ± standard deviation [lowest, highest]."""
    made = []
    for runs in found.values():
        origin = runs[0][0].provenance
        seeds = sorted(_seed(parts) for parts in runs)
        cells = [_cell(name, [_value(parts, name) for parts in runs]) for name in MAIN]
        recipe = str(origin.training.recipe.get("name", ""))
        made.append((origin.model.card, recipe, " ".join(map(str, seeds)), *cells))
    return sorted(made)


def _seed(parts: Sequence[Result]) -> int:
    return parts[0].provenance.training.seed


def _value(parts: Sequence[Result], name: str) -> float | None:
    return next((part.metrics[name].value for part in parts if name in part.metrics), None)


def _cell(name: str, values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return "–"
    mean, spread = statistics.mean(known), statistics.stdev(known)
    ends = f"[{number(min(known), name)}, {number(max(known), name)}]"
    return f"{number(mean, name)} ± {number(spread, name)} {ends}"
