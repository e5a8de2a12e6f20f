"""What a run answers on a split: the predictions of every utterance, made from its stored posteriors."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phonobench import ctc, fusion, store, tasks
from phonobench.corpora import folded
from phonobench.evidence import CTCEvidence, FusedEvidence
from phonobench.tasks import Prediction
from phonobench.types import Corpus, Evidence, OnProgress, PhonobenchError, Progress, Prompt, Split, Utterance


@dataclass(frozen=True, eq=False)
class SplitPredictions:
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


def predict_split(
    run_dir: Path, corpus: Corpus, split: Split, *, controls: bool = True, report: OnProgress = lambda _: None
) -> SplitPredictions:
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
    predictions = predict_all(jobs, report=report, stage=f"score {split}")
    found: dict[str, dict[str, Prediction]] = {}
    keys: dict[str, str] = {split: key}
    if controls:
        by_id = {u.id: u for u in utterances}
        swapped = tasks.controls.partners(utterances)
        jobs = [(heard_in[swapped[id]], by_id[id].prompt) for id in swapped]
        found[tasks.controls.SWAPPED] = dict(
            zip(swapped, predict_all(jobs, report=report, stage="swapped audio"), strict=True)
        )
        for control in tasks.controls.STORED:
            name = f"{split}-{control}"
            if not has_posteriors(run_dir, name):
                continue
            replaced, keys[name] = evidence(run_dir, corpus, name, None)
            _only_known(run_dir, name, set(replaced) - set(by_id))
            jobs = [(heard, by_id[id].prompt) for id, heard in replaced.items()]
            found[control] = dict(zip(replaced, predict_all(jobs, report=report, stage=control), strict=True))
    complete = len(utterances) == len(corpus.split(split)) and run.get("limit") is None
    return SplitPredictions(run["run_id"], split, utterances, predictions, found, keys, complete)


def predict_all(
    jobs: Sequence[tuple[Evidence, Prompt]], *, report: OnProgress = lambda _: None, stage: str = "score"
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


def has_posteriors(run_dir: Path, split: str) -> bool:
    """Whether posteriors of a split (or control) were begun, in every part of a fusion."""
    found = fusion.parts(run_dir, store.read_run(run_dir))
    return all(store.posteriors_folder(folder, split).exists() for folder, _ in found)


def evidence(run_dir: Path, corpus: Corpus, split: str, ids: Sequence[str] | None) -> tuple[dict[str, Evidence], str]:
    """Evidence by id (all that were heard where `ids` is None) and the key of the posteriors it was made of.

    It decodes as the run's `decoder` says; a fusion by likelihoods climbs from the best path of each member.
    Raises PhonobenchError when they are missing, incomplete, or of another corpus.
    """
    run = store.read_run(run_dir)
    parts = fusion.parts(run_dir, run)
    if len(parts) == 1:
        found, key = _heard(run_dir, corpus, split, ids, decoder(run))
        return dict(found), key
    read = [_heard(folder, corpus, split, ids, ctc.GREEDY) for folder, _ in parts]
    weights = tuple(weight for _, weight in parts)
    together = {id: FusedEvidence(tuple(heard[id] for heard, _ in read), weights) for id in read[0][0]}
    return dict(together), store.fingerprint({"parts": [key for _, key in read], "weights": list(weights)})


def decoder(run: Mapping[str, Any]) -> ctc.Decoder:
    """How a run's posteriors become phones: as `phonobench decode` wrote it into its manifest, else the best path."""
    return ctc.decoder(run["decoder"]["name"]) if "decoder" in run else ctc.GREEDY


def _heard(
    run_dir: Path, corpus: Corpus, split: str, ids: Sequence[str] | None, by: ctc.Decoder
) -> tuple[Mapping[str, CTCEvidence], str]:
    manifest: dict[str, Any] = store.posteriors_manifest(run_dir, split)
    heard_corpus = manifest["inputs"].get("corpus")
    if heard_corpus != corpus.fingerprint:
        raise PhonobenchError(
            f"posteriors of {split} in {run_dir} are of a corpus with fingerprint {str(heard_corpus)[:12]}, not of "
            f"{corpus.name} with {corpus.fingerprint[:12]}: name the corpus with --corpus, or infer again"
        )
    read = store.read_posteriors(run_dir, split, ids)
    return {id: CTCEvidence(logp, read.hop, by) for id, logp in zip(read.ids, read.logp, strict=True)}, manifest["key"]
