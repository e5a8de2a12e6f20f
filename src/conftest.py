"""Which modules of the package are searched for doctests: those with an example, and `neural` only where torch is.

A module is imported to be searched, so that those without examples (and torch with them) cost nothing.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

TORCH = importlib.util.find_spec("torch") is not None


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """True for a module to leave out; None leaves folders and all other files to pytest."""
    if collection_path.suffix != ".py":
        return None
    if collection_path == Path(__file__):
        return True
    needs_torch = "neural" in collection_path.parts
    has_example = ">>> " in collection_path.read_text(encoding="utf-8")
    return True if not has_example or (needs_torch and not TORCH) else None
