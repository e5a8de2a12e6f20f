"""PER against the weight of the first of two fused systems: from fused runs with results, or from a stored curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from matplotlib.figure import Figure
from pydantic import Field

from phonobench.report.figures.style import colour, marker
from phonobench.report.labels import heading
from phonobench.results import Value
from phonobench.store import door
from phonobench.store.door import ABSENT, Checked
from phonobench.types import PhonobenchError

Figures = Mapping[str, Any]


def stored_fusions(data: dict[str, Any]) -> Figure | None:
    """The fusions of the first pair on the page that has two or more, between their members where these are there."""
    by_id = {system["id"]: system for system in data["systems"]}
    pairs: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for system in data["systems"]:
        made = system["fusion"]
        if made and len(made["members"]) == 2:
            pairs.setdefault((made["method"], *made["members"]), []).append(system)
    for (method, first, second), fused in pairs.items():
        if len(fused) < 2:
            continue
        points = [(s["fusion"]["weights"][0], s["metrics"]["per_hq"], s["fusion"]["chosen_on"]) for s in fused]
        points += [(1.0, by_id[first]["metrics"]["per_hq"], None)] if first in by_id else []
        points += [(0.0, by_id[second]["metrics"]["per_hq"], None)] if second in by_id else []
        names = [by_id[id]["name"] if id in by_id else id for id in (first, second)]
        return _plot(sorted(points, key=lambda p: p[0]), names, f"late fusion by {method}", "o-")
    return None


class PointPart(Checked):
    """One weighting and its figures."""

    weights: Annotated[tuple[Annotated[float, Field(ge=0, le=1)], ...], Field(min_length=2)]
    per_hq: Value
    per: Value = ABSENT
    utterance_pearson: Value = ABSENT
    utterance_auc: Value = ABSENT


class CurveFacts(Checked):
    """The file that `phonobench fuse --curve` writes."""

    members: Annotated[tuple[str, ...], Field(min_length=2)]
    method: Literal["frames", "likelihoods"]
    split: Literal["train", "dev", "test"]
    chosen_on_dev: Annotated[tuple[float, ...], Field(min_length=2)]
    points: Annotated[tuple[PointPart, ...], Field(min_length=1)]


def read_curve(path: Path) -> Figures:
    """A stored curve.

    Raises:
        PhonobenchError: It is no file that `phonobench fuse RUN RUN --curve` wrote.
    """
    again = "write one by `phonobench fuse RUN RUN --curve --json`"
    curve: Figures = door.read_json(path, again)
    door.checked_value(path, curve, CurveFacts, again)
    return curve


def fusion_figure(curve: Figures) -> Figure:
    """The curve that `phonobench fuse --curve --json` printed. Raises PhonobenchError where it is another file."""
    try:
        chosen = list(curve["chosen_on_dev"])
        points = [
            (p["weights"][0], p["per_hq"], "dev" if list(p["weights"]) == chosen else None) for p in curve["points"]
        ]
        names = list(curve["members"])
    except (KeyError, TypeError, IndexError) as fault:
        raise PhonobenchError(
            f"no fusion curve ({fault}): write one by `phonobench fuse RUN RUN --curve --json`"
        ) from None
    return _plot(points, names, "late fusion by frames, test", "-")


def _plot(points: Sequence[tuple[float, Figures, str | None]], names: Sequence[str], title: str, form: str) -> Figure:
    figure = Figure(figsize=(3.8, 2.8), layout="constrained")
    axes = figure.subplots()
    known = [(x, v) for x, v, _ in points if v["value"] is not None]
    x = [place for place, _ in known]
    middle = [100 * v["value"] for _, v in known]
    low, high = ([100 * (v[end] if v[end] is not None else v["value"]) for _, v in known] for end in ("low", "high"))
    axes.fill_between(x, low, high, color=colour(0), alpha=0.2, linewidth=0, label="95 % interval over speakers")
    axes.plot(x, middle, form, color=colour(0), markersize=3)
    for place, value, chosen in points:
        if chosen == "dev" and value["value"] is not None:
            axes.plot(
                place, 100 * value["value"], marker(3), color=colour(1), markersize=6, label="weight chosen on dev"
            )
    axes.set(xlabel=f"weight of {names[0]}\n(the rest is of {names[1]})", ylabel=heading("per_hq"), title=title)
    axes.legend()
    return figure
