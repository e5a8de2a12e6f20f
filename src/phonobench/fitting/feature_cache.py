"""Descriptions of what a run heard of many utterances, made once and kept beside the run.

A file holds one split or control: rows, states, phone ids and words of all utterances end to end, with their bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from phonobench import audio, store
from phonobench.assessment.model import features
from phonobench.assessment.model.features import Description
from phonobench.assessment.types import AcousticOutput
from phonobench.corpora import control_audio
from phonobench.tasks import controls
from phonobench.types import Corpus, OnProgress, PhonobenchError, Prompt, Utterance


@dataclass(frozen=True)
class FeatureRequest:
    """One description to be made: its name, the prompt, and the audio, named so that equal audio is heard once."""

    name: str
    prompt: Prompt
    audio: str
    wave: Callable[[], np.ndarray]


def of(utterances: Sequence[Utterance]) -> list[FeatureRequest]:
    """Every utterance as it was recorded."""
    return [FeatureRequest(u.id, u.prompt, u.id, partial(audio.read, u.audio)) for u in utterances]


def of_controls(
    utterances: Sequence[Utterance], swapped_every: int, replaced_every: int
) -> dict[str, list[FeatureRequest]]:
    """By control: the prompts of every so many utterances against another speaker's audio, silence and noise."""
    by_id = {u.id: u for u in utterances}
    pairs = [*controls.partners(utterances).items()][::swapped_every]
    jobs = {
        controls.SWAPPED: [
            FeatureRequest(id, by_id[id].prompt, to, partial(audio.read, by_id[to].audio)) for id, to in pairs
        ]
    }
    for name, wave_of in control_audio.CONTROL_AUDIO.items():
        replaced = utterances[::replaced_every]
        jobs[name] = [FeatureRequest(u.id, u.prompt, f"{u.id} {name}", partial(wave_of, u)) for u in replaced]
    return jobs


def named(jobs: dict[str, list[FeatureRequest]]) -> list[FeatureRequest]:
    """All jobs in one list, their names led by the kind."""
    return [replace(job, name=f"{kind} {job.name}") for kind, part in jobs.items() for job in part]


@dataclass(frozen=True)
class AcousticModel:
    """Something that listens: a `name` to show, the `key` of all that decides what it hears, the folder where its
    descriptions are kept, and `listen`: waves and a report in, place of each wave and what was heard out."""

    name: str
    key: str
    folder: Path
    listen: Callable[[Sequence[Callable[[], np.ndarray]], OnProgress], Iterator[tuple[int, AcousticOutput]]]


def acoustic_model_of_run(run_dir: Path, layers: Sequence[int], level: float | None) -> AcousticModel:
    """A trained run with the states of `layers`, to which recordings are brought at `level` dBFS (None: as they are).

    Raises PhonobenchError where it has no weights.
    """
    from phonobench.neural.assessment import recognise
    from phonobench.neural.checkpoints import trained

    key = store.fingerprint({"weights": trained.digest(run_dir), "layers": list(layers), "level": level})
    return AcousticModel(
        run_dir.name, key, run_dir / "descriptions", partial(recognise.recognise, run_dir, layers, level)
    )


def described(
    ear: AcousticModel, corpus: Corpus, name: str, jobs: Sequence[FeatureRequest], *, lenient: bool = False,
    report: OnProgress = lambda _: None,
) -> dict[str, Description]:  # fmt: skip
    """The description of every job by its name, made by listening, or read where it is already stored under `name`.

    Raises PhonobenchError, unless `lenient`, where audio is too short for its prompt; such jobs are then left out.
    """
    inputs = {
        "ear": ear.key, "corpus": corpus.fingerprint, "jobs": [[job.name, job.audio] for job in jobs],
        "features": list(features.NAMES),
    }  # fmt: skip
    key = store.fingerprint(inputs)
    path = ear.folder / f"{name}.{key[:8]}.safetensors"
    if path.exists():
        return _read(path, key)
    by_audio: dict[str, list[FeatureRequest]] = {}
    for job in jobs:
        by_audio.setdefault(job.audio, []).append(job)
    groups = list(by_audio.values())
    found: dict[str, Description] = {}
    for place, listened in ear.listen([group[0].wave for group in groups], report):
        for job in groups[place]:
            try:
                found[job.name] = features.describe(listened, job.prompt)
            except PhonobenchError as fault:
                if not lenient:
                    raise PhonobenchError(f"{job.audio} against {job.name}: {fault}") from fault
    ordered = {job.name: found[job.name] for job in jobs if job.name in found}
    _write(path, key, ordered)
    return ordered


def by_panel(
    panel: Sequence[AcousticModel], corpus: Corpus, name: str, jobs: Sequence[FeatureRequest], *, lenient: bool = False,
    report: OnProgress = lambda _: None,
) -> dict[str, Description]:  # fmt: skip
    """As `described`, by several ears side by side. Where `lenient`, a job is left out that one of them leaves out."""
    heard = [described(ear, corpus, name, jobs, lenient=lenient, report=report) for ear in panel]
    return {
        job.name: features.side_by_side([one[job.name] for one in heard])
        for job in jobs
        if all(job.name in one for one in heard)
    }


def _write(path: Path, key: str, found: dict[str, Description]) -> None:
    bounds = np.cumsum([0, *(len(one.ids) for one in found.values())])
    parts = {name: np.concatenate([getattr(one, name) for one in found.values()]) for name in _PARTS}
    parts["states"] = parts["states"].astype(np.float16)
    store.write_arrays(path, {**parts, "bounds": bounds}, {"key": key, "names": list(found)})


def _read(path: Path, key: str) -> dict[str, Description]:
    arrays, facts = store.read_arrays(path)
    if facts["key"] != key:
        raise PhonobenchError(f"{path} belongs to other inputs: delete it")
    bounds = arrays["bounds"]
    found = {}
    for name, start, end in zip(facts["names"], bounds[:-1], bounds[1:], strict=True):
        rows, states, ids, words = (arrays[part][start:end] for part in _PARTS)
        found[name] = Description(rows, states.astype(np.float32), ids, words)
    return found


_PARTS = ("rows", "states", "ids", "words")
