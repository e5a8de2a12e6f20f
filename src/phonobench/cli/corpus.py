"""`phonobench corpus`: check a copy, print what is in it, or fetch one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from phonobench import corpora
from phonobench.cli.options import CorpusOption, JsonOption
from phonobench.cli.output import print_json, print_note, print_table, progress
from phonobench.types import OnProgress, PhonobenchError

_ROWS = {
    "utterances": "utterances",
    "speakers": "speakers",
    "children": "  of them children",
    "words": "words",
    "phones": "phones",
    "mispronounced": "  mispronounced",
    "heard": "  said what was heard",
}


def check_corpus(
    corpus: CorpusOption = None,
    download: Annotated[bool, typer.Option("--download", help="Fetch SpeechOcean762 (OpenSLR 101) first.")] = False,
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
    """Check a copy of the corpus against the published counts and print its statistics."""
    if download and corpus is not None:
        raise PhonobenchError("--download fetches a new copy and --corpus reads one: give one of them")
    if not download and (urls or sha256):
        raise PhonobenchError("--url and --sha256 say what to fetch: give --download with them")
    if sha256 is not None and re.fullmatch("[0-9a-fA-F]{64}", sha256) is None:
        raise PhonobenchError(f"--sha256 {sha256}: a SHA-256 has 64 hexadecimal digits")
    with progress() as report:
        found = corpora.find(_fetch(folder, tuple(urls or ()), sha256, report) if download else corpus)
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


def _fetch(folder: Path, urls: tuple[str, ...], sha256: str | None, report: OnProgress) -> Path:
    """Fetches the release into `folder`, telling its address and hash; returns the corpus' folder."""
    from phonobench.corpora.download import fetch

    fetched = fetch(folder, corpora.CORPORA["speechocean762"], urls=urls, sha256=sha256, progress=report)
    if fetched.url:
        print_note(f"fetched {fetched.url}, {fetched.size:,} bytes, SHA-256 {fetched.sha256}")
    return fetched.root


def _print(statistics: dict[str, Any]) -> None:
    splits = statistics["splits"]
    rows = [[label, *(f"{split[name]:,}" for split in splits.values())] for name, label in _ROWS.items()]
    rows.append(["hours", *(f"{split['hours']:.2f}" for split in splits.values())])
    rows.append(["ages", *(_range(split["ages"]) for split in splits.values())])
    rows.append(["genders", *(", ".join(f"{n} {g}" for g, n in s["genders"].items()) for s in splits.values())])
    kind = "synthetic speech" if statistics["synthetic"] else "checked"
    print_table(f"{statistics['name']} ({kind}): {statistics['root']}", ("", *splits), rows, right=tuple(splits))
    print(f"Fingerprint {statistics['fingerprint'][:16]}. Histograms of ages and scores: --json.")
    for fault in statistics.get("audio_faults", ()):
        print(f"{fault['path']}: {fault['message']}")
    if statistics.get("audio_faults") == []:
        print("Every sound file decodes; none is silent, clipped, cut or double.")


def _range(ages: dict[str, int]) -> str:
    return f"{min(ages, key=float)}-{max(ages, key=float)}"
