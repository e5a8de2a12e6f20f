"""Words that were not said: how surely an exported scorer finds them, what they score, and what real readers lose.

    python studies/miscues.py [--package FOLDER] [--step 2] [--every 5]

On test, which chooses nothing. Texts are edited against the recordings as they are (a word put in, a word exchanged),
and every so many recordings are cut and pasted at the borders that the scorer finds (a word cut out, a word of another
recording of the speaker in its place, a phrase repeated). The words of the unchanged recordings are the said ones.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from study import corpus_facts, grid

from phonobench import audio, corpora, stats, store
from phonobench.assessment import bundle, diagnosis, miscues
from phonobench.assessment.bundle import Bundle
from phonobench.assessment.types import AcousticOutput, Assessment
from phonobench.cli.output import figure, interval, progress
from phonobench.evidence import CTCEvidence
from phonobench.fitting import presence
from phonobench.phones import encode
from phonobench.results import Value
from phonobench.store import provenance
from phonobench.types import SAMPLE_RATE, OnProgress, PhonobenchError, Progress, Prompt, Utterance

FADE = 80
"""Samples, 5 ms, over which pasted pieces are faded into each other."""
LOW = 10.0
"""What an absent word should score at most, of 100."""


@dataclass(frozen=True, eq=False)
class Case:
    """One scored prompt: of which kind, by whom, its assessment, and which of its words is not said (None: all are).

    `plain`, of real readings, is the assessment without knowing of absent words.
    """

    kind: str
    utterance: Utterance
    assessment: Assessment
    plain: Assessment | None
    prompt: Prompt
    absent: int | None
    inserted: tuple[miscues.InsertedSpeech, ...]


def word_times(output: AcousticOutput, prompt: Prompt) -> list[tuple[int, int]]:
    """Samples of the output's wave between which each word was said."""
    evidence = CTCEvidence(output.logp.astype(np.float64), output.hop)
    start, end = diagnosis.spans(evidence.align(encode(prompt.phones)), output.hop, evidence.duration)
    of = np.array(prompt.word_of_phone)
    return [
        (int(start[of == k][0] * SAMPLE_RATE), int(end[of == k][-1] * SAMPLE_RATE)) for k in range(len(prompt.words))
    ]


def joined(pieces: list[np.ndarray]) -> np.ndarray:
    """Waves one after the other, faded at their ends."""
    ramp = np.linspace(0, 1, FADE, dtype=np.float32)
    faded = []
    for piece in pieces:
        one = piece.astype(np.float32).copy()
        if len(one) > 2 * FADE:
            one[:FADE] *= ramp
            one[-FADE:] *= ramp[::-1]
        faded.append(one)
    return np.concatenate(faded)


def pasted(u: Utterance, output: AcousticOutput, donor: np.ndarray | None, rng: np.random.Generator) -> Iterator[
    tuple[str, np.ndarray, int | None]
]:  # fmt: skip
    """The recording changed: the kind, the wave, and the word that is not said."""
    times, wave = word_times(output, u.prompt), output.wave
    k = int(rng.integers(len(times)))
    first, last = times[k]
    if len(times) > 1:
        yield "cut out", joined([wave[:first], wave[last:]]), k
    if donor is not None:
        yield "pasted over", joined([wave[:first], donor, wave[last:]]), k
    yield "said twice", joined([wave[:last], wave[first:last], wave[last:]]), None


def cases(package: Bundle, utterances: list[Utterance], every: int, report: OnProgress) -> Iterator[Case]:
    """All cases; those whose audio is too short for their text are left out."""
    changed: dict[str, list[tuple[str, presence.ChangedPrompt]]] = {}
    for name, one in presence.changed_prompts(utterances, seed=1).items():
        changed.setdefault(one.utterance.id, []).append((name.rsplit(" ", 1)[0], one))
    donors: dict[str, np.ndarray] = {}  # the last word of a speaker's recording before
    for n, u in enumerate(utterances):
        output = package.recognise(audio.read(u.audio))
        wanted: list[tuple[str, AcousticOutput, Prompt, int | None]] = [("as read", output, u.prompt, None)]
        wanted += [(kind, output, one.prompt, one.index) for kind, one in changed.get(u.id, [])]
        if n % every == 0:
            rng = np.random.default_rng(list(u.id.encode()))
            wanted += [
                (kind, package.recognise(wave), u.prompt, k)
                for kind, wave, k in pasted(u, output, donors.get(u.speaker), rng)
            ]
        first, end = word_times(output, u.prompt)[-1]
        donors[u.speaker] = output.wave[first:end]
        for kind, recognised, prompt, absent in wanted:
            try:
                yield case(package, kind, u, recognised, prompt, absent)
            except PhonobenchError:  # too short for its text, as `score` says too
                continue
        report(Progress("score", n + 1, len(utterances)))


