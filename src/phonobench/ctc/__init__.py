"""Connectionist temporal classification over stored posteriors: decoding, likelihoods, alignment, rivals.

`logp` is (T, V): log-probabilities of any float type, blank in column 0; computed in float64. `ids` are columns
1 to V - 1. `-inf` is probability zero and is honoured as such: nothing is floored, and no result underflows however
improbable it is (float16's lowest finite value, -65504, frame after frame, is exact). Everything here is a pure
function and may run in several threads at once.
"""

from phonobench.ctc.alignment import Alignment, align, needed
from phonobench.ctc.decoding import GREEDY, Decoder, beam, decoder, greedy
from phonobench.ctc.likelihood import forward, insertions, occupancy, rivals

__all__ = [
    "GREEDY",
    "Alignment",
    "Decoder",
    "align",
    "beam",
    "decoder",
    "forward",
    "greedy",
    "insertions",
    "needed",
    "occupancy",
    "rivals",
]
