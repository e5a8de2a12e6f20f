"""Published figures on SpeechOcean762 to stand beside ours; none of them was measured here, none has an interval.

The source experiments (January 2025) computed their PER over the characters of the concatenated IPA string, on
utterances of sentence accuracy 8 or more: it stands beside `per_ipa_char_hq`, not beside `per_hq`.
"""

from __future__ import annotations

from dataclasses import dataclass

CORPUS = "speechocean762"


@dataclass(frozen=True)
class SourceRow:
    """A system of the source experiments: rates as fractions, None where it was not run or not given."""

    system: str
    input: str
    per_ipa_char_hq: float | None = None
    utterance_pearson: float | None = None
    utterance_auc: float | None = None
    note: str = ""


SOURCE_METRICS = ("per_ipa_char_hq", "utterance_pearson", "utterance_auc")
"""What the source experiments measured too."""
SOURCE_ROWS: tuple[SourceRow, ...] = (
    SourceRow("HuBERT Large", "waveform", 0.0884, 0.5932, 0.8426),
    SourceRow("WavLM Base", "waveform", 0.1491, 0.5550, 0.8369),
    SourceRow("WavLM Large", "waveform", 0.1791, 0.5736, 0.8382),
    SourceRow("Baseline MLP (frozen WavLM Base)", "waveform", 0.2592, 0.5754, 0.8427),
    SourceRow("WavLM Large, weighted layers", "waveform", 0.3041, 0.5812, 0.8523),
    SourceRow("XLS-R 300M", "waveform", 0.3940, 0.5589, 0.8435),
    SourceRow("SpeechTokenizer", "discrete", 0.6085, 0.3842, 0.7311),
    SourceRow("Wav2Vec2-BERT", "mel", 0.8858, 0.3247, 0.6936),
    SourceRow("Whisper encoder", "mel", 2.37, 0.4510, 0.7963, note="PER given as about 237 %"),
    SourceRow("Late fusion, WavLM weighted + XLS-R, 0.5", "waveform", 0.3995, None, 0.8270),
    SourceRow("Late fusion, WavLM weighted + XLS-R, 0.7", "waveform", 0.3141, None, 0.8478),
    SourceRow("Qwen2-Audio", "mel", note="not run"),
    SourceRow("Late fusion, HuBERT + WavLM", "waveform", note="not run"),
)


@dataclass(frozen=True)
class PublishedScorer:
    """A trained scorer's Pearson correlations on the full test set, as its authors give them; text, as printed."""

    system: str
    phone: str
    word: str = ""
    sentence: str = ""
    total: str = ""
    note: str = ""


PUBLISHED_SCORERS: tuple[PublishedScorer, ...] = (
    PublishedScorer("Kaldi GOP + SVR", ".45"),
    PublishedScorer("GOPT", ".612", ".533", ".714", ".742", "best epoch picked on test"),
    PublishedScorer("3M", ".656", ".598", ".760", ".796", "three Large encoders"),
    PublishedScorer("alignment-free GOP + GOPT", ".648", note="best epoch picked on test"),
    PublishedScorer("HMamba", ".739", ".708", ".807", ".829", "three Large encoders; best epoch picked on test"),
    PublishedScorer("MuFFIN", ".742-.749", ".705", ".807", ".830", "three Large encoders; best epoch picked on test"),
)
