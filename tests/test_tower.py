"""The audio tower of a large model: read from the files that hold it, by itself, and fetched so."""

import json
import shutil

import pytest

torch = pytest.importorskip("torch")

import huggingface_hub  # noqa: E402
import transformers  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402
from tiny_checkpoints import save  # noqa: E402

from phonobench.neural.checkpoints import pretrained, shards  # noqa: E402
from phonobench.systems import cards  # noqa: E402
from phonobench.types import PhonobenchError  # noqa: E402

pytestmark = pytest.mark.torch

CARD = cards.find("qwen2-audio-50hz")


@pytest.fixture
def folder(tmp_path):
    return save(CARD, tmp_path / "qwen")


def test_only_the_files_of_the_tower_are_wanted(folder):
    index = json.loads((folder / shards.INDEX).read_text())["weight_map"]
    held = shards.holding(folder, "audio_tower.")
    assert set(held) == {"model-1-of-4.safetensors", "model-2-of-4.safetensors", "model-3-of-4.safetensors"}
    assert not (folder / "model-4-of-4.safetensors").exists() and "model-4-of-4.safetensors" in index.values()
    assert sum(len(names) for names in held.values()) == sum(name.startswith("audio_tower.") for name in index)


def test_every_tensor_is_the_files_and_in_full_precision(folder):
    found = dict(pretrained.load(CARD, folder).module.state_dict())
    wanted = {}
    for file in folder.glob("*.safetensors"):
        wanted |= {
            n.removeprefix("audio_tower."): t for n, t in load_file(file).items() if n.startswith("audio_tower.")
        }
    assert set(found) == set(wanted)
    for name, tensor in found.items():
        assert (tensor.dtype, tensor.device.type) == (torch.float32, "cpu")
        torch.testing.assert_close(tensor, wanted[name].float())


def test_a_missing_file_of_the_tower_is_named(folder):
    (folder / "model-2-of-4.safetensors").unlink()
    with pytest.raises(PhonobenchError, match=r"model-2-of-4\.safetensors is missing and holds \d+ tensors"):
        pretrained.load(CARD, folder)
    with pytest.raises(PhonobenchError, match=r"model-2-of-4\.safetensors is missing"):
        pretrained.fingerprint(folder, CARD)


def test_the_fingerprint_is_of_the_towers_files(folder):
    before = pretrained.fingerprint(folder, CARD)
    save_file({"language_model.lm_head.weight": torch.zeros(3)}, folder / "model-4-of-4.safetensors")
    assert pretrained.fingerprint(folder, CARD) == before
    save_file({"audio_tower.conv1.bias": torch.zeros(32)}, folder / "model-2-of-4.safetensors")
    assert pretrained.fingerprint(folder, CARD) != before


def test_a_model_without_a_tower_is_refused(folder):
    (folder / shards.INDEX).write_text(json.dumps({"weight_map": {"lm_head.weight": "model-1-of-4.safetensors"}}))
    with pytest.raises(PhonobenchError, match=r"no tensor audio_tower\.\*"):
        pretrained.load(CARD, folder)


def test_a_tower_saved_alone_is_read_too(folder, tmp_path):
    whole = pretrained.load(CARD, folder)
    whole.module.save_pretrained(tmp_path / "alone")
    alone = pretrained.load(CARD, tmp_path / "alone")
    for (name, one), (_, two) in zip(whole.module.named_parameters(), alone.module.named_parameters(), strict=True):
        torch.testing.assert_close(one, two, msg=name)


def test_the_outside_model_has_the_tower_where_it_is_read_from(tmp_path):
    """What transformers writes of its own Qwen2-Audio is read tensor for tensor."""
    tower = {
        "num_mel_bins": 128,
        "encoder_layers": 2,
        "encoder_attention_heads": 2,
        "encoder_ffn_dim": 32,
        "d_model": 16,
    }
    text = {
        "model_type": "qwen2",
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "intermediate_size": 16,
        "vocab_size": 32,
    }
    config = transformers.Qwen2AudioConfig(
        audio_config={"model_type": "qwen2_audio_encoder", **tower}, text_config=text, audio_token_index=1
    )
    model = transformers.Qwen2AudioForConditionalGeneration(config)
    model.save_pretrained(tmp_path / "whole", max_shard_size="40KB")
    assert (tmp_path / "whole" / shards.INDEX).exists()
    ours = pretrained.load(CARD, tmp_path / "whole").module.state_dict()
    theirs = {n.partition("audio_tower.")[2]: t for n, t in model.state_dict().items() if "audio_tower." in n}
    assert set(ours) == set(theirs)
    for name, tensor in ours.items():
        torch.testing.assert_close(tensor, theirs[name])


def test_the_hub_is_asked_for_the_towers_files_alone(folder, tmp_path, monkeypatch):
    """A stand-in for the hub: it hands out the files that match the patterns, and remembers what was asked."""
    asked, cache = [], tmp_path / "snapshots" / "abc"

    def download(name, revision, allow_patterns):
        asked.append((name, revision, allow_patterns))
        cache.mkdir(parents=True, exist_ok=True)
        for file in {path for pattern in allow_patterns for path in folder.glob(pattern)}:
            shutil.copy(file, cache / file.name)
        return str(cache)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    monkeypatch.setenv("PHONOBENCH_MODELS", str(tmp_path))
    found = pretrained.locate(CARD)
    assert [(name, revision) for name, revision, _ in asked] == [("Qwen/Qwen2-Audio-7B", "main")] * 2
    assert sorted(asked[1][2]) == ["*.json", *(f"model-{i}-of-4.safetensors" for i in (1, 2, 3))]
    assert pretrained.load(CARD, found).width == 32
