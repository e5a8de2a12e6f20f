"""The architecture, read off the syntax trees: imports only go down, and torch stays in one package."""

from __future__ import annotations

import ast
import functools
import importlib.metadata
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import phonobench

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pytest brings it along

SOURCE = Path(phonobench.__file__).parent

LAYERS = (
    ("_version", "types", "phones", "audio", "compiled", "visible"),
    ("systems",),
    ("edits", "ctc", "stats", "store"),
    ("evidence", "gop", "results", "fusion"),
    ("corpora", "pronounce"),
    ("assessment",),
    ("tasks",),
    ("evaluate",),
    ("report",),
    ("neural",),
    ("doctor", "bench", "fitting"),
    ("cli", "__main__"),
)
"""From the ground up. A module may import its own layer and those before it."""

HEIGHT = {module: height for height, layer in enumerate(LAYERS) for module in layer}


def parts(path: Path) -> str:
    """`cli/options.py` -> `cli`."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported(node: ast.AST) -> list[str]:
    """Dotted names that one import statement may load."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "relative imports hide the layer"
        return [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def imports(tree: ast.AST, inside_functions: bool = True) -> Iterator[str]:
    """Names imported anywhere below `tree`; without those in function bodies if told so."""
    for node in ast.iter_child_nodes(tree):
        yield from imported(node)
        if inside_functions or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from imports(node, inside_functions)


@functools.cache
def modules() -> list[tuple[Path, ast.Module]]:
    files = [path for path in sorted(SOURCE.rglob("*.py")) if path != SOURCE / "__init__.py"]
    assert len(files) > 20
    return [(path, ast.parse(path.read_text(encoding="utf-8"))) for path in files]


def own(names: Iterator[str]) -> set[str]:
    """First parts below the package: `phonobench.cli.options.X` -> `cli`."""
    return {name.split(".")[1] for name in names if name.startswith("phonobench.")} & set(HEIGHT)


def test_every_module_has_a_layer() -> None:
    unplaced = {parts(path) for path, _ in modules()} - set(HEIGHT)
    assert not unplaced, f"put {sorted(unplaced)} into LAYERS (and into ARCHITECTURE.md)"


def test_every_layer_names_a_module() -> None:
    assert set(HEIGHT) == {parts(path) for path, _ in modules()}


def test_imports_only_go_down() -> None:
    upwards = [
        f"{path.relative_to(SOURCE)} imports {name}"
        for path, tree in modules()
        for name in own(imports(tree))
        if HEIGHT[name] > HEIGHT[parts(path)]
    ]
    assert not upwards


def test_torch_only_in_neural() -> None:
    heavy = ("torch", "transformers", "peft", "accelerate")
    strays = [
        f"{path.relative_to(SOURCE)} imports {name}"
        for path, tree in modules()
        for name in imports(tree)
        if name.split(".")[0] in heavy and parts(path) != "neural"
    ]
    assert not strays


def test_what_is_imported_is_declared() -> None:
    """A core dependency, or where things are trained one of its extras: not what merely came with another package."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    core, train = (
        {re.split(r"[^\w.-]", requirement)[0].lower() for requirement in requirements}
        for requirements in (project["dependencies"], extras["train"] + extras["quantise"])
    )
    distributions = importlib.metadata.packages_distributions()
    drawing, logging = {"matplotlib"}, {"mlflow-skinny", "mlflow", "tensorboard"}
    declared = {"figures": ["matplotlib>=3.8"], "tensorboard": ["tensorboard>=2.16"], "mlflow": ["mlflow-skinny>=2.12"],
                "media": ["av>=12"]}  # fmt: skip
    assert declared.items() <= extras.items()

    def allowed(path: Path) -> set[str]:
        optional = {"figures": drawing, "loggers.py": logging} if parts(path) == "report" else {}
        optional |= {"media.py": {"av"}} if parts(path) == "audio" else {}
        own_extra = next((names for part, names in optional.items() if part in path.parts), set())
        return core | own_extra | (train if parts(path) in ("neural", "fitting") else set())

    strays = {
        f"{path.relative_to(SOURCE)} imports {top}"
        for path, tree in modules()
        for top in {name.split(".")[0] for name in imports(tree)} - {"phonobench"} - sys.stdlib_module_names
        # an extra that is not installed has no distribution: its module's name stands for it
        if not {name.lower().replace("_", "-") for name in distributions.get(top, [top])} & allowed(path)
    }
    assert not strays


def test_tasks_and_neural_never_meet() -> None:
    blind = {"evidence", "gop", "tasks", "evaluate", "report"}
    meetings = [
        f"{path.relative_to(SOURCE)} imports {name}"
        for path, tree in modules()
        for name in own(imports(tree))
        if (parts(path) in blind and name == "neural") or (parts(path) == "neural" and name in blind)
    ]
    assert not meetings


def test_neural_is_imported_inside_functions_only() -> None:
    early = [
        str(path.relative_to(SOURCE))
        for path, tree in modules()
        if parts(path) != "neural" and "neural" in own(imports(tree, inside_functions=False))
    ]
    assert not early


def test_the_command_line_starts_without_torch() -> None:
    code = "import sys, phonobench.cli; print(sorted({'torch', 'transformers', 'numba', 'sklearn'} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "[]"
