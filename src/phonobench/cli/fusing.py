"""`phonobench fuse`: late fusion of runs from their stored posteriors, without torch."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from phonobench import corpora, store
from phonobench.cli.evaluation import GAP_COLUMNS, gap_row
from phonobench.cli.options import RESULTS, RUNS, CorpusOption, JsonOption, ResultsOption, RunsOption
from phonobench.cli.output import (
    figure,
    interval,
    print_caveats,
    print_json,
    print_line,
    print_note,
    print_table,
    progress,
)
from phonobench.types import PhonobenchError

if TYPE_CHECKING:
    from phonobench.evaluate import Comparison, Point

ALPHAS = (0.3, 0.5, 0.7)
"""Weights of the first of two runs where none are given: those of the source experiments."""
STEPS = {2: 100, 3: 20}
"""Into how many steps a weight is cut when weights are chosen on dev by frames; 10 for more runs than three."""
CURVE_STEPS = {"frames": 100, "likelihoods": 10}
"""Into how many steps the curve of two runs cuts the weight where nobody says."""
COMPARED = ("per_hq", "per", "utterance_pearson", "phone_pearson", "utterance_auc", "phone_auc")

Weights = tuple[float, ...]


def fuse_runs(
    named: Annotated[list[str], typer.Argument(metavar="RUN RUN...", help="Two or more runs; numbers go to --alpha.")],
    alpha: Annotated[
        list[str] | None,
        typer.Option("--alpha", metavar="A [A...]", help="Weights of the first of two runs; 0.3 0.5 0.7 if not given."),
    ] = None,
    weights: Annotated[
        list[str] | None, typer.Option("--weights", metavar="A,B,C", help="One weight a run, sum 1 (repeatable).")
    ] = None,
    method: Annotated[str, typer.Option(help="frames, or likelihoods (which takes any frame rates).")] = "frames",
    curve: Annotated[bool, typer.Option("--curve", help="Only show test at all weights of the first of two.")] = False,
    steps: Annotated[
        int | None,
        typer.Option(min=1, help="Steps of the curve's weight; 100 by frames, 10 by likelihoods if not given."),
    ] = None,
    resamples: Annotated[int, typer.Option(min=1, help="Bootstrap draws of speakers.")] = 1000,
    corpus: CorpusOption = None,
    runs: RunsOption = RUNS,
    results: ResultsOption = RESULTS,
    as_json: JsonOption = False,
) -> None:
    """Fuse runs late, at given weights and at those that dev chooses; evaluate, and compare with each member."""
    run_dirs = [store.find_run(name, runs) for name in named if not _is_number(name)]
    numbers = [name for name in named if _is_number(name)]
    if numbers and not alpha:
        raise PhonobenchError(f"{' '.join(numbers)}: name runs, and write weights after --alpha")
    from phonobench import evaluate, fusion

    how = fusion.method(method)
    joined = fusion.members(run_dirs, how)
    given = _weightings([*(alpha or ()), *numbers], weights or (), len(joined))
    if curve and len(joined) != 2:
        raise PhonobenchError("--curve is of two runs; give --weights for more of them")
    if steps and not curve:
        raise PhonobenchError("--steps is of --curve; name single weights by --alpha or --weights")
    found = corpora.find(corpus)
    print_caveats(found, joined[0].run.get("limit"), to_stderr=as_json)
    with progress() as report:
        if curve:
            shares_of = evaluate.grid(2, steps or CURVE_STEPS[how])
            points = evaluate.curve(run_dirs, found, "test", shares_of, method=how, resamples=resamples, report=report)
            chosen = evaluate.choose(run_dirs, found, how, shares_of, report=report)
        else:
            candidates = evaluate.grid(len(joined), STEPS.get(len(joined), 10)) if how == "frames" else given
            chosen = evaluate.choose(run_dirs, found, how, candidates, report=report)
            made = {}
            for shares in dict.fromkeys([chosen, *given]):
                by_dev = "dev" if shares == chosen else None
                made[shares] = fusion.fuse(run_dirs, shares, runs, method=how, chosen_on=by_dev, report=report)
                evaluate.evaluate(made[shares], found, results, resamples=resamples, report=report)
            compared = evaluate.compare(
                [*made.values(), *run_dirs], found, metrics=COMPARED, resamples=resamples, report=report
            )
    names = [member.name for member in joined]
    if curve:
        described = _described_curve(points, names, chosen, how)
        path = results / "fusions" / store.fingerprint([how, names])[:8] / f"curve-{len(points)}.json"
        _show_curve(points, names, chosen, described, as_json)
    else:
        described = _described(compared, made, names, chosen, how)
        path = results / made[chosen].name / "fusion.json"
        _show(compared, made, names, chosen, described, as_json)
    store.write_json(path, described)
    print_note(f"written to {path}")


def _described_curve(points: Sequence[Point], names: list[str], chosen: Weights, how: str) -> dict[str, Any]:
    """The curve as JSON. What dev chose is marked: the best of the points was chosen by nobody."""
    described = [{"weights": list(point.weights), **_estimates(point)} for point in points]
    return {"members": names, "method": how, "split": "test", "chosen_on_dev": list(chosen), "points": described}


def _show_curve(
    points: Sequence[Point], names: list[str], chosen: Weights, described: dict[str, Any], as_json: bool
) -> None:
    """Test at every weight."""
    if as_json:
        print_json(described)
        return
    print_line(f"Test, by the weight of {names[0]} (the rest is {names[1]}'s); * was chosen on dev")
    columns = ("weight", *points[0].metrics)
    rows = [
        (
            f"{'* ' if point.weights == chosen else ''}{point.weights[0]:.2f}",
            *(f"{figure(n, e.value)} {interval(n, e.low, e.high)}" for n, e in point.metrics.items()),
        )
        for point in points
    ]
    print_table("", columns, rows, right=columns)


def _estimates(point: Point) -> dict[str, Any]:
    return {name: store.without_nan(dataclasses.asdict(estimate)) for name, estimate in point.metrics.items()}


def _described(
    compared: Comparison, made: dict[Weights, Path], names: list[str], chosen: Weights, how: str
) -> dict[str, Any]:
    """Every fused run beside every member, paired, as JSON."""
    fused = {folder.name: list(shares) for shares, folder in made.items()}
    return {
        "members": names,
        "method": how,
        "chosen_on_dev": list(chosen),
        "split": compared.split,
        "utterances": compared.utterances,
        "speakers": compared.speakers,
        "resamples": compared.resamples,
        "fused": fused,
        "gaps": [store.without_nan(vars(gap)) for gap in compared.gaps if gap.a in fused and gap.b in names],
    }


def _show(
    compared: Comparison,
    made: dict[Weights, Path],
    names: list[str],
    chosen: Weights,
    described: dict[str, Any],
    as_json: bool,
) -> None:
    """Every fused run beside every member, paired."""
    if as_json:
        print_json(described)
        return
    fused = {folder.name: shares for shares, folder in made.items()}
    gaps = [gap for gap in compared.gaps if gap.a in fused and gap.b in names]
    letters = {run: chr(ord("A") + place) for place, run in enumerate(compared.runs)}
    for run, letter in letters.items():
        print_line(f"{letter} = {run}{' (chosen on dev)' if fused.get(run) == chosen else ''}")
    print_line(f"{compared.split}: {compared.utterances} utterances of {compared.speakers} speakers, paired\n")
    rows = [gap_row(gap, letters) for gap in gaps]
    print_table("", GAP_COLUMNS, rows, right=GAP_COLUMNS[2:8])
    print_note(
        f"p after Holm counts all pairs of these {len(letters)} runs; the fused ones are now runs like any other"
    )


def _weightings(alphas: Sequence[str], weights: Sequence[str], parts: int) -> list[Weights]:
    """What was typed as weightings of `parts` runs. Raises PhonobenchError for what is no weighting of them."""
    from phonobench import evidence

    if alphas and parts != 2:
        raise PhonobenchError(f"--alpha is of two runs, {parts} are named: write --weights A,B,C")
    found = []
    for text in (part for alpha in alphas for part in alpha.split(",")):
        share = _number(text, "--alpha")
        found.append(evidence.check_weights((share, 1.0 - share), parts))
    for text in weights:
        found.append(evidence.check_weights([_number(part, "--weights") for part in text.split(",")], parts))
    if found:
        return found
    return [(share, 1.0 - share) for share in ALPHAS] if parts == 2 else [(1 / parts,) * parts]


def _number(text: str, option: str) -> float:
    if not _is_number(text):
        raise PhonobenchError(f"{option} {text}: {text!r} is no number")
    return float(text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
