"""The small set of real files that is changed: runs, weights, posteriors, results, a corpus, packages, checkpoints."""

from __future__ import annotations

import csv
import dataclasses
import importlib.util
import io
import json
import shutil
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from phonobench import phones, results, store
from phonobench.assessment import bundle
from phonobench.corpora import layout
from phonobench.fitting import cross_validation
from phonobench.systems import cards, recipe
from phonobench.types import Corpus, Posteriors

TORCH = importlib.util.find_spec("torch") is not None
WORDS = {"WE": ["W", "IY0"], "CALL": ["K", "AO1", "L"], "IT": ["IH0", "T"], "BEAR": ["B", "EH1", "R"]}


def build(root: Path) -> None:
    """Everything, under `root`."""
    rng = np.random.default_rng(0)
    corpus(root / "corpus")
    found = read_corpus(root / "corpus")
    runs(root / "runs", found, rng)
    stored_results(root / "results", found)
    package(root / "package")
    (root / "lexicon.txt").write_text("bear B EH1 R\nblorf B L AO1 R F\nblorf B L AA1 R F\n")
    (root / "note").mkdir()
    (root / "note" / "corpus.tar.gz").write_bytes(b"x" * 100)
    store.write_json(root / "note" / "corpus.tar.gz.json", {"url": "https://a.example/c", "size": 200, "tag": '"t"'})
    sounds(root / "sounds", rng)
    archive(root / "corpus.tar.gz", root / "corpus")
    rows = [("file", "text"), ("sounds/a.wav", "we call it bear"), ("sounds/b.flac", "we call it")]
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    (root / "list.csv").write_text(text.getvalue())
    (root / "text.txt").write_text("We call it bear, don't we? In 1999 it cost $3.50.\n")
    if TORCH:
        checkpoint(root / "checkpoint")


def corpus(root: Path) -> None:
    """A corpus of three speakers in the layout of SpeechOcean762."""
    scores, details = {}, {}
    for part, speakers in (("train", ("s1", "s2")), ("test", ("s3",))):
        tables: dict[str, list[str]] = {name: [] for name in ("wav.scp", "utt2spk", "text", "spk2age", "spk2gender")}
        for place, speaker in enumerate(speakers):
            tables["spk2age"].append(f"{speaker}\t{9 + 20 * place}")
            tables["spk2gender"].append(f"{speaker}\tf")
            for number, text in enumerate(("WE CALL IT BEAR", "CALL IT")):
                id = f"{speaker}-{number}"
                scores[id], details[id] = _scores(text.split(), 8 - place)
                tone(root / "WAVE" / f"{id}.wav")
                tables["wav.scp"].append(f"{id}\tWAVE/{id}.wav")
                tables["utt2spk"].append(f"{id}\t{speaker}")
                tables["text"].append(f"{id}\t{text}")
        for name, lines in tables.items():
            store.write_bytes(root / part / name, "\n".join([*lines, ""]).encode())
    store.write_json(root / layout.SCORES, scores)
    store.write_json(root / "resource/scores-detail.json", details)


def _scores(words: list[str], score: int) -> tuple[dict[str, Any], dict[str, Any]]:
    names = ("accuracy", "fluency", "prosodic", "total")
    by_word = [
        {"text": w, "accuracy": score, "stress": 10, "total": score, "phones": WORDS[w],
         "phones-accuracy": [2.0] * len(WORDS[w]), "mispronunciations": []}
        for w in words
    ]  # fmt: skip
    detail = [
        {"text": w, **{k: [float(score)] * 3 for k in ("accuracy", "stress", "total")},
         "ref-phones": " ".join(WORDS[w]), "phones": [" ".join(WORDS[w])] * 3}
        for w in words
    ]  # fmt: skip
    text = " ".join(words)
    one = {**dict.fromkeys(names, score), "completeness": 10.0, "text": text, "words": by_word}
    rated = {name: [float(score), 9.0, 8.0] for name in names}
    return one, {**rated, "completeness": [1.0, 1.0, 0.5], "text": text, "words": detail}


def read_corpus(root: Path) -> Corpus:
    """The corpus in memory."""
    return Corpus("fuzz", root, tuple(layout.utterances(root)), "f" * 64, True)


