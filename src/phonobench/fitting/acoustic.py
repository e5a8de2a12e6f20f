"""The acoustic models of a scorer, each with the key of all that decides its outputs and a folder for their features.

A scorer reads recordings through one acoustic model or several. Of a fitted run they are trained runs, of an export
they are ONNX files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from phonobench import store
from phonobench.assessment.bundle import Bundle
from phonobench.assessment.model import speech_span
from phonobench.assessment.types import AcousticOutput
from phonobench.types import OnProgress, Progress

CUT = [speech_span.MARGIN, speech_span.LONG, speech_span.BLANK, speech_span.FLOOR]
"""What decides how much of a recording is recognised."""
Waves = Sequence[Callable[[], np.ndarray]]
"""Recordings, each read when it is called: float32, mono, 16 kHz."""


@dataclass(frozen=True)
class AcousticModel:
    """One acoustic model.

    `name` is shown in progress. `key` is the hash of all that decides its outputs. `folder` keeps the features that
    were made of them. `recognise` takes recordings and a progress callback, and yields the index of each recording with
    its output, in any order.
    """

    name: str
    key: str
    folder: Path
    recognise: Callable[[Waves, OnProgress], Iterator[tuple[int, AcousticOutput]]]


def acoustic_model_of_run(run_dir: Path, layers: Sequence[int], level: float | None) -> AcousticModel:
    """A trained run as an acoustic model; its features are kept in the run's own folder.

    Args:
        run_dir: The trained run.
        layers: Encoder layers whose states are part of the output: 0 before the first, -1 after the last.
        level: Loudness to which recordings are brought, dBFS; None: they stay as they are.

    Raises:
        PhonobenchError: Where the run has no weights.
    """
    from phonobench.neural.assessment import recognise
    from phonobench.neural.checkpoints import trained

    key = store.fingerprint({"weights": trained.digest(run_dir), "layers": list(layers), "level": level, "cut": CUT})
    return AcousticModel(
        run_dir.name, key, run_dir / "descriptions", partial(recognise.recognise, run_dir, layers, level)
    )


def acoustic_models_of_bundle(bundle: Bundle, cache: Path) -> list[AcousticModel]:
    """The acoustic models of an export, each with a folder of its own under `cache`.

    The key hashes the model's own files, not the scorer: exports with the same acoustic model share its features.
    """
    models = []
    for place, hashes in enumerate(bundle.acoustic_hashes):
        facts = {"files": hashes, "level": bundle.level, "states": bundle.reads_states, "hop": bundle.hop, "cut": CUT}
        key = store.fingerprint(facts)
        name = f"{bundle.run['run_id']} {place}"
        models.append(AcousticModel(name, key, cache / key[:16], partial(_recognise, bundle, place)))
    return models


def _recognise(bundle: Bundle, place: int, waves: Waves, report: OnProgress) -> Iterator[tuple[int, AcousticOutput]]:
    for k, wave in enumerate(waves):
        yield k, bundle.recognise_with(place, wave())
        report(Progress(f"recognise {bundle.facts['name']}", k + 1, len(waves)))
