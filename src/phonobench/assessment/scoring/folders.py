"""Which files of a folder are recordings, and which are left out and why."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from phonobench.audio import HEADERLESS
from phonobench.types import PhonobenchError

SOUND = HEADERLESS | {
    ".wav", ".wave", ".bwf", ".rf64", ".w64", ".flac", ".ogg", ".oga", ".opus", ".spx", ".mp3",
    ".mp2", ".mpga", ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf", ".voc", ".sph", ".nist",
    ".m4a", ".m4b", ".mp4", ".mov", ".3gp", ".3gpp", ".3g2", ".aac", ".webm", ".weba", ".mka",
    ".mkv", ".amr", ".awb", ".wma", ".asf", ".flv", ".wv", ".ape", ".tta",
}  # fmt: skip
"""Endings by which sound files of a folder are known (lower case). Those that cannot be read are refused by name."""
_NAMED = 5
"""Files of one ending that are named; more are counted."""


def recordings(folder: Path) -> tuple[list[str], str | None, list[str]]:
    """The sound files in a folder and below, sorted, a message that names the files left out (None for none), and the
    folders that cannot be read.

    A `.txt` beside a sound file of its name is its text, and not left out.

    Raises:
        PhonobenchError: There are no sound files.
    """
    files, unreadable = _walk(folder)
    seen = [one for one in files if not _is_hidden(one, folder)]
    found = [one for one in seen if one.suffix.lower() in SOUND]
    stems = {one.with_suffix("") for one in found}
    hidden = [one for one in files if _is_hidden(one, folder) and one.suffix.lower() in SOUND]
    others = [
        one for one in seen if one not in found and not (one.suffix.lower() == ".txt" and one.with_suffix("") in stems)
    ]
    left = [*_grouped(others, folder), *([_counted("hidden", hidden, folder)] if hidden else [])]
    if not found and not unreadable:
        there = f"; it holds {', '.join(left)}" if left else ""
        raise PhonobenchError(f"{folder} holds no sound files ({', '.join(sorted(SOUND))}){there}")
    message = f"{folder}: left out, no sound by their names: {', '.join(left)}" if left else None
    return [str(one) for one in found], message, unreadable


def _walk(folder: Path) -> tuple[list[Path], list[str]]:
    """All files below a folder, and the folders that cannot be read."""
    unreadable: list[str] = []

    def refuse(error: OSError) -> None:
        unreadable.append(os.fspath(error.filename))

    files = [Path(place, name) for place, _, names in os.walk(folder, onerror=refuse) for name in names]
    return sorted(one for one in files if os.path.isfile(one)), sorted(unreadable)  # noqa: PTH113 (never raises)


def _is_hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(folder).parts)


def _grouped(files: Sequence[Path], folder: Path) -> list[str]:
    groups: dict[str, list[Path]] = {}
    for one in files:
        groups.setdefault(one.suffix.lower() or "without an ending", []).append(one)
    return [_counted(ending, group, folder) for ending, group in sorted(groups.items())]


def _counted(what: str, files: Sequence[Path], folder: Path) -> str:
    names = [one.relative_to(folder).as_posix() for one in files[:_NAMED]]
    more = [f"{len(files) - _NAMED} more"] if len(files) > _NAMED else []
    return f"{len(files)} {what} ({', '.join(names + more)})"
