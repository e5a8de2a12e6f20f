"""From stored posteriors to figures with intervals: `evaluate` one run, `compare` several on the same draws."""

from phonobench.evaluate.comparison import HEADLINE, Comparison, Gap, compare
from phonobench.evaluate.fusion_weights import Point, choose, curve, grid
from phonobench.evaluate.intervals import BANDS, bands, measure
from phonobench.evaluate.predictions import Answers, answer, answers
from phonobench.evaluate.run import decoder_facts, evaluate

__all__ = [
    "BANDS",
    "HEADLINE",
    "Answers",
    "Comparison",
    "Gap",
    "Point",
    "answer",
    "answers",
    "bands",
    "choose",
    "compare",
    "curve",
    "decoder_facts",
    "evaluate",
    "grid",
    "measure",
]
