"""A run for the Hugging Face hub: its model card (README.md with a YAML header) and its `.eval_results` file.

Formats: the hub's `modelcard.md` and `eval_results.yaml` (github.com/huggingface/hub-docs). JSON strings are YAML too.
Figures are of result files alone. The card of synthetic speech and of trials has no `model-index`.
"""

from __future__ import annotations

import json

from phonobench.report import provenance_rows
from phonobench.report.labels import MAIN, control_columns, display, heading, number, sections, with_interval
from phonobench.report.leaderboard import Entry, Table
from phonobench.report.markdown import SYNTHETIC, grid, plain
from phonobench.results import Value
from phonobench.systems.cards import SYSTEMS
from phonobench.tasks import metrics
from phonobench.types import PhonobenchError

DATASETS = {"speechocean762": "mispeech/speechocean762"}
"""Corpus -> its dataset on the hub."""
TASK = "automatic-speech-recognition"
"""The hub's nearest name for phone recognition."""
_BANDS = ("per", "phone_auc")
"""What the card shows by group."""


def eval_results(table: Table, entry: Entry) -> str:
    """The main figures as `.eval_results/*.yaml`: one entry a metric, rates in per cent, intervals in the notes.

    Args:
        table: The table that the run stands in.
        entry: The run.

    Returns:
        The text of the file.

    Raises:
        PhonobenchError: Where they are of synthetic speech, of a trial, or of a corpus that is not on the hub.
    """
    if not is_public(table):
        raise PhonobenchError(f"{entry.run_id} is measured on {_what(table)}: the hub takes no such results")
    lines = []
    for name, value in _main(entry):
        lines += [
            "- dataset:",
            f"    id: {DATASETS[table.corpus]}",
            f"    task_id: {name}",
            f"  value: {_scaled(name, value.value or 0.0)}",
            f"  date: {json.dumps(entry.created)}",
            f"  notes: {json.dumps(_note(name, value, table), ensure_ascii=False)}",
        ]
    return "\n".join(lines) + "\n"


def card(table: Table, entry: Entry) -> str:
    """The model card: what the run is, what it is for and not for, its figures, and where they come from.

    Args:
        table: The table that the run stands in.
        entry: The run.

    Returns:
        The text of README.md, with its YAML header.
    """
    title = f"{entry.title}: phones of non-native English ({entry.recipe})"
    parts = ["\n".join(_header(table, entry)), f"# {plain(title)}"]
    if table.synthetic:
        parts.append(SYNTHETIC)
    if not table.complete:
        parts.append("**A trial on the first utterances of each split: not to be cited.**")
    rows = [[heading(n), with_interval(entry.metrics.get(n), n)] for names in sections().values() for n in names]
    bands = [
        [f"{dimension}: {band}", *(with_interval(found.get(name), name) for name in _BANDS)]
        for dimension, groups in entry.breakdowns.items()
        for band, found in groups.items()
    ]
    known = metrics()
    controls = [
        [known[name].heading, with_interval(entry.metrics[name], name)]
        for name in control_columns()
        if name in entry.metrics and known[name].shown == "everywhere"
    ]
    settings = entry.provenance["training"]["recipe"]
    parts += [
        _ABOUT.format(run=entry.run_id, title=plain(entry.title)),
        "## Use", f"```sh\nphonobench infer {entry.run_id}\nphonobench evaluate {entry.run_id}\n```",
        "## Limits", _LIMITS,
        "## Figures", f"{table.utterances} {table.split} utterances of {table.speakers} speakers of {table.corpus}; "
        "95 % intervals by resampling speakers. The test split chose nothing.",
        grid(["figure", "value [95 % interval]"], rows),
        "### By group", grid(["group", *map(heading, _BANDS)], bands),
        "### Negative controls", grid(["control", "value [95 % interval]"], controls) if controls else "Not measured.",
        "## Training", grid(["setting", "value"], [[k, provenance_rows.setting(v)] for k, v in settings.items()
                                                   if k != "about"]),
        "## Provenance", "\n".join(f"- {k}: {plain(v)}" for k, v in provenance_rows.of(entry) if k != "recipe"),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


_ABOUT = (
    "Run `{run}` of phonobench. {title} with a linear CTC head over the 39 ARPAbet phones: it recognises the "
    "phones, scores how well they fit the expected ones, and detects mispronounced ones."
)
_LIMITS = (
    "- Trained on read sentences by Mandarin speakers; other first languages, spontaneous speech and noise are "
    "untested.\n"
    "- The reference is one canonical pronunciation of each word, so that a valid variant counts as an error.\n"
    "- Not for decisions about people: see the intervals, and the figures by group."
)


def _header(table: Table, entry: Entry) -> list[str]:
    members = [SYSTEMS[part] for part in entry.card.split("+") if part in SYSTEMS]
    known = sorted({member.licence.lower() for member in members})
    lines = ["---", "language: en", "library_name: phonobench", f"pipeline_tag: {TASK}"]
    lines.append(f"license: {known[0] if len(known) == 1 and ' ' not in known[0] else 'other'}")
    lines += ["tags:", *(f"- {tag}" for tag in ("phoneme-recognition", "pronunciation-assessment", "non-native"))]
    bases = [member.checkpoint for member in members if member.checkpoint]
    if bases:
        lines += ["base_model:", *(f"- {base}" for base in bases)]
    if is_public(table):
        lines += ["datasets:", f"- {DATASETS[table.corpus]}", *_index(table, entry)]
    return [*lines, "---"]


def _index(table: Table, entry: Entry) -> list[str]:
    lines = [
        "model-index:", f"- name: {json.dumps(entry.run_id)}", "  results:", "  - task:", f"      type: {TASK}",
        "    dataset:", f"      type: {DATASETS[table.corpus]}", f"      name: {table.corpus}",
        f"      split: {table.split}", "    metrics:",
    ]  # fmt: skip
    for name, value in _main(entry):
        label = f"{heading(name)}, {_note(name, value, table)}"
        lines += [
            f"    - type: {metrics()[name].statistic or name}",
            f"      value: {_scaled(name, value.value or 0.0)}",
        ]
        lines += [f"      name: {json.dumps(label, ensure_ascii=False)}"]
    return lines


def _main(entry: Entry) -> list[tuple[str, Value]]:
    return [(n, entry.metrics[n]) for n in MAIN if n in entry.metrics and entry.metrics[n].value is not None]


def _note(name: str, value: Value, table: Table) -> str:
    ends = "" if value.low is None or value.high is None else (
        f"95 % interval over speakers {number(value.low, name)} to {number(value.high, name)}; "
    )  # fmt: skip
    better = {"low": "; lower is better", "high": "; higher is better", "none": ""}[metrics()[name].better]
    unit = "in per cent; " if display(name).unit == "%" else ""
    return f"{unit}{ends}n {value.n}, {value.speakers} speakers, {table.split}{better}"


def _scaled(name: str, value: float) -> float:
    """The value in the unit of its heading, with two decimals where that is per cent, else with four."""
    shown = display(name)
    return round(shown.factor * value, 2 if shown.unit == "%" else 4)


def is_public(table: Table) -> bool:
    """Whether its figures may stand on the hub: of a whole split of real speech that has a dataset there."""
    return table.corpus in DATASETS and table.complete and not table.synthetic


def _what(table: Table) -> str:
    return "synthetic speech" if table.synthetic else "a part of the split" if not table.complete else table.corpus
