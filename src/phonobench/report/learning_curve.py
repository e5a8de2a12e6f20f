"""A learning curve as a picture: loss and PER (HQ) on dev by epoch, an SVG that needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from phonobench.report.runs import Epoch

PANEL = (300, 190)
"""Width and height of a panel."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 26, 34
_INK, _SOFT, _LINE, _COLOUR = "#1d2126", "#5c646d", "#d9d6cf", "#0b5c8a"

Points = list[tuple[float, float]]


def picture(epochs: Sequence[Epoch], best_epoch: int | None, name: str) -> str:
    """An SVG of two panels: training loss, and PER (HQ) on dev.

    Args:
        epochs: The history of the training.
        best_epoch: The epoch that was chosen on dev, which is marked.
        name: The title.

    Returns:
        The SVG; empty where fewer than two epochs are known.
    """
    panels: list[tuple[str, Points]] = [
        ("training loss", [(e.epoch, e.loss) for e in epochs if e.loss is not None]),
        ("PER (HQ) on dev, %", [(e.epoch, 100 * e.dev_per) for e in epochs if e.dev_per is not None]),
    ]
    shown = [(title, found) for title, found in panels if len(found) > 1]
    if not shown:
        return ""
    width, height = PANEL
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width * len(shown)}" height="{height}" '
        f'viewBox="0 0 {width * len(shown)} {height}" font-family="system-ui, sans-serif" font-size="11" role="img">',
        f"<title>Training of {escape(name)}</title>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
    ]
    for place, (title, found) in enumerate(shown):
        parts += [f'<g transform="translate({place * width} 0)">', *_panel(title, found, best_epoch), "</g>"]
    return "\n".join([*parts, "</svg>"]) + "\n"


def ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round numbers between two, ends included.

    Args:
        low: The lower end of the axis.
        high: The upper end.
        about: How many are wanted; the step is rounded to 1, 2 or 5 times a power of ten, so that it is not exact.

    Returns:
        The numbers, rising.
    """
    if not high > low:
        return [low]
    rough = (high - low) / about
    unit = 10 ** math.floor(math.log10(rough))
    step = unit * next(k for k in (1, 2, 5, 10) if k * unit >= 0.999 * rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(k * step, 12) for k in range(first, last + 1)]


def _panel(title: str, found: Points, best_epoch: int | None) -> list[str]:
    width, height = PANEL
    low, high = found[0][0], found[-1][0]
    top = 1.05 * max(y for _, y in found) or 1.0
    bottom = min(0.0, *(y for _, y in found))

    def px(x: float) -> float:
        return _LEFT + (x - low) / (high - low) * (width - _LEFT - _RIGHT)

    def py(y: float) -> float:
        return height - _BOTTOM - (y - bottom) / (top - bottom) * (height - _TOP - _BOTTOM)

    parts = [f'<text x="{_LEFT}" y="16" fill="{_INK}" font-weight="600">{escape(title)}</text>']
    for y in ticks(bottom, top):
        parts.append(f'<path d="M{_LEFT} {py(y):.1f}H{width - _RIGHT}" stroke="{_LINE}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{py(y) + 4:.1f}" fill="{_SOFT}" text-anchor="end">{y:g}</text>')
    for x in (x for x in ticks(low, high) if x == int(x)):
        parts.append(f'<text x="{px(x):.1f}" y="{height - 18}" fill="{_SOFT}" text-anchor="middle">{x:g}</text>')
    parts.append(f'<text x="{width / 2}" y="{height - 4}" fill="{_SOFT}" text-anchor="middle">epoch</text>')
    path = "".join(f"{'L' if i else 'M'}{px(x):.1f} {py(y):.1f}" for i, (x, y) in enumerate(found))
    parts.append(f'<path d="{path}" fill="none" stroke="{_COLOUR}" stroke-width="2"/>')
    parts += [
        f'<circle cx="{px(x):.1f}" cy="{py(y):.1f}" r="4" fill="{_COLOUR}"><title>epoch {x:g}, chosen on dev: '
        f"{y:.4g}</title></circle>"
        for x, y in found
        if x == best_epoch
    ]
    return parts
