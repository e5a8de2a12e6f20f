"""The trained scorer's parts: sound, descriptions, calibration, network; each against an outside truth."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from phonobench import phones
from phonobench.assessment.model import calibration, features, mel, prosody, runtime, tables, trees
from phonobench.assessment.model.gate import GATE_FEATURES, PromptGate
from phonobench.assessment.model.scorer import FittedScorer
from phonobench.assessment.types import COVERAGE, AcousticOutput, HeadOutput
from phonobench.corpora import synthetic
from phonobench.types import SAMPLE_RATE, PhonobenchError, Prompt, Word

PROMPT = Prompt((Word("we", ("W", "IY")), Word("call", ("K", "AO", "L")), Word("it", ("IH", "T"))))


def planted_output(said: tuple[str, ...], every: int = 4) -> AcousticOutput:
    """A recogniser's output with those phones, one every so many frames of 20 ms, in faint noise, without states."""
    logits = np.zeros((every * (len(said) + 1), 40))
    logits[:, 0] = 8.0
    for place, phone in enumerate(phones.encode(said), start=1):
        logits[place * every - 1, [0, phone]] = 0.0, 8.0
    logp = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    wave = np.random.default_rng(0).normal(0, 0.01, len(logp) * 320).astype(np.float32)
    return AcousticOutput(logp, np.zeros((len(logp), 0), np.float32), wave, 0.02)


def tone(hertz: float, seconds: float = 1.0, level: float = 0.3) -> np.ndarray:
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    # three harmonics: a sine alone has no period shorter than its own either
    wave = sum(np.sin(2 * np.pi * k * hertz * time) / k for k in (1, 2, 3))
    return (level * np.asarray(wave)).astype(np.float32)


@pytest.mark.parametrize("hertz", [90.0, 150.0, 310.0])
def test_pitch_is_that_of_a_tone(hertz: float) -> None:
    found = prosody.measure(tone(hertz))
    inside = slice(5, -8)
    assert np.isfinite(found.pitch[inside]).all()
    np.testing.assert_allclose(found.pitch[inside], 12 * np.log2(hertz / 100), atol=0.35)


def test_noise_and_silence_have_no_pitch_and_loudness_follows_the_level() -> None:
    noise = np.random.default_rng(0).standard_normal(SAMPLE_RATE).astype(np.float32)
    assert np.isfinite(prosody.measure(noise).pitch).mean() < 0.05
    assert not np.isfinite(prosody.measure(np.zeros(SAMPLE_RATE, np.float32)).pitch).any()
    quieter = prosody.measure(np.concatenate([tone(120), 0.1 * tone(120)])).loudness
    assert np.median(quieter[10:80]) - np.median(quieter[110:180]) == pytest.approx(20.0, abs=0.5)


def test_the_spectrogram_is_that_of_the_recogniser() -> None:
    torch = pytest.importorskip("torch")
    from phonobench.neural.frontends.mel import MelFrontEnd

    rng = np.random.default_rng(0)
    for samples in (640, 12_345, 70_001):
        wave = (0.1 * rng.standard_normal(samples)).astype(np.float32)
        expected, lengths = MelFrontEnd(80)([torch.from_numpy(wave)])
        found = mel.spectrogram(wave, 80)
        np.testing.assert_allclose(found, expected.numpy()[..., : 2 * int(lengths[0])], atol=1e-5)


@pytest.mark.parametrize(
    ("said", "wrong", "heard"),
    [(("W", "IY", "K", "AA", "L", "IH", "T"), 3, "AA"), (("W", "IY", "K", "AO", "IH", "T"), 4, "none")],
)
def test_features_show_what_was_planted(said: tuple[str, ...], wrong: int, heard: str) -> None:
    found = features.describe(planted_output(said), PROMPT)
    names, sounds = features.NAMES, ("none", *phones.PHONES)
    assert found.rows.shape == (7, len(names))
    assert np.isfinite(found.rows).all()
    rivals = found.rows[:, [names.index(f"rival_{name}") for name in sounds]]
    expected = list(PROMPT.phones)
    expected[wrong] = heard
    assert [sounds[k] for k in rivals.argmax(axis=1)] == expected
    odds = found.rows[:, names.index("odds")]
    assert np.flatnonzero(odds < 0).tolist() == [wrong]
    assert found.rows[0, names.index("heard_errors")] == pytest.approx(1 / 7)
    assert found.words.tolist() == [0, 0, 1, 1, 1, 2, 2]


