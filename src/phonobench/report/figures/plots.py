"""The figures of a report page's data, by name."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

from phonobench.phones import DELETED, INSERTED, PHONES
from phonobench.report.figures.fusions import stored_fusions
from phonobench.report.figures.style import THEIRS, colour, marker, stroke
from phonobench.report.labels import MAIN, display, heading, number
from phonobench.report.published import SOURCE_METRICS
from phonobench.tasks.task import DASH

Data = dict[str, Any]
FULL = 0.12
"""Share of a row's occurrences at which a cell of the confusion matrix has its full colour."""
GROUPS = ("age", "gender", "proficiency", "length")


def draw(data: Data) -> dict[str, Figure]:
    """Every figure that the page's data (`report.page.Page.data`) has something for, by name."""
    made: dict[str, Figure | None] = {
        "leaderboard": forest(data, MAIN, ()),
        "beside-source": forest(data, SOURCE_METRICS, data["source"]) if data["source"] else None,
        "tradeoff-parameters": tradeoff(data, lambda s: s["parameters"], "parameters of the encoder"),
        "tradeoff-speed": tradeoff(data, _speed, "seconds of audio a second"),
        "phones": phones(data),
        "roc": rocs(data),
        "calibration": calibration(data),
        "scatter": scatter(data),
        "groups": groups(data),
        "training": training(data),
        "fusion": stored_fusions(data),
        **{f"confusion-{s['letter']}": confusion(data, place) for place, s in enumerate(data["systems"])},
    }
    return {name: figure for name, figure in made.items() if figure is not None}


def forest(data: Data, metrics: Sequence[str], source: Sequence[dict[str, Any]]) -> Figure:
    """A panel a metric, a line a system with its interval; hollow grey what the source experiments published."""
    systems = data["systems"]
    names = [textwrap.fill(s["name"], 60) for s in systems] + [f"{row['system']} (published)" for row in source]
    parts = [line for name in names for line in name.split("\n")]
    height = 0.1 + 0.13 * max(name.count("\n") + 1 for name in names)
    size = (0.065 * max(map(len, parts)) + 1.2 * len(metrics), 0.7 + height * len(names))
    figure = Figure(figsize=size, layout="constrained")
    for axes, metric in zip(np.atleast_1d(figure.subplots(1, len(metrics), sharey=True)), metrics, strict=True):
        for place, system in enumerate(systems):
            _interval(axes, system["metrics"].get(metric), metric, place, place)
        for place, row in enumerate(source, start=len(systems)):
            value = row.get(metric)
            if value is None:
                continue
            shown = display(metric).factor * value
            if display(metric).unit == "%" and shown > 100:  # an axis to 237 % would hide all else
                axes.annotate(f"{shown:.0f} →", (100, place), ha="right", va="center", color=THEIRS, fontsize=7)
            else:
                axes.plot(shown, place, "o", mfc="none", mec=THEIRS)
        if source and display(metric).unit == "%":
            axes.set_xlim(0, 100)
        axes.set_title(textwrap.fill(heading(metric), 14))
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.4, -0.6)
    return figure


def tradeoff(data: Data, cost: Callable[[dict[str, Any]], float | None], label: str) -> Figure | None:
    """PER (HQ) with intervals against a cost on a logarithmic axis; None where fewer than two systems have one."""
    known = [(place, cost(s), s["metrics"].get("per_hq")) for place, s in enumerate(data["systems"])]
    shown = [(place, x, value) for place, x, value in known if x and value and value["value"] is not None]
    if len(shown) < 2:
        return None
    figure = Figure(figsize=(3.8, 2.6 + 0.14 * len(shown)), layout="constrained")
    axes = figure.subplots()
    for place, x, value in shown:
        ends = (value["value"] if value[end] is None else value[end] for end in ("low", "high"))
        low, high = (abs(value["value"] - end) for end in ends)
        axes.errorbar(x, 100 * value["value"], [[100 * low], [100 * high]], fmt=marker(place), color=colour(place))
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(EngFormatter())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set(xlabel=label, ylabel=heading("per_hq"))
    _legend(figure, axes, data, [place for place, _, _ in shown])
    return figure


def phones(data: Data) -> Figure:
    """Errors of each phone with intervals, the phone that the first system misses most on top."""
    order = sorted(data["systems"][0]["phones"], key=lambda p: -p["rate"])
    names = [p["phone"] for p in order]
    figure = Figure(
        figsize=(4.2, 0.8 + 0.14 * len(data["systems"]) + len(names) * (0.12 + 0.035 * len(data["systems"]))),
        layout="constrained",
    )
    axes = figure.subplots()
    step = 0.7 / len(data["systems"])
    for place, system in enumerate(data["systems"]):
        found = {p["phone"]: p for p in system["phones"]}
        for row, name in enumerate(names):
            _interval(
                axes, {**found[name], "value": found[name]["rate"]}, "per", row - 0.35 + (place + 0.5) * step, place
            )
    axes.set_yticks(range(len(names)), [f"{p['phone']} {data['ipa'][p['phone']]} ({p['n']:,})" for p in order])
    axes.set_ylim(len(names) - 0.3, -0.7)
    axes.set_xlabel("not recognised as the phone, %")
    _legend(figure, axes, data)
    return figure


