"""What `package.json` of an exported scorer may hold, and what must agree in it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from phonobench import store
from phonobench.assessment.model.features import NAMES
from phonobench.assessment.model.gate import GATE_FEATURES
from phonobench.assessment.model.presence import CLASSES, PRESENCE_FEATURES
from phonobench.assessment.model.readers import LEVELS
from phonobench.assessment.types import SENTENCE_SCORES, WORD_SCORES
from phonobench.phones import PHONES
from phonobench.store.door import Checked, PlainName, Sha256, shown

SCORES = ("phone", *(f"word.{name}" for name in WORD_SCORES), *(f"sentence.{name}" for name in SENTENCE_SCORES))
"""Every score that has intervals."""

Share = Annotated[float, Field(ge=0, le=1)]
Text = Annotated[str, Field(max_length=2_000)]
Numbers = tuple[float, ...]


def _of_all_scores(readers: dict[str, tuple[float, ...]]) -> dict[str, tuple[float, ...]]:
    """Readers as they are. Raises ValueError unless they have every sentence score, at every level, ascending."""
    if set(readers) != set(SENTENCE_SCORES):
        raise ValueError(f"readers: {', '.join(SENTENCE_SCORES)} are wanted")
    for name, values in readers.items():
        if len(values) != len(LEVELS) or list(values) != sorted(values):
            raise ValueError(f"readers of {name}: {len(LEVELS)} ascending numbers are wanted")
    return readers


ReadersFacts = Annotated[dict[str, tuple[Annotated[float, Field(ge=0, le=10)], ...]], AfterValidator(_of_all_scores)]
"""Of `assessment.model.readers`."""


class Card(Checked):
    """What a user should know of the scorer."""

    name: Text
    version: Text
    run: Text
    for_: Text = Field(alias="for")
    derived_from: Text
    licence: Text
    fitted_to: Text
    fitted_speakers: Annotated[int, Field(ge=1, le=100_000_000)]


class Gate(Checked):
    """The logistic regression of `assessment.model.gate`."""

    mean: Numbers
    scale: tuple[Annotated[float, Field(gt=0)], ...]
    weights: Numbers
    offset: float


class PresenceFacts(Checked):
    """The regression of `assessment.model.presence`."""

    mean: Numbers
    scale: tuple[Annotated[float, Field(gt=0)], ...]
    weights: tuple[Numbers, ...]
    offset: Numbers
    confusions: tuple[tuple[Annotated[float, Field(gt=0, le=1)], ...], ...]
    threshold: Annotated[float, Field(gt=0, lt=1)]

    @model_validator(mode="after")
    def _agree(self) -> PresenceFacts:
        features, symbols = len(PRESENCE_FEATURES), len(PHONES) + 1
        if {len(self.mean), len(self.scale), *(len(row) for row in self.weights)} != {features}:
            raise ValueError(f"presence: {features} numbers each are wanted")
        if not len(self.weights) == len(self.offset) == len(CLASSES):
            raise ValueError(f"presence: {len(CLASSES)} classes are wanted")
        if {len(self.confusions), *(len(row) for row in self.confusions)} != {symbols}:
            raise ValueError(f"presence: confusions of {symbols} symbols are wanted")
        return self


class Calibration(Checked):
    """Intervals by score (edges, lower and upper distances), Platt's slope and offset, thresholds by false alarms."""

    intervals: dict[str, tuple[Numbers, Numbers, Numbers]]
    slope: float
    offset: float
    thresholds: Annotated[dict[Annotated[str, Field(pattern=r"^0\.[0-9]{1,6}$")], Share], Field(min_length=1)]

    @model_validator(mode="after")
    def _agree(self) -> Calibration:
        if set(self.intervals) != set(SCORES):
            raise ValueError(f"intervals are wanted for {', '.join(SCORES)}")
        for name, (edges, low, high) in self.intervals.items():
            if not len(edges) + 1 == len(low) == len(high) or list(edges) != sorted(edges):
                raise ValueError(f"intervals of {name}: {len(low)} and {len(high)} ends do not fit {len(edges)} edges")
            if any(below > above for below, above in zip(low, high, strict=True)):
                raise ValueError(f"intervals of {name}: a lower end above its upper end")
        return self


