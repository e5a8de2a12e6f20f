"""`phonobench keep` and `restore`: small int8 copies of trained runs, for a repository or another machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from phonobench import store
from phonobench.bench import require_torch
from phonobench.cli.options import KEPT, RUNS, JsonOption, RunsOption
from phonobench.cli.output import print_json, print_line
from phonobench.types import PhonobenchError

KeptOption = Annotated[Path, typer.Option("--kept", help="Folder of the small copies.")]


def keep_run(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Run id, the beginning of one, or a folder.")],
    kept: KeptOption = KEPT,
    runs: RunsOption = RUNS,
    as_json: JsonOption = False,
) -> None:
    """Write a small copy of a trained run (int8 weights, manifest) that fits into a repository."""
    require_torch()
    from phonobench.neural.checkpoints import archive

    folder = archive.keep(store.find_run(run, runs), kept)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    if as_json:
        print_json({"folder": str(folder), "bytes": size})
    else:
        print_line(f"{folder}: {size / 1e6:.1f} MB")


def restore_runs(
    run: Annotated[list[str] | None, typer.Argument(metavar="[RUN]...", help="Which; all where none is named.")] = None,
    kept: KeptOption = KEPT,
    runs: RunsOption = RUNS,
    as_json: JsonOption = False,
) -> None:
    """Put kept runs back into the runs folder, to infer and evaluate without training. Runs there are left alone."""
    require_torch()
    from phonobench.neural.checkpoints import archive

    chosen = [store.find_run(name, kept) for name in run] if run else list(store.list_runs(kept))
    if not chosen:
        raise PhonobenchError(f"{kept} holds no kept runs; `phonobench keep RUN` writes one")
    restored = [str(archive.restore(folder, runs)) for folder in chosen]
    if as_json:
        print_json({"runs": restored})
    else:
        print_line("\n".join(restored))
