"""How long `phonobench score` takes for one recording, and how much memory: the command, and a call that is warm.

    python benchmarks/scoring.py [--package FOLDER] [--seconds 4] [--calls 30] [--starts 5] [--corpus FOLDER]

The recording is the one of the test split that is nearest to so many seconds. The command is started anew each time;
its first start may also compile what later ones read from disk, and is left out. Prints the machine and its load first.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import machine
import numpy as np
import soundfile

import phonobench
from phonobench import corpora
from phonobench.assessment import bundle


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", type=Path, default=bundle.DEFAULT)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--calls", type=int, default=30)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--corpus")
    given = parser.parse_args()
    print(machine.line(), flush=True)
    utterances = corpora.find(given.corpus).split("test")
    lasts = [soundfile.info(u.audio).duration for u in utterances]
    place = min(range(len(lasts)), key=lambda k: abs(lasts[k] - given.seconds))
    chosen = utterances[place]
    text = " ".join(word.text for word in chosen.prompt.words)
    verb = ["score", str(chosen.audio), "--text", text, "--package", str(given.package)]
    command = [sys.executable, "-c", "from phonobench.cli import main; main()", *verb]
    starts = [_timed(lambda: subprocess.run(command, check=True, capture_output=True)) for _ in range(given.starts + 1)]
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    phonobench.score(chosen.audio, text, package=given.package)
    calls = [_timed(lambda: phonobench.score(chosen.audio, text, package=given.package)) for _ in range(given.calls)]
    facts = {
        "package": bundle.load(given.package).facts["run"], "utterance": chosen.id, "seconds": lasts[place],
        "phones": len(chosen.prompt.phones), "command_s": _spread(starts[1:]), "warm_call_s": _spread(calls),
        "command_peak_mb": round(peak),
    }  # fmt: skip
    print(json.dumps(facts))


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _spread(seconds: list[float]) -> dict[str, float]:
    return {"median": round(float(np.median(seconds)), 3), "least": round(min(seconds), 3),
            "most": round(max(seconds), 3)}  # fmt: skip


if __name__ == "__main__":
    main()
