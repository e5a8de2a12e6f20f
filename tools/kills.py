"""Interrupts commands at random moments, lets the same command finish, and counts what was lost, false or left behind.

`python tools/kills.py` makes 100 trials over `score`, `bench`, `train`, `fit`, `export`, `keep` and `restore`, on the
synthetic corpus and random encoders of a few thousand weights: SIGKILL at any time and within a write, SIGTERM, two of
the same command at once, a full disk, a read-only folder. It prints a table and ends with 1 where a count is not zero.
`--trials`, `--verbs`, `--modes`, `--minutes`, `--seed` choose fewer or others; about half an hour on two processors.
POSIX only.

lost: a file that was there before is missing or changed, or the finished work lacks one. false: a file says what does
not hold (a run that is called trained and is not, a line that is no score), or the finished work differs from that of
an unbroken run. scraps: files that an unbroken run does not leave. stuck: the same command does not finish the work.
traces: a traceback, where a line was due. whole: trials whose work was done before the interruption came.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
# Imported once, before any thread begins: children are forks, so that a trial does not wait for it.
import torch  # noqa: F401
import transformers.models.whisper.modeling_whisper  # noqa: F401
from tiny_checkpoints import save

from phonobench import fitting, store
from phonobench.assessment.model.examples import FitConfig
from phonobench.assessment.schema import Score
from phonobench.cli import app, interruption
from phonobench.corpora import synthetic
from phonobench.neural.training import loop
from phonobench.systems import cards, recipe

MODES = {"kill": 45, "write": 15, "terminate": 15, "two": 10, "full": 10, "read-only": 5}
VERBS = {"score": 28, "bench": 8, "train": 18, "fit": 3, "export": 3, "keep": 20, "restore": 20}
COUNTS = ("lost", "false", "scraps", "stuck", "traces")
VOLATILE = {"created", "seconds", "audio_seconds", "history", "versions"}
SMALL = FitConfig(epochs=1, width=16, layers=1, trees=6)
LONGEST = 900.0


@dataclass(frozen=True)
class Job:
    """A verb: what it needs, made once from the folder of all that was prepared, and the work."""

    needs: Callable[[Path, Path], None]
    work: Callable[[Path], None]


def call(*arguments: object) -> None:
    """A command line in this process."""
    app([str(argument) for argument in arguments], standalone_mode=False)


def few() -> Any:
    """The corpus with a twelfth of its train speakers' utterances."""
    import dataclasses

    corpus = synthetic.read()
    kept = tuple(u for k, u in enumerate(corpus.utterances) if (u.split == "dev" and k % 2) or k % 12 == 0)
    return dataclasses.replace(corpus, utterances=kept)


def prepare(place: Path) -> None:
    """Everything that the verbs start from: sound, a trained run, a fitted one, a package, a kept run."""
    sounds = place / "sounds"
    sounds.mkdir()
    for one in synthetic.read().utterances[:4]:
        shutil.copy(one.audio, sounds / one.audio.name)
        (sounds / one.audio.with_suffix(".txt").name).write_text(one.prompt.text)
    first = sorted(sounds.glob("*.txt"))[0]
    call("score", first.with_suffix(next(sounds.glob("*[!t]")).suffix), "--text", "bear", "-o", place / "o.jsonl")
    card = cards.find("whisper-tiny.en")
    plan = recipe.with_settings(recipe.find("scoring"), {"epochs": "1", "head_only_epochs": "0", "precision": "fp32"})
    run = loop.train(card, plan, few(), place / "runs", source=str(save(card, place / "model")))
    fitting.fit([run], few(), place / "runs", layers=(2, -1), config=SMALL, seeds=(0,))
    fitting.export(next((place / "runs").glob("*.scorer.*")), place / "package", int8=False, name="the former")
    call("keep", run, "--kept", place / "kept", "--runs", place / "runs")


def copied(*names: str) -> Callable[[Path, Path], None]:
    """What copies parts of the prepared folder."""

    def copy(base: Path, place: Path) -> None:
        (place / "notes.txt").write_text("of somebody else")
        for name in names:
            for found in base.glob(name):
                target = place / found.relative_to(base)
                target.parent.mkdir(parents=True, exist_ok=True)
                (shutil.copytree if found.is_dir() else shutil.copy)(found, target)

    return copy


