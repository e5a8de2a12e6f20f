"""A scorer as it ships: acoustic models and network in ONNX, trees, calibration and facts, one folder, no torch.

    package.json      facts: name, version, licence, what it was trained on, gate, calibration, sha256 of the files
    acoustic-K.onnx   log-mels in, log-posteriors and encoder states out; the first `panel` of them are read side by
                      side, and so are the next; panels vote
    judge-K.onnx      mean states in, what acoustic model K itself thinks of phones and sentence out; if it judges
    scorer.onnx       the network: described phones in, scores out
    trees.safetensors boosted trees, which have as much to say as the network (format 2)

`phonobench export RUN` makes such a folder; the default one lies in the package.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from phonobench import audio, store
from phonobench.assessment.model import features, mel
from phonobench.assessment.model.calibration import Calibration
from phonobench.assessment.model.gate import PromptGate
from phonobench.assessment.model.scorer import FittedScorer
from phonobench.assessment.model.trees import Forest
from phonobench.assessment.types import AcousticOutput, HeadOutput
from phonobench.types import PhonobenchError

DEFAULT = Path(__file__).parents[1] / "default_scorer"
FACTS, SCORER, FOREST = "package.json", "scorer.onnx", "trees.safetensors"
FORMAT = 2
"""Version of the folder's layout that is written; of those that are read, 1 has neither trees nor a gate."""


@dataclass(frozen=True, eq=False)
class Bundle:
    """A loaded scorer. `facts` say what it is (name, version, licence, ...), `key` hashes all its files, `bands` and
    `hop` belong to its acoustic models, whose sessions are `acoustic`, with `judges` (None: it does not judge);
    `reads_states`: the scorer looks at states;
    `level` (dBFS): to which recordings are brought before they are heard, None where they are heard as they are.
    `thresholds`: the decisions with the best F1 in its cross-validation, by name; `run`: of the fitted run's manifest
    what a result has to tell; `heard_by`: of each acoustic model the hashes of its files."""

    facts: dict[str, Any]
    key: str
    scorer: FittedScorer
    acoustic: tuple[Any, ...]
    judges: tuple[Any | None, ...]
    bands: int
    hop: float
    reads_states: bool
    level: float | None
    thresholds: dict[str, float]
    run: dict[str, Any]
    heard_by: tuple[tuple[str, ...], ...]

    def listen(self, wave: np.ndarray) -> AcousticOutput:
        """What the acoustic models make of a wave (float32, mono, 16 kHz)."""
        heard = [self.listen_by(place, wave) for place in range(len(self.acoustic))]
        first, *others = heard
        return replace(first, others=tuple(others))

    def listen_by(self, place: int, wave: np.ndarray) -> AcousticOutput:
        """What one of the acoustic models makes of it."""
        wave = wave if self.level is None else audio.levelled(wave, self.level)
        outputs = ["logp", "states"] if self.judges[place] is None else ["logp", "states", "judged"]
        logp, states, *judged = self.acoustic[place].run(outputs, {"mel": mel.spectrogram(wave, self.bands)})
        if not self.reads_states:
            states = states[..., :0]
        judging = HeadOutput(judged[0][0], partial(_estimate, self.judges[place])) if judged else None
        return AcousticOutput(logp[0], states[0], wave, self.hop, judging=judging)


def load(folder: Path | None = None) -> Bundle:
    """The scorer in `folder`, or the one that ships with phonobench.

    Raises PhonobenchError for a folder that holds none, for damaged files, and for those of another version.
    """
    folder = DEFAULT if folder is None else folder
    if not (folder / FACTS).exists():
        raise PhonobenchError(f"{folder} holds no scorer ({FACTS} is missing): `phonobench export RUN` makes one")
    facts = store.read_json(folder / FACTS)
    if facts.get("format") not in (1, FORMAT) or not set(facts.get("features", ())) <= set(features.NAMES):
        raise PhonobenchError(f"{folder / FACTS} is of another version of phonobench: export the run again")
    for name, digest in facts["files"].items():
        if not (folder / name).exists() or store.hash_file(folder / name) != digest:
            raise PhonobenchError(f"{folder / name} is missing or damaged: install phonobench or export again")
    listeners = acoustic_files(facts["files"])
    acoustic = tuple(session(folder / name) for name in listeners)
    opinions = [name.replace("acoustic", "judge") for name in listeners]
    judges = tuple(session(folder / name) if name in facts["files"] else None for name in opinions)
    panel = facts["panel"]
    calibration = Calibration.from_json(facts["calibration"])
    helpers = (Forest.read(folder / FOREST), PromptGate.from_json(facts["gate"])) if facts["format"] == FORMAT else ()
    scorer = FittedScorer(session(folder / SCORER), calibration, panel, tuple(facts["features"]), *helpers)
    key = store.fingerprint(facts["files"])
    numbers = (facts["bands"], facts["hop"], facts["reads_states"], facts["level"], facts["thresholds"], facts["run"])
    hashes = [tuple(facts["files"][name] for name in pair if name in facts["files"])
              for pair in zip(listeners, opinions, strict=True)]  # fmt: skip
    return Bundle(facts["card"], key, scorer, acoustic, judges, *numbers, tuple(hashes))


def _estimate(judge: Any, pooled: np.ndarray, whole: np.ndarray, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    phone, sentence = judge.run(["phone", "sentence"], {"pooled": pooled, "whole": whole, "ids": ids.astype(np.int64)})
    return phone, sentence


def acoustic_files(files: Iterable[str]) -> list[str]:
    """Names of the acoustic models in the order of their numbers."""
    return sorted((name for name in files if name.startswith("acoustic")), key=lambda name: (len(name), name))


def session(path: Path) -> Any:
    """An ONNX Runtime session on the processor. Raises PhonobenchError where the runtime is not installed."""
    try:
        import onnxruntime
    except ImportError as absent:
        raise PhonobenchError("scoring needs the package onnxruntime: pip install onnxruntime") from absent
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
