"""The experiments log: what it says of planted runs, and when it calls one the best."""

from __future__ import annotations

from pathlib import Path

import planted
import pytest
from typer.testing import CliRunner

from phonobench import cards, evaluate, phones
from phonobench.cli import app
from phonobench.report import log
from phonobench.results import Value


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    corpus, said = planted.corpus(seed=4)
    runs, results = (tmp_path_factory.mktemp(name) for name in ("runs", "results"))
    planted.write_run(runs, "first.s0", corpus, lambda u: said[u.id], controls=False)
    planted.write_run(runs, "second.s0", corpus, lambda u: phones.encode(u.prompt.phones), controls=False,
                      started_from="first.s0")  # fmt: skip
    planted.write_run(runs, "third.s0", corpus, lambda u: (), splits=(), controls=False, status="training",
                      history=[{"epoch": 1, "loss": 4.5, "seconds": 120.0}])  # fmt: skip
    for run in ("first.s0", "second.s0"):
        evaluate.evaluate(runs / run, corpus, results, resamples=100)
    return runs, results


def test_the_log_holds_every_run_and_what_is_open(roots: tuple[Path, Path]) -> None:
    text = log.write(log.read(*roots))
    assert next(line for line in text.splitlines() if line.startswith("### ") and ".s0" in line) == "### third.s0"
    assert "1 epochs, 2 min, loss 4.5 to 4.5" in text
    assert "- Started from `first.s0`\n" in text
    (second,) = (run for run in log.read(*roots) if run.run_id == "second.s0")  # ties of a second have no order
    per = second.metrics["per_hq"]
    assert f"**{log.figure(per, 'per_hq')}**" in text  # the reader of the prompt has no errors at all
    assert "- [ ] `phonobench bench hubert-large`" in text
    assert "- [ ] `phonobench bench whisper-base`" not in text
    assert all(card.title in text for card in cards.CARDS.values())


def test_the_best_is_settled_only_where_intervals_lie_apart() -> None:
    def run(name: str, low: float, high: float) -> log.Run:
        value = Value(value=(low + high) / 2, low=low, high=high, n=9, speakers=9)
        return type("Stub", (), {"run_id": name, "metrics": {"per_hq": value, "phone_auc": value}})()

    apart = [run("a", 0.1, 0.2), run("b", 0.25, 0.3)]
    assert log.settled_best("per_hq", apart) == "a"
    assert log.settled_best("phone_auc", apart) == "b"
    assert log.settled_best("per_hq", [run("a", 0.1, 0.26), run("b", 0.25, 0.3)]) is None
    assert log.settled_best("per_hq", apart[:1]) is None


def test_a_note_is_kept_and_cannot_become_markup(roots: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "EXPERIMENTS.md"
    common = ["-o", str(out), "--runs", str(roots[0]), "--results", str(roots[1])]
    result = CliRunner().invoke(app, ["log", "second", "--note", "better, <b>why</b>?", *common])
    assert result.exit_code == 0, result.output
    assert CliRunner().invoke(app, ["log", *common]).exit_code == 0
    assert "> better, &lt;b&gt;why&lt;/b&gt;?" in out.read_text(encoding="utf-8")
    refused = CliRunner().invoke(app, ["log", "--note", "of what?", *common])
    assert refused.exit_code == 1
    assert "a note needs its run" in refused.stderr
