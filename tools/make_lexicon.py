"""Writes src/phonobench/pronounce/cmudict.txt.zlib from CMUdict's own data file, and its licence beside it.

    python tools/make_lexicon.py FOLDER

FOLDER holds `cmudict.dict` and `LICENSE` (BSD, Carnegie Mellon University) as they are published at
https://github.com/cmusphinx/cmudict; several packages carry the same two files. Known faults are mended: the entries of
`tools/cmudict_mends.txt` stand in place of the published ones.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from phonobench.phones import encode, strip_stress
from phonobench.pronounce import lexicon
from phonobench.pronounce.accents import Sound

MENDS = Path(__file__).with_name("cmudict_mends.txt")
TARGET = Path(__file__).parents[1] / "src" / "phonobench" / "pronounce"


def entries(path: Path) -> dict[str, list[list[Sound]]]:
    """Words and their variants, in the order of the file; comments are dropped, and variants of stress alone."""
    found: dict[str, dict[tuple[str, ...], list[Sound]]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        word, *symbols = line.partition("#")[0].split() or [""]
        if not word:
            continue
        word = re.sub(r"\(\d+\)$", "", word)
        if not re.fullmatch(r"[a-z'.\-]+", word):
            raise SystemExit(f"{path}: {word!r} is spelled as no word was before")
        phones = tuple(strip_stress(symbol) for symbol in symbols)
        encode(phones)
        sounds = [(p, s.endswith("0") and p in lexicon.UNSTRESSED) for p, s in zip(phones, symbols, strict=True)]
        found.setdefault(word, {}).setdefault(phones, sounds)
    return {word: list(variants.values()) for word, variants in found.items()}


def mended(found: dict[str, list[list[Sound]]]) -> dict[str, list[list[Sound]]]:
    """The entries with the mends in their place; one that changes nothing is refused: its source was mended."""
    mends = entries(MENDS)
    needless = [word for word, variants in mends.items() if found.get(word) == variants]
    if needless:
        raise SystemExit(f"{MENDS}: {', '.join(needless)} are so in CMUdict by now; take them out")
    unknown = [word for word in mends if word not in found]
    if unknown:
        raise SystemExit(f"{MENDS}: {', '.join(unknown)} are no words of CMUdict")
    return {**found, **mends}


def main(folder: Path) -> None:
    """Makes both files and says their sizes."""
    licence = (folder / "LICENSE").read_text(encoding="utf-8")
    if "Carnegie Mellon University" not in licence or "Redistribution and use" not in licence:
        raise SystemExit(f"{folder / 'LICENSE'} is not CMUdict's licence")
    found = mended(entries(folder / "cmudict.dict"))
    content = lexicon.pack(found)
    (TARGET / lexicon.FILE).write_bytes(content)
    (TARGET / "cmudict.LICENSE").write_text(licence, encoding="utf-8")
    print(f"{len(found)} words, {sum(map(len, found.values()))} pronunciations, {len(content)} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
