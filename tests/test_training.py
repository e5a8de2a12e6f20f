"""The training loop on a handful of synthetic utterances: it learns, resumes to the same result, and refuses."""

import dataclasses
import functools
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tiny_checkpoints import CASES, save  # noqa: E402

from phonobench import store  # noqa: E402
from phonobench.corpora import control_audio, synthetic  # noqa: E402
from phonobench.neural import inference  # noqa: E402
from phonobench.neural.checkpoints import pretrained, trained  # noqa: E402
from phonobench.neural.posteriors import batch_posteriors  # noqa: E402
from phonobench.neural.recogniser import Recogniser  # noqa: E402
from phonobench.neural.training import batches, inputs, loop, objective  # noqa: E402
from phonobench.systems import cards, identity, recipe  # noqa: E402
from phonobench.types import PhonobenchError, Progress  # noqa: E402

pytestmark = pytest.mark.torch

QUICK = {"epochs": "2", "head_only_epochs": "1", "batch_seconds": "8", "precision": "fp32"}


@pytest.fixture(scope="module")
def corpus():
    return synthetic.read()


@pytest.fixture(scope="module")
def finished(tmp_path_factory, corpus):
    """A run of the quick plan on twelve utterances. To be copied, not written into."""
    return run_once(tmp_path_factory.mktemp("finished"), corpus, quick())


@pytest.fixture
def run(finished, tmp_path):
    """A copy of the finished run under `tmp_path`."""
    return Path(shutil.copytree(finished, tmp_path / "runs" / finished.name))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Gives the folder of a card's tiny checkpoint, written once."""

    @functools.cache
    def folder(name):
        return save(cards.find(name), tmp_path_factory.mktemp("checkpoint") / "model")

    return folder


def quick(name="finetune", **settings):
    return recipe.with_settings(recipe.find(name), {**QUICK, **settings})


def run_once(tmp_path, corpus, plan, card="scratch-mel", limit=12, **options):
    return loop.train(cards.find(card), plan, corpus, tmp_path / "runs", limit=limit, **options)


@pytest.mark.parametrize("name", [*CASES, "scratch-mel", "scratch-wave"])
def test_every_card_trains_infers_and_reloads(name, tmp_path, corpus, checkpoint):
    card = cards.find(name)
    source = None if card.scratch else str(checkpoint(name))
    run_dir = run_once(
        tmp_path, corpus, quick(consistency="0", speeds="1", head_lr="1e-2"), name, limit=3, source=source
    )
    manifest = store.read_run(run_dir)
    assert (manifest["status"], len(manifest["history"])) == ("trained", 2)
    assert manifest["infeasible_utterances"] == []
    assert manifest["history"][-1]["loss"] < manifest["history"][0]["loss"]
    inference.infer(run_dir, corpus, ("dev",), source=source, controls=False)
    posteriors = store.read_posteriors(run_dir, "dev")
    assert (len(posteriors), posteriors.hop) == (3, card.hop)
    wave = batches.read(corpus.split("dev")[:1], lambda _: None).waves[0]
    (again,) = batch_posteriors(trained.load(run_dir, source), [wave])
    np.testing.assert_allclose(posteriors.logp[0], again, atol=2e-2)


def falls(name, checkpoint, corpus, steps=15):
    """Losses, nats a phone, of a tiny system of that card in its first steps over the three shortest utterances."""
    card = cards.find(name)
    torch.manual_seed(0)
    encoder = pretrained.build(card) if card.scratch else pretrained.load(card, checkpoint(name))
    plan = recipe.with_settings(recipe.find("source-finetune"), {"precision": "fp32"})
    model = Recogniser(encoder, plan)
    model.train_encoder(True)
    model.train()
    shortest = sorted(corpus.split("train")[:100], key=lambda u: len(u.prompt.phones))[:3]
    material = batches.read(shortest, lambda _: None)
    features = encoder.features([torch.from_numpy(wave) for wave in material.waves])
    optimiser, losses = torch.optim.Adam(model.trained_parameters().values(), lr=1e-2), []
    for _ in range(steps):
        loss = objective.loss(*model(features), list(material.targets), plan)
        losses.append(loss.item())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return losses


@pytest.mark.parametrize("name", [*CASES, "scratch-mel", "scratch-wave"])
def test_the_loss_of_every_card_falls_by_more_than_half(name, checkpoint, corpus):
    losses = falls(name, checkpoint, corpus)
    assert min(losses) < 0.5 * losses[0]


