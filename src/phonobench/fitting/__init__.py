"""Trained scorers: features of speakers that recognisers were not trained on, the fit, its figures, and the export."""

from phonobench.fitting.evaluation import assess, compare, evaluate
from phonobench.fitting.export import export
from phonobench.fitting.fit import LEVEL, fit
from phonobench.fitting.open import export_cache, find_scorer, is_scorer, open_scorer

__all__ = [
    "LEVEL",
    "assess",
    "compare",
    "evaluate",
    "export",
    "export_cache",
    "find_scorer",
    "fit",
    "is_scorer",
    "open_scorer",
]
