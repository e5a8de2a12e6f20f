"""`phonobench score`: how well recordings are pronounced, sentence, word and phone, without torch or a network."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phonobench.cli.options import JsonOption
from phonobench.cli.output import print_error, print_note, progress, to_json
from phonobench.types import PhonobenchError, Progress

if TYPE_CHECKING:
    from phonobench.assessment.schema import Score
    from phonobench.assessment.scoring import Assessor
    from phonobench.assessment.scoring.batch import Lines, Request

FORMATS = ("text", "json", "azure")


@dataclass(frozen=True)
class Wishes:
    """What is to become of the scores, and how they are made."""

    format: str
    output: Path | None
    textgrid: Path | None
    html: Path | None
    lexicon: Path | None
    false_alarms: float


def score_recordings(
    files: Annotated[
        list[str] | None, typer.Argument(metavar="FILE|FOLDER", help="Sound files, or folders of them.")
    ] = None,
    text: Annotated[
        str | None, typer.Option("--text", help="What was read; else the .txt beside each sound file.")
    ] = None,
    phones: Annotated[
        str | None, typer.Option(help="Its phones instead, ARPAbet or IPA: 'W IY | K AO L', | between words.")
    ] = None,
    listed: Annotated[
        Path | None, typer.Option("--list", metavar="CSV", help="Columns file and text (or phones), relative to it.")
    ] = None,
    as_json: JsonOption = False,
    format: Annotated[str, typer.Option(metavar="|".join(FORMATS), help="What goes to stdout or -o.")] = "text",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="JSON into this file; for many recordings lines, continued.")
    ] = None,
    textgrid: Annotated[Path | None, typer.Option(help="A Praat TextGrid, or a folder of them.")] = None,
    html: Annotated[Path | None, typer.Option(help="One page to see and hear, without network.")] = None,
    package: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Another model: what `phonobench export` made.")
    ] = None,
    lexicon: Annotated[
        Path | None, typer.Option(help="Own pronunciations: lines of a word and its ARPAbet phones.")
    ] = None,
    false_alarms: Annotated[
        float, typer.Option(min=0.001, max=0.5, help="Share of well-said phones that may be flagged.")
    ] = 0.05,
) -> None:
    """Score how recordings are pronounced: 0 to 100 for sentence, words and phones. Needs no torch."""
    format = "json" if as_json or (output is not None and format == "text") else format
    if format not in FORMATS:
        raise PhonobenchError(f"--format {format}: one of {', '.join(FORMATS)}")
    wishes = Wishes(format, output, textgrid, html, lexicon, false_alarms)
    requests = _requests(files, text, phones, listed)
    from phonobench.assessment import scoring
    from phonobench.assessment.formats import textgrid as textgrids

    if textgrid is not None:
        textgrids.paths([one.file for one in requests], textgrid)  # a clash of names is told before any work
    loaded = scoring.load(package)
    if len(requests) == 1:
        (made, _), *_ = _score_all(requests, loaded, wishes, {}, alone=True)
        _print_one(made, wishes)
        _write_extras([made], requests, wishes)
        return
    _score_many(requests, loaded, wishes)


def _requests(files: list[str] | None, text: str | None, phones: str | None, listed: Path | None) -> list[Request]:
    from phonobench.assessment.scoring import batch

    if (listed is None) == (not files):
        raise PhonobenchError("name sound files or folders, or a --list of them: phonobench score my.wav --text '...'")
    if listed is None:
        return batch.of_paths(files or [], text, phones)
    if text is not None or phones is not None:
        raise PhonobenchError("with --list the texts stand in the CSV: leave out --text and --phones")
    return batch.of_list(listed)


def _score_all(
    requests: list[Request], package: Assessor, wishes: Wishes, known: dict[Request, Score], alone: bool
) -> Iterator[tuple[Score, bool]]:
    """Each score and whether it is new. A recording that cannot be scored is told and left out, unless `alone`."""
    from phonobench.assessment import scoring
    from phonobench.pronounce import lexicon as lexicons

    own = lexicons.read(wishes.lexicon) if wishes.lexicon else None
    for request in requests:
        try:
            request = request.resolved()
            if request in known:
                yield known[request], False
                continue
            made = scoring.score(
                request.file, request.text, phones=request.phones, package=package, lexicon=own,
                false_alarms=wishes.false_alarms,
            )  # fmt: skip
        except PhonobenchError as fault:
            if alone:
                raise
            print_error(str(fault), prefix="not scored: ")
            continue
        yield made, True


def _score_many(requests: list[Request], package: Assessor, wishes: Wishes) -> None:
    """Scores one after the other, each written as soon as it is there. Raises PhonobenchError if any failed."""
    kept: list[Score] = []
    done = 0
    with _lines(wishes) as lines:
        known = _known(lines, requests, package, wishes)
        if known:
            print_note(f"{len(known)} of {len(requests)} are in {wishes.output} already")
        shows = lines is not None or not sys.stdout.isatty()
        with progress() if shows else nullcontext(lambda _: None) as report:
            report(Progress("score", 0, len(requests)))
            for made, new in _score_all(requests, package, wishes, known, alone=False):
                done += 1
                report(Progress("score", done, len(requests), made.file or ""))
                if wishes.html or wishes.textgrid:
                    kept.append(made)
                if lines is None:
                    _print_line(made, wishes)
                elif new:
                    lines.add(_line(made, wishes))
    _write_extras(kept, requests, wishes)
    if done < len(requests):
        raise PhonobenchError(f"{len(requests) - done} of {len(requests)} recordings could not be scored (see above)")


@contextmanager
def _lines(wishes: Wishes) -> Iterator[Lines | None]:
    if wishes.output is None:
        yield None
        return
    from phonobench.assessment.scoring.batch import Lines

    lines = Lines(wishes.output)
    try:
        yield lines
    finally:
        lines.close()


def _known(lines: Lines | None, requests: list[Request], package: Assessor, wishes: Wishes) -> dict[Request, Score]:
    """Scores that an earlier start left. Only our own format can be continued."""
    if lines is None or not lines.former:
        return {}
    if wishes.format != "json":
        raise PhonobenchError(f"{lines.path} is there already; only --json continues one: delete it, or name another")
    from phonobench.assessment.scoring import batch

    resolved = []
    for request in requests:
        try:
            resolved.append(request.resolved())
        except PhonobenchError:  # told when its turn comes
            continue
    return batch.done(lines, resolved, dict(package.facts), wishes.false_alarms)


def _line(score: Score, wishes: Wishes) -> str:
    """A score as one line of JSON."""
    import json

    if wishes.format == "json":
        return score.model_dump_json()
    from phonobench.assessment.formats import azure

    return json.dumps({"file": score.file, **azure.convert(score)}, ensure_ascii=False, allow_nan=False)


def _print_line(score: Score, wishes: Wishes) -> None:
    if wishes.format != "text":
        print(_line(score, wishes), flush=True)
        return
    from phonobench.assessment.formats import terminal

    terminal.show(score)


def _print_one(score: Score, wishes: Wishes) -> None:
    """The only score: to the terminal, or as an indented object to stdout or its file."""
    if wishes.format == "text":
        _print_line(score, wishes)
        return
    from phonobench import store
    from phonobench.assessment.formats import azure

    made = to_json(score.model_dump(mode="json") if wishes.format == "json" else azure.convert(score))
    if wishes.output is None:
        print(made)
    elif wishes.output.suffix == ".jsonl":
        store.write_bytes(wishes.output, (_line(score, wishes) + "\n").encode())
    else:
        store.write_bytes(wishes.output, (made + "\n").encode())


def _write_extras(scores: list[Score], requests: list[Request], wishes: Wishes) -> None:
    """The TextGrids and the page that were asked for."""
    if wishes.textgrid is not None:
        from phonobench.assessment.formats import textgrid

        targets = dict(
            zip(
                [one.file for one in requests],
                textgrid.paths([one.file for one in requests], wishes.textgrid),
                strict=True,
            )
        )
        for score in scores:
            textgrid.write(score, targets[score.file or ""])
        print_note(f"TextGrid: {wishes.textgrid}")
    if wishes.html is not None and scores:
        from phonobench import store
        from phonobench.assessment.formats import page

        store.write_bytes(wishes.html, page.render(scores).encode())
        print_note(f"page: {wishes.html}")
