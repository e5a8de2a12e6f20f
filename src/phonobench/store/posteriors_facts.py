"""What the JSON files beside posteriors may hold: `begun.json`, `manifest.json`, `speed.json`, and a shard's facts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, RootModel, StringConstraints, model_validator

from phonobench.store.door import Checked, Sha256

Id = Annotated[str, Field(min_length=1, max_length=1_000)]
ShardName = Annotated[str, StringConstraints(pattern=r"^part-[0-9a-f]{16}\.safetensors$")]


def _of_a_corpus(inputs: dict[str, str]) -> dict[str, str]:
    if "corpus" not in inputs:
        raise ValueError("the fingerprint of the corpus is missing")
    return inputs


Inputs = Annotated[dict[str, Annotated[str, Field(max_length=10_000)]], AfterValidator(_of_a_corpus)]
"""What made the posteriors: hashes and names."""
Ids = Annotated[tuple[Id, ...], Field(max_length=10_000_000)]


def _refuse_twice(ids: tuple[str, ...]) -> None:
    if len(set(ids)) < len(ids):
        raise ValueError("ids: one stands there twice")


class ShardEntry(Checked):
    """A shard in the manifest."""

    file: ShardName
    sha256: Sha256


class PosteriorsFacts(Checked):
    """`manifest.json`: finished posteriors."""

    format: Literal[1]
    key: Sha256
    inputs: Inputs
    hop: Annotated[float, Field(gt=0, le=10)]
    ids: Ids
    shards: tuple[ShardEntry, ...]

    @model_validator(mode="after")
    def _agree(self) -> PosteriorsFacts:
        _refuse_twice(self.ids)
        _refuse_twice(tuple(shard.file for shard in self.shards))
        return self


class BegunFacts(Checked):
    """`begun.json`: posteriors that are being made."""

    key: Sha256
    inputs: Inputs
    ids: Ids


class ShardFacts(Checked):
    """The facts inside a shard."""

    key: Sha256
    ids: Annotated[Ids, Field(min_length=1)]

    @model_validator(mode="after")
    def _agree(self) -> ShardFacts:
        _refuse_twice(self.ids)
        return self


class SpeedPart(Checked):
    """How fast one part of the posteriors was made."""

    audio_seconds: Annotated[float, Field(ge=0)]
    seconds: Annotated[float, Field(ge=0)]
    device: Annotated[str, Field(max_length=1_000)]
    threads: Annotated[int, Field(ge=0, le=10**6)]
    processors: Annotated[int, Field(ge=1, le=10**6)] | None = None
    load: Annotated[float, Field(ge=0)] | None = None


class SpeedFacts(RootModel[tuple[SpeedPart, ...]]):
    """`speed.json`: the parts."""

    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False)
