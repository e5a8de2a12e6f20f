"""Every system as a row of data: which encoder, where its weights come from, what is declared about it.

A card says what a model *is*; how it is trained is a recipe (`systems.recipe`). Parameter counts are those of the
encoder at full size, counted on the meta device; `hop` is the time between two rows of its posteriorgram in seconds.
No torch here, so that listing is instant; `neural.checkpoints.families` knows how to run each family.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from phonobench.types import PhonobenchError

HOP_50HZ = 320 / 16_000


@dataclass(frozen=True)
class Card:
    """A speech encoder and its declared facts.

    `checkpoint` is a Hugging Face hub id; empty for a model that starts from random weights, whose architecture is
    then `config`. For a checkpoint, `config` holds only what departs from its family's usual architecture.
    `norm` is "group" where the first convolution normalises over time: padding would change its output, so its
    convolutions run an utterance at a time. `saw_corpus`: whether SpeechOcean762 was in its training data, as far
    as its authors declare. `pool` states of the model are averaged into one before the head, which makes `upsample`
    rows of each; `hop` is that of these rows. `members`: least number of other encoders, given by name, of which the
    system is made; its size is then theirs.
    """

    name: str
    title: str
    family: str
    checkpoint: str
    input: Literal["waveform", "mel", "codes", "several"]
    width: int
    layers: int
    parameters: int
    licence: str
    trained_on: str
    hop: float = HOP_50HZ
    pool: int = 1
    upsample: int = 1
    norm: Literal["layer", "group"] = "layer"
    revision: str = "main"
    recipe: str = "finetune"
    saw_corpus: Literal["no", "unknown"] = "no"
    config: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    members: int = 0

    @property
    def scratch(self) -> bool:
        """True where the encoder starts from random weights.

        Example:
            >>> find("scratch-mel").scratch, find("whisper-base").scratch
            (True, False)
        """
        return not self.checkpoint and not self.members


def _wave(name: str, title: str, family: str, checkpoint: str, size: tuple[int, int, int], **facts: Any) -> Card:
    """A waveform encoder of the wav2vec2 lineage: convolutions to 50 Hz, then a Transformer."""
    width, layers, parameters = size
    return Card(name, title, family, checkpoint, "waveform", width, layers, parameters, **facts)


_LIBRISPEECH = "LibriSpeech 960 h, self-supervised"
_LIBRILIGHT = "Libri-Light 60,000 h, self-supervised"
_QWEN = "Whisper large-v3's encoder, trained on with a language model on speech, sounds and music (not listed)"
_PHONEME = "then Common Voice with phonemes by espeak-ng"


def _facts(**settings: Any) -> Mapping[str, Any]:
    return MappingProxyType(settings)


_CARDS = (
    Card(
        "whisper-tiny.en", "Whisper tiny.en encoder", "whisper", "openai/whisper-tiny.en", "mel", 384, 4, 8_208_384,
        licence="MIT", trained_on="680,000 h of web audio with transcripts (English part)", saw_corpus="unknown",
    ),
    Card(
        "whisper-base", "Whisper base encoder", "whisper", "openai/whisper-base", "mel", 512, 6, 20_590_592,
        licence="MIT", trained_on="680,000 h of web audio with transcripts, 99 languages", saw_corpus="unknown",
    ),
    Card(
        "whisper-small", "Whisper small encoder", "whisper", "openai/whisper-small", "mel", 768, 12, 88_154_112,
        licence="MIT", trained_on="680,000 h of web audio with transcripts, 99 languages", saw_corpus="unknown",
    ),
    _wave(
        "hubert-large", "HuBERT Large", "hubert", "facebook/hubert-large-ls960-ft", (1024, 24, 315_438_720),
        licence="Apache-2.0", trained_on=f"{_LIBRILIGHT}, then LibriSpeech 960 h with transcripts",
    ),
    _wave(
        "wavlm-base", "WavLM Base", "wavlm", "microsoft/wavlm-base", (768, 12, 94_381_936), norm="group",
        licence="CC-BY-SA-3.0", trained_on=_LIBRISPEECH,
    ),
    _wave(
        "wavlm-large", "WavLM Large", "wavlm", "microsoft/wavlm-large", (1024, 24, 315_453_120),
        licence="CC-BY-SA-3.0", trained_on="Libri-Light, GigaSpeech and VoxPopuli, 94,000 h, self-supervised",
    ),
    _wave(
        "wav2vec2-base", "wav2vec2 Base", "wav2vec2", "facebook/wav2vec2-base", (768, 12, 94_371_712), norm="group",
        licence="Apache-2.0", trained_on=_LIBRISPEECH,
    ),
    _wave(
        "wav2vec2-large", "wav2vec2 Large", "wav2vec2", "facebook/wav2vec2-large", (1024, 24, 315_428_992),
        norm="group", licence="Apache-2.0", trained_on=_LIBRISPEECH,
    ),
    _wave(
        "xls-r-300m", "XLS-R 300M", "wav2vec2", "facebook/wav2vec2-xls-r-300m", (1024, 24, 315_438_720),
        licence="Apache-2.0", trained_on="436,000 h in 128 languages, self-supervised",
    ),
    _wave(
        "baseline-mlp", "WavLM Base, frozen, two-layer head", "wavlm", "microsoft/wavlm-base", (768, 12, 94_381_936),
        norm="group", recipe="mlp-probe", licence="CC-BY-SA-3.0", trained_on=_LIBRISPEECH,
    ),
    _wave(
        "wavlm-weighted", "WavLM Large, learned layer weights", "wavlm", "microsoft/wavlm-large",
        (1024, 24, 315_453_120), recipe="weighted", licence="CC-BY-SA-3.0",
        trained_on="Libri-Light, GigaSpeech and VoxPopuli, 94,000 h, self-supervised",
    ),
    _wave(
        "phoneme-lv60", "wav2vec2 Phoneme lv-60", "wav2vec2", "facebook/wav2vec2-lv-60-espeak-cv-ft",
        (1024, 24, 315_438_720), licence="Apache-2.0", trained_on=f"{_LIBRILIGHT}, {_PHONEME}",
    ),
    _wave(
        "phoneme-xlsr53", "wav2vec2 Phoneme xlsr-53", "wav2vec2", "facebook/wav2vec2-xlsr-53-espeak-cv-ft",
        (1024, 24, 315_438_720), licence="Apache-2.0",
        trained_on=f"56,000 h in 53 languages, self-supervised, {_PHONEME}",
    ),
    _wave(
        "xls-r-1b", "XLS-R 1B", "wav2vec2", "facebook/wav2vec2-xls-r-1b", (1280, 48, 962_497_408),
        licence="Apache-2.0", trained_on="436,000 h in 128 languages, self-supervised",
    ),
    _wave(
        "mms-1b", "MMS 1B, all languages, with its adapters", "wav2vec2", "facebook/mms-1b-all",
        (1280, 48, 964_648_576), config=_facts(adapter_attn_dim=16), licence="CC-BY-NC-4.0",
        trained_on="491,000 h in 1,406 languages, self-supervised, then read texts in 1,162 languages",
    ),
    _wave(
        "distilhubert", "DistilHuBERT", "hubert", "ntu-spml/distilhubert", (768, 2, 23_491_968), norm="group",
        config=_facts(feat_proj_layer_norm=False), licence="Apache-2.0",
        trained_on="LibriSpeech 960 h, distilled from HuBERT Base",
    ),
    _wave(
        "data2vec-large", "data2vec Audio Large", "data2vec", "facebook/data2vec-audio-large-960h",
        (1024, 24, 313_276_416), config=_facts(conv_pos_kernel_size=19, num_conv_pos_embeddings=5),
        licence="Apache-2.0", trained_on=f"{_LIBRISPEECH}, then with transcripts",
    ),
    Card(
        "w2v-bert-2.0", "wav2vec2-BERT 2.0", "w2v-bert", "facebook/w2v-bert-2.0", "mel", 1024, 24, 580_493_120,
        licence="MIT", trained_on="4,500,000 h in 143 languages, self-supervised", saw_corpus="unknown",
    ),
    Card(
        "qwen2-audio-50hz", "Qwen2-Audio tower, before its pooling", "qwen2-audio", "Qwen/Qwen2-Audio-7B", "mel",
        1280, 32, 636_968_960, recipe="window-probe", licence="Apache-2.0", trained_on=_QWEN, saw_corpus="unknown",
    ),
    Card(
        "qwen2-audio-25hz", "Qwen2-Audio tower", "qwen2-audio", "Qwen/Qwen2-Audio-7B", "mel",
        1280, 32, 636_968_960, recipe="window-probe", licence="Apache-2.0", trained_on=_QWEN, saw_corpus="unknown",
        pool=2, hop=2 * HOP_50HZ,
    ),
    Card(
        "parakeet-ctc-1.1b", "Parakeet CTC 1.1B encoder", "parakeet", "nvidia/parakeet-ctc-1.1b", "mel",
        1024, 42, 1_061_489_664, licence="CC-BY-4.0", trained_on="64,000 h of English with transcripts",
        saw_corpus="unknown", upsample=4,
    ),
    _wave(
        "scratch-wave", "Small waveform encoder from scratch", "wav2vec2", "", (192, 4, 2_131_456),
        recipe="scratch-wave", licence="Apache-2.0", trained_on="nothing before: random weights",
        config=_facts(
            conv_dim=[64, 128, 192], conv_kernel=[20, 8, 4], conv_stride=[10, 8, 4], conv_bias=True,
            feat_extract_norm="layer", do_stable_layer_norm=True, layer_norm_eps=1e-5, attention_dropout=0.0,
            hidden_size=192, num_hidden_layers=4, num_attention_heads=4, intermediate_size=768,
            num_conv_pos_embeddings=64, num_conv_pos_embedding_groups=16,
        ),
    ),
    Card(
        "scratch-mel", "Small mel encoder from scratch", "recurrent", "", "mel", 256, 2, 1_024_000, recipe="scratch",
        licence="Apache-2.0", trained_on="nothing before: random weights", hop=2 * HOP_50HZ,
        config=_facts(width=256, layers=2, strides=(2, 2)),
    ),
)  # fmt: skip

CARDS: dict[str, Card] = {card.name: card for card in _CARDS}
"""Every encoder with states of its own, by name."""

_MADE = (
    Card(
        "speechtokenizer", "SpeechTokenizer's codes", "speechtokenizer", "fnlp/SpeechTokenizer", "codes", 1024, 1,
        103_675_586, recipe="tokens", licence="Apache-2.0", trained_on="LibriSpeech 960 h, first codes by HuBERT",
    ),
    Card(
        "mimi", "Mimi's codes", "mimi", "kyutai/mimi", "codes", 512, 1, 79_308_609, recipe="tokens", upsample=4,
        licence="CC-BY-4.0", trained_on="7,000,000 h of mostly English speech, first codes taught by WavLM",
        saw_corpus="unknown",
    ),
    Card(
        "dac-16khz", "DAC's codes", "dac", "descript/dac_16khz", "codes", 1024, 1, 74_141_697, recipe="tokens",
        licence="MIT", trained_on="speech, music and sounds from open collections",
    ),
    Card(
        "quantised", "Codes of another encoder's states", "quantised", "", "codes", 0, 1, 0, recipe="tokens",
        licence="its member's", trained_on="as its member; codebooks on the train speakers", members=1,
        saw_corpus="unknown",
    ),
    Card(
        "early-fusion", "Early fusion of frozen encoders", "joint", "", "several", 0, 1, 0, recipe="joint-probe",
        licence="its members'", trained_on="as its members", members=2, saw_corpus="unknown",
    ),
    Card(
        "gated-fusion", "Gated fusion of frozen encoders", "joint", "", "several", 0, 1, 0, recipe="gate",
        licence="its members'", trained_on="as its members", members=2, saw_corpus="unknown",
    ),
)  # fmt: skip

MADE: dict[str, Card] = {card.name: card for card in _MADE}
"""Systems over codes, and those made of other encoders, which `--member` names."""

SYSTEMS: dict[str, Card] = {**CARDS, **MADE}
"""Everything that can be trained, by name."""


def find(name: str) -> Card:
    """The card of that name.

    Raises:
        PhonobenchError: where there is none; the near ones are listed.

    Example:
        >>> find("whisper-base").checkpoint
        'openai/whisper-base'
    """
    if name not in SYSTEMS:
        near = difflib.get_close_matches(name, SYSTEMS, n=3, cutoff=0.4)
        raise PhonobenchError(
            f"unknown system {name!r}; {'near: ' + ', '.join(near) if near else 'see `phonobench list`'}"
        )
    return SYSTEMS[name]
