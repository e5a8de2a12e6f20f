"""Paired differences of runs as a forest plot: every pair, every metric, with intervals."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.figure import Figure

from phonobench.evaluate import Comparison
from phonobench.report.figures.style import THEIRS, colour, marker
from phonobench.report.labels import display, heading
from phonobench.tasks import metrics

ALPHA = 0.05


def difference_figure(compared: Comparison) -> Figure:
    """A panel a metric, a line a pair; filled where p after Holm is below 0.05; better for the first lies right.

    Differences of error rates are drawn with their sign turned, so that right is good everywhere.
    """
    compared_by, known = list(dict.fromkeys(gap.metric for gap in compared.gaps)), metrics()
    letters = {run: chr(ord("A") + place) for place, run in enumerate(compared.runs)}
    pairs = list(dict.fromkeys((gap.a, gap.b) for gap in compared.gaps))
    columns = min(4, len(compared_by))
    lines = math.ceil(len(compared_by) / columns)
    size = (1.9 * columns + 0.5, lines * (0.75 + 0.2 * len(pairs)) + 0.2 * len(letters) + 0.2)
    figure = Figure(figsize=size, layout="constrained")
    panels = np.atleast_1d(figure.subplots(lines, columns, sharey=True)).ravel()
    for axes, metric in zip(panels, compared_by, strict=False):  # a last line may have panels left over
        k = display(metric).factor * (-1 if known[metric].better == "low" else 1)
        axes.axvline(0, color=THEIRS, linewidth=0.8)
        for gap in (gap for gap in compared.gaps if gap.metric == metric):
            place = pairs.index((gap.a, gap.b))
            settled = gap.p_holm < ALPHA
            axes.plot([k * gap.low, k * gap.high], [place, place], color=colour(0))
            axes.plot(k * gap.difference, place, marker(0), color=colour(0), mfc=None if settled else "white")
        axes.set_title(heading(metric) + (" saved" if k < 0 else ""))
        axes.set_yticks(range(len(pairs)), [f"{letters[a]} - {letters[b]}" for a, b in pairs])
        axes.set_ylim(len(pairs) - 0.5, -0.5)
    for axes in panels[len(compared_by) :]:
        axes.set_visible(False)
    about = (
        f"{compared.split}, {compared.utterances} utterances of {compared.speakers} speakers; 95 % intervals, paired; "
    )
    names = [f"{letter}: {run}" for run, letter in letters.items()]
    synthetic = ["SYNTHETIC SPEECH"] if compared.synthetic else []
    note = "\n".join([*synthetic, f"{about}right is better for the first; filled: p < {ALPHA} after Holm", *names])
    figure.supxlabel(note, x=0.01, ha="left", fontsize=7)
    return figure
