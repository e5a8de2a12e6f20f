"""Statistics whose unit of chance is the speaker: weighted metrics, bootstrap draws, intervals, paired tests.

A metric is a function of rows and of one weight a speaker: weight 1 is the value, multinomial weights are the
bootstrap. Every function here is batched: weights (R, S) in, values (R,) out, NaN where a draw leaves it undefined.
"""

from phonobench.stats.bootstrap import (
    Difference,
    Estimate,
    Undefined,
    difference,
    estimate,
    holm,
    speaker_draws,
    undefined,
)
from phonobench.stats.ranked import auc, average_precision, best_f1_threshold, spearman
from phonobench.stats.rows import Rows, gather
from phonobench.stats.weighted import Confusion, confusion, f1, mcc, mean, pearson, precision, ratio, recall

__all__ = [
    "Confusion",
    "Difference",
    "Estimate",
    "Rows",
    "Undefined",
    "auc",
    "average_precision",
    "best_f1_threshold",
    "confusion",
    "difference",
    "estimate",
    "f1",
    "gather",
    "holm",
    "mcc",
    "mean",
    "pearson",
    "precision",
    "ratio",
    "recall",
    "speaker_draws",
    "spearman",
    "undefined",
]
