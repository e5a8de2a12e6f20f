"""Where pretrained checkpoints lie on this machine: PHONOBENCH_MODELS, or a `shared/models` beside the work.

A checkpoint `owner/name` is the folder `name` (or `owner/name`) in there, in Hugging Face format.
"""

from __future__ import annotations

import os
from pathlib import Path

from phonobench.types import PhonobenchError

VARIABLE = "PHONOBENCH_MODELS"


def models_root() -> Path | None:
    """The folder of pretrained checkpoints, or None where there is none.

    Raises:
        PhonobenchError: where the variable names no folder.
    """
    named = os.environ.get(VARIABLE)
    if named:
        if not Path(named).is_dir():
            raise PhonobenchError(f"{VARIABLE}={named} is no folder; unset it or point it at the folder of checkpoints")
        return Path(named)
    for start in (Path.cwd(), Path(__file__).resolve()):
        for place in (start, *start.parents):
            if (place / "shared" / "models").is_dir():
                return place / "shared" / "models"
    return None


def local_folder(checkpoint: str) -> Path | None:
    """The folder of one checkpoint, or None where it is not there.

    Args:
        checkpoint: hub id; empty for a system without a checkpoint.

    Raises:
        PhonobenchError: as `models_root`.

    Example:
        >>> local_folder("") is None
        True
    """
    root = models_root()
    if root is None or not checkpoint:
        return None
    for folder in (root / checkpoint, root / checkpoint.rpartition("/")[2]):
        if (folder / "config.json").is_file():
            return folder
    return None
