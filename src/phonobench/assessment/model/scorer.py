"""A fitted scorer as it runs without torch: network and trees over described phones, the gate, and the calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from phonobench.assessment.model import prosody, runtime
from phonobench.assessment.model.absent import Absence, absence, merged
from phonobench.assessment.model.calibration import Calibration
from phonobench.assessment.model.features import NAMES, Description, describe, side_by_side
from phonobench.assessment.model.gate import PromptGate
from phonobench.assessment.model.output import ModelOutput, combine, mean
from phonobench.assessment.model.presence import Presence
from phonobench.assessment.model.readers import Readers
from phonobench.assessment.model.tables import tabulate
from phonobench.assessment.model.trees import Forest
from phonobench.assessment.types import (
    PHONE_SCALE,
    SCORE_SCALE,
    SENTENCE_SCORES,
    WORD_SCORES,
    AcousticOutput,
    Assessment,
)
from phonobench.types import Prompt

NETWORK, FOREST = "scorer.onnx", "trees.safetensors"
"""Files of a scorer, in the folder of a fitted run and in an export."""


@dataclass(frozen=True, eq=False)
class FittedScorer:
    """A network, trees and a gate, with their calibration.

    `session` runs the network. It reads side by side what a panel of `panel` acoustic models gave, of each those
    columns that `features` names. Where there are several panels, each is scored apart and the outputs are averaged.
    `forest` (None: the network is alone) weighs as much as the network; `gate` (None: always open) says whether the
    prompt was read; `presence` (None: all of them) which of its words were said. `readers` (None: unknown): where a
    sentence stands among those of the corpus.
    """

    session: runtime.Session
    calibration: Calibration
    panel: int = 1
    features: tuple[str, ...] = NAMES
    forest: Forest | None = None
    gate: PromptGate | None = None
    presence: Presence | None = None
    readers: Readers | None = None

    def assess(self, output: AcousticOutput, prompt: Prompt) -> Assessment:
        """Scores on the human scales with intervals.

        Args:
            output: of the acoustic models, panel after panel, for one recording.
            prompt: the words and phones that were to be read.

        Raises:
            PhonobenchError: where the audio is too short to hold the phones.
        """
        sound = prosody.measure(output.wave)  # once: all models were given the same wave

        def votes(of: Prompt) -> list[Description]:
            described = [describe(one, of, sound) for one in (output, *output.others)]
            return [side_by_side(panel) for panel in panels(described, self.panel)]

        whole = votes(prompt)
        found = self.absence(whole)
        rest = None if found is None else found.rest(prompt)
        return self.assess_features(whole, found, None if rest is None else votes(rest))

    def absence(self, votes: Sequence[Description]) -> Absence | None:
        """Which words are absent, by the mean probability over the panels; None where the scorer cannot tell."""
        if self.presence is None:
            return None
        named = [self._named(one) for one in votes]
        probabilities = np.mean([self.presence.probabilities(one, self.features) for one in named], axis=0)
        return absence(probabilities, self.presence.threshold)

    def assess_features(
        self, whole: Sequence[Description], found: Absence | None = None, rest: Sequence[Description] | None = None
    ) -> Assessment:
        """As `assess`, from descriptions of the same recording that are there already: one a panel.

        Args:
            whole: of the whole prompt.
            found: its absent words, as `absence` gives them.
            rest: of the prompt without the omitted ones, where `Absence.rest` gives one.
        """
        made = self._assessed(whole)
        if found is not None:
            made = merged(made, None if rest is None else self._assessed(rest), found, whole[0].words.tolist())
        if self.readers is None:
            return made
        stands = {name: self.readers.percentile(name, float(one.value)) for name, one in made.sentence.items()}
        return replace(made, percentiles=stands)

    def _assessed(self, votes: Sequence[Description]) -> Assessment:
        made = assessment(mean([self.predict(one) for one in votes]), self.calibration)
        return replace(made, read_probability=float(np.mean([self.read_probability(one) for one in votes])))

    def threshold(self, false_alarms: float) -> float:
        """The error probability from which that share of well pronounced phones is flagged.

        Raises:
            PhonobenchError: for a share outside the calibrated range.
        """
        return self.calibration.threshold(false_alarms)

    @cached_property
    def _columns(self) -> np.ndarray:
        """Indices of the columns of a panel's rows that the scorer reads."""
        each = np.array([NAMES.index(name) for name in self.features])
        columns: np.ndarray = (len(NAMES) * np.arange(self.panel)[:, None] + each).ravel()
        return columns

    def predict(self, description: Description) -> ModelOutput:
        """The output for one description, before calibration."""
        d = self._named(description)
        outputs = [self._network(d)]
        if self.forest is not None:
            outputs.append(self.forest.predict(tabulate(d, self.features)))
        return combine(outputs, self._read_probability(d))

    def read_probability(self, description: Description) -> float:
        """The probability that the prompt was read at all."""
        return self._read_probability(self._named(description))

    def _read_probability(self, d: Description) -> float:
        return 1.0 if self.gate is None else self.gate.probability(d, self.features)

    def _named(self, description: Description) -> Description:
        return replace(description, rows=description.rows[:, self._columns])

    def _network(self, d: Description) -> ModelOutput:
        belongs = (d.words[None] == np.arange(d.words.max() + 1)[:, None]).astype(np.float32)
        inputs = {
            "rows": d.rows[None],
            "states": d.states[None],
            "ids": d.ids[None].astype(np.int64),
            "belongs": belongs[None],
        }
        wanted = {node.name for node in self.session.get_inputs()}
        phone, error, word, sentence = self.session.run(None, {k: v for k, v in inputs.items() if k in wanted})
        return phone[0], error[0], word[0], sentence[0]


