"""From stored posteriors to figures with intervals: `evaluate` one run, `compare` several on the same draws."""

from phonobench.evaluate.comparison import Comparison, MetricDifference, compare, headline
from phonobench.evaluate.fusion_weights import Point, choose, curve, grid
from phonobench.evaluate.intervals import BANDS, bands, measure
from phonobench.evaluate.predictions import SplitPredictions, predict_all, predict_split
from phonobench.evaluate.run import decoder_facts, evaluate

__all__ = [
    "BANDS",
    "Comparison",
    "MetricDifference",
    "Point",
    "SplitPredictions",
    "bands",
    "choose",
    "compare",
    "curve",
    "decoder_facts",
    "evaluate",
    "grid",
    "headline",
    "measure",
    "predict_all",
    "predict_split",
]
