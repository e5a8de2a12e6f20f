"""Cross-fitting: the same corpus with another fifth of the train speakers as dev.

Fold 0 is the protocol's own dev split, fold k holds out every fifth speaker from the k-th on. Together the held-out
parts are all train speakers, each recognised by a model that was not trained on them: what a scorer may learn from.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from phonobench.corpora.assembly import DEV_EVERY
from phonobench.types import Corpus, PhonobenchError

FOLDS = DEV_EVERY


def folded(corpus: Corpus, fold: int) -> Corpus:
    """The corpus with `sorted(train speakers)[fold::5]` as dev; its fingerprint tells the folds apart.

    Raises PhonobenchError for a fold that does not exist.
    """
    if not 0 <= fold < FOLDS:
        raise PhonobenchError(f"there is no fold {fold}: 0 (the protocol's dev speakers) to {FOLDS - 1}")
    if fold == 0:
        return corpus
    speakers = sorted({u.speaker for u in corpus.utterances if u.split != "test"})
    held_out = set(speakers[fold::FOLDS])
    utterances = tuple(
        u if u.split == "test" else replace(u, split="dev" if u.speaker in held_out else "train")
        for u in corpus.utterances
    )
    fingerprint = hashlib.sha256(f"{corpus.fingerprint} fold {fold}".encode()).hexdigest()
    return replace(corpus, utterances=utterances, fingerprint=fingerprint)
