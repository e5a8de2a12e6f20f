"""What `run.json` may hold: the manifest of a training, of a late fusion, or of a fitted scorer.

A training under way has no ending yet (`status` "training"). Files from before lack what came later: a field with
`ABSENT` may be missing, but it is never null.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, create_model, model_validator

from phonobench.store.door import ABSENT, Checked, PlainName, Sha256
from phonobench.systems.identity import renamed
from phonobench.systems.recipe import Recipe
from phonobench.types import PhonobenchError

Count = Annotated[int, Field(ge=0, le=10**15)]
Positive = Annotated[int, Field(ge=1, le=10**15)]
Text = Annotated[str, Field(max_length=20_000)]
Rate = Annotated[float, Field(ge=0, le=10**6)]
"""An error rate: insertions may bring it above one."""
Fold = Annotated[int, Field(ge=0, le=10_000)]
Seconds = Annotated[float, Field(ge=0)]
Step = Annotated[float, Field(gt=0, le=10)]
"""Seconds between two frames."""
DecoderName = Annotated[str, StringConstraints(pattern=r"^(greedy|beam:[1-9][0-9]{0,4})(:[+-]?[0-9]+(\.[0-9]+)?)?$")]


class CorpusPart(Checked):
    """The corpus of a training, and how much of it was trained on."""

    name: Text
    fingerprint: Sha256
    synthetic: bool
    train_utterances: Count
    train_speakers: Count


class ModelPart(Checked):
    """The checkpoint, or those of the members."""

    id: Text
    revision: Text


class DecoderPart(Checked):
    """How the run is decoded, and the PERs on dev by which that was chosen."""

    name: DecoderName
    chosen_on: Literal["dev"] | None
    dev_per_hq: dict[DecoderName, Rate] = ABSENT
    dev_per: dict[DecoderName, Rate] = ABSENT
    chosen_by: Text = ABSENT


class BlankPart(Checked):
    """How readily the blank wins, and the PERs on dev by which that was chosen."""

    bias: float
    dev_per_hq: dict[Text, Rate] = ABSENT
    dev_per: dict[Text, Rate] = ABSENT


class ChoicePart(Checked):
    """By which PER epochs are chosen, over how many utterances, and why not by the usual one."""

    metric: Literal["per_hq", "per"]
    utterances: Count
    reason: Text | None


class Epoch(Checked):
    """One line of the history."""

    epoch: Positive
    loss: float
    seconds: Seconds
    dev_per_hq: Rate = ABSENT
    dev_per: Rate = ABSENT

    @model_validator(mode="after")
    def _has_one(self) -> Epoch:
        if (self.dev_per_hq is None) == (self.dev_per is None):
            raise ValueError("an epoch has dev_per_hq or dev_per")
        return self


class MemberPart(Checked):
    """A member of a system that is made of others: a run with the hash of its weights, or a checkpoint."""

    card: Text
    step: Step
    run: PlainName = ABSENT
    weights: Sha256 = ABSENT
    key: Sha256 = ABSENT
    revision: Text = ABSENT

    @model_validator(mode="after")
    def _is_one(self) -> MemberPart:
        of_run = (self.run, self.weights, self.key)
        if (None in of_run) == (self.revision is None) or (self.revision and any(of_run)):
            raise ValueError("a member is a run with weights and key, or a checkpoint with its revision")
        return self


class FusionPart(Checked):
    """The members of a late fusion and their weights."""

    method: Literal["frames", "likelihoods"]
    members: Annotated[tuple[PlainName, ...], Field(min_length=2, max_length=100)]
    weights: tuple[Annotated[float, Field(ge=0, le=1)], ...]
    seeds: tuple[Count, ...]
    chosen_on: Literal["dev"] | None

    @model_validator(mode="after")
    def _agree(self) -> FusionPart:
        if not len(self.members) == len(self.weights) == len(self.seeds) == len(set(self.members)):
            raise ValueError("members, weights and seeds differ in number, or a member stands there twice")
        if abs(sum(self.weights) - 1) > 1e-6:
            raise ValueError(f"weights sum to {sum(self.weights):g}, not 1")
        return self


class _Run(Checked):
    """What every manifest has."""

    run_id: PlainName
    key: Sha256
    card: Text
    card_key: Sha256
    recipe: dict[str, Any]
    seed: Count
    limit: Positive | None = None
    corpus: CorpusPart
    model: ModelPart
    versions: dict[str, Text]
    parameters: Count
    trained_parameters: Count | None = None
    decoder: DecoderPart = ABSENT


class TrainingRun(_Run):
    """A training, under way or at its end."""

    status: Literal["training", "trained"]
    fold: Fold = 0
    started_from: PlainName | None = None
    members: tuple[MemberPart, ...] = ()
    hop: Step = ABSENT
    precision: Literal["fp32", "bf16", "fp16"] = ABSENT
    history: tuple[Epoch, ...]
    best_epoch: Positive | None
    infeasible_utterances: tuple[Text, ...] = ()
    chosen_by: ChoicePart = ABSENT
    layer_weights: tuple[Annotated[float, Field(ge=0, le=1)], ...] = ABSENT
    blank: BlankPart = ABSENT
    seconds: Seconds = ABSENT
    weights: Literal["int8"] = ABSENT

    @model_validator(mode="after")
    def _agree(self) -> TrainingRun:
        recipe_of(self.recipe)
        if [epoch.epoch for epoch in self.history] != list(range(1, len(self.history) + 1)):
            raise ValueError("history: its epochs are not numbered from 1")
        if self.best_epoch is not None and self.best_epoch > len(self.history):
            raise ValueError(f"best_epoch: {self.best_epoch} of {len(self.history)} epochs")
        if self.status == "trained" and self.best_epoch is None:
            raise ValueError("best_epoch: a run that is trained has one")
        return self


class FusionRun(_Run):
    """A late fusion."""

    status: Literal["fused"]
    fusion: FusionPart


class ScorerRun(_Run):
    """A fitted scorer. Gate and calibration are checked where they are used (`fitting.open`)."""

    status: Literal["fitted"]
    kind: Literal["scorer"]
    runs: Annotated[tuple[PlainName, ...], Field(min_length=1)]
    listeners: Annotated[tuple[PlainName, ...], Field(min_length=1)]
    panel: Annotated[int, Field(ge=1, le=64)]
    layers: tuple[Annotated[int, Field(ge=-200, le=200)], ...]
    level: Annotated[float, Field(ge=-100, le=0)] | None
    seeds: Annotated[tuple[Count, ...], Field(min_length=1)]
    features: Annotated[tuple[Text, ...], Field(min_length=1)]
    gate: dict[str, Any] = ABSENT
    presence: dict[str, Any] = ABSENT
    readers: dict[str, Any] = ABSENT
    calibration: dict[str, Any]
    thresholds: dict[str, float]

    @model_validator(mode="after")
    def _agree(self) -> ScorerRun:
        if len(self.listeners) % self.panel or len(self.runs) % self.panel:
            raise ValueError(f"listeners: {len(self.listeners)} acoustic models do not make panels of {self.panel}")
        return self


def model_of(manifest: Mapping[str, Any]) -> type[_Run]:
    """Which kind of manifest it is meant to be.

    Example:
        >>> model_of({"kind": "scorer"}).__name__, model_of({}).__name__
        ('ScorerRun', 'TrainingRun')
    """
    if manifest.get("kind") == "scorer":
        return ScorerRun
    return FusionRun if "fusion" in manifest else TrainingRun


_HINTS = typing.get_type_hints(Recipe)
_FIELDS: dict[str, Any] = {
    field.name: (_HINTS[field.name], ... if field.default is dataclasses.MISSING else field.default)
    for field in dataclasses.fields(Recipe)
}
RecipePart: Any = create_model("RecipePart", __base__=Checked, **_FIELDS)
"""A recipe's fields with their types; ranges are the recipe's own to check."""


def recipe_of(settings: Mapping[str, Any]) -> Recipe:
    """The recipe that a manifest holds, under today's names or former ones.

    Raises:
        ValueError: A field is missing, unknown, of another type or out of its range.
    """
    try:
        return Recipe(**RecipePart.model_validate(_tuples(renamed(settings))).model_dump())
    except PhonobenchError as fault:
        raise ValueError(str(fault)) from fault


def _tuples(settings: Mapping[str, Any]) -> dict[str, Any]:
    """JSON's lists back to tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()}