def case(package: Bundle, kind: str, u: Utterance, output: AcousticOutput, prompt: Prompt, absent: int | None) -> Case:
    """The case scored as `score` does it, and as it was without knowing of absent words."""
    made = package.scorer.assess(output, prompt)
    plain = replace(package.scorer, presence=None).assess(output, prompt) if kind == "as read" else None
    kept = [k for k, one in enumerate(made.miscues) if one != "omission"]
    evidence = CTCEvidence(output.logp.astype(np.float64), output.hop)
    words = [encode(prompt.words[k].phones) for k in kept]
    return Case(kind, u, made, plain, prompt, absent, miscues.inserted_speech(evidence, words) if words else ())


def figures_of_real(found: list[Case], draws: np.ndarray, speakers: dict[str, int]) -> dict[str, Any]:
    """What real readers lose: words called absent, and the agreement with raters with and without the miscues."""
    words = np.concatenate([np.array(one.assessment.miscues) for one in found])
    human = np.concatenate([np.asarray(one.utterance.judgement.word_accuracy, dtype=float) for one in found])
    of_word = np.concatenate([np.full(len(one.prompt.words), speakers[one.utterance.speaker]) for one in found])
    of_phone = np.concatenate([np.full(len(one.prompt.phones), speakers[one.utterance.speaker]) for one in found])
    of_sentence = np.array([speakers[one.utterance.speaker] for one in found])
    accuracy = np.concatenate([np.asarray(one.utterance.judgement.phone_accuracy, dtype=float) for one in found])
    known = np.isfinite(accuracy)

    def agreement(which: str) -> dict[str, np.ndarray]:
        made = [getattr(one, which) for one in found]
        phone = np.concatenate([one.phone.value for one in made])
        error = np.concatenate([one.phone_error for one in made])
        return {
            "phone_pearson": stats.pearson(phone[known], accuracy[known], of_phone[known], draws),
            "phone_auc": stats.auc(error[known], accuracy[known] < 0.5, of_phone[known], draws),
            "word_pearson": stats.pearson(
                np.concatenate([one.word["total"].value for one in made]),
                np.concatenate([np.asarray(one.utterance.judgement.word_total, dtype=float) for one in found]),
                of_word, draws,
            ),
            "total_pearson": stats.pearson(
                np.array([float(one.sentence["total"].value) for one in made]),
                np.array([one.utterance.judgement.total for one in found]), of_sentence, draws,
            ),
        }  # fmt: skip

    def value(draws_of: np.ndarray, count: int) -> dict[str, Any]:
        return dict(Value.of(stats.estimate(draws_of, count, len(speakers))).model_dump())

    now, before = agreement("assessment"), agreement("plain")
    gone = words != "none"
    inserted = np.array([len(one.inserted) > 0 for one in found])
    fluency = np.array([one.utterance.judgement.fluency for one in found])
    return {
        "words": len(words),
        "called_absent": value(stats.mean(gone.astype(float), of_word, draws), len(words)),
        "called_omitted": value(stats.mean((words == "omission").astype(float), of_word, draws), len(words)),
        "human_accuracy_of_called_absent": float(human[gone].mean()) if gone.any() else None,
        "with_inserted_words": float(inserted.mean()),
        "fluency_with_and_without": [
            float(fluency[part].mean()) if part.any() else None for part in (inserted, ~inserted)
        ],
        "now": {name: value(one, len(accuracy)) for name, one in now.items()},
        "before": {name: value(one, len(accuracy)) for name, one in before.items()},
        "difference": {name: value(now[name] - before[name], len(accuracy)) for name in now},
    }


def figures_of_kind(found: list[Case], real: list[Case], draws: np.ndarray, speakers: dict[str, int]) -> dict[str, Any]:
    """How well the absent words of a kind are found, and what they score (0 to 100)."""
    said = np.concatenate([one.assessment.said for one in real])
    absent = np.array([one.assessment.said[one.absent] for one in found])
    of_said = np.concatenate([np.full(len(one.prompt.words), speakers[one.utterance.speaker]) for one in real])
    of_absent = np.array([speakers[one.utterance.speaker] for one in found])
    auc = stats.auc(
        -np.concatenate([said, absent]), np.arange(len(said) + len(absent)) >= len(said),
        np.concatenate([of_said, of_absent]), draws,
    )  # fmt: skip
    called = np.array([one.assessment.miscues[one.absent] for one in found])
    word = np.array([10 * one.assessment.word["accuracy"].value[one.absent] for one in found])
    phone = np.concatenate([
        50 * one.assessment.phone.value[np.array(one.prompt.word_of_phone) == one.absent] for one in found
    ])  # fmt: skip
    return {
        "words": len(found),
        "auc": Value.of(stats.estimate(auc, len(found), len(speakers))).model_dump(),
        "called": {name: float((called == name).mean()) for name in ("none", "omission", "substitution")},
        "word_score": [float(x) for x in np.quantile(word, (0.5, 0.9, 1.0))],
        "phone_score": [float(x) for x in np.quantile(phone, (0.5, 0.9, 1.0))],
        "word_score_10_or_less": float((word <= LOW).mean()),
    }


