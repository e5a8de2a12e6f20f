"""Which code made a file: versions of the package, of what it computes with, and the git revision of a checkout."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
from functools import cache
from pathlib import Path

from phonobench._version import __version__

_PACKAGES = ("numpy", "numba", "scipy", "soundfile", "soxr", "torch", "transformers", "peft")


@cache
def versions() -> dict[str, str]:
    """Versions by name; packages that are not installed are omitted. Nothing is imported for it.

    Example:
        >>> versions()["phonobench"] == __version__
        True
    """
    found = {"phonobench": __version__, "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    revision = git_revision()
    return {**found, "git": revision} if revision else found


@cache
def git_revision() -> str | None:
    """Short revision of the checkout that this package runs from (with `+` where it was changed), or None."""
    root = Path(__file__).resolve().parents[3]
    if not (root / ".git").exists():
        return None
    try:
        run = ["git", "-C", str(root)]
        head = subprocess.run([*run, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True)
        dirty = subprocess.run([*run, "status", "--porcelain", "src"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return head.stdout.strip() + ("+" if dirty.stdout.strip() else "")
