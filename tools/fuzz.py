"""Changes every kind of file that phonobench reads, and sees what becomes of it: `python tools/fuzz.py --tries 1000`.

A small set of real files is built once. Each try changes one of them (JSON by its places, tensors by header and
numbers, tables by lines, others by bytes), and reads it as phonobench does, in a process with limits of memory and
time. A try ends well when it is refused in one line, or read. Everything else is printed, with the seed that
repeats it: a traceback, a message of several lines, a number that is not finite, a crash, a hang, a file outside.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from fuzzing import doors, workers


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tries", type=int, default=100_000, help="changes to try")
    parser.add_argument("--seconds", type=float, default=60.0, help="stop after that time")
    parser.add_argument("--seed", type=int, default=0, help="another seed draws other changes")
    parser.add_argument("--processes", type=int, default=1, help="workers side by side")
    parser.add_argument("--door", choices=sorted(doors.DOORS), help="only this kind of file")
    parser.add_argument("--json", type=Path, help="write counts and faults here")
    given = parser.parse_args()
    outcome = workers.run(given.tries, given.seconds, given.seed, given.processes, given.door)
    ends = (*workers.GOOD, *workers.BAD)
    print(f"{'':16}" + "".join(f"{end:>12}" for end in ("tries", *ends)))
    for name, count in sorted(outcome.counts.items()):
        print(f"{name:16}{sum(count.values()):12}" + "".join(f"{count[end]:12}" for end in ends))
    print(f"{outcome.tries} tries with seed {given.seed}, {outcome.bad} ended badly")
    for fault in outcome.faults[:20]:
        print(f"\n{fault['door']}, seed {fault['seed']}: {fault['end']}\n{fault['detail']}")
    if given.json:
        given.json.write_text(json.dumps({"counts": outcome.counts, "faults": outcome.faults}, indent=1))
    return int(outcome.bad > 0)


if __name__ == "__main__":
    sys.exit(main())