def bench(place: Path) -> None:
    """Train, infer and evaluate."""
    call("bench", "scratch-mel", "--corpus", "synthetic", "--set", "epochs=2", "--limit", "4",
         "--runs", place / "runs", "--results", place / "results")  # fmt: skip


def train(place: Path) -> None:
    """Three short epochs."""
    call("train", "scratch-mel", "--corpus", "synthetic", "--set", "epochs=3", "--limit", "6", "--seed", "1",
         "--runs", place / "runs")  # fmt: skip


def fit(place: Path) -> None:
    """A scorer of one network and six trees."""
    runs = place / "runs"
    fitting.fit([next(runs.glob("*.scoring.*"))], few(), runs, layers=(2, -1), config=SMALL, seeds=(0,))


def export(place: Path) -> None:
    """A package over the former one."""
    fitting.export(next((place / "runs").glob("*.scorer.*")), place / "package", int8=False, name="the new")


def keep(place: Path) -> None:
    """A small copy of a run."""
    call("keep", next((place / "runs").glob("*.scoring.*")), "--kept", place / "kept", "--runs", place / "runs")


JOBS = {
    "score": Job(copied("sounds", "o.jsonl"), lambda p: call("score", p / "sounds", "-o", p / "o.jsonl")),
    "bench": Job(copied(), bench),
    "train": Job(copied(), train),
    "fit": Job(copied("runs/*.scoring.*"), fit),
    "export": Job(copied("runs", "package"), export),
    "keep": Job(copied("runs/*.scoring.*"), keep),
    "restore": Job(copied("kept"), lambda p: call("restore", "--kept", p / "kept", "--runs", p / "runs")),
}


def start(work: Callable[[], None], log: Path, largest: int | None = None) -> int:
    """The work in a child of its own, its output in a file; returns the process."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(target, 1)
        os.dup2(target, 2)
        if largest is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
        with interruption.raised():
            work()
        code = 0
    except KeyboardInterrupt as stop:
        code = interruption.exit_code(stop)
    except BaseException as fault:
        code = int(getattr(fault, "exit_code", getattr(fault, "code", 1)) or 0)
        if not isinstance(fault, SystemExit) and type(fault).__name__ not in ("Exit", "PhonobenchError"):
            os.write(2, f"Traceback {type(fault).__name__}: {fault}\n".encode())
    finally:
        os._exit(code)


def ended(child: int, seconds: float = LONGEST) -> int:
    """How a child ended: its exit code, or minus its signal."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -int(signal.SIGKILL)


def contents(place: Path) -> dict[str, Any]:
    """Every file below a folder, without what another time or machine changes."""
    found: dict[str, Any] = {}
    for path in sorted(one for one in place.rglob("*") if one.is_file()):
        name, value = str(path.relative_to(place)), path.read_bytes()
        if path.suffix == ".json":
            found[name] = stripped(json.loads(value))
        elif path.suffix == ".jsonl":
            found[name] = sorted(json.dumps({**json.loads(line), "file": 0}) for line in value.splitlines())
        elif path.suffix in (".html", ".svg") or path.name == "speed.json":
            found[name] = "exists"
        elif path.suffix == ".safetensors":
            arrays, facts = store.read_arrays(path)
            found[name] = [{k: v.tobytes() for k, v in arrays.items()}, stripped(facts)]
        else:
            found[name] = hashlib.sha256(value).hexdigest()
    return {name: value for name, value in found.items() if not name.endswith("speed.json")}


def stripped(value: Any) -> Any:
    """A value without volatile fields."""
    if isinstance(value, dict):
        return {k: stripped(v) for k, v in value.items() if k not in VOLATILE}
    return [stripped(one) for one in value] if isinstance(value, list) else value


