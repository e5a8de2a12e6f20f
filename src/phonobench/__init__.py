"""Trains, evaluates, fuses and compares pretrained speech encoders on non-native English pronunciation.

`phonobench.score(recording, text)` scores one recording; it is loaded when it is first asked for.
"""

from __future__ import annotations

import os

from phonobench._version import __version__ as __version__

TYPE_CHECKING = False  # as type checkers know it; importing it would double the time until a signal is handled
if TYPE_CHECKING:
    from typing import Any

    from phonobench.assessment.scoring import score as score

# onnxruntime reports to its makers as soon as it is imported, unless this is set before. Recordings of people are
# scored here, offline as promised: every process that imports phonobench, workers too, keeps it silent.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def __getattr__(name: str) -> Any:
    if name == "score":
        from phonobench.assessment.scoring import score

        return score
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
