"""One look for all figures: colours that the colour-blind tell apart (Okabe and Ito), a marker each, text as text."""

from __future__ import annotations

import io
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from phonobench import store
from phonobench.types import PhonobenchError

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
THEIRS = "#767676"
"""Of what others published."""
SUFFIXES = ("pdf", "svg", "png")

_LOOK: dict[Any, Any] = {
    "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"], "font.size": 8, "axes.titlesize": 8,
    "axes.labelsize": 8, "xtick.labelsize": 7, "ytick.labelsize": 7, "legend.fontsize": 7, "legend.frameon": False,
    "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.6, "axes.grid": True,
    "axes.axisbelow": True, "grid.color": "#DDDDDD", "grid.linewidth": 0.5, "lines.linewidth": 1.2,
    "lines.markersize": 4, "pdf.fonttype": 42, "svg.fonttype": "none", "svg.hashsalt": "phonobench",
}  # fmt: skip


def look() -> AbstractContextManager[None]:
    """The context in which figures are drawn and written."""
    return rc_context(_LOOK)


def colour(place: int) -> str:
    """Colour of the system at a place."""
    return COLOURS[place % len(COLOURS)]


def marker(place: int) -> str:
    """Marker of the system at a place; with the colour it tells 49 systems apart."""
    return MARKERS[(place + place // len(COLOURS)) % len(MARKERS)]


def stroke(place: int) -> str:
    """Line style of the system at a place: dashed where the colours begin again."""
    return ("-", "--", ":", "-.")[place // len(COLOURS) % 4]


def write(figure: Figure, path: Path) -> Path:
    """Writes a figure in the format of its suffix, without a date, so that equal figures are equal files.

    Raises PhonobenchError for another suffix than `SUFFIXES`.
    """
    suffix = path.suffix.removeprefix(".")
    if suffix not in SUFFIXES:
        raise PhonobenchError(f"{path}: figures are written as {', '.join(SUFFIXES)}")
    dates: dict[str, dict[str, Any]] = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}
    drawn = io.BytesIO()
    figure.savefig(drawn, format=suffix, bbox_inches="tight", dpi=200, metadata=dates.get(suffix))
    store.write_bytes(path, drawn.getvalue())
    return path
