"""Golden files of the scorer that ships: three recordings of the synthetic corpus, `python tests/golden_files.py`.

`acoustic.npz` holds what the acoustic model made of them, `features.npz` all that is computed from it before rounding,
`scores.json` the published scores. The acoustic model is quantised to 8 bits, and another processor may add such
numbers in another order; all that follows it is compared from its stored output, so that tolerances can be tight.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import phonobench
from phonobench import audio
from phonobench.assessment import bundle
from phonobench.assessment.bundle import Bundle
from phonobench.assessment.model import features, speech_span
from phonobench.assessment.types import (
    PHONE_SCALE,
    SCORE_SCALE,
    AcousticOutput,
    Assessment,
    HeadOutput,
    ScoreEstimate,
    Scorer,
)
from phonobench.corpora import synthetic
from phonobench.types import Utterance

RECORDINGS = ("000080129", "000220161", "000290145")
"""Voiced movement of pitch, pauses, several words, phones right and wrong; no figure that lies on the edge of being
rounded the other way."""
FOLDER = Path(__file__).parent / "golden"
ACOUSTIC, FEATURES, SCORES = FOLDER / "acoustic.npz", FOLDER / "features.npz", FOLDER / "scores.json"

Arrays = dict[str, np.ndarray]


def utterance(recording: str) -> Utterance:
    """The utterance of the synthetic corpus."""
    return next(u for u in synthetic.read().utterances if u.id == recording)


def phones_of(one: Utterance) -> str:
    """The phones of the prompt as `phonobench.score` takes them. A text would leave the variant to the audio."""
    return " | ".join(" ".join(word.phones) for word in one.prompt.words)


@dataclass(frozen=True)
class Replay:
    """An `Assessor` with the scorer that ships, whose acoustic output is a stored one."""

    scorer: Scorer
    facts: Mapping[str, Any]
    output: AcousticOutput
    key: str = "0" * 64

    def recognise(self, wave: np.ndarray) -> AcousticOutput:
        """The stored output, whatever the wave."""
        return self.output


def acoustic(shipped: Bundle, one: Utterance) -> Arrays:
    """The acoustic model's output: `logp` (T, 40); its score head's estimates, `phone` (N,) and `sentence` (4,)."""
    wave = audio.read(one.audio)
    raw, output = shipped.recognise_with(0, wave, margins=False), shipped.recognise(wave)
    names = features.NAMES
    rows = features.describe(output, one.prompt).rows
    sentence = [names.index(name) for name in names if name.startswith("judged_")]
    return {"logp": raw.logp, "phone": rows[:, names.index("judged")], "sentence": rows[0, sentence]}


def replay(shipped: Bundle, one: Utterance, stored: Arrays) -> Replay:
    """The scorer that ships, with a stored acoustic output in place of the acoustic model's."""
    frames = len(stored["logp"])
    head = HeadOutput(np.zeros((frames, 1)), lambda *_: (stored["phone"], stored["sentence"]))
    wave = audio.read(one.audio)
    output = AcousticOutput(stored["logp"], np.zeros((frames, 0), np.float32), wave, shipped.hop, head=head)
    return Replay(shipped.scorer, shipped.facts, speech_span.with_margins(output))


def computed(shipped: Replay, one: Utterance) -> Arrays:
    """All that is computed from the acoustic output: `features` (N, names), and scores from 0 to 100, not rounded."""
    assessment = shipped.scorer.assess(shipped.output, one.prompt)
    return {"features": features.describe(shipped.output, one.prompt).rows, **_scores(assessment)}


def published(shipped: Replay, one: Utterance) -> dict[str, Any]:
    """The JSON of `phonobench.score`, without the sound file's place."""
    made = phonobench.score(one.audio, phones=phones_of(one), package=shipped)
    return json.loads(made.model_copy(update={"file": one.audio.name}).model_dump_json())


def stored(path: Path) -> dict[str, Arrays]:
    """The arrays of a golden file, by recording and name."""
    with np.load(path) as file:
        return {
            recording: {name.split(" ")[1]: file[name] for name in file.files if name.startswith(recording)}
            for recording in RECORDINGS
        }


def make() -> None:
    """Measures and writes all golden files."""
    shipped = bundle.load()
    found: dict[Path, Arrays] = {ACOUSTIC: {}, FEATURES: {}}
    scores = {}
    for recording in RECORDINGS:
        one = utterance(recording)
        parts = acoustic(shipped, one)
        again = replay(shipped, one, parts)
        found[ACOUSTIC] |= {f"{recording} {name}": array for name, array in parts.items()}
        found[FEATURES] |= {f"{recording} {name}": array for name, array in computed(again, one).items()}
        scores[recording] = published(again, one)
    FOLDER.mkdir(exist_ok=True)
    for path, arrays in found.items():
        np.savez_compressed(path, **{name: np.asarray(array) for name, array in arrays.items()})  # type: ignore[arg-type]
    SCORES.write_text(json.dumps(scores, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _scores(assessment: Assessment) -> Arrays:
    """Every estimate as (value, low, high), 0 to 100; probabilities of errors and of the prompt being read."""
    made = {"phone": _figures(assessment.phone, PHONE_SCALE)}
    made |= {f"word.{name}": _figures(one, SCORE_SCALE) for name, one in assessment.word.items()}
    made |= {f"sentence.{name}": _figures(one, SCORE_SCALE) for name, one in assessment.sentence.items()}
    return {**made, "phone_error": 100 * assessment.phone_error, "read": np.array([100 * assessment.read_probability])}


def _figures(estimate: ScoreEstimate, scale: float) -> np.ndarray:
    return np.stack([estimate.value, estimate.low, estimate.high], axis=-1) * 100 / scale


if __name__ == "__main__":
    make()
