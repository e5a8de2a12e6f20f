"""The human row: a rater against the others, and a scorer against the same ones, on the synthetic corpus' raters."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from scipy import stats as scipy_stats
from sklearn.metrics import f1_score, roc_auc_score
from typer.testing import CliRunner

from phonobench.assessment.types import SENTENCE_SCORES, WORD_SCORES, Assessment, ScoreEstimate
from phonobench.cli import app
from phonobench.corpora import raters, synthetic
from phonobench.evaluate import raters as agreement
from phonobench.report import leaderboard, markdown
from phonobench.report import raters as rater_rows
from phonobench.results import Value
from phonobench.types import PhonobenchError


@pytest.fixture(scope="module")
def corpus():
    return synthetic.read()


def exactly(values) -> ScoreEstimate:
    values = np.asarray(values, dtype=float)
    return ScoreEstimate(values, values, values)


def says(corpus, noise: float, seed: int = 0) -> dict[str, Assessment]:
    """A scorer that knows the human means, to some noise."""
    rng = np.random.default_rng(seed)
    told = {}
    for u in corpus.split("test"):
        human = u.judgement
        phone = np.asarray(human.phone_accuracy, dtype=float)
        told[u.id] = Assessment(
            exactly(phone + noise * rng.normal(size=len(phone))),
            np.clip(1 - phone / 2 + noise * rng.normal(size=len(phone)), 0, 1),
            {n: exactly(np.asarray(getattr(human, f"word_{n}"), dtype=float)) for n in WORD_SCORES},
            {n: exactly(getattr(human, n) + noise * rng.normal()) for n in SENTENCE_SCORES},
        )
    return told


def test_a_rater_and_a_scorer_are_held_against_the_same_others(corpus) -> None:
    machine = agreement.SystemScores(says(corpus, 0.3), 0.6)
    found = agreement.rater_agreement(corpus, {"ours": machine}, resamples=50)
    ratings = raters.read(corpus.root)
    tests = corpus.split("test")
    table = np.concatenate([ratings[u.id].phone_accuracy for u in tests])
    said = np.concatenate([machine.told[u.id].phone.value for u in tests])
    errors = np.concatenate([machine.told[u.id].phone_error for u in tests])
    whole = np.isfinite(table).all(axis=1)
    table, said, errors = table[whole], said[whole], errors[whole]
    count = table.shape[1]
    others = [np.delete(table, k, axis=1).mean(axis=1) for k in range(count)]
    pearson = agreement.RaterAgreement.json(found["phone_model_pearson"])
    expected = np.mean([scipy_stats.pearsonr(table[:, k], others[k])[0] for k in range(count)])
    assert pearson["rater"]["value"] == pytest.approx(expected)
    ours = np.mean([scipy_stats.pearsonr(said, other)[0] for other in others])
    assert pearson["scorers"]["ours"]["value"]["value"] == pytest.approx(ours)
    assert pearson["scorers"]["ours"]["difference"]["value"] == pytest.approx(ours - expected)
    auc = np.mean([roc_auc_score(other < 0.5, errors) for other in others])
    human = np.mean([roc_auc_score(others[k] < 0.5, -table[:, k]) for k in range(count)])
    value, difference = found["phone_model_auc"].machines["ours"]
    assert (value.value, difference.value) == (pytest.approx(auc), pytest.approx(auc - human))
    f1 = np.mean([f1_score(other < 0.5, errors >= 0.6) for other in others])
    assert found["phone_model_f1"].machines["ours"][0].value == pytest.approx(f1)
    assert found["phone_model_f1"].rater.value == pytest.approx(
        np.mean([f1_score(others[k] < 0.5, table[:, k] < 0.5) for k in range(count)])
    )


def test_raters_of_one_mind_leave_no_room_and_a_scorer_of_that_mind_no_difference(corpus) -> None:
    one_mind = {}
    for u in corpus.split("test"):
        human = u.judgement
        means = {f.name: np.asarray(getattr(human, f.name), dtype=float) for f in fields(raters.Ratings)}
        one_mind[u.id] = raters.Ratings(**{name: np.stack([mean] * 5, axis=-1) for name, mean in means.items()})
    machines = {
        "same": agreement.SystemScores(says(corpus, 0.0), 0.76),
        "vague": agreement.SystemScores(says(corpus, 2.0), 0.76),
    }
    found = agreement.rater_agreement(corpus, machines, ratings=one_mind, resamples=200)
    bar = found["phone_model_pearson"]
    assert bar.rater.value == pytest.approx(1.0)
    same, vague = (bar.machines[name][1] for name in ("same", "vague"))
    assert (same.value, same.low, same.high) == (pytest.approx(0, abs=1e-9),) * 3
    assert vague.high < 0
    assert vague.p < 0.05


def test_what_a_scorer_leaves_out_is_refused(corpus) -> None:
    told = says(corpus, 0.0)
    lost = corpus.split("test")[3].id
    del told[lost]
    with pytest.raises(PhonobenchError, match=f"nothing of 1 test utterances, {lost}"):
        agreement.rater_agreement(corpus, {"ours": agreement.SystemScores(told, 0.5)}, resamples=5)


def test_the_verb_leaves_a_human_row_that_the_leaderboard_shows(corpus, tmp_path) -> None:
    given = ["raters", "--people-alone", "--corpus", "synthetic", "--resamples", "20", "--results", str(tmp_path)]
    shown = CliRunner().invoke(app, given)
    assert shown.exit_code == 0, shown.output
    assert "phone Pearson" in shown.stdout
    found = rater_rows.read(tmp_path)
    assert found is not None
    assert found.fingerprint == corpus.fingerprint
    entry = leaderboard.Entry(
        "one.scorer", "One, scorer", "one", "One", "mel", "scorer", 0, 1, "x", "no", "", {}, (),
        {"phone_model_pearson": Value(value=0.5, low=0.4, high=0.6, n=9, speakers=3)}, {},
    )  # fmt: skip
    table = leaderboard.Table("synthetic", corpus.fingerprint, True, "test", 9, 3, True, (), (entry,), found)
    page = markdown.write(leaderboard.Leaderboard("1", (table,)))
    rater = found.metrics["phone_model_pearson"]
    assert f"| One human rater | against the other four | {rater.value:.3f} [{rater.low:.3f}, {rater.high:.3f}]" in page
    beside = {"one.scorer": {name: rater_rows.SystemDifference(rater, rater, 0.012) for name in found.metrics}}
    table = replace(table, raters=replace(found, systems=beside))
    page = markdown.write(leaderboard.Leaderboard("1", (table,)))
    assert "| One, scorer | less the rater's |" in page
    assert "p 0.012" in page
