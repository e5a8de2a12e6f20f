"""Corpora: which there are, and where a copy lies on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from phonobench.corpora import layout, speechocean762
from phonobench.types import Corpus, PhonobenchError

ENVIRONMENT = "PHONOBENCH_CORPUS"


def find(path: str | os.PathLike[str] | None = None, *, limit: int | None = None) -> Corpus:
    """Read a corpus: the one at `path`, else at $PHONOBENCH_CORPUS, else in a sibling `shared/`."""
    if path is not None:
        return speechocean762.read(path, limit=limit)
    if named := os.environ.get(ENVIRONMENT):
        return speechocean762.read(named, limit=limit)
    for folder in _nearby(speechocean762.NAME):
        return speechocean762.read(folder, limit=limit)
    raise PhonobenchError(
        f"no corpus found; give --corpus FOLDER, set {ENVIRONMENT}, or download it (phonobench corpus --download)"
    )


def _nearby(name: str) -> Iterator[Path]:
    """Folders `shared/NAME` beside or above the working directory and the checkout, nearest first."""
    for start in (Path.cwd(), Path(__file__).resolve().parents[3]):
        for folder in (start, *start.parents):
            if layout.is_corpus(folder / "shared" / name):
                yield folder / "shared" / name
