"""Many recordings: which file was read with which text."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from phonobench.assessment.scoring import folders
from phonobench.store.door import shown
from phonobench.types import PhonobenchError


@dataclass(frozen=True)
class Request:
    """A sound file and what was read: text, phones or both. Where both are None, a text file lies beside it."""

    file: str
    text: str | None = None
    phones: str | None = None

    def inputs(self) -> list[Path]:
        """The files that are read for it; none for a name that can be no file's."""
        if not self.file or "\0" in self.file or not Path(self.file).name:
            return []
        sound = Path(self.file)
        return [sound] if self.text is not None or self.phones is not None else [sound, sound.with_suffix(".txt")]

    def resolved(self) -> Request:
        """The request with the text of the `.txt` beside the file, where none was given.

        Raises PhonobenchError where there is no such file, or it cannot be read.
        """
        if not self.inputs():
            raise PhonobenchError(f"{self.file!r} is no path of a sound file")
        if self.text is not None or self.phones is not None:
            return self
        if os.path.isdir(self.file):  # noqa: PTH112 (a name may be one that Path cannot look up)
            raise PhonobenchError(f"{self.file}: this folder cannot be read; check its permissions")
        try:
            beside = Path(self.file).with_suffix(".txt")
            if beside.exists() and not beside.is_dir() and not beside.is_file():
                raise PhonobenchError(f"{beside}: is not a text file, and a device may never end; give the text itself")
            text = beside.read_text(encoding="utf-8-sig").strip()
        except FileNotFoundError as error:
            raise PhonobenchError(f"{self.file}: no text given, and no {beside.name} beside it") from error
        except UnicodeDecodeError as error:
            raise PhonobenchError(f"{beside}: cannot be read ({error}); save it as UTF-8 text") from error
        except (OSError, ValueError) as error:  # ValueError: a name that can be no file's
            reason = getattr(error, "strerror", None) or str(error)
            raise PhonobenchError(f"{self.file}: the .txt beside it cannot be read ({reason})") from error
        return Request(self.file, " ".join(text.split()))


def of_paths(
    paths: Sequence[str], text: str | None = None, phones: str | None = None, note: Callable[[str], None] | None = None
) -> list[Request]:
    """Requests of files and of the sound files in folders (and below), sorted within each folder; each file once.

    Args:
        paths: Files, whatever their names, and folders.
        text: What was read in all of them.
        phones: Its phones.
        note: Is called with a message for each folder of which files are left out.

    Returns:
        A request a file, and one for each folder that cannot be read, which is refused when its turn comes.

    Raises:
        PhonobenchError: A folder without sound files.
    """
    files: dict[str, None] = {}
    for path in paths:
        if not os.path.isdir(path):  # noqa: PTH112 (False for every name that can be no folder's, the empty one too)
            files[path] = None
            continue
        inside, message, unreadable = folders.recordings(Path(path))
        files.update(dict.fromkeys((*inside, *unreadable)))
        if message is not None and note is not None:
            note(message)
    return [Request(file, text, phones) for file in files]


def of_list(path: Path) -> list[Request]:
    """Requests of a CSV with the columns `file` and `text` (or `phones`); files are relative to the CSV.

    Columns of other names are not read; those that look like misspelled ones of ours are refused.

    Raises:
        PhonobenchError: naming the line, what is wrong with it, and the remedy.
    """
    rows = _rows(path)
    if not rows:
        raise PhonobenchError(f"list {path} is empty: it needs a line `file,text` and a line a recording below it")
    names = _columns(path, *rows[0])
    if len(rows) == 1:
        raise PhonobenchError(f"list {path} needs a line `file,text` (or file,phones) and a line a recording below it")
    found = []
    for line, cells in rows[1:]:
        where = f"list {path}, line {line}"
        if len(cells) != len(names):
            remedy = (
                "put texts with a comma into double quotes" if len(cells) > len(names) else "separate them by commas"
            )
            raise PhonobenchError(f"{where}: {len(cells)} columns where the first line has {len(names)}; {remedy}")
        row = dict(zip(names, cells, strict=True))
        if not row["file"].strip():
            raise PhonobenchError(f"{where}: no file; give the path of a recording")
        if any("\0" in cell for cell in cells) or "\n" in row["file"] or _SWALLOWED.search(row.get("text", "")):
            raise PhonobenchError(f"{where}: a quotation mark opens and does not close in this line; close it")
        name = os.path.normpath(path.parent / row["file"])
        found.append(Request(name, row.get("text", "").strip() or None, row.get("phones", "").strip() or None))
    return found


_SWALLOWED = re.compile(r"\n[^\n]*\.\w{2,4},")
"""In a text: a line of its own that begins like an entry, which a quotation mark swallowed."""


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Number and cells of every line that is not empty."""
    if path.is_char_device() or path.is_block_device():  # a pipe is well
        raise PhonobenchError(f"list {path} is a device, which has no end; give a CSV file")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True, skipinitialspace=True)
            try:
                return [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
            except csv.Error as error:
                raise PhonobenchError(
                    f"list {path}, line {reader.line_num}: {error}; put texts with commas or quotation marks into "
                    'double quotes, and write a quotation mark inside them twice ("")'
                ) from error
    except FileNotFoundError as error:
        raise PhonobenchError(f"list {path} does not exist") from error
    except (UnicodeDecodeError, OSError) as error:
        raise PhonobenchError(f"list {path} cannot be read ({error}); save it as CSV in UTF-8") from error


def _columns(path: Path, line: int, cells: list[str]) -> list[str]:
    """Names of the columns. Raises PhonobenchError where they are not ours."""
    names = [cell.strip() for cell in cells]
    ours = ("file", "text", "phones")
    where = f"list {path}, line {line}"
    if len(names) == 1 and any(mark in names[0] for mark in ";\t"):
        mark = "semicolons" if ";" in names[0] else "tabs"
        raise PhonobenchError(f"{where}: columns are separated by {mark}; separate them by commas (file,text)")
    double = [name for name in names if name in ours and names.count(name) > 1]
    if double:
        raise PhonobenchError(f"{where}: two columns are named {double[0]}; leave one out")
    near = [name for name in names if name not in ours and name.strip("\"' ").lower() in ours]
    if near or "file" not in names or not {"text", "phones"} & set(names):
        there = shown(", ".join(names)).strip("'")
        raise PhonobenchError(
            f"{where}: columns are {there}; a list needs a line `file,text` (or file,phones), spelled so"
        )
    return names