def test_gaps_before_and_after_a_phone_are_distinguished() -> None:
    said = phones.encode(PROMPT.phones)
    logits = np.zeros((60, 40))
    logits[:, 0] = 8.0
    peaks = [5, 10, 35, 40, 45, 50, 55]  # half a second of blank after the first word
    logits[peaks, 0] = 0.0
    logits[peaks, said] = 8.0
    logp = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    wave = np.random.default_rng(0).normal(0, 0.01, 60 * 320).astype(np.float32)
    rows = features.describe(AcousticOutput(logp, np.zeros((60, 0), np.float32), wave, 0.02), PROMPT).rows
    before, after = (rows[:, features.NAMES.index(name)] for name in ("gap_before", "gap_after"))
    assert (after.argmax(), before.argmax()) == (1, 2)
    assert before[2] == pytest.approx(np.log1p(24 * 0.02 / 0.05), rel=1e-5)
    np.testing.assert_array_equal(before[1:], after[:-1])
    assert before[0] == pytest.approx(np.log1p(5 * 0.02 / 0.05), rel=1e-5)  # from the beginning
    assert after[-1] == pytest.approx(np.log1p(4 * 0.02 / 0.05), rel=1e-5)  # to the end


@pytest.mark.parametrize("way", [1, -1])
def test_the_slope_of_pitch_has_the_sign_of_its_movement(way: int) -> None:
    output = planted_output(PROMPT.phones, every=10)
    hertz = np.linspace(120, 240, len(output.wave))[::way]
    cycles = np.cumsum(hertz) / SAMPLE_RATE
    wave = sum(0.3 * np.sin(2 * np.pi * k * cycles) / k for k in (1, 2, 3))
    moved = dataclasses.replace(output, wave=np.asarray(wave, np.float32))
    rows = features.describe(moved, PROMPT).rows
    slope, pitch = (rows[:, features.NAMES.index(name)] for name in ("pitch_slope", "pitch"))
    assert (way * slope[1:-1] > 0.2).all()
    assert (way * np.diff(pitch) > 0).all()
    assert (rows[:, features.NAMES.index("voiced")][1:-1] > 0.9).all()


def test_loudness_is_cut_off_sixty_decibels_under_the_loudest_frame() -> None:
    found = prosody.measure(np.concatenate([tone(120), 1e-5 * tone(120)]))
    assert found.loudness.max() == 0.0
    assert np.median(found.loudness[110:180]) == -60.0
    found = prosody.measure(np.concatenate([tone(120), 10 ** (-50 / 20) * tone(120), 10 ** (-20 / 20) * tone(120)]))
    assert np.median(found.loudness[110:180]) == pytest.approx(-50.0, abs=0.5)
    assert not np.isfinite(found.pitch[110:180]).any()  # too soft for a voice, though periodic
    assert np.isfinite(found.pitch[210:280]).all()


@pytest.mark.parametrize("kind", ["swapped", "silence", "noise"])
def test_audio_without_the_prompt_is_all_wrong_and_only_that_of_another_may_be_fluent(kind: str) -> None:
    from phonobench.fitting import dataset

    made = dataset.negative(random_features(0, features.NAMES, models=1), kind)
    unknown = np.isnan(made.sentence)
    assert unknown.tolist() == [False, kind == "swapped", kind == "swapped", False]  # fluency and prosody
    assert (made.sentence[~unknown] == 0).all()
    assert (made.phone == 0).all() and (made.error == 1).all()
    assert np.isnan(made.word[:, 1]).all() and (made.word[:, [0, 2]] == 0).all()  # stress


def test_fewer_rows_bear_fewer_trees() -> None:
    from phonobench.assessment.model.examples import Example, FitConfig
    from phonobench.fitting import boosting

    rng = np.random.default_rng(6)
    examples = []
    for seed in range(12):
        one = random_features(seed, features.NAMES, models=1)
        phone = rng.uniform(size=7)
        error = (phone < 0.5).astype(float)
        examples.append(
            Example(
                one.rows,
                one.states,
                one.ids,
                one.words,
                one.word_rows,
                phone,
                error,
                rng.uniform(size=(3, 3)),
                rng.uniform(size=4),
            )
        )
    forest = boosting.fit_forest(examples, features.NAMES, FitConfig(trees=12), lambda _: None)
    wanted = {"phones": 12, "words": 8, "sentence": 6}
    assert {name: len(one.roots) for name, one in forest.trees.items()} == {
        name: wanted[table] for name, table in trees.TABLES.items()
    }