def tone(path: Path, seconds: float = 0.5) -> None:
    """A short sound file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(round(16_000 * seconds)) / 16_000
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * 200 * time), 16_000, subtype="PCM_16")


def manifest(run_id: str, found: Corpus, **facts: Any) -> dict[str, Any]:
    """A manifest as training writes it."""
    chosen = recipe.find("scratch")
    settings = {k: list(v) if isinstance(v, tuple) else v for k, v in dataclasses.asdict(chosen).items()}
    return {
        "run_id": run_id, "key": store.fingerprint(run_id), "card": "scratch-mel", "card_key": "c" * 64,
        "recipe": settings, "seed": 0, "limit": None, "fold": 0, "started_from": None,
        "corpus": {"name": found.name, "fingerprint": found.fingerprint, "synthetic": True, "train_utterances": 4,
                   "train_speakers": 2},
        "model": {"id": "scratch", "revision": "scratch"}, "members": [], "hop": 0.04, "versions": {"phonobench": "0"},
        "parameters": 1_024_000, "trained_parameters": 1_024_000, "precision": "fp32", "status": "trained",
        "history": [{"epoch": 1, "loss": 2.5, "dev_per_hq": 0.5, "seconds": 1.5}], "best_epoch": 1,
        "infeasible_utterances": [], "blank": {"bias": 0.5, "dev_per_hq": {"0": 0.5, "0.5": 0.25}}, "seconds": 2.0,
        "decoder": {"name": "beam:8:+0.25", "chosen_on": "dev", "dev_per_hq": {"greedy": 0.5}}, **facts,
    }  # fmt: skip


def runs(root: Path, found: Corpus, rng: np.random.Generator) -> None:
    """A training with weights and posteriors, a kept copy of it, a late fusion, and a fitted scorer."""
    first = manifest("first", found)
    store.write_run(root / "first", first)
    for split in ("dev", "test"):
        ids = tuple(u.id for u in found.split(split)) or tuple(u.id for u in found.utterances[:2])
        logits = [rng.normal(size=(20, phones.COLUMNS)) for _ in ids]
        logp = tuple((x - np.logaddexp.reduce(x, axis=1, keepdims=True)).astype(np.float32) for x in logits)
        inputs = {"weights": "w" * 64, "corpus": found.fingerprint, "split": split, "key": first["key"]}
        store.write_posteriors(store.posteriors_folder(root / "first", split), Posteriors(ids, logp, 0.04), inputs)
        speed = {"audio_seconds": 3.0, "seconds": 1.0, "device": "cpu", "threads": 1, "processors": 2, "load": 0.5}
        store.add_speed(root / "first", split, speed)
    fusion = {
        "method": "frames",
        "members": ["first", "second"],
        "weights": [0.25, 0.75],
        "seeds": [0, 1],
        "chosen_on": "dev",
    }
    fused = {k: v for k, v in first.items() if k in (
        "key", "card", "card_key", "recipe", "seed", "limit", "corpus", "model", "versions", "parameters")}  # fmt: skip
    store.write_run(root / "fused", {**fused, "run_id": "fused", "status": "fused", "fusion": fusion})
    facts = json.loads((bundle.DEFAULT / bundle.FACTS).read_text())
    scorer = {**fused, "run_id": "scorer", "status": "fitted", "kind": "scorer", "runs": ["first"], "seeds": [0],
              "listeners": ["first"], "panel": 1, "layers": [-1], "trained_parameters": 5,
              **{name: facts[name] for name in ("level", "features", "gate", "calibration", "thresholds")}}  # fmt: skip
    store.write_run(root / "scorer", scorer)
    outputs = [
        (
            rng.random(len(u.prompt.phones)),
            rng.random(len(u.prompt.phones)),
            rng.random((len(u.prompt.words), 3)),
            rng.random(4),
        )
        for u in found.utterances
    ]
    cross_validation.write_outputs(root / "scorer", found.utterances, outputs)
    if TORCH:
        weights(root, first)


def weights(root: Path, first: dict[str, Any]) -> None:
    """Random weights of the small encoder, and their int8 copy."""
    from phonobench.neural.checkpoints import archive as kept
    from phonobench.neural.checkpoints import pretrained, trained
    from phonobench.neural.recogniser import Recogniser

    model = Recogniser(pretrained.build(cards.find("scratch-mel")), recipe.find("scratch"))
    facts = {"card_key": first["card_key"], "key": first["key"], "epoch": 1, "blank": first["blank"]}
    trained.save(root / "first" / "weights", model, facts)
    kept.keep(root / "first", root.parent / "kept")


def stored_results(root: Path, found: Corpus) -> None:
    """Two results and what the raters reach."""
    value = {"value": 0.25, "low": 0.2, "high": 0.3, "n": 40, "speakers": 3}
    origin = {
        "corpus": {"name": found.name, "fingerprint": found.fingerprint, "synthetic": True},
        "split": {"utterances": 6, "speakers": 3, "words": 18, "phones": 40, "complete": True},
        "model": {"card": "scratch-mel", "card_key": "c" * 64, "id": "scratch", "revision": "r", "parameters": 9},
        "training": {"corpus": found.name, "fingerprint": "f" * 64, "synthetic": True, "utterances": 4, "speakers": 2,
                     "seed": 0, "recipe": {"name": "scratch"}, "best_epoch": 1},
        "code": {"version": "0"}, "bootstrap": {"resamples": 10, "seed": 0}, "posteriors": {"test": "k"},
    }  # fmt: skip
    metrics = {"recognition": ("per", "per_hq"), "detection": ("phone_auc", "phone_mcc")}
    for run_id, task in (("first", "recognition"), ("second", "detection")):
        fields = {
            "protocol_version": results.PROTOCOL_VERSION, "run_id": run_id, "split": "test", "task": task,
            "created": "2026-01-01T00:00:00+00:00", "provenance": origin,
            "metrics": dict.fromkeys(metrics[task], value),
            "breakdowns": {"age": {"child": {metrics[task][0]: value}}}, "counts": {"unmapped_symbols": 0},
            "thresholds": {"phone": {"value": 0.5}}, "notes": ["a note"],
        }  # fmt: skip
        results.write(results.Result.model_validate(fields), root)
    difference = {"value": 0.1, "low": 0.1, "high": 0.1, "p": 0.5, "reason": None}
    rater = {
        "rater": {**value, "reason": None}, "pairwise": None,
        "scorers": {"a": {"value": value, "difference": difference}},
    }  # fmt: skip
    store.write_json(root / "raters.json", {
        "protocol_version": results.PROTOCOL_VERSION, "split": "test", "resamples": 10, "corpus": origin["corpus"],
        "metrics": {"phone_model_pearson": rater},
    })  # fmt: skip


def package(root: Path) -> None:
    """The scorer that ships with the project; large files are links."""
    root.mkdir(parents=True)
    for file in bundle.DEFAULT.iterdir():
        if file.name in (bundle.FACTS, "trees.safetensors", "judge-0.onnx"):
            shutil.copy(file, root / file.name)
        else:
            (root / file.name).symlink_to(file)


def sounds(root: Path, rng: np.random.Generator) -> None:
    """A short sound in the formats that are read."""
    root.mkdir(parents=True)
    wave = (0.1 * rng.normal(size=8_000)).astype(np.float32)
    for name, subtype in (
        ("a.wav", "PCM_16"),
        ("b.flac", "PCM_16"),
        ("c.ogg", "VORBIS"),
        ("d.wav", "FLOAT"),
        ("e.aiff", "PCM_24"),
    ):
        soundfile.write(root / name, wave, 16_000, subtype=subtype)


def archive(path: Path, folder: Path) -> None:
    """The corpus as it is downloaded."""
    with tarfile.open(path, "w:gz") as packed:
        packed.add(folder, arcname="corpus")


def checkpoint(root: Path) -> None:
    """A tiny Whisper encoder with random weights."""
    import transformers

    sizes = {
        "d_model": 16, "encoder_layers": 2, "encoder_attention_heads": 2, "encoder_ffn_dim": 32,
        "decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 32, "vocab_size": 64,
        "max_source_positions": 100, "max_target_positions": 16, "pad_token_id": 0, "bos_token_id": 1,
        "eos_token_id": 2, "decoder_start_token_id": 1,
    }  # fmt: skip
    transformers.WhisperModel(transformers.WhisperConfig(**sizes)).save_pretrained(root)
