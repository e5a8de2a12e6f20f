"""Systems made of other encoders and of codes: tiny ones, trained, inferred again and refused."""

import dataclasses
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import transformers  # noqa: E402
from tiny_checkpoints import save  # noqa: E402

from phonobench import store  # noqa: E402
from phonobench.corpora import synthetic  # noqa: E402
from phonobench.neural import composition, inference  # noqa: E402
from phonobench.neural.checkpoints import archive, pretrained, trained  # noqa: E402
from phonobench.neural.encoders import JointEncoder  # noqa: E402
from phonobench.neural.encoders.code_cache import CodeCache  # noqa: E402
from phonobench.neural.encoders.discrete import PADDING, quantise  # noqa: E402
from phonobench.neural.encoders.joint import Part, resampled  # noqa: E402
from phonobench.neural.recogniser import Recogniser  # noqa: E402
from phonobench.neural.training import codebooks, loop  # noqa: E402
from phonobench.systems import cards, recipe  # noqa: E402
from phonobench.types import PhonobenchError  # noqa: E402

pytestmark = pytest.mark.torch

LIMIT = 8


@pytest.fixture(scope="module")
def corpus():
    return synthetic.read()


def short(name, **settings):
    plan = recipe.find(name)
    course = {"epochs": "2", "batch_seconds": "16", "precision": "fp32"}
    if plan.head_only_epochs:
        course["head_only_epochs"] = "2" if plan.head_only_epochs == plan.epochs else "1"
    return recipe.with_settings(plan, {**course, **settings})


@pytest.fixture(scope="module")
def world(tmp_path_factory, corpus):
    """A runs folder with a tiny fine-tuned Whisper and a tiny scratch run, and a models folder with a tiny HuBERT."""
    root = tmp_path_factory.mktemp("world")
    save(cards.find("hubert-large"), root / "models" / "hubert-large-ls960-ft")
    save(cards.find("whisper-base"), root / "models" / "whisper-base")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHONOBENCH_MODELS", str(root / "models"))
        whisper = loop.train(cards.find("whisper-base"), short("finetune"), corpus, root / "runs", limit=LIMIT)
        scratch = loop.train(cards.find("scratch-mel"), short("scratch"), corpus, root / "runs", limit=LIMIT)
        yield root / "runs", whisper.name, scratch.name


def made(world, corpus, name, plan, *members, runs=None):
    return loop.train(cards.find(name), plan, corpus, runs or world[0], limit=LIMIT, members=members)


def inferred(run_dir, corpus):
    inference.infer(run_dir, corpus, ("dev",), controls=False)
    return store.read_posteriors(run_dir, "dev")


@pytest.mark.parametrize(("name", "plan"), [("early-fusion", "joint-probe"), ("gated-fusion", "gate")])
def test_a_fusion_of_encoders_trains_hears_and_names_its_members(name, plan, world, corpus, tmp_path):
    run_dir = made(world, corpus, name, short(plan, epochs="6", head_only_epochs="6"), world[1], world[2])
    run = store.read_run(run_dir)
    assert run["history"][-1]["loss"] < run["history"][0]["loss"]
    assert [member["run"] for member in run["members"]] == list(world[1:])
    assert run["members"][0]["weights"] == trained.digest(world[0] / world[1])
    first = inferred(run_dir, corpus)
    assert (len(first), first.hop) == (LIMIT, min(member["step"] for member in run["members"]))
    arrays, _ = store.read_arrays(run_dir / "weights" / trained.FILE)
    assert not [name for name in arrays if name.startswith("encoder.")]  # the members keep their own
    # a kept copy, restored beside its members, gives the same but for int8
    other = tmp_path / "runs"
    other.mkdir()
    for member in world[1:]:
        (other / member).symlink_to(world[0] / member)
    restored = archive.restore(archive.keep(run_dir, tmp_path / "kept"), other)
    for ours, theirs in zip(first.logp, inferred(restored, corpus).logp, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=0.15)


