"""A leaderboard as Markdown: figures with intervals, negative controls, breakdowns, and others' figures, named so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from phonobench.report import labels, raters, seeds
from phonobench.report.labels import BROKEN_DOWN, SCORER_BANDS, SUMMARY, number, with_interval
from phonobench.report.leaderboard import Entry, Leaderboard, Table
from phonobench.report.published import PUBLISHED_SCORERS, SOURCE_ROWS, SourceRow
from phonobench.report.raters import RaterTable
from phonobench.results import Value
from phonobench.tasks import metrics
from phonobench.tasks.task import DASH
from phonobench.visible import visible

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
    parts = [f"## {plain(table.corpus)}{trial}"]
    if table.synthetic:
        parts.append(SYNTHETIC)
    if not table.complete:
        parts.append("**These runs saw only the first utterances of each split: not to be cited.**")
    size = f"{table.utterances} {table.split} utterances of {table.speakers} speakers, corpus {table.fingerprint[:12]}."
    parts += [f"{size} {LEGEND}", _summary(table)]
    if table.has_source_rows:
        parts += [_THEIRS]
    if table.scorers:
        parts += ["### Trained scorers", _SCORERS, _scored(table)]
        parts += ["### Trained scorers by age, gender and proficiency", _SCORER_BANDS]
        for name in SCORER_BANDS:
            parts += [f"**{labels.heading(name)}**", _breakdown(name, table.scorers)]
    if table.raters and table.raters.systems:
        parts += ["### Trained scorers beside a human rater", _RATERS, _beside_rater(table, table.raters)]
    if table.has_source_rows:
        parts += ["### Trained scorers, published", _PUBLISHED, _scorers()]
    for task, names in labels.sections().items():
        parts += [f"### {task}", _figures(names, table.entries)]
    if table.repeats:
        parts += ["### Over seeds", _SEEDS, grid(seeds.columns(), table.repeats)]
    parts += ["### Negative controls", _CONTROLS, _controls(table.entries)]
    parts += ["### By age, gender and proficiency", _BANDS]
    for name in BROKEN_DOWN:
        parts += [f"**{labels.heading(name)}**", _breakdown(name, table.entries)]
    return parts


_THEIRS = (
    "Rows marked *theirs* are the source experiments' (January 2025), as published: another training, one seed, no "
    "intervals; how they chose epochs is not known here. Their PER is over IPA characters."
)
_SCORERS = (
    "Phones, words and sentences estimated on the human scales, fitted to train speakers that the recogniser did not "
    "see (five folds); thresholds from cross-validation. Figures without a statistic are Pearson correlations. "
    "*Package*: as exported, in int8 and without torch."
)
_SCORER_BANDS = (
    "A group whose estimates lie below the human scores by more than another's is treated worse by the scorer. Bands "
    "of proficiency are of the human sentence accuracy: every estimate is drawn towards the middle there, as in any "
    "regression. A dash was not measured or is undefined."
)
_RATERS = (
    "Each of the five raters in turn, and each scorer, against the mean of the other four raters; means over the five. "
    "The same draws of speakers serve all, so that differences are paired. A scorer above zero agrees with a panel "
    "better than a member of the panel does."
)
_PUBLISHED = "Pearson on the full test set, as their authors give it."
_SEEDS = (
    "Runs that differ in their seed alone: mean ± standard deviation [lowest, highest]. How far a training repeats "
    "itself is another matter than the interval over speakers."
)
_CONTROLS = (
    "The same prompts with another speaker's audio of another sentence, with silence, with white noise. The mean "
    "phone score (nats) has to fall; AUC is that of an utterance's mean phone score, true against replaced audio."
)
_BANDS = (
    "Child: under 18 years. Proficiency: human sentence accuracy. Intervals are over the speakers of each band; a "
    "dash is undefined there (the result file has the reason)."
)


def _summary(table: Table) -> str:
    rows = []
    for entry in table.entries:
        facts = [entry.input, f"{entry.parameters / 1e6:.1f} M", entry.saw_test_corpus]
        rows.append([*_who(entry), *facts, *_cells(SUMMARY, entry, table.entries)])
    if table.has_source_rows:
        rows += [_source(row) for row in SOURCE_ROWS]
    facts = ["input", "parameters", "saw this corpus before"]
    return grid(["system", "recipe, seed", *facts, *map(labels.heading, SUMMARY)], rows)


def _source(row: SourceRow) -> list[str]:
    cells = [number(getattr(row, name, None), name) for name in SUMMARY]
    return [f"*{row.system}*", "*theirs*" + (f": {row.note}" if row.note else ""), row.input, "", "", *cells]


def _figures(names: Sequence[str], entries: Sequence[Entry]) -> str:
    rows = [[*_who(entry), *_cells(names, entry, entries)] for entry in entries]
    return grid(["system", "recipe, seed", *map(labels.heading, names)], rows)


def _cells(names: Sequence[str], entry: Entry, entries: Sequence[Entry]) -> list[str]:
    return [_cell(entry.metrics.get(name), name, best(name, entries)) for name in names]


def _controls(entries: Sequence[Entry]) -> str:
    names, known = labels.control_columns(), metrics()
    rows = [[*_who(entry), *(with_interval(entry.metrics.get(name), name) for name in names)] for entry in entries]
    return grid(["system", "recipe, seed", *(known[name].short or known[name].label for name in names)], rows)


def _breakdown(name: str, entries: Sequence[Entry]) -> str:
    bands = sorted({(d, band) for e in entries for d, found in e.breakdowns.items() for band in found})
    rows = []
    for entry in entries:
        cells = [with_interval(entry.breakdowns.get(d, {}).get(band, {}).get(name), name) for d, band in bands]
        rows.append([*_who(entry), *cells])
    return grid(["system", "recipe, seed", *(f"{dimension}: {band}" for dimension, band in bands)], rows)


def _scored(table: Table) -> str:
    names = labels.scorer_columns()
    rows = [[*_who(entry), *_cells(names, entry, table.scorers)] for entry in table.scorers]
    if table.raters:
        rows.append([raters.TITLE, raters.HOW, *(with_interval(table.raters.metrics.get(n), n) for n in names)])
    return grid(["system", "recipe, seed", *map(labels.scorer_heading, names)], rows)


def _beside_rater(table: Table, measured: RaterTable) -> str:
    """A row a metric: the rater, and of each scorer its figure and its difference from the rater's."""
    titles = {entry.run_id: f"{plain(entry.title)}, {plain(entry.recipe)}" for entry in table.scorers}
    rows = []
    for name, rater in measured.metrics.items():
        row = [labels.scorer_heading(name), with_interval(rater, name)]
        for systems in measured.systems.values():
            if name not in systems:
                row += [DASH, DASH]
                continue
            found = systems[name]
            p = "" if found.p is None else f", p {found.p:.3f}"
            row += [with_interval(found.value, name), with_interval(found.difference, name) + p]
        rows.append(row)
    heads = [part for run in measured.systems for part in (titles.get(run, run), "less the rater's")]
    return grid(["", raters.TITLE.lower(), *heads], rows)


