"""One contract over all cards: declared facts are true of a tiny checkpoint of the same class."""

import json
import shutil

import pytest

torch = pytest.importorskip("torch")

import encoder_contract  # noqa: E402
import transformers  # noqa: E402
from encoder_contract import tones  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402
from tiny_checkpoints import CASES, save  # noqa: E402

from phonobench.neural.checkpoints import pretrained, shards  # noqa: E402
from phonobench.systems import cards, recipe  # noqa: E402
from phonobench.types import SAMPLE_RATE, PhonobenchError  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """One tiny checkpoint a card, written at first use."""
    root, made = tmp_path_factory.mktemp("checkpoints"), {}

    def folder(name):
        if name not in made:
            made[name] = save(cards.find(name), root / name)
        return made[name]

    return folder


@pytest.fixture(params=CASES)
def loaded(request, folders):
    card = cards.find(request.param)
    return card, pretrained.load(card, folders(request.param))


def test_states_hop_and_layers_are_as_declared(loaded):
    encoder_contract.states_hop_and_layers_are_as_declared(*loaded)


def test_padding_and_batch_do_not_change_an_utterance(loaded):
    encoder_contract.padding_changes_nothing(loaded[1])


def theirs_of(card, encoder, wave):
    """What the model of transformers makes of one wave by itself, through the extractor of transformers."""
    given = {"raw_speech": [wave.numpy()], "sampling_rate": SAMPLE_RATE, "return_tensors": "pt"}
    if card.family == "whisper":
        mel = transformers.WhisperFeatureExtractor(feature_size=80)(**given).input_features
        return encoder.module(mel).last_hidden_state
    if card.family == "qwen2-audio":
        mel = transformers.WhisperFeatureExtractor(feature_size=128)(**given).input_features
        attended = torch.arange(1500)[None] < -(-len(wave) // 320)
        last = []
        hook = encoder.module.layers[-1].register_forward_hook(lambda _, __, out: last.append(out))
        hidden = encoder.module(mel, attended[:, None, None].expand(-1, 1, 1500, -1))
        hook.remove()
        # Its last state is pooled; the one before the pooling is what the last layer gave.
        return hidden.last_hidden_state if card.pool == 2 else encoder.module.layer_norm(last[0])
    if card.family == "w2v-bert":
        return encoder.module(**transformers.SeamlessM4TFeatureExtractor()(**given)).last_hidden_state
    if card.family == "parakeet":
        return encoder.module(**transformers.ParakeetFeatureExtractor()(**given)).last_hidden_state
    extractor = transformers.Wav2Vec2FeatureExtractor(do_normalize=encoder.normalise, return_attention_mask=True)
    return encoder.module(extractor(**given).input_values).last_hidden_state


def test_last_state_is_what_the_model_itself_ends_with(loaded):
    card, encoder = loaded
    encoder.eval()
    (wave,) = tones(16_100)
    encoder.window = True  # as pretrained, which is what transformers computes
    with torch.no_grad():
        features = encoder.features([wave])
        length = int(features.lengths[0])
        torch.testing.assert_close(
            encoder(features)[-1][:, :length], theirs_of(card, encoder, wave)[:, :length], atol=3e-5, rtol=1e-3
        )


@pytest.mark.parametrize(("settings", "blocks"), encoder_contract.TRAINED)
def test_gradient_goes_exactly_where_the_recipe_says(loaded, settings, blocks):
    encoder_contract.gradients_go_where_the_recipe_says(loaded[1], settings, blocks)


def test_masks_hide_the_sound(loaded):
    encoder_contract.masks_hide_the_sound(loaded[1])


@pytest.mark.parametrize("name", [name for name, card in cards.CARDS.items() if not card.scratch])
def test_full_size_has_the_declared_number_of_parameters(name):
    card = cards.find(name)
    assert encoder_contract.count_at_full_size(card) == card.parameters


def test_every_card_names_a_known_family_and_recipe():
    for card in cards.CARDS.values():
        assert card.family in pretrained.FAMILIES
        assert card.recipe in recipe.RECIPES
        assert any(_same_kind(card, cards.find(name)) for name in CASES) or card.scratch


def _same_kind(one, other):
    return all(getattr(one, key) == getattr(other, key) for key in ("family", "norm", "config", "pool", "upsample"))


def test_scratch_cards_are_as_declared():
    for card in cards.CARDS.values():
        if card.scratch:
            encoder = pretrained.build(card)
            assert (encoder.width, len(encoder.blocks) - 1) == (card.width, card.layers)
            assert sum(p.numel() for p in encoder.parameters()) == card.parameters


def test_another_kind_of_checkpoint_is_refused(tmp_path):
    folder = save(cards.find("hubert-large"), tmp_path / "hubert")
    with pytest.raises(PhonobenchError, match=r"model_type 'hubert'.*wavlm.*--model"):
        pretrained.load(cards.find("wavlm-large"), folder)


def test_missing_tensors_are_refused_not_drawn_at_random(tmp_path):
    folder = save(cards.find("whisper-base"), tmp_path / "whisper")
    tensors = load_file(folder / "model.safetensors")
    tensors.pop("encoder.layers.1.fc1.weight")
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(PhonobenchError, match=r"1 tensors missing.*layers\.1\.fc1\.weight"):
        pretrained.load(cards.find("whisper-base"), folder)


@pytest.mark.parametrize("target", ["nowhere", "model.safetensors"])
def test_weights_that_link_to_nowhere_are_refused(tmp_path, target):
    folder = save(cards.find("whisper-base"), tmp_path / "whisper")
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").symlink_to(target)
    with pytest.raises(PhonobenchError, match=r"model\.safetensors"):
        pretrained.load(cards.find("whisper-base"), folder)


def test_pickled_weights_are_refused(tmp_path):
    folder = save(cards.find("hubert-large"), tmp_path / "pickled")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(PhonobenchError, match="pickled weights are not read"):
        pretrained.load(cards.find("hubert-large"), folder)


@pytest.mark.parametrize("name", [name for name in CASES if name != "qwen2-audio-25hz"])
def test_missing_tensors_are_refused_for_every_family(name, folders, tmp_path):
    folder = tmp_path / "gappy"
    shutil.copytree(folders(name), folder)
    for file in folder.glob("*.safetensors"):
        tensors = load_file(file)
        save_file({n: t for n, t in tensors.items() if "layers.1." not in n}, file, {"format": "pt"})
    if (folder / shards.INDEX).exists():
        listed = json.loads((folder / shards.INDEX).read_text())
        listed["weight_map"] = {n: f for n, f in listed["weight_map"].items() if "layers.1." not in n}
        (folder / shards.INDEX).write_text(json.dumps(listed))
    with pytest.raises(PhonobenchError, match=r"\d+ tensors missing and 0 of another shape \(first: .*layers\.1\."):
        pretrained.load(cards.find(name), folder)


@pytest.mark.parametrize(
    ("name", "whole", "part"),
    [
        ("hubert-large", "HubertForCTC", "hubert"),
        ("phoneme-lv60", "Wav2Vec2ForCTC", "wav2vec2"),
        ("mms-1b", "Wav2Vec2ForCTC", "wav2vec2"),
        ("data2vec-large", "Data2VecAudioForCTC", "data2vec_audio"),
    ],
)
def test_a_ctc_checkpoint_gives_its_encoder(name, whole, part, tmp_path):
    """Fine-tuned checkpoints prefix the encoder's tensors and add a head, which is left aside."""
    card = cards.find(name)
    plain = save(card, tmp_path / "plain")
    config = transformers.AutoConfig.from_pretrained(plain)
    config.vocab_size = 392
    whole = getattr(transformers, whole)(config)
    whole.save_pretrained(tmp_path / "ctc")
    (tmp_path / "ctc" / "preprocessor_config.json").write_text((plain / "preprocessor_config.json").read_text())
    encoder = pretrained.load(card, tmp_path / "ctc")
    theirs = dict(getattr(whole, part).named_parameters())
    for name, parameter in encoder.module.named_parameters():
        torch.testing.assert_close(parameter, theirs[name])


def test_a_checkpoint_that_is_nowhere_names_the_remedy(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("PHONOBENCH_MODELS", str(tmp_path))
    with pytest.raises(PhonobenchError, match=r"no weights for xls-r-300m.*--model.*PHONOBENCH_MODELS"):
        pretrained.locate(cards.find("xls-r-300m"))


def test_config_without_preprocessor_is_refused(tmp_path):
    folder = save(cards.find("wavlm-base"), tmp_path / "bare")
    (folder / "preprocessor_config.json").write_text(json.dumps({}))
    with pytest.raises(PhonobenchError, match="do_normalize"):
        pretrained.load(cards.find("wavlm-base"), folder)
