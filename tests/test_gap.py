"""Gap analysis on planted runs: counts by hand, paired intervals, cases, what is written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import planted
import pytest
from typer.testing import CliRunner

from phonobench import edits, evaluate, phones
from phonobench.cli import app
from phonobench.evaluate import gap
from phonobench.report import gap_markdown
from phonobench.types import Corpus, PhonobenchError

RESAMPLES = 200


@pytest.fixture(scope="module")
def found(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Corpus, evaluate.SplitPredictions, evaluate.SplitPredictions]:
    """`exact` recognises what was spoken, `canonical` the prompt: PER of the planted slips, and 0."""
    corpus, said = planted.corpus(seed=2)
    folder = tmp_path_factory.mktemp("runs")
    planted.write_run(folder, "exact", corpus, lambda u: said[u.id], controls=False)
    planted.write_run(folder, "canonical", corpus, lambda u: phones.encode(u.prompt.phones), controls=False)
    predicted = [evaluate.predict_split(folder / run, corpus, "test", controls=False) for run in ("exact", "canonical")]
    return corpus, predicted[0], predicted[1]


@pytest.fixture(scope="module")
def analysis(found) -> gap.GapAnalysis:
    corpus, exact, canonical = found
    return gap.analyse(exact, canonical, corpus.name, corpus.synthetic, resamples=RESAMPLES)


def test_means_and_wins_are_those_of_the_planted_slips(found, analysis: gap.GapAnalysis) -> None:
    slips = np.array([1 - u.judgement.accuracy / 10 for u in found[0].split("test")])
    mean = analysis.overall[0]
    assert mean.first == pytest.approx(slips.mean())
    assert mean.second == 0
    assert mean.low < mean.difference < mean.high
    assert mean.p < 0.05
    assert analysis.wins == (0, int((slips > 0).sum()), int((slips == 0).sum()))
    assert analysis.spread[0] == pytest.approx(slips.std(ddof=1))
    assert analysis.spread[1] == 0


def test_detecting_poor_speech_stands_beside_flagging_the_rest(found, analysis: gap.GapAnalysis) -> None:
    slips = np.array([1 - u.judgement.accuracy / 10 for u in found[0].split("test")])
    rates = {row.name: row for row in analysis.overall}
    flagged = rates["share of other speech flagged"]
    assert flagged.n == int((slips < 0.4).sum())
    assert flagged.first == pytest.approx((slips[slips < 0.4] > 0.15).mean())
    assert rates["share of poor speech detected"].first == 1
    assert f"{RESAMPLES} draws give no p below 0.0100" in gap_markdown.legend(analysis)


def test_cases_are_those_that_the_thresholds_say(found, analysis: gap.GapAnalysis) -> None:
    accuracy = {u.id: u.judgement.accuracy for u in found[0].split("test")}
    assert analysis.of_kind("first_better") == ()
    assert {c.id for c in analysis.of_kind("second_better")} == {id for id, a in accuracy.items() if a < 8}
    assert {c.id for c in analysis.of_kind("first_detects")} == {id for id, a in accuracy.items() if a <= 6}
    sizes = [c.per_first for c in analysis.of_kind("second_better")]
    assert sizes == sorted(sizes, reverse=True)


def test_turned_round_everything_is_turned_round(found, analysis: gap.GapAnalysis) -> None:
    corpus, exact, canonical = found
    other = gap.analyse(canonical, exact, corpus.name, corpus.synthetic, resamples=RESAMPLES)
    ours, theirs = analysis.overall[0], other.overall[0]
    assert (theirs.difference, theirs.low, theirs.high) == pytest.approx((-ours.difference, -ours.high, -ours.low))
    assert [c.id for c in other.of_kind("first_better")] == [c.id for c in analysis.of_kind("second_better")]


def test_bands_and_phones_add_up_to_the_whole(found, analysis: gap.GapAnalysis) -> None:
    utterances = found[0].split("test")
    assert sum(band.n for band in analysis.by_score) == len(utterances)
    assert sum(phone.n for phone in analysis.by_phone) == sum(len(u.prompt.phones) for u in utterances)
    wrong = sum(phone.n * phone.first for phone in analysis.by_phone)
    planted_slips = sum(a == 0 for u in utterances for a in u.judgement.phone_accuracy)
    hypotheses = (
        edits.align(phones.encode(u.prompt.phones), p.hypothesis)
        for u, p in zip(utterances, found[1].predictions, strict=True)
    )
    assert wrong == pytest.approx(planted_slips - sum(one.insertions for one in hypotheses))
    gaps = [abs(phone.difference) for phone in analysis.by_phone]
    assert gaps == sorted(gaps, reverse=True)


def test_markdown_links_the_audio_and_escapes_the_text(analysis: gap.GapAnalysis) -> None:
    case = analysis.cases[0]
    hostile = gap.GapAnalysis(**{**vars(analysis), "cases": (gap.Case(**{**vars(case), "text": "<b>|*x*"}),)})
    audio = {case.id: Path("/corpus/a folder/one.wav")}
    text = gap_markdown.write(hostile, gap_markdown.links(audio, Path("/corpus/out")))
    assert f"[{case.id}](../a%20folder/one.wav)" in text
    assert r"&lt;b&gt;\|\*x\*" in text
    assert "<b>" not in text


def test_thresholds_that_overlap_and_equal_runs_are_refused(found) -> None:
    corpus, exact, _ = found
    with pytest.raises(PhonobenchError, match="may not exceed"):
        gap.Thresholds(good=0.3, bad=0.2)
    with pytest.raises(PhonobenchError, match="both runs are exact"):
        gap.analyse(exact, exact, corpus.name, False)


def test_the_verb_prints_json_and_writes_markdown(tmp_path: Path, synthetic_corpus: Corpus) -> None:
    for name, hit in (("blank", ()), ("canonical", None)):
        planted.write_run(
            tmp_path, name, synthetic_corpus, lambda u, hit=hit: phones.encode(u.prompt.phones) if hit is None else hit,
            splits=("test",), controls=False,
        )  # fmt: skip
    common = ["--runs", str(tmp_path), "--corpus", "synthetic", "--resamples", "50"]
    printed = CliRunner().invoke(app, ["gap", "canonical", "blank", "--json", *common])
    assert printed.exit_code == 0, printed.output
    assert json.loads(printed.stdout)["overall"][0]["second"] == 1.0
    out = tmp_path / "gap.md"
    written = CliRunner().invoke(app, ["gap", "canonical", "blank", "-o", str(out), "--cases", "3", *common])
    assert written.exit_code == 0, written.output
    assert f"3 of {len(synthetic_corpus.split('test'))} utterances" in out.read_text(encoding="utf-8")
    refused = CliRunner().invoke(app, ["gap", "canonical", "blank", "-o", "x.pdf", *common])
    assert refused.exit_code == 1
    assert ".html" in refused.stderr
