"""How the scores of an exported scorer change with noise, level, band and room: the same recordings, made worse.

    python studies/conditions.py [--package FOLDER] [--split dev] [--as-recorded] [--only around]

Two utterances of each speaker are scored as they are and under every condition. Test chooses nothing. Noise
and babble (four other speakers) are added at a ratio of powers; a room is noise that decays by 60 dB in the given time;
silence and noise around the speech are put before and after it. The study says how well scores still follow raters, and
how far the total moves, paired: its mean, and of single recordings the mean and the largest move.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from study import corpus_facts, grid

from phonobench import audio, corpora, stats, store
from phonobench.assessment import bundle
from phonobench.assessment.types import Assessment
from phonobench.cli.output import figure, interval, progress
from phonobench.corpora.control_audio import EVERY
from phonobench.results import Value
from phonobench.store import provenance
from phonobench.types import SAMPLE_RATE, PhonobenchError, Progress, Utterance

TALKERS = 4
SCALE = 10
"""Points of 100 in a point of the raters' scale."""
Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def at_ratio(wave: np.ndarray, noise: np.ndarray, decibels: float) -> np.ndarray:
    power = float(np.mean(noise**2)) or 1.0
    return wave + noise * np.sqrt(float(np.mean(wave**2)) / power / 10 ** (decibels / 10))


def white(decibels: float) -> Change:
    return lambda wave, rng: at_ratio(wave, rng.standard_normal(len(wave)), decibels)


