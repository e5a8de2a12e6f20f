"""Adds what a package lacks whose fit was before: what tells said from absent words, and where readers stand.

    python tools/complete_package.py FOLDER [--corpus FOLDER]

`phonobench fit` does the same for every scorer that it makes, on all train speakers. Here the package's own acoustic
models recognise the dev speakers, on whom none of them may have been trained; so only packages of fold 0 are taken.
Where readers stand is then what the scorer makes of these speakers, to whom its last stage was fitted.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from phonobench import corpora, store
from phonobench.assessment import bundle
from phonobench.assessment.model.features import NAMES
from phonobench.assessment.model.readers import readers_of
from phonobench.assessment.package_facts import seal
from phonobench.assessment.types import SENTENCE_SCORES
from phonobench.cli.output import progress
from phonobench.fitting import feature_cache, presence
from phonobench.fitting.acoustic import acoustic_models_of_bundle
from phonobench.types import PhonobenchError


def main() -> None:
    """Recognises, fits and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--corpus")
    parser.add_argument("--cache", type=Path, default=Path("runs/packages"))
    given = parser.parse_args()
    corpus, package = corpora.find(given.corpus), bundle.load(given.folder)
    others = [name for name in package.run["listeners"] if any(f".f{k}." in name for k in range(1, 5))]
    if others:
        raise PhonobenchError(f"{others[0]} was trained on dev speakers: only packages of fold 0 can be done here")
    models = acoustic_models_of_bundle(package, given.cache)
    utterances = list(corpus.split("dev"))
    changed = presence.changed_prompts(utterances)
    with progress() as report:
        read = feature_cache.panel_features(models, corpus, "dev", feature_cache.recorded(utterances), report=report)
        described = feature_cache.panel_features(
            models, corpus, "dev-changed", presence.requests_of(changed), lenient=True, report=report
        )
    fitted = presence.fit_presence(
        [(read[u.id], u) for u in utterances], [(one, changed[name]) for name, one in described.items()], NAMES
    )
    estimates = [package.scorer.assess_features([read[u.id]]).sentence for u in utterances]
    readers = readers_of(np.array([[float(one[name].value) for name in SENTENCE_SCORES] for one in estimates]))
    path = given.folder / bundle.FACTS
    facts = {**store.read_json(path), "presence": fitted.to_json(), "readers": readers.to_json()}
    store.write_json(path, {**facts, "sha256": seal(facts)})
    print(f"{path}: words count as said from {fitted.threshold:.3f} on")


if __name__ == "__main__":
    main()
