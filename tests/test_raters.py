"""Inter-rater agreement: a rater and a scorer against the same other raters, on the synthetic corpus' raters."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

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

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def corpus():
    return synthetic.read()


def exactly(values) -> ScoreEstimate:
    values = np.asarray(values, dtype=float)
    return ScoreEstimate(values, values, values)


def estimated(corpus, noise: float, seed: int = 0) -> dict[str, Assessment]:
    """The human means with some noise."""
    rng = np.random.default_rng(seed)
    found = {}
    for u in corpus.split("test"):
        human = u.judgement
        phone = np.asarray(human.phone_accuracy, dtype=float)
        found[u.id] = Assessment(
            exactly(phone + noise * rng.normal(size=len(phone))),
            np.clip(1 - phone / 2 + noise * rng.normal(size=len(phone)), 0, 1),
            {n: exactly(np.asarray(getattr(human, f"word_{n}"), dtype=float)) for n in WORD_SCORES},
            {n: exactly(getattr(human, n) + noise * rng.normal()) for n in SENTENCE_SCORES},
        )
    return found


def test_a_rater_and_a_scorer_are_compared_with_the_same_others(corpus) -> None:
    system = agreement.SystemScores(estimated(corpus, 0.3), 0.6)
    found = agreement.rater_agreement(corpus, {"ours": system}, resamples=50)
    ratings = raters.read(corpus.root)
    tests = corpus.split("test")
    table = np.concatenate([ratings[u.id].phone_accuracy for u in tests])
    predicted = np.concatenate([system.assessments[u.id].phone.value for u in tests])
    errors = np.concatenate([system.assessments[u.id].phone_error for u in tests])
    whole = np.isfinite(table).all(axis=1)
    table, predicted, errors = table[whole], predicted[whole], errors[whole]
    count = table.shape[1]
    others = [np.delete(table, k, axis=1).mean(axis=1) for k in range(count)]
    pearson = agreement.RaterAgreement.json(found["phone_model_pearson"])
    expected = np.mean([scipy_stats.pearsonr(table[:, k], others[k])[0] for k in range(count)])
    assert pearson["rater"]["value"] == pytest.approx(expected)
    ours = np.mean([scipy_stats.pearsonr(predicted, other)[0] for other in others])
    assert pearson["scorers"]["ours"]["value"]["value"] == pytest.approx(ours)
    assert pearson["scorers"]["ours"]["difference"]["value"] == pytest.approx(ours - expected)
    auc = np.mean([roc_auc_score(other < 0.5, errors) for other in others])
    human = np.mean([roc_auc_score(others[k] < 0.5, -table[:, k]) for k in range(count)])
    value, difference = found["phone_model_auc"].systems["ours"]
    assert (value.value, difference.value) == (pytest.approx(auc), pytest.approx(auc - human))
    f1 = np.mean([f1_score(other < 0.5, errors >= 0.6) for other in others])
    assert found["phone_model_f1"].systems["ours"][0].value == pytest.approx(f1)
    assert found["phone_model_f1"].rater.value == pytest.approx(
        np.mean([f1_score(others[k] < 0.5, table[:, k] < 0.5) for k in range(count)])
    )


def test_raters_who_agree_fully_and_a_scorer_equal_to_them_differ_in_nothing(corpus) -> None:
    unanimous = {}
    for u in corpus.split("test"):
        human = u.judgement
        means = {f.name: np.asarray(getattr(human, f.name), dtype=float) for f in fields(raters.Ratings)}
        unanimous[u.id] = raters.Ratings(**{name: np.stack([mean] * 5, axis=-1) for name, mean in means.items()})
    systems = {
        "same": agreement.SystemScores(estimated(corpus, 0.0), 0.76),
        "vague": agreement.SystemScores(estimated(corpus, 2.0), 0.76),
    }
    found = agreement.rater_agreement(corpus, systems, ratings=unanimous, resamples=200)
    measured = found["phone_model_pearson"]
    assert measured.rater.value == pytest.approx(1.0)
    same, vague = (measured.systems[name][1] for name in ("same", "vague"))
    assert (same.value, same.low, same.high) == (pytest.approx(0, abs=1e-9),) * 3
    assert vague.high < 0
    assert vague.p < 0.05


def test_a_scorer_without_scores_of_an_utterance_is_refused(corpus) -> None:
    scores = estimated(corpus, 0.0)
    lost = corpus.split("test")[3].id
    del scores[lost]
    with pytest.raises(PhonobenchError, match=f"no scores of 1 test utterances, {lost}"):
        agreement.rater_agreement(corpus, {"ours": agreement.SystemScores(scores, 0.5)}, resamples=5)


@pytest.mark.parametrize("option", ["--raters-alone", "--people-alone"])
def test_the_verb_writes_a_rater_row_that_the_leaderboard_shows(corpus, tmp_path, option: str) -> None:
    given = ["raters", option, "--corpus", "synthetic", "--resamples", "20", "--results", str(tmp_path)]
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


def test_the_stored_agreement_of_an_older_version_is_still_read() -> None:
    found = rater_rows.read(ROOT / "results")
    assert found is not None
    assert found.metrics["phone_model_pearson"].value == pytest.approx(0.678, abs=5e-4)
    assert all(systems["phone_model_pearson"].p is not None for systems in found.systems.values())
    assert found.systems
