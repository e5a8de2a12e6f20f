"""Gathers everything a page shows from posteriors, results and sound files, and writes it as one HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from phonobench import evaluate, store
from phonobench.assessment.formats.page import sound
from phonobench.evaluate import SplitPredictions, gap
from phonobench.phones import ARPABET_TO_IPA
from phonobench.report import gap_markdown, labels, leaderboard, markdown, provenance_rows, runs
from phonobench.report.leaderboard import Entry, Table
from phonobench.report.page import cases, curves, html
from phonobench.report.published import SOURCE_ROWS
from phonobench.stats import speaker_draws
from phonobench.tasks import metrics
from phonobench.tasks.task import DASH
from phonobench.types import Corpus, OnProgress, PhonobenchError, Progress, Split

AUDIO_BYTES = 10_000_000
"""Sound files that a page holds, before base64 (a third more)."""
RESAMPLES = 1000
"""Draws behind the intervals that the page itself computes (by phone, by length); `gap` has more of its own."""

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""A system's short name on the page."""


@dataclass(frozen=True, eq=False)
class Page:
    """All that the template needs: the table of the leaderboard and the data of the script."""

    table: Table
    data: dict[str, Any]


def build(
    run_dirs: Sequence[Path], corpus: Corpus, results_root: Path, split: Split = "test", *,
    thresholds: gap.Thresholds | None = None, resamples: int = gap.RESAMPLES, audio_bytes: int = AUDIO_BYTES,
    report: OnProgress = lambda _: None,
) -> Page:  # fmt: skip
    """Reads and computes the page of some runs on one split. With two or more, the first two make the gap section.

    Args:
        run_dirs: The folders of the runs.
        corpus: The one that they were inferred on.
        results_root: The folder of all results.
        split: train, dev or test.
        thresholds: Of the gap's cases; None: the defaults.
        resamples: Draws of the gap.
        audio_bytes: What the embedded sound files may take.
        report: Called with the progress.

    Returns:
        The page, ready to be rendered.

    Raises:
        PhonobenchError: Where a run lacks results or posteriors, or where the runs cover other utterances.
    """
    table = _table(run_dirs, corpus, results_root, split)
    predicted = [evaluate.predict_split(run_dir, corpus, split, controls=False, report=report) for run_dir in run_dirs]
    utterances = predicted[0].utterances
    if any([u.id for u in one.utterances] != [u.id for u in utterances] for one in predicted):
        raise PhonobenchError("the runs do not cover the same utterances (a trial with --limit?): name others")
    report(Progress("compute the page", 0, 1))
    draws = speaker_draws(len({u.speaker for u in utterances}), RESAMPLES)
    pers = np.array([gap.error_rates(one) for one in predicted])
    for one, per in zip(predicted, pers, strict=True):
        _check_agrees(one, per, next(entry for entry in table.entries if entry.run_id == one.run_id))
    difference = None
    if len(predicted) > 1:
        difference = gap.analyse(
            predicted[0], predicted[1], corpus.name, corpus.synthetic, thresholds, resamples=resamples
        )
    confused = [cases.confusions(one) for one in predicted]
    chosen = cases.choose(utterances, pers, _gap_indices(difference, utterances), confused, audio_bytes)
    entries = {entry.run_id: entry for entry in table.entries}
    data = {
        "meta": {"split": split, "corpus": corpus.name, "synthetic": corpus.synthetic, "hq": 8},
        "metrics": {
            name: {"label": one.heading, "factor": one.display.factor, "decimals": one.display.decimals}
            for name, one in metrics().items()
        },
        "main": labels.MAIN,
        "broken_down": labels.BROKEN_DOWN,
        "ipa": ARPABET_TO_IPA,
        "systems": [
            {"letter": letter, **_system(run_dir, one, entries[one.run_id], draws)}
            for letter, run_dir, one in zip(LETTERS[: len(run_dirs)], run_dirs, predicted, strict=True)
        ],
        "source": [asdict(row) for row in SOURCE_ROWS] if table.has_source_rows else [],
        "utterances": [[u.id, u.speaker, u.prompt.text, u.judgement.accuracy, u.age, u.gender] for u in utterances],
        "per": [[round(float(per), 4) for per in row] for row in pers],
        "confusion": [
            {key: [len(found), _listed(found, chosen)] for key, found in table.items()} for table in confused
        ],
        "gap": None if difference is None else _gap(difference),
    }
    report(Progress("compute the page", 1, 1))
    data["order"] = list(chosen)  # an object in JavaScript sorts its keys
    data["cases"] = _cases(run_dirs, predicted, chosen, split, report)
    return Page(table, store.without_nan(data))


