"""Figures of a trained scorer on a planted corpus, against scipy, scikit-learn and counting by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from planted import corpus as planted_corpus
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import average_precision_score, roc_auc_score

from phonobench import stats
from phonobench.assessment.types import SENTENCE_SCORES, WORD_SCORES, Assessment, ScoreEstimate
from phonobench.evaluate.intervals import measure
from phonobench.tasks import assessment


def around(value: np.ndarray, width: float) -> ScoreEstimate:
    value = np.asarray(value, dtype=float)
    return ScoreEstimate(value, value - width, value + width)


def guess(rng: np.random.Generator, utterance, shift: float = 0.0) -> Assessment:
    human = utterance.judgement
    phone = np.asarray(human.phone_accuracy) * 0.6 + rng.normal(0.4, 0.3, len(human.phone_accuracy))
    return Assessment(
        phone=around(phone, 0.5),
        phone_error=np.clip(1 - phone / 2, 0, 1),
        word={
            n: around(np.asarray(getattr(human, f"word_{n}")) + rng.normal(0, 1, len(human.word_total)), 1)
            for n in WORD_SCORES
        },
        sentence={n: around(np.asarray(getattr(human, n) + rng.normal(0, 1) - shift), 1.0) for n in SENTENCE_SCORES},
    )


@pytest.fixture(scope="module")
def measured():
    rng = np.random.default_rng(0)
    utterances = planted_corpus()[0].split("test")
    estimates = [guess(rng, u) for u in utterances]
    silent = [guess(rng, u, shift=5.0) for u in utterances]
    others = [{"silence": other} if k % 2 else {} for k, other in enumerate(silent)]
    rows = {
        unit: table.with_constants({"phone_model": 0.6, "utterance_model": -7.0})
        for unit, table in assessment.collect(estimates, utterances, others).items()
    }
    draws = stats.speaker_draws(len({u.speaker for u in utterances}), 50)
    return utterances, estimates, silent, measure(assessment.METRICS, rows, draws)


def test_phones(measured) -> None:
    utterances, estimates, _, values = measured
    human = np.concatenate([u.judgement.phone_accuracy for u in utterances])
    phone = np.concatenate([one.phone.value for one in estimates])
    error = np.concatenate([one.phone_error for one in estimates])
    assert values["phone_model_pearson"].value == pytest.approx(pearsonr(phone, human)[0])
    assert values["phone_model_spearman"].value == pytest.approx(spearmanr(phone, human)[0])
    assert values["phone_model_mse"].value == pytest.approx(np.mean((phone - human) ** 2))
    assert values["phone_model_bias"].value == pytest.approx(np.mean(phone) - np.mean(human))
    assert values["phone_model_auc"].value == pytest.approx(roc_auc_score(human < 0.5, error))
    assert values["phone_model_ap"].value == pytest.approx(average_precision_score(human < 0.5, error))
    assert values["phone_model_coverage"].value == pytest.approx(np.mean(np.abs(phone - human) <= 0.5))
    assert values["phone_model_brier"].value == pytest.approx(np.mean((error - (human < 0.5)) ** 2))
    flagged = error >= 0.6
    assert values["phone_model_precision"].value == pytest.approx((human[flagged] < 0.5).mean())
    assert values["phone_model_recall"].value == pytest.approx(flagged[human < 0.5].mean())
    place = np.minimum((error * 10).astype(int), 9)
    gaps = [abs((error - (human < 0.5))[place == k].sum()) for k in range(10)]
    assert values["phone_model_ece"].value == pytest.approx(sum(gaps) / len(error))
    assert values["phone_model_pearson"].low < values["phone_model_pearson"].value < values["phone_model_pearson"].high


def test_words_and_sentences(measured) -> None:
    utterances, estimates, silent, values = measured
    human = np.array([u.judgement.accuracy for u in utterances])
    mine = np.array([float(one.sentence["accuracy"].value) for one in estimates])
    assert values["utterance_model_accuracy_pearson"].value == pytest.approx(pearsonr(mine, human)[0])
    assert values["utterance_model_auc"].value == pytest.approx(roc_auc_score(human <= 6, -mine))
    words = np.concatenate([one.word["stress"].value for one in estimates])
    stress = np.concatenate([u.judgement.word_stress for u in utterances])
    assert values["word_model_stress_mse"].value == pytest.approx(np.mean((words - stress) ** 2))
    true, other = (np.array([float(one.sentence["total"].value) for one in part[1::2]]) for part in (estimates, silent))
    expected = roc_auc_score(np.arange(2 * len(true)) < len(true), np.concatenate([true, other]))
    assert values["utterance_model_auc_silence"].value == pytest.approx(expected)


def test_what_was_not_run_has_no_figure_but_a_reason(measured) -> None:
    _, _, _, values = measured
    assert values["utterance_model_auc_noise"].value is None
    assert "was not run" in values["utterance_model_auc_noise"].reason


def test_a_phone_without_a_human_score_is_left_out() -> None:
    utterances = planted_corpus(speakers=3)[0].split("test")
    rng = np.random.default_rng(1)
    estimates = [guess(rng, u) for u in utterances]
    first = utterances[0].judgement
    holed = dataclasses.replace(first, phone_accuracy=(float("nan"), *first.phone_accuracy[1:]))
    missing = (dataclasses.replace(utterances[0], judgement=holed), *utterances[1:])
    draws = stats.speaker_draws(3, 5)
    whole, less = (measure(assessment.METRICS, assessment.collect(estimates, us, [{}] * len(us)), draws)
                   for us in (utterances, missing))  # fmt: skip
    assert less["phone_model_pearson"].n == whole["phone_model_pearson"].n - 1
