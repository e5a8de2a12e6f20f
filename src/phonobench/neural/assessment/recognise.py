"""The output of a trained recogniser, wave by wave, with the states of its layers: what a scorer is fitted to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from phonobench import audio, store
from phonobench.assessment.model import speech_span
from phonobench.assessment.types import AcousticOutput, HeadOutput
from phonobench.neural import hardware
from phonobench.neural.assessment import score_head
from phonobench.neural.assessment.score_head import ScoreHead
from phonobench.neural.checkpoints import trained
from phonobench.neural.recogniser import Recogniser
from phonobench.neural.training.batches import by_length
from phonobench.systems import cards
from phonobench.types import SAMPLE_RATE, PhonobenchError, Progress

BATCH_SECONDS = 30.0
GROUP = 64
"""Waves whose audio and states are in memory at a time."""


@torch.no_grad()
def recognise(
    run_dir: Path,
    layers: Sequence[int],
    level: float | None,
    waves: Sequence[Callable[[], np.ndarray]],
    report: Callable[[Progress], None] = lambda _: None,
) -> Iterator[tuple[int, AcousticOutput]]:
    """The output of a run's recogniser for every wave, all with the same margins around the speech (`speech_span`).

    Args:
        run_dir: A trained run.
        layers: Those whose states come out, side by side: 0 before the first, -1 after the last.
        level: Loudness to which waves are brought (`audio.levelled`); None: they stay as they are.
        waves: Functions that read them.
        report: Called with the progress.

    Yields:
        The place of a wave among `waves` with its output, states (T, len(layers) * width); longest first within groups.

    Raises:
        PhonobenchError: For an untrained run or audio that cannot be read.
    """
    model = trained.load(run_dir)
    hop = cards.find(store.read_run(run_dir)["card"]).hop
    if layers and model.encoder.upsample > 1:
        raise PhonobenchError(f"{run_dir.name}: its states are further apart than its posteriors; fit without layers")
    for start in range(0, len(waves), GROUP):
        group = [read() for read in waves[start : start + GROUP]]
        parts = {}
        for item, output in _outputs(model, layers, level, group, hop):
            part = speech_span.cut(len(group[item]), output.logp, hop)
            if part is None:
                yield start + item, speech_span.with_margins(output)
            else:
                parts[item] = part
        shorter = [group[item][part] for item, part in parts.items()]
        again = _in_order(_outputs(model, layers, level, shorter, hop))
        for (item, part), (_, output) in zip(parts.items(), again, strict=True):
            yield start + item, speech_span.with_margins(replace(output, start=part.start / SAMPLE_RATE))
        report(Progress(f"recognise {run_dir.name}", min(start + GROUP, len(waves)), len(waves)))


def _in_order(outputs: Iterator[tuple[int, AcousticOutput]]) -> list[tuple[int, AcousticOutput]]:
    """The outputs in the order of their waves."""
    return sorted(outputs, key=lambda one: one[0])


def _outputs(
    model: Recogniser, layers: Sequence[int], level: float | None, waves: Sequence[np.ndarray], hop: float
) -> Iterator[tuple[int, AcousticOutput]]:
    """The place of every wave with its output, longest first."""
    levelled = list(waves) if level is None else [audio.levelled(wave, level) for wave in waves]
    for items in by_length([len(wave) / SAMPLE_RATE for wave in levelled], BATCH_SECONDS):
        features = model.encoder.features([torch.from_numpy(levelled[i]).to(hardware.device()) for i in items])
        states = model.encoder(features, None)
        logp = model.classify(model.select_layers(states), features.lengths)
        head_states = states[score_head.LAYER].float().cpu().numpy() if model.judge is not None else None
        chosen = torch.cat([states[layer] for layer in layers], -1) if layers else logp[..., :0]
        for row, item in enumerate(items):
            length = int(features.lengths[row])
            states_of = chosen[row, :length] if layers else chosen[row, : length * model.encoder.upsample]
            log_posteriors = logp[row, : length * model.encoder.upsample].cpu().numpy()
            head = None
            if model.judge is not None and head_states is not None:
                head = HeadOutput(head_states[row, :length], partial(_estimate, model.judge))
            encoder_states = states_of.float().cpu().numpy()
            yield item, AcousticOutput(log_posteriors, encoder_states, levelled[item], hop, head=head)


@torch.no_grad()
def _estimate(head: ScoreHead, pooled: np.ndarray, whole: np.ndarray, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    phone, sentence = head(*(torch.from_numpy(part).to(hardware.device()) for part in (pooled, whole, ids)))
    return phone.cpu().numpy(), sentence.cpu().numpy()