@pytest.mark.corpus
@pytest.mark.parametrize("name", [*CASES, "scratch-mel", "scratch-wave"])
def test_the_loss_of_every_card_falls_by_more_than_half_on_real_speech(name, checkpoint, real_corpus):
    losses = falls(name, checkpoint, real_corpus)
    assert min(losses) < 0.5 * losses[0]


def test_loss_halves_on_a_handful(tmp_path, corpus):
    plan = quick(
        "scratch", epochs="20", head_only_epochs="0", batch_seconds="30", speeds="1", noise_share="0", time_masks="0"
    )
    history = store.read_run(run_once(tmp_path, corpus, plan, limit=4))["history"]
    assert history[-1]["loss"] < 0.5 * history[0]["loss"]


def scored(corpus, accuracy):
    """The corpus with other sentence accuracies: `accuracy(utterance)`."""
    pairs = ((u, dataclasses.replace(u.judgement, accuracy=accuracy(u))) for u in corpus.utterances)
    changed = tuple(dataclasses.replace(u, judgement=judgement) for u, judgement in pairs)
    return dataclasses.replace(corpus, utterances=changed)


def test_without_sentence_scores_the_epoch_is_chosen_by_per_over_all_dev_utterances(tmp_path, corpus):
    notes = []
    unscored = scored(corpus, lambda u: float("nan"))
    run_dir = run_once(tmp_path, unscored, quick(), limit=4, report=lambda step: notes.append(step.note))
    manifest = store.read_run(run_dir)
    reason = "no utterance has a human sentence accuracy"
    assert manifest["chosen_by"] == {"metric": "per", "utterances": 4, "reason": reason}
    assert all("dev_per" in epoch and "dev_per_hq" not in epoch for epoch in manifest["history"])
    assert manifest["best_epoch"] == 1 + int(np.argmin([epoch["dev_per"] for epoch in manifest["history"]]))
    assert "dev_per" in manifest["blank"] and "dev_per_hq" not in manifest["blank"]
    shown = [note for note in notes if note.startswith("loss")]
    assert len(shown) == 2 and all("dev PER " in note and "(HQ)" not in note for note in shown)


def test_with_sentence_scores_the_epoch_is_chosen_by_per_over_the_well_read_ones(tmp_path, corpus):
    first = corpus.split("dev")[0].id
    manifest = store.read_run(
        run_once(tmp_path, scored(corpus, lambda u: 5.0 if u.id == first else 9.0), quick(epochs="1"), limit=4)
    )
    assert manifest["chosen_by"] == {"metric": "per_hq", "utterances": 3, "reason": None}
    assert list(manifest["history"][0]) == ["epoch", "loss", "dev_per_hq", "seconds"]


class KilledError(Exception):
    pass


def interrupted_plan(flat_start_epochs):
    return quick(epochs="3", dropout="0.1", head_dropout="0.1", flat_start_epochs=flat_start_epochs)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory, corpus):
    """Gives the run of that plan without an interruption, trained once."""

    @functools.cache
    def run_dir(flat_start_epochs):
        return run_once(tmp_path_factory.mktemp("whole"), corpus, interrupted_plan(flat_start_epochs), limit=6)

    return run_dir


@pytest.mark.parametrize(("stop_at", "flat_start_epochs"), [(3, "0"), (5, "0"), (3, "2")])
def test_an_interrupted_training_resumes_to_the_same_result(
    stop_at, flat_start_epochs, tmp_path, corpus, unbroken, monkeypatch
):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)  # a checkpoint after every step
    plan, whole = interrupted_plan(flat_start_epochs), unbroken(flat_start_epochs)

    def stop(progress: Progress):
        if progress.stage == "train" and progress.done == stop_at:
            raise KilledError

    with pytest.raises(KilledError):
        run_once(tmp_path / "broken", corpus, plan, limit=6, report=stop)
    seen = []
    broken = run_once(tmp_path / "broken", corpus, plan, limit=6, report=lambda p: seen.append(p))
    assert min(p.done for p in seen if p.stage == "train") == stop_at  # nothing before is done again
    one, two = (store.read_run(folder) for folder in (whole, broken))
    strip = lambda h: [{k: v for k, v in e.items() if k != "seconds"} for e in h]  # noqa: E731
    assert strip(one["history"]) == strip(two["history"])
    a, b = (store.read_arrays(f / "weights" / trained.FILE)[0] for f in (whole, broken))
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])
    assert not (broken / "checkpoint").exists()


