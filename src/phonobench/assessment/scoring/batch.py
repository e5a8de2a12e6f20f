"""Many recordings: which file was read with which text, and results as JSON lines that a second start continues."""

from __future__ import annotations

import csv
import errno
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from phonobench.assessment.schema import Score
from phonobench.pronounce.lexicon import Phones
from phonobench.pronounce.reading import of_phones
from phonobench.store import outputs
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


class Lines:
    """A file of lines that grows by one whole line at a time.

    What lies there is looked at first and changed only once it is known to be ours: a last line that a crash cut off is
    taken away with the first new one. Nobody else adds to the file meanwhile.
    """

    def __init__(
        self, path: Path, header: str | None, parse: Callable[[str], Score] | None, overwrite: bool = False
    ) -> None:
        """Open the file and read the scores that an earlier start left, `former`.

        Args:
            path: The file.
            header: Its first line; None for none.
            parse: The inverse of what makes a line. None: the format cannot be continued.
            overwrite: Begin anew whatever lies there.

        Raises:
            PhonobenchError: The file is held by another command, holds other things, or cannot be continued or written.
        """
        self.path, self.header = path, header
        self.former: list[Score] = []
        self._stack = ExitStack()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = self._stack.enter_context(path.open("a+b" if _is_file(path) else "wb"))
        except OSError as error:
            raise PhonobenchError(f"cannot write {path} ({error.strerror}): choose another place") from error
        try:
            self._stack.enter_context(outputs.sole_writer(self._file, path))
            self._end = 0 if overwrite or not self._file.readable() else self._look(parse)
        except BaseException:
            self.close()
            raise
        self._begun = False

    def _look(self, parse: Callable[[str], Score] | None) -> int:
        """Reads the scores of an earlier start; returns where its last whole line ends."""
        self._file.seek(0)
        content = self._file.read()
        if not content:
            return 0
        if parse is None:
            raise PhonobenchError(
                f"{self.path} is there already and cannot be continued in this format: "
                "delete it, name another, or say --overwrite"
            )
        end = content.rfind(b"\n") + 1
        try:
            lines = content[:end].decode().splitlines()
            if self.header is not None and lines and lines.pop(0) != self.header:
                raise PhonobenchError("begins with another line than ours")
            self.former = [parse(line) for line in lines if line.strip()]
        except (UnicodeDecodeError, PhonobenchError) as error:
            reason = "holds no text in UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
            raise PhonobenchError(f"{self.path} {reason}: choose another place, or say --overwrite") from error
        if not end:
            raise PhonobenchError(f"{self.path} holds no whole line of ours: choose another place, or say --overwrite")
        return end

    def add(self, line: str) -> None:
        """Append one line and see to it that it is on disk.

        Raises:
            PhonobenchError: The disk is full.
        """
        try:
            if not self._begun:
                self._begin()
            self._file.write(line.encode() + b"\n")
            self._file.flush()
            self._sync()
        except OSError as error:
            raise PhonobenchError(f"cannot write {self.path} ({error.strerror}): the same command continues") from error

    def _begin(self) -> None:
        self._begun = True
        if self._file.readable():
            self._file.truncate(self._end)
        if self.header is not None and not self._end:
            self._file.write(self.header.encode() + b"\n")

    def _sync(self) -> None:
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # a device or a pipe has nothing to sync
                raise

    def close(self) -> None:
        """Give the file free."""
        self._stack.close()


def _is_file(path: Path) -> bool:
    return path.is_file() or not path.exists()


def known_scores(
    lines: Lines, requests: Sequence[Request], model: dict[str, Any], false_alarms: float
) -> dict[Request, Score]:
    """The scores of `requests` that an earlier start left in `lines`.

    Raises:
        PhonobenchError: A line was made by another model or for other false alarms.
    """
    known: dict[tuple[str | None, str | None], list[Score]] = {}
    for one in lines.former:
        made = {"model": one.model, "false alarms": one.false_alarms}
        for name, wanted in (("model", model), ("false alarms", false_alarms)):
            if made[name] != wanted:
                raise PhonobenchError(
                    f"{lines.path} was made with other {name} ({made[name]}): choose another place, or delete it"
                )
        known.setdefault((one.file, one.text), []).append(one)
    return {
        request: one
        for request in requests
        for one in known.get((request.file, request.text), ())
        if request.phones is None or _phones(one) == [word.pronunciation.phones for word in of_phones(request.phones)]
    }


def _phones(score: Score) -> list[Phones]:
    return [word.pronunciation for word in score.words]
