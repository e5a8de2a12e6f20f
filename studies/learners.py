"""Which learner turns descriptions into phone scores best, what of them the network needs, and what wrong audio does.

    python studies/learners.py RUN

RUN is a fitted scorer, whose descriptions are read again. All learners are cross-validated over the same fifths of the
train speakers, none of whom the recogniser of their fold has heard; nothing is of test. Trees and kernel ridge see one
phone at a time, with its neighbours' numbers beside it. Network and trees are also fitted to prompts against audio in
which nobody reads them, all phones of which are wrong, and the network also without what the recogniser itself judges.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from study import corpus_facts, grid

from phonobench import corpora, stats, store
from phonobench.assessment.model.examples import Example, FitConfig
from phonobench.assessment.model.features import NAMES
from phonobench.assessment.model.output import ModelOutput, combine, mean
from phonobench.assessment.model.tables import tabulate
from phonobench.assessment.types import PHONE_SCALE
from phonobench.cli.output import figure, interval, progress
from phonobench.corpora import FOLDS
from phonobench.fitting.boosting import GROWTH, description_of
from phonobench.fitting.cross_validation import forest_outputs, network_outputs, read_probabilities
from phonobench.fitting.dataset import FittingData, gather
from phonobench.fitting.folds import folds_of
from phonobench.results import Value
from phonobench.store import provenance
from phonobench.tasks.detection import POSITIVE

COURSE = FitConfig()
LEARNERS: dict[str, tuple[Callable[[], Any], bool]] = {
    "trees, shown wrong audio": (
        lambda: HistGradientBoostingRegressor(random_state=0, max_iter=COURSE.trees, **GROWTH["phones"]), True
    ),
    "kernel ridge (RBF, 800 landmarks)": (
        lambda: make_pipeline(
            StandardScaler(), Nystroem(gamma=0.002, n_components=800, random_state=0), Ridge(1.0)
        ), False,
    ),
}  # fmt: skip
"""Learners of one phone at a time, and whether they are shown wrong audio."""


def without_judgement(example: Example) -> Example:
    judged = [k % len(NAMES) for k in range(example.rows.shape[1])]
    kept = np.array([not NAMES[k].startswith("judged") for k in judged])
    return replace(example, rows=np.where(kept, example.rows, 0.0).astype(np.float32))


def with_negatives(material: FittingData) -> FittingData:
    """As if the prompts that nobody read had been read, wrongly throughout."""
    return FittingData(
        [*material.utterances, *(u for _, u in material.negatives)],
        [*material.examples, *(e for e, _ in material.negatives)], material.negatives,
    )  # fmt: skip


def course_of(run: dict[str, Any]) -> FitConfig:
    return FitConfig(**{field.name: run["recipe"][field.name] for field in fields(FitConfig)})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="a fitted scorer")
    parser.add_argument("--corpus")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--resamples", type=int, default=1000)
    given = parser.parse_args()
    run_dir, corpus = store.find_run(given.run, given.runs), corpora.find(given.corpus)
    run = store.read_run(run_dir)
    folds = folds_of([given.runs / name for name in run["runs"]])
    with progress() as report:
        material = gather(folds, corpus, run["layers"], run["level"], limit=run["limit"], report=report)
    course, seeds, utterances = course_of(run), run["seeds"], material.utterances
    names = sorted({u.speaker for u in utterances})
    place = {name: k for k, name in enumerate(names)}
    speaker = np.repeat([place[u.speaker] for u in utterances], [len(e.ids) for e in material.examples])
    human = PHONE_SCALE * np.concatenate([e.phone for e in material.examples])

    network = network_outputs(material, course, seeds)
    forest = forest_outputs(material, course)
    both = [mean(pair) for pair in zip(network, forest, strict=True)]
    gated = [combine([told], read) for told, read in zip(both, read_probabilities(material, course), strict=True)]
    unjudged = replace(material, examples=[without_judgement(e) for e in material.examples])
    told = {
        "network": _phones(network),
        "trees": _phones(forest),
        "mean of network and trees": _phones(both),
        "the same behind the gate": _phones(gated),
        "network without the recogniser's judgement": _phones(network_outputs(unjudged, course, seeds)),
        "network, shown wrong audio": _phones(
            network_outputs(with_negatives(material), course, seeds)[: len(utterances)]
        ),
    }
    wrong = np.concatenate([tabulate(description_of(e), NAMES).phones for e, _ in material.negatives])
    lengths = [len(e.ids) for e, _ in material.negatives]
    wrong_speaker = np.repeat([place[u.speaker] for _, u in material.negatives], lengths)
    rows = np.concatenate([tabulate(description_of(e), NAMES).phones for e in material.examples])
    for name, (make, shown) in LEARNERS.items():
        told[name] = np.empty(len(human))
        for fold in range(FOLDS):
            out = speaker % FOLDS == fold
            known, others = ~out & np.isfinite(human), wrong_speaker % FOLDS != fold
            table, wanted = rows[known], human[known]
            if shown:
                table = np.concatenate([table, wrong[others]])
                wanted = np.concatenate([wanted, np.zeros(others.sum())])
            told[name][out] = make().fit(np.nan_to_num(table), wanted).predict(np.nan_to_num(rows[out]))
        print(f"{name}: done", flush=True)
    facts = {
        "scorer": run_dir.name, "corpus": corpus_facts(corpus), "speakers": len(names), "phones": len(human),
        "resamples": given.resamples, "versions": provenance.versions(), "revision": provenance.git_revision(),
        "learners": _measured(told, human, speaker.astype(np.int32), stats.speaker_draws(len(names), given.resamples)),
    }  # fmt: skip
    folder = given.results / "studies" / "learners" / run_dir.name
    store.write_json(folder / "study.json", facts)
    store.write_bytes(folder / "study.md", page(facts).encode())
    print(page(facts))


def _phones(answers: list[ModelOutput]) -> np.ndarray:
    return PHONE_SCALE * np.concatenate([answer[0] for answer in answers])


def _measured(
    told: dict[str, np.ndarray], human: np.ndarray, speaker: np.ndarray, draws: np.ndarray
) -> dict[str, dict[str, Any]]:
    """By learner its figures, and the paired difference of its correlation from the network's."""
    known = np.isfinite(human)
    human, speaker = human[known], speaker[known]
    found: dict[str, dict[str, Any]] = {}
    first = None
    for name, said in told.items():
        said = said[known]
        pearson = stats.pearson(said, human, speaker, draws)
        values = {
            "pearson": pearson,
            "mse": stats.mean((said - human) ** 2, speaker, draws),
            "auc": stats.auc(-said, POSITIVE["phone"](human), speaker, draws),
        }
        size, people = len(human), draws.shape[1]
        found[name] = {k: Value.of(stats.estimate(v, size, people)).model_dump() for k, v in values.items()}
        first = pearson if first is None else first
        found[name]["less the network's pearson"] = vars(stats.difference(pearson, first, people))
    return found


def page(facts: dict[str, Any]) -> str:
    rows = [("learner", "phone Pearson", "MSE", "AUC", "Pearson less the network's"), ("---",) * 5]
    for name, found in facts["learners"].items():
        cells = [found[metric] for metric in ("pearson", "mse", "auc", "less the network's pearson")]
        rows.append((name, *(f"{figure('', c['value'])} {interval('', c['low'], c['high'])}" for c in cells)))
    told = (
        f"Cross-validated over {facts['speakers']} train speakers, {facts['phones']} phones; 95 % intervals over them."
    )
    return "\n\n".join([f"# Learners of phone scores: {facts['scorer']}", told, grid(rows)]) + "\n"


if __name__ == "__main__":
    main()
