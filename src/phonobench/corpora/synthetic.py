"""The synthetic corpus that ships with the package: espeak-ng speech with planted errors, scored by simulated raters.

It serves where SpeechOcean762 is not at hand, so that everything runs; its figures say nothing about human speech.
Same layout and reader. `tools/make_synthetic.py` makes it, its own README.md says how. Beside the usual files
`resource/said-phone` holds the phones that each word was synthesised with.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from phonobench.corpora import layout
from phonobench.corpora.files import read_table
from phonobench.corpora.specification import Counts, Expected, Specification
from phonobench.phones import DELETED
from phonobench.types import Corpus, PhonobenchError

__all__ = ["ROOT", "SPECIFICATION", "read", "said"]

ROOT = Path(str(resources.files("phonobench.corpora"))) / "synthetic_data"
"""Where the installed package keeps it."""
SAID = "resource/said-phone"


def recognises(path: Path) -> bool:
    """Whether a folder is this corpus or a copy of it: only it tells what its words were synthesised with."""
    return layout.has_layout(path) and (path / SAID).is_file()


SPECIFICATION = Specification(
    name="synthetic",
    title="Synthetic speech (espeak-ng) of 37 voices with planted errors, scores simulated",
    licence="CC0 1.0",
    home="tools/make_synthetic.py in the phonobench repository",
    holds=f"{', '.join(layout.MARKS)}, and {SAID}",
    recognises=recognises,
    utterances=layout.utterances,
    expected=Expected(
        train=Counts(utterances=400, speakers=25, words=2_101, phones=5_928, mispronounced=290),
        test=Counts(utterances=144, speakers=12, words=728, phones=2_036, mispronounced=96),
    ),
    synthetic=True,
    root=ROOT,
)


def read(*, limit: int | None = None) -> Corpus:
    """The corpus inside the package, with its counts checked.

    Args:
        limit: as in `Specification.read`.

    Example:
        >>> read(limit=1).split("test")[0].prompt.text
        'HER LARGE DOCTOR TOOK OUR GARAGE'
    """
    return SPECIFICATION.read(ROOT, limit=limit)


def said(root: Path = ROOT) -> dict[str, tuple[tuple[str, ...], ...]]:
    """The phones that each word of an utterance was synthesised with: {utterance: symbols of each word}.

    Phones are ARPAbet without stress; `HH*` is that phone with a heavy accent. An omitted word is empty.

    Raises:
        PhonobenchError: if the words of an utterance are not numbered 0, 1, 2...

    Example:
        >>> said()["000030005"][:2]
        (('HH', 'ER'), ('D', 'AO', 'G'))
    """
    words: dict[str, list[tuple[str, ...]]] = {}
    for key, symbols in read_table(root / SAID).items():
        uid, _, place = key.partition(".")
        if place != str(len(words.setdefault(uid, []))):
            raise PhonobenchError(f"{root / SAID}: word {key!r} is out of order; install the package again")
        words[uid].append(() if symbols == DELETED else tuple(symbols.split()))
    return {uid: tuple(found) for uid, found in words.items()}
