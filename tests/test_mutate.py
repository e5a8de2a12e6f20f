"""The mutation tool: which faults it makes, and that it tells what a test notices from what none does."""

from __future__ import annotations

import ast
import importlib.util
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOOL = ROOT / "tools" / "mutate.py"

if not TOOL.is_file():
    pytest.skip("the tools are not beside the tests", allow_module_level=True)

specification = importlib.util.spec_from_file_location("mutate", TOOL)
assert specification is not None and specification.loader is not None
mutate = importlib.util.module_from_spec(specification)
sys.modules["mutate"] = mutate
specification.loader.exec_module(mutate)


def changes(text: str) -> list[tuple[str, str]]:
    return [(m.old, m.new) for m in mutate.mutants(text.encode())]


def test_every_kind_of_fault() -> None:
    body = "a < b and not max(a, -1) + b"
    assert changes(f"def f(a, b):\n    return {body}\n") == [
        (body, "None"), ("<", "<="), ("and", "or"), ("not", ""), ("max", "min"), ("-", ""), ("1", "2"), ("+", "-"),
    ]  # fmt: skip
    assert changes("x = (a\n     # not this < one\n     is not b)\n") == [("is not", "is")]
    assert changes("x = 'é' if a else True\n") == [("a", "(not (a))"), ("True", "False")]


def test_messages_annotations_and_texts_stay() -> None:
    text = '''
        from typing import Literal

        @decorated(1)
        def f(a: Literal[1]) -> "1 < 2":
            """1 < 2."""
            if TYPE_CHECKING:
                b = 1
            raise ValueError(f"{a + 1} and more")
    '''
    assert changes("\n".join(line[8:] for line in text.splitlines())) == []


@pytest.mark.parametrize("room", sorted(mutate.ROOMS))
def test_a_fault_of_a_room_is_another_program(room: str) -> None:
    paths = [p for pattern in mutate.ROOMS[room].sources for p in (ROOT / "src/phonobench").glob(pattern)]
    assert paths
    for path in paths:
        source = path.read_bytes()
        before = ast.dump(ast.parse(source))
        for mutant in mutate.mutants(source)[::10]:
            assert ast.dump(ast.parse(mutant.applied(source))) != before, f"{path}: {mutant}"


def test_the_tests_of_a_room_are_there() -> None:
    named = {test for room in mutate.ROOMS.values() for test in room.tests}
    assert named <= {path.name for path in Path(__file__).parent.glob("test_*.py")}


@pytest.mark.slow
def test_what_no_test_notices_survives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = tmp_path / "src/phonobench"
    package.mkdir(parents=True)
    (package / "small.py").write_text("def larger(a, b):\n    return a if a > b else b\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_small.py").write_text(
        "from small import larger\n\ndef test_larger():\n    assert (larger(1, 2), larger(2, 1)) == (2, 2)\n"
    )
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\npythonpath = ["src/phonobench"]\n')
    monkeypatch.setattr(mutate, "ROOMS", {"small": mutate.Room(("small.py",), ("test_small.py",))})
    out = tmp_path / "out.jsonl"
    monkeypatch.setattr(sys, "argv", ["mutate.py", "small", "--root", str(tmp_path), "--out", str(out)])
    mutate.main()
    survivor = "src/phonobench/small.py:2 > -> >=\n"  # equal numbers are the same either way
    assert capsys.readouterr().out == f"small: 3 of 3 faults\n{survivor}small: 1 of 3 survived\n"
    written = out.read_text()
    assert sorted(json.loads(line)["result"] for line in written.splitlines()) == ["killed", "killed", "survived"]
    monkeypatch.setattr(mutate, "outcome", lambda *_: pytest.fail("tried again"))
    mutate.main()
    assert survivor in capsys.readouterr().out
    assert out.read_text() == written
