"""Many recordings: which file was read with which text."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from phonobench.types import PhonobenchError

SOUND = frozenset({".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf", ".w64", ".rf64"})
"""Endings by which sound files of a folder are known (lower case)."""


@dataclass(frozen=True)
class Request:
    """A sound file and what was read: text, phones or both. Where both are None, a text file lies beside it."""

    file: str
    text: str | None = None
    phones: str | None = None

    def resolved(self) -> Request:
        """The request with the text of the `.txt` beside the file, where none was given.

        Raises PhonobenchError where there is no such file, or it cannot be read.
        """
        if self.text is not None or self.phones is not None:
            return self
        beside = Path(self.file).with_suffix(".txt")
        try:
            text = beside.read_text(encoding="utf-8-sig").strip()
        except FileNotFoundError as error:
            raise PhonobenchError(f"{self.file}: no text given, and no {beside.name} beside it") from error
        except (UnicodeDecodeError, OSError) as error:
            raise PhonobenchError(f"{beside}: cannot be read ({error}); save it as UTF-8 text") from error
        return Request(self.file, " ".join(text.split()))


def of_paths(paths: Sequence[str], text: str | None = None, phones: str | None = None) -> list[Request]:
    """Requests of files and of the sound files in folders (and below), sorted within each folder; each file once.

    Raises PhonobenchError for a path that does not exist and for a folder without sound files.
    """
    files: dict[str, None] = {}
    for path in paths:
        if not Path(path).is_dir():
            files[path] = None
            continue
        inside = sorted(str(one) for one in Path(path).rglob("*") if one.suffix.lower() in SOUND and one.is_file())
        if not inside:
            raise PhonobenchError(f"{path} holds no sound files ({', '.join(sorted(SOUND))})")
        files.update(dict.fromkeys(inside))
    return [Request(file, text, phones) for file in files]


def of_list(path: Path) -> list[Request]:
    """Requests of a CSV with the columns `file` and `text` (or `phones`); files are relative to the CSV.

    Raises PhonobenchError naming what is missing, and the line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError as error:
        raise PhonobenchError(f"list {path} does not exist") from error
    except (UnicodeDecodeError, csv.Error, OSError) as error:
        raise PhonobenchError(f"list {path} cannot be read ({error}); save it as CSV in UTF-8") from error
    if not rows or "file" not in rows[0] or not {"text", "phones"} & set(rows[0]):
        raise PhonobenchError(f"list {path} needs a line `file,text` (or file,phones) and a line a recording below it")
    found = []
    for number, row in enumerate(rows, start=2):
        if not row["file"]:
            raise PhonobenchError(f"list {path}, entry {number - 1}: no file")
        name = os.path.normpath(path.parent / row["file"])
        found.append(Request(name, row.get("text") or None, row.get("phones") or None))
    return found
