"""Sun AU: the samples behind its header, whatever size it names."""

from __future__ import annotations

from phonobench.audio.pieces import SLACK, Content, Piece, joined_files, truncated, view
from phonobench.audio.riff import OPEN
from phonobench.types import PhonobenchError


def au(content: Content) -> list[Piece]:
    """The samples of AU in either byte order (`.snd`, `dns.`)."""
    order = "big" if content[:4] == b".snd" else "little"
    start, declared = (int.from_bytes(content[at : at + 4], order) for at in (4, 8))  # type: ignore[arg-type]
    if len(content) < 24 or not 24 <= start <= len(content):
        raise PhonobenchError("truncated AU file, it ends before its samples; copy it again")
    present = len(content) - start
    if declared - present > SLACK and declared < OPEN:
        raise truncated("AU", present, declared)
    if content[start + declared : start + declared + 4] == content[:4] and declared:
        raise joined_files("AU", start + declared)
    size = present.to_bytes(4, order) if present < 1 << 32 else b"\xff" * 4  # type: ignore[arg-type]
    return [Piece((content[:8] + size + content[12:start], view(content, start)))]
