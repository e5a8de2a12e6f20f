"""The doors: which files each reads, and by which call. A door's answer is all that it read, as plain values."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fuzzing import base
from phonobench import audio, ctc, fusion, results, store
from phonobench.assessment import bundle
from phonobench.assessment.model.trees import Forest
from phonobench.assessment.scoring import arguments, batch
from phonobench.corpora import layout, raters, transfer, unpack
from phonobench.evaluate.predictions import decoder
from phonobench.evidence import CTCEvidence
from phonobench.fitting import cross_validation
from phonobench.fitting.open import fitted
from phonobench.pronounce import lexicon, reading
from phonobench.report import raters as rater_row
from phonobench.types import PhonobenchError


@dataclass(frozen=True)
class Door:
    """One kind of file: where it lies in the box, how it is read, how often it is tried beside the others.

    `torch`: only where torch is. `arguments`: no file is changed, the call draws hostile arguments itself.
    """

    files: tuple[str, ...]
    read: Callable[[Path], Any]
    weight: float = 1.0
    torch: bool = False
    before: Callable[[Path], None] | None = None


def run_json(box: Path) -> Any:
    """A manifest by all that looks at manifests."""
    found = []
    for folder in store.list_runs(box / "runs"):
        run = store.read_run(folder)
        found.append([run, decoder(run).name, [(str(p), w) for p, w in fusion.parts(folder, run)]])
    return [found, fitted(box / "runs" / "scorer")["level"], store.find_run("fir", box / "runs").name]


def kept_run(box: Path) -> Any:
    """A kept copy is restored, which writes."""
    from phonobench.neural.checkpoints import archive

    shutil.rmtree(box / "out", ignore_errors=True)
    run_dir = archive.restore(box / "kept" / "first", box / "out")
    return _digests(run_dir)


def trained_weights(box: Path) -> Any:
    """Weights are loaded into their model, and the run is kept, which writes."""
    from phonobench.neural.checkpoints import archive, trained

    shutil.rmtree(box / "out", ignore_errors=True)
    model = trained.load(box / "runs" / "first")
    archive.keep(box / "runs" / "first", box / "out")
    return [{name: value.detach().numpy() for name, value in model.state_dict().items()}, _digests(box / "out")]


def posteriors(box: Path) -> Any:
    """Posteriors are read and decoded."""
    run_dir = box / "runs" / "first"
    found = [store.read_posteriors(run_dir, split) for split in ("dev", "test")]
    hypotheses = [CTCEvidence(one, part.hop, ctc.GREEDY).best() for part in found for one in part.logp]
    done = sorted(store.posteriors_done(store.posteriors_folder(run_dir, "dev")))
    return [[(part.ids, part.hop, part.logp) for part in found], hypotheses, done, store.read_speed(run_dir, "dev")]


def cross_validated(box: Path) -> Any:
    """The outputs of a cross-validation."""
    utterances, outputs = cross_validation.read_outputs(box / "runs" / "scorer", base.read_corpus(box / "corpus"))
    return [[u.id for u in utterances], outputs]


def result_files(box: Path) -> Any:
    """All results, and the row of the raters."""
    found = results.read_all(box / "results")
    return [[json.loads(one.model_dump_json()) for one in found], repr(rater_row.read(box / "results"))]


def corpus_files(box: Path) -> Any:
    """A corpus and its ratings. Unknown scores are NaN, and are answered as null."""
    found = layout.utterances(box / "corpus")
    return [[repr(one).replace("nan", "null") for one in found], _ratings(box)]


def _ratings(box: Path) -> Any:
    made = raters.read(box / "corpus")
    return {id: store.without_nan({k: v.tolist() for k, v in vars(one).items()}) for id, one in made.items()}


def package_json(box: Path) -> Any:
    """The facts of a package. The hashes of its large files are looked at too."""
    return bundle._checked_facts(box / "package")


def sealed_trees(box: Path) -> Any:
    """Trees as they would lie in a package whose hash fits."""
    forest = Forest.read(box / "package" / "trees.safetensors")
    table = np.linspace(-2, 2, 4 * 512).reshape(4, 512)
    return [tree.predict(table) for tree in forest.trees.values()]


def checkpoint(box: Path) -> Any:
    """A pretrained checkpoint."""
    from phonobench.neural.checkpoints import pretrained
    from phonobench.systems import cards

    encoder = pretrained.load(cards.find("whisper-base"), box / "checkpoint")
    return {name: value.detach().numpy() for name, value in encoder.state_dict().items()}


def own_lexicon(box: Path) -> Any:
    """A user's lexicon, and a text read with it."""
    own = lexicon.read(box / "lexicon.txt")
    return [own, repr(reading.of_text("bear blorf", own))]


def download_note(box: Path) -> Any:
    """The note beside a partial download."""
    return repr(transfer._known(box / "note" / "corpus.tar.gz"))


def sound_files(box: Path) -> Any:
    """Sound files of every format."""
    found = []
    for path in sorted((box / "sounds").iterdir()):
        wave = audio.read(path)
        if not np.isfinite(wave).all():
            raise AssertionError(f"{path} gave samples that are not finite")
        found.append(wave)
    return found


def text(box: Path) -> Any:
    """A text from outside, as `score` reads it."""
    written = batch.Request(str(box / "text.wav")).resolved().text
    arguments.check_text(written)
    return repr(reading.of_text(written or ""))


