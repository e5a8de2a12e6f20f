"""What the folder of a run holds beyond its results: its learning curve, and how fast it inferred."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phonobench import fusion, store
from phonobench.corpora.choice import dev_per


@dataclass(frozen=True)
class Epoch:
    """One epoch of a training: its mean loss, PER on dev as a fraction, seconds since the training began.

    The PER is that which chose the epoch (`corpora.choice`): over the well-read utterances, or over all.
    """

    epoch: int
    loss: float | None
    dev_per: float | None
    seconds: float | None


@dataclass(frozen=True)
class Speed:
    """Seconds of audio that a run processes in a second, and the machine. The time is that of model and features.

    `busy`: the machine's load was above its number of processors, so that the speed is less of a property of the model.
    """

    audio_per_second: float
    machine: str
    busy: bool


def history(run: Mapping[str, Any]) -> tuple[Epoch, ...]:
    """The epochs in a manifest; none for a fusion."""
    rows = run.get("history") or ()
    return tuple(Epoch(int(r["epoch"]), r.get("loss"), dev_per(r), r.get("seconds")) for r in rows)


def speed(run_dir: Path, split: str) -> Speed | None:
    """How fast a run processed a split; of a fusion, how fast its members did one after another.

    Args:
        run_dir: The run's folder.
        split: The split.

    Returns:
        The speed; None where it is unknown, or where parts or members ran on different machines.
    """
    run = store.read_run(run_dir)
    members = (run.get("fusion") or {}).get("members")
    folders = [run_dir.parent / name for name in members] if members else [run_dir]
    found = [_measured(store.read_speed(folder, split)) for folder in folders]
    known = [one for one in found if one is not None]
    if len(known) < len(found) or len({one.machine for one in known}) != 1:
        return None
    return Speed(1 / sum(1 / one.audio_per_second for one in known), known[0].machine, any(one.busy for one in known))


def _measured(parts: Sequence[Mapping[str, Any]]) -> Speed | None:
    machines = {f"{part['device']}, {part['threads']} threads" for part in parts}
    seconds = sum(part["seconds"] for part in parts)
    if len(machines) != 1 or seconds <= 0:
        return None
    busy = any((part.get("load") or 0) > (part.get("processors") or 1) for part in parts)
    return Speed(sum(part["audio_seconds"] for part in parts) / seconds, machines.pop(), busy)


def frames_of(run_dir: Path) -> Path | None:
    """The folder whose posteriors give a run's phones their times: its own, or its heaviest member's; None if gone.

    A fusion by likelihoods has no frames; its times are those of the member that counts most.
    """
    parts = fusion.parts(run_dir, store.read_run(run_dir))
    folder = max(parts, key=lambda part: part[1])[0]
    return folder if folder.is_dir() else None
