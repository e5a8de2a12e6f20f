"""A fitted scorer as it runs without torch: network and trees over described phones, the gate, and the calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from phonobench.assessment.model import prosody
from phonobench.assessment.model.answer import ModelOutput, if_read, mean
from phonobench.assessment.model.calibration import Calibration
from phonobench.assessment.model.features import NAMES, Description, describe, side_by_side
from phonobench.assessment.model.gate import PromptGate
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


@dataclass(frozen=True, eq=False)
class FittedScorer:
    """`session`: an ONNX Runtime session of the network. It reads side by side what a panel of `panel` models heard, of
    each those columns that `features` names; where there are several panels, what each heard is scored apart and
    averaged. `forest` (None: the network is alone) has as much to say as the network, `gate` (None: always open)
    whether the prompt was read."""

    session: Any
    calibration: Calibration
    panel: int = 1
    features: tuple[str, ...] = NAMES
    forest: Forest | None = None
    gate: PromptGate | None = None

    def assess(self, listening: AcousticOutput, prompt: Prompt) -> Assessment:
        """Scores on the human scales with intervals. Raises PhonobenchError where the audio is too short."""
        sound = prosody.measure(listening.wave)  # once: all of them heard the same wave
        described = [describe(one, prompt, sound) for one in (listening, *listening.others)]
        together = [side_by_side(panel) for panel in panels(described, self.panel)]
        told = assessment(mean([self.answer(one) for one in together]), self.calibration)
        return replace(told, read=float(np.mean([self.read(one) for one in together])))

    def threshold(self, false_alarms: float) -> float:
        """The error probability from which that share of well-said phones is flagged."""
        return self.calibration.threshold(false_alarms)

    @cached_property
    def _columns(self) -> np.ndarray:
        """Where in a panel's rows the columns stand that the scorer reads."""
        each = np.array([NAMES.index(name) for name in self.features])
        return (len(NAMES) * np.arange(self.panel)[:, None] + each).ravel()

    def answer(self, description: Description) -> ModelOutput:
        """What the scorer says of one description."""
        d = self._named(description)
        told = [self._network(d)]
        if self.forest is not None:
            told.append(self.forest.answer(tabulate(d, self.features)))
        return if_read(mean(told), self._read(d))

    def read(self, description: Description) -> float:
        """The probability that the prompt was read at all."""
        return self._read(self._named(description))

    def _read(self, d: Description) -> float:
        return 1.0 if self.gate is None else self.gate.probability(d, self.features)

    def _named(self, description: Description) -> Description:
        return replace(description, rows=description.rows[:, self._columns])

    def _network(self, d: Description) -> ModelOutput:
        belongs = (d.words[None] == np.arange(d.words.max() + 1)[:, None]).astype(np.float32)
        inputs = {"rows": d.rows[None], "states": d.states[None], "ids": d.ids[None].astype(np.int64),
                  "belongs": belongs[None]}  # fmt: skip
        wanted = {node.name for node in self.session.get_inputs()}
        phone, error, word, sentence = self.session.run(None, {k: v for k, v in inputs.items() if k in wanted})
        return phone[0], error[0], word[0], sentence[0]


T = TypeVar("T")


def panels(listeners: Sequence[T], size: int) -> list[Sequence[T]]:
    """Listeners, or what they heard, in panels of `size`, in order. Raises ValueError where some are left over."""
    if len(listeners) % size:
        raise ValueError(f"{len(listeners)} listeners do not make panels of {size}")
    return [listeners[start : start + size] for start in range(0, len(listeners), size)]


def assessment(answer: ModelOutput, calibration: Calibration) -> Assessment:
    """An answer on the human scales, calibrated."""
    phone, error, word, sentence = answer
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