def build(folder: Path, facts: Mapping[str, Any], *, network_alone: bool = False) -> FittedScorer:
    """The scorer whose files lie in a folder: the only place where one is put together.

    Args:
        folder: holds `NETWORK` and `FOREST`.
        facts: of a fitted run's manifest or of an export: `calibration`, `panel`, `features`, `gate`, `presence`
            and `readers` (absent from those that were made before scorers had them).
        network_alone: there are neither trees nor a gate (exports of the first format).

    Raises:
        PhonobenchError: where a file is absent or damaged, or ONNX Runtime is not installed.
    """
    return FittedScorer(
        session=runtime.session(folder / NETWORK),
        calibration=Calibration.from_json(facts["calibration"]),
        panel=facts["panel"],
        features=tuple(facts["features"]),
        forest=None if network_alone else Forest.read(folder / FOREST),
        gate=None if network_alone else PromptGate.from_json(facts["gate"]),
        presence=Presence.from_json(facts["presence"]) if facts.get("presence") else None,
        readers=Readers.from_json(facts["readers"]) if facts.get("readers") else None,
    )


T = TypeVar("T")


def panels(models: Sequence[T], size: int) -> list[Sequence[T]]:
    """Acoustic models, or their outputs, in panels of `size`, in order.

    Raises:
        ValueError: where some are left over.

    Example:
        >>> panels("abcdef", 2)
        ['ab', 'cd', 'ef']
    """
    if len(models) % size:
        raise ValueError(f"{len(models)} acoustic models do not make panels of {size}")
    return [models[start : start + size] for start in range(0, len(models), size)]


def assessment(output: ModelOutput, calibration: Calibration) -> Assessment:
    """An output on the human scales, calibrated."""
    phone, error, word, sentence = output
    around = calibration.intervals
    return Assessment(
        phone=around["phone"].around(PHONE_SCALE * phone.astype(np.float64), PHONE_SCALE),
        phone_error=calibration.probability(error),
        word={
            name: around[f"word.{name}"].around(SCORE_SCALE * word[:, k].astype(np.float64), SCORE_SCALE)
            for k, name in enumerate(WORD_SCORES)
        },
        sentence={
            name: around[f"sentence.{name}"].around(np.asarray(SCORE_SCALE * float(sentence[k])), SCORE_SCALE)
            for k, name in enumerate(SENTENCE_SCORES)
        },
    )
