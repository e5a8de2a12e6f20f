"""Codes on disk: what a frozen codec made of each sound, found by a hash of the sound, in shards."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from phonobench import store
from phonobench.store import door
from phonobench.store.array_checks import Wanted, check_arrays, check_bounds

SHARD = 200
"""Utterances a file."""


class CodeFacts(door.Checked):
    """What stands beside the codes: the hashes of the sounds."""

    keys: tuple[str, ...]


class CodeCache:
    """Codes (S, books) int16 by key, read from `folder` at first use; new ones go there by `SHARD`s and at `flush`."""

    def __init__(self, folder: Path, writes: bool = True) -> None:
        self.folder, self.writes = folder, writes
        self._known: dict[str, np.ndarray] | None = None
        self._new: dict[str, np.ndarray] = {}

    def _all(self) -> dict[str, np.ndarray]:
        if self._known is None:
            self._known = {}
            for path in sorted(self.folder.glob("part-*.safetensors")):
                arrays, facts = store.read_arrays(path)
                keys = door.checked_value(path, facts, CodeFacts).keys
                wanted = {"codes": Wanted("i", ("frames", "books"), low=0), "offsets": Wanted("i", ("bounds",))}
                sizes = check_arrays(path, arrays, wanted)
                check_bounds(path, arrays["offsets"], len(keys), sizes["frames"])
                parts = np.split(arrays["codes"], arrays["offsets"][1:-1])
                self._known |= dict(zip(keys, parts, strict=True))
        return self._known

    def get(self, key: str) -> np.ndarray | None:
        """The codes of a sound, None where it was not coded yet."""
        return self._all().get(key)

    def put(self, key: str, codes: np.ndarray) -> None:
        """Keep the codes of a sound."""
        self._all()[key] = self._new[key] = codes
        if len(self._new) >= SHARD:
            self.flush()

    def flush(self) -> None:
        """Write what is not on disk yet."""
        if not self._new or not self.writes:
            return
        keys = list(self._new)
        offsets = np.cumsum([0, *(len(codes) for codes in self._new.values())], dtype=np.int64)
        arrays = {"codes": np.concatenate(list(self._new.values())), "offsets": offsets}
        store.write_arrays(self.folder / f"part-{store.fingerprint(keys)[:16]}.safetensors", arrays, {"keys": keys})
        self._new.clear()
