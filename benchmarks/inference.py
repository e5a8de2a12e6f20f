"""How many times faster than real time a trained run listens: waves in memory to log-probabilities, decoding apart.

    python benchmarks/inference.py RUN [--utterances 200] [--split test] [--threads 2] [--corpus FOLDER]

Seconds of audio over seconds of work, by wall clock and by processor time; the second does not change when other work
holds the machine, and is what one core would do. Batches are those of `phonobench infer`. Prints the machine and its
load first: a figure from a busy machine is a lower bound.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import machine
import torch

from phonobench import audio, corpora, store
from phonobench.neural import hardware
from phonobench.neural.checkpoints import trained
from phonobench.neural.inference import BATCH_SECONDS
from phonobench.neural.posteriors import batch_posteriors
from phonobench.neural.training.batches import by_length
from phonobench.types import SAMPLE_RATE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a trained run")
    parser.add_argument("--split", default="test")
    parser.add_argument("--utterances", type=int, default=200)
    parser.add_argument("--threads", type=int, default=0, help="threads of torch; its own choice where 0")
    parser.add_argument("--corpus")
    parser.add_argument("--model", help="where a frozen encoder's checkpoint lies")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    print(machine.line())
    model = trained.load(options.run, options.model)
    # Evenly over the split, so that all its speakers and lengths take part.
    found = corpora.find(options.corpus).split(options.split)
    chosen = found[:: max(1, len(found) // options.utterances)][: options.utterances]
    begun = time.perf_counter()
    waves = [audio.read(u.audio) for u in chosen]
    reading = time.perf_counter() - begun
    seconds = [len(wave) / SAMPLE_RATE for wave in waves]
    batches = by_length(seconds, BATCH_SECONDS)
    with hardware.threads(model.encoder):
        batch_posteriors(model, [waves[i] for i in batches[0]])  # the first call of a shape is slower
        wall, work = time.perf_counter(), time.process_time()
        for items in batches:
            batch_posteriors(model, [waves[i] for i in items])
        wall, work = time.perf_counter() - wall, time.process_time() - work
        threads = torch.get_num_threads()
    audio_seconds = sum(seconds)
    print(json.dumps({
        "run": store.read_run(options.run)["run_id"], "device": str(hardware.device()), "threads": threads,
        "utterances": len(chosen), "batches": len(batches), "audio_s": round(audio_seconds, 1),
        "read_audio_s": round(reading, 2), "wall_s": round(wall, 2), "processor_s": round(work, 2),
        "times_real_time": round(audio_seconds / wall, 1), "times_real_time_a_core": round(audio_seconds / work, 1),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
