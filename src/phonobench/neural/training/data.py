"""What a training reads, prepared once: audio in memory, targets, human scores, and labels of a flat start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from phonobench.neural.assessment import score_head
from phonobench.neural.assessment.score_head import ScoreTargets
from phonobench.neural.encoders import Encoder
from phonobench.neural.training import batches, flat_start, objective
from phonobench.neural.training.batches import TrainingData
from phonobench.systems.recipe import Recipe
from phonobench.types import Corpus, OnProgress, PhonobenchError, Utterance


@dataclass(frozen=True, eq=False)
class Splits:
    """The utterances that a training learns from, and those that choose its epoch."""

    train: tuple[Utterance, ...]
    dev: tuple[Utterance, ...]


@dataclass(frozen=True, eq=False)
class PreparedData:
    """Train and dev in memory, with what each train utterance is to be recognised as.

    `targets` are phone ids with wildcards, `score_targets` the human scores, and `labels` a phone id for every state
    (S,), empty where the recipe has no flat start.
    """

    train: TrainingData
    dev: TrainingData
    targets: list[tuple[int, ...]]
    score_targets: list[ScoreTargets]
    labels: list[np.ndarray]

    def phones(self, items: Sequence[int]) -> int:
        """Target phones of some train utterances; 1 where there are none, so that it can divide."""
        return sum(len(self.targets[item]) for item in items) or 1


def choose(corpus: Corpus, limit: int | None) -> Splits:
    """The first `limit` utterances (None: all) of train and dev.

    Raises:
        PhonobenchError: one of the two has no phones to read.
    """
    splits = Splits(corpus.split("train")[:limit], corpus.split("dev")[:limit])
    for name, utterances in (("train", splits.train), ("dev", splits.dev)):
        if not any(utterance.prompt.phones for utterance in utterances):
            raise PhonobenchError(
                f"{corpus.name} has no phones to read in {name} ({len(utterances)} utterances): training needs train "
                "speakers, and dev speakers to choose its epoch by"
            )
    return splits


def prepare(splits: Splits, recipe: Recipe, report: OnProgress) -> PreparedData:
    """Read the audio of both splits, and make the targets of train.

    Raises:
        PhonobenchError: a file cannot be read.
    """
    train = batches.read(splits.train, report)
    dev = batches.read(splits.dev, report, "read dev audio")
    return PreparedData(
        train,
        dev,
        targets=objective.targets(splits.train, train.targets, recipe),
        score_targets=score_head.score_targets(splits.train, train.targets),
        labels=flat_start.label_states(train, report) if recipe.flat_start_epochs else [],
    )


def infeasible(data: PreparedData, encoder: Encoder) -> list[str]:
    """Ids of train utterances that are too short for CTC even unperturbed: they teach nothing, and are reported.

    Raises:
        PhonobenchError: an utterance is longer than the encoder reads.
    """
    too_long = [i for i, seconds in enumerate(data.train.seconds) if seconds > encoder.max_seconds]
    if too_long:
        raise PhonobenchError(
            f"{data.train.utterances[too_long[0]].audio}: {data.train.seconds[too_long[0]]:.1f} s is longer than this "
            f"encoder reads ({encoder.max_seconds:.0f} s); leave the utterance out or cut it"
        )
    rows = [encoder.length(len(wave)) * encoder.upsample for wave in data.train.waves]
    return [data.train.utterances[i].id for i in objective.infeasible(rows, data.targets)]
