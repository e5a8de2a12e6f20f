"""LoRA, few-bit weights, gradient checkpointing and fp16: what each trains, keeps and refuses."""

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tiny_checkpoints import CASES, save  # noqa: E402

from phonobench import store  # noqa: E402
from phonobench.corpora import synthetic  # noqa: E402
from phonobench.neural import hardware  # noqa: E402
from phonobench.neural.checkpoints import lora, pretrained, quantisation, trained  # noqa: E402
from phonobench.neural.posteriors import batch_posteriors  # noqa: E402
from phonobench.neural.recogniser import Recogniser  # noqa: E402
from phonobench.neural.training import loop  # noqa: E402
from phonobench.systems import cards, recipe  # noqa: E402
from phonobench.types import PhonobenchError  # noqa: E402

pytestmark = pytest.mark.torch

FAMILIES = list({cards.find(name).family: name for name in CASES}.values())
LORA = recipe.with_settings(recipe.find("lora"), {"lora": "4", "precision": "fp32"})


def tones(*lengths):
    rng = np.random.default_rng(7)
    return [torch.from_numpy((0.2 * rng.standard_normal(n)).astype(np.float32)) for n in lengths]


def made(name, folder, plan):
    card = cards.find(name)
    return Recogniser(pretrained.load(card, save(card, folder / "model")), plan)


def learn(model, waves, steps=1):
    """A few steps towards some phone, all at once and without a head that stays at zero."""
    model.train_encoder(True)
    model.train()
    optimiser = torch.optim.Adam(model.trained_parameters().values(), lr=1e-2)
    for _ in range(steps):
        optimiser.zero_grad()
        (-model(model.encoder.features(waves))[0][..., 3].mean()).backward()
        optimiser.step()
    return model.eval()


@pytest.mark.parametrize("name", FAMILIES)
def test_every_adapter_learns_and_merging_changes_nothing(name, tmp_path):
    model, waves = made(name, tmp_path, LORA), tones(16_000, 9_000)
    # In the first step one half of each pair is zero, and so is the other's gradient.
    model = learn(model, waves, steps=2)
    parameters = model.trained_parameters()
    ours = {n for n in parameters if not n.startswith("head")}
    assert ours and all(lora.MARK in n for n in ours)
    assert not [n for n, p in parameters.items() if p.grad is None or not p.grad.any()]
    assert set(model.trained_state()) == set(parameters)
    with torch.no_grad():
        before = model(model.encoder.features(waves))[0]
        lora.merge(model.encoder)
        after = model(model.encoder.features(waves))[0]
    assert not [n for n, _ in model.named_parameters() if lora.MARK in n]
    torch.testing.assert_close(after, before, atol=1e-4, rtol=1e-4)
    plain = made(name, tmp_path / "plain", LORA).encoder.eval()
    with torch.no_grad():
        assert (model.encoder(model.encoder.features(waves))[-1] - plain(plain.features(waves))[-1]).abs().max() > 1e-3


def test_adapters_lie_in_the_trained_layers_alone(tmp_path):
    model = made("hubert-large", tmp_path, dataclasses.replace(LORA, trainable="last:1"))
    layers = {name.split("layers.")[1].split(".")[0] for name in model.trained_parameters() if lora.MARK in name}
    assert layers == {"2"}


def test_an_adapter_that_its_encoder_does_not_hear_is_refused(tmp_path):
    """WavLM's attention reads the weights of its projections past the modules, so that adapters there do nothing."""
    card = cards.find("wavlm-base")
    encoder = pretrained.load(card, save(card, tmp_path / "model"))
    encoder.lora_targets = ("q_proj",)
    model = learn(Recogniser(encoder, LORA), tones(16_000))
    with pytest.raises(PhonobenchError, match=r"6 adapters get no gradient.*q_proj.*past them"):
        lora.refuse_without_gradient(model)


def test_an_encoder_without_linear_maps_has_no_adapters():
    with pytest.raises(PhonobenchError, match=r"no linear maps for LoRA.*--set lora=0"):
        Recogniser(pretrained.build(cards.find("scratch-mel")), LORA)


