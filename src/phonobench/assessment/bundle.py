"""A scorer as it ships: acoustic models and network in ONNX, trees, calibration and facts, one folder, no torch.

    package.json      facts: name, version, licence, what it was trained on, gate, calibration, sha256 of the files
    acoustic-K.onnx   log-mels in, log-posteriors and encoder states out; the first `panel` of them are read side by
                      side, and so are the next; panels vote
    judge-K.onnx      the score head of acoustic model K, if it has one: mean states in, estimates for phones and
                      sentence out
    scorer.onnx       the network: described phones in, scores out
    trees.safetensors boosted trees, which weigh as much as the network (format 2)

`phonobench export RUN` makes such a folder; the default one lies in the package.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from phonobench import audio, store
from phonobench.assessment.model import mel, speech_span
from phonobench.assessment.model.runtime import Session, session
from phonobench.assessment.model.scorer import FittedScorer, build
from phonobench.assessment.package_facts import PackageFacts, seal
from phonobench.assessment.types import AcousticOutput, HeadOutput
from phonobench.store import door
from phonobench.systems.identity import with_today_names
from phonobench.types import SAMPLE_RATE, PhonobenchError

DEFAULT = Path(__file__).parents[1] / "default_scorer"
FACTS = "package.json"
_AGAIN = "install phonobench again, or export the run again"
FORMAT = 2
"""Version of the folder's layout that is written; of those that are read, 1 has neither trees nor a gate."""


@dataclass(frozen=True, eq=False)
class Bundle:
    """A loaded scorer.

    `facts` say what it is (name, version, licence, ...), `key` hashes all of `package.json`, which hashes the files.
    `acoustic` are the sessions of its acoustic models, `heads` those of their score heads (None: it has none), `bands`
    and `hop` (seconds) belong to all of them. `reads_states`: the scorer reads states. `level` (dBFS): to which
    recordings are brought before they are recognised, None where they are taken as they are. `thresholds`: the
    decisions with the best F1 in its cross-validation, by name. `run`: of the fitted run's manifest what a result has
    to tell. `acoustic_hashes`: of each acoustic model the hashes of its files.
    """

    facts: dict[str, Any]
    key: str
    scorer: FittedScorer
    acoustic: tuple[Session, ...]
    heads: tuple[Session | None, ...]
    bands: int
    hop: float
    reads_states: bool
    level: float | None
    thresholds: dict[str, float]
    run: dict[str, Any]
    acoustic_hashes: tuple[tuple[str, ...], ...]

    def recognise(self, wave: np.ndarray) -> AcousticOutput:
        """The output of all acoustic models for a wave (float32, mono, 16 kHz), all with the same margins."""
        first, *others = (self.recognise_with(place, wave) for place in range(len(self.acoustic)))
        return replace(first, others=tuple(others))

    def recognise_with(self, place: int, wave: np.ndarray, *, margins: bool = True) -> AcousticOutput:
        """The output of the acoustic model with index `place`; without `margins`, of the whole wave as it is."""
        output = self._run(place, wave)
        if not margins:
            return output
        part = speech_span.cut(len(wave), output.logp, self.hop)
        if part is not None:
            output = replace(self._run(place, wave[part]), start=part.start / SAMPLE_RATE)
        return speech_span.with_margins(output)

    def _run(self, place: int, wave: np.ndarray) -> AcousticOutput:
        wave = wave if self.level is None else audio.levelled(wave, self.level)
        head = self.heads[place]
        outputs = ["logp", "states"] if head is None else ["logp", "states", "judged"]
        logp, states, *judged = self.acoustic[place].run(outputs, {"mel": mel.spectrogram(wave, self.bands)})
        if not self.reads_states:
            states = states[..., :0]
        estimate = None if head is None else HeadOutput(judged[0][0], partial(_estimate, head))
        return AcousticOutput(logp[0], states[0], wave, self.hop, head=estimate)


def load(folder: Path | None = None) -> Bundle:
    """The scorer in `folder`, or (None) the one that ships with phonobench.

    Raises:
        PhonobenchError: for a folder that holds none, for damaged files, and for those of another version.
    """
    folder = DEFAULT if folder is None else folder
    facts = _checked_facts(folder)
    acoustic = acoustic_files(facts["files"])
    heads = [name.replace("acoustic", "judge") for name in acoustic]
    hashes = (
        tuple(facts["files"][name] for name in pair if name in facts["files"])
        for pair in zip(acoustic, heads, strict=True)
    )
    return Bundle(
        facts=facts["card"],
        key=seal(facts),
        scorer=build(folder, facts, network_alone=facts["format"] == 1),
        acoustic=tuple(session(folder / name) for name in acoustic),
        heads=tuple(session(folder / name) if name in facts["files"] else None for name in heads),
        bands=facts["bands"],
        hop=facts["hop"],
        reads_states=facts["reads_states"],
        level=facts["level"],
        thresholds=facts["thresholds"],
        run=with_today_names(facts["run"]),
        acoustic_hashes=tuple(hashes),
    )


def _checked_facts(folder: Path) -> dict[str, Any]:
    """The facts of the folder, whose files are all there and as they were written."""
    path = folder / FACTS
    if not path.exists():
        raise PhonobenchError(f"{folder} holds no scorer ({FACTS} is missing): `phonobench export RUN` makes one")
    facts: dict[str, Any] = door.read_json(path, _AGAIN)
    if not isinstance(facts, dict) or facts.get("format") not in (1, FORMAT):
        raise PhonobenchError(f"{path} is of another version of phonobench: {_AGAIN}")
    door.checked(path, json.dumps(facts).encode(), PackageFacts, _AGAIN)
    if facts.get("sha256", seal(facts)) != seal(facts):
        raise PhonobenchError(f"{path} was changed after it was written: {_AGAIN}")
    for name, digest in facts["files"].items():
        if not (folder / name).is_file() or store.hash_file(folder / name) != digest:
            raise PhonobenchError(f"{folder / name} is missing or damaged: {_AGAIN}")
    return facts


def _estimate(head: Session, pooled: np.ndarray, whole: np.ndarray, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    phone, sentence = head.run(["phone", "sentence"], {"pooled": pooled, "whole": whole, "ids": ids.astype(np.int64)})
    return phone, sentence


def acoustic_files(files: Iterable[str]) -> list[str]:
    """Names of the acoustic models among `files`, in the order of their numbers.

    Example:
        >>> acoustic_files(["acoustic-10.onnx", "scorer.onnx", "acoustic-2.onnx"])
        ['acoustic-2.onnx', 'acoustic-10.onnx']
    """
    return sorted((name for name in files if name.startswith("acoustic")), key=lambda name: (len(name), name))
