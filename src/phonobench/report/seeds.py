"""Runs that differ in their seed alone: mean and spread of their test figures.

The spread over seeds is another matter than the interval over speakers: it tells how far a training repeats itself.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from phonobench import results, store
from phonobench.report.labels import LABELS, MAIN, number
from phonobench.results import Result

COLUMNS = ("system", "recipe", "seeds", *(LABELS[name] for name in MAIN))


def groups(results_root: Path, run_ids: Sequence[str] | None = None) -> dict[str, list[list[Result]]]:
    """Test results of runs (all, or those named) that agree in all but the seed, by what they agree in; two or more.

    The key is canonical JSON of system, checkpoint, recipe, training data and what was measured.
    """
    by_run: dict[str, list[Result]] = {}
    for result in results.read_all(results_root):
        if result.split == "test" and (run_ids is None or result.run_id in run_ids):
            by_run.setdefault(result.run_id, []).append(result)
    found: dict[str, list[list[Result]]] = {}
    for parts in by_run.values():
        origin = parts[0].provenance
        training = origin.training.model_dump(exclude={"seed", "best_epoch"})
        facts: dict[str, Any] = {
            "card": origin.model.card, "model": origin.model.revision, "training": training,
            "corpus": origin.corpus.fingerprint, "utterances": origin.split.utterances,
        }  # fmt: skip
        found.setdefault(store.fingerprint(facts), []).append(parts)
    return {key: runs for key, runs in found.items() if len({parts[0].provenance.training.seed for parts in runs}) > 1}


def table(results_root: Path, run_ids: Sequence[str] | None = None) -> list[tuple[str, ...]]:
    """A row of text for every group, in the order of `COLUMNS`: mean ± standard deviation [lowest, highest]."""
    rows = []
    for runs in groups(results_root, run_ids).values():
        origin = runs[0][0].provenance
        seeds = sorted(parts[0].provenance.training.seed for parts in runs)
        cells = [_cell(name, [_value(parts, name) for parts in runs]) for name in MAIN]
        recipe = str(origin.training.recipe.get("name", ""))
        rows.append((origin.model.card, recipe, " ".join(map(str, seeds)), *cells))
    return sorted(rows)


def _value(parts: Sequence[Result], name: str) -> float | None:
    return next((part.metrics[name].value for part in parts if name in part.metrics), None)


def _cell(name: str, values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return "–"
    mean, spread = statistics.mean(known), statistics.stdev(known)
    ends = f"[{number(min(known), name)}, {number(max(known), name)}]"
    return f"{number(mean, name)} ± {number(spread, name)} {ends}"
