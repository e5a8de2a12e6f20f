"""Scores of recordings: the one library call, and the same for many files."""

from phonobench.assessment.scoring.call import Assessor, load, score

__all__ = ["Assessor", "load", "score"]
