"""Fits scorer networks to described utterances: minutes on a processor, the same result from the same seed."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from types import TracebackType
from typing import cast

import numpy as np
import torch
from torch import Tensor

from phonobench.assessment.model.examples import Example, FitConfig
from phonobench.assessment.model.output import ModelOutput
from phonobench.neural.assessment.network import Ensemble, ScorerNetwork, Size, loss
from phonobench.types import PhonobenchError, Progress

PARALLEL = 20_000
"""Utterances times epochs from which networks are fitted in processes of their own, one a processor."""


def fit(
    examples: Sequence[Example],
    config: FitConfig,
    seeds: Sequence[int],
    report: Callable[[Progress], None] = lambda _: None,
) -> Ensemble:
    """One network a seed, each with weights averaged over its steps.

    Args:
        examples: What they are fitted to.
        config: Size and schedule.
        seeds: One a network.
        report: Called with the progress.

    Returns:
        Their mean, as one network.

    Raises:
        PhonobenchError: For no examples.
    """
    return fit_all([examples], config, seeds, report)[0]


def fit_all(
    parts: Sequence[Sequence[Example]],
    config: FitConfig,
    seeds: Sequence[int],
    report: Callable[[Progress], None] = lambda _: None,
) -> list[Ensemble]:
    """For each part of the examples what `fit` gives. The result does not depend on how many processors there are.

    Args:
        parts: Examples, one list an ensemble.
        config: Size and schedule.
        seeds: One a network.
        report: Called with the progress.

    Returns:
        An ensemble a part.
    """
    if not all(parts):
        raise PhonobenchError("no utterance to fit a scorer to: infer train or dev first")
    tasks = [(part, config, seed) for part in parts for seed in seeds]
    networks: list[ScorerNetwork] = []
    alone = len(tasks) == 1 or sum(len(part) * config.epochs for part, _, _ in tasks) < PARALLEL
    with contextlib.ExitStack() as stack:
        fitted: Iterator[ScorerNetwork]
        if alone:
            fitted = map(_fit_one, *zip(*tasks, strict=True))
        else:
            # Spawned, not forked: torch's threads do not survive a fork.
            spawn = multiprocessing.get_context("spawn")
            workers = ProcessPoolExecutor(os.cpu_count() or 1, mp_context=spawn, initializer=_follow_parent)
            pool = stack.enter_context(workers)
            stack.push(_end_workers)
            fitted = pool.map(_fit_one, *zip(*tasks, strict=True))
        for network in fitted:
            networks.append(network)
            report(Progress("fit scorer", len(networks), len(tasks)))
    return [Ensemble(networks[k : k + len(seeds)]).eval() for k in range(0, len(networks), len(seeds))]


def _follow_parent() -> None:
    """In a worker: leave interruptions to the parent, and end when it does, also when it is killed."""
    parent = multiprocessing.parent_process()
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _end_workers(kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
    """After a fault or an interruption nobody waits for the networks that are being fitted."""
    if kind is not None:
        for worker in multiprocessing.active_children():
            worker.terminate()


def _fit_one(examples: Sequence[Example], config: FitConfig, seed: int) -> ScorerNetwork:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so small a network gains nothing by more, and its sums keep their order
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    first = examples[0]
    size = Size(first.rows.shape[1], first.states.shape[1], config.width, layers=config.layers, dropout=config.dropout)
    network = ScorerNetwork(size)
    together = np.concatenate([example.rows for example in examples])
    network.mean.copy_(torch.from_numpy(together.mean(0)))
    network.scale.copy_(torch.from_numpy(np.maximum(together.std(0), 1e-3)))
    steps = config.epochs * -(-len(examples) // config.batch)
    optimiser = torch.optim.AdamW(network.parameters(), lr=config.lr, weight_decay=config.weight_decay)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimiser, config.lr, total_steps=steps, pct_start=0.15)
    average = torch.optim.swa_utils.AveragedModel(
        network,
        multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(config.average),  # type: ignore[no-untyped-call]  # torch has no types there
    )
    network.train()
    for _ in range(config.epochs):
        order = rng.permutation(len(examples))
        for start in range(0, len(order), config.batch):
            inputs, wanted = collate([examples[i] for i in order[start : start + config.batch]])
            value = loss(network(*inputs), wanted)
            optimiser.zero_grad()
            torch.autograd.backward(value)
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            rates.step()
            average.update_parameters(network)
    torch.set_num_threads(threads)
    return cast(ScorerNetwork, average.module).eval()


@torch.no_grad()
def predict(network: Ensemble, examples: Sequence[Example]) -> list[ModelOutput]:
    """The outputs of a network.

    Args:
        network: In evaluation mode.
        examples: What is predicted.

    Returns:
        phone (N,), error (N,), word (W, 3), sentence (4,) of each example, as shares of their scales.
    """
    outputs = []
    for example in examples:
        inputs, _ = collate([example])
        phone, error, word, sentence = (part[0].numpy() for part in network(*inputs))
        outputs.append((phone, error, word, sentence))
    return outputs


def collate(examples: Sequence[Example]) -> tuple[tuple[Tensor, Tensor, Tensor, Tensor], dict[str, Tensor]]:
    """Padded inputs of a network and its targets; padding is phone 0 without a score."""
    inputs = (
        _padded([e.rows for e in examples], 0.0),
        _padded([e.states for e in examples], 0.0),
        _padded([e.ids for e in examples], 0).long(),
        _belonging([e.words for e in examples]),
    )
    scores = ("phone", "error", "word")
    wanted = {name: _padded([getattr(e, name).astype(np.float32) for e in examples], np.nan) for name in scores}
    wanted["sentence"] = torch.from_numpy(np.stack([e.sentence for e in examples]).astype(np.float32))
    return inputs, wanted


def _padded(arrays: Sequence[np.ndarray], filler: float) -> Tensor:
    tensors = [torch.from_numpy(np.ascontiguousarray(array)) for array in arrays]
    return torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True, padding_value=filler)


def _belonging(words: Sequence[np.ndarray]) -> Tensor:
    """(B, W, N): 1 where phone n is of word w."""
    together = torch.zeros(len(words), max(int(of.max()) + 1 for of in words), max(len(of) for of in words))
    for row, of in zip(together, words, strict=True):
        row[torch.from_numpy(of), torch.arange(len(of))] = 1.0
    return together
