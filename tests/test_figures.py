"""Figures for papers: what is drawn from planted runs, that text stays text, that equal figures are equal files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import planted
import pytest
from typer.testing import CliRunner

from phonobench import evaluate, fusion, phones, store
from phonobench.cli import app
from phonobench.report import page
from phonobench.types import Corpus, PhonobenchError

pytest.importorskip("matplotlib", reason="the extra `figures` is not installed")
from phonobench.report import figures

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def folders(synthetic_corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Trials on twelve utterances of a run that recognises the prompt, one that slips, and fusions of the two."""
    runs, results = (tmp_path_factory.mktemp(name) for name in ("runs", "results"))
    r, w = phones.encode(["R", "W"])
    history = [{"epoch": e, "loss": 5 / e, "dev_per_hq": 0.5 / e, "seconds": 60.0 * e} for e in (1, 2, 3)]

    def reads(u):
        return phones.encode(u.prompt.phones)

    def slips(u):
        return tuple(w if q == r else q for q in reads(u))

    for name, said in (("reads", reads), ("slips", slips)):
        planted.write_run(runs, name, synthetic_corpus, said, controls=False, limit=12, history=history)
    pair = [runs / "reads", runs / "slips"]
    made = [fusion.fuse(pair, (a, 1 - a), runs, chosen_on="dev" if a == 0.5 else None) for a in (0.3, 0.5)]
    made.append(fusion.fuse(pair, (0.4, 0.6), runs, method="likelihoods"))
    for folder in [*pair, *made]:
        evaluate.evaluate(folder, synthetic_corpus, results, resamples=30)
    return runs, results


@pytest.fixture(scope="module")
def data(folders: tuple[Path, Path], synthetic_corpus: Corpus) -> dict[str, Any]:
    runs, results = folders
    return page.build(list(store.list_runs(runs)), synthetic_corpus, results, audio_bytes=0).data


def test_everything_that_is_known_is_drawn_and_nothing_else(data: dict[str, Any]) -> None:
    with figures.look():
        made = figures.draw(data)
    confusions = {f"confusion-{system['letter']}" for system in data["systems"]}
    assert set(made) == confusions | {
        "leaderboard",
        "tradeoff-parameters",
        "phones",
        "roc",
        "calibration",
        "scatter",
        "groups",
        "training",
        "fusion",
    }  # fmt: skip  (no speed was measured, and the source experiments have no row on synthetic speech)


def test_a_fusion_by_likelihoods_stands_in_the_page_with_the_times_of_its_heaviest_member(data: dict[str, Any]) -> None:
    fused = next(s for s in data["systems"] if (s["fusion"] or {}).get("method") == "likelihoods")
    assert fused["fusion"]["members"] == ["reads", "slips"]
    assert "Whisper base encoder + Whisper base encoder" in fused["name"]
    assert data["cases"] == {}  # no sound was asked for


def test_svg_text_is_text_and_equal_figures_are_equal_files(data: dict[str, Any], tmp_path: Path) -> None:
    with figures.look():
        first, second = (
            figures.write(figures.draw(data)["leaderboard"], tmp_path / name) for name in ("a.svg", "b.svg")
        )
    assert first.read_bytes() == second.read_bytes()
    said = " ".join("".join(node.itertext()) for node in ElementTree.parse(first).iter(f"{SVG}text"))
    assert "PER (HQ) %" in said
    assert data["systems"][0]["name"].split(",")[0] in said


def test_the_fusion_curve_goes_through_the_members_and_the_fused_runs(data: dict[str, Any]) -> None:
    with figures.look():
        axes = figures.draw(data)["fusion"].axes[0]
    by_id = {s["id"]: s["metrics"]["per_hq"]["value"] for s in data["systems"]}
    weights, pers = (list(values) for values in axes.lines[0].get_data())
    assert weights == pytest.approx([0.0, 0.3, 0.5, 1.0])
    assert (pers[0], pers[-1]) == pytest.approx((100 * by_id["slips"], 100 * by_id["reads"]))
    assert axes.lines[1].get_xdata()[0] == pytest.approx(0.5)  # chosen on dev
    with pytest.raises(PhonobenchError, match="no fusion curve"):
        figures.fusion_figure({"members": ["a", "b"]})


def test_differences_point_right_where_the_first_is_better(
    folders: tuple[Path, Path], synthetic_corpus: Corpus, tmp_path: Path
) -> None:
    runs, _ = folders
    pair = [runs / "reads", runs / "slips"]
    compared = evaluate.compare(pair, synthetic_corpus, metrics=("per_hq", "per"), resamples=200)
    with figures.look():
        figure = figures.difference_figure(compared)
        assert figures.write(figure, tmp_path / "d.pdf").read_bytes().startswith(b"%PDF")
        with pytest.raises(PhonobenchError, match="gif"):
            figures.write(figure, tmp_path / "d.gif")
    gap = compared.gaps[0]
    assert gap.difference < 0  # the reader of the prompt errs less
    point = figure.axes[0].lines[-1]
    assert point.get_xdata()[0] == pytest.approx(-100 * gap.difference)


def test_the_verb_writes_every_figure_in_every_format(folders: tuple[Path, Path], tmp_path: Path) -> None:
    runs, results = folders
    common = ["--runs", str(runs), "--results", str(results), "--corpus", "synthetic"]
    out = tmp_path / "figures"
    result = CliRunner().invoke(
        app, ["figures", "reads", "slips", "-o", str(out), "--format", "svg", "--json", *common]
    )
    assert result.exit_code == 0, result.output
    assert sorted(json.loads(result.stdout)["files"]) == sorted(str(path) for path in out.iterdir())
    assert (out / "phones.svg").stat().st_size > 1000
    refused = CliRunner().invoke(app, ["figures", "reads", "--format", "gif", *common])
    assert refused.exit_code == 1
    assert "gif" in refused.stderr
