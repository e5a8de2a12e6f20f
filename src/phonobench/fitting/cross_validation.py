"""Cross-validation of a scorer: the output for each utterance by a scorer that was fitted without its speaker."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from phonobench import store
from phonobench.assessment.model.examples import FitConfig
from phonobench.assessment.model.features import NAMES
from phonobench.assessment.model.output import ModelOutput, combine
from phonobench.assessment.model.tables import tabulate
from phonobench.assessment.types import SENTENCE_SCORES, WORD_SCORES
from phonobench.corpora import FOLDS
from phonobench.fitting import boosting
from phonobench.fitting.dataset import FittingData
from phonobench.store import door
from phonobench.store.array_checks import Wanted, check_arrays, check_unique
from phonobench.types import Corpus, OnProgress, PhonobenchError, Utterance

CROSS_VALIDATED = "cross-validated.safetensors"
"""File of a fitted run that keeps the outputs."""
WANTED = {
    "phone": Wanted("f", ("phones",)),
    "error": Wanted("f", ("phones",), low=0, high=1),
    "word": Wanted("f", ("words", len(WORD_SCORES))),
    "sentence": Wanted("f", ("utterances", len(SENTENCE_SCORES))),
}
"""Its arrays."""


class CrossValidatedFacts(door.Checked):
    """Its facts."""

    ids: tuple[str, ...]


def cross_validate(
    data: FittingData, config: FitConfig, seeds: Sequence[int], report: OnProgress = lambda _: None
) -> list[ModelOutput]:
    """The output for each utterance by a scorer that was fitted without a fifth of the speakers, its own among them.

    Raises:
        PhonobenchError: For fewer speakers than fifths.
    """
    learners = network_outputs(data, config, seeds, report), forest_outputs(data, config, report)
    read = read_probabilities(data, config)
    return [combine(pair, probability) for *pair, probability in zip(*learners, read, strict=True)]


def network_outputs(
    data: FittingData, config: FitConfig, seeds: Sequence[int], report: OnProgress = lambda _: None
) -> list[ModelOutput]:
    """The outputs of the networks alone in a cross-validation."""
    from phonobench.neural.assessment import training

    parts = _fifths(data)
    networks = training.fit_all([[data.examples[i] for i in kept] for kept, _ in parts], config, seeds, report)
    outputs = [
        training.predict(network, [data.examples[i] for i in held_out])
        for network, (_, held_out) in zip(networks, parts, strict=True)
    ]
    return _in_order([held_out for _, held_out in parts], outputs)


def forest_outputs(data: FittingData, config: FitConfig, report: OnProgress = lambda _: None) -> list[ModelOutput]:
    """The outputs of the trees alone in a cross-validation."""
    parts, outputs = _fifths(data), []
    for kept, held_out in parts:
        forest = boosting.fit_forest([data.examples[i] for i in kept], NAMES, config, report)
        tables = (tabulate(boosting.description_of(data.examples[i]), NAMES) for i in held_out)
        outputs.append([forest.predict(one) for one in tables])
    return _in_order([held_out for _, held_out in parts], outputs)


def read_probabilities(data: FittingData, config: FitConfig) -> list[float]:
    """By utterance the probability that it was read, from the gates of a cross-validation."""
    parts, found = _fifths(data), []
    for kept, held_out in parts:
        speakers = {data.utterances[i].speaker for i in held_out}
        negatives = [one for one, u in data.negatives if u.speaker not in speakers]
        gate = boosting.fit_gate([data.examples[i] for i in kept], negatives, NAMES, config)
        found.append([gate.probability(boosting.description_of(data.examples[i]), NAMES) for i in held_out])
    return _in_order([held_out for _, held_out in parts], found)


def write_outputs(run_dir: Path, utterances: Sequence[Utterance], outputs: Sequence[ModelOutput]) -> None:
    """Keep the outputs in the folder of a run."""
    arrays = {
        "phone": np.concatenate([output[0] for output in outputs]),
        "error": np.concatenate([output[1] for output in outputs]),
        "word": np.concatenate([output[2] for output in outputs]),
        "sentence": np.stack([output[3] for output in outputs]),
    }
    store.write_arrays(run_dir / CROSS_VALIDATED, arrays, {"ids": [u.id for u in utterances]})


def read_outputs(run_dir: Path, corpus: Corpus) -> tuple[list[Utterance], list[ModelOutput]]:
    """What `write_outputs` kept: the utterances and the output for each.

    Args:
        run_dir: A fitted run.
        corpus: The one that it was fitted to.

    Raises:
        PhonobenchError: The file is missing or damaged, or of another corpus.
    """
    path, again = run_dir / CROSS_VALIDATED, "fit the run again"
    arrays, facts = store.read_arrays(path, again)
    ids = door.checked_value(path, facts, CrossValidatedFacts, again).ids
    check_unique(path, ids, "utterance", again)
    by_id = {u.id: u for u in corpus.utterances}
    if strange := sorted(set(ids) - set(by_id)):
        raise PhonobenchError(f"{path}: {corpus.name} has no utterance {door.shown(strange[0])}: {again}")
    utterances = [by_id[id] for id in ids]
    sizes = {
        "phones": sum(len(u.prompt.phones) for u in utterances),
        "words": sum(len(u.prompt.words) for u in utterances),
        "utterances": len(utterances),
    }
    check_arrays(path, arrays, WANTED, sizes, again)
    phones = np.cumsum([len(u.prompt.phones) for u in utterances])[:-1]
    words = np.cumsum([len(u.prompt.words) for u in utterances])[:-1]
    phone, error = (np.split(arrays[name], phones) for name in ("phone", "error"))
    return utterances, list(zip(phone, error, np.split(arrays["word"], words), arrays["sentence"], strict=True))


def _fifths(data: FittingData) -> list[tuple[list[int], list[int]]]:
    """For each fifth of the speakers the indices of the others' utterances, and of their own."""
    speakers = sorted({u.speaker for u in data.utterances})
    if len(speakers) < FOLDS:
        raise PhonobenchError(f"{len(speakers)} speakers are too few to cross-validate a scorer: {FOLDS} at least")
    fifth = {name: place % FOLDS for place, name in enumerate(speakers)}
    of = [fifth[u.speaker] for u in data.utterances]
    return [
        ([i for i, k in enumerate(of) if k != fold], [i for i, k in enumerate(of) if k == fold])
        for fold in range(FOLDS)
    ]


T = TypeVar("T")


def _in_order(indices: Sequence[Sequence[int]], found: Sequence[Sequence[T]]) -> list[T]:
    """What was found for utterances in groups, in the order of the utterances."""
    by_index = {i: one for part, group in zip(indices, found, strict=True) for i, one in zip(part, group, strict=True)}
    return [by_index[i] for i in range(len(by_index))]
