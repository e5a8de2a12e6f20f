"""ONNX Runtime, the only thing that runs networks here."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from phonobench.types import PhonobenchError


class Node(Protocol):
    """An input of a network."""

    @property
    def name(self) -> str:
        """Its name."""
        ...


class Session(Protocol):
    """What is used of an ONNX Runtime session."""

    def get_inputs(self) -> list[Node]:
        """The inputs that the network takes."""
        ...

    def run(self, outputs: list[str] | None, inputs: dict[str, Any]) -> list[Any]:
        """The named outputs (None: all of them) for arrays by the name of the input."""
        ...


def session(path: Path) -> Session:
    """An ONNX Runtime session on the processor.

    Raises:
        PhonobenchError: where the runtime is not installed, or the file is no network that it can run.
    """
    try:
        import onnxruntime
    except ImportError as absent:
        raise PhonobenchError("scoring needs the package onnxruntime: pip install onnxruntime") from absent
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        made: Session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as fault:  # the runtime raises kinds of its own, none of which is a bug of ours
        reason = " ".join(str(fault).split())[:200]
        raise PhonobenchError(f"{path} is no network that can be run ({reason}): export the run again") from fault
    return made
