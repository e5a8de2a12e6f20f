"""How recordings of every kind are scored: real ones, written as recorders, browsers, pipes and broken copies do.

    python studies/recordings.py -o now.json                  # with the code that is imported
    python studies/recordings.py --table before.json now.json # Markdown for docs/recordings.md

Each recording is decoded to WAV, whose total is the truth, and written again in each way. Only `phonobench.score` is
called, so that former versions can be measured as well (PYTHONPATH). Needs ffmpeg and lame.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

import phonobench
from phonobench import corpora

EVERY = 311
"""Of the utterances of test so many are passed over between two that are taken."""
Make = Callable[[Path, Path], None]
"""From a WAV file of 16 kHz to the file that is scored."""


def run(*command: object) -> None:
    subprocess.run([str(one) for one in command], check=True, capture_output=True)


def ffmpeg(*options: str, suffix: str) -> tuple[str, Make]:
    """By ffmpeg, into a file."""
    return suffix, lambda source, target: run("ffmpeg", "-y", "-i", source, *options, target)


def piped(*options: str, suffix: str) -> tuple[str, Make]:
    """By ffmpeg, into a pipe: it cannot go back to write the length."""

    def make(source: Path, target: Path) -> None:
        command = ["ffmpeg", "-i", str(source), *options, "pipe:1"]
        target.write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)

    return suffix, make


def lame(*options: str) -> tuple[str, Make]:
    """By LAME."""
    return ".mp3", lambda source, target: run("lame", "--quiet", *options, source, target)


def cut(kind: tuple[str, Make], share: float = 0.6) -> tuple[str, Make]:
    """The first part of the bytes."""

    def make(source: Path, target: Path) -> None:
        kind[1](source, target)
        content = target.read_bytes()
        target.write_bytes(content[: int(share * len(content))])

    return kind[0], make


def chained(kind: tuple[str, Make]) -> tuple[str, Make]:
    """Two halves, written one by one and put into one file."""

    def make(source: Path, target: Path) -> None:
        samples, rate = soundfile.read(source, dtype="int16")
        middle = len(samples) // 2 // 1152 * 1152
        whole = b""
        for part in (samples[:middle], samples[middle:]):
            half, written = target.with_name("half.wav"), target.with_name("half" + kind[0])
            soundfile.write(half, part, rate)
            kind[1](half, written)
            whole += written.read_bytes()
        target.write_bytes(whole)

    return kind[0], make


def sized(size: Callable[[int], int]) -> tuple[str, Make]:
    """WAV with another size of its samples in the header."""

    def make(source: Path, target: Path) -> None:
        content = bytearray(source.read_bytes())
        at = content.index(b"data") + 4
        content[at : at + 4] = size(int.from_bytes(content[at : at + 4], "little")).to_bytes(4, "little")
        target.write_bytes(content)

    return ".wav", make


def changed(change: Callable[[np.ndarray], np.ndarray]) -> tuple[str, Make]:
    """WAV of other samples."""

    def make(source: Path, target: Path) -> None:
        samples, rate = soundfile.read(source, dtype="float32")
        soundfile.write(target, change(samples), rate)

    return ".wav", make


def hiss(samples: np.ndarray) -> np.ndarray:
    return (0.1 * np.random.default_rng(0).standard_normal(len(samples))).astype(np.float32)


def raw(source: Path, target: Path) -> None:
    target.write_bytes(soundfile.read(source, dtype="int16")[0].tobytes())


WHOLE = {name: ffmpeg(suffix="." + name) for name in ("aiff", "au", "caf", "w64", "voc", "flac")}
WHOLE["rf64"] = ffmpeg("-rf64", "always", "-f", "wav", suffix=".rf64")
OPUS, VORBIS = ffmpeg("-c:a", "libopus", "-b:a", "64k", suffix=".opus"), ffmpeg("-q:a", "6", suffix=".ogg")
MP3 = ffmpeg("-b:a", "64k", suffix=".mp3")
KINDS: dict[str, tuple[str, Make]] = {
    **{f"{name.upper()} whole": kind for name, kind in WHOLE.items()},
    **{f"{name.upper()} cut at 60 %": cut(kind) for name, kind in WHOLE.items()},
    "WAV written to a pipe (ffmpeg)": piped("-f", "wav", suffix=".wav"),
    "WAV with data size 0": sized(lambda _: 0),
    "WAV with half the data size": sized(lambda size: size // 2),
    "WAV with twice the data size": sized(lambda size: size * 2),
    "FLAC written to a pipe": piped("-f", "flac", suffix=".flac"),
    "CAF written to a pipe": piped("-f", "caf", suffix=".caf"),
    "W64 written to a pipe": piped("-f", "w64", suffix=".w64"),
    "Ogg/Opus": OPUS,
    "Ogg/Opus, two links": chained(OPUS),
    "Ogg/Vorbis, two links": chained(VORBIS),
    "MP3, VBR, no Xing header (LAME)": lame("-V", "4", "-t"),
    "MP3, CBR, no Xing header (LAME)": lame("-b", "64", "-t"),
    "MP3, two files in a row": chained(MP3),
    "MP3, cut at 60 %": cut(MP3),
    "MP3 in WAV": ffmpeg("-c:a", "libmp3lame", "-b:a", "64k", suffix=".wav"),
    "m4a (AAC)": ffmpeg("-b:a", "96k", suffix=".m4a"),
    "m4a, cut at 60 %": cut(ffmpeg("-b:a", "96k", "-movflags", "faststart", suffix=".m4a")),
    "m4a (Apple Lossless)": ffmpeg("-c:a", "alac", suffix=".m4a"),
    "mp4": ffmpeg("-b:a", "96k", suffix=".mp4"),
    "AAC (ADTS)": ffmpeg("-b:a", "96k", "-f", "adts", suffix=".aac"),
    "webm (Opus) as browsers stream it": piped("-c:a", "libopus", "-b:a", "64k", "-f", "webm", suffix=".webm"),
    "wma": ffmpeg("-b:a", "96k", suffix=".wma"),
    "raw": (".raw", raw),
    "two channels that cancel": changed(lambda wave: np.stack([wave, -wave], axis=1)),
    "speech on the right channel only": changed(lambda wave: np.stack([0 * wave, wave], axis=1)),
    "speech left, hiss right": changed(lambda wave: np.stack([wave, hiss(wave)], axis=1)),
    "8 kHz": ffmpeg("-ar", "8000", suffix=".wav"),
    "4 kHz": ffmpeg("-ar", "4000", suffix=".wav"),
    "16 kHz, nothing above 2 kHz": ffmpeg("-af", "aresample=4000,aresample=16000", suffix=".wav"),
}  # fmt: skip


def scored(path: Path, text: str) -> dict[str, object]:
    """Total and warnings of a file, or the error."""
    try:
        made = phonobench.score(path, text)
    except Exception as error:  # a former version may end in anything
        return {
            "error": f"{type(error).__name__}: {error}".replace(str(path), path.name).replace("PhonobenchError: ", "")
        }
    return {"total": made.sentence.total.value, "warnings": sorted({one.code for one in made.warnings})}


def measure(count: int) -> dict[str, list[dict[str, object]]]:
    """Of every kind what becomes of each recording."""
    chosen = corpora.find(None).split("test")[::EVERY][:count]
    found: dict[str, list[dict[str, object]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for one in chosen:
            source = Path(folder) / "source.wav"
            samples, rate = soundfile.read(one.audio, dtype="int16")
            soundfile.write(source, samples, rate)
            text = one.prompt.text
            found.setdefault("original", []).append(scored(source, text))
            for name, (suffix, make) in KINDS.items():
                target = Path(folder) / f"a{suffix}"
                make(source, target)
                found.setdefault(name, []).append(scored(target, text))
    return found


def outcome(made: list[dict[str, object]], originals: list[dict[str, object]]) -> str:
    """One cell of the table."""
    errors = [str(one["error"]) for one in made if "error" in one]
    changes = [
        float(one["total"]) - float(original["total"])  # type: ignore[arg-type]
        for one, original in zip(made, originals, strict=True) if "total" in one
    ]  # fmt: skip
    told = {code for one in made for code in one.get("warnings", ())}  # type: ignore[union-attr]
    known = {code for one in originals for code in one.get("warnings", ())}  # type: ignore[union-attr]
    cells = []
    if changes:
        largest = max(changes, key=abs)
        cells.append("as the original" if largest == 0 else f"read, total {largest:+.1f} at most")
        cells += [f"warning `{code}`" for code in sorted(told - known)]
    if errors:
        reason = re.sub(r"^a\.\w+: ", "", errors[0]).split("; ")[0]
        refused = "refused" if len(errors) == len(made) else f"{len(errors)} of {len(made)} refused"
        cells.append(f"{refused}: {reason}")
    return ", ".join(cells)


def table(before: Path, now: Path) -> str:
    """The Markdown of both measurements."""
    first, second = (json.loads(path.read_text(encoding="utf-8")) for path in (before, now))
    lines = ["| input | before | now |", "|---|---|---|"]
    for name in KINDS:
        cells = [outcome(found[name], found["original"]).replace("|", "/") for found in (first, second)]
        lines.append(f"| {name} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=5, help="recordings")
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--table", nargs=2, type=Path, metavar=("BEFORE", "NOW"))
    given = parser.parse_args()
    if given.table:
        print(table(*given.table))
    else:
        given.output.write_text(json.dumps(measure(given.count), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
