"""Where the figures of a run come from, as pairs of text."""

from __future__ import annotations

from typing import Any

from phonobench.report.leaderboard import Entry


def of(entry: Entry) -> list[list[str]]:
    """Run, checkpoint, training, recipe, code, posteriors and notes of a leaderboard's entry; name and value each."""
    model, training, code = (entry.provenance[part] for part in ("model", "training", "code"))
    revision = f" ({code['revision']})" if code.get("revision") else ""
    settings = {k: v for k, v in training["recipe"].items() if k not in ("name", "about")}
    bootstrap, decoder = (entry.provenance[part] for part in ("bootstrap", "decoder"))
    facts = [
        ["run", entry.run_id],
        ["checkpoint", f"{model['id'] or 'none, random weights'} ({model['revision']})"],
        ["trained on", f"{entry.trained_on}; epoch and thresholds chosen on dev"],
        ["saw this corpus before", entry.saw_test_corpus],
        ["recipe", ", ".join(f"{name} {setting(value)}" for name, value in settings.items())],
        ["decoder", decoder["name"] + (", chosen on dev" if decoder["chosen_on"] == "dev" else "")],
        ["evaluated", f"{entry.created}, phonobench {code['version']}{revision}"],
        ["intervals", f"{bootstrap['interval']}, {bootstrap['resamples']} draws of speakers, seed {bootstrap['seed']}"],
        ["posteriors", ", ".join(f"{split} {key[:12]}" for split, key in entry.provenance["posteriors"].items())],
    ]
    return [*facts, *(["note", note] for note in entry.notes)]


def setting(value: Any) -> str:
    """A setting as text: parts of a list by strokes, no more digits than a number needs."""
    if isinstance(value, list | tuple):
        return "/".join(setting(part) for part in value)
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
