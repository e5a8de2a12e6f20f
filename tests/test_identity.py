"""Runs, results and exported scorers from before fields of recipes were renamed keep their ids and are still read.

`before/` holds such files as they were written: a run's manifest, one of its results, what an export told of its run.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from phonobench import bench, results, store
from phonobench.assessment import bundle
from phonobench.cli.options import parse_settings
from phonobench.report import log, seeds
from phonobench.systems import cards, recipe
from phonobench.systems.identity import FORMER_NAMES, LATER, identifying, renamed
from phonobench.types import PhonobenchError

BEFORE = Path(__file__).parent / "before"
RUN_ID = "whisper-tiny.en.finetune.s0.5fa41452"
RUN_KEY = "5fa4145228ae383a5fa1a3f824aaa4627baa311792ab0dc4a8b43d71e528d93a"
CARD_KEY = "93b97accde2d607af956d92c23b94b520a325f12c95a044c3970c6ebd3fbb72f"
RECIPE_KEY = "f7e320b855f683170c50eb919dbfa2e808940ce2bb53c5c9b746080bf3479ced"
CORPUS = SimpleNamespace(fingerprint="e137d98d5b541ac4c6512c885d5fbd4a6d40a643b170f63c96c849b543b71752")


def fields(chosen: recipe.Recipe) -> dict[str, object]:
    return {name: list(v) if isinstance(v, tuple) else v for name, v in vars(chosen).items()}


def without_former_names(settings: dict[str, object]) -> bool:
    return not set(settings) & set(FORMER_NAMES)


def as_then() -> recipe.Recipe:
    return recipe.with_settings(recipe.find("finetune"), {"epochs": "8"})


def test_names_of_today_are_fields_and_former_ones_are_not() -> None:
    today = fields(recipe.find("finetune"))
    assert set(FORMER_NAMES.values()) <= set(today)
    assert set(LATER) <= set(today)
    assert without_former_names(today)


def test_a_recipe_of_today_has_the_hash_that_it_had() -> None:
    assert store.fingerprint(identifying(fields(as_then()))) == RECIPE_KEY
    assert store.fingerprint(identifying(store.read_json(BEFORE / "run.json")["recipe"])) == RECIPE_KEY


def test_a_run_of_today_has_the_key_that_it_had() -> None:
    pytest.importorskip("torch")
    from phonobench.neural.training import inputs

    card = cards.find("whisper-tiny.en")
    assert inputs.run_key(card, as_then(), CORPUS, 0, "sha256:50701509895fa344", None) == RUN_KEY
    assert store.fingerprint(inputs.card_facts(card)) == CARD_KEY


def test_a_manifest_from_before_shows_the_names_of_today(tmp_path: Path) -> None:
    (tmp_path / RUN_ID).mkdir()
    (tmp_path / RUN_ID / store.RUN_FILE).write_bytes((BEFORE / "run.json").read_bytes())
    manifest = store.read_run(tmp_path / RUN_ID)
    assert (manifest["run_id"], manifest["key"], manifest["card_key"]) == (RUN_ID, RUN_KEY, CARD_KEY)
    assert without_former_names(manifest["recipe"])
    assert manifest["recipe"]["snr_db"] == [10.0, 30.0] and manifest["recipe"]["head_only_epochs"] == 1
    assert identifying(manifest["recipe"]) == identifying(fields(as_then()))
    (run,) = log.read(tmp_path, tmp_path / "none")
    page = log.write([run])
    assert "| head_only_epochs | 1 |" in page and "| warm_epochs |" not in page


def test_a_result_from_before_shows_the_names_of_today(tmp_path: Path) -> None:
    path = results.path_of(tmp_path, RUN_ID, "dev", "controls")
    store.write_bytes(path, (BEFORE / "dev.controls.json").read_bytes())
    result = results.read(path)
    assert result.provenance.training.recipe["warmup_fraction"] == 0.1
    assert without_former_names(result.provenance.training.recipe)


def test_a_result_from_before_with_the_same_figures_is_left_as_it_is(tmp_path: Path) -> None:
    path = results.path_of(tmp_path, RUN_ID, "dev", "controls")
    path.parent.mkdir()
    path.write_bytes((BEFORE / "dev.controls.json").read_bytes())
    again = results.read(path)
    results.write(again.model_copy(update={"created": "2030-01-01T00:00:00+00:00"}), tmp_path)
    assert path.read_bytes() == (BEFORE / "dev.controls.json").read_bytes()
    results.write(again.model_copy(update={"notes": ["another"]}), tmp_path)
    assert "warmup_fraction" in path.read_text(encoding="utf-8")


def test_seeds_of_before_and_of_today_are_of_one_recipe() -> None:
    old = store.read_json(BEFORE / "dev.controls.json")
    settings = old["provenance"]["training"]["recipe"]
    new = {**old, "run_id": "of-today", "provenance": {**old["provenance"], "training": {
        **old["provenance"]["training"], "seed": 1, "recipe": {**renamed(settings), "lora": 0},
    }}}  # fmt: skip
    both = [[results.Result.model_validate(one)] for one in (old, new)]
    assert [len(group) for group in seeds.alike(both).values()] == [2]
    new["provenance"]["training"]["recipe"]["grad_clip"] = 5.0
    both = [[results.Result.model_validate(one)] for one in (old, new)]
    assert seeds.alike(both) == {}


def test_an_exported_scorer_from_before_shows_the_names_of_today(tmp_path: Path) -> None:
    for file in bundle.DEFAULT.iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / bundle.FACTS).unlink()
    run = store.read_json(BEFORE / "exported-run.json")
    store.write_json(tmp_path / bundle.FACTS, {**store.read_json(bundle.DEFAULT / bundle.FACTS), "run": run})
    (acoustic,) = bundle.load(tmp_path).run["recipe"]["acoustic"]
    assert run["recipe"]["acoustic"][0]["judged"] == acoustic["score_loss_weight"] == 2.0
    assert without_former_names(acoustic)


@pytest.mark.parametrize(("former", "today"), FORMER_NAMES.items())
def test_a_setting_by_its_former_name_is_taken_with_a_note(former: str, today: str, capsys) -> None:
    assert parse_settings([f"{former}=1", "epochs=4"]) == {today: "1", "epochs": "4"}
    printed = capsys.readouterr()
    assert not printed.out
    (note,) = printed.err.splitlines()
    assert former in note and today in note
    parse_settings([f"{today}=1"])
    assert not capsys.readouterr().err


def test_a_setting_under_both_its_names_is_refused() -> None:
    with pytest.raises(PhonobenchError, match="warmup_fraction is given twice"):
        parse_settings(["rise=0.1", "warmup_fraction=0.2"])
    with pytest.raises(PhonobenchError, match="warmup_fraction is given twice"):
        recipe.with_settings(recipe.find("probe"), {"rise": "0.1", "warmup_fraction": "0.2"})


def test_a_job_by_former_names_is_that_of_today() -> None:
    former, today = (
        bench.jobs(["whisper-base"], ["finetune"], [0], {name: "0.2"}) for name in ("rise", "warmup_fraction")
    )
    assert former == today
    assert today[0].recipe.warmup_fraction == 0.2
