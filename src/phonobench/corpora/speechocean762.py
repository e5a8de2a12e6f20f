"""SpeechOcean762: 5,000 English sentences read by 250 Mandarin speakers, scored by five experts (OpenSLR 101).

Zhang et al., Interspeech 2021. The official release (WAV, `mispronunciations` blocks) and copies with other sound
files or without those blocks read alike; where a block is missing, `Judgement.perceived` is None.
"""

from __future__ import annotations

from pathlib import Path

from phonobench.corpora import layout
from phonobench.corpora.files import read_table
from phonobench.corpora.specification import Counts, Expected, Specification
from phonobench.types import PhonobenchError

NAME = "speechocean762"
SENTENCES = {
    "train": {
        "000010011": "WE CALL IT BEAR",
        "000360034": "WE SPEAK OUT WHEN WE FEEL WE SHOULD SPEAK OUT",
        "000360223": "I KEEP IT TO BE AMUSED BY THE STUPIDITY",
    },
    "test": {
        "000030012": "MARK IS GOING TO SEE ELEPHANT",
        "000240031": "WE HAVE CLIMBED ONE STEP UP THE LADDER",
        "000240073": "MOSTLY THE AMERICAN COMMUNITY IN EUROPE FOLLOWS THE GAME",
    },
}
"""Some utterances with their transcripts. A copy that has one of them is one of SpeechOcean762, whole or not."""


def recognises(path: Path) -> bool:
    """Whether a folder in the layout is a copy of SpeechOcean762, by its name or by one of the `SENTENCES`."""
    return layout.has_layout(path) and (path.resolve().name == NAME or any(_has_sentence(path, f) for f in SENTENCES))


def _has_sentence(root: Path, folder: str) -> bool:
    try:
        texts = read_table(root / folder / "text")
    except PhonobenchError:
        return False
    return any(texts.get(uid) == text for uid, text in SENTENCES[folder].items())


SPECIFICATION = Specification(
    name=NAME,
    title="SpeechOcean762: English read by 250 Mandarin speakers, scored by five experts",
    licence="CC BY 4.0",
    home="https://www.openslr.org/101/",
    holds=f"{', '.join(layout.MARKS)}, and sentences of SpeechOcean762",
    recognises=recognises,
    utterances=layout.utterances,
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
