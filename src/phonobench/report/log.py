"""The experiments log: EXPERIMENTS.md from manifests and results alone, written anew each time, newest run first.

A run stands in it with its results or, where it has none yet, with the state of its manifest. Free notes lie beside
the results, `results/<run_id>/note.txt`, and so does the picture of its training, `training.svg`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from phonobench import results, store
from phonobench.evaluate import Comparison, MetricDifference
from phonobench.report import learning_curve, provenance_rows, runs
from phonobench.report.labels import MAIN, heading, number, with_interval
from phonobench.report.markdown import SYNTHETIC, grid, plain
from phonobench.results import Result, Value
from phonobench.systems.cards import SYSTEMS, Card
from phonobench.tasks import metrics
from phonobench.types import PhonobenchError

NOTE = "note.txt"
PICTURE = "training.svg"

Gaps = Mapping[tuple[str, str, str], MetricDifference]
"""Paired differences by metric, first and second run; each pair stands both ways round."""


@dataclass(frozen=True)
class Run:
    """What is known of a run: its manifest and its test results, either of which may be missing, and its note."""

    run_id: str
    manifest: Mapping[str, Any] | None
    tests: tuple[Result, ...]
    note: str

    @property
    def metrics(self) -> dict[str, Value]:
        """Test figures by name, over all tasks."""
        return {name: value for result in self.tests for name, value in result.metrics.items()}

    @property
    def created(self) -> str:
        """When its test results were made (UTC, ISO 8601); empty without any."""
        return max((result.created for result in self.tests), default="")

    @property
    def card(self) -> str:
        """Name of its system."""
        return str(self.manifest["card"]) if self.manifest else self.tests[0].provenance.model.card

    @property
    def recipe(self) -> Mapping[str, Any]:
        """Every choice of its training."""
        return self.manifest["recipe"] if self.manifest else self.tests[0].provenance.training.recipe

    @property
    def seed(self) -> int:
        """Seed of its training."""
        return int(self.manifest["seed"] if self.manifest else self.tests[0].provenance.training.seed)


def read(runs_root: Path, results_root: Path, kept_root: Path | None = None) -> tuple[Run, ...]:
    """Every run that has a manifest or test results; those without results first, then newest first.

    Args:
        runs_root: The folder of all runs.
        results_root: The folder of all results.
        kept_root: The folder of kept copies, whose manifest serves where a run's own folder is not there.

    Returns:
        The runs.
    """
    folders = [folder for root in (kept_root, runs_root) if root is not None for folder in store.list_runs(root)]
    manifests = {folder.name: store.read_run(folder) for folder in folders}
    tests: dict[str, list[Result]] = {}
    for result in results.read_all(results_root) if results_root.is_dir() else ():
        if result.split == "test":
            tests.setdefault(result.run_id, []).append(result)
    found = [
        Run(id, manifests.get(id), tuple(tests.get(id, ())), read_note(results_root, id))
        for id in sorted({*manifests, *tests})
    ]
    return tuple(sorted(found, key=lambda run: run.created or "9", reverse=True))


def read_note(results_root: Path, run_id: str) -> str:
    """The free note of a run; empty where there is none."""
    path = results_root / run_id / NOTE
    return path.read_text(encoding="utf-8").strip() if path.exists() else ""


def write_note(results_root: Path, run_id: str, text: str) -> None:
    """Replaces the free note of a run."""
    store.write_bytes(results_root / run_id / NOTE, (text.strip() + "\n").encode())


def draw(found: Sequence[Run], results_root: Path) -> dict[str, Path]:
    """Draws the learning curve of each run that has epochs and results, beside its results.

    Args:
        found: The runs (`read`).
        results_root: The folder of all results.

    Returns:
        By run id the picture.
    """
    pictures = {}
    for run in found:
        svg = learning_curve.picture(
            runs.history(run.manifest or {}), (run.manifest or {}).get("best_epoch"), run.run_id
        )
        if svg and run.tests:
            pictures[run.run_id] = results_root / run.run_id / PICTURE
            store.write_bytes(pictures[run.run_id], svg.encode())
    return pictures


def paired(compared: Comparison, found: Sequence[Run]) -> dict[tuple[str, str, str], MetricDifference]:
    """The differences of a comparison, both ways round.

    Args:
        compared: What `evaluate.compare` found.
        found: The runs (`read`).

    Returns:
        By metric and the ids of two runs the first less the second.

    Raises:
        PhonobenchError: Where a run's stored figure is not what was compared (older posteriors, another decoder).
    """
    stored = {run.run_id: run.metrics for run in found}
    gaps = {}
    for gap in compared.gaps:
        for run, value in ((gap.a, gap.value_a), (gap.b, gap.value_b)):
            kept = stored[run][gap.metric].value
            if kept is not None and abs(kept - value) > 1e-6:
                raise PhonobenchError(
                    f"results of {run} are not of its posteriors as they are decoded now: evaluate it"
                )
        gaps[gap.metric, gap.a, gap.b] = gap
        gaps[gap.metric, gap.b, gap.a] = replace(
            gap, a=gap.b, b=gap.a, value_a=gap.value_b, value_b=gap.value_a, difference=-gap.difference,
            low=-gap.high, high=-gap.low,
        )  # fmt: skip
    return gaps


def write(found: Sequence[Run], gaps: Gaps | None = None, pictures: Mapping[str, str] | None = None) -> str:
    """The log as Markdown.

    Args:
        found: The runs (`read`).
        gaps: Paired differences (`paired`), by which it is decided what is best and what changed; None: intervals.
        pictures: By run id the address of its learning curve, as seen from the file.

    Returns:
        The text of the file.
    """
    known, shown = gaps or {}, pictures or {}
    parts = ["# Experiments", "Written by `phonobench log` from manifests and results; edits here are lost."]
    parts += ["## Summary", _LEGEND + (_PAIRED if known else _APART)]
    for title, group in _groups(found).items():
        parts += [
            f"### {title}",
            *([SYNTHETIC] if group[0].tests[0].provenance.corpus.synthetic else []),
            _summary(group, known),
        ]
    parts += ["## Runs", *(part for run in found for part in _entry(run, found, known, shown.get(run.run_id)))]
    parts += ["## Training settings", _settings(found)]
    done = {run.card for run in found if run.tests}
    rows = [[c.title, f"`{c.name}`", c.input, "yes" if c.name in done else "–"] for c in SYSTEMS.values()]
    parts += ["## Implemented systems", grid(["system", "name", "input", "has a result"], rows)]
    todo = [_open(card) for card in SYSTEMS.values() if card.name not in done]
    parts += ["## Next steps", "Systems without a result:\n\n" + "\n".join(todo) if todo else "All have a result."]
    return "\n\n".join(parts) + "\n"


_LEGEND = (
    "Test split, 95 % intervals over speakers. To take a run because it leads here would be to choose on test. "
    "Bold: the best of its column, "
)
_APART = (
    "and its interval lies apart from every other's. Where none is bold the difference is not settled this way; "
    "`phonobench log --paired` pairs the systems by speaker, which settles more."
)
_PAIRED = (
    "and the 95 % interval of its paired difference from every other run leaves zero out (not corrected for the number "
    "of pairs: `phonobench compare` is). Where none is bold, nothing is settled."
)


def _open(card: Card) -> str:
    if card.members:
        return f"- [ ] `phonobench train {card.name}{' --member RUN' * card.members}`"
    return f"- [ ] `phonobench bench {card.name}`"


def _groups(found: Sequence[Run]) -> dict[str, list[Run]]:
    """Runs that were measured on the same utterances, by a title."""
    groups: dict[str, list[Run]] = {}
    for run in found:
        if run.tests:
            origin = run.tests[0].provenance
            trial = "" if origin.split.complete else ", a trial not to be cited"
            title = (
                f"{origin.corpus.name} {origin.corpus.fingerprint[:12]}, {origin.split.utterances} utterances{trial}"
            )
            groups.setdefault(title, []).append(run)
    return groups


def _summary(group: Sequence[Run], gaps: Gaps) -> str:
    best = {name: settled_best(name, group, gaps) for name in MAIN}
    rows = []
    for run in group:
        cells = [with_interval(run.metrics.get(name), name) for name in MAIN]
        cells = [f"**{c}**" if best[n] == run.run_id else c for c, n in zip(cells, MAIN, strict=True)]
        rows.append([f"[{run.run_id}](#{_anchor(run.run_id)})", *cells])
    return grid(["run", *map(heading, MAIN)], rows)


def settled_best(name: str, group: Sequence[Run], gaps: Gaps | None = None) -> str | None:
    """The run that is better than every other beyond chance.

    Args:
        name: The metric.
        group: Runs with the same test utterances.
        gaps: Paired differences; where one is unknown, single intervals must lie apart.

    Returns:
        The run's id; None where there is no such run.
    """
    sign = -1 if metrics()[name].better == "low" else 1
    known = {run.run_id: run.metrics[name] for run in group if name in run.metrics}
    pairs = {id: [(gaps or {}).get((name, id, other)) for other in known if other != id] for id in known}
    if len(known) > 1 and all(gap is not None for found in pairs.values() for gap in found):
        won = [id for id, found in pairs.items() if all(_wins(gap, sign) for gap in found if gap is not None)]
        return won[0] if won else None
    ends = {id: (v.low, v.high) for id, v in known.items() if v.low is not None and v.high is not None}
    if len(ends) < 2 or len(ends) < len(known):
        return None
    for id, (low, high) in ends.items():
        others = [end for other, end in ends.items() if other != id]
        if all(high < other[0] if sign < 0 else low > other[1] for other in others):
            return id
    return None


def _wins(gap: MetricDifference, sign: int) -> bool:
    return gap.high < 0 if sign < 0 else gap.low > 0


def _entry(run: Run, found: Sequence[Run], gaps: Gaps, picture: str | None) -> list[str]:
    lines = [f"- When: {run.created or 'no test results yet'}", f"- System: `{run.card}`, seed {run.seed}"]
    lines.append(f"- Recipe: {', '.join(filter(None, [str(run.recipe.get('name', 'unnamed')), _terms(run.recipe)]))}")
    lines += _training(run.manifest) if run.manifest else ["- Its folder is not here; figures are of its results."]
    if run.tests:
        origin = run.tests[0].provenance
        lines.append(f"- Measured with phonobench {origin.code.version} ({origin.code.revision or 'no checkout'})")
        lines += [f"- {note}" for note in dict.fromkeys(note for test in run.tests for note in test.notes)]
    parent = run.manifest.get("started_from") if run.manifest else None
    before = next((other for other in found if other.run_id == parent), None)
    if parent:
        lines.append(f"- Started from `{parent}`" + ("" if before and before.tests else ", which has no results here"))
    names = [name for name in MAIN if name in run.metrics]
    rows = [[heading(n), with_interval(run.metrics[n], n)] for n in names]
    header = ["figure", "value"]
    if before and before.tests:
        header.append("less that of the run it started from")
        rows = [[*row, _change(run, before, n, gaps)] for row, n in zip(rows, names, strict=True)]
    table = [grid(header, rows)] if rows else []
    image = [f"![Loss and PER on dev by epoch]({picture})"] if picture else []
    note = [f"> {' '.join(plain(run.note).split())}"] if run.note else []
    return [f"### {run.run_id}", "\n".join(lines), *table, *image, *note]


def _training(manifest: Mapping[str, Any]) -> list[str]:
    corpus, history = manifest["corpus"], manifest.get("history") or []
    lines = [f"- State: {manifest.get('status', 'unknown')}"]
    fused = manifest.get("fusion")
    if fused:
        shares = [f"`{run}` {share:g}" for run, share in zip(fused["members"], fused["weights"], strict=True)]
        chosen = "chosen on dev" if fused.get("chosen_on") == "dev" else "given"
        lines.append(f"- Fuses, by {fused['method']}, weights {chosen}: {', '.join(shares)}")
    if "train_utterances" in corpus:
        kind = " (synthetic)" if corpus.get("synthetic") else ""
        speakers = f"{corpus['train_utterances']} utterances of {corpus['train_speakers']} speakers"
        lines.append(f"- Trained on: {corpus['name']}{kind}, {speakers}")
    if history:
        first, last = history[0], history[-1]
        took = f", {last['seconds'] / 60:.0f} min" if "seconds" in last else ""
        count = f"{len(history)} epoch{'s' * (len(history) > 1)}"
        fall = f"loss {first['loss']:.3g} to {last['loss']:.3g}"
        lines.append(f"- Training: {count}{took}, {fall}, best on dev: epoch {manifest.get('best_epoch')}")
    return lines


def _change(run: Run, before: Run, name: str, gaps: Gaps) -> str:
    now, then = run.metrics[name], before.metrics.get(name)
    gap = gaps.get((name, run.run_id, before.run_id))
    if gap is not None and gap.reason is None:
        return f"{number(gap.difference, name)} [{number(gap.low, name)}, {number(gap.high, name)}]"
    if then is None or then.value is None or now.value is None:
        return "–"
    if None in (now.low, now.high, then.low, then.high):
        return number(now.value - then.value, name)
    apart = now.high < then.low or now.low > then.high  # type: ignore[operator]
    return f"{number(now.value - then.value, name)} (intervals {'apart' if apart else 'overlap: ask `compare`'})"


def _terms(recipe: Mapping[str, Any]) -> str:
    names = ("trainable", "layers", "epochs", "lr", "batch_seconds")
    return ", ".join(f"{name} {recipe[name]}" for name in names if name in recipe)


def _settings(found: Sequence[Run]) -> str:
    trained = [run for run in found if "members" not in run.recipe]
    fields = [f for f in dict.fromkeys(f for run in trained for f in run.recipe) if f not in ("name", "about")]
    rows = [["seed", *(str(run.seed) for run in trained)]]
    rows += [
        [f, *(provenance_rows.setting(run.recipe[f]) if f in run.recipe else "–" for run in trained)] for f in fields
    ]
    return grid(["setting", *(run.run_id for run in trained)], rows) if fields else "None known."


def _anchor(run_id: str) -> str:
    """The address that GitHub gives a heading: lower case, without dots."""
    return "".join(c for c in run_id.lower() if c.isalnum() or c in "-_")
