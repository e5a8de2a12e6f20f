"""Files on disk: atomic writes, fingerprints, the manifests of runs, and the posteriors that a model left behind.

A file either has its whole content or does not exist: everything is written beside its place, synced and renamed.
Identity is the hash of the inputs, kept in a manifest, never a file name.
"""

from phonobench.store.atomic import write_bytes
from phonobench.store.files import (
    fingerprint,
    hash_file,
    read_arrays,
    read_json,
    without_nan,
    write_arrays,
    write_json,
)
from phonobench.store.posteriors import (
    PosteriorsWriter,
    add_speed,
    posteriors_done,
    posteriors_manifest,
    read_posteriors,
    read_speed,
    write_posteriors,
)
from phonobench.store.runs import (
    RUN_FILE,
    find_members,
    find_run,
    has_run,
    list_runs,
    posteriors_folder,
    read_run,
    write_run,
)
from phonobench.store.weights import Weights, read_weights

__all__ = [
    "RUN_FILE",
    "PosteriorsWriter",
    "Weights",
    "add_speed",
    "find_members",
    "find_run",
    "fingerprint",
    "has_run",
    "hash_file",
    "list_runs",
    "posteriors_done",
    "posteriors_folder",
    "posteriors_manifest",
    "read_arrays",
    "read_json",
    "read_posteriors",
    "read_run",
    "read_speed",
    "read_weights",
    "without_nan",
    "write_arrays",
    "write_bytes",
    "write_json",
    "write_posteriors",
    "write_run",
]
