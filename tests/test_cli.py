"""The command line as a person meets it: what is printed where, exit codes, faults in one line."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import types
from pathlib import Path

import planted
import pytest
import typer
from typer.testing import CliRunner, Result

from phonobench import bench, corpora, results, store
from phonobench.cli import VERBS, app, output
from phonobench.cli.verb import Verb, add_verb
from phonobench.store import provenance
from phonobench.systems import cards, local_models, recipe
from phonobench.types import Corpus, PhonobenchError, Progress

ROOT = Path(__file__).parents[1]
SHORT = ["--set", "epochs=1", "--limit", "40"]


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def refused(*arguments: str | Path) -> str:
    """The one line on stderr with which a command is refused."""
    result = invoke(*arguments)
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


def make_run(runs: Path, name: str, **changes: object) -> Path:
    store.write_run(runs / name, planted.manifest(name, **{"card": "scratch-mel", **changes}))
    return runs / name


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself_with_an_example_that_parses(verb: str) -> None:
    result = invoke(verb, "--help")
    assert result.exit_code == 0
    assert "Usage" in result.stdout
    assert f"Example: {VERBS[verb].example}" in " ".join(result.stdout.split())
    program, name, *arguments = shlex.split(VERBS[verb].example)
    assert (program, name) == ("phonobench", verb)
    root = typer.main.get_group(app)
    assert root.commands[name].make_context(name, arguments).params  # raises where an argument or option does not exist


def test_a_verb_is_added_at_run_time() -> None:
    """The verb of docs/adding.md: on the help page with its example, and its fault is one line."""
    text = (ROOT / "docs" / "adding.md").read_text(encoding="utf-8").split("## A verb\n")[1]
    function, row = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[:2]
    module = types.ModuleType("count")
    exec(function, module.__dict__)
    added = eval(f"{{{row}}}", {"count": module, "Verb": Verb})
    other = typer.Typer()
    other.callback()(lambda: None)
    for name, verb in added.items():
        add_verb(other, name, verb)
    run = CliRunner().invoke
    assert "count" in run(other, ["--help"]).stdout
    assert f"Example: {added['count'].example}" in " ".join(run(other, ["count", "--help"]).stdout.split())
    assert run(other, ["count", "--corpus", "synthetic"]).stdout.strip().isdecimal()
    refusal = run(other, ["count", "--corpus", "synthetic", "--split", "none"])
    assert (refusal.exit_code, refusal.stdout) == (1, "")
    assert refusal.stderr == "error: --split none: one of train, dev, test\n"


def test_the_package_runs_as_a_module() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "phonobench", "--version"], capture_output=True, text=True, check=True
    )
    assert result.stdout == f"phonobench {provenance.versions()['phonobench']}\n"


def test_an_unknown_verb_is_answered_with_a_near_one() -> None:
    result = invoke("leaderbord")
    assert result.exit_code == 2
    assert "leaderboard" in result.stderr


@pytest.mark.parametrize("verb", ["train", "bench"])
def test_an_unknown_system_is_answered_with_near_ones(verb: str) -> None:
    line = refused(verb, "whisper-bse")
    assert "'whisper-bse'" in line
    assert "whisper-base" in line


@pytest.mark.parametrize(
    ("options", "near"),
    [
        (["--recipe", "finetun"], "finetune"),
        (["--set", "epoch=3"], "epochs"),
        (["--set", "epochs"], "FIELD=VALUE"),
        (["--set", "epochs=many"], "many"),
        (["--set", "lr=1", "--set", "lr=2"], "twice"),
    ],
)
@pytest.mark.parametrize("verb", ["train", "bench"])
def test_wrong_recipes_and_settings_are_named(verb: str, options: list[str], near: str) -> None:
    assert near in refused(verb, "scratch-mel", *options)


def test_a_wrong_corpus_is_named(tmp_path: Path) -> None:
    assert str(tmp_path) in refused("corpus", "--corpus", tmp_path)


def test_download_and_corpus_exclude_each_other(tmp_path: Path) -> None:
    assert "one of them" in refused("corpus", "--download", "--corpus", tmp_path)


def test_runs_are_found_by_id_beginning_and_path(tmp_path: Path) -> None:

    first, second = (make_run(tmp_path, name) for name in ("base.probe.s0.aaaa", "base.probe.s1.bbbb"))
    assert store.find_run("base.probe.s0.aaaa", tmp_path) == first
    assert store.find_run("base.probe.s1", tmp_path) == second
    assert store.find_run(str(second), Path("elsewhere")) == second
    with pytest.raises(PhonobenchError, match=r"base\.probe\.s0\.aaaa, base\.probe\.s1\.bbbb"):
        store.find_run("base", tmp_path)


def test_an_unknown_run_is_answered_with_near_ones(tmp_path: Path) -> None:
    assert "bench" in refused("infer", "base", "--runs", tmp_path / "none")
    make_run(tmp_path, "whisper-base.probe.s0.aaaa")
    assert "whisper-base.probe.s0.aaaa" in refused("evaluate", "wisper-base.probe", "--runs", tmp_path)


def test_list_as_json_has_every_card_and_recipe(tmp_path: Path) -> None:
    (tmp_path / "hubert-large-ls960-ft").mkdir()
    (tmp_path / "hubert-large-ls960-ft" / "config.json").write_text("{}")
    result = invoke("list", "--json", "--models", tmp_path)
    listed = json.loads(result.stdout)
    assert [one["name"] for one in listed["systems"]] == list(cards.SYSTEMS)
    assert [one["name"] for one in listed["recipes"]] == list(recipe.RECIPES)
    found = {one["name"]: one["weights"] for one in listed["systems"]}
    assert {name for name, folder in found.items() if folder} == {"hubert-large"}
    assert result.stderr == ""


def test_list_as_a_table_has_every_card() -> None:
    printed = invoke("list").stdout
    assert all(re.search(rf"^{re.escape(name)} .*MIT|^{re.escape(name)} ", printed, re.M) for name in cards.SYSTEMS)


@pytest.fixture(autouse=True)
def _own_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """`--models` sets the variable for the process: give it back after each test."""
    monkeypatch.setenv(local_models.VARIABLE, "")
    monkeypatch.setenv("PHONOBENCH_DEBUG", "")


def test_corpus_as_json_is_pure(synthetic_corpus: Corpus) -> None:
    statistics = json.loads(invoke("corpus", "--corpus", "synthetic", "--json").stdout)
    assert statistics["synthetic"] is True
    assert statistics["fingerprint"] == synthetic_corpus.fingerprint
    assert statistics["splits"]["test"]["utterances"] == len(synthetic_corpus.split("test"))


def test_numbers_that_json_lacks_become_null(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json({"p": float("nan"), "range": (1.5, float("inf")), "n": 3})
    assert json.loads(capsys.readouterr().out) == {"p": None, "range": [1.5, None], "n": 3}


def test_a_fault_is_one_line_and_its_traceback_is_there_on_demand(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from phonobench.cli import main; main()", "corpus", "--corpus", str(tmp_path)]
    plain = subprocess.run(command, capture_output=True, text=True, check=False)
    debugged = subprocess.run([*command, "--debug"], capture_output=True, text=True, check=False)
    assert (plain.returncode, plain.stderr.count("\n")) == (1, 1)
    assert "Traceback" not in plain.stderr
    assert debugged.returncode == 1
    assert "Traceback" in debugged.stderr


def test_an_interrupt_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> Corpus:
        raise KeyboardInterrupt

    monkeypatch.setattr(corpora, "find", interrupt)
    result = invoke("corpus")
    assert result.exit_code == 130
    assert "the same command continues" in result.stderr


def test_training_without_torch_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "phonobench[train]" in refused("train", "scratch-mel")


def test_progress_away_from_a_terminal_is_two_lines_a_stage(capsys: pytest.CaptureFixture[str]) -> None:
    with output.progress() as report:
        for _ in range(2):
            for done in range(1, 101):
                report(Progress("train", done, 100, f"loss {done}"))
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == ["train 1/100 loss 1", "train 100/100 loss 100"]


def test_defaults_are_what_can_run_here(
    synthetic_corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Corpus("real", tmp_path, (), "f", synthetic=False)
    monkeypatch.setenv(local_models.VARIABLE, str(tmp_path))
    assert bench.default_systems(synthetic_corpus) == ("scratch-mel",)
    assert bench.default_systems(real) == ("scratch-mel",)
    (tmp_path / "whisper-tiny.en").mkdir()
    (tmp_path / "whisper-tiny.en" / "config.json").write_text("{}")
    assert bench.default_systems(real) == ("whisper-tiny.en",)
    assert bench.default_systems(synthetic_corpus) == ("scratch-mel",)


def test_jobs_are_every_system_by_every_recipe_and_seed() -> None:
    todo = bench.jobs(
        ["whisper-base", "scratch-mel"], ["probe", "finetune"], [0, 1], {"epochs": "3", "head_only_epochs": "1"}
    )
    assert len(todo) == 8
    assert len({job.name for job in todo}) == 8
    assert {job.recipe.epochs for job in todo} == {3}
    assert [job.recipe.name for job in bench.jobs(["scratch-mel"])] == ["scratch"]


def test_a_failed_system_does_not_stop_the_others(
    synthetic_corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(job: bench.TrainingJob, *_: object, **__: object) -> Path:
        faults = {"whisper-tiny.en": PhonobenchError("no weights"), "wavlm-base": MemoryError("too big")}
        if job.card.name in faults:
            raise faults[job.card.name]
        return make_run(tmp_path, f"{job.card.name}.x")

    monkeypatch.setattr(bench, "run", run)
    monkeypatch.setattr(bench, "require_torch", lambda: None)
    monkeypatch.setattr("phonobench.cli.bench.show", lambda *_: print("THE TABLE"))
    systems = ["whisper-tiny.en", "wavlm-base", "scratch-mel"]
    result = invoke("bench", *systems, "--corpus", "synthetic", "--runs", tmp_path, "--results", tmp_path)
    assert result.exit_code == 1
    assert "SYNTHETIC" in result.stdout.splitlines()[0]
    assert "THE TABLE" in result.stdout
    assert "[3/3] scratch-mel scratch seed 0: done" in result.stderr
    assert "2 of 3 failed" in result.stderr
    assert result.stderr.rstrip().endswith("wavlm-base finetune seed 0: MemoryError: too big")
    as_json = invoke("bench", *systems, "--corpus", "synthetic", "--runs", tmp_path, "--json")
    assert [one["fault"] for one in json.loads(as_json.stdout)["jobs"]] == ["no weights", "MemoryError: too big", None]


def test_an_interrupt_ends_the_whole_bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object, **__: object) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(bench, "run", run)
    monkeypatch.setattr(bench, "require_torch", lambda: None)
    assert invoke("bench", "scratch-mel", "--corpus", "synthetic", "--runs", tmp_path).exit_code == 130


def test_readme_shows_verbs_and_options_that_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = [shlex.split(line, comments=True) for line in re.findall(r"(?:^|/)(phonobench .*)$", text, re.M)]
    assert len(shown) >= 7
    for _, verb, *arguments in shown:
        assert verb in VERBS
        known = invoke(verb, "--help").stdout
        assert [option for option in arguments if option.startswith("-") and option not in known] == []


def test_every_field_of_a_result_is_documented() -> None:
    text = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    assert [field for field in results.Result.model_fields if f"`{field}`" not in text] == []
    assert [field for field in ("value", "low", "high", "n", "speakers") if field not in text] == []


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Result]:
    """Runs and results of one short `bench` on the synthetic corpus, and what it printed."""
    pytest.importorskip("torch")
    runs, made = tmp_path_factory.mktemp("runs"), tmp_path_factory.mktemp("results")
    result = invoke("bench", "--corpus", "synthetic", "--runs", runs, "--results", made, *SHORT)
    return runs, made, result


def contents(*folders: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


def roots(trial: tuple[Path, Path, Result]) -> list[str]:
    return ["--corpus", "synthetic", "--runs", str(trial[0]), "--results", str(trial[1])]


@pytest.mark.torch
@pytest.mark.slow
def test_bench_runs_from_end_to_end(trial: tuple[Path, Path, Result]) -> None:
    runs, made, result = trial
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert "SYNTHETIC" in lines[0]
    assert "trial" in lines[1]
    assert any("SYNTHETIC SPEECH" in line for line in lines[2:])
    assert "[1/1] scratch-mel scratch seed 0: done" in result.stderr
    run_id = store.list_runs(runs)[0].name
    assert sorted(path.name for path in (made / run_id).iterdir()) == sorted(
        f"{split}.{task}.json" for split in bench.SPLITS for task in ("recognition", "scoring", "detection", "controls")
    )


@pytest.mark.torch
@pytest.mark.slow
def test_bench_again_does_nothing_again(trial: tuple[Path, Path, Result], monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(*trial[:2])

    def again(*_: object, **__: object) -> None:
        raise AssertionError("done before")

    monkeypatch.setattr("phonobench.evaluate.evaluate", again)
    monkeypatch.setattr("phonobench.neural.inference.trained.load", again)
    monkeypatch.setattr("phonobench.neural.checkpoints.pretrained.build", again)
    assert invoke("bench", *roots(trial), *SHORT).exit_code == 0
    assert contents(*trial[:2]) == before


@pytest.mark.torch
@pytest.mark.slow
def test_results_of_other_posteriors_are_made_again(trial: tuple[Path, Path, Result], tmp_path: Path) -> None:
    run_dir, corpus = store.list_runs(trial[0])[0], corpora.find("synthetic")
    assert bench.is_evaluated(run_dir, corpus, trial[1])
    assert not bench.is_evaluated(run_dir, corpus, tmp_path)
    path = results.path_of(tmp_path, run_dir.name, "dev", "scoring")
    path.parent.mkdir()
    for file in (trial[1] / run_dir.name).iterdir():
        (path.parent / file.name).write_bytes(file.read_bytes())
    assert bench.is_evaluated(run_dir, corpus, tmp_path)
    fields = json.loads(path.read_text())
    fields["provenance"]["posteriors"]["dev"] = "another"
    path.write_text(json.dumps(fields))
    assert not bench.is_evaluated(run_dir, corpus, tmp_path)


@pytest.mark.torch
@pytest.mark.slow
def test_data_of_every_verb_is_json_on_demand(trial: tuple[Path, Path, Result], tmp_path: Path) -> None:
    run = store.list_runs(trial[0])[0].name
    again = invoke("train", "scratch-mel", *SHORT, *roots(trial)[:4], "--json")
    assert json.loads(again.stdout)["run_id"] == run
    assert "test" in json.loads(invoke("infer", "scratch", *roots(trial)[:4], "--json").stdout)["utterances"]
    evaluated = json.loads(invoke("evaluate", run, *roots(trial), "--resamples", "20", "--json").stdout)
    assert {(one["split"], one["task"]) for one in evaluated} >= {("test", "recognition"), ("dev", "controls")}
    board = json.loads(invoke("leaderboard", "--results", trial[1], "--json").stdout)
    assert board["tables"][0]["runs"][0]["run_id"] == run
    assert board["tables"][0]["synthetic"] is True


@pytest.mark.torch
@pytest.mark.slow
def test_two_runs_are_compared(trial: tuple[Path, Path, Result]) -> None:
    assert invoke("bench", "scratch-mel", "--seed", "1", *roots(trial), *SHORT).exit_code == 0
    first, second = (folder.name for folder in store.list_runs(trial[0]))
    options = [*roots(trial)[:4], "--resamples", "50", "--metric", "per_hq"]
    table = invoke("compare", first, second, *options).stdout
    assert f"A = {first}" in table
    assert "PER HQ %" in table
    gaps = json.loads(invoke("compare", first, second, *options, "--json").stdout)["gaps"]
    assert [(gap["a"], gap["b"]) for gap in gaps] == [(first, second)]
    assert gaps[0]["difference"] == pytest.approx(gaps[0]["value_a"] - gaps[0]["value_b"])
    wrong = invoke("compare", first, second, *options, "--metric", "perr")
    assert wrong.exit_code == 1
    assert wrong.stderr.startswith("error: unknown metric 'perr'; known: per_hq")


@pytest.mark.torch
@pytest.mark.slow
def test_the_leaderboard_takes_its_format_from_the_file(trial: tuple[Path, Path, Result], tmp_path: Path) -> None:
    for suffix, beginning in (("md", "# Leaderboard"), ("csv", "origin,"), ("json", "{")):
        path = tmp_path / f"board.{suffix}"
        assert invoke("leaderboard", "--results", trial[1], "-o", path).exit_code == 0
        assert path.read_text().startswith(beginning)
    assert "md, csv" in refused("leaderboard", "--results", trial[1], "-o", tmp_path / "board.xls")


@pytest.mark.parametrize("verb", ["fit", "export"])
def test_acoustic_models_are_named_by_the_option_and_by_its_former_name(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (make_run(tmp_path, name) for name in ("first", "second"))
    taken: list[list[Path]] = []

    def take(*_: object, acoustic_models: list[Path], **__: object) -> Path:
        taken.append(acoustic_models)
        return first

    monkeypatch.setitem(sys.modules, "phonobench.fitting", types.SimpleNamespace(LEVEL=-19.0, fit=take, export=take))
    monkeypatch.setattr("phonobench.fitting", sys.modules["phonobench.fitting"], raising=False)
    monkeypatch.setattr("phonobench.cli.fitting.require_torch", lambda *_: None)
    rest = ["first", "--corpus", "synthetic"] if verb == "fit" else ["first", tmp_path]
    result = invoke(verb, *rest, "--runs", tmp_path, "--acoustic-model", "first", "--listener", "second")
    assert result.exit_code == 0, result.output
    assert taken == [[first, second]]
    shown = invoke(verb, "--help").stdout
    assert "--acoustic-model" in shown
    assert "--listener" not in shown


def test_versions_name_this_package() -> None:
    assert invoke("--version").stdout == f"phonobench {provenance.versions()['phonobench']}\n"
