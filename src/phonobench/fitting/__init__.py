"""Trained scorers: descriptions of what runs heard, the fit on unseen speakers, its figures, and the export."""

from phonobench.fitting.evaluation import assess, assess_by_package, evaluate
from phonobench.fitting.export import export
from phonobench.fitting.fit import LEVEL, cross_validated, fit

__all__ = ["LEVEL", "assess", "assess_by_package", "cross_validated", "evaluate", "export", "fit"]
