"""One HTML page of scored recordings: it plays, it is coloured phone by phone, it needs no network."""

from phonobench.assessment.formats.page.build import render

__all__ = ["render"]
