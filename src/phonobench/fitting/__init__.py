"""Trained scorers: descriptions of what runs heard, the fit on unseen speakers, its figures, and the export."""

from phonobench.fitting.evaluation import evaluate
from phonobench.fitting.export import export
from phonobench.fitting.fit import fit

__all__ = ["evaluate", "export", "fit"]
