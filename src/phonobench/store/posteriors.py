"""Posteriors on disk, in shards that survive a kill: `part-*.safetensors`, `begun.json`, and last `manifest.json`.

A shard holds the frames of some utterances one after another as float16 `logp` (frames, 40) with `offsets` (n + 1,);
its metadata carries the ids and the key. The key is the fingerprint of the inputs (weights, corpus, split, code), so
that the posteriors of other inputs are never continued or mixed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from phonobench.phones import COLUMNS
from phonobench.store import door
from phonobench.store.array_checks import Wanted, check_arrays, check_bounds
from phonobench.store.files import fingerprint, hash_file, read_arrays, write_arrays, write_json
from phonobench.store.posteriors_facts import BegunFacts, PosteriorsFacts, ShardFacts, SpeedFacts
from phonobench.store.runs import posteriors_folder
from phonobench.types import PhonobenchError, Posteriors

SPEED_FILE = "speed.json"
SHARD = 64
"""Utterances a shard: at most so much work is lost when a run is killed."""

_FORMAT = 1
_AGAIN = "delete that folder and infer again"


class PosteriorsWriter:
    """Stores posteriors as they come and knows what is still to do. Use as a context manager.

    Leaving the context stores the buffer, also after an error, and writes the manifest when all `ids` are there.

    Args:
        folder: where the shards lie.
        inputs: what made the posteriors (JSON-able: hash of the weights, corpus fingerprint, split, code version).
        ids: all utterances wanted, in the order in which they will be read back.
        hop: seconds between frames.
        shard: utterances in a file.

    Raises:
        PhonobenchError: where other inputs began the folder, or an id is given twice.
    """

    def __init__(
        self, folder: Path, inputs: Mapping[str, Any], ids: Sequence[str], hop: float, shard: int = SHARD
    ) -> None:
        if len(set(ids)) != len(ids):
            raise PhonobenchError(f"{folder}: an utterance id is asked for twice")
        self.folder, self.ids, self.hop, self.shard = folder, tuple(ids), float(hop), shard
        self._wanted = frozenset(ids)
        self.inputs, self.key = dict(inputs), fingerprint({**inputs, "hop": float(hop), "format": _FORMAT})
        self._buffer: list[tuple[str, np.ndarray]] = []
        _refuse_others(folder, self.key, self.inputs)
        self._stored = _stored_shards(folder, self.key)
        self._have = set(self.done)
        if self.todo:
            write_json(folder / "begun.json", {"key": self.key, "inputs": self.inputs, "ids": list(self.ids)})

    @property
    def done(self) -> frozenset[str]:
        """Ids stored on disk by this or an earlier run."""
        return frozenset(id for ids in self._stored.values() for id in ids)

    @property
    def todo(self) -> tuple[str, ...]:
        """Ids neither stored nor waiting to be, in order."""
        return tuple(id for id in self.ids if id not in self._have)

    def add(self, id: str, logp: np.ndarray) -> None:
        """Takes the posteriors of one utterance; every `shard` utterances they go to disk.

        Args:
            id: one of the ids wanted.
            logp: (frames, 40), log-probabilities.

        Raises:
            PhonobenchError: for an id that is not wanted or already stored, another shape, no frames, or rows that
                are no log-probabilities (not finite, or not summing to one).
        """
        if id in self._have or id not in self._wanted:
            raise PhonobenchError(f"{self.folder}: utterance {id} was not asked for, or is already stored")
        _check_logp(f"{self.folder}: utterance {id}", logp)
        self._have.add(id)
        self._buffer.append((id, np.asarray(logp, dtype=np.float16)))
        if len(self._buffer) >= self.shard:
            self.flush()

    def flush(self) -> None:
        """Writes the waiting utterances as one shard."""
        if not self._buffer:
            return
        ids = [id for id, _ in self._buffer]
        offsets = np.cumsum([0] + [len(logp) for _, logp in self._buffer], dtype=np.int64)
        name = f"part-{fingerprint(ids)[:16]}.safetensors"
        arrays = {"logp": np.concatenate([logp for _, logp in self._buffer]), "offsets": offsets}
        write_arrays(self.folder / name, arrays, {"key": self.key, "ids": ids})
        self._stored[name] = tuple(ids)
        self._buffer.clear()

    def finish(self) -> None:
        """Writes the manifest.

        Raises:
            PhonobenchError: when utterances are missing.
        """
        self.flush()
        if self.todo:
            raise PhonobenchError(f"{self.folder}: {len(self.todo)} of {len(self.ids)} utterances are still to infer")
        shards = [{"file": name, "sha256": hash_file(self.folder / name)} for name in sorted(self._stored)]
        manifest = {"format": _FORMAT, "key": self.key, "inputs": self.inputs, "hop": self.hop}
        write_json(self.folder / "manifest.json", {**manifest, "ids": list(self.ids), "shards": shards})

    def __enter__(self) -> PosteriorsWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.flush()
        if kind is None and not self.todo:
            self.finish()


def write_posteriors(folder: Path, posteriors: Posteriors, inputs: Mapping[str, Any]) -> None:
    """Stores a whole split at once; what an earlier call with the same inputs stored is kept."""
    with PosteriorsWriter(folder, inputs, posteriors.ids, posteriors.hop) as writer:
        wanted = set(writer.todo)
        for id, logp in zip(posteriors.ids, posteriors.logp, strict=True):
            if id in wanted:
                writer.add(id, logp)


def posteriors_done(folder: Path) -> frozenset[str]:
    """Ids whose posteriors lie in `folder`, complete or not; empty when nothing was begun."""
    return frozenset(id for ids in _stored_shards(folder, None).values() for id in ids)


def read_posteriors(run_dir: Path, split: str, ids: Sequence[str] | None = None) -> Posteriors:
    """The posteriors of one split of a run.

    Args:
        run_dir: the folder of the run.
        split: name of the split or control.
        ids: which utterances, in this order; None: all, as inferred.

    Raises:
        PhonobenchError: when there are none, when inference stopped half-way, when a shard is damaged or of other
            inputs, or when one of `ids` was not inferred.
    """
    folder = posteriors_folder(run_dir, split)
    manifest = posteriors_manifest(run_dir, split)
    _refuse_repeats(folder, ids)
    wanted = tuple(manifest["ids"] if ids is None else ids)
    missing = sorted(set(wanted) - set(manifest["ids"]))
    if missing:
        raise PhonobenchError(
            f"{folder} covers {len(manifest['ids'])} utterances and lacks {len(missing)} of the {len(wanted)} wanted, "
            f"{missing[0]} first: run `phonobench infer {run_dir.name}` to continue"
        )
    found: dict[str, np.ndarray] = {}
    for shard in manifest["shards"]:
        path = folder / shard["file"]
        part, key = _read_shard(path)
        if key != manifest["key"] or hash_file(path) != shard["sha256"] or part.keys() & found.keys():
            raise PhonobenchError(f"{path} is not what {folder / 'manifest.json'} says: infer {split} again")
        found |= part
    if found.keys() != set(manifest["ids"]):
        odd = sorted(found.keys() ^ set(manifest["ids"]))[0]
        raise PhonobenchError(f"{folder}: its shards and its manifest differ in utterance {door.shown(odd)}: {_AGAIN}")
    return Posteriors(wanted, tuple(found[id] for id in wanted), float(manifest["hop"]))


def posteriors_manifest(run_dir: Path, split: str) -> dict[str, Any]:
    """The manifest of finished posteriors: `key`, `inputs`, `hop`, `ids`, `shards`.

    Raises:
        PhonobenchError: when there are none or when inference stopped half-way.
    """
    folder = posteriors_folder(run_dir, split)
    if (folder / "manifest.json").exists():
        manifest: dict[str, Any] = door.read_json(folder / "manifest.json", _AGAIN)
        door.checked_value(folder / "manifest.json", manifest, PosteriorsFacts, _AGAIN)
        return manifest
    if (folder / "begun.json").exists():
        begun = door.read_model(folder / "begun.json", BegunFacts, _AGAIN)
        total, done = len(begun.ids), len(posteriors_done(folder))
        raise PhonobenchError(
            f"inference of {split} is incomplete in {folder} ({done} of {total} utterances): "
            f"run `phonobench infer {run_dir.name}` to continue"
        )
    raise PhonobenchError(f"no posteriors of {split} in {run_dir}: run `phonobench infer {run_dir.name}` first")


def add_speed(run_dir: Path, split: str, facts: Mapping[str, Any]) -> None:
    """Stores how fast posteriors were made: `audio_seconds` of audio in `seconds`, and on which machine.

    An interrupted inference that continues elsewhere has a measurement for each part; they lie in `speed.json`.
    """
    path = posteriors_folder(run_dir, split) / SPEED_FILE
    write_json(path, [*read_speed(run_dir, split), dict(facts)])


def read_speed(run_dir: Path, split: str) -> list[dict[str, Any]]:
    """The measurements of `add_speed`; none for posteriors that were not made by a model (a fusion) or not timed."""
    path = posteriors_folder(run_dir, split) / SPEED_FILE
    if not path.exists():
        return []
    found: list[dict[str, Any]] = door.read_json(path, "delete it, the speed is then unknown")
    door.checked_value(path, found, SpeedFacts, "delete it, the speed is then unknown")
    return found


def _refuse_others(folder: Path, key: str, inputs: Mapping[str, Any]) -> None:
    for name in ("manifest.json", "begun.json"):
        if not (folder / name).exists():
            continue
        model: type[PosteriorsFacts | BegunFacts] = PosteriorsFacts if name == "manifest.json" else BegunFacts
        other = door.read_model(folder / name, model, _AGAIN)
        if other.key != key:
            theirs = other.inputs
            differing = sorted(k for k in {*inputs, *theirs} if inputs.get(k) != theirs.get(k)) or ["hop or format"]
            raise PhonobenchError(
                f"{folder} holds posteriors with key {other.key[:12]}, not {key[:12]} "
                f"(they differ in {', '.join(differing)}): delete that folder or choose another run id"
            )


def _stored_shards(folder: Path, key: str | None) -> dict[str, tuple[str, ...]]:
    shards = {}
    for path in sorted(folder.glob("part-*.safetensors")):
        metadata = door.checked_value(path, read_arrays(path)[1], ShardFacts, "delete it and infer again")
        if key is not None and metadata.key != key:
            raise PhonobenchError(f"{path} has key {metadata.key[:12]}, not {key[:12]}: delete it and infer again")
        shards[path.name] = metadata.ids
    return shards


def _read_shard(path: Path) -> tuple[dict[str, np.ndarray], str]:
    """The posteriors of a shard by id, and its key."""
    arrays, written = read_arrays(path)
    facts = door.checked_value(path, written, ShardFacts, _AGAIN)
    wanted = {"logp": Wanted("f", ("frames", COLUMNS)), "offsets": Wanted("i", ("bounds",))}
    sizes = check_arrays(path, arrays, wanted, remedy=_AGAIN)
    check_bounds(path, arrays["offsets"], len(facts.ids), sizes["frames"], _AGAIN)
    _check_logp(str(path), arrays["logp"])
    bounds = arrays["offsets"]
    parts = zip(facts.ids, bounds[:-1], bounds[1:], strict=True)
    return {id: arrays["logp"][start:end] for id, start, end in parts}, facts.key


def _refuse_repeats(folder: Path, ids: Sequence[str] | None) -> None:
    if ids is not None and len(set(ids)) < len(ids):
        raise PhonobenchError(f"{folder}: an utterance id is asked for twice")


def _check_logp(where: str, logp: np.ndarray) -> None:
    if logp.ndim != 2 or logp.shape[1] != COLUMNS or len(logp) == 0:
        raise PhonobenchError(f"{where}: posteriors of shape {logp.shape}, (frames >= 1, {COLUMNS}) expected")
    wide = np.asarray(logp, dtype=np.float32)
    if not np.isfinite(wide).all():
        raise PhonobenchError(f"{where}: the posteriors are not finite; the model diverged, train it again")
    worst = float(np.abs(np.log(np.exp(wide).sum(axis=1))).max())
    if worst > 0.02:
        raise PhonobenchError(f"{where}: rows are no log-probabilities (their log-sum is off by {worst:.3g})")
