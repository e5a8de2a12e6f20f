"""Write MODEL_ZOO.md from the cards and the kept results: `python tools/make_model_zoo.py`.

Our result of a system is the best of its complete runs on the real test split under `results/`, by PER (HQ) on dev.
"""

from __future__ import annotations

from pathlib import Path

from phonobench import results
from phonobench.report.published import CORPUS, SOURCE_ROWS
from phonobench.systems.cards import SYSTEMS, Card
from phonobench.types import PhonobenchError

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "MODEL_ZOO.md"
SOURCE_NAMES = {
    "hubert-large": "HuBERT Large", "wavlm-base": "WavLM Base", "wavlm-large": "WavLM Large",
    "baseline-mlp": "Baseline MLP (frozen WavLM Base)", "wavlm-weighted": "WavLM Large, weighted layers",
    "xls-r-300m": "XLS-R 300M", "whisper-small": "Whisper encoder",
    "speechtokenizer": "SpeechTokenizer",
}  # fmt: skip
"""Card -> row of the source experiments."""

HEAD = """# Model zoo

Made by `python tools/make_model_zoo.py` from the cards (`src/phonobench/systems/cards.py`) and `results/`; a
test holds it. Train and evaluate any of these by `phonobench bench SYSTEM`; `--model` of `phonobench train` takes a
local folder or another hub id.

- Parameters are the encoder's alone, counted from its full-size configuration. Hz: rows of a posteriorgram a second.
- PER is in per cent, on the canonical phones of well-read test utterances (HQ). Ours: of the run that was best on dev,
  over phones; empty where none was run. The source experiments': over IPA characters, so not the same measure.
- "Saw the corpus": whether SpeechOcean762 was in the checkpoint's own training data, as far as its authors tell.

"""
COLUMNS = (
    "system", "checkpoint", "parameters", "input", "Hz", "licence", "trained on", "saw the corpus", "recipe", "our PER",
    "source's PER",
)  # fmt: skip


def text(root: Path = ROOT) -> str:
    """The whole page."""
    ours = _ours(root / "results")
    rows = [COLUMNS, ("---",) * len(COLUMNS), *(_row(card, ours) for card in SYSTEMS.values())]
    return HEAD + "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def _row(card: Card, ours: dict[str, float]) -> tuple[str, ...]:
    checkpoint = f"[{card.checkpoint}](https://huggingface.co/{card.checkpoint})" if card.checkpoint else "none"
    source = {row.system: row.per_ipa_char_hq for row in SOURCE_ROWS}.get(SOURCE_NAMES.get(card.name, ""))
    made = card.members > 0
    size, hertz = ("its members'",) * 2 if made else (f"{card.parameters:,}", f"{1 / card.hop:.4g}")
    return (
        f"`{card.name}`: {card.title}", "its members'" if made else checkpoint, size, card.input, hertz,
        card.licence, card.trained_on, card.saw_corpus, f"`{card.recipe}`",
        f"{100 * ours[card.name]:.2f}" if card.name in ours else "", "" if source is None else f"{100 * source:.2f}",
    )  # fmt: skip


def _ours(results_root: Path) -> dict[str, float]:
    """System -> test PER (HQ) of its run with the lowest one on dev."""
    try:
        found = [r for r in results.read_all(results_root) if r.task == "recognition"]
    except PhonobenchError:
        return {}
    real = [
        r for r in found if r.provenance.corpus.name == CORPUS and not r.provenance.corpus.synthetic
        and r.provenance.split.complete
    ]  # fmt: skip
    value = {(r.run_id, r.split): r.metrics["per_hq"].value for r in real}
    best: dict[str, tuple[float, float]] = {}
    for r in real:
        dev, test = value.get((r.run_id, "dev")), value.get((r.run_id, "test"))
        if dev is not None and test is not None:
            best[r.provenance.model.card] = min(best.get(r.provenance.model.card, (dev, test)), (dev, test))
    return {name: test for name, (_, test) in best.items()}


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
