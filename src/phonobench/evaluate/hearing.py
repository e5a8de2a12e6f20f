"""What a run heard, as evidence: from its own posteriors, or for a fusion by likelihoods from its members'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from phonobench import fusion, store
from phonobench.evidence import Fused, Heard
from phonobench.types import Corpus, Evidence, PhonobenchError


def has_heard(run_dir: Path, split: str) -> bool:
    """Whether posteriors of a split (or control) were begun, in every part of a fusion."""
    found = fusion.parts(run_dir, store.read_run(run_dir))
    return all(store.posteriors_folder(folder, split).exists() for folder, _ in found)


def evidence(run_dir: Path, corpus: Corpus, split: str, ids: Sequence[str] | None) -> tuple[dict[str, Evidence], str]:
    """Evidence by id (all that were heard where `ids` is None) and the key of the posteriors it was made of.

    Raises PhonobenchError when they are missing, incomplete, or of another corpus.
    """
    parts = fusion.parts(run_dir, store.read_run(run_dir))
    if len(parts) == 1:
        found, key = _heard(run_dir, corpus, split, ids)
        return dict(found), key
    read = [_heard(folder, corpus, split, ids) for folder, _ in parts]
    weights = tuple(weight for _, weight in parts)
    together = {id: Fused(tuple(heard[id] for heard, _ in read), weights) for id in read[0][0]}
    return dict(together), store.fingerprint({"parts": [key for _, key in read], "weights": list(weights)})


def _heard(run_dir: Path, corpus: Corpus, split: str, ids: Sequence[str] | None) -> tuple[Mapping[str, Heard], str]:
    manifest: dict[str, Any] = store.posteriors_manifest(run_dir, split)
    heard_corpus = manifest["inputs"].get("corpus")
    if heard_corpus != corpus.fingerprint:
        raise PhonobenchError(
            f"posteriors of {split} in {run_dir} are of a corpus with fingerprint {str(heard_corpus)[:12]}, not of "
            f"{corpus.name} with {corpus.fingerprint[:12]}: name the corpus with --corpus, or infer again"
        )
    read = store.read_posteriors(run_dir, split, ids)
    return {id: Heard(logp, read.hop) for id, logp in zip(read.ids, read.logp, strict=True)}, manifest["key"]