def test_states_are_pooled_over_each_phone_s_time() -> None:
    output = planted_output(PROMPT.phones, every=5)
    frames = np.arange(len(output.logp), dtype=np.float32)[:, None]
    found = features.describe(dataclasses.replace(output, states=np.hstack([frames, -frames])), PROMPT)
    steps = np.diff(found.states[:, 0])
    np.testing.assert_allclose(steps, 5.0, atol=1.01)  # phones were planted five frames apart
    np.testing.assert_allclose(found.states[:, 1], -found.states[:, 0], atol=1e-4)


def test_the_estimates_of_the_score_head_are_features_of_each_phone_and_of_all() -> None:
    output = planted_output(PROMPT.phones, every=5)
    frames = np.arange(len(output.logp), dtype=np.float32)[:, None]
    known = {}

    def estimate(pooled: np.ndarray, whole: np.ndarray, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        known.update(pooled=pooled, whole=whole, ids=ids)
        return pooled[:, 0] / 100, np.array([0.1, 0.2, 0.3, 0.4])

    head = HeadOutput(frames, estimate)
    found = features.describe(dataclasses.replace(output, head=head, states=frames), PROMPT)
    columns = [features.NAMES.index(name) for name in features.NAMES if name.startswith("judged")]
    assert tuple(known["ids"]) == phones.encode(PROMPT.phones)
    assert known["whole"] == pytest.approx(frames.mean())
    np.testing.assert_array_equal(known["pooled"], found.states)
    np.testing.assert_allclose(found.rows[:, columns[0]], found.states[:, 0] / 100, rtol=1e-6)
    np.testing.assert_allclose(found.rows[:, columns[1:]], np.tile([0.1, 0.2, 0.3, 0.4], (7, 1)), rtol=1e-6)
    without = features.describe(output, PROMPT)
    assert (without.rows[:, columns] == 0).all()
    others = [k for k in range(len(features.NAMES)) if k not in columns]
    np.testing.assert_array_equal(without.rows[:, others], found.rows[:, others])


def test_a_scorer_reads_the_columns_that_it_names_of_every_member_of_its_panel() -> None:
    class Session:
        def get_inputs(self):
            return [SimpleNamespace(name="rows")]

        def run(self, _, inputs):
            self.rows = inputs["rows"][0]
            return np.zeros((1, 7)), np.zeros((1, 7)), np.zeros((1, 3, 3)), np.zeros((1, 4))

    one = features.describe(planted_output(PROMPT.phones), PROMPT)
    two = dataclasses.replace(one, rows=one.rows + 1)
    session = Session()
    read = ("deleted", "odds")
    FittedScorer(session, None, 2, read).predict(features.side_by_side([one, two]))
    wanted = one.rows[:, [features.NAMES.index(name) for name in read]]
    np.testing.assert_array_equal(session.rows, np.hstack([wanted, wanted + 1]))


def random_features(seed: int, names: tuple[str, ...], models: int) -> features.Description:
    """Seven phones of the prompt with random rows; what belongs to the utterance is the same in all of them."""
    rows = np.random.default_rng(seed).standard_normal((7, models, len(names))).astype(np.float32)
    whole = [k for k, name in enumerate(names) if name in features.UTTERANCE_FEATURES]
    rows[:, :, whole] = rows[:1, :, whole]
    ids, words = np.array(phones.encode(PROMPT.phones)), np.array(PROMPT.word_of_phone)
    word_rows = np.random.default_rng(seed).standard_normal((max(words) + 1, models * 7)).astype(np.float32)
    return features.Description(rows.reshape(7, -1), np.zeros((7, 0), np.float32), ids, words, word_rows)


def test_tables_put_beside_a_row_what_stands_around_it() -> None:
    names = ("rival_AA", "odds", "judged", "loglik")
    one = random_features(0, names, models=2)
    found = tables.tabulate(one, names)
    assert (len(found.phones), len(found.words), len(found.sentence)) == (7, 3, 1)
    by_model = one.rows.reshape(7, 2, 4)
    width, near = 8 + 39, 4  # judged and odds of both models
    np.testing.assert_array_equal(found.phones[:, :8], one.rows)
    np.testing.assert_array_equal(found.phones[:, 8:47].argmax(1) + 1, one.ids)
    around = found.phones[:, width : width + 4 * near].reshape(7, 4, 2, 2)
    for shift, place in ((-2, 0), (-1, 1), (1, 2), (2, 3)):
        for phone in range(7):
            there = by_model[phone + shift][:, [2, 1]] if 0 <= phone + shift < 7 else np.full((2, 2), np.nan)
            np.testing.assert_array_equal(around[phone, place], there)
    call = by_model[2:5]
    np.testing.assert_allclose(found.phones[3, -4:], [*call[..., 1].mean(0), *call[..., 1].min(0)], rtol=1e-6)
    own = call[..., :3]
    np.testing.assert_allclose(found.words[1, :12], [*own.mean(0).ravel(), *own.min(0).ravel()], rtol=1e-6)
    np.testing.assert_array_equal(found.words[:, 12:14], np.tile(by_model[0, :, 3], (3, 1)))
    np.testing.assert_allclose(found.words[0, 18:22], call[..., [2, 1]].mean(0).ravel(), rtol=1e-6)  # the next word
    assert np.isnan(found.words[0, 14:18]).all() and found.words[:, -1].tolist() == [2, 3, 2]
    known = by_model[..., 1:3]
    expected = np.concatenate([part.ravel() for part in (known.mean(0), known.std(0), np.quantile(known, 0.1, axis=0))])
    np.testing.assert_allclose(found.sentence[0], [*expected, *by_model[0, :, 3]], rtol=1e-5)


def test_trees_answer_as_scikit_learn_s_also_where_a_value_is_missing(tmp_path) -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    from phonobench.fitting.boosting import arrays_of

    rng = np.random.default_rng(5)
    table = rng.standard_normal((900, 5)).astype(np.float32)
    table[rng.uniform(size=table.shape) < 0.1] = np.nan
    value = np.nan_to_num(table[:, 0]) ** 2 + np.isnan(table[:, 1]) + 0.1 * rng.standard_normal(900)
    settings = {"max_iter": 40, "min_samples_leaf": 5, "random_state": 0}
    regressor = HistGradientBoostingRegressor(**settings).fit(table[:600], value[:600])
    classifier = HistGradientBoostingClassifier(**settings).fit(table[:600], value[:600] > 1)
    plain, odds = arrays_of(regressor), arrays_of(classifier)
    np.testing.assert_allclose(plain.predict(table[600:]), regressor.predict(table[600:]), rtol=1e-9)
    np.testing.assert_allclose(odds.predict(table[600:]), classifier.decision_function(table[600:]), rtol=1e-9)
    forest = trees.Forest(dict.fromkeys(trees.TABLES, plain) | {"error": odds})
    forest.write(tmp_path / "trees.safetensors")
    ask = tables.Tables(table[600:], table[700:], table[800:801])
    said = trees.Forest.read(tmp_path / "trees.safetensors").predict(ask)
    np.testing.assert_allclose(said[1], classifier.predict_proba(table[600:])[:, 1], rtol=1e-9)
    assert [part.shape for part in said] == [(300,), (300,), (200, 3), (4,)]
    np.testing.assert_allclose(said[2][:, 2], regressor.predict(table[700:]), rtol=1e-9)
    for part, again in zip(said, forest.predict(ask), strict=True):
        np.testing.assert_array_equal(part, again)


def test_the_gate_opens_to_what_was_read_and_reckons_with_how_rare_the_rest_is() -> None:
    from phonobench.assessment.model.examples import Example, FitConfig
    from phonobench.fitting import boosting

    def examples(seeds: range, shift: float) -> list[Example]:
        made = []
        for seed in seeds:
            one = random_features(seed, features.NAMES, models=2)
            rows = one.rows + shift * (np.arange(one.rows.shape[1]) % len(features.NAMES) == at)
            unknown = np.full(7, np.nan)
            made.append(Example(rows, one.states, one.ids, one.words, one.word_rows, *[unknown] * 4))
        return made

    at = features.NAMES.index("heard_errors")
    read, unread = examples(range(200), -1.0), examples(range(200, 300), 1.0)
    new = [examples(range(300, 400), -1.0), examples(range(400, 500), 1.0)]
    odds = []
    for share in (0.5, 0.02):
        found = boosting.fit_gate(read, unread, features.NAMES, FitConfig(unread=share))
        found = PromptGate.from_json(found.to_json())
        known = [[found.probability(boosting.description_of(e), features.NAMES) for e in part] for part in new]
        assert np.mean(np.array(known[0]) > 0.5) > 0.8
        odds.append(np.log(known[1]) - np.log1p(-np.array(known[1])))
    assert np.mean(odds[0] < 0) > 0.8
    np.testing.assert_allclose(odds[1] - odds[0], np.log(0.98 / 0.02), rtol=1e-6)


def test_trees_have_as_much_to_say_as_the_network_and_the_gate_lowers_both() -> None:
    class Session:
        def get_inputs(self):
            return [SimpleNamespace(name="rows")]

        def run(self, _, inputs):
            return np.full((1, 7), 0.8), np.full((1, 7), 0.1), np.full((1, 3, 3), 0.6), np.full((1, 4), 0.4)

    def constant(value: float) -> trees.Trees:
        leaf = [np.array([k]) for k in (0, 0, 0.0, -1, -1, False, value)]
        return trees.Trees(np.zeros(1), *leaf)

    one = random_features(0, features.NAMES, models=1)
    forest = trees.Forest(dict.fromkeys(trees.TABLES, constant(0.5)) | {"error": constant(np.log(0.3 / 0.7))})
    shut = PromptGate(
        (0.0,) * len(GATE_FEATURES),
        (1.0,) * len(GATE_FEATURES),
        (0.0,) * len(GATE_FEATURES),
        float(np.log(0.25 / 0.75)),
    )
    expected = (0.65, 0.2, 0.55, 0.45)
    for part, value in zip(FittedScorer(Session(), None, forest=forest).predict(one), expected, strict=True):
        np.testing.assert_allclose(part, value, rtol=1e-9)
    gated = FittedScorer(Session(), None, forest=forest, gate=shut)
    assert gated.read_probability(one) == pytest.approx(0.25)
    words = [0.1375, 0.55, 0.1375]  # accuracy, stress, total
    for part, value in zip(gated.predict(one), (0.1625, 0.8, words, 0.1125), strict=True):
        np.testing.assert_allclose(part, np.broadcast_to(value, part.shape), rtol=1e-9)


def test_audio_too_short_for_the_phones_is_refused() -> None:
    output = planted_output(("W",), every=2)
    with pytest.raises(PhonobenchError, match="too short"):
        features.describe(output, PROMPT)


def test_intervals_hold_the_share_of_people_that_they_promise() -> None:
    rng = np.random.default_rng(1)
    predicted = rng.uniform(0, 10, 4000)
    human = np.clip(predicted + rng.standard_normal(4000) * (0.2 + 0.2 * predicted), 0, 10)
    fitted = calibration.interval(predicted[:2000], human[:2000])
    found = fitted.around(predicted[2000:], 10.0)
    inside = (found.low <= human[2000:]) & (human[2000:] <= found.high)
    assert inside.mean() == pytest.approx(COVERAGE, abs=0.03)
    assert inside[predicted[2000:] > 8].mean() == pytest.approx(COVERAGE, abs=0.06)  # and where the noise is large
    width = found.high - found.low
    assert width[predicted[2000:] > 8].mean() > 2 * width[predicted[2000:] < 2].mean()


def test_error_probabilities_are_calibrated_and_thresholds_keep_their_promise() -> None:
    rng = np.random.default_rng(2)
    odds = rng.normal(-2, 1.5, 40_000)
    wrong = (rng.uniform(size=odds.size) < 1 / (1 + np.exp(-(1.7 * odds + 0.8)))).astype(float)
    fitted = calibration.calibrate({}, 1 / (1 + np.exp(-odds)), wrong)
    assert (fitted.slope, fitted.offset) == (pytest.approx(1.7, abs=0.08), pytest.approx(0.8, abs=0.12))
    flagged = fitted.probability(1 / (1 + np.exp(-odds[wrong == 0]))) >= fitted.threshold(0.05)
    assert flagged.mean() == pytest.approx(0.05, abs=0.002)
    again = calibration.Calibration.from_json(fitted.to_json())
    assert again.threshold(0.07) == fitted.threshold(0.07)
    with pytest.raises(PhonobenchError, match="false alarms"):
        fitted.threshold(0.9)


@pytest.mark.torch
@pytest.mark.slow
def test_a_network_learns_and_runs_the_same_in_onnx_alone_and_in_a_batch(tmp_path) -> None:
    torch = pytest.importorskip("torch")
    from phonobench.assessment.model.examples import Example, FitConfig
    from phonobench.neural.assessment import training
    from phonobench.neural.checkpoints import onnx

    rng = np.random.default_rng(3)

    def example(phones_: int) -> Example:
        rows = rng.standard_normal((phones_, 6)).astype(np.float32)
        words = np.sort(rng.integers(0, max(1, phones_ // 3), phones_))
        words = np.unique(words, return_inverse=True)[1]
        phone = 1 / (1 + np.exp(-2 * rows[:, 0].astype(float)))
        word = np.stack([np.bincount(words, phone) / np.bincount(words)] * 3, axis=1)
        states = rng.standard_normal((phones_, 4)).astype(np.float32)
        word_rows = np.zeros((words.max() + 1, 7), np.float32)
        return Example(rows, states, rng.integers(1, 40, phones_), words, word_rows, phone, (phone < 0.2) * 1.0, word,
                       np.full(4, phone.mean()))  # fmt: skip

    examples = [example(int(n)) for n in rng.integers(4, 20, 120)]
    network = training.fit(examples[:100], FitConfig(epochs=25, width=32, layers=1, average=0.9), seeds=(0, 1))
    alone = training.predict(network, examples[100:])
    predicted, truth = np.concatenate([a[0] for a in alone]), np.concatenate([e.phone for e in examples[100:]])
    assert np.corrcoef(predicted, truth)[0, 1] > 0.9
    with torch.no_grad():
        together = network(*training.collate(examples[100:])[0])
    onnx.write_scorer(network, tmp_path / "scorer.onnx")
    calibrated = calibration.calibrate({}, predicted, truth < 0.2)
    scorer = FittedScorer(runtime.session(tmp_path / "scorer.onnx"), calibrated, features=features.NAMES[:6])
    for k, one in enumerate(examples[100:]):
        description = features.Description(one.rows, one.states, one.ids, one.words, one.word_rows)
        for part, in_batch, in_onnx in zip(alone[k], together, scorer.predict(description), strict=True):
            shape = tuple(slice(0, n) for n in part.shape)
            np.testing.assert_allclose(in_batch[k].numpy()[shape], part, atol=2e-5)
            np.testing.assert_allclose(in_onnx, part, atol=2e-5)


def test_descriptions_of_different_phones_do_not_stand_side_by_side() -> None:
    one = features.describe(planted_output(PROMPT.phones), PROMPT)
    both = features.side_by_side([one, one])
    np.testing.assert_array_equal(both.rows, np.hstack([one.rows, one.rows]))
    with pytest.raises(PhonobenchError, match="different phones"):
        features.side_by_side([one, dataclasses.replace(one, ids=one.ids[::-1])])


def test_the_acoustic_models_of_a_package_stay_in_the_order_of_their_panels() -> None:
    from phonobench.assessment import bundle
    from phonobench.assessment.model.scorer import panels

    names = [f"acoustic-{k}.onnx" for k in range(12)]
    assert bundle.acoustic_files([*names[::-1], "scorer.onnx"]) == names
    assert panels(range(6), 2) == [range(0, 2), range(2, 4), range(4, 6)]
    with pytest.raises(ValueError, match="panels of 4"):
        panels(names[:6], 4)


@pytest.mark.parametrize(
    ("field", "named"),
    [("phone_accuracy", "phone accuracy of"), ("word_stress", "word stress of"), ("total", "to: total of")],
)
def test_a_corpus_without_one_of_the_scores_is_refused_before_anything_is_computed(tmp_path, field, named) -> None:
    from phonobench import fitting

    corpus = synthetic.read()

    def without(utterance):
        value = getattr(utterance.judgement, field)
        unknown = (float("nan"),) * len(value) if isinstance(value, tuple) else float("nan")
        return dataclasses.replace(utterance, judgement=dataclasses.replace(utterance.judgement, **{field: unknown}))

    partly = tuple(without(u) if u.split != "test" else u for u in corpus.utterances)
    with pytest.raises(PhonobenchError, match=f"synthetic has no human score to fit.*{named} no train speaker"):
        fitting.fit([tmp_path / "run"], dataclasses.replace(corpus, utterances=partly), tmp_path)


@pytest.fixture
def exported_once(monkeypatch) -> None:
    """An acoustic model that was exported is copied the next time: tracing it takes seconds."""
    pytest.importorskip("torch")
    from phonobench.neural.checkpoints import onnx

    def once(name):
        export, made = getattr(onnx, name), {}

        def exported(run_dir, path, *given, **options):
            key = (run_dir, *map(tuple, given), *options.items())
            if key not in made:
                made[key] = export(run_dir, path, *given, **options), path.read_bytes()
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(made[key][1])
            return made[key][0]

        return exported

    for name in ("export", "export_score_head"):
        monkeypatch.setattr(onnx, name, once(name))


@pytest.mark.torch
@pytest.mark.slow
@pytest.mark.usefixtures("exported_once")
def test_a_panel_of_two_recognisers_votes_by_folds_with_and_without_torch(tmp_path) -> None:
    torch = pytest.importorskip("torch")
    from tiny_checkpoints import save_whisper

    from phonobench import fitting
    from phonobench.assessment import bundle
    from phonobench.assessment.model.examples import FitConfig
    from phonobench.corpora import folded
    from phonobench.neural.training import loop
    from phonobench.systems import cards, recipe

    whole = synthetic.read()
    chosen = tuple(u for k, u in enumerate(whole.utterances) if (k % 12 == 0 if u.split == "test" else k % 3 == 0))
    corpus, runs = dataclasses.replace(whole, utterances=chosen), tmp_path / "runs"
    plan = recipe.with_settings(recipe.find("scoring"), {"epochs": "1", "head_only_epochs": "0", "precision": "fp32"})
    trained = {}
    for seed, name in enumerate(("whisper-base", "whisper-tiny.en")):
        torch.manual_seed(seed)
        source = str(save_whisper(tmp_path / name, layers=1))
        for fold in (0, 1):
            trained[name, fold] = loop.train(cards.find(name), plan, corpus, runs, source=source, fold=fold)
    config, folds = FitConfig(epochs=1, width=16, layers=1, trees=3), list(trained.values())
    scorer = fitting.fit(folds, corpus, runs, acoustic_models=folds[::-1], layers=(-1,), config=config, seeds=(0,))
    assert scorer.name.startswith("whisper-base+whisper-tiny.en.scorer2.")
    train, test = fitting.evaluate(scorer, corpus, tmp_path / "results", kept=tmp_path, resamples=20)
    assert train.provenance.split.speakers == len({u.speaker for u in corpus.split("dev")} | {
        u.speaker for u in folded(corpus, 1).split("dev")})  # fmt: skip
    assert test.provenance.training.recipe["name"] == "scorer, 2 votes"
    folder = fitting.export(scorer, tmp_path / "package", int8=False)
    assert len(bundle.load(folder).acoustic) == 4
    (exported,) = fitting.evaluate(folder, corpus, tmp_path / "results", kept=tmp_path, resamples=20)
    panel = [trained[name, 1] for name in ("whisper-tiny.en", "whisper-base")]
    alone = bundle.load(fitting.export(scorer, tmp_path / "alone", int8=False, acoustic_models=panel))
    assert alone.run["listeners"] == [trained[name, 1].name for name in ("whisper-base", "whisper-tiny.en")]
    assert (len(alone.acoustic), alone.run["recipe"]["name"]) == (2, "scorer")
    assert alone.run["run_id"].startswith("whisper-base+whisper-tiny.en.scorer.")
    with pytest.raises(PhonobenchError, match="the same folds of all"):
        fitting.export(scorer, tmp_path / "half", int8=False, acoustic_models=panel[:1])
    compared = fitting.compare([scorer, folder], corpus, tmp_path, metrics=["phone_model_pearson"], resamples=20)
    (gap,) = compared.gaps
    assert (gap.a, gap.b) == (scorer.name, f"{scorer.name}.package")
    assert gap.difference == pytest.approx(0, abs=2e-3)
    described = fitting.compare([scorer, folder], corpus, tmp_path, metrics=["phone_model_bias"], resamples=20)
    assert described.gaps[0].better is None  # no end of a bias is the better one
    with pytest.raises(PhonobenchError, match="hold the same run"):
        fitting.compare([folder, folder], corpus, tmp_path, resamples=20)
    with pytest.raises(PhonobenchError, match="unknown metric of scorers 'per'"):
        fitting.compare([scorer, folder], corpus, tmp_path, metrics=["per"])
    for name, value in test.metrics.items():
        assert exported.metrics[name].value == pytest.approx(value.value, abs=2e-3, nan_ok=True), name
    with pytest.raises(PhonobenchError, match="the same folds of all"):
        fitting.fit(folds[:3], corpus, runs, config=config, seeds=(0,))
    with pytest.raises(PhonobenchError, match="both fold 0"):
        fitting.fit([folds[0], folds[0]], corpus, runs, config=config, seeds=(0,))
    with pytest.raises(PhonobenchError, match="cannot vote"):
        fitting.fit(folds[:2], corpus, runs, acoustic_models=folds[2:], config=config, seeds=(0,))


@pytest.mark.torch
@pytest.mark.slow
def test_from_a_trained_run_to_a_package_without_torch(tmp_path, monkeypatch) -> None:
    pytest.importorskip("torch")
    from tiny_checkpoints import save_whisper

    from phonobench import audio, fitting, results, store
    from phonobench.assessment import bundle
    from phonobench.assessment.model.examples import FitConfig
    from phonobench.neural.checkpoints import onnx
    from phonobench.neural.training import loop
    from phonobench.systems import cards, recipe

    corpus = synthetic.read()
    card = cards.find("whisper-tiny.en")
    source = str(save_whisper(tmp_path / "model", layers=2))
    plan = recipe.with_settings(recipe.find("scoring"), {"epochs": "1", "head_only_epochs": "0", "precision": "fp32"})
    few = dataclasses.replace(
        corpus, utterances=tuple(u for k, u in enumerate(corpus.utterances) if u.split == "dev" or k % 12 == 0)
    )
    runs = tmp_path / "runs"
    run = loop.train(card, plan, few, runs, source=source)
    config = FitConfig(epochs=1, width=16, layers=1, trees=6)
    scorer = fitting.fit([run], few, runs, layers=(1, -1), config=config, seeds=(0,))
    assert plan.score_loss_weight > 0  # so that what follows holds of a recogniser with a score head
    assert fitting.fit([run], few, runs, layers=(1, -1), config=config, seeds=(0,)) == scorer
    made = fitting.evaluate(scorer, few, tmp_path / "results", kept=tmp_path, resamples=20)
    assert [(one.split, one.task) for one in made] == [("train", "assessment"), ("test", "assessment")]
    assert made[0].metrics["phone_model_coverage"].value == pytest.approx(COVERAGE, abs=0.08)
    assert made[1].metrics["utterance_model_auc_silence"].value is not None
    folder = fitting.export(scorer, tmp_path / "package", int8=False)
    (exported,) = fitting.evaluate(folder, few, tmp_path / "results", kept=tmp_path, resamples=20)
    assert exported.run_id == f"{scorer.name}.package"
    assert exported.provenance.training == made[1].provenance.training
    for name, value in made[1].metrics.items():
        assert exported.metrics[name].value == pytest.approx(value.value, abs=2e-3, nan_ok=True), name
    assert results.read_all(tmp_path / "results")[0].protocol_version == results.PROTOCOL_VERSION
    loaded, wave = bundle.load(folder), audio.read(few.split("test")[0].audio)
    np.testing.assert_allclose(loaded.recognise(0.05 * wave).logp, loaded.recognise(wave).logp, atol=1e-4)
    as_recorded = dataclasses.replace(loaded, level=None)
    assert np.abs(as_recorded.recognise(0.05 * wave).logp - as_recorded.recognise(wave).logp).max() > 1e-3
    assert loaded.scorer.forest is not None and loaded.scorer.gate is not None
    (folder / "scorer.onnx").write_bytes(b"damaged")
    with pytest.raises(PhonobenchError, match=r"scorer\.onnx is missing or damaged"):
        bundle.load(folder)
    facts = store.read_json(folder / bundle.FACTS)
    assert {"judge-0.onnx", "acoustic-0.onnx"} <= facts["files"].keys()
    store.write_json(folder / bundle.FACTS, {**facts, "features": [*facts["features"], "mood"]})
    with pytest.raises(PhonobenchError, match="another version"):
        bundle.load(folder)
    first_format = {k: v for k, v in facts.items() if k not in ("gate", "sha256")} | {"format": 1}
    first_format["files"] = {name: hash for name, hash in facts["files"].items() if name != "trees.safetensors"}
    store.write_json(folder / bundle.FACTS, first_format)
    (folder / "scorer.onnx").write_bytes((scorer / "scorer.onnx").read_bytes())
    assert bundle.load(folder).scorer.forest is None
    store.write_json(folder / bundle.FACTS, {**facts, "format": 0})
    with pytest.raises(PhonobenchError, match="another version"):
        bundle.load(folder)
    old = {k: v for k, v in store.read_run(scorer).items() if k != "gate"} | {"run_id": "old"}
    store.write_run(tmp_path / "runs" / "old", old)
    with pytest.raises(PhonobenchError, match="old was fitted by an older phonobench"):
        fitting.export(tmp_path / "runs" / "old", tmp_path / "package")
    monkeypatch.setattr(onnx, "export", lambda run, path, layers, int8: path.touch() or 80)
    monkeypatch.setattr(onnx, "export_score_head", lambda run, path: False)
    again = fitting.export(scorer, folder, level=-30.0)
    assert (facts["level"], store.read_json(again / bundle.FACTS)["level"]) == (fitting.LEVEL, -30.0)


def test_the_shipped_scorer_uses_the_audio() -> None:
    from phonobench import audio
    from phonobench.assessment import bundle

    package = bundle.load()
    utterances = synthetic.read().split("test")[::20]
    heard = [package.recognise(audio.read(u.audio)) for u in utterances]
    true, wrong, silent = [], [], []
    for k, (utterance, output) in enumerate(zip(utterances, heard, strict=True)):
        quiet = package.recognise(np.zeros_like(output.wave))
        for scores, other in ((true, output), (wrong, heard[k - 1]), (silent, quiet)):
            scores.append(float(package.scorer.assess(other, utterance.prompt).sentence["total"].value))
    assert np.median(true) > 6  # synthetic voices differ from its speakers: one of them it does not take for speech
    assert max(wrong) < 3
    assert max(silent) < 1
