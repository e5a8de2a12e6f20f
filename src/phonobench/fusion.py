"""Late fusion: a run made of other runs' posteriors alone, no training, no torch.

A fused run is a folder like any other, with a manifest that names its members and their weights. By `frames` it has
posteriors of its own, the members' log-probabilities averaged frame by frame and renormalised (float16 again). By
`likelihoods` it has none: its evidence is made of the members' posteriors whenever it is asked for (`parts`), so the
members must stay beside it. `phonobench.evidence` says when which one fails.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from phonobench import evidence, store
from phonobench.phones import COLUMNS
from phonobench.store import provenance
from phonobench.types import OnProgress, PhonobenchError, Progress

Method = Literal["frames", "likelihoods"]
METHODS: tuple[Method, ...] = ("frames", "likelihoods")
FUSED = "fused"
"""The `status` of a fused run's manifest."""
SPLITS = ("dev", "test")
"""Every member has posteriors of these; others, and the controls, are fused where all members have them."""
SLACK = 2
"""Frames by which equally fast encoders may differ in length: they round the end of an utterance differently."""


@dataclass(frozen=True)
class Member:
    """A run that takes part: its folder, its manifest, and the manifests of its finished posteriors by split."""

    folder: Path
    run: dict[str, Any]
    posteriors: dict[str, dict[str, Any]]

    @property
    def name(self) -> str:
        """The run's id."""
        return str(self.run["run_id"])


def method(name: str) -> Method:
    """The method of that name. Raises PhonobenchError for any other."""
    if name not in METHODS:
        raise PhonobenchError(f"unknown method of fusion {name!r}; one of {', '.join(METHODS)}")
    return name


def members(run_dirs: Sequence[Path], method: Method) -> tuple[Member, ...]:
    """The runs as members of one fusion.

    Raises PhonobenchError, naming the run, where there are fewer than two, one twice, or one that is a fusion by
    likelihoods, has another phone set, was trained on or run on another corpus or other utterances, or (by frames)
    has another frame rate.
    """
    found = tuple(_member(run_dir) for run_dir in run_dirs)
    if len(found) < 2 or len({member.name for member in found}) < len(found):
        raise PhonobenchError(f"a fusion has two members or more, each once: {', '.join(m.name for m in found)} given")
    for other in found[1:]:
        _refuse_unlike(found[0], other, method)
    return found


def fuse(
    run_dirs: Sequence[Path],
    weights: Sequence[float],
    runs_root: Path,
    *,
    method: Method = "frames",
    chosen_on: str | None = None,
    report: OnProgress = lambda _: None,
) -> Path:
    """Write the run that fuses `run_dirs` by `weights` (one a run, sum 1) under `runs_root`; returns its folder.

    `chosen_on` is recorded: the split on which the weights were chosen, None where they were given. Raises
    PhonobenchError as `members` does, and for members by likelihoods that do not lie under `runs_root`.
    """
    joined = members(run_dirs, method)
    weights = evidence.check_weights(weights, len(joined))
    splits = common_splits(joined)
    keys = {member.name: {split: member.posteriors[split]["key"] for split in splits} for member in joined}
    key = store.fingerprint({"fusion": method, "members": [*keys.items()], "weights": list(weights)})
    systems = "+".join(member.run["card"] for member in joined)
    shares = "-".join(f"{weight:.2f}" for weight in weights)
    run_dir = runs_root / f"{systems}.{method}-{shares}.{key[:8]}"
    for member in joined:
        if method == "likelihoods" and member.folder.resolve().parent != runs_root.resolve():
            raise PhonobenchError(f"{member.folder} is not under {runs_root}: a fusion by likelihoods reads it there")
    if method == "frames":
        for split in splits:
            _average(joined, weights, split, run_dir, key)
            report(Progress(f"fuse {shares}", splits.index(split) + 1, len(splits)))
    store.write_run(run_dir, _manifest(joined, weights, method, key, run_dir.name, chosen_on))
    return run_dir


def common_splits(joined: Sequence[Member]) -> list[str]:
    """Splits and controls whose posteriors all members have."""
    return [split for split in joined[0].posteriors if all(split in member.posteriors for member in joined)]


def parts(run_dir: Path, run: dict[str, Any]) -> list[tuple[Path, float]]:
    """Folders whose posteriors a run's evidence is made of, with their weights: its own, or those of its members."""
    fusion = run.get("fusion")
    if fusion is None or fusion["method"] == "frames":
        return [(run_dir, 1.0)]
    return [(run_dir.parent / name, weight) for name, weight in zip(fusion["members"], fusion["weights"], strict=True)]


