"""The experiments log: EXPERIMENTS.md from manifests and results alone, written anew each time, newest run first.

A run stands in it with its results or, where it has none yet, with the state of its manifest. Free notes lie beside
the results, `results/<run_id>/note.txt`, so that they survive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phonobench import results, store
from phonobench.cards import CARDS
from phonobench.report.labels import LABELS, MAIN, number
from phonobench.report.markdown import SYNTHETIC, grid, plain
from phonobench.results import Result, Value
from phonobench.tasks import METRICS

NOTE = "note.txt"


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


def read(runs_root: Path, results_root: Path) -> tuple[Run, ...]:
    """Every run that has a manifest or test results; those without results first, then newest first."""
    manifests = {run_dir.name: store.read_run(run_dir) for run_dir in store.list_runs(runs_root)}
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


def write(found: Sequence[Run]) -> str:
    """The log as Markdown."""
    parts = ["# Experiments", "Written by `phonobench log` from manifests and results; edits here are lost."]
    parts += ["## Summary", _LEGEND]
    for title, runs in _groups(found).items():
        parts += [
            f"### {title}",
            *([SYNTHETIC] if runs[0].tests[0].provenance.corpus.synthetic else []),
            _summary(runs),
        ]
    parts += ["## Runs", *(part for run in found for part in _entry(run, found))]
    parts += ["## Training settings", _settings(found)]
    done = {run.card for run in found if run.tests}
    rows = [[c.title, f"`{c.name}`", c.input, "yes" if c.name in done else "–"] for c in CARDS.values()]
    parts += ["## Implemented systems", grid(["system", "name", "input", "has a result"], rows)]
    todo = [f"- [ ] `phonobench bench {name}`" for name in CARDS if name not in done]
    parts += ["## Next steps", "\n".join(todo) if todo else "Every system has a result."]
    return "\n\n".join(parts) + "\n"


_LEGEND = (
    "Test split, 95 % intervals over speakers. Bold: the best of its column, and its interval lies apart from the next "
    "best's; where none is bold the difference is not settled this way, and `phonobench compare`, which pairs, may be."
)


def _groups(found: Sequence[Run]) -> dict[str, list[Run]]:
    """Runs that were measured on the same utterances, by a title."""
    groups: dict[str, list[Run]] = {}
    for run in found:
        if run.tests:
            facts = run.tests[0].provenance
            trial = "" if facts.split.complete else ", a trial not to be cited"
            title = f"{facts.corpus.name} {facts.corpus.fingerprint[:12]}, {facts.split.utterances} utterances{trial}"
            groups.setdefault(title, []).append(run)
    return groups


def _summary(runs: Sequence[Run]) -> str:
    best = {name: settled_best(name, runs) for name in MAIN}
    rows = []
    for run in runs:
        cells = [figure(run.metrics.get(name), name) for name in MAIN]
        cells = [f"**{c}**" if best[n] == run.run_id else c for c, n in zip(cells, MAIN, strict=True)]
        rows.append([f"[{run.run_id}](#{_anchor(run.run_id)})", *cells])
    return grid(["run", *(LABELS[name] for name in MAIN)], rows)


def settled_best(name: str, runs: Sequence[Run]) -> str | None:
    """The run whose interval of a metric lies apart from that of every other; None where there is none such."""
    low_is_good = METRICS[name].better == "low"
    known = {run.run_id: run.metrics[name] for run in runs if name in run.metrics}
    ends = {id: (v.low, v.high) for id, v in known.items() if v.low is not None and v.high is not None}
    if len(ends) < 2 or len(ends) < len(known):
        return None
    for id, (low, high) in ends.items():
        others = [end for other, end in ends.items() if other != id]
        if all(high < other[0] if low_is_good else low > other[1] for other in others):
            return id
    return None


def figure(value: Value | None, name: str) -> str:
    """A value with its interval; a dash for none."""
    if value is None or value.value is None:
        return "–"
    if value.low is None or value.high is None:
        return number(value.value, name)
    return f"{number(value.value, name)} [{number(value.low, name)}, {number(value.high, name)}]"


def _entry(run: Run, found: Sequence[Run]) -> list[str]:
    lines = [f"- When: {run.created or 'no test results yet'}", f"- System: `{run.card}`, seed {run.seed}"]
    lines.append(f"- Recipe: {run.recipe.get('name', 'unnamed')}, {_terms(run.recipe)}")
    lines += _training(run.manifest) if run.manifest else ["- Its folder is not here; figures are of its results."]
    if run.tests:
        facts = run.tests[0].provenance
        lines.append(f"- Measured with phonobench {facts.code.version} ({facts.code.revision or 'no checkout'})")
        lines += [f"- {note}" for note in dict.fromkeys(note for test in run.tests for note in test.notes)]
    parent = run.manifest.get("started_from") if run.manifest else None
    before = next((other for other in found if other.run_id == parent), None)
    if parent:
        lines.append(f"- Started from `{parent}`" + ("" if before and before.tests else ", which has no results here"))
    rows = [[LABELS[n], figure(run.metrics[n], n), *_change(run, before, n)] for n in MAIN if n in run.metrics]
    table = [grid(["figure", "value", "less that of the run it started from"], rows)] if rows else []
    note = [f"> {' '.join(plain(run.note).split())}"] if run.note else []
    return [f"### {run.run_id}", "\n".join(lines), *table, *note]


def _training(manifest: Mapping[str, Any]) -> list[str]:
    corpus, history = manifest["corpus"], manifest.get("history") or []
    lines = [f"- State: {manifest.get('status', 'unknown')}"]
    if "train_utterances" in corpus:
        kind = " (synthetic)" if corpus.get("synthetic") else ""
        people = f"{corpus['train_utterances']} utterances of {corpus['train_speakers']} speakers"
        lines.append(f"- Trained on: {corpus['name']}{kind}, {people}")
    if history:
        first, last = history[0], history[-1]
        took = f", {last['seconds'] / 60:.0f} min" if "seconds" in last else ""
        lines.append(
            f"- Training: {len(history)} epochs{took}, loss {first['loss']:.3g} to {last['loss']:.3g}, "
            f"best on dev: epoch {manifest.get('best_epoch')}"
        )
    return lines


def _change(run: Run, before: Run | None, name: str) -> list[str]:
    now, then = run.metrics[name], before.metrics.get(name) if before else None
    if then is None or then.value is None or now.value is None:
        return ["–"]
    if None in (now.low, now.high, then.low, then.high):
        return [number(now.value - then.value, name)]
    apart = now.high < then.low or now.low > then.high  # type: ignore[operator]
    return [f"{number(now.value - then.value, name)} (intervals {'apart' if apart else 'overlap: ask `compare`'})"]


def _terms(recipe: Mapping[str, Any]) -> str:
    names = ("trainable", "layers", "epochs", "lr", "batch_seconds")
    return ", ".join(f"{name} {recipe[name]}" for name in names if name in recipe)


def _settings(found: Sequence[Run]) -> str:
    fields = [f for f in dict.fromkeys(f for run in found for f in run.recipe) if f not in ("name", "about")]
    rows = [[f, *(_shown(run.recipe.get(f)) for run in found)] for f in fields]
    return grid(["setting", *(run.run_id for run in found)], rows) if rows else "None known."


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    return ", ".join(str(part) for part in value) if isinstance(value, list) else str(value)


def _anchor(run_id: str) -> str:
    """The address that GitHub gives a heading: lower case, without dots."""
    return "".join(c for c in run_id.lower() if c.isalnum() or c in "-_")