def check_gate(gate: Gate, panel: int, features: tuple[str, ...]) -> None:
    """See that a gate fits the models and features that it reads.

    Raises:
        ValueError: It does not.
    """
    sizes = {len(gate.mean), len(gate.scale), len(gate.weights)}
    if sizes != {panel * len(GATE_FEATURES)} or not set(GATE_FEATURES) <= set(features):
        raise ValueError(f"gate: {panel * len(GATE_FEATURES)} numbers each are wanted, of known features")


def check_features(features: tuple[str, ...]) -> None:
    """See that features are known and stand there once.

    Raises:
        ValueError: They are not.
    """
    unknown = [name for name in features if name not in NAMES]
    if unknown:
        raise ValueError(f"features: {shown(unknown[0])} is of another version of phonobench")
    if len(set(features)) != len(features):
        raise ValueError("features: one stands there twice")


def check_presence(features: tuple[str, ...]) -> None:
    """See that there are the features that the regression on absent words reads.

    Raises:
        ValueError: One is missing.
    """
    if not {f"rival_{name}" for name in ("none", *PHONES)} <= set(features):
        raise ValueError("presence: the features lack rivals that it reads")


class ScorerParts(Checked):
    """The parts of a scorer that `run.json` of a fitted run holds."""

    features: Annotated[tuple[str, ...], Field(min_length=1)]
    panel: Annotated[int, Field(ge=1, le=64)]
    gate: Gate
    presence: PresenceFacts | None = None
    readers: ReadersFacts | None = None
    calibration: Calibration
    thresholds: dict[str, float]

    @model_validator(mode="after")
    def _agree(self) -> ScorerParts:
        check_features(self.features)
        check_gate(self.gate, self.panel, self.features)
        if self.presence is not None:
            check_presence(self.features)
        return self


class PackageFacts(Checked):
    """The whole file. `sha256`, where there is one, is that of all other facts."""

    format: Literal[1, 2]
    card: Card
    features: Annotated[tuple[str, ...], Field(min_length=1)]
    bands: Annotated[int, Field(ge=1, le=512)]
    hop: Annotated[float, Field(gt=0, le=1)]
    panel: Annotated[int, Field(ge=1, le=64)]
    level: Annotated[float, Field(ge=-100, le=0)] | None
    reads_states: bool
    gate: Gate | None = None
    presence: PresenceFacts | None = None
    readers: ReadersFacts | None = None
    calibration: Calibration
    thresholds: dict[str, float]
    run: dict[str, Any]
    files: Annotated[dict[PlainName, Sha256], Field(min_length=1)]
    sha256: Sha256 | None = None

    @model_validator(mode="after")
    def _agree(self) -> PackageFacts:
        check_features(self.features)
        acoustic = [name for name in self.files if name.startswith("acoustic")]
        numbered = {f"acoustic-{k}.onnx" for k in range(len(acoustic))}
        if not acoustic or set(acoustic) != numbered or len(acoustic) % self.panel:
            raise ValueError(f"files: {len(acoustic)} acoustic models do not make panels of {self.panel}")
        expected = numbered | {name.replace("acoustic", "judge") for name in numbered}
        expected |= {"scorer.onnx"} if self.format == 1 else {"scorer.onnx", "trees.safetensors"}
        needed = expected - {name for name in expected if name.startswith("judge")}
        if not needed <= set(self.files) <= expected:
            odd = sorted(needed - set(self.files)) or sorted(set(self.files) - expected)
            raise ValueError(f"files: {odd[0]} is missing or does not belong to a scorer")
        judged = any(name.startswith("judged") for name in self.features)
        if judged and not all(name.replace("acoustic", "judge") in self.files for name in acoustic):
            raise ValueError("files: the features need a score head (judge-K.onnx) of every acoustic model")
        if (self.gate is None) != (self.format == 1):
            raise ValueError("gate: format 2 has one, format 1 has none")
        if self.gate is not None:
            check_gate(self.gate, self.panel, self.features)
        if self.presence is not None:
            check_presence(self.features)
        return self


def seal(facts: dict[str, Any]) -> str:
    """The hash that `sha256` of these facts must be: of all facts but itself."""
    return store.fingerprint({name: value for name, value in facts.items() if name != "sha256"})