def _member(run_dir: Path) -> Member:
    run = store.read_run(run_dir)
    if len(parts(run_dir, run)) > 1:
        raise PhonobenchError(f"{run['run_id']} is a fusion by likelihoods, without frames: name its members instead")
    posteriors = {split: store.posteriors_manifest(run_dir, split) for split in SPLITS}
    for folder in sorted((run_dir / "posteriors").iterdir()):
        if (folder / "manifest.json").exists():
            posteriors[folder.name] = store.posteriors_manifest(run_dir, folder.name)
    shards = posteriors["dev"]["shards"]
    if not shards:
        raise PhonobenchError(f"{run['run_id']} has no posteriors of dev: there is nothing to fuse")
    logp = store.read_arrays(store.posteriors_folder(run_dir, "dev") / shards[0]["file"])[0].get("logp")
    columns = logp.shape[-1] if logp is not None and logp.ndim else 0
    if columns != COLUMNS:
        raise PhonobenchError(
            f"{run['run_id']} has another phone set: {columns} columns, {COLUMNS} expected; infer it again"
        )
    return Member(run_dir, run, posteriors)


def _refuse_unlike(one: Member, other: Member, method: str) -> None:
    pair = f"cannot fuse {one.name} and {other.name}"
    if one.run["corpus"]["fingerprint"] != other.run["corpus"]["fingerprint"]:
        raise PhonobenchError(
            f"{pair}: trained on different corpora ({one.run['corpus']['name']} and {other.run['corpus']['name']}, "
            f"{one.run['corpus']['fingerprint'][:12]} and {other.run['corpus']['fingerprint'][:12]})"
        )
    for split in common_splits((one, other)):
        ours, theirs = one.posteriors[split], other.posteriors[split]
        if ours["inputs"].get("corpus") != theirs["inputs"].get("corpus"):
            raise PhonobenchError(f"{pair}: their posteriors of {split} are of different corpora; infer both again")
        unshared = sorted(set(ours["ids"]) ^ set(theirs["ids"]))
        if unshared:
            raise PhonobenchError(
                f"{pair}: their utterances of {split} differ ({len(ours['ids'])} and {len(theirs['ids'])}; "
                f"{unshared[0]} is in one only)"
            )
        if method == "frames" and abs(ours["hop"] - theirs["hop"]) > 1e-9:
            raise PhonobenchError(
                f"{pair} by frames: {1000 * ours['hop']:g} and {1000 * theirs['hop']:g} ms a frame; "
                "--method likelihoods takes any frame rates"
            )


def _average(joined: Sequence[Member], weights: Sequence[float], split: str, run_dir: Path, key: str) -> None:
    posteriors = [store.read_posteriors(member.folder, split) for member in joined]
    corpus = joined[0].posteriors[split]["inputs"]["corpus"]
    mixed = evidence.average(posteriors, weights, slack=SLACK)
    inputs = {"weights": key, "corpus": corpus, "split": split, "key": key}
    store.write_posteriors(store.posteriors_folder(run_dir, split), mixed, inputs)


def _manifest(
    joined: Sequence[Member], weights: Sequence[float], method: str, key: str, run_id: str, chosen_on: str | None
) -> dict[str, Any]:
    runs = [member.run for member in joined]
    fusion = {
        "method": method,
        "members": [member.name for member in joined],
        "weights": list(weights),
        "seeds": [run["seed"] for run in runs],
        "chosen_on": chosen_on,
    }
    shares = "/".join(f"{weight:.2f}" for weight in weights)
    trained = [run.get("trained_parameters") for run in runs]
    return {
        **together(runs),
        "run_id": run_id,
        "key": key,
        "status": FUSED,
        "fusion": fusion,
        "recipe": {"name": f"late fusion by {method} {shares}", **fusion},
        "corpus": runs[0]["corpus"],
        "versions": provenance.versions(),
        "trained_parameters": None if None in trained else sum(cast(list[int], trained)),
    }


def together(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the manifest of a run made of others says of them: their systems, models, parameters; the first's seed.

    Of one run alone it is what that run says of itself.
    """
    keys = [run["card_key"] for run in runs]
    return {
        "card": "+".join(run["card"] for run in runs),
        "card_key": keys[0] if len(keys) == 1 else store.fingerprint(keys),
        "seed": runs[0]["seed"],
        "limit": runs[0].get("limit"),
        "model": {fact: " + ".join(run["model"][fact] for run in runs) for fact in ("id", "revision")},
        "parameters": sum(cast(int, run["parameters"]) for run in runs),
    }
