"""A result file, `results/<run_id>/<split>.<task>.json`: figures with intervals and where they come from.

The models below are its schema; `results.schema.json` in this package is the same as JSON Schema (draft 2020-12),
made by `python -m phonobench.results`. A file of another protocol version is refused by name.
"""

from __future__ import annotations

import importlib.resources
import json
import math
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_serializer, model_validator

from phonobench import store
from phonobench.stats import Estimate
from phonobench.store import door
from phonobench.store.door import Checked, PlainName
from phonobench.systems.identity import renamed, with_today_names
from phonobench.types import PhonobenchError

PROTOCOL_VERSION = "1"
"""Version of the evaluation protocol. Any change of what is measured makes a new one."""

_AGAIN = "evaluate the run again"

SCHEMA_FILE = "results.schema.json"


RANGES: tuple[tuple[re.Pattern[str], float, float], ...] = (
    (re.compile(r"(^|_)(pearson|spearman|mcc)$"), -1.0, 1.0),
    (re.compile(r"(^|_)(auc|ap|f1|precision|recall|coverage|ece|brier)($|_)"), 0.0, 1.0),
    (re.compile(r"^(per|pfer|insertions|deletions|substitutions)($|_)|_mse$"), 0.0, math.inf),
)
"""Least and greatest values of metrics by their names; a PER passes one where a model inserts much."""
_ROUNDING = 1e-9


class Value(Checked):
    """A figure with its 95 % interval. `reason` says why `value` is null, or why only `low` and `high` are."""

    value: float | None
    low: float | None
    high: float | None
    n: int = Field(ge=0, description="rows (utterances, words or phones) behind the figure")
    speakers: int = Field(ge=0, description="speakers behind the figure; the unit that is resampled")
    reason: str | None = None

    @model_validator(mode="after")
    def _nothing_without_reason(self) -> Value:
        if None in (self.value, self.low, self.high) and not self.reason:
            raise ValueError("a null needs a reason")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low {self.low:g} is above high {self.high:g}")
        return self

    @model_serializer(mode="wrap")
    def _leave_out_no_reason(self, handler: Any) -> dict[str, Any]:
        fields: dict[str, Any] = handler(self)
        if fields.get("reason") is None:
            fields.pop("reason", None)
        return fields

    @classmethod
    def of(cls, estimate: Estimate) -> Value:
        """The value of an estimate: NaN becomes null."""
        numbers = {name: _number(getattr(estimate, name)) for name in ("value", "low", "high")}
        return cls(**numbers, n=estimate.n, speakers=estimate.speakers, reason=estimate.reason)


class CorpusFacts(Checked):
    """The corpus that was evaluated on."""

    name: str
    fingerprint: str
    synthetic: bool


class SplitFacts(Checked):
    """How much of the split was evaluated; `complete` is false for a trial on its first utterances."""

    utterances: int = Field(ge=0)
    speakers: int = Field(ge=0)
    words: int = Field(ge=0)
    phones: int = Field(ge=0)
    complete: bool


class ModelFacts(Checked):
    """The system: card, checkpoint and revision, size of the encoder and of what was trained of it."""

    card: str
    card_key: str
    id: str
    revision: str
    parameters: int = Field(ge=0)
    trained_parameters: int | None = Field(default=None, ge=0)


class TrainingFacts(Checked):
    """What it was trained on here, how, and from which seed.

    Fields of the recipe have today's names, whatever a file from before calls them (`systems.identity`).
    """

    corpus: str
    fingerprint: str
    synthetic: bool
    utterances: int = Field(ge=0)
    speakers: int = Field(ge=0)
    seed: int = Field(ge=0)
    recipe: dict[str, Any]
    best_epoch: int | None = Field(default=None, ge=1)
    chosen_on: Literal["dev", "cross-validation"] = "dev"

    @field_validator("recipe", mode="before")
    @classmethod
    def _today_names(cls, settings: Any) -> Any:
        return renamed(settings) if isinstance(settings, dict) else settings


class CodeFacts(Checked):
    """Package version, and the git revision where the package runs from a checkout (`+`: with changes)."""

    version: str
    revision: str | None = None


class BootstrapFacts(Checked):
    """How the intervals were made: speakers are resampled, the same draws for every system."""

    resamples: int = Field(ge=0)
    seed: int = Field(ge=0)
    unit: Literal["speaker"] = "speaker"
    interval: Literal["percentile 95 %"] = "percentile 95 %"


class DecoderFacts(Checked):
    """How the recognised phones were found in the posteriors: `greedy`, `beam:WIDTH` or `beam:WIDTH:NATS-ON-THE-BLANK`.

    `chosen_on` is null where it was not chosen. Phone scores are of the posteriors, whatever the decoder.
    """

    name: str = "greedy"
    chosen_on: Literal["dev"] | None = None


class Provenance(Checked):
    """Everything a figure depends on. `posteriors` are the keys of the posteriors read, by split."""

    corpus: CorpusFacts
    split: SplitFacts
    model: ModelFacts
    training: TrainingFacts
    code: CodeFacts
    bootstrap: BootstrapFacts
    posteriors: dict[str, str]
    decoder: DecoderFacts = DecoderFacts()