def test_a_run_keeps_adapters_and_head_and_hears_the_same_when_loaded(tmp_path, monkeypatch):
    card, corpus = cards.find("whisper-base"), synthetic.read()
    source = str(save(card, tmp_path / "model"))
    plan = dataclasses.replace(LORA, epochs=2, batch_seconds=8.0, consistency=0.0, ema=0.5)
    checked = []
    monkeypatch.setattr(lora, "refuse_without_gradient", lambda model: checked.append(model))
    run_dir = loop.train(card, plan, corpus, tmp_path / "runs", source=source, limit=3)
    assert checked
    arrays, facts = store.read_arrays(run_dir / "weights" / trained.FILE)
    assert facts["frozen"] and all("lora_" in name or name.startswith("head.") for name in arrays)
    assert {name.rpartition(".lora_")[0].rpartition(".")[2] for name in arrays if "lora_" in name} == {
        "q_proj",
        "k_proj",
        "v_proj",
        "out_proj",
    }
    (wave,) = [w.numpy() for w in tones(16_000)]
    merged = batch_posteriors(trained.load(run_dir, source), [wave])[0]
    apart = batch_posteriors(trained.load(run_dir, source, merge=False), [wave])[0]
    np.testing.assert_allclose(merged, apart, atol=1e-4)
    other = str(save(card, tmp_path / "other", seed=1))
    with pytest.raises(PhonobenchError, match="not the checkpoint that"):
        trained.load(run_dir, other)


@pytest.mark.parametrize("name", FAMILIES)
def test_checkpointing_gives_the_same_gradients(name, tmp_path):
    found = []
    for on in ("false", "true"):
        plan = recipe.with_settings(recipe.find("weighted"), {"checkpointing": on, "head_dropout": "0"})
        torch.manual_seed(0)
        model = made(name, tmp_path / on, plan)
        model.train_encoder(True)
        model.train()
        (-model(model.encoder.features(tones(16_000, 9_000)))[0][..., 3].mean()).backward()
        found.append({n: p.grad for n, p in model.named_parameters() if p.grad is not None})
    assert set(found[0]) == set(found[1])
    for name, gradient in found[0].items():
        torch.testing.assert_close(found[1][name], gradient, atol=1e-6, rtol=1e-3)


def test_checkpointing_runs_the_layers_again(tmp_path):
    counts = []
    for on in (False, True):
        model = made("hubert-large", tmp_path / str(on), dataclasses.replace(recipe.find("finetune"), checkpointing=on))
        model.train_encoder(True)
        model.train()
        seen = []
        attention = model.encoder.module.encoder.layers[1].attention.q_proj
        attention.register_forward_hook(lambda *_, seen=seen: seen.append(1))
        (-model(model.encoder.features(tones(16_000)))[0][..., 3].mean()).backward()
        counts.append(len(seen))
    assert counts == [1, 2]


def test_checkpointing_is_refused_where_there_is_none():
    plan = dataclasses.replace(recipe.find("scratch"), checkpointing=True)
    with pytest.raises(PhonobenchError, match=r"no gradient checkpointing.*checkpointing=false"):
        Recogniser(pretrained.build(cards.find("scratch-mel")), plan)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_what_needs_a_gpu_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(PhonobenchError, match=r"fp16 needs a GPU.*--set precision=bf16"):
        hardware.precision(dataclasses.replace(recipe.find("finetune"), precision="fp16"))
    with pytest.raises(PhonobenchError, match=r"4 or 8 bits need a GPU.*--set quantise=none"):
        made("hubert-large", tmp_path, dataclasses.replace(recipe.find("probe"), quantise="4bit"))


@pytest.mark.parametrize(
    "settings", [{"quantise": "4bit"}, {"quantise": "8bit", "trainable": "last:2"}, {"lora": "4", "trainable": "none"}]
)
def test_few_bits_are_for_frozen_weights_and_adapters_for_trained_layers(settings):
    with pytest.raises(PhonobenchError, match=r"(quantise|lora) = .* out of its range"):
        recipe.with_settings(recipe.find("finetune"), settings)


