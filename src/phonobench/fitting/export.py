"""Makes the folder of a scorer that needs no torch out of a fitted run (`assessment.bundle` reads it)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from phonobench import store
from phonobench._version import __version__
from phonobench.assessment import bundle
from phonobench.assessment.model.scorer import FOREST, NETWORK
from phonobench.assessment.package_facts import seal
from phonobench.fitting.fit import recipe_name, run_id, voters
from phonobench.fitting.open import fitted
from phonobench.systems import cards
from phonobench.types import PhonobenchError, Progress

RUN_FACTS = (
    "run_id", "card", "card_key", "model", "parameters", "trained_parameters", "seed", "limit", "corpus", "recipe",
    "runs", "listeners", "layers",
)  # fmt: skip
"""What of a run's manifest goes into its export, so that a result of the export says where it comes from."""
FOR = "English read aloud, phones of General American; fitted to adults and children whose first language is Mandarin"


def export(
    run_dir: Path, folder: Path, *, name: str | None = None, int8: bool = True, level: float | None = None,
    listeners: Sequence[Path] | None = None, report: Callable[[Progress], None] = lambda _: None,
) -> Path:  # fmt: skip
    """Write the scorer of a run, with its listeners, into `folder`; returns it. `level` (dBFS) and `listeners`
    (runs that it was fitted to, one panel or several, which then vote) in place of the run's own.

    Raises PhonobenchError for a run that is no fitted scorer, and for listeners that cannot run without torch.
    """
    from phonobench.neural.checkpoints import onnx

    run = fitted(run_dir)
    if listeners:
        run |= _heard_by(run, run_dir.parent, listeners)
    files: dict[str, str] = {}
    bands, hops = set(), {cards.find(system).hop for system in run["card"].split("+")}
    for place, listener in enumerate(run["listeners"]):
        path = folder / f"acoustic-{place}.onnx"
        bands.add(onnx.export(run_dir.parent / listener, path, run["layers"], int8=int8))
        opinions = folder / f"judge-{place}.onnx"
        judges = onnx.export_score_head(run_dir.parent / listener, opinions)
        files |= {made.name: store.hash_file(made) for made in ([path, opinions] if judges else [path])}
        report(Progress("export", place + 1, len(run["listeners"])))
    for file in (NETWORK, FOREST):
        store.write_bytes(folder / file, (run_dir / file).read_bytes())
        files[file] = store.hash_file(folder / file)
    if len(bands) > 1 or len(hops) > 1:
        raise PhonobenchError(f"{run_dir.name} cannot be exported: its listeners read different spectrograms")
    facts = {
        "format": bundle.FORMAT, "card": _card(run, name or run["run_id"]), "features": run["features"],
        "bands": bands.pop(), "hop": hops.pop(), "panel": run["panel"],
        "level": run["level"] if level is None else level,
        "reads_states": bool(run["layers"]), "gate": run["gate"],
        "calibration": run["calibration"], "thresholds": run["thresholds"],
        "run": {name: run.get(name) for name in RUN_FACTS}, "files": files,
    }  # fmt: skip
    store.write_bytes(folder / "MODEL_CARD.md", _told(facts["card"]).encode())
    store.write_json(folder / bundle.FACTS, {**facts, "sha256": seal(facts)})
    return folder


def _heard_by(run: dict[str, Any], runs_root: Path, listeners: Sequence[Path]) -> dict[str, Any]:
    """What of a scorer's manifest other listeners change."""
    first = [store.read_run(runs_root / name) for name in run["runs"][: run["panel"]]]
    names = [one.name for one in voters(listeners, first)]
    votes = len(names) // len(first)
    key = store.fingerprint([run["key"], *(store.read_run(runs_root / name)["key"] for name in names)])
    recipe = {**run["recipe"], "name": recipe_name(votes)}
    return {"run_id": run_id(run["card"], votes, key), "listeners": names, "recipe": recipe}


def _told(card: dict[str, Any]) -> str:
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


def _card(run: dict[str, Any], name: str) -> dict[str, Any]:
    """What a user should know of the scorer."""
    systems = [cards.find(name) for name in run["card"].split("+")]
    return {
        "name": name, "version": f"{__version__} of {date.today().isoformat()}", "run": run["run_id"], "for": FOR,
        "derived_from": " + ".join(card.checkpoint for card in systems),
        "licence": " + ".join(dict.fromkeys(card.licence for card in systems)), "fitted_to": run["corpus"]["name"],
        "fitted_speakers": run["corpus"]["train_speakers"],
    }  # fmt: skip