def test_members_come_out_of_their_trained_runs(world, corpus):
    facts = composition.identify(cards.find("early-fusion"), world[1:], world[0], corpus, 0)
    joint = composition.encoder(cards.find("early-fusion"), facts, world[0], lambda run: trained.load(run).encoder)
    encoder = trained.load(world[0] / world[1]).encoder
    fresh = pretrained.load(cards.find("whisper-base"), pretrained.locate(cards.find("whisper-base")))
    wave = [torch.randn(16_000, generator=torch.Generator().manual_seed(0)) * 0.1]
    with torch.no_grad():
        (both,) = joint.eval()(joint.features(wave))
        (alone,) = encoder(encoder.features(wave))[-1:]
        (before,) = fresh.eval()(fresh.features(wave))[-1:]
    count = joint.length(16_000)
    torch.testing.assert_close(both[0, :count, : encoder.width], alone[0, :count])
    assert (both[0, :count, : encoder.width] - before[0, :count]).abs().max() > 1e-4


def test_company_does_not_change_a_fused_utterance(world, corpus):
    facts = composition.identify(cards.find("gated-fusion"), [world[2], "hubert-large"], world[0], corpus, 0)
    joint = composition.encoder(cards.find("gated-fusion"), facts, world[0], lambda run: trained.load(run).encoder)
    model = Recogniser(joint, short("gate")).eval()
    waves = [torch.randn(n, generator=torch.Generator().manual_seed(n)) * 0.1 for n in (24_000, 9_000)]
    with torch.no_grad():
        together, lengths = model(joint.features(waves))
        for row, wave in enumerate(waves):
            alone, (length,) = model(joint.features([wave]))
            assert lengths[row] == length
            torch.testing.assert_close(together[row, :length], alone[0, :length], atol=1e-4, rtol=1e-4)


def test_resampling_is_linear_interpolation_between_the_middles_of_states():
    states = torch.arange(5.0)[None, :, None]
    ours = resampled(states, torch.tensor([5]), 10, 0.5)[0, :, 0]
    middles, instants = np.arange(5) + 0.5, (np.arange(10) + 0.5) / 2
    np.testing.assert_allclose(ours, np.interp(instants, middles, np.arange(5.0)))
    same = resampled(states, torch.tensor([4]), 5, 1.0)[0, :, 0]
    assert same.tolist() == [0, 1, 2, 3, 3]  # the last true state stands for what the longer grid has more


def test_the_gate_can_shut_a_member_out(world):
    parts = [Part(trained.load(world[0] / name).encoder, 0.02, True) for name in (world[1], world[1])]
    model = Recogniser(JointEncoder(parts), short("gate")).eval()
    width = parts[0].encoder.width
    with torch.no_grad():
        model.reader.gate.bias.copy_(torch.tensor([50.0, -50.0]))
        one, two = torch.randn(1, 7, 2 * width), torch.randn(1, 7, 2 * width)
        two[..., :width] = one[..., :width]
        torch.testing.assert_close(model.reader(one, None), model.reader(two, None))
        model.reader.gate.bias.zero_()
        assert (model.reader(one, None) - model.reader(two, None)).abs().max() > 1e-3


