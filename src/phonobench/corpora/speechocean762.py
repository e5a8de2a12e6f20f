"""SpeechOcean762: 5,000 English sentences read by 250 Mandarin speakers, scored by five experts (OpenSLR 101).

Zhang et al., Interspeech 2021. The official release (WAV, `mispronunciations` blocks) and copies with other sound
files or without those blocks read alike; where a block is missing, `Judgement.perceived` is None.
"""

from __future__ import annotations

import os
from pathlib import Path

from phonobench.corpora import layout
from phonobench.corpora.lexicon import read as lexicon
from phonobench.corpora.raters import read as raters
from phonobench.corpora.specification import Counts, Expected, Specification
from phonobench.types import Corpus

__all__ = ["SPECIFICATION", "lexicon", "raters", "read"]

SPECIFICATION = Specification(
    name="speechocean762",
    title="SpeechOcean762: English read by 250 Mandarin speakers, scored by five experts",
    licence="CC BY 4.0",
    home="https://www.openslr.org/101/",
    expected=Expected(
        train=Counts(utterances=2500, speakers=125, words=15_849, phones=47_076, mispronounced=1_991),
        test=Counts(utterances=2500, speakers=125, words=15_967, phones=47_369, mispronounced=1_412),
    ),
    urls=(
        "https://www.openslr.org/resources/101/speechocean762.tar.gz",
        "https://openslr.trmal.net/resources/101/speechocean762.tar.gz",
        "https://openslr.elda.org/resources/101/speechocean762.tar.gz",
        "https://openslr.magicdatatech.com/resources/101/speechocean762.tar.gz",
    ),
)


def read(root: str | os.PathLike[str], *, counted: bool = True, limit: int | None = None) -> Corpus:
    """Read a copy of the corpus and assert the published counts; dev = `sorted(train speakers)[::5]`.

    See `layout.read` for the checks, `counted=False` (a part of the corpus) and `limit`.
    """
    return layout.read(Path(root), SPECIFICATION, counted=counted, limit=limit)
