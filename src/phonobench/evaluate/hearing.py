"""What a run heard, as evidence: from its own posteriors, or for a fusion by likelihoods from its members'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from phonobench import ctc, fusion, store
from phonobench.evidence import Fused, Heard
from phonobench.types import Corpus, Evidence, PhonobenchError


def has_heard(run_dir: Path, split: str) -> bool:
    """Whether posteriors of a split (or control) were begun, in every part of a fusion."""
    found = fusion.parts(run_dir, store.read_run(run_dir))
    return all(store.posteriors_folder(folder, split).exists() for folder, _ in found)


def evidence(run_dir: Path, corpus: Corpus, split: str, ids: Sequence[str] | None) -> tuple[dict[str, Evidence], str]:
    """Evidence by id (all that were heard where `ids` is None) and the key of the posteriors it was made of.

    It decodes as the run's `decoder` says; a fusion by likelihoods climbs from the best path of each member.
    Raises PhonobenchError when they are missing, incomplete, or of another corpus.
    """
    run = store.read_run(run_dir)
    parts = fusion.parts(run_dir, run)
    if len(parts) == 1:
        found, key = _heard(run_dir, corpus, split, ids, decoder(run))
        return dict(found), key
    read = [_heard(folder, corpus, split, ids, ctc.GREEDY) for folder, _ in parts]
    weights = tuple(weight for _, weight in parts)
    together = {id: Fused(tuple(heard[id] for heard, _ in read), weights) for id in read[0][0]}
    return dict(together), store.fingerprint({"parts": [key for _, key in read], "weights": list(weights)})


def decoder(run: Mapping[str, Any]) -> ctc.Decoder:
    """How a run's posteriors become phones: as `phonobench decode` wrote it into its manifest, else the best path."""
    return ctc.decoder(run["decoder"]["name"]) if "decoder" in run else ctc.GREEDY


def _heard(
    run_dir: Path, corpus: Corpus, split: str, ids: Sequence[str] | None, by: ctc.Decoder
) -> tuple[Mapping[str, Heard], str]:
    manifest: dict[str, Any] = store.posteriors_manifest(run_dir, split)
    heard_corpus = manifest["inputs"].get("corpus")
    if heard_corpus != corpus.fingerprint:
        raise PhonobenchError(
            f"posteriors of {split} in {run_dir} are of a corpus with fingerprint {str(heard_corpus)[:12]}, not of "
            f"{corpus.name} with {corpus.fingerprint[:12]}: name the corpus with --corpus, or infer again"
        )
    read = store.read_posteriors(run_dir, split, ids)
    return {id: Heard(logp, read.hop, by) for id, logp in zip(read.ids, read.logp, strict=True)}, manifest["key"]
