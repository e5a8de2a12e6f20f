"""The manifest of a run, `runs/<run_id>/run.json`: what was trained, on what, with which settings.

Written by `neural`, read by everything after it. Layout of a run's folder: `run.json`, `weights/`,
`posteriors/<split>/`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from phonobench.store import door
from phonobench.store.files import write_json
from phonobench.store.run_facts import model_of
from phonobench.systems import cards
from phonobench.systems.identity import with_today_names
from phonobench.types import PhonobenchError

RUN_FILE = "run.json"

_AGAIN = "put the run's own file back, or train it again"


def write_run(run_dir: Path, manifest: Mapping[str, Any]) -> None:
    """Writes `run.json` atomically.

    Raises:
        PhonobenchError: where it is none that `read_run` takes; the first place that differs is named.
    """
    _check(run_dir, manifest)
    write_json(run_dir / RUN_FILE, dict(manifest))


def read_run(run_dir: Path) -> dict[str, Any]:
    """The manifest of a run; fields of its recipe have today's names, whatever was written (`systems.identity`).

    Raises:
        PhonobenchError: when there is none, when it differs from `store.run_facts`, or when it is another run's than
            the name of the folder says.
    """
    path = run_dir / RUN_FILE
    if not has_run(run_dir):
        raise PhonobenchError(f"no run at {run_dir}: {RUN_FILE} does not exist; `phonobench train` makes one")
    manifest = door.read_json(path, _AGAIN)
    _check(run_dir, manifest)
    return with_today_names(manifest)


def has_run(folder: Path) -> bool:
    """Whether a folder holds a `run.json`, readable or not."""
    try:
        return (folder / RUN_FILE).exists()
    except (OSError, ValueError):  # a name too long, a NUL in it, a loop of links, a folder that may not be entered
        return False


def list_runs(runs_root: Path) -> tuple[Path, ...]:
    """Folders under `runs_root` that hold a run.json, sorted by name; empty when the root does not exist."""
    return tuple(sorted(path.parent for path in runs_root.glob(f"*/{RUN_FILE}")))


def find_run(text: str, runs_root: Path) -> Path:
    """The folder of a run.

    Args:
        text: its path, its id under `runs_root`, or the unambiguous beginning of that id.
        runs_root: the folder of all runs.

    Raises:
        PhonobenchError: where no run or several match; the candidates or the near ones are listed.
    """
    for folder in (Path(text), runs_root / text):
        if has_run(folder):
            return folder
    known = [folder.name for folder in list_runs(runs_root)]
    matches = [name for name in known if name.startswith(text)]
    if len(matches) == 1:
        return runs_root / matches[0]
    if matches:
        raise PhonobenchError(f"{text!r} begins {len(matches)} runs: {', '.join(matches)}; type more of it")
    near = difflib.get_close_matches(text, known, n=3, cutoff=0.4) or known[:5]
    hint = f"near: {', '.join(near)}" if near else f"{runs_root} holds no runs; `phonobench train` or `bench` makes one"
    raise PhonobenchError(f"no run {text!r} in {runs_root}; {hint}")


def find_members(named: Sequence[str] | None, runs_root: Path) -> tuple[str, ...]:
    """Members of a system that is made of others.

    Args:
        named: names of systems, and runs as `find_run` takes them.
        runs_root: the folder of all runs.

    Returns:
        Names of systems as they are, and ids of the runs.

    Raises:
        PhonobenchError: for what is neither.

    Example:
        >>> find_members(["whisper-base"], Path("runs"))
        ('whisper-base',)
    """
    return tuple(name if name in cards.SYSTEMS else find_run(name, runs_root).name for name in named or ())


def posteriors_folder(run_dir: Path, split: str) -> Path:
    """The folder of the posteriors of one split (or control, such as `test-silence`) of a run.

    Example:
        >>> posteriors_folder(Path("runs/a"), "dev").as_posix()
        'runs/a/posteriors/dev'
    """
    return run_dir / "posteriors" / split


def _check(run_dir: Path, manifest: Any) -> None:
    path = run_dir / RUN_FILE
    if not isinstance(manifest, Mapping):
        raise PhonobenchError(f"{path} is not a run's manifest: a JSON object is expected")
    found = door.checked_value(path, manifest, model_of(manifest), _AGAIN)
    if found.run_id not in {run_dir.absolute().name, run_dir.resolve().name}:
        raise PhonobenchError(
            f"{path}: run_id: it is of the run {found.run_id}, which has another name than its folder; give the "
            "folder that name back"
        )
