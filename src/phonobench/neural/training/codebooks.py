"""Stage one of a quantised system: its codebooks, residual k-means over the states of train speakers' frames.

Lloyd's algorithm from randomly chosen frames, book after book on what the books before left over; a code that no frame
is nearest to moves to a random frame. Codebooks lie under `runs/codebooks/` by what they are of, for all runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from phonobench import store
from phonobench.neural import composition, distributed
from phonobench.neural.encoders import Encoder, QuantisedEncoder
from phonobench.neural.training.batches import TrainingData
from phonobench.store.array_checks import Wanted, check_arrays
from phonobench.types import OnProgress, PhonobenchError, Progress

FRAMES = 100_000
"""Frames that the codebooks are learned on, the same number of every utterance."""
ROUNDS = 20
BLOCK = 8192


def prepare(
    encoder: Encoder, data: TrainingData, runs_root: Path, manifest: dict[str, Any], report: OnProgress
) -> None:
    """Stage one of a discrete system: its codebooks where they are fitted, and where its codes are kept on disk.

    Does nothing for an encoder of continuous states.

    Args:
        encoder: Is changed.
        data: The training utterances.
        runs_root: The folder of all runs, where codebooks and codes are shared.
        manifest: The run's, whose inputs identify the codebooks.
        report: Called with the progress.
    """
    if isinstance(encoder, QuantisedEncoder):
        facts = {name: manifest[name] for name in ("card", "model", "limit", "fold")}
        facts |= {"corpus": manifest["corpus"]["fingerprint"], "context": manifest["recipe"]["context"]}
        facts |= {"books": encoder.max_n_q, "codes": encoder.bins, "frames": FRAMES}
        path = runs_root / "codebooks" / f"{store.fingerprint(facts)[:16]}.safetensors"
        if not distributed.is_main():
            distributed.barrier()  # the first process fits and writes them
        fit(encoder, data, path, 0, report)
        if distributed.is_main():
            distributed.barrier()
    composition.attach_code_cache(encoder, runs_root, writes=distributed.is_main())


def fit(encoder: QuantisedEncoder, data: TrainingData, path: Path, seed: int, report: OnProgress) -> None:
    """Fill the encoder's codebooks: from `path`, else from the data's frames, and then they are written there."""
    if path.exists():
        arrays, _ = store.read_arrays(path)
        shapes = {name: tuple(encoder.get_buffer(name).shape) for name in encoder.own_buffers}
        check_arrays(path, arrays, {name: Wanted("f", shape) for name, shape in shapes.items()})
    else:
        states = _frames(encoder, data, seed, report)
        arrays = {"mean": states.mean(0).numpy(), "scale": states.std(0).clamp(min=1e-4).numpy()}
        scaled = (states - torch.from_numpy(arrays["mean"])) / torch.from_numpy(arrays["scale"])
        books = residual(scaled, encoder.max_n_q, encoder.bins, seed, report)
        arrays |= {f"codebook_{place}": book.numpy() for place, book in enumerate(books)}
        store.write_arrays(path, arrays, {"frames": len(states), "seed": seed, "rounds": ROUNDS})
    with torch.no_grad():
        for name in encoder.own_buffers:
            encoder.get_buffer(name).copy_(torch.from_numpy(arrays[name]))


@torch.no_grad()
def _frames(encoder: QuantisedEncoder, data: TrainingData, seed: int, report: OnProgress) -> Tensor:
    """Raw states (frames, width) of randomly chosen frames."""
    each = -(-FRAMES // len(data))
    rng = np.random.default_rng((seed, 2))
    found = []
    device = next(encoder.parameters()).device
    encoder.eval()
    for done, wave in enumerate(data.waves, start=1):
        states = encoder.states(torch.from_numpy(wave).to(device)).cpu()
        chosen = rng.permutation(len(states))[:each]
        found.append(states[torch.from_numpy(chosen)])
        if done % 50 == 0 or done == len(data):
            report(Progress("states for codebooks", done, len(data)))
    return torch.cat(found)


def residual(states: Tensor, books: int, size: int, seed: int, report: OnProgress) -> list[Tensor]:
    """Codebooks, each of what those before it left over.

    Args:
        states: Frames (n, width).
        books: Codebooks.
        size: Codes of each.
        seed: Of the first centres.
        report: Called with the progress.

    Returns:
        `books` tensors (size, width).

    Raises:
        PhonobenchError: For fewer frames than codes.
    """
    if len(states) < size:
        raise PhonobenchError(f"{len(states)} frames cannot make {size} codes: train on more utterances")
    rest, found = states.clone(), []
    for place in range(books):
        book = k_means(rest, size, np.random.default_rng((seed, 3, place)))
        rest = rest - book[nearest(rest, book)]
        found.append(book)
        kept = float(rest.square().mean() / states.square().mean())
        report(Progress("codebooks", place + 1, books, f"left over: {kept:.1%} of the variance"))
    return found


def k_means(points: Tensor, size: int, rng: np.random.Generator, rounds: int = ROUNDS) -> Tensor:
    """Centres (size, width) of `points` (n, width)."""
    centres = points[torch.from_numpy(rng.permutation(len(points))[:size])].clone()
    for _ in range(rounds):
        codes = nearest(points, centres)
        count = torch.bincount(codes, minlength=size)
        total = torch.zeros_like(centres).index_add_(0, codes, points)
        centres = total / count.clamp(min=1)[:, None]
        empty = (count == 0).nonzero()[:, 0]
        if len(empty):
            centres[empty] = points[torch.from_numpy(rng.integers(0, len(points), len(empty)))]
    return centres


def nearest(points: Tensor, centres: Tensor) -> Tensor:
    """The centre (n,) that each point is nearest to, computed in blocks."""
    norms = centres.square().sum(1)
    blocks: Sequence[Tensor] = torch.split(points, BLOCK)
    return torch.cat([(norms - 2 * block @ centres.T).argmin(1) for block in blocks])