def render(page: Page, gap_first: bool = False) -> str:
    """The page as HTML.

    Args:
        page: What `build` made.
        gap_first: Puts the gap and its cases before all else.

    Returns:
        One file that needs nothing else.
    """
    letters = {system["id"]: system["letter"] for system in page.data["systems"]}
    return html.render(
        "page.html.j2", page.data, ("page.js", "charts.js", "cases.js"),
        table=page.table, board=_board(page.table, letters), headings=[labels.heading(name) for name in labels.SUMMARY],
        legend=markdown.LEGEND.split(" The best value")[0].replace("`", ""), gap_first=gap_first,
    )  # fmt: skip


def _table(run_dirs: Sequence[Path], corpus: Corpus, results_root: Path, split: str) -> Table:
    ids = [store.read_run(run_dir)["run_id"] for run_dir in run_dirs]
    if len(set(ids)) < len(ids) or not 0 < len(ids) <= len(LETTERS):
        raise PhonobenchError(f"a report is of 1 to {len(LETTERS)} different runs; {len(ids)} are named")
    tables = leaderboard.build(results_root, split).tables
    for table in tables:
        entries = tuple(entry for entry in table.entries if entry.run_id in ids)
        if table.fingerprint == corpus.fingerprint and len(entries) == len(ids):
            return Table(**{**vars(table), "entries": entries})
    known = {entry.run_id for table in tables if table.fingerprint == corpus.fingerprint for entry in table.entries}
    missing = [id for id in ids if id not in known]
    if missing:
        raise PhonobenchError(
            f"{results_root} has no {split} results of {missing[0]}: `phonobench evaluate` makes them"
        )
    raise PhonobenchError("some of the runs are trials on a part of the split: report them apart")


def _check_agrees(predicted: SplitPredictions, per: np.ndarray, entry: Entry) -> None:
    """PhonobenchError where the stored figures are of other posteriors, or of another decoder, than those of now."""
    length = np.array([len(u.prompt.phones) for u in predicted.utterances])
    stored, now = entry.metrics.get("per"), float((per * length).sum() / length.sum())
    other_key = entry.provenance["posteriors"].get(predicted.split) != predicted.keys[predicted.split]
    if other_key or stored is None or stored.value is None or abs(stored.value - now) > 1e-6:
        raise PhonobenchError(
            f"results of {entry.run_id} are not of its posteriors as they are decoded now: "
            f"`phonobench evaluate {entry.run_id}` makes them agree"
        )


def _board(table: Table, letters: dict[str, str]) -> list[dict[str, Any]]:
    """Rows of the leaderboard as text: who, and a cell a metric of the summary."""
    names = labels.SUMMARY
    rows = [
        {"letter": letters[e.run_id], "name": e.title, "how": e.name.removeprefix(f"{e.title}, "), "input": e.input,
         "size": f"{e.parameters / 1e6:.1f} M", "saw": e.saw_test_corpus, "theirs": False,
         "cells": [_cell(e, name) for name in names]}
        for e in table.entries
    ]  # fmt: skip
    for row in SOURCE_ROWS if table.has_source_rows else ():
        cells = [(labels.number(getattr(row, name, None), name), "") for name in names]
        rows.append({"letter": "", "name": row.system, "how": row.note or "as published", "input": row.input,
                     "size": "", "saw": "", "theirs": True, "cells": cells})  # fmt: skip
    return rows


