"""Times `evaluate` on posteriors as large as SpeechOcean762's: 2,500 test utterances, 47,000 phones, 1,000 resamples.

The posteriors are synthetic (planted phones over noise), so no model and no corpus is needed; lengths follow the real
ones (19 phones, 4 s at 50 Hz). The target is under 20 s for the test split on two cores. Run:

    python benchmarks/evaluate.py
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import machine
import numpy as np

from phonobench import evaluate, phones, store
from phonobench.tasks.controls import STORED
from phonobench.types import Corpus, Judgement, Posteriors, Progress, Prompt, Utterance, Word

HOP = 0.02
WORDS, PHONES_A_WORD = 6.4, 3.0


def make_corpus(rng: np.random.Generator, speakers: dict[str, int]) -> Corpus:
    utterances = []
    for split, count in speakers.items():
        for s in range(count):
            for u in range(20):
                sizes = 1 + rng.poisson(PHONES_A_WORD - 1, size=1 + rng.poisson(WORDS - 1))
                words = tuple(Word("w", tuple(phones.PHONES[i] for i in rng.integers(0, 39, n))) for n in sizes)
                n = int(sizes.sum())
                accuracy = np.round(2 - 2 * rng.beta(0.3, 3, n), 1)
                sentence = float(np.clip(np.round(5 * accuracy.mean() - rng.integers(0, 4)), 0, 10))
                by_word = tuple(float(x) for x in rng.integers(0, 11, len(sizes)))
                judgement = Judgement(
                    sentence, 8.0, 8.0, 8.0, 10.0, by_word, by_word, by_word, tuple(accuracy.tolist()), (None,) * n
                )
                id, speaker = f"{split}{s:03d}{u:02d}", f"{split}{s:03d}"
                gender, age = ("f" if s % 2 else "m"), (9 if s % 4 < 2 else 25)
                utterances.append(Utterance(id, speaker, split, Path(id), Prompt(words), judgement, age, gender))  # type: ignore[arg-type]
    return Corpus("benchmark", Path("nowhere"), tuple(utterances), "0" * 64, True)


def logp(utterance: Utterance, rng: np.random.Generator, error_rate: float) -> np.ndarray:
    ids = np.array(phones.encode(utterance.prompt.phones))
    wrong = rng.random(len(ids)) < error_rate
    ids[wrong] = rng.integers(1, 40, int(wrong.sum()))
    frames = int(len(ids) * rng.uniform(7, 14)) + 20
    logits = rng.normal(scale=2.0, size=(frames, phones.COLUMNS)).astype(np.float32)
    logits[:, phones.BLANK] += 6
    places = np.sort(rng.choice(frames, len(ids), replace=False))
    logits[places, phones.BLANK] -= 6
    logits[places, ids] += 8
    return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)


def write_run(folder: Path, corpus: Corpus, rng: np.random.Generator, splits: tuple[str, ...]) -> Path:
    run_dir = folder / "runs" / "benchmark"
    facts = {
        "name": "benchmark",
        "fingerprint": "0" * 64,
        "synthetic": True,
        "train_utterances": 0,
        "train_speakers": 0,
    }
    store.write_run(run_dir, {
        "run_id": "benchmark", "card": "none", "card_key": "", "recipe": {}, "seed": 0, "corpus": facts,
        "model": {"id": "none", "revision": ""}, "versions": {}, "parameters": 0,
    })  # fmt: skip
    for split in splits:
        utterances = corpus.split(split)  # type: ignore[arg-type]
        for name, part in ((split, utterances), *((f"{split}-{c}", utterances[::10]) for c in STORED)):
            heard = Posteriors(tuple(u.id for u in part), tuple(logp(u, rng, 0.2) for u in part), HOP)
            inputs = {"corpus": corpus.fingerprint, "split": name}
            store.write_posteriors(store.posteriors_folder(run_dir, name), heard, inputs)
    return run_dir


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speakers", type=int, default=125, help="test speakers, 20 utterances each")
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--with-dev", action="store_true", help="dev posteriors too: thresholds are then chosen")
    options = parser.parse_args()
    print(machine.line())
    rng = np.random.default_rng(0)
    corpus = make_corpus(rng, {"dev": 25, "test": options.speakers})
    test = corpus.split("test")
    stages: dict[str, list[float]] = {}

    def note(progress: Progress) -> None:
        stages.setdefault(progress.stage, []).append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        run_dir = write_run(Path(folder), corpus, rng, ("dev", "test") if options.with_dev else ("test",))
        small = make_corpus(rng, {"dev": 2, "test": 2})  # compiles what is compiled
        warm = write_run(Path(folder) / "warm", small, rng, ("dev", "test"))
        evaluate.evaluate(warm, small, Path(folder) / "warm", resamples=2)
        started, worked = time.perf_counter(), time.process_time()
        found = evaluate.evaluate(
            run_dir, corpus, Path(folder) / "results", splits=("test",), resamples=options.resamples, report=note
        )
        seconds, work = time.perf_counter() - started, time.process_time() - worked
    figures = sum(len(result.metrics) for result in found)
    bands = sum(len(v) for r in found for d in r.breakdowns.values() for v in d.values())
    print(f"{len(test)} utterances, {sum(len(u.prompt.phones) for u in test)} phones, {options.resamples} resamples")
    print(f"{figures} metrics and {bands} in bands: {seconds:.1f} s, {work:.1f} s of processor time")
    before = started
    for stage, times in stages.items():
        print(f"  {stage:<16}{times[-1] - before:6.2f} s")
        before = times[-1]


if __name__ == "__main__":
    main()
