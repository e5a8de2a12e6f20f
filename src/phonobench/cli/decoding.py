"""`phonobench decode`: how a run's posteriors become phones, chosen on dev or given."""

from __future__ import annotations

from typing import Annotated

import typer

from phonobench import corpora, store
from phonobench.cli.options import RUNS, CorpusOption, JsonOption, RunsOption
from phonobench.cli.output import print_caveats, print_json, print_line, print_note, print_table, progress

SHOWN = 8


def choose_decoder(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Run id, the beginning of one, or a folder.")],
    given: Annotated[
        str | None,
        typer.Option("--decoder", metavar="TEXT", help="greedy, beam:8, beam:8:+0.25 (nats on the blank)."),
    ] = None,
    corpus: CorpusOption = None,
    runs: RunsOption = RUNS,
    as_json: JsonOption = False,
) -> None:
    """Choose the decoder of a run on dev by PER (HQ), best path or beam, and the blank with it. Evaluate it then."""
    run_dir = store.find_run(run, runs)
    from phonobench import ctc
    from phonobench.evaluate import decoders

    if given is not None:
        decoders.write(run_dir, ctc.decoder(given))
    else:
        found = corpora.find(corpus)
        print_caveats(found, store.read_run(run_dir).get("limit"), to_stderr=as_json)
        with progress() as report:
            rates = decoders.error_rates(run_dir, found, report=report)
        decoders.write(run_dir, next(iter(rates)), rates, decoders.chosen_by(run_dir, found))
    facts = store.read_run(run_dir)["decoder"]
    if as_json:
        print_json({"run": run_dir.name, **facts})
        return
    if given is None:
        tried = facts.get("dev_per_hq") or facts["dev_per"]
        column = "dev PER HQ %" if "dev_per_hq" in facts else "dev PER %"
        rows = [(name, f"{100 * rate:.2f}") for name, rate in list(tried.items())[:SHOWN]]
        print_table(f"{run_dir.name}: the best of {len(tried)}", ("decoder", column), rows)
        if "chosen_by" in facts:
            print_note(f"chosen by PER over all dev utterances: {facts['chosen_by']}")
    print_line(f"{run_dir.name} is decoded by {facts['name']}")
    print_note(f"next: phonobench evaluate {run_dir.name}")
