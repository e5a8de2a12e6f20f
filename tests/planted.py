"""A corpus in memory whose truth is planted, and posteriors of runs from exact to blank."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np

from phonobench import phones, store
from phonobench.types import Corpus, Judgement, Posteriors, Prompt, Utterance, Word

HOP = 0.02
EPOCH = {"loss": 1.0, "dev_per_hq": 0.5, "seconds": 1.0}
SAID = dict[str, tuple[int, ...]]


def corpus(seed: int = 0, speakers: int = 12, each: int = 6, synthetic: bool = False) -> tuple[Corpus, SAID]:
    """A corpus with `speakers` a split, and what was spoken in each utterance (phone ids).

    Sentence accuracy is 10 (1 - share of wrong phones) exactly, phone accuracy 2 where right and 0 where wrong, and
    `perceived` names the wrong phone. Nobody inserts or deletes phones, so that PER is the share of wrong phones.
    """
    rng = np.random.default_rng(seed)
    utterances, said = [], {}
    for split in ("train", "dev", "test"):
        for s in range(speakers):
            skill = rng.uniform(0.0, 0.6)
            for u in range(each):
                id = f"{split}{s:02d}{u:02d}"
                utterance, spoken = _utterance(rng, id, f"{split}{s:02d}", split, skill, s)
                utterances.append(utterance)
                said[id] = spoken
    fingerprint = store.fingerprint([seed, speakers, each])
    return Corpus("planted", Path("nowhere"), tuple(utterances), fingerprint, synthetic), said


def _utterance(rng, id: str, speaker: str, split, skill: float, place: int) -> tuple[Utterance, tuple[int, ...]]:
    expected = _without_doubles(rng, int(rng.integers(6, 15)))
    wrong = rng.random(len(expected)) < skill
    spoken = list(expected)
    for i in np.flatnonzero(wrong):
        near = {spoken[j] for j in (i - 1, i, i + 1) if 0 <= j < len(spoken)} | {expected[i]}
        spoken[i] = int(rng.choice([q for q in range(1, 40) if q not in near]))
    names = phones.decode(expected)
    cut = int(rng.integers(1, len(names)))
    words = (Word("one", names[:cut]), Word("two", names[cut:]))
    right = 2.0 * ~wrong
    by_word = tuple(float(5 * part.mean()) for part in (right[:cut], right[cut:]))
    share = float(wrong.mean())
    judgement = Judgement(
        accuracy=10 * (1 - share), fluency=8.0, prosodic=8.0, total=8.0, completeness=10.0,
        word_accuracy=by_word, word_stress=(10.0, 5.0), word_total=by_word, phone_accuracy=tuple(right.tolist()),
        perceived=tuple(phones.decode([q])[0] if w else None for q, w in zip(spoken, wrong, strict=True)),
    )  # fmt: skip
    age, gender = (10 if place % 2 else 30), ("f" if place % 3 else "m")
    return Utterance(id, speaker, split, Path(f"{id}.wav"), Prompt(words), judgement, age, gender), tuple(spoken)


def _without_doubles(rng, n: int) -> list[int]:
    ids = [int(rng.integers(1, 40))]
    while len(ids) < n:
        ids += [q for q in [int(rng.integers(1, 40))] if q != ids[-1]]
    return ids


def logp(said: tuple[int, ...], seed: int, strength: float = 12.0, noise: float = 1.0) -> np.ndarray:
    """Log-posteriors (2 N + 1, 40) that peak on the spoken phones, blanks between, over noise."""
    rng = np.random.default_rng(seed)
    logits = noise * rng.normal(size=(2 * len(said) + 1, phones.COLUMNS))
    logits[::2, phones.BLANK] += strength
    logits[np.arange(1, 2 * len(said), 2), list(said)] += strength
    return (logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)).astype(np.float32)


def manifest(run_id: str, **changes) -> dict:
    """The manifest of a trained run, without a corpus behind it."""
    return {
        "run_id": run_id, "key": store.fingerprint(run_id), "card": "whisper-base", "card_key": "c" * 64, "seed": 0,
        "recipe": {"name": "finetune", "about": "planted", "epochs": 3},
        "corpus": {"name": "planted", "fingerprint": "f" * 64, "synthetic": True,
                   "train_utterances": 72, "train_speakers": 12},
        "model": {"id": "openai/whisper-base", "revision": "abc"}, "versions": {}, "parameters": 20_590_592,
        "limit": None, "status": "trained", "best_epoch": 1,
        "history": [{**EPOCH, "epoch": 1}], **changes,
    }  # fmt: skip


def write_run(
    runs: Path, run_id: str, corpus: Corpus, said: Callable[[Utterance], tuple[int, ...]], *,
    splits: tuple[str, ...] = ("dev", "test"), strength: float = 12.0, controls: bool = True, **facts,
) -> Path:  # fmt: skip
    """A run's folder with a manifest and with posteriors whose best path is `said(utterance)`."""
    run_dir = runs / run_id
    facts["recipe"] = {"about": "planted", "epochs": 3, **facts.get("recipe", {"name": "finetune"})}
    if "history" in facts:
        facts.setdefault("best_epoch", len(facts["history"]))
    told = manifest(run_id, **facts)
    told["corpus"] |= {"name": corpus.name, "fingerprint": corpus.fingerprint, "synthetic": corpus.synthetic}
    store.write_run(run_dir, told)
    for split in splits:
        utterances = corpus.split(split)[: told["limit"]]
        posteriors = [logp(said(u), _seed(u.id + run_id), strength) for u in utterances]
        _write(run_dir, split, corpus, [u.id for u in utterances], posteriors)
        if controls:
            few = utterances[::3]
            blank = [logp((), _seed(u.id)).repeat(20, axis=0) for u in few]
            _write(run_dir, f"{split}-silence", corpus, [u.id for u in few], blank)
    return run_dir


def _write(run_dir: Path, split: str, corpus: Corpus, ids: list[str], posteriors: list[np.ndarray]) -> None:
    inputs = {"weights": run_dir.name, "corpus": corpus.fingerprint, "split": split}
    store.write_posteriors(
        store.posteriors_folder(run_dir, split), Posteriors(tuple(ids), tuple(posteriors), HOP), inputs
    )


def _seed(text: str) -> int:
    return int(store.fingerprint(text)[:8], 16)


def finite(value: float | None) -> bool:
    """Whether a figure of a result file is there and finite."""
    return value is not None and math.isfinite(value)
