"""The leaderboard: the test results under a results folder as tables, in CSV and JSON (`markdown`, `board`: others).

Runs stand in one table only when they were measured on the same corpus, all of it or not; synthetic speech never
stands beside real speech. Everything shown is in the result files or in `report.published`.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from phonobench import results
from phonobench.report import labels, raters, seeds
from phonobench.report.published import CORPUS, SOURCE_METRICS, SOURCE_ROWS, SourceRow
from phonobench.report.raters import RaterTable
from phonobench.results import DecoderFacts, Result, Value
from phonobench.systems import cards
from phonobench.types import PhonobenchError
from phonobench.visible import cell

FACTS = (
    "origin",
    "corpus",
    "synthetic",
    "split",
    "complete",
    "utterances",
    "run_id",
    "system",
    "input",
    "recipe",
    "seed",
    "parameters",
    "protocol_version",
)
"""Columns of the CSV table before the metrics."""


@dataclass(frozen=True)
class Entry:
    """A run on the test split: who it is, and its figures and breakdowns over all tasks.

    A fusion has the titles and inputs of its members, and saw a corpus where any member may have. `name` tells it from
    the other runs of its table. `provenance` is that of its first result file, `created` when its last one was made.
    """

    run_id: str
    name: str
    card: str
    title: str
    input: str
    recipe: str
    seed: int
    parameters: int
    trained_on: str
    saw_test_corpus: str
    created: str
    provenance: Mapping[str, Any]
    notes: tuple[str, ...]
    metrics: Mapping[str, Value]
    breakdowns: Mapping[str, Mapping[str, Mapping[str, Value]]]


@dataclass(frozen=True)
class Table:
    """Runs that may be compared, best PER (HQ) first, and trained scorers apart.

    Args:
        complete: false for trials on a part of the split.
        raters: how human raters agree on the same speech.
        repeats: of runs that differ in their seed alone mean and spread, as text in the order of `seeds.columns()`.
    """

    corpus: str
    fingerprint: str
    synthetic: bool
    split: str
    utterances: int
    speakers: int
    complete: bool
    entries: tuple[Entry, ...]
    scorers: tuple[Entry, ...] = ()
    raters: RaterTable | None = None
    repeats: tuple[tuple[str, ...], ...] = ()

    @property
    def has_source_rows(self) -> bool:
        """Whether the source experiments measured on this corpus and split."""
        real = self.corpus == CORPUS and not self.synthetic
        return real and self.split == "test" and self.complete


@dataclass(frozen=True)
class Leaderboard:
    """All tables: real and complete first, then trials, then synthetic speech."""

    protocol_version: str
    tables: tuple[Table, ...]

    def csv(self) -> str:
        """One line a run (and a source row, marked so): each metric with its low and high; empty where undefined."""
        header = [*FACTS, *(f"{name}{end}" for name in columns() for end in ("", "_low", "_high"))]
        text = io.StringIO()
        writer = csv.DictWriter(text, header, restval="", lineterminator="\n")
        writer.writeheader()
        for table in self.tables:
            writer.writerows(self._csv_row(table, entry) for entry in (*table.entries, *table.scorers))
            if table.has_source_rows:
                writer.writerows(_source_csv_row(row) for row in SOURCE_ROWS)
        return text.getvalue()

    def json(self) -> dict[str, Any]:
        """The same as JSON-able data: tables, entries with every metric and breakdown, and the source rows."""
        return {
            "protocol_version": self.protocol_version,
            "tables": [
                {
                    **{k: v for k, v in vars(table).items() if k not in _APART},
                    "runs": [_json_entry(entry) for entry in (*table.entries, *table.scorers)],
                    "source_experiments": [dict(vars(row)) for row in SOURCE_ROWS] if table.has_source_rows else [],
                }
                for table in self.tables
            ],
        }

    def _csv_row(self, table: Table, entry: Entry) -> dict[str, Any]:
        row: dict[str, Any] = {
            "origin": "measured",
            "corpus": table.corpus,
            "synthetic": str(table.synthetic).lower(),
            "split": table.split,
            "complete": str(table.complete).lower(),
            "utterances": table.utterances,
            "run_id": entry.run_id,
            "system": entry.card,
            "input": entry.input,
            "recipe": entry.recipe,
            "seed": entry.seed,
            "parameters": entry.parameters,
            "protocol_version": self.protocol_version,
        }
        row = {name: cell(value) if isinstance(value, str) else value for name, value in row.items()}
        for name in columns():
            value = entry.metrics.get(name)
            for end, field in (("", "value"), ("_low", "low"), ("_high", "high")):
                number = None if value is None else getattr(value, field)
                row[name + end] = "" if number is None else f"{number:.6g}"
        return row


Place = tuple[bool, bool, str, str, int, int]
"""Which table a run stands in: synthetic, a trial, corpus, its fingerprint, utterances, speakers."""


def columns() -> tuple[str, ...]:
    """Metrics of the CSV table, in order: of the tasks, then of trained scorers; the JSON has all."""
    return (*labels.columns(), *labels.scorer_columns())


def build(results_root: Path, split: str = "test") -> Leaderboard:
    """Reads every result of the split under `results_root`.

    Args:
        results_root: The folder of all results.
        split: dev or test.

    Returns:
        A table for each corpus and set of utterances.

    Raises:
        PhonobenchError: When there are none, when one is of another protocol version, or when the files of one run were
            made from different posteriors.
    """
    by_run: dict[str, list[Result]] = {}
    for result in results.read_all(results_root):
        if result.split == split:
            by_run.setdefault(result.run_id, []).append(result)
    if not by_run:
        raise PhonobenchError(f"no {split} results under {results_root}: `phonobench evaluate` makes them")
    groups: dict[Place, list[list[Result]]] = {}
    for parts in by_run.values():
        facts = _consistent(parts).provenance
        corpus, size = facts.corpus, facts.split
        place = (
            corpus.synthetic,
            not size.complete,
            corpus.name,
            corpus.fingerprint,
            size.utterances,
            size.speakers,
        )
        groups.setdefault(place, []).append(parts)
    measured = raters.read(results_root)
    tables = tuple(_table(split, place, groups[place], measured) for place in sorted(groups))
    return Leaderboard(results.PROTOCOL_VERSION, tables)


def _consistent(parts: Sequence[Result]) -> Result:
    """The first result of a run; PhonobenchError when another one was made from other posteriors."""
    first = parts[0]
    for other in parts[1:]:
        keys = [part.provenance.posteriors[part.split] for part in (first, other)]
        if keys[0] != keys[1] or first.provenance.corpus != other.provenance.corpus:
            raise PhonobenchError(
                f"results of {first.run_id} are mixed: {first.task} is of posteriors {keys[0][:12]} and "
                f"{other.task} of {keys[1][:12]}; `phonobench evaluate {first.run_id}` makes them agree"
            )
    return first


def _table(split: str, place: Place, runs: Sequence[Sequence[Result]], measured: RaterTable | None) -> Table:
    synthetic, partial, corpus, fingerprint, utterances, speakers = place
    entries = _named(sorted((_entry(parts) for parts in runs), key=_rank))
    scorers = tuple(entry for entry in entries if _SCORED in entry.metrics)
    entries = tuple(entry for entry in entries if _SCORED not in entry.metrics)
    if partial or measured is None or (measured.fingerprint, measured.split) != (fingerprint, split):
        measured = None
    repeats = tuple(seeds.rows(seeds.alike(runs)))
    size = (utterances, speakers, not partial)
    return Table(corpus, fingerprint, synthetic, split, *size, entries, scorers, measured, repeats)


_APART = ("entries", "scorers", "raters", "repeats")
"""What of a table has another form in JSON, or none: spreads follow from the runs."""
_SCORED = "phone_model_pearson"


def _rank(entry: Entry) -> tuple[float, str]:
    per = entry.metrics.get("per_hq")
    return (float("inf") if per is None or per.value is None else per.value, entry.run_id)


def _named(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """The entries; where two would have the same name, each with the end of its run's id."""
    count = Counter(entry.name for entry in entries)
    return tuple(
        replace(entry, name=f"{entry.name} ({entry.run_id.rsplit('.', 1)[-1]})") if count[entry.name] > 1 else entry
        for entry in entries
    )


