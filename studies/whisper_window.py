"""What a mel encoder's PER becomes when its 30 s window is fed or read wrongly: the same weights, three ways.

    python studies/whisper_window.py RUN [--every 4] [-o FILE]

`audio`: the frames of the real audio alone, as trained here. `window, cut`: silence up to 30 s is fed, its states are
cut off. `window, whole`: all 1,500 states are decoded, as when lengths are forgotten. Dev utterances, PER (HQ).
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import torch

from phonobench import corpora, ctc, edits, store
from phonobench.neural.checkpoints import trained
from phonobench.neural.encoders import MelEncoder
from phonobench.neural.training import batches
from phonobench.store import provenance
from phonobench.types import HQ_ACCURACY


def decode(model, wave, window: bool, whole: bool) -> tuple[int, ...]:
    """Phones heard in one wave."""
    model.encoder.window = window
    features = model.encoder.features([torch.from_numpy(wave)])
    if whole:
        features = replace(features, lengths=torch.tensor([model.encoder.max_seconds]))
    logp, lengths = model(features)
    return ctc.greedy(logp[0, : int(lengths[0])].numpy())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--every", type=int, default=4, help="take every so many-th well-read dev utterance")
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    model = trained.load(options.run)
    if not isinstance(model.encoder, MelEncoder):
        raise SystemExit(f"{options.run}: its encoder has no window")
    corpus = corpora.find(None)
    chosen = [u for u in corpus.split("dev") if u.judgement.accuracy >= HQ_ACCURACY][:: options.every]
    material = batches.read(chosen, lambda _: None)
    ways = {"audio": (False, False), "window, cut": (True, False), "window, whole": (True, True)}
    found = {}
    with torch.no_grad():
        for name, way in ways.items():
            totals = {"phones": 0, "substitutions": 0, "deletions": 0, "insertions": 0}
            for wave, target in zip(material.waves, material.targets, strict=True):
                errors = edits.align(target, decode(model, wave, *way))
                totals["phones"] += len(target)
                for kind in ("substitutions", "deletions", "insertions"):
                    totals[kind] += getattr(errors, kind)
            wrong = totals["substitutions"] + totals["deletions"] + totals["insertions"]
            found[name] = {**totals, "per_hq": round(wrong / totals["phones"], 4)}
            print(f"{name:14} PER (HQ) {wrong / totals['phones']:8.2%}  {totals}", flush=True)
    if options.output:
        facts = {
            "run": store.read_run(options.run)["run_id"],
            "corpus": corpus.name,
            "split": "dev",
            "synthetic": corpus.synthetic,
        }
        facts |= {"utterances": len(chosen), "versions": provenance.versions(), "ways": found}
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()
