"""Our scores beside a peer's published ones on the same test utterances: Spearman with the human total, paired.

The peer's file has a line an utterance with `utt` and `score`. The scorer is a fitted run whose test recordings were
described by `phonobench evaluate RUN` (else it listens now, which takes minutes). Run:

    python studies/peer.py RUN PEER.csv -o results/peers.json
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np

from phonobench import corpora, fitting, stats, store
from phonobench.types import PhonobenchError


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a fitted scorer, or of an export")
    parser.add_argument("peer", type=Path, help="CSV with the columns utt and score")
    parser.add_argument("-o", "--output", type=Path, help="JSON file for the figures")
    arguments = parser.parse_args()
    with arguments.peer.open(newline="") as file:
        theirs = {row["utt"]: float(row["score"]) for row in csv.DictReader(file)}
    corpus = corpora.find(None, allow_synthetic=False)
    kept = Path("runs/packages")
    run_id = fitting.open_scorer(arguments.run, kept).run["run_id"]
    answers = fitting.assess(arguments.run, corpus, kept)
    utterances = [u for u in corpus.split("test") if u.id in theirs]
    if len(utterances) != len(theirs):
        raise PhonobenchError(f"{arguments.peer}: {len(theirs) - len(utterances)} utterances are not in the test split")
    human = np.array([u.judgement.total for u in utterances])
    names = sorted({u.speaker for u in utterances})
    speaker = np.array([names.index(u.speaker) for u in utterances])
    draws = stats.speaker_draws(len(names))
    ours = np.array([float(answers[u.id].sentence["total"].value) for u in utterances])
    peer = np.array([theirs[u.id] for u in utterances])
    values = {name: stats.spearman(score, human, speaker, draws) for name, score in (("ours", ours), ("peer", peer))}
    found = {name: vars(stats.estimate(value, len(human), len(names))) for name, value in values.items()}
    found["difference"] = vars(stats.difference(values["ours"], values["peer"], len(names)))
    found |= {
        "run": run_id,
        "peer_file": arguments.peer.name,
        "metric": "Spearman with the human total",
    }
    for name in ("ours", "peer", "difference"):
        print(f"{name:10} {found[name]['value']:.3f} [{found[name]['low']:.3f}, {found[name]['high']:.3f}]")
    if arguments.output:
        store.write_json(arguments.output, found)


if __name__ == "__main__":
    main()
