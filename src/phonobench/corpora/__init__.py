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
    "DEFAULT",
    "ENVIRONMENT",
    "FOLDS",
    "AudioFault",
    "Specification",
    "check_audio",
    "download",
    "find",
    "folded",
    "raters",
    "recognise",
    "statistics",
]

ENVIRONMENT = "PHONOBENCH_CORPUS"
"""Environment variable that names the folder of a corpus."""
DEFAULT = speechocean762.NAME
"""The corpus that is looked for where none is named, and that a download fetches where none is named."""

CORPORA: dict[str, Specification] = {
    spec.name: spec for spec in (speechocean762.SPECIFICATION, synthetic.SPECIFICATION, layout.SPECIFICATION)
}
"""Every corpus by name. A corpus with a `root` ships with the package."""


def find(
    path: str | os.PathLike[str] | None = None, *, allow_synthetic: bool = True, limit: int | None = None
) -> Corpus:
    """Read the corpus that is at hand.

    In this order: `path`; what $PHONOBENCH_CORPUS names; `shared/speechocean762` beside or above the working
    directory or the checkout; the synthetic corpus that ships with the package (`Corpus.synthetic` tells). A folder
    that was named is never passed over for another: if it is wrong, that is the error.

    Args:
        path: a folder (or file), which is read by the corpus that recognises it, or the name of a corpus.
        allow_synthetic: whether the synthetic corpus is taken where nothing else is found.
        limit: as in `Specification.read`.

    Raises:
        PhonobenchError: if nothing is found, no corpus recognises what was named, or the copy is not sound.

    Example:
        >>> found = find("synthetic", limit=2)
        >>> found.name, len(found.split("test"))
        ('synthetic', 2)
    """
    for source, named in (("", path), (f"{ENVIRONMENT}: ", os.environ.get(ENVIRONMENT))):
        if named:
            try:
                return _read_named(named, limit)
            except PhonobenchError as error:
                raise PhonobenchError(f"{source}{error}") from error
    near = next(_nearby(DEFAULT), None)
    if near is not None:
        return CORPORA[DEFAULT].read(near, limit=limit)
    if allow_synthetic:
        return synthetic.read(limit=limit)
    raise PhonobenchError(
        f"no copy of SpeechOcean762 found; give --corpus FOLDER, set {ENVIRONMENT}, or fetch it with "
        "`phonobench corpus --download`"
    )


def recognise(path: str | os.PathLike[str]) -> Specification:
    """The corpus that recognises a folder or a file.

    A `general` one is taken only where no other recognises it.

    Raises:
        PhonobenchError: where none recognises it, which lists what was looked for, or several do.

    Example:
        >>> recognise(synthetic.ROOT).name
        'synthetic'
    """
    path = Path(path)
    if not path.exists():
        raise PhonobenchError(f"{path} is not a corpus: there is no such folder or file")
    claims = [spec for spec in CORPORA.values() if spec.recognises(path)]
    found = [spec for spec in claims if not spec.general] or claims
    if not found:
        looked_for = "; ".join(f"{spec.name} ({spec.holds})" for spec in CORPORA.values())
        raise PhonobenchError(f"{path} is not a corpus that is known here; looked for: {looked_for}")
    if len(found) > 1:
        names = " and ".join(spec.name for spec in found)
        raise PhonobenchError(
            f"{path} is recognised as {names}; rename the folder, or take out what it has of the other"
        )
    return found[0]


def _read_named(named: str | os.PathLike[str], limit: int | None) -> Corpus:
    """Read the folder or the corpus that the user named."""
    folder, name = Path(named), os.fspath(named)
    known = CORPORA.get(name)
    if known is not None and known.root is not None:
        return known.read(known.root, limit=limit)
    if known is not None and not folder.exists():
        near = next(_nearby(name), None)
        if near is None:
            raise PhonobenchError(f"no copy of {name} found nearby; give its folder, or fetch it with --download")
        return known.read(near, limit=limit)
    if not folder.exists() and (close := difflib.get_close_matches(name, CORPORA, n=1)):
        raise PhonobenchError(f"{name}: no such folder or corpus; did you mean {close[0]}?")
    return recognise(folder).read(folder, limit=limit)


def _nearby(name: str) -> Iterator[Path]:
    """Folders `shared/NAME` beside or above the working directory and the checkout, nearest first."""
    for start in (Path.cwd(), Path(__file__).resolve().parents[3]):
        for folder in (start, *start.parents):
            if CORPORA[name].recognises(folder / "shared" / name):
                yield folder / "shared" / name