def falsehoods(place: Path) -> list[str]:
    """What in a folder says more than holds, just after an interruption."""
    found = []
    for path in place.rglob("*"):
        if path.suffix == ".tmp" or any(part.endswith(".tmp") for part in path.parts):
            continue
        try:
            if path.suffix == ".jsonl":
                whole = path.read_bytes().rpartition(b"\n")[0].splitlines()
                _ = [Score.model_validate_json(line) for line in whole]
            elif path.name == "run.json":
                run = store.read_run(path.parent)
                if run.get("status") == "trained":
                    store.read_arrays(path.parent / "weights" / "model.safetensors")
                    assert run["history"] and run["best_epoch"], "trained without a history"
                if run.get("status") == "fitted":
                    assert (path.parent / "scorer.onnx").exists(), "fitted without a network"
            elif path.name == "package.json":
                files = json.loads(path.read_bytes())["files"]
                assert all(store.hash_file(path.parent / name) == digest for name, digest in files.items()), "mixed"
            elif path.suffix == ".json":
                json.loads(path.read_bytes())
            elif path.suffix == ".safetensors":
                store.read_arrays(path)
        except Exception as fault:
            found.append(f"{path.relative_to(place)}: {type(fault).__name__} {fault}")
    return found


@contextlib.contextmanager
def small_disk(place: Path, free: int | None) -> Iterator[bool]:
    """A disk of its own for the folder, with so much room (None: read-only). False where none is allowed."""
    size = sum(one.stat().st_size for one in place.rglob("*") if one.is_file()) + 65_536 * (
        1 + len(list(place.rglob("*")))
    )
    held = place.with_name(place.name + ".held")
    place.rename(held)
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size + (free or 1 << 20)}", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True).returncode:
        place.rmdir()
        held.rename(place)
        yield False
        return
    try:
        shutil.copytree(held, place, dirs_exist_ok=True)
        if free is None:
            subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        yield True
        subprocess.run(["mount", "-o", "remount,rw,size=4g", str(place)], check=True)
        shutil.rmtree(held)
        shutil.copytree(place, held)
    finally:
        subprocess.run(["umount", str(place)], check=True)
        place.rmdir()
        held.rename(place)


def killed_at(number: int, work: Callable[[Path], None], place: Path) -> None:
    """The work, killed in the middle of a write."""
    left = iter(range(number - 1, -1, -1))
    fsync = os.fsync

    def kill(file: int) -> None:
        if not next(left):
            os.kill(os.getpid(), signal.SIGKILL)
        fsync(file)

    os.fsync = kill
    work(place)


def interrupt(job: Job, place: Path, mode: str, seconds: float, draw: random.Random, log: Path) -> bool:
    """Start the work and break it off in one of the ways; returns whether it was done before."""
    if mode in ("full", "read-only"):
        free = draw.choice((4_096, 65_536, 300_000, 1_000_000)) if mode == "full" else None
        with small_disk(place, free) as is_small:
            limit = None if is_small else 4_096 if free is None else free
            return ended(start(lambda: job.work(place), log, limit)) == 0
    if mode == "write":
        number = draw.choice((1, 1, 2, 2, 3, 4, 6, 9))
        return ended(start(lambda: killed_at(number, job.work, place), log)) == 0
    children = [start(lambda: job.work(place), log)]
    if mode == "two":
        time.sleep(draw.uniform(0, 0.3 * seconds))
        children.append(start(lambda: job.work(place), log))
    time.sleep(draw.uniform(0, seconds))
    with contextlib.suppress(ProcessLookupError):
        os.kill(children[0], signal.SIGTERM if mode == "terminate" else signal.SIGKILL)
    codes = [ended(child) for child in children]
    return codes[0] == 0


