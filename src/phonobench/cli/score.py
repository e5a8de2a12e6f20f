"""`phonobench score`: how well recordings are pronounced, sentence, word and phone, without torch or a network."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phonobench.cli.options import JsonOption, debugging
from phonobench.cli.output import print_error, print_note, progress
from phonobench.types import PhonobenchError, Progress

if TYPE_CHECKING:
    from phonobench.assessment.formats import Format
    from phonobench.assessment.schema import Score
    from phonobench.assessment.scoring import Assessor
    from phonobench.assessment.scoring.batch import Request
    from phonobench.assessment.scoring.lines import Lines


@dataclass(frozen=True)
class Target:
    """A format and the place it goes to: a file, a folder, or (None) stdout."""

    format: Format
    place: Path | None

    def files(self, requests: Sequence[Request]) -> list[Path]:
        """Every file that will be written."""
        from phonobench.assessment.formats.format import paths

        if self.place is None:
            return []
        if self.format.layout == "files":
            return paths([one.file for one in requests], self.place, self.format.suffixes[0])
        return [self.place]

    def is_stream(self, requests: Sequence[Request]) -> bool:
        """True where each score goes on as soon as it is made: to stdout, or as a line of a file."""
        if self.format.layout != "stream":
            return False
        return self.place is None or len(requests) > 1 or self.place.suffix in self.format.line_suffixes


@dataclass(frozen=True)
class Settings:
    """How the scores are made."""

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
    format: Annotated[
        str | None, typer.Option(metavar="NAME", help="What goes to stdout or -o: text, json, azure, textgrid, html.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="JSON into this file; for many recordings lines, continued.")
    ] = None,
    textgrid: Annotated[Path | None, typer.Option(help="A Praat TextGrid, or a folder of them.")] = None,
    html: Annotated[Path | None, typer.Option(help="One page to see and play, without network.")] = None,
    package: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Another model: what `phonobench export` made.")
    ] = None,
    lexicon: Annotated[
        Path | None, typer.Option(help="Own pronunciations: lines of a word and its ARPAbet phones.")
    ] = None,
    false_alarms: Annotated[float, typer.Option(help="Share of well-said phones that may be flagged.")] = 0.05,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that were not made by this command, too.")
    ] = False,
) -> None:
    """Score how recordings are pronounced: 0 to 100 for sentence, words and phones. Needs no torch."""
    targets = _targets("json" if as_json else format, output, {"textgrid": textgrid, "html": html})
    requests = _requests(files, text, phones, listed)
    _claim(targets, requests, [path for path in (listed, lexicon) if path is not None], overwrite)
    from phonobench.assessment import scoring
    from phonobench.assessment.scoring import arguments

    arguments.check_false_alarms(false_alarms)
    loaded = scoring.load(package)
    loaded.scorer.threshold(false_alarms)  # refuses, before any work, a share that this package does not serve
    _score(requests, loaded, targets, Settings(lexicon, false_alarms), overwrite)


def _targets(name: str | None, output: Path | None, extra: dict[str, Path | None]) -> list[Target]:
    """What is to be written where: the main format first."""
    from phonobench.assessment import formats

    if name is None or (name == formats.TO_TERMINAL and output is not None):
        name = formats.TO_TERMINAL if output is None else formats.TO_FILE
    if name not in formats.FORMATS:
        raise PhonobenchError(f"--format {name}: one of {', '.join(formats.FORMATS)}")
    main = Target(formats.FORMATS[name], output)
    return [main, *(Target(formats.FORMATS[name], place) for name, place in extra.items() if place is not None)]


def _claim(targets: Sequence[Target], requests: list[Request], others: Sequence[Path], overwrite: bool) -> None:
    """Refuses, before any work is done, what would destroy an input or a file of another origin."""
    from phonobench.store import outputs

    inputs = [path for one in requests for path in one.inputs()]
    inputs += others
    written: dict[Path, str] = {}
    for target in targets:
        grows = target.is_stream(requests)  # such a file is looked at when it is opened, whole and under its lock
        for path in target.files(requests):
            outputs.claim(path, inputs=inputs, is_ours=target.format.is_ours, overwrite=overwrite or grows)
            if path.resolve() in written:
                raise PhonobenchError(f"{path} is to be {written[path.resolve()]} and {target.format.name}: name two")
            written[path.resolve()] = target.format.name


def _requests(files: list[str] | None, text: str | None, phones: str | None, listed: Path | None) -> list[Request]:
    from phonobench.assessment.scoring import batch

    if (listed is None) == (not files):
        raise PhonobenchError("name sound files or folders, or a --list of them: phonobench score my.wav --text '...'")
    if listed is None:
        return batch.of_paths(files or [], text, phones, print_note)
    if text is not None or phones is not None:
        raise PhonobenchError("with --list the texts stand in the CSV: leave out --text and --phones")
    return batch.of_list(listed)


def _score(
    requests: list[Request], package: Assessor, targets: Sequence[Target], settings: Settings, overwrite: bool
) -> None:
    """Score one after the other; what streams is written at once, the rest at the end.

    Raises:
        PhonobenchError: A recording could not be scored. The others are.
    """
    main, alone = targets[0], len(requests) == 1
    streams, at_end = main.is_stream(requests), [one for one in targets if not one.is_stream(requests)]
    kept: list[tuple[Request, Score]] = []
    done = known = 0
    lines = _lines(main, overwrite) if streams and main.place is not None else None
    try:
        shows = not alone and (main.place is not None or not sys.stdout.isatty())
        with progress() if shows else nullcontext(lambda _: None) as report:
            report(Progress("score", 0, len(requests)))
            for request, made, is_new in _scores(requests, package, settings, lines, bool(at_end)):
                done, known = done + 1, known + (not is_new)
                report(Progress("score", done, len(requests), request.file))
                if made is not None and at_end:
                    kept.append((request, made))
                if made is not None and streams and lines is None:
                    print(main.format.alone(made, None) if alone else main.format.among_many(made), flush=True)
    finally:
        if lines is not None:
            _close(lines, known, len(requests))
    for target in at_end if kept else ():
        _write(target, kept, requests)
    if done < len(requests):
        raise PhonobenchError(f"{len(requests) - done} of {len(requests)} recordings could not be scored (see above)")


def _scores(
    requests: list[Request], package: Assessor, settings: Settings, lines: Lines | None, parsed: bool
) -> Iterator[tuple[Request, Score | None, bool]]:
    """Each request with its score and whether it is new. One that cannot be scored is named and left out, unless it
    is the only one. The score of one that `lines` has already is None, unless it is wanted `parsed`.
    """
    from phonobench.assessment import scoring
    from phonobench.assessment.scoring import inputs
    from phonobench.pronounce import lexicon as lexicons

    own = lexicons.read(settings.lexicon) if settings.lexicon else None
    for request in requests:
        try:
            resolved = request.resolved()
            made_of = inputs.hashes(resolved, package, own, settings.false_alarms)
            former = None if lines is None or made_of is None else lines.take(resolved, made_of)
            if former is not None and lines is not None:
                kept = lines.score_of(former) if parsed else None
                if kept is not None or not parsed:
                    yield request, kept, False
                    continue
            made = scoring.score(
                resolved.file,
                resolved.text,
                phones=resolved.phones,
                package=package,
                lexicon=own,
                false_alarms=settings.false_alarms,
            ).model_copy(update={"inputs": made_of})
        except PhonobenchError as fault:
            if len(requests) == 1:
                raise
            print_error(str(fault), prefix="not scored: ")
            continue
        except Exception as fault:  # a bug that one recording brings out must not lose the others
            if len(requests) == 1 or debugging():
                raise
            print_error(f"{request.file}: {type(fault).__name__}: {fault} (--debug shows more)", prefix="not scored: ")
            continue
        if lines is not None:
            lines.add(made, resolved)
        yield request, made, True


def _lines(target: Target, overwrite: bool) -> Lines:
    from phonobench.assessment.scoring.lines import Lines

    assert target.place is not None
    return Lines(target.place, target.format, overwrite)


def _close(lines: Lines, known: int, total: int) -> None:
    """Close the file of lines, and say what was kept of it and what was not."""
    lines.close()
    if known:
        print_note(f"{known} of {total} are in {lines.path} already")
    if lines.outdated:
        reasons = ", ".join(f"{count}: {why}" for why, count in lines.outdated.most_common())
        print_note(f"{lines.path}: {lines.outdated.total()} lines were outdated ({reasons}) and are replaced")


def _write(target: Target, kept: Sequence[tuple[Request, Score]], requests: list[Request]) -> None:
    """What is written once all scores are there: a file, a file a recording, or one page of all."""
    from phonobench import store

    scores = [score for _, score in kept]
    if target.place is None:
        texts = (
            [target.format.write(scores)] if target.format.layout == "page" else map(target.format.among_many, scores)
        )
        for text in texts:
            print(text.rstrip("\n"))
        return
    if target.format.layout == "files":
        places = dict(zip(requests, target.files(requests), strict=True))
        for request, score in kept:
            store.write_bytes(places[request], target.format.write([score]).encode())
    elif target.format.layout == "page":
        store.write_bytes(target.place, target.format.write(scores).encode())
    else:
        store.write_bytes(target.place, (target.format.alone(scores[0], target.place) + "\n").encode())
    print_note(f"{target.format.name}: {target.place}")
