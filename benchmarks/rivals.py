"""How long the rivals of all phones of an utterance take, and how long one forward pass a rival would.

    python benchmarks/rivals.py [RUN --split test]

Without RUN on synthetic posteriors of SpeechOcean762's sizes (about 17 phones in 180 frames, up to 60 in 400), peaky as
a CTC model's, matching the text and not; with RUN on the posteriors that the run stored and the corpus' own phones.
Prints the machine and its load, then the processor time of this thread, which other work on the machine does not
disturb, beside the wall clock.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import machine
import numpy as np

from phonobench import ctc

Job = tuple[np.ndarray, tuple[int, ...]]


def synthetic(count: int, matching: bool, seed: int = 0) -> list[Job]:
    """Posteriors, float16, of `count` utterances; of the text, or of another one."""
    rng = np.random.default_rng(seed)
    jobs = []
    for _ in range(count):
        phones = int(np.clip(rng.gamma(4.0, 4.7), 3, 60))
        frames = int(np.clip(phones * rng.uniform(6, 15), 2 * phones + 2, 400))
        ids = tuple(rng.integers(1, 40, phones).tolist())
        said = ids if matching else tuple(rng.integers(1, 40, phones).tolist())
        logits = rng.normal(size=(frames, 40))
        at = np.linspace(1, frames - 2, phones).astype(int)
        logits[:, 0] += 10.0
        logits[at, 0] -= 10.0
        logits[at, list(said)] += 10.0
        logp = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        jobs.append((logp.astype(np.float16), ids))
    return jobs


def stored(run: Path, split: str, corpus: Path | None) -> list[Job]:
    """Posteriors of a run with the canonical phones."""
    from phonobench import corpora, phones, store

    found, stored_corpus = corpora.find(corpus), store.posteriors_manifest(run, split)["inputs"].get("corpus")
    if found.fingerprint != stored_corpus:
        raise SystemExit(f"{run} heard another corpus than {found.name}: name it with --corpus")
    read = store.read_posteriors(run, split)
    prompts = {u.id: u.prompt for u in found.utterances}
    return [(logp, phones.encode(prompts[id].phones)) for id, logp in zip(read.ids, read.logp, strict=True)]


def naively(logp: np.ndarray, ids: tuple[int, ...]) -> None:
    """One forward pass for every substitution and deletion."""
    for i in range(len(ids)):
        ctc.forward(logp, (*ids[:i], *ids[i + 1 :]))
        for q in range(1, logp.shape[1]):
            ctc.forward(logp, (*ids[:i], q, *ids[i + 1 :]))


def milliseconds(jobs: Sequence[Job], work) -> dict[str, float]:
    """Median, 95th percentile and maximum an utterance, of thread time; median of wall time."""
    thread, wall = [], []
    for logp, ids in jobs:
        begun, seen = time.thread_time(), time.perf_counter()
        work(logp, ids)
        thread.append(1e3 * (time.thread_time() - begun))
        wall.append(1e3 * (time.perf_counter() - seen))
    return {
        "median_ms": round(statistics.median(thread), 3),
        "p95_ms": round(float(np.percentile(thread, 95)), 3),
        "max_ms": round(max(thread), 3),
        "median_wall_ms": round(statistics.median(wall), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="?", type=Path, help="folder of a run with posteriors")
    parser.add_argument("--split", default="test")
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--utterances", type=int, default=300)
    parser.add_argument("--naive", type=int, default=10, help="utterances for one forward pass a rival")
    arguments = parser.parse_args()

    print(machine.line())
    begun = time.perf_counter()
    ctc.rivals(*synthetic(1, True)[0])
    print(json.dumps({"first_call_s": round(time.perf_counter() - begun, 2)}))
    if arguments.run:
        sets = {arguments.split: stored(arguments.run, arguments.split, arguments.corpus)[: arguments.utterances]}
    else:
        sets = {
            "synthetic, of the text": synthetic(arguments.utterances, True),
            "synthetic, of another text": synthetic(arguments.utterances, False),
        }
    for name, jobs in sets.items():
        sizes = {
            "median_frames": statistics.median(len(logp) for logp, _ in jobs),
            "median_phones": statistics.median(len(ids) for _, ids in jobs),
        }
        print(json.dumps({"set": name, "utterances": len(jobs), **sizes, **milliseconds(jobs, ctc.rivals)}))
        some = jobs[: arguments.naive]
        shared, apart = milliseconds(some, ctc.rivals), milliseconds(some, naively)
        ratio = round(apart["median_ms"] / shared["median_ms"])
        print(json.dumps({"set": name, "utterances": len(some), "one_pass_a_rival": apart, "times_slower": ratio}))


if __name__ == "__main__":
    main()
