"""The figures of a fitted scorer: on train speakers from its cross-validation, on test from what its listeners hear."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np

from phonobench import packaged, provenance, results, stats, store
from phonobench.assessment import Assessment, Listening
from phonobench.corpora import stand_ins
from phonobench.evaluate.measurement import bands, measure, within
from phonobench.fitting import descriptions
from phonobench.fitting.descriptions import Ear, Job, by_panel, ear_of_run
from phonobench.fitting.fit import NETWORK, cross_validated
from phonobench.packaged import Package
from phonobench.results import Result, ThresholdFacts
from phonobench.scorer.calibration import Calibration
from phonobench.scorer.network import Answer, FittedScorer, assessment, mean, panels
from phonobench.tasks import assessed, controls
from phonobench.types import Corpus, PhonobenchError, Progress, Split, Utterance

Report = Callable[[Progress], None]


def evaluate(
    run_dir: Path | None, corpus: Corpus, results_root: Path, splits: Sequence[str] = ("train", "test"), *,
    package: Path | None = None, kept: Path | None = None, resamples: int = stats.bootstrap.RESAMPLES,
    seed: int = stats.bootstrap.SEED, report: Report = lambda _: None,
) -> list[Result]:  # fmt: skip
    """Measures a scorer run and writes a result a split; returns them.

    "train": cross-validated, on all speakers that it was fitted to. "test": its listeners listen to the recordings,
    to swapped ones, to silence and noise. With `package` in place of `run_dir`, that export listens and scores, the
    results are those of `<run>.package`, and what it heard is kept under `kept`. Raises PhonobenchError for other
    splits and for missing runs.
    """
    if (run_dir is None) == (package is None):
        raise ValueError("a scorer is measured as a run or as a package: give one of them")
    made = []
    for split in splits:
        if split == "train" and run_dir is not None:
            run = store.read_run(run_dir)
            utterances, answers = cross_validated(run_dir, corpus)
            calibration = Calibration.from_json(run["calibration"])
            told = [assessment(answer, calibration) for answer in answers]
            others: list[dict[str, Assessment]] = [{} for _ in told]
            notes = ["cross-validated over speakers, calibration and thresholds chosen on these predictions"]
        elif split == "test":
            if run_dir is not None:
                run = store.read_run(run_dir)
                scorer, ears = _of_run(run_dir, run)
            else:
                loaded = packaged.load(package)
                run = {**loaded.run, "run_id": f"{loaded.run['run_id']}.package", "thresholds": loaded.thresholds,
                       "level": loaded.level}  # fmt: skip
                scorer, ears = loaded.scorer, _ears(loaded, kept or results_root)
            utterances = list(corpus.split("test")[: run["limit"]])
            told, others, notes = _test(scorer, ears, corpus, utterances, report)
            if package is not None:
                notes = [*notes, "as exported: int8 weights, ONNX Runtime, no torch"]
        else:
            raise PhonobenchError(
                "a scorer is fitted to train and dev together: evaluate it on train (cross-validated, no package) or "
                f"on test, not on {split}"
            )
        if run.get("level") is not None:
            notes = [*notes, f"recordings are brought to {run['level']:g} dBFS before they are heard"]
        result = _result(run, corpus, split, utterances, told, others, notes, (resamples, seed))
        results.write(result, results_root)
        made.append(result)
    return made


def assess(run_dir: Path, corpus: Corpus, report: Report = lambda _: None) -> dict[str, Assessment]:
    """What a scorer run says of every test recording, by id; reads what `evaluate` left, else it listens."""
    run = store.read_run(run_dir)
    utterances = list(corpus.split("test")[: run["limit"]])
    told, _, _ = _test(*_of_run(run_dir, run), corpus, utterances, report)
    return {u.id: one for u, one in zip(utterances, told, strict=True)}


def assess_by_package(
    folder: Path, corpus: Corpus, kept: Path, report: Report = lambda _: None
) -> dict[str, Assessment]:
    """What an exported scorer says of every test recording, by id; what it heard is kept under the folder `kept`."""
    loaded = packaged.load(folder)
    told, _, _ = _test(loaded.scorer, _ears(loaded, kept), corpus, list(corpus.split("test")), report)
    return {u.id: one for u, one in zip(corpus.split("test"), told, strict=True)}


def _of_run(run_dir: Path, run: dict[str, Any]) -> tuple[FittedScorer, list[Ear]]:
    """The scorer of a run and its listeners."""
    panel = run.get("panel", 1)  # like `level`, not named by runs that were fitted before there were any
    scorer = FittedScorer(packaged.session(run_dir / NETWORK), Calibration.from_json(run["calibration"]), panel)
    return scorer, [ear_of_run(run_dir.parent / name, run["layers"], run.get("level")) for name in run["listeners"]]


def _ears(loaded: Package, kept: Path) -> list[Ear]:
    """The listeners of an export, apart, so that they are asked one by one; what they hear is kept under `kept`."""

    def listen(
        place: int, waves: Sequence[Callable[[], np.ndarray]], report: Report
    ) -> Iterator[tuple[int, Listening]]:
        for k, wave in enumerate(waves):
            yield k, loaded.listen_by(place, wave())
            report(Progress(f"listen {loaded.facts['name']}", k + 1, len(waves)))

    name = loaded.run["run_id"]
    return [
        Ear(f"{name} {k}", f"{loaded.key} {loaded.level} {k}", kept / name, partial(listen, k))
        for k in range(len(loaded.acoustic))
    ]


def _test(
    scorer: FittedScorer, ears: Sequence[Ear], corpus: Corpus, utterances: list[Utterance], report: Report
) -> tuple[list[Assessment], list[dict[str, Assessment]], list[str]]:
    """Assessments of the recordings, those of the controls, and how many controls were refused."""
    jobs = {"true": descriptions.of(utterances), **descriptions.of_controls(utterances, 1, stand_ins.EVERY)}
    heard = _answers(scorer, ears, corpus, jobs, report)
    calibration = scorer.calibration
    told = {name: {id: assessment(a, calibration) for id, a in answers.items()} for name, answers in heard.items()}
    notes = []
    for name in controls.CONTROLS:
        if refused := len(jobs[name]) - len(told[name]):
            notes.append(
                f"{refused} of {len(jobs[name])} {name} recordings are too short for the text: refused, left out"
            )
    others = [{name: told[name][u.id] for name in controls.CONTROLS if u.id in told[name]} for u in utterances]
    return [told["true"][u.id] for u in utterances], others, notes


def _answers(
    scorer: FittedScorer, ears: Sequence[Ear], corpus: Corpus, jobs: dict[str, list[Job]], report: Report
) -> dict[str, dict[str, Answer]]:
    """Answers by kind of audio and utterance, the mean of the panels of listeners."""
    together: dict[str, dict[str, list[Answer]]] = {name: {} for name in jobs}
    flat = descriptions.named(jobs)
    for panel in panels(ears, scorer.panel):
        found = by_panel(panel, corpus, "test", flat, lenient=True, report=report)
        for name, part in jobs.items():
            for job in part:
                if f"{name} {job.name}" in found:
                    answer = scorer.answer(found[f"{name} {job.name}"])
                    together[name].setdefault(job.name, []).append(answer)
    short = [job.name for job in jobs["true"] if job.name not in together["true"]]
    if short:
        raise PhonobenchError(
            f"{corpus.name}: the audio of {short[0]} is too short for its text; copy the corpus again"
        )
    return {name: {id: mean(several) for id, several in part.items()} for name, part in together.items()}


def _result(
    run: dict[str, Any], corpus: Corpus, split: str, utterances: Sequence[Utterance], told: Sequence[Assessment],
    others: Sequence[dict[str, Assessment]], notes: list[str], bootstrap: tuple[int, int],
) -> Result:  # fmt: skip
    collected = assessed.collect(told, utterances, others)
    rows = {unit: table.with_constants(run["thresholds"]) for unit, table in collected.items()}
    draws = stats.speaker_draws(len({u.speaker for u in utterances}), *bootstrap)
    headline = [metric for metric in assessed.METRICS if metric.name in assessed.HEADLINE]
    broken = {
        dimension: {band: measure(headline, within(rows, mask), draws) for band, mask in masks.items()}
        for dimension, masks in bands(utterances).items()
    }
    if corpus.synthetic:
        notes = [*notes, "figures are of synthetic speech and of simulated raters"]
    if run["limit"] is not None:
        notes = [*notes, f"a trial on the first {len(utterances)} utterances of the split: not to be cited"]
    trained = run["corpus"]
    return Result(
        protocol_version=results.PROTOCOL_VERSION, run_id=run["run_id"], split=cast(Split, split), task="assessment",
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        provenance=results.Provenance(
            corpus=results.CorpusFacts(name=corpus.name, fingerprint=corpus.fingerprint, synthetic=corpus.synthetic),
            split=results.SplitFacts(
                utterances=len(utterances), speakers=len({u.speaker for u in utterances}),
                words=sum(len(u.prompt.words) for u in utterances),
                phones=sum(len(u.prompt.phones) for u in utterances), complete=run["limit"] is None,
            ),
            model=results.ModelFacts(
                card=run["card"], card_key=run["card_key"], id=run["model"]["id"], revision=run["model"]["revision"],
                parameters=run["parameters"], trained_parameters=run["trained_parameters"],
            ),
            training=results.TrainingFacts(
                corpus=trained["name"], fingerprint=trained["fingerprint"], synthetic=trained["synthetic"],
                utterances=trained["train_utterances"], speakers=trained["train_speakers"], seed=run["seed"],
                recipe={**run["recipe"], "folds": run["runs"], "listeners": run["listeners"], "layers": run["layers"]},
                chosen_on="cross-validation",
            ),
            code=results.CodeFacts(version=provenance.versions()["phonobench"], revision=provenance.git_revision()),
            bootstrap=results.BootstrapFacts(resamples=bootstrap[0], seed=bootstrap[1]),
            posteriors={},
        ),
        metrics=measure(assessed.METRICS, rows, draws), breakdowns=broken, notes=notes,
        thresholds={
            name: ThresholdFacts(value=at, chosen_on="cross-validation") for name, at in run["thresholds"].items()
        },
    )  # fmt: skip