def test_wrong_members_are_refused_by_name(world, corpus, tmp_path):
    for members, message in [
        ((), "made of 2 other encoders or more"),
        ((world[1], world[1]), "each once"),
        (("scratch-mel", world[1]), "scratch-mel has no weights of its own"),
        (("mimi", world[1]), "itself made of others, or of codes"),
    ]:
        with pytest.raises(PhonobenchError, match=message):
            made(world, corpus, "early-fusion", short("joint-probe"), *members)
    with pytest.raises(PhonobenchError, match="quantised is made of one other encoder"):
        made(world, corpus, "quantised", short("tokens"), *world[1:])
    with pytest.raises(PhonobenchError, match="other speakers"):
        composition.identify(cards.find("early-fusion"), world[1:], world[0], corpus, 1)
    with pytest.raises(PhonobenchError, match="whisper-base is made of no others"):
        made(world, corpus, "whisper-base", short("probe"), world[1])
    with pytest.raises(PhonobenchError, match="fused encoders and codecs are frozen"):
        made(world, corpus, "early-fusion", short("finetune"), *world[1:])
    with pytest.raises(PhonobenchError, match="a gate is over several encoders"):
        loop.train(cards.find("whisper-base"), short("gate"), corpus, tmp_path, limit=LIMIT)


def test_other_weights_under_a_members_name_are_refused(world, corpus, tmp_path):
    run_dir = made(world, corpus, "early-fusion", short("joint-probe"), *world[1:])
    facts = store.read_run(run_dir)["members"]
    with pytest.raises(PhonobenchError, match=f"member {world[1]} is not under"):
        composition.encoder(cards.find("early-fusion"), facts, tmp_path, lambda run: trained.load(run).encoder)
    changed = [{**facts[0], "weights": "0" * 64}, facts[1]]
    with pytest.raises(PhonobenchError, match="other weights than the member"):
        composition.encoder(cards.find("early-fusion"), changed, world[0], lambda run: trained.load(run).encoder)


def test_k_means_finds_planted_centres_and_books_leave_less_and_less_over():
    rng = np.random.default_rng(0)
    centres = torch.from_numpy(rng.normal(size=(4, 6)) * 10).float()
    points = centres[rng.integers(0, 4, 400)] + 0.01 * torch.randn(400, 6)
    found = codebooks.k_means(points, 40, np.random.default_rng(1))
    assert (torch.cdist(centres, found).min(1).values < 0.05).all()
    noise = torch.randn(600, 6)
    books = codebooks.residual(noise, 3, 16, 0, lambda _: None)
    codes = quantise(noise, books)
    left = [(noise - sum(books[b][codes[:, b]] for b in range(n))).square().mean() for n in (1, 2, 3)]
    assert left[0] < 0.8 * noise.square().mean() and left[2] < left[1] < left[0]


def test_a_quantised_encoder_trains_on_codes_and_on_vectors(world, corpus, monkeypatch):
    monkeypatch.setattr(composition, "CODES", 32)
    codes = made(world, corpus, "quantised", short("tokens", codebooks="2", epochs="6", head_only_epochs="6"), world[1])
    history = store.read_run(codes)["history"]
    assert history[-1]["loss"] < history[0]["loss"]
    first = inferred(codes, corpus)
    vectors = made(world, corpus, "quantised", short("probe", codebooks="8"), world[1])
    assert len(list((world[0] / "codebooks").glob("*.safetensors"))) == 1  # stage one is shared
    assert len(list((world[0] / "codes").iterdir())) == 1
    model = trained.load(vectors)
    assert model.encoder.vectors and model.encoder.get_buffer("codebook_0").abs().sum() > 0
    # the codes on the shelf are those that would be made anew
    (shelf,) = (world[0] / "codes").iterdir()
    stored = next(iter(CodeCache(shelf)._all().values()))
    assert stored.shape[1] == 8 and stored.max() < 32
    again = trained.load(codes)
    wave = loop.batches.read(corpus.split("dev")[:1], lambda _: None).waves[0]
    with torch.no_grad():
        logp, (length,) = again(again.encoder.features([torch.from_numpy(wave)]))
    np.testing.assert_allclose(first.logp[0], logp[0, :length], atol=2e-2)