def confusion(data: Data, place: int) -> Figure:
    """Shares of each expected phone's occurrences that were recognised as another phone or not at all."""
    system, table = data["systems"][place], data["confusion"][place]
    rows, columns = [*PHONES, INSERTED], [*PHONES, DELETED]
    counts = np.array([[table.get(f"{r}>{c}", [0])[0] for c in columns] for r in rows], dtype=float)
    occurs = {p["phone"]: p["n"] for p in system["phones"]}
    total = np.array([*(occurs.get(phone, 0) for phone in PHONES), counts[-1].sum()], dtype=float)
    share = np.divide(counts, total[:, None], out=np.full_like(counts, np.nan), where=total[:, None] > 0)
    share[np.arange(len(PHONES)), np.arange(len(PHONES))] = np.nan  # recognised: not a confusion
    figure = Figure(figsize=(6, 5.8), layout="constrained")
    axes = figure.subplots()
    axes.set_facecolor("#BBBBBB")  # the diagonal, and phones that do not occur
    image = axes.imshow(100 * share, cmap="Blues", vmin=0, vmax=100 * FULL)
    axes.set_xticks(range(len(columns)), columns, rotation=90, fontsize=6)
    axes.set_yticks(range(len(rows)), rows, fontsize=6)
    axes.set(xlabel="recognised", ylabel="expected", title=textwrap.fill(f"{system['name']}: % of a row", 70))
    axes.grid(False)
    figure.colorbar(image, ax=axes, shrink=0.6, extend="max")
    return figure


def rocs(data: Data) -> Figure:
    """ROC of both detection targets, with the AUC and its interval."""
    figure = Figure(figsize=(7, 3.5 + 0.14 * len(data["systems"])), layout="constrained")
    targets = {"utterance": "utterances of accuracy 6 or less", "phone": "phones below 0.5"}
    for axes, (target, title) in zip(figure.subplots(1, 2), targets.items(), strict=True):
        axes.plot([0, 1], [0, 1], ":", color=THEIRS, linewidth=0.8)
        for place, system in enumerate(data["systems"]):
            points, area = system["roc"][target], system["metrics"].get(f"{target}_auc")
            if points:
                axes.plot(
                    *zip(*points, strict=True),
                    stroke(place),
                    color=colour(place),
                    label=f"{system['letter']} {_with_ends(area, f'{target}_auc')}",
                )
        axes.set(xlabel="false alarms", ylabel="detected", title=title, aspect="equal")
        if axes.get_legend_handles_labels()[0]:  # one class may be absent from a trial
            axes.legend(loc="lower right", title="AUC", fontsize=6 if len(data["systems"]) > 4 else 7, borderpad=0)
    return _named(figure, data)


def calibration(data: Data) -> Figure:
    """Probability of the expected phone against the share that raters call right; area by the number of phones."""
    figure = Figure(figsize=(3.8, 3.4 + 0.14 * len(data["systems"])), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], ":", color=THEIRS, linewidth=0.8)
    most = max((n for s in data["systems"] for _, _, n in s["calibration"]), default=1)
    for place, system in enumerate(data["systems"]):
        predicted, right, n = np.array(system["calibration"]).T
        error = system["calibration_error"]
        axes.plot(predicted, right, stroke(place), color=colour(place), label=f"{system['letter']} {error:.3f}")
        axes.scatter(predicted, right, 4 + 40 * n / most, color=colour(place), alpha=0.6, linewidths=0)
    axes.set(xlabel="probability that the phone is the expected one", ylabel="share that raters call right")
    axes.set(xlim=(0, 1.03), ylim=(0, 1.03), aspect="equal")
    axes.legend(loc="lower right", title="expected calibration error", title_fontsize=7)
    return _named(figure, data)


