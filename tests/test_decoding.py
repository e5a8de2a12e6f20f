"""Decoders: against the best of all sequences, their names, the choice on dev, and what a result holds of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import planted
import pytest
from test_ctc import brute, normal, spread
from typer.testing import CliRunner

from phonobench import bench, ctc, evaluate, phones, results, store
from phonobench.cli import app
from phonobench.ctc import Decoder
from phonobench.evaluate import decoders
from phonobench.report import leaderboard
from phonobench.types import PhonobenchError, Posteriors


@pytest.mark.parametrize("blank", [-1.5, -0.25, 0.0, 0.75])
@pytest.mark.parametrize("seed", range(5))
def test_a_wide_beam_decodes_the_best_of_all_sequences(seed: int, blank: float) -> None:
    logp = spread(5, 4, 1.5, seed)
    everything = brute(normal(logp + blank * np.eye(4)[0]))
    assert Decoder(2000, blank).decode(logp) == max(everything, key=everything.__getitem__)


@pytest.mark.parametrize("blank", [-1.5, 0.75])
def test_the_best_path_takes_the_blank_so_moved(blank: float) -> None:
    for seed in range(10):
        logp = spread(12, 5, 1.0, seed)
        assert Decoder(1, blank).decode(logp) == ctc.greedy(normal(logp + blank * np.eye(5)[0]))


def test_posteriors_in_half_precision_and_without_frames() -> None:
    logp = normal(np.log(np.array([[0.4, 0.35, 0.25], [0.4, 0.35, 0.25]])))
    assert (ctc.GREEDY.decode(logp), Decoder(4).decode(logp.astype(np.float16))) == ((), (1,))
    assert Decoder(4, 3.0).decode(logp) == ()
    assert Decoder(4, -0.5).decode(logp[:0]) == ()


@pytest.mark.parametrize("name", ["greedy", "greedy:-0.5", "beam:8", "beam:16:+0.375"])
def test_a_name_is_read_as_it_is_written(name: str) -> None:
    assert ctc.decoder(name).name == name


@pytest.mark.parametrize("text", ["", "beam", "beam:1", "beam:0", "beam:8:much", "beam:8:nan", "greedy:1:2", "viterbi"])
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(PhonobenchError, match="decoder"):
        ctc.decoder(text)


@pytest.fixture
def hushed(tmp_path: Path):
    """A run that recognises what was spoken, under a blank 13 nats too strong: the best path is nearly empty."""
    corpus, said = planted.corpus(seed=4)
    run_dir = planted.write_run(tmp_path / "runs", "hushed", corpus, lambda u: said[u.id])
    for split in ("dev", "test"):
        folder = store.posteriors_folder(run_dir, split)
        inputs = store.posteriors_manifest(run_dir, split)["inputs"]
        posteriors = store.read_posteriors(run_dir, split)
        moved = tuple(normal(logp.astype(np.float64) + 13 * np.eye(40)[0]) for logp in posteriors.logp)
        shutil.rmtree(folder)
        store.write_posteriors(folder, Posteriors(posteriors.ids, moved, posteriors.hop), {**inputs, "hushed": "yes"})
    return run_dir, corpus


def test_the_choice_is_made_on_dev_and_told_in_the_results(hushed, tmp_path: Path) -> None:
    run_dir, corpus = hushed
    before = {one.task: one for one in evaluate.evaluate(run_dir, corpus, tmp_path / "a", ["test"], resamples=20)}
    tried = (Decoder(), Decoder(4), Decoder(1, -13.0), Decoder(4, -13.0))
    rates = decoders.error_rates(run_dir, corpus, tried)
    assert next(iter(rates)) == Decoder(1, -13.0)  # as good as the beam, and simpler
    assert rates[Decoder()] > 0.7
    well_read = [u for u in corpus.split("dev") if u.judgement.accuracy >= 8]
    wrong = sum(round(len(u.prompt.phones) * (1 - u.judgement.accuracy / 10)) for u in well_read)
    expected = wrong / sum(len(u.prompt.phones) for u in well_read)
    assert rates[Decoder(1, -13.0)] == pytest.approx(expected, abs=0.01)

    decoders.write(run_dir, next(iter(rates)), rates)
    after = {one.task: one for one in evaluate.evaluate(run_dir, corpus, tmp_path / "b", ["test"], resamples=20)}
    assert after["recognition"].metrics["per_hq"].value < 0.1 < before["recognition"].metrics["per_hq"].value
    assert after["scoring"].metrics["utterance_pearson"] != before["scoring"].metrics["utterance_pearson"]
    assert after["scoring"].metrics["phone_pearson"] == before["scoring"].metrics["phone_pearson"]
    assert after["detection"].metrics["phone_auc"] == before["detection"].metrics["phone_auc"]
    assert {(one.provenance.decoder.name, one.provenance.decoder.chosen_on) for one in after.values()} == {
        ("greedy:-13", "dev")
    }
    assert all("greedy:-13, chosen on dev" in one.notes[-1] for one in after.values())
    assert before["recognition"].provenance.decoder == results.DecoderFacts()
    (table,) = leaderboard.build(tmp_path / "b").tables
    assert "greedy:-13" in table.entries[0].name


def test_results_of_another_decoder_are_not_those_of_the_run(hushed, tmp_path: Path) -> None:
    run_dir, corpus = hushed
    evaluate.evaluate(run_dir, corpus, tmp_path, resamples=0)
    assert bench.is_evaluated(run_dir, corpus, tmp_path)
    decoders.write(run_dir, Decoder(8))
    assert not bench.is_evaluated(run_dir, corpus, tmp_path)


def test_a_fusion_by_likelihoods_has_no_decoder_to_choose(hushed) -> None:
    run_dir, corpus = hushed
    fusion = {"method": "likelihoods", "members": ["hushed", "other"], "weights": [0.5, 0.5]}
    own = store.read_run(run_dir)
    kept = {name: own[name] for name in own if name not in ("history", "best_epoch", "status")}
    fusion |= {"seeds": [0, 0], "chosen_on": None}
    store.write_run(run_dir, {**kept, "status": "fused", "fusion": fusion})
    with pytest.raises(PhonobenchError, match="decodes by climbing"):
        decoders.error_rates(run_dir, corpus)
    with pytest.raises(PhonobenchError, match="decodes by climbing"):
        decoders.write(run_dir, Decoder(8))


def test_the_verb_writes_a_given_decoder_and_refuses_an_unknown_one(hushed) -> None:
    run_dir, _ = hushed
    command = ["decode", "hushed", "--runs", str(run_dir.parent)]
    printed = CliRunner().invoke(app, [*command, "--decoder", "beam:8:+0.25"])
    assert printed.exit_code == 0 and "beam:8:+0.25" in printed.stdout
    assert store.read_run(run_dir)["decoder"] == {"name": "beam:8:+0.25", "chosen_on": None}
    refused = CliRunner().invoke(app, [*command, "--decoder", "viterbi"])
    assert refused.exit_code == 1 and "unknown decoder 'viterbi'" in refused.stderr


def test_a_wide_search_of_a_long_utterance_holds_what_a_wider_one_does() -> None:
    """Sharp posteriors, as a trained model's: a beam of 8 and one of 64 end on the same sequence."""
    said = tuple(np.random.default_rng(0).permutation(39)[:30] + 1)
    logp = planted.logp(said, seed=0, strength=9.0)
    assert Decoder(8).decode(logp) == Decoder(64).decode(logp) == said
    assert len(phones.decode(Decoder(8).decode(logp))) == 30
