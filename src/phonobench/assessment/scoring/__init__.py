"""Scores of recordings: the one library call, and the same for many files."""

from phonobench.assessment.scoring.call import Package, load, score

__all__ = ["Package", "load", "score"]