def scatter(data: Data) -> Figure:
    """Human sentence scores against 1 - PER, a panel a system; spread sideways by up to a third for the eye."""
    systems = data["systems"]
    columns = min(4, len(systems))
    lines = -(-len(systems) // columns)
    size = (1.8 * columns + 0.4, 2 * lines + 0.14 * len(systems) + 0.3)
    figure = Figure(figsize=size, layout="constrained")
    human = np.array([np.nan if u[3] is None else u[3] for u in data["utterances"]])
    spread = np.random.default_rng(0).uniform(-0.33, 0.33, len(human))
    panels = np.atleast_1d(figure.subplots(lines, columns, sharex=True, sharey=True)).ravel()
    for axes in panels[len(systems) :]:
        axes.set_visible(False)
    for place, (axes, system) in enumerate(zip(panels[: len(systems)], systems, strict=True)):
        axes.scatter(human + spread, 1 - np.array(data["per"][place]), 2, color=colour(place), alpha=0.35, linewidths=0)
        axes.set(xlim=(-0.6, 10.6))
        axes.set_title(
            f"{system['letter']}: r {_with_ends(system['metrics'].get('utterance_pearson'), 'utterance_pearson')}",
            fontsize=7,
        )
    figure.supylabel("1 - PER", fontsize=8)
    panels[min(len(systems), columns) - 1].annotate(
        "x: human sentence accuracy", (1, 0.02), xycoords="axes fraction", ha="right", fontsize=6
    )
    return _named(figure, data)


def groups(data: Data) -> Figure:
    """PER by age, gender, proficiency and length, with intervals."""
    first = data["systems"][0]["breakdowns"]
    bands = [(d, band) for d in GROUPS for band in first.get(d, {}) if "per" in first[d][band]]
    figure = Figure(
        figsize=(4.2, 0.9 + 0.14 * len(data["systems"]) + len(bands) * (0.15 + 0.05 * len(data["systems"]))),
        layout="constrained",
    )
    axes = figure.subplots()
    step = 0.7 / len(data["systems"])
    for place, system in enumerate(data["systems"]):
        for row, (dimension, band) in enumerate(bands):
            value = system["breakdowns"].get(dimension, {}).get(band, {}).get("per")
            _interval(axes, value, "per", row - 0.35 + (place + 0.5) * step, place)
    axes.set_yticks(range(len(bands)), [f"{dimension}: {band}" for dimension, band in bands])
    axes.set_ylim(len(bands) - 0.3, -0.7)
    axes.set_xlabel(heading("per"))
    _legend(figure, axes, data)
    return figure


def training(data: Data) -> Figure | None:
    """Loss and PER (HQ) on dev by epoch, the chosen epoch marked; None where no system has epochs."""
    curves = [(place, s) for place, s in enumerate(data["systems"]) if len(s["history"]) > 1]
    if not curves:
        return None
    figure = Figure(figsize=(7, 2.5 + 0.14 * len(data["systems"])), layout="constrained")
    left, right = figure.subplots(1, 2)
    for place, system in curves:
        for axes, column, scale in ((left, 1, 1), (right, 2, 100)):
            known = [(row[0], scale * row[column]) for row in system["history"] if row[column] is not None]
            axes.plot(*zip(*known, strict=True), stroke(place), color=colour(place), label=system["letter"])
            best = [p for p in known if p[0] == system["best_epoch"]]
            axes.plot([x for x, _ in best], [y for _, y in best], marker(place), color=colour(place))
    left.set(xlabel="epoch", ylabel="training loss", yscale="log")
    left.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    left.yaxis.set_major_formatter(EngFormatter())
    left.yaxis.set_minor_formatter(NullFormatter())
    right.set(xlabel="epoch", ylabel="PER (HQ) on dev, %", ylim=(0, None))
    right.legend()
    return _named(figure, data)


def _interval(axes: Axes, value: dict[str, Any] | None, metric: str, y: float, place: int) -> None:
    if value is None or value["value"] is None:
        return
    k = display(metric).factor
    if value["low"] is not None and value["high"] is not None:
        axes.plot([k * value["low"], k * value["high"]], [y, y], color=colour(place))
    axes.plot(k * value["value"], y, marker(place), color=colour(place), markersize=3)


def _with_ends(found: dict[str, Any] | None, metric: str) -> str:
    if found is None or found["value"] is None:
        return DASH
    low, high = (number(found[end], metric) for end in ("low", "high"))
    return number(found["value"], metric) + ("" if DASH in (low, high) else f" [{low}, {high}]")


def _speed(system: dict[str, Any]) -> float | None:
    speed = system["speed"]
    return None if speed is None or speed["busy"] else speed["audio_per_second"]


def _legend(figure: Figure, axes: Axes, data: Data, places: Sequence[int] | None = None) -> None:
    """Markers and names below the figure."""
    for place in range(len(data["systems"])) if places is None else places:
        axes.plot([], [], marker(place), color=colour(place), label=data["systems"][place]["name"])
    figure.legend(loc="outside lower left")


def _named(figure: Figure, data: Data) -> Figure:
    """What the letters stand for, below the figure."""
    lines = [f"{s['letter']}: {s['name']}" for s in data["systems"]]
    figure.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=7)
    return figure
