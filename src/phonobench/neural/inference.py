"""A trained run infers a corpus once and stores its posteriors; for controls the audio is silence or noise instead."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch

from phonobench import audio, store
from phonobench.corpora import control_audio, folded
from phonobench.neural import composition, distributed, hardware
from phonobench.neural.checkpoints import trained
from phonobench.neural.encoders import DiscreteEncoder
from phonobench.neural.posteriors import batch_posteriors, unpadded
from phonobench.neural.recogniser import Recogniser
from phonobench.neural.training.batches import TrainingData, by_length
from phonobench.neural.training.state_cache import SharedStates, StateCache
from phonobench.store import outputs
from phonobench.systems import cards
from phonobench.types import SAMPLE_RATE, Corpus, OnProgress, PhonobenchError, Progress, Split, Utterance

BATCH_SECONDS = 60.0
GROUP = 256
"""Utterances whose audio is in memory at a time."""


def infer(
    run_dir: Path,
    corpus: Corpus,
    splits: Sequence[Split] = ("dev", "test"),
    *,
    controls: bool = True,
    source: str | None = None,
    shared_states: SharedStates | None = None,
    report: OnProgress = lambda _: None,
) -> None:
    """Store the posteriors of `splits`, and of silence and noise in place of every tenth utterance's audio.

    Splits already stored are skipped, an interrupted one goes on. Under torchrun the processes share the utterances,
    and the first one writes.

    Args:
        run_dir: A trained run.
        corpus: May be another than that of the training.
        splits: Which.
        controls: Whether silence and noise are inferred too.
        source: Where a frozen encoder's checkpoint lies, in place of the card's own.
        shared_states: States of a frozen encoder, kept for the next run over the same one.
        report: Called with the progress.

    Raises:
        PhonobenchError: For a run that is not trained to its end.
    """
    distributed.join_group()
    report = report if distributed.is_main() else distributed.no_report
    manifest = store.read_run(run_dir)
    if "fusion" in manifest:
        raise PhonobenchError(
            f"{run_dir.name} is a late fusion and has no encoder: infer its members, then `phonobench fuse` again"
        )
    if manifest.get("status") != "trained":
        raise PhonobenchError(
            f"{run_dir.name} is not trained to its end; `phonobench train {manifest['card']}` with the same settings "
            "continues it"
        )
    with outputs.sole_owner(run_dir) if distributed.is_main() else nullcontext():
        _infer(run_dir, manifest, corpus, splits, controls, source, shared_states, report)


def _infer(
    run_dir: Path,
    manifest: dict[str, Any],
    corpus: Corpus,
    splits: Sequence[Split],
    controls: bool,
    source: str | None,
    shared_states: SharedStates | None,
    report: OnProgress,
) -> None:
    jobs: list[tuple[str, str, tuple[Utterance, ...], Callable[[Utterance], np.ndarray]]] = []
    for split in splits:
        # The test speakers are the same in every fold, and what is inferred for them stays comparable.
        seen = corpus if split == "test" else folded(corpus, manifest.get("fold", 0))
        utterances = seen.split(split)[: manifest.get("limit")]
        jobs.append((split, seen.fingerprint, utterances, _true_audio))
        if controls and split != "train":
            for control, control_wave in control_audio.CONTROL_AUDIO.items():
                jobs.append((f"{split}-{control}", seen.fingerprint, utterances[:: control_audio.EVERY], control_wave))
    digest = trained.digest(run_dir)
    hop = manifest.get("hop", cards.find(manifest["card"]).hop)
    model: Recogniser | None = None
    for name, fingerprint, utterances, wave_of in jobs:
        inputs = {"weights": digest, "corpus": fingerprint, "split": name, "key": manifest["key"]}
        folder = store.posteriors_folder(run_dir, name)
        with ExitStack() as stack:
            writer = None
            if distributed.is_main():
                writer = stack.enter_context(store.PosteriorsWriter(folder, inputs, [u.id for u in utterances], hop))
            wanted = set(distributed.broadcast(writer.todo if writer else ()))
            todo = [u for u in utterances if u.id in wanted]
            if not todo:
                continue
            if model is None:
                model = trained.load(run_dir, source)
                composition.attach_code_cache(model.encoder, run_dir.parent, writes=distributed.is_main())
            compute_seconds, audio_seconds = 0.0, 0.0
            for start in range(0, len(todo), GROUP):
                group = todo[start : start + GROUP]
                waves = [wave_of(u) for u in group]
                seconds = [len(wave) / SAMPLE_RATE for wave in waves]
                done = len(utterances) - len(todo) + start
                found: dict[int, np.ndarray] = {}
                for items in distributed.shard(by_length(seconds, BATCH_SECONDS)):
                    began = time.monotonic()
                    made = _batch(model, [group[i] for i in items], [waves[i] for i in items], shared_states, name)
                    compute_seconds += time.monotonic() - began
                    audio_seconds += sum(seconds[i] for i in items)
                    fresh = dict(zip(items, made, strict=True))
                    if distributed.size() == 1 and writer:  # at once: a kill loses no more than a shard
                        for item, logp in fresh.items():
                            writer.add(group[item].id, logp)
                    found |= fresh
                    done += len(items)
                    report(Progress(f"infer {name}", done, len(utterances)))
                if distributed.size() > 1:
                    for item, logp in sorted(distributed.gather(found).items()):
                        if writer:
                            writer.add(group[item].id, logp)
            composition.flush(model.encoder)
            # a run from shared states has no speed of its own
            if distributed.is_main() and shared_states is None and not isinstance(model.encoder, DiscreteEncoder):
                store.add_speed(
                    run_dir, name, {"audio_seconds": audio_seconds, "seconds": compute_seconds, **hardware.described()}
                )


def _batch(
    model: Recogniser,
    utterances: Sequence[Utterance],
    waves: Sequence[np.ndarray],
    shared_states: SharedStates | None,
    split: str,
) -> list[np.ndarray]:
    """Posteriors of waves, by way of shared states where there are any and the encoder is frozen."""
    if shared_states is None or model.recipe.trainable != "none":
        return batch_posteriors(model, list(waves))
    data = TrainingData(tuple(utterances), tuple(waves), ((),) * len(waves))
    names = [u.id if split in ("train", "dev", "test") else f"{split}/{u.id}" for u in utterances]
    cache = StateCache(model, data, shared_states, names)
    with torch.no_grad():
        states, lengths = cache.get(range(len(waves)))
        return unpadded(model.classify(states, lengths), model.output_lengths(lengths))


def _true_audio(utterance: Utterance) -> np.ndarray:
    return audio.read(utterance.audio)