def trial(job: Job, base: Path, place: Path, reference: dict[str, Any], mode: str, seconds: float,
          draw: random.Random, log: Path) -> dict[str, list[str]]:  # fmt: skip
    """One interruption and one finishing run; what went wrong, by kind."""
    job.needs(base, place)
    before = contents(place)
    grows = {"o.jsonl"} | {name for name in before if name.startswith("package/")}
    whole = interrupt(job, place, mode, seconds, draw, log)
    after = {str(one.relative_to(place)): one for one in place.rglob("*") if one.is_file()}
    faults: dict[str, list[str]] = {kind: [] for kind in COUNTS} | {"whole": ["done before"] if whole else []}
    faults["lost"] += [f"{name} is gone" for name in before if name not in after]
    faults["false"] += falsehoods(place)
    kept = {name: value for name, value in before.items() if name not in grows and name in after}
    faults["lost"] += [f"{name} changed" for name, value in kept.items() if contents_of(after[name]) != value]
    faults["traces"] += (
        [line for line in log.read_text().splitlines() if line.startswith("Traceback")] if log.exists() else []
    )
    code = ended(start(lambda: job.work(place), log))
    if code:
        faults["stuck"].append(f"exit code {code}: {log.read_text()[-300:]}")
        return faults
    final = contents(place)
    faults["lost"] += [f"{name} is missing at the end" for name in reference if name not in final]
    faults["false"] += [f"{name} differs" for name in reference if name in final and final[name] != reference[name]]
    faults["scraps"] += [name for name in final if name not in reference]
    return faults


def contents_of(path: Path) -> Any:
    """As `contents`, of one file."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(path, Path(folder) / path.name)
        return next(iter(contents(Path(folder)).values()))


def main() -> int:
    """The trials and their table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--verbs", nargs="+", choices=VERBS, default=list(VERBS))
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--base", type=Path, help="Keep what the verbs start from here, and take it from here.")
    parser.add_argument("--minutes", type=float, default=1e9, help="Begin no trial after so long.")
    chosen = parser.parse_args()
    until = time.monotonic() + 60 * chosen.minutes
    draw = random.Random(chosen.seed)
    table: dict[str, Counter[str]] = {verb: Counter() for verb in chosen.verbs}
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        base = chosen.base or root / "base"
        if not (base / "kept").exists():
            base.mkdir(parents=True, exist_ok=True)
            code = ended(start(lambda: prepare(base), root / "prepare.log"))
            if code:
                print((root / "prepare.log").read_text())
                return 1
        unbroken: dict[str, tuple[dict[str, Any], float]] = {}
        for verb in chosen.verbs:
            place = root / "place"
            place.mkdir()
            JOBS[verb].needs(base, place)
            began = time.monotonic()
            if ended(start(lambda verb=verb, place=place: JOBS[verb].work(place), root / "unbroken.log")):
                print((root / "unbroken.log").read_text()[-2000:])
                return 1
            unbroken[verb] = contents(place), time.monotonic() - began
            shutil.rmtree(place)
            print(f"{verb}: unbroken in {unbroken[verb][1]:.1f} s", flush=True)
        for number in range(chosen.trials):
            if time.monotonic() > until:
                break
            verb = draw.choices(chosen.verbs, [VERBS[one] for one in chosen.verbs])[0]
            mode = draw.choices(chosen.modes, [MODES[one] for one in chosen.modes])[0]
            place, log = root / "place", root / "log"
            place.mkdir()
            log.unlink(missing_ok=True)
            faults = trial(JOBS[verb], base, place, unbroken[verb][0], mode, unbroken[verb][1], draw, log)
            shutil.rmtree(place)
            table[verb]["trials"] += 1
            table[verb][mode] += 1
            table[verb]["whole"] += bool(faults.pop("whole"))
            for kind, found in faults.items():
                table[verb][kind] += bool(found)
                bad += bool(found)
            said = "; ".join(f"{kind}: {' | '.join(found[:3])}" for kind, found in faults.items() if found)
            print(f"{number + 1}/{chosen.trials} {verb} {mode}: {said or 'nothing lost, nothing false'}", flush=True)
    write(table)
    return int(bad > 0)


def write(table: dict[str, Counter[str]]) -> None:
    """The table: trials by mode, then how many of them had a fault of each kind."""
    columns = ("trials", *MODES, "whole", *COUNTS)
    print("| verb | " + " | ".join(columns) + " |\n|" + "---|" * (len(columns) + 1))
    rows = [*table.items(), ("all", sum(table.values(), Counter()))]
    for verb, counts in rows:
        print(f"| {verb} | " + " | ".join(str(counts[name]) for name in columns) + " |")


if __name__ == "__main__":
    sys.exit(main())
