"""A scorer opened to be measured, be it a fitted run or an export: scorer, acoustic models, and where it is from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phonobench import store
from phonobench.assessment import bundle
from phonobench.assessment.model.scorer import FittedScorer, build, panels
from phonobench.assessment.package_facts import ScorerParts
from phonobench.fitting.acoustic import AcousticModel, acoustic_model_of_run, acoustic_models_of_bundle
from phonobench.store import door
from phonobench.types import Corpus, PhonobenchError, Utterance


@dataclass(frozen=True, eq=False)
class OpenScorer:
    """A scorer and all that it needs to be measured.

    `run` is the manifest of the fitted run; of an export the part of it that the export holds, its id with `.package`
    behind it. `acoustic_models` stand panel after panel, `scorer.panel` in each.
    """

    run: dict[str, Any]
    scorer: FittedScorer
    acoustic_models: list[AcousticModel]
    exported: bool

    def panels(self) -> list[Sequence[AcousticModel]]:
        """The acoustic models in panels; several panels vote."""
        return panels(self.acoustic_models, self.scorer.panel)

    def test_utterances(self, corpus: Corpus) -> list[Utterance]:
        """The utterances of test, of a trial the first ones only."""
        return list(corpus.split("test")[: self.run.get("limit")])


def find_scorer(text: str, runs_root: Path) -> Path:
    """The folder of an exported scorer, or a run as `store.find_run` finds it."""
    return Path(text) if _is_export(Path(text)) else store.find_run(text, runs_root)


def export_cache(runs_root: Path) -> Path:
    """The folder under `runs_root` that keeps the features of exported scorers."""
    return runs_root / "packages"


def is_scorer(folder: Path) -> bool:
    """Whether `folder` is that of a fitted scorer or of an export."""
    return _is_export(folder) or store.read_run(folder).get("kind") == "scorer"


def open_scorer(folder: Path, cache: Path) -> OpenScorer:
    """The scorer in `folder`.

    Args:
        folder: A fitted run or an export.
        cache: Keeps the features of an export; those of a run stand beside its acoustic models.

    Raises:
        PhonobenchError: For a folder without a scorer, and as `assessment.bundle.load` does.
    """
    if _is_export(folder):
        loaded = bundle.load(folder)
        facts = {"run_id": f"{loaded.run['run_id']}.package", "thresholds": loaded.thresholds, "level": loaded.level}
        models = acoustic_models_of_bundle(loaded, cache)
        return OpenScorer({**loaded.run, **facts}, loaded.scorer, models, exported=True)
    run = fitted(folder)
    models = [acoustic_model_of_run(folder.parent / name, run["layers"], run["level"]) for name in run["listeners"]]
    return OpenScorer(run, build(folder, run), models, exported=False)


def fitted(run_dir: Path) -> dict[str, Any]:
    """The manifest of a fitted scorer's run.

    Raises:
        PhonobenchError: For any other run, and for one that was fitted before scorers had a gate.
    """
    run = store.read_run(run_dir)
    if run.get("kind") != "scorer" or run.get("status") != "fitted":
        raise PhonobenchError(f"{run_dir.name} is no fitted scorer: `phonobench fit RUN...` makes one")
    if "gate" not in run:
        raise PhonobenchError(f"{run_dir.name} was fitted by an older phonobench: fit it again")
    parts = {name: run[name] for name in ScorerParts.model_fields if name in run}
    door.checked_value(run_dir / store.RUN_FILE, parts, ScorerParts, "fit the run again")
    return run


def _is_export(folder: Path) -> bool:
    return (folder / bundle.FACTS).exists()