def test_a_training_killed_after_its_last_epoch_keeps_its_history(tmp_path, corpus, monkeypatch):
    plan = quick("weighted", epochs="1", head_only_epochs="0")

    def killed(*_):
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(loop.blank_bias, "calibrate", killed)
        with pytest.raises(KilledError):
            run_once(tmp_path, corpus, plan, limit=3)
    run = store.read_run(run_once(tmp_path, corpus, plan, limit=3))
    assert (run["status"], run["best_epoch"], len(run["history"])) == ("trained", 1, 1)
    assert len(run["layer_weights"]) == 3


def test_a_flat_start_comes_before_ctc(tmp_path, corpus, monkeypatch):
    aims = []

    def noted(aim):
        known = getattr(objective, aim)
        return lambda *given: aims.append(aim) or known(*given)

    for aim in ("framewise", "loss"):
        monkeypatch.setattr(objective, aim, noted(aim))
    run_once(tmp_path, corpus, quick("scratch", epochs="3", head_only_epochs="0", flat_start_epochs="2"))
    begun = aims.count("framewise")
    assert aims == ["framewise"] * begun + ["loss"] * (len(aims) - begun)
    assert 1 <= aims.count("loss") < begun  # two epochs against one


def test_a_folder_without_a_checkpoint_is_refused_in_one_line(tmp_path, corpus):
    (tmp_path / "model").mkdir()
    with pytest.raises(PhonobenchError, match=r"config\.json is missing; a checkpoint folder in Hugging Face format"):
        run_once(tmp_path, corpus, quick(), "whisper-base", source=str(tmp_path / "model"))


def test_a_finished_run_is_not_trained_again(run, tmp_path, corpus):
    stamp = (run / "weights" / trained.FILE).stat().st_mtime_ns
    assert run_once(tmp_path, corpus, quick()) == run
    assert (run / "weights" / trained.FILE).stat().st_mtime_ns == stamp


def test_a_training_goes_on_from_another_run(run, tmp_path, corpus):
    gentle = quick("polish", lr="1e-9", head_lr="1e-9", head_only_epochs="0", ema="0", epochs="1")
    second = run_once(tmp_path, corpus, gentle, start=run)
    assert second != run and store.read_run(second)["started_from"] == run.name
    before, after = (store.read_arrays(f / "weights" / trained.FILE)[0] for f in (run, second))
    for name in before:
        np.testing.assert_allclose(before[name], after[name], atol=1e-5)


def test_a_training_goes_on_from_its_own_system_only(finished, tmp_path, corpus, checkpoint):
    card = cards.find("whisper-base")
    with pytest.raises(PhonobenchError, match="trained run of scratch-mel; a training of whisper-base starts"):
        run_once(tmp_path, corpus, quick(), card.name, source=str(checkpoint(card.name)), start=finished)


def test_fields_that_change_nothing_leave_a_run_what_it_was(tmp_path, corpus):
    """Runs from before a field was there are found again; a field in use makes another run."""
    card, plan = cards.find("scratch-mel"), quick()
    former = {today: before for before, today in identity.FORMER_NAMES.items()}
    old = {former.get(k, k): v for k, v in inputs.recipe_settings(plan).items() if k not in identity.LATER}
    facts = {"card": inputs.card_facts(card), "recipe": old, "corpus": corpus.fingerprint}
    facts |= {"seed": 0, "revision": "scratch", "limit": None}
    assert inputs.run_key(card, plan, corpus, 0, "scratch", None) == store.fingerprint(facts)
    for field in identity.LATER:
        assert getattr(plan, field) == identity.LATER[field]
    other = dataclasses.replace(plan, checkpointing=True)
    assert inputs.run_key(card, other, corpus, 0, "scratch", None) != store.fingerprint(facts)


def test_another_seed_or_setting_is_another_run(tmp_path, corpus):
    card = cards.find("scratch-mel")
    keys = {
        inputs.run_key(card, plan, corpus, seed, "scratch", None)
        for plan, seed in ((quick(), 0), (quick(), 1), (quick(lr="1e-5"), 0))
    }
    assert len(keys) == 3