def test_more_books_are_nearer_to_the_continuous_states(world, corpus, monkeypatch):
    monkeypatch.setattr(composition, "CODES", 32)
    encoder = trained.load(made(world, corpus, "quantised", short("probe"), world[1])).encoder
    wave = torch.from_numpy(loop.batches.read(corpus.split("train")[:1], lambda _: None).waves[0])
    with torch.no_grad():
        true = encoder.module(encoder.module.features([wave]))[-1][0, : encoder.length(len(wave))]
        far = []
        for books in (1, 4, 8):
            encoder.n_q = books
            far.append(float((encoder(encoder.features([wave]))[0][0] - true).square().mean()))
    assert far[2] < far[1] < far[0] < float(true.var())


def tiny_codec(name, folder):
    torch.manual_seed(0)
    if name == "mimi":
        config = transformers.MimiConfig(
            hidden_size=32,
            num_filters=4,
            num_hidden_layers=1,
            num_attention_heads=2,
            num_key_value_heads=2,
            head_dim=16,
            intermediate_size=32,
            codebook_size=16,
            codebook_dim=8,
            vector_quantization_hidden_dimension=8,
            upsample_groups=32,
            num_quantizers=10,
        )
        transformers.MimiModel(config).save_pretrained(folder)
    else:
        config = transformers.DacConfig(
            encoder_hidden_size=4,
            downsampling_ratios=[2, 4, 5, 8],
            decoder_hidden_size=64,
            n_codebooks=3,
            codebook_size=16,
            codebook_dim=4,
            sampling_rate=16_000,
        )
        transformers.DacModel(config).save_pretrained(folder)
    return folder


@pytest.mark.parametrize(("name", "books", "hop"), [("mimi", 8, 0.02), ("dac-16khz", 3, 0.02)])
def test_a_codec_is_coded_once_and_trains(name, books, hop, tmp_path, corpus, monkeypatch):
    source = str(tiny_codec(name, tmp_path / "codec"))
    card = cards.find(name)
    plan = short("tokens", epochs="4", head_only_epochs="4", ema="0")
    run_dir = loop.train(card, plan, corpus, tmp_path / "runs", source=source, limit=LIMIT)
    history = store.read_run(run_dir)["history"]
    assert history[-1]["loss"] < history[0]["loss"]
    encoder = pretrained.load(card, tmp_path / "codec")
    monkeypatch.setattr(type(encoder), "code", lambda *_: pytest.fail("coded a second time"))
    inference.infer(run_dir, corpus, ("dev",), controls=False, source=source)
    read = store.read_posteriors(run_dir, "dev")
    assert read.hop == pytest.approx(hop)
    for utterance, logp in zip(corpus.split("dev")[:LIMIT], read.logp, strict=True):
        samples = len(loop.batches.read([utterance], lambda _: None).waves[0])
        assert abs(len(logp) * hop - samples / 16_000) < 0.1
    monkeypatch.undo()
    waves = [torch.randn(n, generator=torch.Generator().manual_seed(n)) * 0.1 for n in (12_000, 7_000)]
    (codes,) = encoder(encoder.features(waves))
    assert codes.shape[2] == books and codes.max() < 16
    short_one = encoder.length(7_000)
    assert (codes[1, short_one:] == PADDING).all() and (codes[1, :short_one] >= 0).all()
    (alone,) = encoder(encoder.features(waves[1:]))
    assert torch.equal(alone[0], codes[1, :short_one])


