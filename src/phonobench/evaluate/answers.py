"""What a run answers on a split: the predictions of every utterance, made from its stored posteriors."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from phonobench import store, tasks
from phonobench.corpora import folded
from phonobench.evaluate.hearing import evidence, has_heard
from phonobench.tasks import Prediction
from phonobench.types import Corpus, Evidence, PhonobenchError, Progress, Prompt, Split, Utterance

Report = Callable[[Progress], None]


@dataclass(frozen=True, eq=False)
class Answers:
    """Predictions of one run on one split, in the order of `utterances`.

    `controls`: by control, then by the id of the utterance whose audio was replaced. `keys`: of the posteriors read.
    `complete` is false when the run is a trial on the first utterances only.
    """

    run_id: str
    split: Split
    utterances: tuple[Utterance, ...]
    predictions: tuple[Prediction, ...]
    controls: dict[str, dict[str, Prediction]]
    keys: dict[str, str]
    complete: bool


def answers(
    run_dir: Path, corpus: Corpus, split: Split, *, controls: bool = True, report: Report = lambda _: None
) -> Answers:
    """Reads the posteriors of a split (and of its controls, where stored) and predicts every utterance.

    Raises PhonobenchError when inference is missing, incomplete, or of another corpus.
    """
    run = store.read_run(run_dir)
    corpus = corpus if split == "test" else folded(corpus, run.get("fold", 0))
    utterances = corpus.split(split)[: run.get("limit")]
    if not utterances:
        raise PhonobenchError(f"corpus {corpus.name} has no {split} utterances")
    heard_in, key = evidence(run_dir, corpus, split, [u.id for u in utterances])
    jobs = [(heard_in[u.id], u.prompt) for u in utterances]
    predictions = answer(jobs, report=report, stage=f"score {split}")
    found: dict[str, dict[str, Prediction]] = {}
    keys: dict[str, str] = {split: key}
    if controls:
        by_id = {u.id: u for u in utterances}
        swapped = tasks.controls.partners(utterances)
        jobs = [(heard_in[swapped[id]], by_id[id].prompt) for id in swapped]
        found["swapped"] = dict(zip(swapped, answer(jobs, report=report, stage="swapped audio"), strict=True))
        for control in tasks.controls.STORED:
            name = f"{split}-{control}"
            if not has_heard(run_dir, name):
                continue
            replaced, keys[name] = evidence(run_dir, corpus, name, None)
            _only_known(run_dir, name, set(replaced) - set(by_id))
            jobs = [(heard, by_id[id].prompt) for id, heard in replaced.items()]
            found[control] = dict(zip(replaced, answer(jobs, report=report, stage=control), strict=True))
    complete = len(utterances) == len(corpus.split(split)) and run.get("limit") is None
    return Answers(run["run_id"], split, utterances, predictions, found, keys, complete)


def answer(
    jobs: Sequence[tuple[Evidence, Prompt]], *, report: Report = lambda _: None, stage: str = "score"
) -> tuple[Prediction, ...]:
    """Predictions for pairs of evidence and prompt, in order, on all processors (the numerics release the lock)."""
    predictions: list[Prediction] = []
    with ThreadPoolExecutor(max_workers=workers()) as pool:
        for prediction in pool.map(lambda job: tasks.predict(*job), jobs):
            predictions.append(prediction)
            if len(predictions) % 50 == 0 or len(predictions) == len(jobs):
                report(Progress(stage, len(predictions), len(jobs)))
    return tuple(predictions)


def workers() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _only_known(run_dir: Path, name: str, strangers: set[str]) -> None:
    if strangers:
        raise PhonobenchError(
            f"posteriors of {name} in {run_dir} replace {sorted(strangers)[0]}, which is not in the split: infer again"
        )