def _cell(entry: Entry, name: str) -> tuple[str, str]:
    value = entry.metrics.get(name)
    if value is None:
        return DASH, ""
    return labels.number(value.value, name), labels.span(value, name) or str(value.reason)


def _system(run_dir: Path, predicted: SplitPredictions, entry: Entry, draws: np.ndarray) -> dict[str, Any]:
    run = store.read_run(run_dir)
    epochs, speed, bins = runs.history(run), runs.speed(run_dir, predicted.split), curves.calibration(predicted)
    return {
        "id": entry.run_id,
        "name": entry.name,
        "parameters": entry.parameters,
        "trained": run.get("trained_parameters"),
        "seconds": epochs[-1].seconds if epochs else None,
        "speed": None if speed is None else asdict(speed),
        "history": [[e.epoch, e.loss, e.dev_per] for e in epochs],
        "fusion": run.get("fusion"),
        "best_epoch": run.get("best_epoch") if epochs else None,
        "facts": provenance_rows.of(entry),
        "metrics": {name: value.model_dump() for name, value in entry.metrics.items()},
        "breakdowns": {
            **{
                dimension: {band: {n: v.model_dump() for n, v in found.items()} for band, found in bands.items()}
                for dimension, bands in entry.breakdowns.items()
            },
            "length": curves.by_length(predicted, draws),
        },
        "roc": curves.rocs(predicted),
        "calibration": bins,
        "calibration_error": curves.calibration_error(bins),
        "phones": curves.by_phone(predicted, draws),
    }


def _gap(found: gap.GapAnalysis) -> dict[str, Any]:
    fields = {k: v for k, v in asdict(found).items() if k != "cases"}
    titles = gap_markdown.titles(found)
    kinds = {kind: [title, len(found.of_kind(kind))] for kind, title in titles.items()}
    return {**fields, "kinds": kinds, "legend": gap_markdown.legend(found)}


def _gap_indices(found: gap.GapAnalysis | None, utterances: Sequence[Any]) -> dict[str, list[int]]:
    if found is None:
        return {}
    place = {u.id: index for index, u in enumerate(utterances)}
    kinds = gap_markdown.titles(found)
    return {kind.replace("_", " "): [place[case.id] for case in found.of_kind(kind)] for kind in kinds}


def _listed(found: Sequence[int], chosen: dict[int, list[str]]) -> list[int]:
    """The utterances a confusion cell lists: those that can be played first."""
    distinct = dict.fromkeys(found)
    return sorted(distinct, key=lambda index: index not in chosen)[: cases.LISTED]


def _cases(
    run_dirs: Sequence[Path],
    predicted: Sequence[SplitPredictions],
    chosen: dict[int, list[str]],
    split: str,
    report: OnProgress,
) -> dict[str, Any]:
    utterances = predicted[0].utterances
    evidence = [cases.evidence_by_id(run_dir, split, [utterances[i].id for i in chosen]) for run_dir in run_dirs]
    found = {}
    for done, (index, tags) in enumerate(chosen.items(), start=1):
        u = utterances[index]
        found[str(index)] = {
            "tags": tags,
            **asdict(sound.embed(u.audio)),
            "words": [[word.text, len(word.phones)] for word in u.prompt.words],
            "phones": list(u.prompt.phones),
            "human": list(u.judgement.phone_accuracy),
            "named": list(u.judgement.perceived),
            "systems": [
                cases.detail(one, index, of(u.id)) for one, of in zip(predicted, evidence, strict=True)
            ],
        }  # fmt: skip
        report(Progress("embed sound", done, len(chosen)))
    return found
