"""What this machine has and lacks for the main job, each lack with its remedy. Nothing is changed, nothing trained."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import soundfile

from phonobench import corpora
from phonobench.audio import media
from phonobench.systems import local_models
from phonobench.systems.cards import CARDS
from phonobench.types import Corpus, PhonobenchError

FREE_BYTES = 2 << 30
"""Disk that a trial of a few systems takes: about 90 MB of posteriors and up to 400 MB of weights a run."""

Level = Literal["ok", "note", "fault"]
"""A note costs something (speed, another system); a fault keeps the main job from running."""


@dataclass(frozen=True)
class Check:
    """One thing looked at: what was `found`, and the `remedy` where it is not all right."""

    name: str
    level: Level
    found: str
    remedy: str = ""


def examine(corpus: str | None, runs: Path, results: Path) -> tuple[Check, ...]:
    """Look at Python, packages, processor, corpus, weights, disk and permissions.

    `corpus` is a folder or a name; None takes what `corpora.find` finds.
    """
    return (
        _python(),
        _core(),
        _sound(),
        _trainer("torch", lowest=(2, 4), above=(3,)),
        _trainer("transformers", lowest=(5,), above=(6,)),
        _arithmetic(),
        _corpus(corpus),
        *_weights(),
        _disk(runs),
        *(_writable(what, folder) for what, folder in (("runs", runs), ("results", results))),
    )


def runs_main_job(checks: tuple[Check, ...]) -> bool:
    """Whether nothing stands in the way of `phonobench bench`."""
    return all(check.level != "fault" for check in checks)


def _python() -> Check:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    good = sys.version_info >= (3, 10)
    return Check("Python", "ok" if good else "fault", found, "" if good else "install Python 3.10 or newer")


def _core() -> Check:
    """What every verb needs, as the installed package itself declares it."""
    names = [
        re.split(r"[^A-Za-z0-9_.-]", requirement)[0]
        for requirement in importlib.metadata.requires("phonobench") or ()
        if "extra ==" not in requirement
    ]
    missing = [name for name in names if _version(name) is None]
    if missing:
        return Check("packages", "fault", f"not installed: {', '.join(missing)}", f"pip install {' '.join(missing)}")
    return Check("packages", "ok", f"{len(names)} of {len(names)}")


def _sound() -> Check:
    """What decodes recordings: libsndfile, and PyAV or ffmpeg for those of phones and browsers."""
    library = f"libsndfile {soundfile.__libsndfile_version__}"
    if "MP3" not in soundfile.available_formats():
        return Check("sound", "note", f"{library} reads no MP3", "pip install --upgrade soundfile")
    decoders = media.decoders()
    if decoders:
        return Check("sound", "ok", f"{library}; m4a, mp4, webm, amr, wma by {decoders[0]}")
    return Check("sound", "note", f"{library}; no m4a, mp4, webm, amr, wma", "pip install 'phonobench[media]'")


def _trainer(name: str, lowest: tuple[int, ...], above: tuple[int, ...]) -> Check:
    """A package of the train extra, `lowest` <= version < `above`."""
    found, remedy = _version(name), "pip install 'phonobench[train]'"
    if found is None:
        return Check(name, "fault", "not installed", remedy)
    numbers = tuple(int(part) for part in re.findall(r"\d+", found)[:2])
    if not lowest <= numbers < above:
        bounds = [".".join(map(str, version)) for version in (lowest, above)]
        return Check(name, "fault", f"{found}, from {bounds[0]} to below {bounds[1]} is wanted", remedy)
    return Check(name, "ok", found)


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _arithmetic() -> Check:
    """The device and whether bf16 is quick on it; needs torch, which is imported for it."""
    if importlib.util.find_spec("torch") is None:
        return Check("arithmetic", "note", "unknown without torch", "see torch")
    try:
        from phonobench.neural import hardware
    except (ImportError, OSError) as fault:  # a torch whose shared libraries do not load
        return Check("arithmetic", "fault", f"torch does not load: {fault}", "pip install --force-reinstall torch")
    device = str(hardware.device())
    if hardware.bf16_is_fast():
        return Check("arithmetic", "ok", f"{device} with bf16")
    return Check("arithmetic", "note", f"{device} without bf16", "training runs in fp32, at about half the speed")


def _corpus(path: str | None) -> Check:
    try:
        found: Corpus = corpora.find(path)
    except PhonobenchError as fault:
        return Check("corpus", "fault", "cannot be used", str(fault))
    size = f"{len(found.utterances)} utterances in {found.root}"
    if found.synthetic:
        remedy = "for real figures: `phonobench corpus --download`, or --corpus FOLDER, or PHONOBENCH_CORPUS"
        return Check("corpus", "note", f"embedded synthetic speech only, {size}", remedy)
    return Check("corpus", "ok", f"{found.name}, {size}")


def _weights() -> tuple[Check, ...]:
    try:
        root = local_models.models_root()
    except PhonobenchError as fault:
        return (Check("models", "fault", "cannot be used", str(fault)),)
    wanted = [card for card in CARDS.values() if not card.scratch]
    here = [card.name for card in wanted if local_models.local_folder(card.checkpoint)]
    place = "no models folder" if root is None else str(root)
    if here:
        return (Check("models", "ok", f"{', '.join(here)} in {place} ({len(here)} of {len(wanted)} systems)"),)
    remedy = f"--models FOLDER or {local_models.VARIABLE}; systems from scratch need none, others come from the hub"
    return (Check("models", "note", f"{place}: none found", remedy),)


def _disk(folder: Path) -> Check:
    place = _existing(folder)
    free = shutil.disk_usage(place).free
    found = f"{free / (1 << 30):.1f} GB free at {place}"
    if free >= FREE_BYTES:
        return Check("disk", "ok", found)
    return Check("disk", "fault", found, f"free {FREE_BYTES >> 30} GB, or put the runs elsewhere with --runs")


def _writable(what: str, folder: Path) -> Check:
    """Whether files can be made in `folder`, or in the nearest folder above it that exists."""
    place = _existing(folder)
    try:
        with tempfile.TemporaryFile(dir=place):
            return Check(what, "ok", f"{folder} can be written")
    except OSError as fault:
        remedy = f"choose another folder with --{what} or PHONOBENCH_{what.upper()}"
        return Check(what, "fault", f"{place}: {fault.strerror}", remedy)


def _existing(folder: Path) -> Path:
    """The folder itself or the nearest one above it that exists."""
    folder = folder.absolute()
    return next(place for place in (folder, *folder.parents) if place.exists())