def test_switches_are_true_or_false():
    assert recipe.with_settings(recipe.find("finetune"), {"checkpointing": "True"}).checkpointing is True
    assert recipe.with_settings(recipe.find("finetune"), {"checkpointing": "false"}).checkpointing is False
    with pytest.raises(PhonobenchError, match="'1' is neither true nor false"):
        recipe.with_settings(recipe.find("finetune"), {"checkpointing": "1"})


def made_steps(corpus, plan):
    """Steps of an epoch over the first four utterances."""
    seconds = loop.batches.read(corpus.split("train")[:4], lambda _: None).seconds
    return len(loop.batches.plan(seconds, plan.batch_seconds, (1.0,), (0, 0)))


def test_a_scaled_loss_trains_the_same_and_its_scale_survives_an_interruption(tmp_path, monkeypatch):
    """fp16's scaler, run on the processor in full precision, where it must change nothing but rounding."""
    corpus, card = synthetic.read(), cards.find("scratch-mel")
    plan = dataclasses.replace(recipe.find("scratch"), epochs=2, batch_seconds=6.0, ema=0.0, speeds=(1.0,))
    plain = loop.train(card, plan, corpus, tmp_path / "plain", limit=4)
    made_scalers = []

    def scaler(_):
        made_scalers.append(torch.amp.GradScaler("cpu", init_scale=2.0**10, growth_interval=2))
        return made_scalers[-1]

    class KilledError(Exception):
        pass

    def stop(progress):
        if progress.stage == "epoch" and len(made_scalers) == 1:
            raise KilledError

    monkeypatch.setattr(loop.hardware, "scaler", scaler)
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    with pytest.raises(KilledError):
        loop.train(card, plan, corpus, tmp_path / "scaled", limit=4, report=stop)
    scaled = loop.train(card, plan, corpus, tmp_path / "scaled", limit=4)
    steps = store.read_run(scaled)["history"][-1]["epoch"] * made_steps(corpus, plan)
    assert made_scalers[1].get_scale() == 2.0 ** (10 + steps // 2)  # its growth was counted across the interruption
    one, two = (store.read_arrays(run / "weights" / trained.FILE)[0] for run in (plain, scaled))
    for name, array in one.items():
        np.testing.assert_allclose(two[name], array, atol=1e-5, err_msg=name)


@pytest.fixture
def wide(monkeypatch):
    """Tiny checkpoints of 64 channels: weights share a scale by blocks of 64."""
    import tiny_checkpoints

    monkeypatch.setitem(tiny_checkpoints._TRANSFORMER, "hidden_size", 64)
    monkeypatch.setattr(quantisation, "require", lambda: None)


@pytest.mark.parametrize(("name", "maps"), [("hubert-large", 6), ("wavlm-large", 2)])
def test_four_bits_stay_near_the_whole_weights(name, maps, wide, tmp_path):
    """On the processor, where bitsandbytes has them too. WavLM's attention keeps the weights that it reads itself."""
    pytest.importorskip("bitsandbytes")
    card, (wave,) = cards.find(name), tones(16_000)
    folder = save(card, tmp_path / "model")
    plain = pretrained.load(card, folder).eval()
    small = pretrained.load(card, folder).eval()
    assert quantisation.shrink(small, "4bit") == 3 * maps
    small.to("cpu")
    with torch.no_grad():
        exact, rough = (encoder(encoder.features([wave]))[-1] for encoder in (plain, small))
    distance = (exact - rough).norm() / exact.norm()
    assert 1e-4 < distance < 0.2


def test_adapters_learn_over_four_bits(wide, tmp_path):
    pytest.importorskip("bitsandbytes")
    model = made("hubert-large", tmp_path, dataclasses.replace(LORA, quantise="4bit")).to("cpu")
    model = learn(model, tones(16_000), steps=2)
    parameters = model.trained_parameters()
    assert [n for n in parameters if lora.MARK in n]
    assert not [n for n, p in parameters.items() if p.grad is None or not p.grad.any()]
    assert set(model.trained_state()) == set(parameters)