def test_speechtokenizer_says_what_it_needs(tmp_path, monkeypatch):
    card = cards.find("speechtokenizer")
    (tmp_path / "config.json").write_text(
        json.dumps({"n_q": 2, "codebook_size": 8, "dimension": 4, "strides": [8, 5, 4, 2]})
    )
    with pytest.raises(PhonobenchError, match="pip install --no-deps speechtokenizer"):
        pretrained.load(card, tmp_path)
    package = tmp_path / "site" / "speechtokenizer"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        "import torch\n"
        "from .trainer import SpeechTokenizerTrainer\n"
        "class SpeechTokenizer(torch.nn.Module):\n"
        "    def __init__(self, config):\n"
        "        super().__init__()\n"
        "        self.pitch = torch.nn.Parameter(torch.zeros(config['n_q']))\n"
        "    def encode(self, x):\n"
        "        assert not self.training\n"
        "        frames = -(-x.shape[-1] // 320)\n"
        "        return self.pitch.long()[:, None, None].expand(-1, len(x), frames)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    with pytest.raises(PhonobenchError, match="pickled weights are not read, convert them"):
        pretrained.load(card, tmp_path)
    store_path = tmp_path / "model.safetensors"
    from safetensors.torch import save_file

    save_file({"wrong": torch.zeros(2)}, store_path)
    with pytest.raises(PhonobenchError, match="1 tensors missing, pitch first"):
        pretrained.load(card, tmp_path)
    save_file({"pitch": torch.tensor([3.0, 5.0])}, store_path)
    encoder = pretrained.load(card, tmp_path).train()
    (codes,) = encoder(encoder.features([torch.zeros(1_000), torch.zeros(400)]))
    assert codes[0].tolist() == [[3, 5]] * 4 and codes[1].tolist() == [[3, 5]] * 2 + [[PADDING] * 2] * 2


@pytest.mark.parametrize("name", ["mimi", "dac-16khz"])
def test_codecs_have_the_declared_number_of_parameters_at_full_size(name):
    config, module = {
        "mimi": (transformers.MimiConfig(), transformers.MimiModel),
        "dac-16khz": (
            transformers.DacConfig(downsampling_ratios=[2, 4, 5, 8], n_codebooks=12, sampling_rate=16_000),
            transformers.DacModel,
        ),
    }[name]
    with torch.device("meta"):
        count = sum(p.numel() for p in module(config).parameters())
    assert count == cards.find(name).parameters


def test_a_probe_of_one_layer_reads_that_layer_on_a_common_scale(world, corpus, tmp_path):
    encoder = trained.load(world[0] / world[1]).encoder
    layers = [torch.randn(2, 9, encoder.width) for _ in encoder.blocks]
    model = Recogniser(encoder, short("probe", layers="only:1")).eval()
    (read,) = model.select_layers(layers)
    assert read is layers[1]
    lengths = torch.tensor([9, 9])
    torch.testing.assert_close(model.classify([read], lengths), model.classify([100 * read + 3], lengths))
    with pytest.raises(PhonobenchError, match="states are 0 to 3"):
        Recogniser(encoder, short("probe", layers="only:4"))
    # cached states are shared by probes of different layers, and give what they give without a cache
    shared_states = {}
    card = cards.find("whisper-base")
    for place in ("only:0", "only:2"):
        plan = short("probe", layers=place)
        one = loop.train(card, plan, corpus, tmp_path / "a", limit=LIMIT, shared_states=shared_states)
        two = loop.train(card, plan, corpus, tmp_path / "b", limit=LIMIT)
        assert store.read_run(one)["history"][0]["loss"] == store.read_run(two)["history"][0]["loss"]
        inference.infer(one, corpus, ("dev",), controls=False, shared_states=shared_states)
        for ours, theirs in zip(store.read_posteriors(one, "dev").logp, inferred(two, corpus).logp, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=5e-2)
    assert len(shared_states) == 2 * LIMIT


def test_the_transformer_over_states_or_codes_keeps_utterances_apart(world):
    encoder = trained.load(world[0] / world[1]).encoder
    model = Recogniser(encoder, dataclasses.replace(short("probe"), head="transformer")).eval()
    waves = [torch.randn(n, generator=torch.Generator().manual_seed(n)) * 0.1 for n in (24_000, 9_000)]
    with torch.no_grad():
        together, lengths = model(encoder.features(waves))
        alone, (length,) = model(encoder.features(waves[1:]))
    torch.testing.assert_close(together[1, :length], alone[0, :length], atol=1e-4, rtol=1e-4)
    assert lengths[1] == length
