"""The predictions of a run on a split, made of its stored posteriors."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from phonobench import ctc, fusion, store, tasks
from phonobench.corpora import folded
from phonobench.evidence import CTCEvidence, FusedEvidence
from phonobench.tasks import Prediction, Task
from phonobench.types import Corpus, Evidence, OnProgress, PhonobenchError, Progress, Prompt, Split, Utterance


@dataclass(frozen=True, eq=False)
class SplitPredictions:
    """Predictions of one run on one split, in the order of `utterances`.

    Args:
        controls: by control, then by the id of the utterance whose audio was replaced.
        keys: of the posteriors that were read, by split and control.
        complete: false when the run is a trial on the first utterances only.
        by_task: predictions of the tasks that predict in a way of their own.
    """

    run_id: str
    split: Split
    utterances: tuple[Utterance, ...]
    predictions: tuple[Prediction, ...]
    controls: dict[str, dict[str, Prediction]]
    keys: dict[str, str]
    complete: bool
    by_task: Mapping[str, tuple[Prediction, ...]] = field(default_factory=dict)

    def of(self, task: Task) -> tuple[Prediction, ...]:
        """The predictions that a task is measured on."""
        return self.by_task.get(task.name, self.predictions)


def predict_split(
    run_dir: Path, corpus: Corpus, split: Split, *, controls: bool = True, report: OnProgress = lambda _: None
) -> SplitPredictions:
    """Reads the posteriors of a split (and of its controls, where stored) and predicts every utterance.

    Raises:
        PhonobenchError: when inference is missing, incomplete, or of another corpus.
    """
    run = store.read_run(run_dir)
    corpus = corpus if split == "test" else folded(corpus, run.get("fold", 0))
    utterances = corpus.split(split)[: run.get("limit")]
    if not utterances:
        raise PhonobenchError(f"corpus {corpus.name} has no {split} utterances")
    by_id, key = evidence(run_dir, corpus, split, [u.id for u in utterances])
    jobs = [(by_id[u.id], u.prompt) for u in utterances]
    replaced, keys = _controls(run_dir, corpus, split, utterances, by_id, report) if controls else ({}, {})
    return SplitPredictions(
        run_id=run["run_id"],
        split=split,
        utterances=utterances,
        predictions=predict_all(jobs, report=report, stage=f"score {split}"),
        controls=replaced,
        keys={split: key, **keys},
        complete=len(utterances) == len(corpus.split(split)) and run.get("limit") is None,
        by_task={
            task.name: predict_all(jobs, task.predict, report=report, stage=f"{task.name} {split}")
            for task in tasks.TASKS.values()
            if task.predict is not tasks.predict
        },
    )


def _controls(
    run_dir: Path,
    corpus: Corpus,
    split: Split,
    utterances: Sequence[Utterance],
    by_id: Mapping[str, Evidence],
    report: OnProgress,
) -> tuple[dict[str, dict[str, Prediction]], dict[str, str]]:
    """Predictions by control and utterance, and the keys of the posteriors of the stored controls."""
    prompts = {u.id: u.prompt for u in utterances}
    partners = tasks.controls.partners(utterances)
    jobs = [(by_id[partner], prompts[id]) for id, partner in partners.items()]
    swapped = predict_all(jobs, report=report, stage="swapped audio")
    found, keys = {tasks.controls.SWAPPED: dict(zip(partners, swapped, strict=True))}, {}
    for control in tasks.controls.STORED:
        name = f"{split}-{control}"
        if not has_posteriors(run_dir, name):
            continue
        replaced, keys[name] = evidence(run_dir, corpus, name, None)
        if unknown := sorted(set(replaced) - set(prompts)):
            raise PhonobenchError(
                f"posteriors of {name} in {run_dir} replace {unknown[0]}, which is not in the split: infer again"
            )
        jobs = [(one, prompts[id]) for id, one in replaced.items()]
        found[control] = dict(zip(replaced, predict_all(jobs, report=report, stage=control), strict=True))
    return found, keys


def predict_all(
    jobs: Sequence[tuple[Evidence, Prompt]],
    predict: Callable[[Evidence, Prompt], Prediction] = tasks.predict,
    *,
    report: OnProgress = lambda _: None,
    stage: str = "score",
) -> tuple[Prediction, ...]:
    """Predictions for pairs of evidence and prompt, on all processors (the numerics release the lock).

    Args:
        jobs: The pairs.
        predict: What is computed of each pair.
        report: Called with the progress.
        stage: Its name in the progress.

    Returns:
        The predictions, in order.
    """
    predictions: list[Prediction] = []
    with ThreadPoolExecutor(max_workers=workers()) as pool:
        for prediction in pool.map(lambda job: predict(*job), jobs):
            predictions.append(prediction)
            if len(predictions) % 50 == 0 or len(predictions) == len(jobs):
                report(Progress(stage, len(predictions), len(jobs)))
    return tuple(predictions)


def workers() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def has_posteriors(run_dir: Path, split: str) -> bool:
    """Whether posteriors of a split (or control) were begun, in every part of a fusion."""
    found = fusion.parts(run_dir, store.read_run(run_dir))
    return all(store.posteriors_folder(folder, split).exists() for folder, _ in found)


def evidence(run_dir: Path, corpus: Corpus, split: str, ids: Sequence[str] | None) -> tuple[dict[str, Evidence], str]:
    """Evidence by utterance id, and the key of the posteriors it was made of.

    It decodes as the run's `decoder` says; a fusion by likelihoods climbs from the best path of each member.

    Args:
        run_dir: folder of the run.
        corpus: that the posteriors are of.
        split: a split, or `<split>-<control>`.
        ids: of the utterances; all that are stored where None.

    Raises:
        PhonobenchError: when the posteriors are missing, incomplete, or of another corpus.
    """
    run = store.read_run(run_dir)
    parts = fusion.parts(run_dir, run)
    if len(parts) == 1:
        found, key = _read(run_dir, corpus, split, ids, decoder(run))
        return dict(found), key
    read = [_read(folder, corpus, split, ids, ctc.GREEDY) for folder, _ in parts]
    weights = tuple(weight for _, weight in parts)
    together = {id: FusedEvidence(tuple(found[id] for found, _ in read), weights) for id in read[0][0]}
    return dict(together), store.fingerprint({"parts": [key for _, key in read], "weights": list(weights)})


def decoder(run: Mapping[str, Any]) -> ctc.Decoder:
    """How a run's posteriors become phones: as `phonobench decode` wrote it into its manifest, else the best path.

    Example:
        >>> decoder({"decoder": {"name": "beam:8"}}).width
        8
    """
    return ctc.decoder(run["decoder"]["name"]) if "decoder" in run else ctc.GREEDY


def _read(
    run_dir: Path, corpus: Corpus, split: str, ids: Sequence[str] | None, by: ctc.Decoder
) -> tuple[Mapping[str, CTCEvidence], str]:
    manifest: dict[str, Any] = store.posteriors_manifest(run_dir, split)
    of_corpus = manifest["inputs"].get("corpus")
    if of_corpus != corpus.fingerprint:
        raise PhonobenchError(
            f"posteriors of {split} in {run_dir} are of a corpus with fingerprint {str(of_corpus)[:12]}, not of "
            f"{corpus.name} with {corpus.fingerprint[:12]}: name the corpus with --corpus, or infer again"
        )
    read = store.read_posteriors(run_dir, split, ids)
    return {id: CTCEvidence(logp, read.hop, by) for id, logp in zip(read.ids, read.logp, strict=True)}, manifest["key"]
