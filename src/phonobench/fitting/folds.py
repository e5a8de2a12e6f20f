"""Which runs are folds of which training, and how runs make panels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from phonobench import store
from phonobench.systems.identity import identifying
from phonobench.types import PhonobenchError

Training = tuple[str, str]
"""What all folds of a training share: the system, and its recipe's fingerprint."""


def training_of(manifest: Mapping[str, Any]) -> Training:
    """The training that a run is a fold of."""
    return manifest["card"], store.fingerprint(identifying(manifest["recipe"]))


def folds_of(runs: Sequence[Path], trainings: Sequence[Training] | None = None) -> dict[int, list[Path]]:
    """By fold, in order, its runs: one a training, the trainings in the order in which they first come.

    Args:
        runs: Trained runs; a run without a fold is fold 0.
        trainings: Those that there must be; None: any.

    Raises:
        PhonobenchError: For unfinished runs, a fold that is given twice, and trainings that differ in their folds.
    """
    by_training: dict[Training, dict[int, Path]] = {one: {} for one in trainings or ()}
    for run in runs:
        manifest = store.read_run(run)
        if manifest.get("status") != "trained":
            raise PhonobenchError(f"{run.name} is not trained to its end: `phonobench train` continues it")
        training, fold = training_of(manifest), manifest.get("fold", 0)
        if trainings is not None and training not in by_training:
            raise PhonobenchError(f"{run.name} is of another training than the runs that are fitted to: it cannot vote")
        known = by_training.setdefault(training, {})
        if fold in known:
            raise PhonobenchError(f"{known[fold].name} and {run.name} are both fold {fold}: each may be given once")
        known[fold] = run
    first, *others = by_training.values()
    for other in others:
        if lacking := sorted(set(first) ^ set(other)):
            name = next(iter({**first, **other}.values())).name
            raise PhonobenchError(
                f"fold {lacking[0]} is there of one training only, beside {name}: a panel needs the same folds of all"
            )
    return {fold: [part[fold] for part in by_training.values()] for fold in sorted(first)}


def in_panels(runs: Sequence[Path], first: Sequence[Mapping[str, Any]]) -> list[Path]:
    """The runs panel after panel, in each the trainings in the order of `first`.

    Args:
        runs: Folds of the trainings that the scorer is fitted to.
        first: Manifests of one fold's panel, whose trainings theirs must be.

    Raises:
        PhonobenchError: As `folds_of`.
    """
    return [run for panel in folds_of(runs, [training_of(run) for run in first]).values() for run in panel]
