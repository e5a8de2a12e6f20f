"""`phonobench corpus`: check a copy, print what is in it, or fetch one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from phonobench import corpora
from phonobench.cli.options import CorpusOption, JsonOption
from phonobench.cli.output import print_json, print_line, print_note, print_table, progress
from phonobench.types import OnProgress, PhonobenchError

_ROWS = {
    "utterances": "utterances",
    "speakers": "speakers",
    "children": "  of them children",
    "words": "words",
    "phones": "phones",
    "mispronounced": "  mispronounced",
    "heard": "  of them with the perceived phone",
    "perceived": "  with a perceived phone",
}
"""By the field of the statistics the heading of its row."""


def check_corpus(
    named: Annotated[
        str | None,
        typer.Argument(metavar="[FOLDER|NAME]", help="As --corpus; with --download the name of what is fetched."),
    ] = None,
    corpus: CorpusOption = None,
    download: Annotated[
        bool, typer.Option("--download", help="Fetch a corpus first: SpeechOcean762 (OpenSLR 101) if none is named.")
    ] = False,
    folder: Annotated[Path, typer.Option("--to", help="Where a download goes; it is found there later.")] = Path(
        "shared"
    ),
    urls: Annotated[
        list[str] | None,
        typer.Option("--url", help="Fetch the archive from here instead (repeatable, tried in order)."),
    ] = None,
    sha256: Annotated[
        str | None, typer.Option("--sha256", help="Refuse an archive with any other SHA-256 (hex).")
    ] = None,
    check_audio: Annotated[bool, typer.Option("--check-audio", help="Decode every sound file too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Check a copy of a corpus, against the published counts where there are some, and print its statistics."""
    if download and corpus is not None:
        raise PhonobenchError("--download fetches a new copy and --corpus reads one: give one of them")
    if named is not None and corpus is not None:
        raise PhonobenchError(f"{named} and --corpus {corpus}: name one of them")
    if not download and (urls or sha256):
        raise PhonobenchError("--url and --sha256 say what to fetch: give --download with them")
    if sha256 is not None and re.fullmatch("[0-9a-fA-F]{64}", sha256) is None:
        raise PhonobenchError(f"--sha256 {sha256}: a SHA-256 has 64 hexadecimal digits")
    with progress() as report:
        if download:
            wanted = _fetchable(named or corpora.DEFAULT)
            found = wanted.read(_fetch(wanted, folder, tuple(urls or ()), sha256, report))
        else:
            found = corpora.find(named or corpus)
        faults = None
        if check_audio:
            faults = corpora.check_audio(found, report)
    statistics = {"root": str(found.root), **corpora.statistics(found)}
    if faults is not None:
        statistics["audio_faults"] = [
            {"utterance": fault.utterance, "path": str(fault.path), "message": fault.message} for fault in faults
        ]
    if as_json:
        print_json(statistics)
    else:
        _print(statistics)
    if faults:
        raise typer.Exit(1)


def _fetchable(name: str) -> corpora.Specification:
    """The corpus of that name. Raises PhonobenchError for one that is not known or has no address."""
    known = [spec.name for spec in corpora.CORPORA.values() if spec.urls]
    if name not in corpora.CORPORA:
        raise PhonobenchError(f"--download {name}: no such corpus; these can be fetched: {', '.join(known)}")
    return corpora.CORPORA[name]


def _fetch(
    wanted: corpora.Specification, folder: Path, urls: tuple[str, ...], sha256: str | None, report: OnProgress
) -> Path:
    """Fetches a corpus into `folder` and prints address and hash; returns the corpus' folder."""
    from phonobench.corpora.download import fetch

    fetched = fetch(folder, wanted, urls=urls, sha256=sha256, progress=report)
    if fetched.url:
        print_note(f"fetched {fetched.url}, {fetched.size:,} bytes, SHA-256 {fetched.sha256}")
    return fetched.root


def _print(statistics: dict[str, Any]) -> None:
    splits = statistics["splits"]
    rows = [[label, *(_number(split[name]) for split in splits.values())] for name, label in _ROWS.items()]
    rows.append(["hours", *(f"{split['hours']:.2f}" for split in splits.values())])
    rows.append(["ages", *(_range(split["ages"]) for split in splits.values())])
    rows.append(["genders", *(", ".join(f"{n} {g}" for g, n in s["genders"].items()) for s in splits.values())])
    kind = "synthetic speech" if statistics["synthetic"] else "checked"
    print_table(f"{statistics['name']} ({kind}): {statistics['root']}", ("", *splits), rows, right=tuple(splits))
    print_line(f"Fingerprint {statistics['fingerprint'][:16]}. Histograms of ages and scores: --json.")
    if statistics["lacking"]:
        print_line(f"Known of no utterance: {', '.join(statistics['lacking'])}. Metrics that need them are undefined.")
    for fault in statistics.get("audio_faults", ()):
        print_line(f"{fault['path']}: {fault['message']}")
    if statistics.get("audio_faults") == []:
        print_line("Every sound file decodes; none is silent, clipped, cut or double.")


def _number(count: int | None) -> str:
    return "unknown" if count is None else f"{count:,}"


def _range(ages: dict[str, int]) -> str:
    """The youngest and the oldest, and of how many the age is not known."""
    known = [age for age in ages if age != "unknown"]
    unknown = f"{ages['unknown']} unknown" if "unknown" in ages else ""
    if not known:
        return unknown
    return ", ".join(filter(None, (f"{min(known, key=float)}-{max(known, key=float)}", unknown)))
