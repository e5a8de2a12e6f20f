"""Which learner turns descriptions into phone scores best, and what of them the network needs.

    python benchmarks/learners.py RUN

RUN is a fitted scorer, whose descriptions are read again. All learners are cross-validated over the same fifths of the
train speakers, none of whom the recogniser of their fold has heard; nothing is of test. Trees and kernel ridge see one
phone at a time, with its neighbours' numbers beside it and without the encoder's states. The network is also fitted
without the encoder's states, and without what the recogniser itself judges.
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

from phonobench import corpora, fitting, provenance, stats, store
from phonobench.assessment import PHONE_SCALE
from phonobench.cli.options import find_run
from phonobench.cli.output import figure, interval, progress
from phonobench.corpora import FOLDS
from phonobench.fitting.fit import cross_validate
from phonobench.fitting.material import POSITIVE, folds_of, gather
from phonobench.results import Value
from phonobench.scorer.examples import Course, Example
from phonobench.scorer.features import NAMES, Description, with_neighbours

LEARNERS: dict[str, Callable[[], Any]] = {
    "boosted trees": lambda: HistGradientBoostingRegressor(
        max_iter=300, learning_rate=0.06, max_leaf_nodes=31, min_samples_leaf=40, l2_regularization=1.0, random_state=0
    ),
    "kernel ridge (RBF, 800 landmarks)": lambda: make_pipeline(
        StandardScaler(), Nystroem(gamma=0.002, n_components=800, random_state=0), Ridge(1.0)
    ),
}


def without_states(example: Example) -> Example:
    return replace(example, states=example.states[:, :0])


def without_judgement(example: Example) -> Example:
    judged = [k % len(NAMES) for k in range(example.rows.shape[1])]
    kept = np.array([not NAMES[k].startswith("judged") for k in judged])
    return replace(example, rows=np.where(kept, example.rows, 0.0).astype(np.float32))


CUTS: dict[str, Callable[[Example], Example]] = {
    "network without states": without_states,
    "network without the recogniser's judgement": without_judgement,
}


def course_of(run: dict[str, Any]) -> Course:
    return Course(**{field.name: run["recipe"][field.name] for field in fields(Course)})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="a fitted scorer")
    parser.add_argument("--corpus")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--resamples", type=int, default=1000)
    given = parser.parse_args()
    run_dir, corpus = find_run(given.run, given.runs), corpora.find(given.corpus)
    run = store.read_run(run_dir)
    folds = folds_of([given.runs / name for name in run["runs"]])
    with progress() as report:
        material = gather(folds, corpus, run["layers"], run["level"], limit=run["limit"], report=report)
    utterances, answers = fitting.cross_validated(run_dir, corpus)
    assert [u.id for u in utterances] == [u.id for u in material.utterances]
    names = sorted({u.speaker for u in utterances})
    size = [len(u.prompt.phones) for u in utterances]
    speaker = np.repeat([names.index(u.speaker) for u in utterances], size).astype(np.int32)
    human = PHONE_SCALE * np.concatenate([e.phone for e in material.examples])
    rows = np.concatenate([with_neighbours(Description(e.rows, e.states, e.ids, e.words)) for e in material.examples])
    told = {"network": PHONE_SCALE * np.concatenate([a[0] for a in answers])}
    for name, make in LEARNERS.items():
        told[name] = np.empty(len(human))
        for fold in range(FOLDS):
            out = speaker % FOLDS == fold
            known = ~out & np.isfinite(human)
            clean = rows if name == "boosted trees" else np.nan_to_num(rows)
            told[name][out] = make().fit(clean[known], human[known]).predict(clean[out])
        print(f"{name}: done", flush=True)
    for name, cut in CUTS.items():
        less = [cut(e) for e in material.examples]
        nonsense = [(cut(e), u) for e, u in material.nonsense]
        answered = cross_validate(less, utterances, nonsense, course_of(run), run["seeds"])
        told[name] = PHONE_SCALE * np.concatenate([answer[0] for answer in answered])
        print(f"{name}: done", flush=True)
    told["mean of network and trees"] = (told["network"] + told["boosted trees"]) / 2
    facts = {
        "scorer": run_dir.name, "corpus": corpus_facts(corpus), "speakers": len(names), "phones": len(human),
        "resamples": given.resamples, "versions": provenance.versions(), "revision": provenance.git_revision(),
        "learners": _measured(told, human, speaker, stats.speaker_draws(len(names), given.resamples)),
    }  # fmt: skip
    folder = given.results / "studies" / "learners" / run_dir.name
    store.write_json(folder / "study.json", facts)
    store.write_bytes(folder / "study.md", page(facts).encode())
    print(page(facts))


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