def _scorers() -> str:
    lines = [[row.system, row.phone, row.word, row.sentence, row.total, row.note] for row in PUBLISHED_SCORERS]
    return grid(["system", "phone", "word accuracy", "sentence accuracy", "total", "note"], lines)


def grid(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; pipes and what cannot be seen are escaped in cells.

    Args:
        header: The headings.
        rows: Cells, one a heading.

    Returns:
        The lines of the table.

    Example:
        >>> print(grid(["phone", "PER"], [["AA", "3.0"]]))
        | phone | PER |
        | --- | --- |
        | AA | 3.0 |
    """
    lines = [list(header), ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(visible(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def plain(text: str) -> str:
    """Corpus text without what Markdown or HTML would read as marks."""
    escaped = visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{c}" if c in "\\`*_[]#!" else c for c in escaped)


def _who(entry: Entry) -> list[str]:
    return [plain(entry.title), plain(f"{entry.recipe}, {entry.seed}")]


def _cell(value: Value | None, name: str, best: float | None) -> str:
    """A value with its interval, bold where it is the best."""
    shown = with_interval(value, name)
    if value is None or value.value is None or value.value != best:
        return shown
    figure, *ends = shown.split(" ", 1)
    return " ".join([f"**{figure}**", *ends])


def best(name: str, entries: Sequence[Entry]) -> float | None:
    """The best value of a metric, which is set in bold.

    Args:
        name: The metric.
        entries: Rows of one table.

    Returns:
        The value; None without two runs, or where no run has it.
    """
    values = [e.metrics[name].value for e in entries if name in e.metrics]
    known = [value for value in values if value is not None]
    if len(entries) < 2 or not known:
        return None
    return min(known) if metrics()[name].better == "low" else max(known)
