"""One HTML page of scored recordings: it plays, it is coloured phone by phone, it needs no network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from phonobench.assessment.formats.format import Format

if TYPE_CHECKING:
    from phonobench.assessment.schema import Score


def render(scores: Sequence[Score]) -> str:
    """The page of some scores. Scores of samples in memory have no sound.

    Raises:
        PhonobenchError: where a sound file has gone or cannot be decoded.
    """
    from phonobench.assessment.formats.page import build

    return build.render(scores)


FORMAT = Format(
    "html",
    "one page of all, to see and to play",
    render,
    layout="page",
    suffixes=(".html",),
    is_ours=lambda content: b'<meta name="generator" content="phonobench' in content,
)

__all__ = ["FORMAT", "render"]
