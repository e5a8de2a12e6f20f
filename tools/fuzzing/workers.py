"""Tries in worker processes with limits of memory and time, and what became of each."""

from __future__ import annotations

import collections
import multiprocessing
import random
import resource
import shutil
import signal
import tempfile
import time
import traceback
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from fuzzing import base, changes, doors
from phonobench.types import PhonobenchError

LIMIT_SECONDS = 20.0
"""Of processor time that a try may take; many times that by the clock."""
LIMIT_BYTES = 6 << 30
GOOD = ("refused", "same", "changed")
"""Refused in one line; read as if nothing had been changed; read as other numbers that may be."""
BAD = ("traceback", "no line", "not finite", "outside", "crash", "hang")


@dataclass
class Outcome:
    """What became of the tries: by kind of file the count of each end, and the first of each bad one."""

    counts: dict[str, collections.Counter[str]] = field(
        default_factory=lambda: collections.defaultdict(collections.Counter)
    )
    faults: list[dict[str, Any]] = field(default_factory=list)

    @property
    def bad(self) -> int:
        """Tries that ended badly."""
        return sum(count[end] for count in self.counts.values() for end in BAD)

    @property
    def tries(self) -> int:
        """All tries."""
        return sum(sum(count.values()) for count in self.counts.values())


def run(tries: int, seconds: float, seed: int, processes: int, only: str | None = None) -> Outcome:
    """Try until `tries` are done or `seconds` have passed."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        root = Path(folder)
        base.build(root / "base")
        usable = {name: door for name, door in doors.usable().items() if only in (None, name)}
        rng = random.Random(seed)
        chosen = rng.choices(list(usable), [door.weight for door in usable.values()], k=tries)
        jobs = collections.deque((name, rng.randrange(2**62)) for name in chosen)
        ends = time.monotonic() + seconds
        crew = [_Worker(root, number) for number in range(processes)]
        try:
            while jobs and time.monotonic() < ends:
                for worker in crew:
                    if worker.job is None and jobs:
                        worker.begin(jobs.popleft())
                time.sleep(0.0005)
                for worker in crew:
                    worker.look(outcome)
            while any(worker.job for worker in crew):
                time.sleep(0.001)
                for worker in crew:
                    worker.look(outcome)
        finally:
            for worker in crew:
                worker.stop()
    return outcome


class _Worker:
    """A process that is begun anew when a try ends it."""

    def __init__(self, root: Path, number: int) -> None:
        self.root, self.place = root, root / f"worker-{number}" / "a" / "b" / "c"
        self.job: tuple[str, int] | None = None
        self.process: Any = None
        self.pipe: Any = None
        self.begun = 0.0

    def begin(self, job: tuple[str, int]) -> None:
        """Hand a try to the process."""
        if self.process is None:
            shutil.rmtree(self.root / self.place.relative_to(self.root).parts[0], ignore_errors=True)
            shutil.copytree(self.root / "base", self.place / "box", symlinks=True)
            self.pipe, theirs = multiprocessing.Pipe()
            self.process = multiprocessing.get_context("fork").Process(
                target=_work, args=(theirs, self.place), daemon=True
            )
            self.process.start()
            theirs.close()
        self.job, self.begun = job, time.monotonic()
        self.pipe.send(job)

    def look(self, outcome: Outcome) -> None:
        """Take the end of the try, where there is one."""
        if self.job is None:
            return
        late = time.monotonic() - self.begun > 15 * LIMIT_SECONDS
        if not late and self.process.is_alive() and not self.pipe.poll():
            return
        name, seed = self.job
        try:
            end, detail = self.pipe.recv() if self.pipe.poll() else ("hang" if late else "crash", "")
        except (EOFError, OSError):
            end, detail = "crash", ""
        if end in ("crash", "hang"):
            self.process.kill()
            self.process.join()
            code = self.process.exitcode or 0
            end = "hang" if late or code == -signal.SIGXCPU else end
            detail = f"signal {-code}"
            self.process = None
        outcome.counts[name][end] += 1
        if end in BAD:
            outcome.faults.append({"door": name, "seed": seed, "end": end, "detail": detail})
        self.job = None

    def stop(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.join()


def _work(pipe: Connection, place: Path) -> None:
    soft = resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(resource.RLIMIT_DATA, (LIMIT_BYTES, soft))
    if base.TORCH:
        import torch

        torch.set_num_threads(1)
    answers: dict[str, str] = {}
    while True:
        try:
            name, seed = pipe.recv()
        except EOFError:
            return
        used = resource.getrusage(resource.RUSAGE_SELF)
        spent = int(used.ru_utime + used.ru_stime + LIMIT_SECONDS) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (spent, resource.RLIM_INFINITY))
        pipe.send(attempt(name, seed, place, answers))


def attempt(name: str, seed: int, place: Path, answers: dict[str, str]) -> tuple[str, str]:
    """One try: a file of the box is changed, read, and put back. Returns the end and what there is to say of it.

    Args:
        name: of the door.
        seed: of the change.
        place: the folder that holds `box`; whatever appears beside the box was written outside.
        answers: by door the answer without a change, filled here.
    """
    door, box, rng = doors.DOORS[name], place / "box", random.Random(seed)
    (box / "seed").write_text(str(seed))
    if name not in answers:
        answers[name] = doors.answer(door, box) if name != "options" else ""
    path = rng.choice(doors.files_of(door, box))
    former = path.read_bytes()
    if name != "options":
        changes.change_file(path, rng)
    try:
        end, detail = _ended(door, box, answers[name])
    finally:
        _put_back(path, former)
    strange = [
        str(one) for one in place.parents[2].rglob("*") if box not in one.parents and one not in (box, *box.parents)
    ]
    if strange:
        for one in strange:
            shutil.rmtree(one, ignore_errors=True)
            Path(one).unlink(missing_ok=True)
        return "outside", strange[0]
    return end, f"{path.relative_to(box)}: {detail}"


def _ended(door: doors.Door, box: Path, wanted: str) -> tuple[str, str]:
    try:
        found = doors.answer(door, box)
    except PhonobenchError as refusal:
        message = str(refusal)
        return ("refused" if message and "\n" not in message and len(message) < 2_000 else "no line"), message[:300]
    except AssertionError as fault:
        return "not finite", str(fault)
    except BaseException:
        return "traceback", traceback.format_exc()[-1_500:]
    return ("same" if found == wanted else "changed"), ""


def _put_back(path: Path, former: bytes) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)
    path.write_bytes(former)
