"""Corpora: which there are (`CORPORA`), where a copy lies on this machine (`find`), and what is in it."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from pathlib import Path

from phonobench.corpora import download, layout, raters, speechocean762, synthetic
from phonobench.corpora.folds import FOLDS, folded
from phonobench.corpora.specification import Specification
from phonobench.corpora.survey import AudioFault, check_audio, statistics
from phonobench.types import Corpus, PhonobenchError

__all__ = [
    "CORPORA",
    "ENVIRONMENT",
    "FOLDS",
    "AudioFault",
    "Specification",
    "check_audio",
    "download",
    "find",
    "folded",
    "raters",
    "statistics",
]

ENVIRONMENT = "PHONOBENCH_CORPUS"
"""Environment variable that names the folder of a corpus."""

CORPORA: dict[str, Specification] = {
    spec.name: spec for spec in (speechocean762.SPECIFICATION, synthetic.SPECIFICATION)
}
"""Every corpus by name. A corpus with a `root` ships with the package."""


def find(
    path: str | os.PathLike[str] | None = None, *, allow_synthetic: bool = True, limit: int | None = None
) -> Corpus:
    """Read the corpus that is at hand.

    In this order: `path` (a folder, or the name of a corpus); the folder in $PHONOBENCH_CORPUS;
    `shared/speechocean762` beside or above the working directory or the checkout; and, unless `allow_synthetic` is
    False, the synthetic corpus that ships with the package (`Corpus.synthetic` tells). A folder that was named is
    never passed over for another: if it is wrong, that is the error. `limit` as in `layout.read`.
    """
    for source, named in (("", path), (f"{ENVIRONMENT}: ", os.environ.get(ENVIRONMENT))):
        if named:
            try:
                return _read_named(named, limit)
            except PhonobenchError as error:
                raise PhonobenchError(f"{source}{error}") from error
    near = next(_nearby(speechocean762.SPECIFICATION.name), None)
    if near is not None:
        return layout.read(near, speechocean762.SPECIFICATION, limit=limit)
    if allow_synthetic:
        return synthetic.read(limit=limit)
    raise PhonobenchError(
        f"no copy of SpeechOcean762 found; give --corpus FOLDER, set {ENVIRONMENT}, or fetch it with "
        "`phonobench corpus --download`"
    )


def _read_named(named: str | os.PathLike[str], limit: int | None) -> Corpus:
    """Read the folder or the corpus that the user named."""
    folder, name = Path(named), os.fspath(named)
    for spec in CORPORA.values():
        if spec.root is not None and (folder.resolve() == spec.root.resolve() or name == spec.name):
            return layout.read(spec.root, spec, limit=limit)
    if name in CORPORA and not folder.exists():
        near = next(_nearby(name), None)
        if near is None:
            raise PhonobenchError(f"no copy of {name} found nearby; give its folder, or fetch it with --download")
        folder = near
    if not folder.exists() and (close := difflib.get_close_matches(name, CORPORA, n=1)):
        raise PhonobenchError(f"{name}: no such folder or corpus; did you mean {close[0]}?")
    return layout.read(folder, speechocean762.SPECIFICATION, limit=limit)


def _nearby(name: str) -> Iterator[Path]:
    """Folders `shared/NAME` beside or above the working directory and the checkout, nearest first."""
    for start in (Path.cwd(), Path(__file__).resolve().parents[3]):
        for folder in (start, *start.parents):
            if layout.is_corpus(folder / "shared" / name):
                yield folder / "shared" / name