def list_file(box: Path) -> Any:
    """A list of recordings and texts."""
    return [[Path(one.file).name, one.text, one.phones] for one in batch.of_list(box / "list.csv")]


def archive_file(box: Path) -> Any:
    """An archive is unpacked, which writes."""
    shutil.rmtree(box / "out", ignore_errors=True)
    try:
        unpack.extract(box / "corpus.tar.gz", box / "out")
    except (unpack.DamagedArchiveError, OSError) as fault:  # as `download.fetch` takes them
        raise PhonobenchError(str(fault)) from fault
    return _digests(box / "out")


def options(box: Path) -> Any:
    """Commands with options that were changed."""
    from typer.testing import CliRunner

    from phonobench.cli import app

    rng = random.Random(int((box / "seed").read_text()))
    corpus = ["--corpus", str(box / "corpus")]
    lines = (
        ["leaderboard", "--results", str(box / "results")], ["systems"], ["corpus", "--corpus", str(box / "corpus")],
        ["evaluate", "first", "--runs", str(box / "runs"), "--results", str(box / "out"), *corpus],
        ["decode", "first", "--runs", str(box / "runs"), "--corpus", str(box / "corpus")],
        ["card", "first", "--runs", str(box / "runs"), "--results", str(box / "results")],
        ["restore", "first", "--kept", str(box / "kept"), "--runs", str(box / "out")],
    )  # fmt: skip
    line = list(rng.choice(lines))
    for _ in range(rng.choice([1, 2])):
        odd = rng.choice(
            ["", "x", "-1", "nan", "1e999", "9" * 400, "../../x", "a\x00b", "n" * 300, "--json", "--nothing", "é"]
        )
        line[rng.randrange(1, len(line) + 1) :] = [odd, *line[rng.randrange(1, len(line) + 1) :]][: len(line)]
    ended = CliRunner().invoke(app, line)
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    if ended.exit_code:
        raise PhonobenchError((ended.stderr or ended.output).strip().replace("\n", " ")[:500] or "no message")
    return []


def _digests(folder: Path) -> dict[str, str]:
    """Hashes of the files of a folder."""
    names = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in names}


def plain(value: Any) -> Iterator[bytes]:
    """A value as bytes, for a hash. Raises AssertionError for a number that is not finite."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            raise AssertionError("an answer holds values that are not finite")
        yield value.dtype.str.encode() + str(value.shape).encode() + np.ascontiguousarray(value).tobytes()
    elif is_dataclass(value) and not isinstance(value, type):
        yield from plain(asdict(value))
    elif isinstance(value, dict):
        for key in value:
            yield repr(key).encode(errors="surrogatepass")
            yield from plain(value[key])
    elif isinstance(value, list | tuple):
        yield b"["
        for one in value:
            yield from plain(one)
        yield b"]"
    else:
        if isinstance(value, float) and not np.isfinite(value):
            raise AssertionError("an answer holds a number that is not finite")
        yield repr(value).encode(errors="surrogatepass")


def answer(door: Door, box: Path) -> str:
    """The hash of what a door read."""
    digest = hashlib.sha256()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        found = door.read(box)
    for part in plain(found):
        digest.update(part)
    return digest.hexdigest()


_SHARDS = tuple(f"runs/first/posteriors/{split}" for split in ("dev", "test"))
DOORS: dict[str, Door] = {
    "run.json": Door(("runs/first/run.json", "runs/fused/run.json", "runs/scorer/run.json"), run_json, 4),
    "kept copy": Door(("kept/first/run.json", "kept/first/weights/model.safetensors"), kept_run, 1, torch=True),
    "weights": Door(("runs/first/run.json", "runs/first/weights/model.safetensors"), trained_weights, 1, torch=True),
    "posteriors": Door(tuple(f"{folder}/*" for folder in _SHARDS), posteriors, 3),
    "cross-validated": Door(("runs/scorer/cross-validated.safetensors",), cross_validated, 1),
    "results": Door(("results/first/*.json", "results/second/*.json", "results/raters.json"), result_files, 3),
    "corpus": Door(("corpus/resource/*", "corpus/train/*", "corpus/test/*"), corpus_files, 4),
    "package.json": Door(("package/package.json",), package_json, 1),
    "trees": Door(("package/trees.safetensors",), sealed_trees, 0.5),
    "checkpoint": Door(("checkpoint/*",), checkpoint, 1, torch=True),
    "lexicon": Door(("lexicon.txt",), own_lexicon, 1),
    "download note": Door(("note/corpus.tar.gz.json",), download_note, 1),
    "sound": Door(("sounds/*",), sound_files, 2),
    "text": Door(("text.txt",), text, 1),
    "list": Door(("list.csv",), list_file, 1),
    "archive": Door(("corpus.tar.gz",), archive_file, 0.5),
    "options": Door(("seed",), options, 0.3),
}
"""Every kind of file by name."""


def usable() -> dict[str, Door]:
    """The doors that this machine has."""
    return {name: door for name, door in DOORS.items() if base.TORCH or not door.torch}


def files_of(door: Door, box: Path) -> list[Path]:
    """The files that a door reads."""
    found = [path for pattern in door.files for path in box.glob(pattern)]
    return sorted(path for path in found if path.is_file() and not path.is_symlink())
