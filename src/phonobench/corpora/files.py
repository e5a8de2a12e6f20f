"""Text files of a corpus, read with errors that name the file, the line and the remedy."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from phonobench.types import PhonobenchError


def read_text(path: Path) -> str:
    """The content of a UTF-8 file.

    Raises:
        PhonobenchError: for a file that is missing, is not text, or cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise PhonobenchError(f"{path} is missing; copy or download the corpus again") from None
    except UnicodeDecodeError as error:
        raise PhonobenchError(f"{path}: not text ({error.reason} at byte {error.start}); copy it again") from error
    except OSError as error:
        raise PhonobenchError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error


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
            raise PhonobenchError(f"{path}, line {number}: {key!r} {fault}; copy the corpus again")
        table[key] = rest[0].strip()
    return table


def load_json(path: Path) -> Mapping[str, Any]:
    """A JSON file that holds one object, keyed by utterance.

    Raises:
        PhonobenchError: as `read_text`, and for JSON that is cut off, damaged, or no object.
    """
    try:
        content = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise PhonobenchError(f"{path}: truncated or damaged JSON ({error}); copy the file again") from error
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
    if not path.is_file():
        raise PhonobenchError(f"{path} is missing ({where}); copy the recordings again")
    if path.stat().st_size == 0:
        raise PhonobenchError(f"{path} is an empty file ({where}); copy it again")
    return path
