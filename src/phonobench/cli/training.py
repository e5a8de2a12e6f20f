"""`phonobench train` and `phonobench infer`: the two verbs that need torch, imported when they run."""

from __future__ import annotations

from typing import Annotated, cast

import typer

from phonobench import corpora, store
from phonobench.bench import SPLITS, require_torch
from phonobench.cli.options import (
    RUNS,
    CorpusOption,
    JsonOption,
    LimitOption,
    ModelsOption,
    RunsOption,
    SetOption,
    is_first_process,
    parse_settings,
    use_models,
)
from phonobench.cli.output import print_caveats, print_json, print_line, print_note, print_table, progress
from phonobench.corpora.choice import TITLES, dev_per
from phonobench.systems import cards, recipe
from phonobench.types import Split


def train_system(
    system: Annotated[str, typer.Argument(metavar="SYSTEM", help="Name of a system; see `phonobench list`.")],
    recipe_name: Annotated[
        str | None, typer.Option("--recipe", help="A preset; the system's own where none is given.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Whatever is random comes from it.")] = 0,
    settings: SetOption = None,
    model: Annotated[
        str | None, typer.Option(metavar="FOLDER|HUB-ID", help="The checkpoint, in place of the system's own.")
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", metavar="RUN", help="A trained run of this system to go on from.")
    ] = None,
    member: Annotated[
        list[str] | None,
        typer.Option(metavar="RUN|SYSTEM", help="Of a system made of others: a trained run, or a system (repeatable)."),
    ] = None,
    fold: Annotated[
        int, typer.Option(min=0, max=corpora.FOLDS - 1, help="Which fifth of the speakers is dev; 0 is the protocol's.")
    ] = 0,
    corpus: CorpusOption = None,
    runs: RunsOption = RUNS,
    models: ModelsOption = None,
    limit: LimitOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a system on the train speakers; the best epoch on the dev speakers is kept. Resumes by itself."""
    use_models(models)
    card = cards.find(system)
    chosen = recipe.with_settings(recipe.find(recipe_name or card.recipe), parse_settings(settings))
    begun = None if start is None else store.find_run(start, runs)
    require_torch()
    from phonobench.neural.training import loop

    found = corpora.find(corpus)
    if is_first_process():
        print_caveats(found, limit, to_stderr=as_json)
    with progress() as report:
        run_dir = loop.train(
            card,
            chosen,
            found,
            runs,
            seed=seed,
            source=model,
            limit=limit,
            start=begun,
            fold=fold,
            members=store.find_members(member, runs),
            report=report,
        )
    if not is_first_process():
        return
    manifest = store.read_run(run_dir)
    if as_json:
        print_json(manifest)
        return
    # A run from before `chosen_by` was kept was chosen by PER (HQ).
    chosen_by = manifest.get("chosen_by", {"metric": "per_hq", "reason": None})
    best = min(per for per in map(dev_per, manifest["history"]) if per is not None)
    title = TITLES[chosen_by["metric"]]
    print_line(f"{run_dir.name}: {title} on dev {100 * best:.2f} % after epoch {manifest['best_epoch']}")
    if chosen_by["reason"] is not None:
        print_note(f"the epoch was chosen by {title} over all dev utterances: {chosen_by['reason']}")
    print_note(f"next: phonobench infer {run_dir.name}")


def infer_run(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Run id, the beginning of one, or a folder.")],
    split: Annotated[
        list[str] | None, typer.Option(help="train, dev or test (repeatable); dev and test where none is given.")
    ] = None,
    controls: Annotated[bool, typer.Option(help="Infer silence and noise too, for the negative controls.")] = True,
    model: Annotated[
        str | None, typer.Option(metavar="FOLDER|HUB-ID", help="Where a frozen encoder's checkpoint lies.")
    ] = None,
    corpus: CorpusOption = None,
    runs: RunsOption = RUNS,
    models: ModelsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Store a run's posteriors of dev and test (and of the controls). Resumes by itself."""
    use_models(models)
    run_dir = store.find_run(run, runs)
    require_torch()
    from phonobench.neural import inference

    limit = store.read_run(run_dir).get("limit")
    found = corpora.find(corpus)
    if is_first_process():
        print_caveats(found, limit, to_stderr=as_json)
    with progress() as report:
        inference.infer(
            run_dir, found, cast(list[Split], split) or SPLITS, controls=controls, source=model, report=report
        )
    if not is_first_process():
        return
    stored = {folder.name: len(store.posteriors_done(folder)) for folder in sorted((run_dir / "posteriors").iterdir())}
    if as_json:
        print_json({"run": run_dir.name, "folder": str(run_dir), "utterances": stored})
        return
    print_table(f"Posteriors of {run_dir.name}", ("split", "utterances"), [(n, str(c)) for n, c in stored.items()])
    print_note(f"next: phonobench evaluate {run_dir.name}")