class ThresholdFacts(Checked):
    """A decision threshold: flagged is what scores at or above `value`; null with a reason."""

    value: float | None
    chosen_on: Literal["dev", "cross-validation"] = "dev"
    criterion: Literal["best F1"] = "best F1"
    reason: str | None = None


class Result(Checked):
    """The figures of one run, split and task.

    `breakdowns`: dimension (age, gender, proficiency) -> band -> metric -> value. `confusion` (recognition only):
    canonical phone -> recognised phone -> count, with `<DEL>` and the row `<INS>`. `counts`: numbers that are no
    metrics, such as `unmapped_symbols` and `floored_phone_scores`.
    """

    protocol_version: str
    run_id: PlainName
    split: Literal["train", "dev", "test"]
    task: str = Field(pattern=r"^[a-z][a-z0-9_-]*$", description="as in the name of the file; see `tasks.TASKS`")
    created: str = Field(description="UTC, ISO 8601")
    provenance: Provenance
    metrics: dict[str, Value]
    breakdowns: dict[str, dict[str, dict[str, Value]]] = Field(default={})
    thresholds: dict[str, ThresholdFacts] = Field(default={})
    confusion: dict[str, dict[str, Annotated[int, Field(ge=0)]]] | None = None
    counts: dict[str, Annotated[int, Field(ge=0)]] = Field(default={})
    notes: list[str] = Field(default=[])

    @model_validator(mode="after")
    def _in_range(self) -> Result:
        tables = [self.metrics, *(table for bands in self.breakdowns.values() for table in bands.values())]
        for name, value in ((name, value) for table in tables for name, value in table.items()):
            check_range(name, value)
        return self


def check_range(name: str, value: Value) -> None:
    """See that a figure is one that its metric can have.

    Raises:
        ValueError: It is not.

    Example:
        >>> check_range("per", Value(value=-5.0, low=-6.0, high=-4.0, n=1, speakers=1))
        Traceback (most recent call last):
        ValueError: per: -5 is out of its range, 0 to inf
    """
    for pattern, least, most in RANGES:
        if pattern.search(name):
            for number in (value.value, value.low, value.high):
                if number is not None and not least - _ROUNDING <= number <= most + _ROUNDING:
                    raise ValueError(f"{name}: {number:g} is out of its range, {least:g} to {most:g}")
            return


def path_of(results_root: Path, run_id: str, split: str, task: str) -> Path:
    """Where a result lies."""
    return results_root / run_id / f"{split}.{task}.json"


def write(result: Result, results_root: Path) -> Path:
    """Writes a result atomically. A file that differs only in `created` is left as it is. Returns its path."""
    path = path_of(results_root, result.run_id, result.split, result.task)
    fields = json.loads(result.model_dump_json())
    if path.exists() and _same_figures(path, fields):
        return path
    store.write_json(path, fields)
    return path


def read(path: Path) -> Result:
    """Reads one result.

    Raises:
        PhonobenchError: for another protocol version, a file that breaks the schema, a figure that its metric cannot
            have, and a file that is not of the run, split and task that its place says.
    """
    fields = door.read_json(path, _AGAIN)
    version = fields.get("protocol_version") if isinstance(fields, dict) else None
    if version != PROTOCOL_VERSION:
        raise PhonobenchError(
            f"{path} is of protocol version {version}, this phonobench reads version {PROTOCOL_VERSION}: "
            "run `phonobench evaluate` on the run again"
        )
    try:
        found = Result.model_validate_json(json.dumps(fields))
    except ValidationError as error:
        raise PhonobenchError(f"{path} is no valid result: {door.first_fault(error)}; {_AGAIN}") from error
    if (found.run_id, f"{found.split}.{found.task}.json") != (path.absolute().parent.name, path.name):
        raise PhonobenchError(
            f"{path} is the result of {found.run_id}, {found.split}, {found.task}: a copy, which would stand for that "
            "one; delete it, or put it back where it belongs"
        )
    return found


def read_all(results_root: Path) -> tuple[Result, ...]:
    """Every result under a folder, by run, split and task. Raises PhonobenchError as `read` does."""
    if not results_root.is_dir():
        raise PhonobenchError(f"no results at {results_root}: `phonobench evaluate` makes them")
    return tuple(read(path) for path in sorted(results_root.glob("*/*.*.json")))


def schema() -> dict[str, Any]:
    """The JSON Schema of a result file, from the models."""
    made = Result.model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def published_schema() -> dict[str, Any]:
    """The JSON Schema that ships with the package."""
    published: dict[str, Any] = json.loads(
        (importlib.resources.files("phonobench") / SCHEMA_FILE).read_text(encoding="utf-8")
    )
    return published


def _same_figures(path: Path, fields: dict[str, Any]) -> bool:
    try:
        former = door.read_json(path)
    except PhonobenchError:  # a damaged file is replaced
        return False
    return bool(_comparable(former) == _comparable(fields))


def _comparable(fields: Any) -> Any:
    """The fields of a result without when it was made, and with today's names of its recipe's fields."""
    try:
        origin = fields["provenance"]
        training = with_today_names(origin["training"])
        return {**fields, "created": None, "provenance": {**origin, "training": training}}
    except (TypeError, KeyError, AttributeError):  # no result
        return None


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


if __name__ == "__main__":
    store.write_json(Path(__file__).with_name(SCHEMA_FILE), schema())
