"""A leaderboard as Markdown: figures with intervals, negative controls, breakdowns, and others' figures, named so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from phonobench.report.source_rows import PUBLISHED_SCORERS, SOURCE_ROWS, SourceRow
from phonobench.results import Value
from phonobench.tasks import METRICS

if TYPE_CHECKING:
    from phonobench.report.leaderboard import Entry, Leaderboard, Table

PERCENT = ("per_hq", "per", "per_ipa_char_hq")
LABELS = {
    "per_hq": "PER (HQ) %",
    "per": "PER %",
    "per_ipa_char_hq": "PER (HQ), IPA characters %",
    "utterance_pearson": "utterance Pearson",
    "word_pearson": "word Pearson",
    "phone_pearson": "phone Pearson",
    "utterance_auc": "utterance AUC",
    "phone_auc": "phone AUC",
    "phone_ap": "phone AP",
    "phone_f1": "phone F1",
    "phone_mcc": "phone MCC",
}
"""Metrics of the main table and their headings."""

BROKEN_DOWN = ("per", "utterance_pearson", "phone_pearson", "phone_auc")
SYNTHETIC = "**The figures below are of synthetic speech and simulated raters; they say nothing about real learners.**"
LEGEND = (
    "Every value carries its 95 % interval from a bootstrap over speakers. PER (HQ): phone error rate on utterances of "
    "sentence accuracy 8 or more. Pearson: correlation with the mean human score. AUC, AP: utterance positive is an "
    "accuracy of 6 or less, phone positive below 0.5. F1 and MCC are at a threshold chosen on dev. Epochs and "
    "thresholds are chosen on dev speakers; the test split chose nothing. The best value of a column is bold, which "
    "claims no significance: `phonobench compare` tests differences."
)


def write(board: Leaderboard) -> str:
    """All tables of a leaderboard, one after another."""
    parts = ["# Leaderboard", f"Evaluation protocol version {board.protocol_version}."]
    for table in board.tables:
        parts += _section(table)
    return "\n\n".join(parts) + "\n"


def _section(table: Table) -> list[str]:
    trial = "" if table.complete else f", a trial on {table.utterances} utterances"
    parts = [f"## {table.corpus}{trial}"]
    if table.synthetic:
        parts.append(SYNTHETIC)
    if not table.complete:
        parts.append("**These runs saw only the first utterances of each split: not to be cited.**")
    size = f"{table.utterances} test utterances of {table.speakers} speakers, corpus {table.fingerprint[:12]}."
    parts += [f"{size} {LEGEND}", _main(table)]
    if table.has_source_rows:
        parts += ["### Published by others", _THEIRS, _source(SOURCE_ROWS), _SCORERS, _scorers()]
    parts += ["### Negative controls", _CONTROLS, _controls(table.entries)]
    parts += ["### By age, gender and proficiency", _BANDS]
    for name in BROKEN_DOWN:
        parts += [f"**{LABELS[name]}**", _breakdown(name, table.entries)]
    return parts


_THEIRS = (
    "The source experiments (January 2025), as published: another training, one seed, no intervals; how they chose "
    "epochs is not known here. Their PER is over IPA characters."
)
_SCORERS = "Trained scorers, Pearson on the full test set, as their authors give it (ours above are untrained)."
_CONTROLS = (
    "The same prompts with another speaker's audio of another sentence, with silence, with white noise. The mean "
    "phone score (nats) has to fall; AUC is that of an utterance's mean phone score, true against replaced audio."
)
_BANDS = (
    "Child: under 18 years. Proficiency: human sentence accuracy. Intervals are over the speakers of each band; a "
    "dash is undefined there (the result file has the reason)."
)


def _main(table: Table) -> str:
    best = {name: _best(name, table.entries) for name in LABELS}
    rows = []
    for entry in table.entries:
        cells = [_cell(entry.metrics.get(name), name, best[name]) for name in LABELS]
        rows.append([*_who(entry), entry.input, f"{entry.parameters / 1e6:.1f} M", entry.saw_test_corpus, *cells])
    return grid(["system", "recipe, seed", "input", "parameters", "saw corpus before", *LABELS.values()], rows)


def _controls(entries: Sequence[Entry]) -> str:
    names = ["phone_score_true"]
    names += [f"{kind}_{control}" for control in ("swapped", "silence", "noise") for kind in ("phone_fall", "true_auc")]
    headings = ["true score", *(f"{what}, {c}" for c in ("swapped", "silence", "noise") for what in ("fall", "AUC"))]
    rows = [[*_who(entry), *(_cell(entry.metrics.get(name), name) for name in names)] for entry in entries]
    return grid(["system", "recipe, seed", *headings], rows)


def _breakdown(name: str, entries: Sequence[Entry]) -> str:
    bands = sorted({(d, band) for e in entries for d, found in e.breakdowns.items() for band in found})
    rows = []
    for entry in entries:
        cells = [_cell(entry.breakdowns.get(d, {}).get(band, {}).get(name), name) for d, band in bands]
        rows.append([*_who(entry), *cells])
    return grid(["system", "recipe, seed", *(f"{dimension}: {band}" for dimension, band in bands)], rows)


def _source(rows: Iterable[SourceRow]) -> str:
    def shown(row: SourceRow, name: str) -> str:
        value = getattr(row, name)
        return "–" if value is None else _number(value, name)

    names = ("per_ipa_char_hq", "utterance_pearson", "utterance_auc")
    lines = [[f"{row.system} (theirs)", row.input, *(shown(row, name) for name in names), row.note] for row in rows]
    return grid(["system", "input", *(LABELS[name] for name in names), "note"], lines)


def _scorers() -> str:
    lines = [[row.system, row.phone, row.word, row.sentence, row.total, row.note] for row in PUBLISHED_SCORERS]
    return grid(["system", "phone", "word accuracy", "sentence accuracy", "total", "note"], lines)


def grid(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; pipes in cells are escaped."""
    lines = [list(header), ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _who(entry: Entry) -> list[str]:
    return [entry.title, f"{entry.recipe}, {entry.seed}"]


def _cell(value: Value | None, name: str, best: float | None = None) -> str:
    if value is None or value.value is None:
        return "–"
    shown = _number(value.value, name)
    if best is not None and value.value == best:
        shown = f"**{shown}**"
    if value.low is None or value.high is None:
        return shown
    return f"{shown} [{_number(value.low, name)}, {_number(value.high, name)}]"


def _number(value: float, name: str) -> str:
    if name in PERCENT:
        return f"{100 * value:.2f}"
    return f"{value:.2f}" if name.startswith(("phone_score", "phone_fall")) else f"{value:.3f}"


def _best(name: str, entries: Sequence[Entry]) -> float | None:
    values = [e.metrics[name].value for e in entries if name in e.metrics]
    known = [value for value in values if value is not None]
    if len(entries) < 2 or not known:
        return None
    return min(known) if METRICS[name].better == "low" else max(known)
