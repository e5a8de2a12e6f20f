"""The main job: train, infer and evaluate every named system. Finished stages are skipped, failures isolated.

Torch and the numerics are imported when the first job runs, so that a list of jobs is made and refused at once.
"""

from __future__ import annotations

import importlib.util
import os
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from phonobench import store
from phonobench._version import __version__
from phonobench.systems import cards, recipe
from phonobench.systems.cards import Card
from phonobench.systems.local_models import local_folder
from phonobench.systems.recipe import Recipe
from phonobench.types import Corpus, OnProgress, PhonobenchError, Split

SPLITS: tuple[Split, ...] = ("dev", "test")
"""The splits of a run: choices are made on the first, figures come from the second."""

EMBEDDED = "scratch-mel"
"""The system of the main job where nothing else is at hand: no weights, and trained in minutes."""


@dataclass(frozen=True)
class TrainingJob:
    """One system to be trained by one recipe from one seed; `members` of a system that is made of others."""

    card: Card
    recipe: Recipe
    seed: int
    members: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """For people: system, recipe and seed."""
        return f"{self.card.name} {self.recipe.name} seed {self.seed}"


@dataclass(frozen=True)
class Outcome:
    """How a job ended: with a run's folder, or with a `fault` in one line and its `trace`."""

    job: TrainingJob
    run_dir: Path | None
    seconds: float
    fault: str = ""
    trace: str = ""


def require_torch(*others: str) -> None:
    """Raises PhonobenchError where training and inference, and what needs `others` (modules of the train extra) too,
    cannot run for want of it."""
    missing = [name for name in ("torch", "transformers", *others) if importlib.util.find_spec(name) is None]
    if missing:
        raise PhonobenchError(
            f"training and inference need {' and '.join(missing)}: pip install 'phonobench[train]' "
            "(evaluation and reports of stored runs do without)"
        )


def default_systems(corpus: Corpus) -> tuple[str, ...]:
    """On synthetic speech `EMBEDDED`; on a real corpus those whose weights are on this machine, else `EMBEDDED` too."""
    if corpus.synthetic:
        return (EMBEDDED,)
    return tuple(name for name, card in cards.CARDS.items() if local_folder(card.checkpoint)) or (EMBEDDED,)


def jobs(
    systems: Sequence[str],
    recipes: Sequence[str] = (),
    seeds: Sequence[int] = (0,),
    settings: Mapping[str, str] = {},
    members: Sequence[str] = (),
) -> tuple[TrainingJob, ...]:
    """Every system by every recipe (its own where none is named) from every seed.

    `members` go to the systems that are made of others.

    Raises PhonobenchError for an unknown name or field before anything is begun.
    """
    found = []
    for system in dict.fromkeys(systems):
        card = cards.find(system)
        for name in dict.fromkeys(recipes or (card.recipe,)):
            chosen = recipe.with_settings(recipe.find(name), settings)
            parts = tuple(members) if card.members else ()
            found += [TrainingJob(card, chosen, seed, parts) for seed in dict.fromkeys(seeds)]
    return tuple(found)


def run(
    job: TrainingJob, corpus: Corpus, runs: Path, results: Path, *, limit: int | None = None, report: OnProgress
) -> Path:
    """Train, infer and evaluate one job; returns the run's folder. Stages that are finished are skipped.

    `limit` takes the first utterances of each split only and marks the run as a trial.
    """
    from phonobench import evaluate
    from phonobench.neural import inference
    from phonobench.neural.training import loop

    if os.environ.get("WORLD_SIZE", "1") != "1":
        raise PhonobenchError("bench is one process: under torchrun run `phonobench train` and `infer`, then evaluate")
    run_dir = loop.train(
        job.card, job.recipe, corpus, runs, seed=job.seed, limit=limit, members=job.members, report=report
    )
    inference.infer(run_dir, corpus, SPLITS, report=report)
    if not is_evaluated(run_dir, corpus, results):
        evaluate.evaluate(run_dir, corpus, results, SPLITS, report=report)
    return run_dir


def is_evaluated(run_dir: Path, corpus: Corpus, results_root: Path) -> bool:
    """Whether all results of a run are there, of these posteriors, decoder and corpus, by this version.

    A file of another protocol version, or a damaged one, counts as not there: it is replaced.
    """
    from phonobench import results, tasks
    from phonobench.evaluate import decoder_facts

    decoder = decoder_facts(store.read_run(run_dir))
    for split in SPLITS:
        for task in (*tasks.TASKS, tasks.controls.NAME):
            path = results.path_of(results_root, run_dir.name, split, task)
            try:
                origin = results.read(path).provenance
                keys = {name: store.posteriors_manifest(run_dir, name)["key"] for name in origin.posteriors}
            except PhonobenchError:
                return False
            if (origin.posteriors, origin.corpus.fingerprint, origin.decoder) != (keys, corpus.fingerprint, decoder):
                return False
            if origin.code.version != __version__:
                return False
    return True


def outcomes(
    todo: Sequence[TrainingJob],
    corpus: Corpus,
    runs: Path,
    results: Path,
    *,
    limit: int | None = None,
    report: OnProgress,
) -> Iterator[Outcome]:
    """Run the jobs one after another and yield how each ended. A failed job does not keep the others from running."""
    for job in todo:
        started = time.monotonic()
        try:
            run_dir = run(job, corpus, runs, results, limit=limit, report=report)
        except PhonobenchError as fault:
            yield Outcome(job, None, time.monotonic() - started, str(fault), traceback.format_exc())
        except Exception as fault:  # a bug or a full memory in one system must not lose the night's other systems
            line = f"{type(fault).__name__}: {fault}"
            yield Outcome(job, None, time.monotonic() - started, line, traceback.format_exc())
        else:
            yield Outcome(job, run_dir, time.monotonic() - started)
