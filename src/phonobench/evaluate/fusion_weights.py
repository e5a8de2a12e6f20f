"""Weights of a late fusion: the whole curve, and the choice on dev, from stored posteriors.

Greedy decoding needs no renormalised distribution, so a point costs one weighted sum and one argmax over all frames
of a split; points are computed in parallel. The metrics are those that follow from the recognised phones. A run that
stores the same fusion rounds it to float16, so that a near tie between two phones may there fall the other way.
By likelihoods every utterance is searched anew at every weighting, which takes a thousand times as long.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from rapidfuzz.distance import Levenshtein

from phonobench import fusion, phones, stats, store, tasks
from phonobench.corpora.choice import choice_set
from phonobench.evaluate.intervals import estimate
from phonobench.evaluate.predictions import evidence, workers
from phonobench.evidence import CTCEvidence, FusedEvidence
from phonobench.stats import Estimate, Rows
from phonobench.stats.bootstrap import RESAMPLES, SEED
from phonobench.types import Corpus, OnProgress, PhonobenchError, Progress, Split, Utterance

METRICS = ("per_hq", "per", "utterance_pearson", "utterance_auc")
"""The metrics of a point of the curve."""
CHOSEN_BY = "per_hq"
"""The metric by which weights are chosen on dev."""
BLOCK = 1 << 15
"""Frames that one thread sums up at a time: they stay in the cache."""

Weights = tuple[float, ...]


@dataclass(frozen=True)
class Point:
    """One weighting, one weight a run in their order, and its figures with intervals."""

    weights: Weights
    metrics: dict[str, Estimate]


def grid(parts: int, steps: int = 100) -> tuple[Weights, ...]:
    """All weightings whose weights are multiples of 1 / `steps`.

    Args:
        parts: Runs that are weighted.
        steps: For two runs there are `steps` + 1 weightings.

    Returns:
        The weightings, each with sum 1.

    Example:
        >>> grid(2, steps=2)
        ((0.0, 1.0), (0.5, 0.5), (1.0, 0.0))
    """
    rows = itertools.product(range(steps + 1), repeat=parts - 1)
    return tuple((*(k / steps for k in row), (steps - sum(row)) / steps) for row in rows if sum(row) <= steps)


def curve(
    run_dirs: Sequence[Path], corpus: Corpus, split: Split, weightings: Sequence[Weights], *,
    method: fusion.Method = "frames", resamples: int = RESAMPLES, seed: int = SEED, report: OnProgress = lambda _: None,
) -> tuple[Point, ...]:  # fmt: skip
    """The figures of every weighting on a split.

    Args:
        run_dirs: The runs that are fused.
        corpus: The one that they were inferred on.
        split: train, dev or test.
        weightings: Weights, one a run, sum 1.
        method: By frames or by likelihoods.
        resamples: Draws of speakers.
        seed: Of the draws.
        report: Called with the progress.

    Returns:
        A point a weighting, in their order.

    Raises:
        PhonobenchError: As `fusion.members`.
    """
    joined = fusion.members(run_dirs, method)
    utterances = corpus.split(split)[: joined[0].run.get("limit")]
    if joined[0].posteriors[split]["inputs"].get("corpus") != corpus.fingerprint:
        raise PhonobenchError(
            f"posteriors of {split} in {joined[0].folder} are not of {corpus.name} ({corpus.fingerprint[:12]}): "
            "name their corpus with --corpus"
        )
    draws = stats.speaker_draws(len({u.speaker for u in utterances}), resamples, seed)
    expected = [phones.encode(u.prompt.phones) for u in utterances]

    if method == "likelihoods":
        counted = _likelihood_errors(run_dirs, corpus, split, weightings, utterances, report)
        return tuple(Point(w, _measure(utterances, errors, draws)) for w, errors in counted.items())
    frames, starts = _frames(run_dirs, split, utterances)

    def point(weights: Weights) -> Point:
        hypotheses = _decode(frames, starts, weights)
        errors = [Levenshtein.distance(a, b) for a, b in zip(expected, hypotheses, strict=True)]
        return Point(weights, _measure(utterances, np.array(errors), draws))

    points: list[Point] = []
    with ThreadPoolExecutor(max_workers=workers()) as pool:
        for found in pool.map(point, weightings):
            points.append(found)
            report(Progress(f"curve on {split}", len(points), len(weightings)))
    return tuple(points)


def _likelihood_errors(
    run_dirs: Sequence[Path], corpus: Corpus, split: Split, weightings: Sequence[Weights],
    utterances: Sequence[Utterance], report: OnProgress,
) -> dict[Weights, np.ndarray]:  # fmt: skip
    """For every weighting the errors of every utterance in the likeliest sequence that is found."""
    by_member = [evidence(run_dir, corpus, split, [u.id for u in utterances])[0] for run_dir in run_dirs]
    jobs = [(weights, u) for weights in weightings for u in utterances]

    def errors(job: tuple[Weights, Utterance]) -> int:
        weights, u = job
        parts = tuple(cast(CTCEvidence, one[u.id]) for one in by_member)
        return Levenshtein.distance(phones.encode(u.prompt.phones), FusedEvidence(parts, weights).best())

    counted = []
    with ThreadPoolExecutor(max_workers=workers()) as pool:
        for count in pool.map(errors, jobs):
            counted.append(count)
            if len(counted) % 20 == 0 or len(counted) == len(jobs):
                report(Progress(f"fuse likelihoods of {split}", len(counted), len(jobs)))
    rows = np.array(counted).reshape(len(weightings), len(utterances))
    return dict(zip(weightings, rows, strict=True))


def best(points: Sequence[Point]) -> Point:
    """The point of the lowest PER (HQ); of equal ones the first of those nearest to equal weights.

    Where no utterance is known to be well read, the point of the lowest PER (`corpora.choice`).
    """
    name = CHOSEN_BY if all(math.isfinite(point.metrics[CHOSEN_BY].value) for point in points) else "per"

    def rank(point: Point) -> tuple[float, float]:
        return point.metrics[name].value, max(point.weights) - min(point.weights)

    return min(points, key=rank)


def choose(
    run_dirs: Sequence[Path], corpus: Corpus, method: fusion.Method, candidates: Sequence[Weights], *,
    report: OnProgress = lambda _: None,
) -> Weights:  # fmt: skip
    """The weights with the lowest PER (HQ) on dev; test is not looked at.

    Args:
        run_dirs: The runs that are fused.
        corpus: The one that they were inferred on.
        method: By frames or by likelihoods.
        candidates: Weights, one a run, sum 1.
        report: Called with the progress.

    Returns:
        The best candidate; where no dev utterance is known to be well read, that with the lowest PER
        (`corpora.choice`).
    """
    if method == "frames":
        return best(curve(run_dirs, corpus, "dev", candidates, resamples=0, report=report)).weights
    joined = fusion.members(run_dirs, method)
    dev = corpus.split("dev")[: joined[0].run.get("limit")]
    well_read = [dev[place] for place in choice_set(dev).places]
    counted = _likelihood_errors(run_dirs, corpus, "dev", candidates, well_read, report)
    total = {weights: int(errors.sum()) for weights, errors in counted.items()}
    return min(total, key=lambda weights: (total[weights], max(weights) - min(weights)))


def _frames(
    run_dirs: Sequence[Path], split: Split, utterances: Sequence[Utterance]
) -> tuple[list[np.ndarray], np.ndarray]:
    """For each run all frames of the split (F, 40), cut to the shortest of the runs; where each utterance begins."""
    read = [store.read_posteriors(run_dir, split, [u.id for u in utterances]).logp for run_dir in run_dirs]
    lengths = []
    for utterance, *logps in zip(utterances, *read, strict=True):
        sizes = [len(logp) for logp in logps]
        if max(sizes) - min(sizes) > fusion.SLACK:
            raise PhonobenchError(
                f"cannot fuse {utterance.id} by frames: {' and '.join(map(str, sizes))} of them; "
                "--method likelihoods takes any number"
            )
        lengths.append(min(sizes))
    joined = [
        np.concatenate([part[:size] for part, size in zip(logp, lengths, strict=True)]).astype(np.float32)
        for logp in read
    ]
    return joined, np.concatenate([[0], np.cumsum(lengths)])


def _decode(frames: Sequence[np.ndarray], starts: np.ndarray, weights: Weights) -> list[tuple[int, ...]]:
    """Greedy decoding of all utterances at once: the best column a frame, repeats joined, blanks left out."""
    weighted = [(part, np.float32(weight)) for part, weight in zip(frames, weights, strict=True) if weight > 0]
    best = np.empty(len(frames[0]), dtype=np.int64)
    for begin in range(0, len(best), BLOCK):
        block = slice(begin, begin + BLOCK)
        total = weighted[0][0][block] * weighted[0][1]
        for part, weight in weighted[1:]:
            total += part[block] * weight
        best[block] = total.argmax(axis=1)
    fresh = np.ones(len(best), dtype=bool)
    fresh[1:] = best[1:] != best[:-1]
    fresh[starts[:-1]] = True
    kept = np.flatnonzero(fresh & (best != phones.BLANK))
    bounds = np.searchsorted(kept, starts)
    ids = best[kept].tolist()
    return [tuple(ids[a:b]) for a, b in itertools.pairwise(bounds.tolist())]


def _measure(utterances: Sequence[Utterance], errors: np.ndarray, draws: np.ndarray) -> dict[str, Estimate]:
    """The metrics of `METRICS` from the number of errors of each utterance."""
    length = np.array([len(u.prompt.phones) for u in utterances], dtype=float)
    accuracy = np.array([u.judgement.accuracy for u in utterances])
    speakers = tuple(sorted({u.speaker for u in utterances}))
    place = {speaker: i for i, speaker in enumerate(speakers)}
    speaker = np.array([place[u.speaker] for u in utterances], dtype=np.int32)
    rate = errors / length
    found, known = {}, tasks.metrics()
    for name in METRICS:
        # Scoring ranks by 1 - PER, detection by PER; recognition takes the counts.
        score = 1.0 - rate if name == "utterance_pearson" else rate
        columns = {"errors": errors.astype(float), "phones": length, "accuracy": accuracy, "score": score}
        found[name] = estimate(known[name], {"utterance": Rows(columns, speaker, speakers)}, draws)
    return found
