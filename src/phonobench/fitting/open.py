"""A scorer opened to be measured, be it a fitted run or an export: what scores, what listens, where it is from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from phonobench import store
from phonobench.assessment import bundle
from phonobench.assessment.bundle import Bundle
from phonobench.assessment.model.scorer import FittedScorer, build
from phonobench.assessment.types import AcousticOutput
from phonobench.fitting.feature_cache import AcousticModel, acoustic_model_of_run
from phonobench.types import OnProgress, PhonobenchError, Progress


@dataclass(frozen=True, eq=False)
class OpenScorer:
    """`run` is the manifest of the fitted run; of an export what it brought along, its id with `.package` behind it.
    `ears` listen in panels of `scorer.panel`."""

    run: dict[str, Any]
    scorer: FittedScorer
    ears: list[AcousticModel]
    exported: bool


def find_scorer(text: str, runs_root: Path) -> Path:
    """The folder of an exported scorer, or a run as `store.find_run` finds it."""
    return Path(text) if _is_export(Path(text)) else store.find_run(text, runs_root)


def export_cache(runs_root: Path) -> Path:
    """The folder under `runs_root` that keeps the acoustic outputs of exported scorers."""
    return runs_root / "packages"


def is_scorer(folder: Path) -> bool:
    """Whether `folder` is that of a fitted scorer or of an export."""
    return _is_export(folder) or store.read_run(folder).get("kind") == "scorer"


def open_scorer(folder: Path, kept: Path) -> OpenScorer:
    """The scorer in `folder`. What an export hears is kept under `kept`, what a run's listeners hear beside them.

    Raises PhonobenchError for a folder without a scorer, and as `assessment.bundle.load` does.
    """
    if _is_export(folder):
        loaded = bundle.load(folder)
        facts = {"run_id": f"{loaded.run['run_id']}.package", "thresholds": loaded.thresholds, "level": loaded.level}
        return OpenScorer({**loaded.run, **facts}, loaded.scorer, _ears(loaded, kept), exported=True)
    run = fitted(folder)
    ears = [acoustic_model_of_run(folder.parent / name, run["layers"], run["level"]) for name in run["listeners"]]
    return OpenScorer(run, build(folder, run), ears, exported=False)


def fitted(run_dir: Path) -> dict[str, Any]:
    """The manifest of a fitted scorer's run. Raises PhonobenchError for any other run."""
    run = store.read_run(run_dir)
    if run.get("kind") != "scorer" or run.get("status") != "fitted":
        raise PhonobenchError(f"{run_dir.name} is no fitted scorer: `phonobench fit RUN...` makes one")
    if "gate" not in run:
        raise PhonobenchError(f"{run_dir.name} was fitted by an older phonobench: fit it again")
    return run


def _is_export(folder: Path) -> bool:
    return (folder / bundle.FACTS).exists()


def _ears(loaded: Bundle, kept: Path) -> list[AcousticModel]:
    """The listeners of an export, apart, so that they are asked one by one. Exports with the same one share what it
    heard: their scorers are not in its key."""

    def listen(
        place: int, waves: Sequence[Callable[[], np.ndarray]], report: OnProgress
    ) -> Iterator[tuple[int, AcousticOutput]]:
        for k, wave in enumerate(waves):
            yield k, loaded.recognise_with(place, wave())
            report(Progress(f"listen {loaded.facts['name']}", k + 1, len(waves)))

    ears = []
    for place, files in enumerate(loaded.acoustic_hashes):
        facts = {"files": files, "level": loaded.level, "states": loaded.reads_states, "hop": loaded.hop}
        key = store.fingerprint(facts)
        ears.append(AcousticModel(f"{loaded.run['run_id']} {place}", key, kept / key[:16], partial(listen, place)))
    return ears