def main() -> None:
    """Scores all cases and writes the study."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", type=Path, default=bundle.DEFAULT)
    parser.add_argument("--corpus")
    parser.add_argument("--every", type=int, default=5, help="so many recordings apart are cut and pasted")
    parser.add_argument("--step", type=int, default=2, help="so many recordings apart are scored")
    parser.add_argument("--limit", type=int, help="so many utterances: a trial, not to be cited")
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--results", type=Path, default=Path("results"))
    given = parser.parse_args()
    corpus, package = corpora.find(given.corpus), bundle.load(given.package)
    utterances = list(corpus.split("test")[:: given.step][: given.limit])
    speakers = {name: k for k, name in enumerate(sorted({u.speaker for u in utterances}))}
    draws = stats.speaker_draws(len(speakers), given.resamples)
    by_kind: dict[str, list[Case]] = {}
    with progress() as report:
        for one in cases(package, utterances, given.every, report):
            by_kind.setdefault(one.kind, []).append(one)
    real = by_kind.pop("as read")
    twice = by_kind.pop("said twice", [])
    facts = {
        "scorer": package.facts["run"], "package": package.key, "split": "test", "corpus": corpus_facts(corpus),
        "utterances": len(utterances), "step": given.step, "every": given.every, "limit": given.limit,
        "resamples": given.resamples,
        "versions": provenance.versions(), "revision": provenance.git_revision(),
        "real": figures_of_real(real, draws, speakers),
        "kinds": {kind: figures_of_kind(found, real, draws, speakers) for kind, found in by_kind.items()},
        "said_twice": {
            "recordings": len(twice),
            "inserted": float(np.mean([len(one.inserted) > 0 for one in twice])) if twice else None,
            "repetition": float(np.mean([any(x.repeats for x in one.inserted) for one in twice])) if twice else None,
        },
    }  # fmt: skip
    folder = given.results / "studies" / "miscues" / package.facts["run"]
    store.write_json(folder / "study.json", facts)
    store.write_bytes(folder / "study.md", page(facts).encode())
    print(page(facts))


def page(facts: dict[str, Any]) -> str:
    """The study as Markdown."""
    rows = [("absent word", "words", "AUC against said", "called omitted", "called replaced", "not found",
             "score of the word, median / 90 % / most", "of its phones", "10 or less"), ("---",) * 9]  # fmt: skip
    for kind, found in facts["kinds"].items():
        called = found["called"]
        rows.append((
            kind, str(found["words"]), _cell(found["auc"]),
            *(f"{100 * called[name]:.1f} %" for name in ("omission", "substitution", "none")),
            *(" / ".join(f"{x:.0f}" for x in found[name]) for name in ("word_score", "phone_score")),
            f"{100 * found['word_score_10_or_less']:.1f} %",
        ))  # fmt: skip
    real, twice = facts["real"], facts["said_twice"]
    loss = [("agreement of real readings", "as it was", "now", "difference"), ("---",) * 4]
    loss += [
        (name, *(_cell(real[part][name]) for part in ("before", "now", "difference"))) for name in real["difference"]
    ]
    lines = [
        f"{facts['utterances']} test utterances of {facts['corpus']['name']}; every {facts['every']}th was cut and "
        "pasted. Intervals of 95 % over speakers. A word exchanged or pasted over is another word in its place; one "
        "put in or cut out is in the text alone.",
        grid(rows),
        f"Of {real['words']} words that readers said {_percent(real['called_absent'])} are called absent, "
        f"{_percent(real['called_omitted'])} omitted; raters gave those called absent "
        f"{real['human_accuracy_of_called_absent'] or 0:.1f} of 10 in the mean.",
        grid(loss),
        f"Words said besides are found in {100 * real['with_inserted_words']:.1f} % of the real recordings; the mean "
        "fluency of these is {}, that of the others {}. ".format(*map(_mean, real["fluency_with_and_without"]))
        + f"Of {twice['recordings']} recordings with a word said twice, they are found in "
        f"{100 * (twice['inserted'] or 0):.0f} %, and named a repetition in {100 * (twice['repetition'] or 0):.0f} %.",
    ]
    warning = ["A TRIAL ON A FEW UTTERANCES: not to be cited."] if facts["limit"] else []
    return "\n\n".join([f"# Words that were not said: {facts['scorer']}", *warning, *lines]) + "\n"


def _mean(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1f}"


def _percent(found: dict[str, Any]) -> str:
    return f"{100 * found['value']:.2f} % ({100 * found['low']:.2f} to {100 * found['high']:.2f})"


def _cell(found: dict[str, Any]) -> str:
    return f"{figure('', found['value'])} {interval('', found['low'], found['high'])}"


if __name__ == "__main__":
    main()
