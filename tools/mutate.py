"""Mutation testing: small faults are put into a room one at a time, and its tests must notice each.

`python tools/mutate.py ctc gop --sample 12` tries twelve faults of each named room and prints those that no test
noticed as `file:line old -> new`. A survivor is a missing test, or a change that makes no difference: a person decides.
Faults are drawn by `--seed`. What has been tried is kept in a file of JSON lines, and is not tried again as long as the
source file is the same, so that a run may be broken off. The tests run in a copy of the tree, which stays untouched.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Room:
    """What is changed (globs below `src/phonobench`), and the test files that must notice."""

    sources: tuple[str, ...]
    tests: tuple[str, ...]


ROOMS = {
    "ctc": Room(("ctc/*.py",), ("test_ctc.py", "test_decoding.py")),
    "gop": Room(("gop.py",), ("test_gop.py", "test_tasks.py")),
    "stats": Room(("stats/*.py",), ("test_stats.py", "test_evaluate.py")),
    "model": Room(("assessment/model/*.py",), ("test_golden.py", "test_scorer.py", "test_score.py")),
    "diagnosis": Room(("assessment/diagnosis.py",), ("test_diagnosis.py", "test_golden.py", "test_score.py")),
}
"""Name on the command line -> room. Doctests of the sources always run too."""

COPIED = ("src", "tests", "tools", "pyproject.toml")
"""What the copy holds; all else of the root is linked."""


@dataclass(frozen=True)
class Mutant:
    """One fault: `old`, at bytes `start` to `end` of the source, becomes `new`."""

    start: int
    end: int
    line: int
    old: str
    new: str

    def applied(self, source: bytes) -> bytes:
        """The source with the fault in it."""
        return source[: self.start] + self.new.encode() + source[self.end :]


COMPARED = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "is": "is not", "is not": "is",
            "in": "not in", "not in": "in"}  # fmt: skip
COMPUTED = {"+": "-", "-": "+", "*": "/", "/": "*", "//": "*", "%": "//", "**": "*", "&": "|", "|": "&",
            "<<": ">>", ">>": "<<", "@": "*", "^": "&"}  # fmt: skip
JOINED = {"and": "or", "or": "and"}
NAMED = {"min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum", "argmin": "argmax",
         "argmax": "argmin", "any": "all", "all": "any", "floor": "ceil", "ceil": "floor"}  # fmt: skip
TOKEN = re.compile(rb"\b(?:is\s+not|not\s+in|is|in|and|or)\b|<<|>>|[<>=!]=|\*\*|//|[-+*/%@&|^<>]")


def mutants(source: bytes) -> list[Mutant]:
    """Every fault that the tool knows for a module, in the order of the text.

    Comparisons lose or gain their bound, operators and constants change, `not` and returned values go, `min` becomes
    `max`, `and` becomes `or`. Annotations, decorators, messages of errors, texts and `__main__` stay as they are.
    """
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found = {(m.start, m.end, m.new): m for node in _nodes(ast.parse(source)) for m in _faults(node, source, starts)}
    return sorted(found.values(), key=lambda m: (m.start, m.end, m.new))


def _nodes(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that may be changed, outermost first."""
    if isinstance(node, ast.Raise | ast.Assert | ast.JoinedStr | ast.Import | ast.ImportFrom):
        return
    if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "__name__ == '__main__'"):
        return
    yield node
    for name, value in ast.iter_fields(node):
        if name not in ("annotation", "returns", "decorator_list", "type_params"):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _nodes(child)


def _faults(node: ast.AST, source: bytes, starts: list[int]) -> Iterator[Mutant]:
    def span(part: ast.expr) -> tuple[int, int]:
        assert part.end_lineno is not None and part.end_col_offset is not None
        return starts[part.lineno - 1] + part.col_offset, starts[part.end_lineno - 1] + part.end_col_offset

    def change(start: int, end: int, new: str) -> Mutant:
        line = source.count(b"\n", 0, start) + 1
        return Mutant(start, end, line, source[start:end].decode(), new)

    def between(left: ast.expr, right: ast.expr, table: dict[str, str]) -> Iterator[Mutant]:
        """The operator that stands between two operands, comments and brackets aside."""
        start, end = span(left)[1], span(right)[0]
        gap = re.sub(rb"#[^\n]*", lambda comment: b" " * len(comment[0]), source[start:end])
        for token in TOKEN.finditer(gap):
            new = table.get(" ".join(token[0].decode().split()))
            if new is not None:
                yield change(start + token.start(), start + token.end(), new)

    if isinstance(node, ast.Compare):
        for left, right in zip([node.left, *node.comparators], node.comparators, strict=False):
            yield from between(left, right, COMPARED)
    elif isinstance(node, ast.BinOp):
        yield from between(node.left, node.right, COMPUTED)
    elif isinstance(node, ast.BoolOp):
        for left, right in zip(node.values, node.values[1:], strict=False):
            yield from between(left, right, JOINED)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        begin = span(node)[0]
        yield change(begin, begin + (3 if isinstance(node.op, ast.Not) else 1), "")
    elif isinstance(node, ast.Constant) and type(node.value) in (bool, int, float):
        new = repr(not node.value) if isinstance(node.value, bool) else repr(node.value + 1)
        yield change(*span(node), new)
    elif isinstance(node, ast.Call):
        called = node.func
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        if name in NAMED:
            end = span(called)[1]
            yield change(end - len(name.encode()), end, NAMED[name])
    elif isinstance(node, ast.IfExp):
        start, end = span(node.test)
        yield change(start, end, f"(not ({source[start:end].decode()}))")
    elif isinstance(node, ast.Return) and node.value is not None and ast.unparse(node.value) != "None":
        yield change(*span(node.value), "None")


