"""SpeechOcean762: 5,000 English sentences read by 250 Mandarin speakers, scored by five experts (OpenSLR 101).

Zhang et al., Interspeech 2021; CC BY 4.0. The official release (WAV, `mispronunciations` blocks) and copies with
other sound files or without those blocks read alike; where the blocks are missing, `Judgement.heard` is all None.
"""

from __future__ import annotations

import os
from pathlib import Path

from phonobench.corpora import layout
from phonobench.corpora.layout import Counts, Expected
from phonobench.types import Corpus

NAME = "speechocean762"
PUBLISHED = Expected(
    train=Counts(utterances=2500, speakers=125, words=15_849, phones=47_076, mispronounced=1_991),
    test=Counts(utterances=2500, speakers=125, words=15_967, phones=47_369, mispronounced=1_412),
)


def read(root: str | os.PathLike[str], *, expected: Expected | None = PUBLISHED, limit: int | None = None) -> Corpus:
    """Read a copy of the corpus and assert the published counts; dev = `sorted(train speakers)[::5]`.

    See `layout.read` for the checks, `expected=None` (a part of the corpus, counts not asserted) and `limit`.
    """
    return layout.read(Path(root), name=NAME, expected=expected, limit=limit)