def test_probe_trains_the_head_alone_and_stores_no_encoder(tmp_path, corpus):
    card = cards.find("hubert-large")
    source = str(save(card, tmp_path / "model"))
    plan = recipe.with_settings(recipe.find("weighted-probe"), {"epochs": "2", "head_only_epochs": "2"})
    run_dir = run_once(tmp_path, corpus, plan, card.name, source=source)
    arrays, _ = store.read_arrays(run_dir / "weights" / trained.FILE)
    assert not [name for name in arrays if name.startswith("encoder.")]
    mix = store.read_run(run_dir)["layer_weights"]
    assert len(mix) == 4 and sum(mix) == pytest.approx(1.0, abs=1e-3)


def test_a_frozen_run_refuses_another_checkpoint(tmp_path, corpus):
    card = cards.find("whisper-tiny.en")
    source = str(save(card, tmp_path / "model"))
    plan = recipe.with_settings(recipe.find("probe"), {"epochs": "1", "head_only_epochs": "1"})
    run_dir = run_once(tmp_path, corpus, plan, card.name, source=source)
    other = str(save(card, tmp_path / "other", seed=1))
    with pytest.raises(PhonobenchError, match="not the checkpoint that"):
        trained.load(run_dir, other)


def test_weights_with_another_vocabulary_are_refused(run):
    path = run / "weights" / trained.FILE
    arrays, facts = store.read_arrays(path)
    arrays["head.1.weight"] = np.zeros((45, 144), dtype=np.float32)
    store.write_arrays(path, arrays, facts)
    with pytest.raises(PhonobenchError, match="vocabulary or size"):
        trained.load(run)


def test_a_loss_that_is_not_finite_names_the_utterances(tmp_path, corpus, monkeypatch):
    monkeypatch.setattr(objective, "loss", lambda *_: torch.tensor(float("nan")))
    with pytest.raises(PhonobenchError, match=r"loss is not finite at step 1 \(utterances"):
        run_once(tmp_path, corpus, quick())


def test_an_unfinished_run_does_not_infer(tmp_path, corpus):
    def stop(progress: Progress):
        if progress.stage == "train":
            raise KilledError

    with pytest.raises(KilledError):
        run_once(tmp_path, corpus, quick(), report=stop)
    (run_dir,) = (tmp_path / "runs").iterdir()
    with pytest.raises(PhonobenchError, match="not trained to its end"):
        inference.infer(run_dir, corpus)


def test_controls_are_silence_and_noise_as_long_as_the_recording(run, corpus):
    inference.infer(run, corpus, ("test",))
    true = store.read_posteriors(run, "test")
    for control in ("test-silence", "test-noise"):
        posteriors = store.read_posteriors(run, control)
        assert posteriors.ids == true.ids[:: control_audio.EVERY]
        for row, other in zip(posteriors.logp, true.logp[:: control_audio.EVERY], strict=True):
            assert row.shape == other.shape
            assert np.abs(row.astype(float) - other).max() > 0.01


def test_ctc_loss_counts_nats_a_phone_and_consistency_is_zero_for_equal_views():
    generator = torch.Generator().manual_seed(0)
    logp = torch.randn(2, 30, 40, generator=generator).log_softmax(-1)
    lengths, targets = torch.tensor([30, 25]), [(1, 2, 3), (4, 5)]
    plain = objective.loss(logp, lengths, targets, recipe.find("probe"))
    by_hand = sum(
        torch.nn.functional.ctc_loss(
            logp[i, : lengths[i]], torch.tensor(ids), lengths[i], torch.tensor(len(ids)), reduction="sum"
        )
        for i, ids in enumerate(targets)
    )
    torch.testing.assert_close(plain, by_hand / 5)
    twice = objective.loss(torch.cat([logp, logp]), lengths.repeat(2), targets, recipe.find("finetune"))
    torch.testing.assert_close(twice, plain)
    disturbed = torch.cat([logp, torch.randn(2, 30, 40, generator=generator).log_softmax(-1)])
    without = dataclasses.replace(recipe.find("finetune"), consistency=1e-9)
    assert objective.loss(disturbed, lengths.repeat(2), targets, recipe.find("finetune")) > objective.loss(
        disturbed, lengths.repeat(2), targets, without
    )


def test_infeasible_counts_repeats():
    assert objective.infeasible([3, 2, 3], [(1, 2, 3), (1, 2, 3), (1, 1, 2)]) == [1, 2]


def test_run_file_is_json_that_names_its_inputs(finished, corpus):
    manifest = json.loads((finished / "run.json").read_text())
    assert manifest["recipe"]["epochs"] == 2
    assert manifest["corpus"]["fingerprint"] == corpus.fingerprint
    assert manifest["versions"]["phonobench"]