def _entry(parts: Sequence[Result]) -> Entry:
    model, training = parts[0].provenance.model, parts[0].provenance.training
    title, takes, saw = _system(model.card)
    recipe = str(training.recipe.get("name", ""))
    if training.recipe.get("chosen_on") == "dev":
        recipe += ", chosen on dev"
    if parts[0].run_id.endswith(".package"):
        recipe += ", package"
    if parts[0].provenance.decoder != DecoderFacts():
        recipe += f", {parts[0].provenance.decoder.name}"
    metrics = {name: value for part in parts for name, value in part.metrics.items()}
    breakdowns: dict[str, dict[str, dict[str, Value]]] = {}
    for part in parts:
        for dimension, bands in part.breakdowns.items():
            for band, values in bands.items():
                breakdowns.setdefault(dimension, {}).setdefault(band, {}).update(values)
    return Entry(
        run_id=parts[0].run_id,
        card=model.card,
        name=f"{title}, {recipe}, seed {training.seed}",
        title=title,
        input=takes,
        recipe=recipe,
        seed=training.seed,
        parameters=model.parameters,
        trained_on=f"{training.corpus}, {training.utterances} utterances of {training.speakers} speakers",
        saw_test_corpus=saw,
        created=max(part.created for part in parts),
        provenance=parts[0].provenance.model_dump(),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
        metrics=metrics,
        breakdowns=breakdowns,
    )


def _system(name: str) -> tuple[str, str, str]:
    """Title, input and whether it saw the corpus, of a system or a fusion `one+other`; its name where unknown."""
    members = [cards.SYSTEMS.get(part) for part in name.split("+")]
    known = [card for card in members if card is not None]
    if len(known) < len(members):
        return name, "", "unknown"
    saw = "unknown" if any(card.saw_corpus != "no" for card in known) else "no"
    return " + ".join(card.title for card in known), "+".join(dict.fromkeys(card.input for card in known)), saw


def _source_csv_row(row: SourceRow) -> dict[str, Any]:
    figures = {name: "" if getattr(row, name) is None else f"{getattr(row, name):.6g}" for name in SOURCE_METRICS}
    known = {"origin": "source experiments", "corpus": CORPUS, "synthetic": "false"}
    known |= {"split": "test", "complete": "true"}
    return {**known, "system": row.system, "input": row.input, **figures}


def _json_entry(entry: Entry) -> dict[str, Any]:
    plain = {k: v for k, v in vars(entry).items() if k not in ("metrics", "breakdowns")}
    return {
        **plain,
        "metrics": {name: value.model_dump() for name, value in entry.metrics.items()},
        "breakdowns": {
            dimension: {
                band: {name: value.model_dump() for name, value in values.items()} for band, values in bands.items()
            }
            for dimension, bands in entry.breakdowns.items()
        },
    }
