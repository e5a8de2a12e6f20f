"""Writes src/phonobench/articulation.json: the articulatory features of the 39 phones, as panphon tells them.

panphon takes seconds to load and drops without a word what it does not know (r-coloured vowels, ASCII g), so the few
vectors that are needed are kept in the package. A test holds the file and the distances against panphon itself.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

from panphon.featuretable import FeatureTable

from phonobench.phones import ARPABET_TO_IPA

TARGET = Path(__file__).parents[1] / "src" / "phonobench" / "articulation.json"

SPELLING = {"CH": "t͡ʃ", "JH": "d͡ʒ", "ER": "ɹ̩"}
"""Where panphon needs another spelling than `phones`: affricates as one segment, and the r-coloured vowel at all."""

DIPHTHONGS = frozenset(("AW", "AY", "EY", "OW", "OY"))
SIGNS = {1: "+", -1: "-", 0: "0"}


def table() -> dict[str, object]:
    """Segments of every phone and the features of every segment; fails if panphon drops or splits one."""
    panphon = FeatureTable()
    phones, segments = {}, {}
    for phone, ipa in ARPABET_TO_IPA.items():
        spelling = SPELLING.get(phone, ipa)
        found = panphon.ipa_segs(spelling)
        if "".join(found) != spelling or len(found) != (2 if phone in DIPHTHONGS else 1):
            raise SystemExit(f"panphon reads {phone} ({spelling}) as {found}")
        phones[phone] = found
        for segment, vector in zip(found, panphon.word_to_vector_list(spelling, numeric=True), strict=True):
            segments[segment] = "".join(SIGNS[value] for value in vector)
    return {
        "source": f"panphon {version('panphon')} (MIT licence), by tools/make_feature_table.py",
        "features": panphon.names,
        "phones": phones,
        "segments": segments,
    }


if __name__ == "__main__":
    TARGET.write_text(json.dumps(table(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
