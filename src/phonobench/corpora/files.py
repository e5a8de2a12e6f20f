"""Text files of a corpus, read with errors that name the file, the line and the remedy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from phonobench.store import door
from phonobench.types import PhonobenchError

LONGEST_KEY = 200
"""Characters of the name of an utterance or a speaker."""


def read_text(path: Path) -> str:
    """The content of a UTF-8 file.

    Raises:
        PhonobenchError: for a file that is missing, is not text, or cannot be read.
    """
    try:
        missing = not path.exists()
    except (OSError, ValueError) as error:  # a loop of links, a NUL in the name
        raise door.unreadable(path, error) from error
    if missing:
        raise PhonobenchError(f"{path} is missing; copy or download the corpus again")
    try:
        return door.read_bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise PhonobenchError(f"{path}: not text ({error.reason} at byte {error.start}); copy it again") from error


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a text file that are not blank, with their numbers from 1.

    Raises:
        PhonobenchError: as `read_text`.
    """
    return ((number, line) for number, line in enumerate(read_text(path).splitlines(), start=1) if line.strip())


def read_table(path: Path) -> dict[str, str]:
    """A Kaldi text file: {first word of a line: the rest of the line}.

    Raises:
        PhonobenchError: as `read_text`, and for a key without a value and a key that recurs.
    """
    table: dict[str, str] = {}
    for number, line in read_lines(path):
        key, *rest = line.split(maxsplit=1)
        if not rest or key in table:
            fault = "stands twice" if rest else "has no value"
            raise PhonobenchError(f"{path}, line {number}: {door.shown(key)} {fault}; copy the corpus again")
        value = rest[0].strip()
        if not (key.isprintable() and value.isprintable()) or len(key) > LONGEST_KEY:
            raise PhonobenchError(
                f"{path}, line {number}: {door.shown(key)} {door.shown(value)} holds characters that no text shows, "
                f"or a name of more than {LONGEST_KEY} letters; copy the corpus again"
            )
        table[key] = value
    return table


def load_json(path: Path) -> Mapping[str, Any]:
    """A JSON file that holds one object, keyed by utterance.

    Raises:
        PhonobenchError: as `read_text`, and for JSON that is cut off, damaged, or no object.
    """
    content = door.parse(path, read_text(path).encode(), "truncated or damaged JSON; copy the file again")
    if not isinstance(content, dict):
        raise PhonobenchError(f"{path}: not a table of utterances; copy the file again")
    return content


def sound_file(root: Path, name: str, where: str) -> Path:
    """The path of a recording that a corpus names relative to its root.

    Args:
        root: folder of the corpus.
        name: as the corpus writes it.
        where: which entry of which file names it, as `utterance 12 of train/wav.scp`: for the error.

    Raises:
        PhonobenchError: for a file outside the corpus, a missing and an empty one.
    """
    path = root / name
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise PhonobenchError(f"{root}: {name!r} ({where}) does not lie in the corpus")
    try:
        size = path.stat().st_size if path.is_file() else -1
    except (OSError, ValueError) as error:  # a name too long, a folder that may not be entered
        raise PhonobenchError(f"{door.unreadable(path, error)} ({where}); copy the recordings again") from error
    if size < 0:
        raise PhonobenchError(f"{path} is missing ({where}); copy the recordings again")
    if size == 0:
        raise PhonobenchError(f"{path} is an empty file ({where}); copy it again")
    return path