def babble(decibels: float, others: list[np.ndarray]) -> Change:
    def change(wave: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        voices = [others[k] for k in rng.choice(len(others), TALKERS, replace=False)]
        mixed = sum(np.resize(voice / np.sqrt(np.mean(voice**2)), len(wave)) for voice in voices)
        return at_ratio(wave, np.asarray(mixed), decibels)

    return change


def level(decibels: float) -> Change:
    """Louder or softer, in 16 bits: what is too loud is clipped, what is too soft is rounded away."""
    return lambda wave, rng: np.round(np.clip(wave * 10 ** (decibels / 20), -1, 1) * 32767) / 32767


def telephone(wave: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    narrow = soxr.resample(wave, SAMPLE_RATE, SAMPLE_RATE // 2)
    return np.resize(soxr.resample(narrow, SAMPLE_RATE // 2, SAMPLE_RATE), len(wave))


def room(seconds: float) -> Change:
    def change(wave: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
        response = 0.1 * rng.standard_normal(len(time)) * 10 ** (-3 * time / seconds)
        response[0] = 1.0
        size = len(wave) + len(response)
        echoed = np.fft.irfft(np.fft.rfft(wave, size) * np.fft.rfft(response, size), size)[: len(wave)]
        return echoed * np.sqrt(np.mean(wave**2) / np.mean(echoed**2))

    return change


def around(seconds: float, decibels: float | None) -> Change:
    """Digital silence, or (`decibels` of full scale) white noise, before and after the recording."""

    def change(wave: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        size = int(seconds * SAMPLE_RATE)
        level_ = 0.0 if decibels is None else 10 ** (decibels / 20)
        before, after = (level_ * rng.standard_normal(size) for _ in range(2))
        return np.concatenate([before, wave, after])

    return change


def conditions(others: list[np.ndarray]) -> dict[str, Change]:
    found: dict[str, Change] = {"as recorded": lambda wave, rng: wave}
    found |= {f"white noise, {db} dB": white(db) for db in (30, 20, 10, 5, 0)}
    found |= {f"babble, {db} dB": babble(db, others) for db in (20, 10, 5, 0)}
    found |= {f"level {db:+d} dB": level(db) for db in (-40, -20, 20)}
    found |= {"8 kHz": telephone, **{f"room, {seconds} s": room(seconds) for seconds in (0.3, 0.8)}}
    found |= {f"silence around, {seconds} s": around(seconds, None) for seconds in (0.2, 1, 5, 10)}
    padded = ((-60, 2), (-50, 0.2), (-50, 2), (-50, 10))
    return found | {f"noise of {db} dBFS around, {seconds} s": around(seconds, db) for db, seconds in padded}


def columns(told: list[Assessment | None], utterances: list[Utterance]) -> dict[str, np.ndarray]:
    """Of what was scored: phones and sentences beside people, with the speaker of each."""
    names = sorted({u.speaker for u in utterances})
    pairs = [(one, u) for one, u in zip(told, utterances, strict=True) if one is not None]
    speaker = np.array([names.index(u.speaker) for _, u in pairs], dtype=np.int32)
    return {
        "phone": np.concatenate([one.phone.value for one, _ in pairs]),
        "error": np.concatenate([one.phone_error for one, _ in pairs]),
        "accuracy": np.concatenate([np.asarray(u.judgement.phone_accuracy, dtype=float) for _, u in pairs]),
        "phone_speaker": np.repeat(speaker, [len(u.prompt.phones) for _, u in pairs]),
        "total": np.array([float(one.sentence["total"].value) for one, _ in pairs]),
        "human_total": np.array([u.judgement.total for _, u in pairs]),
        "speaker": speaker,
    }


def figures(told: list[Assessment | None], clean: list[Assessment | None], utterances: list[Utterance],
            draws: np.ndarray) -> dict[str, Any]:  # fmt: skip
    """Correlations, AUC and the shift of the mean total; the shift is over what was scored in both."""
    of, people = columns(told, utterances), draws.shape[1]
    wrong = of["accuracy"] < 0.5
    values = {
        "phone_pearson": stats.pearson(of["phone"], of["accuracy"], of["phone_speaker"], draws),
        "phone_auc": stats.auc(of["error"], wrong, of["phone_speaker"], draws),
        "total_pearson": stats.pearson(of["total"], of["human_total"], of["speaker"], draws),
    }
    both = [k for k, one in enumerate(told) if one is not None and clean[k] is not None]
    now, before = (columns([table[k] for k in both], [utterances[k] for k in both]) for table in (told, clean))
    values["total_shift"] = stats.mean(now["total"] - before["total"], now["speaker"], draws)
    found = {
        name: Value.of(stats.estimate(value, len(of["total"]), people)).model_dump() for name, value in values.items()
    }
    moves = SCALE * np.abs(now["total"] - before["total"])
    return {
        "refused": sum(one is None for one in told), **found,
        "single_moves": {"mean": float(moves.mean()), "most": float(moves.max())},
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", type=Path, default=bundle.DEFAULT)
    parser.add_argument("--split", default="test")
    parser.add_argument("--level", type=float, help="dBFS to which recordings are brought first, in place of its own")
    parser.add_argument("--as-recorded", action="store_true", help="hear recordings as loud as they are")
    parser.add_argument("--corpus")
    parser.add_argument("--only", default="", help="conditions with this in their name, and the recordings as they are")
    parser.add_argument("--limit", type=int, help="so many utterances: a trial, not to be cited")
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--results", type=Path, default=Path("results"))
    given = parser.parse_args()
    corpus, package = corpora.find(given.corpus), bundle.load(given.package)
    if given.as_recorded or given.level is not None:
        package = replace(package, level=given.level)
    utterances = list(corpus.split(given.split)[::EVERY][: given.limit])
    waves = [audio.read(u.audio) for u in utterances]
    others = [audio.read(u.audio) for u in corpus.split("train")[:: 2 * EVERY]]
    draws = stats.speaker_draws(len({u.speaker for u in utterances}), given.resamples)
    told: dict[str, list[Assessment | None]] = {}
    made = {}
    with progress() as report:
        chosen = {k: v for k, v in conditions(others).items() if given.only in k or k == "as recorded"}
        for name, change in chosen.items():
            told[name] = []
            for k, (u, wave) in enumerate(zip(utterances, waves, strict=True)):
                rng = np.random.default_rng(list(u.id.encode()))
                worse = np.asarray(change(wave, rng), dtype=np.float32)
                if len(worse) > audio.LONGEST * SAMPLE_RATE:  # as `score` refuses it
                    told[name].append(None)
                    continue
                try:
                    told[name].append(package.scorer.assess(package.recognise(worse), u.prompt))
                except PhonobenchError:
                    told[name].append(None)
                report(Progress(name, k + 1, len(utterances)))
            made[name] = figures(told[name], told["as recorded"], utterances, draws)
    facts = {
        "scorer": package.facts["run"], "package": package.key, "level": package.level, "split": given.split,
        "corpus": corpus_facts(corpus),
        "utterances": len(utterances), "limit": given.limit, "resamples": given.resamples,
        "versions": provenance.versions(), "revision": provenance.git_revision(), "conditions": made,
    }  # fmt: skip
    loudness = "as-recorded" if package.level is None else f"level{package.level:g}"
    part = f".{given.only}" if given.only else ""
    folder = given.results / "studies" / "conditions" / f"{package.facts['run']}.{given.split}.{loudness}{part}"
    store.write_json(folder / "study.json", facts)
    store.write_bytes(folder / "study.md", page(facts).encode())
    print(page(facts))


def page(facts: dict[str, Any]) -> str:
    rows = [
        (
            "condition",
            "phone Pearson",
            "phone AUC",
            "total Pearson",
            "mean total moves by",
            "single totals of 100 move by, mean / most",
            "refused",
        ),
        ("---",) * 7,
    ]
    for name, found in facts["conditions"].items():
        cells = [_cell(found[metric]) for metric in ("phone_pearson", "phone_auc", "total_pearson", "total_shift")]
        moves = found["single_moves"]
        rows.append((name, *cells, f"{moves['mean']:.1f} / {moves['most']:.1f}", str(found["refused"])))
    warning = ["A TRIAL ON A FEW UTTERANCES: not to be cited."] if facts["limit"] else []
    level = "as loud as they are" if facts["level"] is None else f"at {facts['level']:g} dBFS"
    told = (
        f"{facts['utterances']} {facts['split']} utterances of {facts['corpus']['name']}, two a "
        f"speaker, the same in every row; heard {level}; 95 % intervals over speakers. The total runs from 0 to 10."
    )
    return "\n\n".join([f"# Conditions of recording: {facts['scorer']}", *warning, told, grid(rows)]) + "\n"


def _cell(found: dict[str, Any]) -> str:
    return f"{figure('', found['value'])} {interval('', found['low'], found['high'])}"


if __name__ == "__main__":
    main()
