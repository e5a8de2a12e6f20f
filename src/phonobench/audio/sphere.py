"""NIST SPHERE, in which TIMIT and WSJ come: its header counts the samples."""

from __future__ import annotations

import re

from phonobench.audio.pieces import SLACK, Content, Piece, UnsupportedError, truncated, view
from phonobench.types import PhonobenchError


def sphere(content: Content) -> list[Piece]:
    """The samples of a SPHERE file that is not compressed."""
    try:
        start = int(content[8:16])
    except ValueError as error:
        raise PhonobenchError("damaged SPHERE header; copy it again") from error
    fields = dict(re.findall(rb"(\w+) -\w+ (\S+)", content[16:start]))
    coding = fields.get(b"sample_coding", b"pcm").decode(errors="replace")
    if "shorten" in coding or "wavpack" in coding:
        raise UnsupportedError(f"SPHERE with {coding}")
    try:
        counted = [int(fields[name]) for name in (b"sample_count", b"channel_count", b"sample_n_bytes")]
    except (KeyError, ValueError) as error:
        raise PhonobenchError("SPHERE file that does not count its samples; convert it") from error
    declared, present = counted[0] * counted[1] * counted[2], len(content) - start
    if declared - present > SLACK:
        raise truncated("SPHERE", present, declared)
    if present - declared > SLACK:
        raise PhonobenchError(f"SPHERE file with {present} bytes of samples, {declared} by its header; convert it")
    return [Piece((view(content),))]
