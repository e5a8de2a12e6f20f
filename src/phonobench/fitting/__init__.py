"""Trained scorers: descriptions of what runs heard, the fit on unseen speakers, its figures, and the export."""

from phonobench.fitting.evaluation import assess, compare, evaluate
from phonobench.fitting.export import export
from phonobench.fitting.fit import LEVEL, cross_validated, fit
from phonobench.fitting.open import export_cache, find_scorer, is_scorer, open_scorer

__all__ = [
    "LEVEL",
    "assess",
    "compare",
    "cross_validated",
    "evaluate",
    "export",
    "export_cache",
    "find_scorer",
    "fit",
    "is_scorer",
    "open_scorer",
]
