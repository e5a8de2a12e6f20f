"""Figures for papers, by matplotlib (the extra `figures`): the plots of the report, of paired differences, of fusions.

`draw` takes what the report page shows; nothing is computed here. Figures are vector graphics with text as text.
"""

from phonobench.report.figures.differences import difference_figure
from phonobench.report.figures.fusions import fusion_figure, read_curve
from phonobench.report.figures.plots import draw
from phonobench.report.figures.style import SUFFIXES, look, write

__all__ = ["SUFFIXES", "difference_figure", "draw", "fusion_figure", "look", "read_curve", "write"]