def copy_tree(target: Path, root: Path = ROOT) -> None:
    """A copy of the tree to be changed; what tests only read is linked. Siblings of the root are linked too."""
    inside = target / "tree"
    inside.mkdir(parents=True)
    for entry in root.iterdir():
        if entry.name in COPIED:
            skipped = shutil.ignore_patterns("__pycache__")
            copy = shutil.copytree if entry.is_dir() else shutil.copy2
            copy(entry, inside / entry.name, **({"ignore": skipped} if entry.is_dir() else {}))
        elif not entry.name.startswith(".") and entry.name not in ("runs", "build", "dist"):
            (inside / entry.name).symlink_to(entry)
    if (root.parent / "shared").exists():
        (target / "shared").symlink_to(root.parent / "shared")


def run_tests(tree: Path, files: list[str], marked: str, timeout: float) -> str:
    """`passed`, `failed` or `timeout` of the tests of these files with this mark expression."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider", "-m", marked, *files]
    paths = [str(tree / "src"), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        command, cwd=tree, env=environment, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        code = process.wait(timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return "timeout"
    return "passed" if code in (0, 5) else "failed"  # 5: no test has the mark


def outcome(tree: Path, path: str, fault: bytes, tests: list[str], timeout: float) -> str:
    """`survived`, `killed` or `timeout` of one changed file. Slow tests are asked where the quick ones saw nothing."""
    file = tree / path
    original = file.read_bytes()
    file.write_bytes(fault)
    for cache in file.parent.glob("__pycache__/*.nb[ci]"):  # compiled kernels do not know that what they call changed
        cache.unlink()
    try:
        for marked in ("not slow", "slow"):
            found = run_tests(tree, tests, marked, timeout)
            if found != "passed":
                return "killed" if found == "failed" else found
        return "survived"
    finally:
        file.write_bytes(original)


def try_room(name: str, room: Room, options: argparse.Namespace) -> list[dict[str, object]]:
    """The drawn faults of a room, one after the other; each record is written down as soon as it is known."""
    root: Path = options.root
    sources = sorted(p for pattern in room.sources for p in (root / "src/phonobench").glob(pattern))
    drawn = [(path, mutant) for path in sources for mutant in mutants(path.read_bytes())]
    random.Random(f"{options.seed}:{name}").shuffle(drawn)
    print(f"{name}: {min(options.sample, len(drawn))} of {len(drawn)} faults", flush=True)
    records = []
    with tempfile.TemporaryDirectory() as folder:
        copy_tree(Path(folder), root)
        tree, tests = Path(folder) / "tree", [f"tests/{test}" for test in room.tests]
        examples = [str(p.relative_to(root)) for p in sources if ">>> " in p.read_text(encoding="utf-8")]
        begun = time.monotonic()
        if run_tests(tree, tests + examples, "not slow or slow", options.timeout) != "passed":
            raise SystemExit(f"{name}: its tests do not pass before anything is changed")
        timeout = min(options.timeout, 60 + 4 * (time.monotonic() - begun))
        for path, mutant in drawn[: options.sample]:
            key = _key(path, mutant, root)
            record = options.known.get(json.dumps(key))
            if record is None:
                begun = time.monotonic()
                fault = mutant.applied(path.read_bytes())
                result = outcome(tree, str(path.relative_to(root)), fault, tests + examples, timeout)
                record = {"room": name, **key, "result": result, "seconds": round(time.monotonic() - begun, 1)}
                with options.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(record, ensure_ascii=False) + "\n")
            records.append(record)
            if record["result"] == "survived":
                print(
                    f"{record['file']}:{record['line']} {record['old']} -> {record['new'] or '(nothing)'}", flush=True
                )
    return records


def _key(path: Path, mutant: Mutant, root: Path) -> dict[str, object]:
    source = path.read_bytes()
    column = mutant.start - (source.rfind(b"\n", 0, mutant.start) + 1)
    return {
        "file": str(path.relative_to(root)), "sha": hashlib.sha256(source).hexdigest()[:12], "line": mutant.line,
        "column": column, "old": mutant.old, "new": mutant.new,
    }  # fmt: skip


KEY = ("file", "sha", "line", "column", "old", "new")


def known(path: Path) -> dict[str, dict[str, object]]:
    """What earlier runs wrote, by key. A last line that was broken off is left out."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue
        found[json.dumps({field: record[field] for field in KEY})] = record
    return found


def main() -> None:
    """Reads the command line, tries the rooms, prints the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rooms", nargs="*", metavar="ROOM", help=f"{', '.join(ROOMS)}; none: all of them")
    parser.add_argument("--sample", type=int, default=12, help="faults of each room (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="which faults are drawn (default: %(default)s)")
    parser.add_argument("--timeout", type=float, default=1200, help="seconds for one fault at most")
    parser.add_argument("--out", type=Path, default=ROOT / "build/mutants.jsonl", help="what has been tried")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if unknown := sorted(set(options.rooms) - set(ROOMS)):
        parser.error(f"no such room: {', '.join(unknown)}; there are {', '.join(ROOMS)}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.known = known(options.out)
    for name in options.rooms or ROOMS:
        records = try_room(name, ROOMS[name], options)
        results = [record["result"] for record in records]
        print(f"{name}: {results.count('survived')} of {len(results)} survived", flush=True)


if __name__ == "__main__":
    main()
