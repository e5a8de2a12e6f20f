"""Makes the folder of a scorer that needs no torch out of a fitted run (`assessment.bundle` reads it)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from phonobench import store
from phonobench._version import __version__
from phonobench.assessment import bundle
from phonobench.assessment.model.scorer import FOREST, NETWORK
from phonobench.assessment.package_facts import seal
from phonobench.fitting.fit import recipe_name, run_id
from phonobench.fitting.folds import in_panels
from phonobench.fitting.open import fitted
from phonobench.store import atomic, outputs
from phonobench.systems import cards
from phonobench.types import OnProgress, PhonobenchError, Progress

RUN_FACTS = (
    "run_id", "card", "card_key", "model", "parameters", "trained_parameters", "seed", "limit", "corpus", "recipe",
    "runs", "listeners", "layers",
)  # fmt: skip
"""What of a run's manifest goes into its export, so that a result of the export says where it comes from."""
FOR = "English read aloud, phones of General American; fitted to adults and children whose first language is Mandarin"


def export(
    run_dir: Path,
    folder: Path,
    *,
    name: str | None = None,
    int8: bool = True,
    level: float | None = None,
    acoustic_models: Sequence[Path] | None = None,
    report: OnProgress = lambda _: None,
) -> Path:
    """Write the scorer of a run, with its acoustic models, into `folder`; returns it.

    Args:
        run_dir: A fitted run.
        folder: Where to.
        name: What the scorer is called in its results; None: the run's id.
        int8: Store the weights of the acoustic models in int8.
        level: Loudness to which recordings are brought, dBFS; None: that of the fit.
        acoustic_models: Runs that it was fitted to, one panel or several, which then vote; None: those of the fit.
        report: Is told of the progress.

    Raises:
        PhonobenchError: For a run that is no fitted scorer, and for acoustic models that cannot run without torch.
    """
    run = fitted(run_dir)
    if acoustic_models:
        run |= _with_acoustic_models(run, run_dir.parent, acoustic_models)
    with outputs.sole_owner(folder), atomic.staged(folder, bundle.FACTS) as draft:
        _write(run, run_dir, draft, name, int8, level, report)
    return folder


def _write(
    run: dict[str, Any],
    run_dir: Path,
    folder: Path,
    name: str | None,
    int8: bool,
    level: float | None,
    report: OnProgress,
) -> None:
    from phonobench.neural.checkpoints import onnx

    files: dict[str, str] = {}
    bands, hops = set(), {cards.find(system).hop for system in run["card"].split("+")}
    for place, model in enumerate(run["listeners"]):
        path = folder / f"acoustic-{place}.onnx"
        bands.add(onnx.export(run_dir.parent / model, path, run["layers"], int8=int8))
        head = folder / f"judge-{place}.onnx"
        has_head = onnx.export_score_head(run_dir.parent / model, head)
        files |= {made.name: store.hash_file(made) for made in ([path, head] if has_head else [path])}
        report(Progress("export", place + 1, len(run["listeners"])))
    for file in (NETWORK, FOREST):
        store.write_bytes(folder / file, (run_dir / file).read_bytes())
        files[file] = store.hash_file(folder / file)
    if len(bands) > 1 or len(hops) > 1:
        raise PhonobenchError(f"{run_dir.name} cannot be exported: its acoustic models read different spectrograms")
    facts = {
        "format": bundle.FORMAT, "card": _facts(run, name or run["run_id"]), "features": run["features"],
        "bands": bands.pop(), "hop": hops.pop(), "panel": run["panel"],
        "level": run["level"] if level is None else level,
        "reads_states": bool(run["layers"]), "gate": run["gate"],
        "presence": run.get("presence"), "readers": run.get("readers"),
        "calibration": run["calibration"], "thresholds": run["thresholds"],
        "run": {name: run.get(name) for name in RUN_FACTS}, "files": files,
    }  # fmt: skip
    store.write_bytes(folder / "MODEL_CARD.md", _model_card(facts["card"]).encode())
    store.write_json(folder / bundle.FACTS, {**facts, "sha256": seal(facts)})


def _with_acoustic_models(run: dict[str, Any], runs_root: Path, acoustic_models: Sequence[Path]) -> dict[str, Any]:
    """What of a scorer's manifest other acoustic models change."""
    first = [store.read_run(runs_root / name) for name in run["runs"][: run["panel"]]]
    names = [one.name for one in in_panels(acoustic_models, first)]
    votes = len(names) // len(first)
    key = store.fingerprint([run["key"], *(store.read_run(runs_root / name)["key"] for name in names)])
    recipe = {**run["recipe"], "name": recipe_name(votes)}
    return {"run_id": run_id(run["card"], votes, key), "listeners": names, "recipe": recipe}


def _model_card(card: dict[str, Any]) -> str:
    """The card as a page. Figures are left to the leaderboard, which has them with their intervals."""
    return f"""# {card["name"]}

Scores phones, words and sentences as the raters of {card["fitted_to"]} would; phonobench {card["version"]}.

- **For**: {card["for"]}. Whoever speaks otherwise is scored by the same measure, which may not be theirs.
- **Not for**: decisions about people by this score alone; spontaneous speech; singing; audio over 30 s.
- **Derived from**: {card["derived_from"]} ({card["licence"]}), its encoder fine-tuned and stored in int8; fitted to
  {card["fitted_speakers"]} speakers of {card["fitted_to"]} (CC BY 4.0, Zhang et al. 2021). The result is under the
  licence of phonobench (Apache-2.0) as far as these allow.
- **Run**: {card["run"]}; its figures stand in `results/` and in the leaderboard under that name, also by age, gender
  and proficiency, and on wrong audio, silence and noise.
"""


def _facts(run: dict[str, Any], name: str) -> dict[str, Any]:
    """What a user should know of the scorer; stored as `card`."""
    systems = [cards.find(name) for name in run["card"].split("+")]
    return {
        "name": name, "version": f"{__version__} of {date.today().isoformat()}", "run": run["run_id"], "for": FOR,
        "derived_from": " + ".join(card.checkpoint for card in systems),
        "licence": " + ".join(dict.fromkeys(card.licence for card in systems)), "fitted_to": run["corpus"]["name"],
        "fitted_speakers": run["corpus"]["train_speakers"],
    }  # fmt: skip
