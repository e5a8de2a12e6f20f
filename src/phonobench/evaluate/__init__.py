"""From stored posteriors to figures with intervals: `evaluate` one run, `compare` several on the same draws."""

from phonobench.evaluate.answers import Answers, answer, answers
from phonobench.evaluate.comparison import HEADLINE, Comparison, Gap, compare
from phonobench.evaluate.curve import Point, choose, curve, grid
from phonobench.evaluate.measurement import BANDS, bands, measure
from phonobench.evaluate.verdict import decoder_facts, evaluate

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
