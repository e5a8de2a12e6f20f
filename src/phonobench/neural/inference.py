"""A trained run listens to a corpus once and leaves its posteriors; controls listen to silence and noise instead."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from phonobench import audio, cards, store
from phonobench.corpora import folded
from phonobench.neural import hardware, weights
from phonobench.neural.batches import by_length
from phonobench.neural.decoding import batch_posteriors
from phonobench.neural.recogniser import Recogniser
from phonobench.types import SAMPLE_RATE, Corpus, PhonobenchError, Progress, Split, Utterance

BATCH_SECONDS = 60.0
GROUP = 256
"""Utterances whose audio is in memory at a time."""
CONTROL_EVERY = 10
"""Controls replace the audio of every tenth utterance of a split: two of each speaker's twenty."""
NOISE_RMS = 0.05

Report = Callable[[Progress], None]


def infer(
    run_dir: Path, corpus: Corpus, splits: Sequence[Split] = ("dev", "test"), *, controls: bool = True,
    source: str | None = None, report: Report = lambda _: None,
) -> None:  # fmt: skip
    """Store the posteriors of `splits` (and of silence and noise in place of every tenth utterance's audio).

    Splits already stored are skipped, an interrupted one goes on. Raises PhonobenchError for a run that is not
    trained to its end. The corpus may be another than that of the training.
    """
    manifest = store.read_run(run_dir)
    if manifest.get("status") != "trained":
        raise PhonobenchError(
            f"{run_dir.name} is not trained to its end; `phonobench train {manifest['card']}` with the same settings "
            "continues it"
        )
    jobs: list[tuple[str, str, tuple[Utterance, ...], Callable[[Utterance], np.ndarray]]] = []
    for split in splits:
        # The test speakers are the same in every fold, and what is heard of them stays comparable.
        seen = corpus if split == "test" else folded(corpus, manifest.get("fold", 0))
        utterances = seen.split(split)[: manifest["limit"]]
        jobs.append((split, seen.fingerprint, utterances, _true_audio))
        if controls and split != "train":
            jobs.append((f"{split}-silence", seen.fingerprint, utterances[::CONTROL_EVERY], _silence))
            jobs.append((f"{split}-noise", seen.fingerprint, utterances[::CONTROL_EVERY], _noise))
    digest = weights.digest(run_dir)
    hop = cards.find(manifest["card"]).hop
    model: Recogniser | None = None
    for name, fingerprint, utterances, wave_of in jobs:
        inputs = {"weights": digest, "corpus": fingerprint, "split": name, "key": manifest["key"]}
        folder = store.posteriors_folder(run_dir, name)
        with store.PosteriorsWriter(folder, inputs, [u.id for u in utterances], hop) as writer:
            wanted = set(writer.todo)
            todo = [u for u in utterances if u.id in wanted]
            if not todo:
                continue
            model = model or weights.load(run_dir, source)
            listened, heard = 0.0, 0.0
            for start in range(0, len(todo), GROUP):
                group = todo[start : start + GROUP]
                waves = [wave_of(u) for u in group]
                seconds = [len(wave) / SAMPLE_RATE for wave in waves]
                done = len(utterances) - len(todo) + start
                for items in by_length(seconds, BATCH_SECONDS):
                    began = time.monotonic()
                    made = batch_posteriors(model, [waves[i] for i in items])
                    listened += time.monotonic() - began
                    heard += sum(seconds[i] for i in items)
                    for item, logp in zip(items, made, strict=True):
                        writer.add(group[item].id, logp)
                    done += len(items)
                    report(Progress(f"infer {name}", done, len(utterances)))
            store.add_speed(run_dir, name, {"audio_seconds": heard, "seconds": listened, **hardware.described()})


def _true_audio(utterance: Utterance) -> np.ndarray:
    return audio.read(utterance.audio)


def _silence(utterance: Utterance) -> np.ndarray:
    """Nothing, as long as the recording."""
    return np.zeros_like(audio.read(utterance.audio))


def _noise(utterance: Utterance) -> np.ndarray:
    """White noise as long as the recording, drawn from the utterance's id."""
    wave = audio.read(utterance.audio)
    rng = np.random.default_rng(list(utterance.id.encode()))
    return (NOISE_RMS * rng.standard_normal(len(wave))).astype(np.float32)
