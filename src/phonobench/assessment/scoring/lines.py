"""A file of scores that grows by lines, which a second start continues by what each line was made of."""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from phonobench.assessment.formats.format import Format, Origin
from phonobench.assessment.schema import Score, ScoreInputs
from phonobench.assessment.scoring.batch import Request
from phonobench.pronounce.reading import of_phones
from phonobench.store import atomic, outputs
from phonobench.types import PhonobenchError

NAMES = tuple(ScoreInputs.model_fields)
_PROMPT = NAMES.index("prompt")
_BLOCK = 1 << 20


@dataclass(frozen=True)
class FormerLine:
    """A line that an earlier start left: what it is of, and the bytes that it takes with its line break."""

    origin: Origin
    start: int
    end: int


class Lines:
    """A file of lines that grows by one whole line at a time.

    What lies there is looked at first and changed only once it is known to be ours: a last line that a crash cut off is
    taken away. Nobody else adds to the file meanwhile. A former line counts as done where the
    hashes of its inputs are those that are wanted; one of the same recording and prompt that has others is outdated,
    and goes when the new one is on disk.
    """

    def __init__(self, path: Path, form: Format, overwrite: bool = False) -> None:
        """Open the file and look at the lines that an earlier start left.

        Args:
            path: The file.
            form: The format of its lines.
            overwrite: Begin anew whatever lies there.

        Raises:
            PhonobenchError: The file is held by another command, holds other things, or cannot be continued or written.
        """
        self.path, self.form = path, form
        self.outdated: Counter[str] = Counter()
        """Former lines that new ones replaced, by what differs."""
        self._former: dict[str | None, list[FormerLine]] = {}
        self._dropped: list[FormerLine] = []
        self._begun = self._is_cut = False
        self._stack = ExitStack()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = self._stack.enter_context(path.open("a+b" if _is_file(path) else "wb"))
        except OSError as error:
            raise PhonobenchError(f"cannot write {path} ({error.strerror}): choose another place") from error
        try:
            self._stack.enter_context(outputs.sole_writer(self._file, path))
            self._end = 0 if overwrite or not self._file.readable() else self._look()
        except BaseException:
            self._stack.close()
            raise

    def _look(self) -> int:
        """Find out what the lines of an earlier start are of; returns where the last whole one ends."""
        self._file.seek(0)
        end = 0
        try:
            for number, line in enumerate(self._file):
                if number == 0 and self.form.parse is None:
                    raise PhonobenchError("is there already and cannot be continued in this format")
                self._is_cut = not line.endswith(b"\n")
                if self._is_cut:
                    break
                if number == 0 and self.form.header is not None and line.rstrip(b"\r\n") != self.form.header.encode():
                    raise PhonobenchError("begins with another line than ours")
                if line.strip() and (number > 0 or self.form.header is None):
                    origin = self.form.origin_of(line.rstrip(b"\r\n"))
                    self._former.setdefault(origin.file, []).append(FormerLine(origin, end, end + len(line)))
                end += len(line)
        except (UnicodeDecodeError, PhonobenchError) as error:
            reason = "holds no text in UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
            raise PhonobenchError(f"{self.path} {reason}: choose another place, or say --overwrite") from error
        self._file.seek(0)
        if not end and not self.form.may_begin_with(self._file.read(_BLOCK)):
            raise PhonobenchError(f"{self.path} holds no whole line of ours: choose another place, or say --overwrite")
        return end

    def take(self, request: Request, inputs: ScoreInputs) -> FormerLine | None:
        """A line of the request that was made of these inputs. Each is given once: a list may name a recording twice.

        Lines of the request that were made of others are outdated where there is one.
        """
        wanted, lines = _values(inputs), self._former.get(request.file, [])
        found = next((one for one in lines if one.origin.inputs == wanted), None)
        if found is not None:
            lines.remove(found)
            self._outdate(request, wanted)
        return found

    def score_of(self, line: FormerLine) -> Score | None:
        """The score in a former line; None where it is damaged, and then it is outdated."""
        assert self.form.parse is not None
        self._file.seek(line.start)
        try:
            return self.form.parse(self._file.read(line.end - line.start).decode())
        except (UnicodeDecodeError, PhonobenchError):
            self._drop(line, "damaged")
            return None

    def add(self, score: Score, request: Request | None = None) -> None:
        """Append the line of a score and see to it that it is on disk; what it replaces is outdated from then on.

        Raises:
            PhonobenchError: The disk is full.
        """
        try:
            if not self._begun:
                self._begin()
            self._file.write(self.form.among_many(score).encode() + b"\n")
            self._file.flush()
            self._sync()
        except OSError as error:
            raise PhonobenchError(f"cannot write {self.path} ({error.strerror}): the same command continues") from error
        if request is not None and score.inputs is not None:
            self._outdate(request, _values(score.inputs))

    def _outdate(self, request: Request, inputs: tuple[str | None, ...]) -> None:
        for line in tuple(self._former.get(request.file, ())):
            made = line.origin.inputs
            if made is None:
                if line.origin.text == request.text and self._has_phones(line, request.phones):
                    self._drop(line, "made without hashes of their inputs")
            elif made[_PROMPT] == inputs[_PROMPT] and made != inputs:
                differing = [name for name, a, b in zip(NAMES, made, inputs, strict=True) if a != b]
                self._drop(line, f"made with another {' and '.join(differing)}")

    def _has_phones(self, line: FormerLine, phones: str | None) -> bool:
        """Whether a line without hashes is of the given phones, where some are given."""
        if phones is None:
            return True
        score = self.score_of(line)
        wanted = [word.pronunciation.phones for word in of_phones(phones)]
        return score is not None and [word.pronunciation for word in score.words] == wanted

    def _drop(self, line: FormerLine, why: str) -> None:
        lines = self._former.get(line.origin.file, [])
        if line in lines:
            lines.remove(line)
        self._dropped.append(line)
        self.outdated[why] += 1

    def _begin(self) -> None:
        self._begun = True
        if self._file.readable():
            self._file.truncate(self._end)
        if self.form.header is not None and not self._end:
            self._file.write(self.form.header.encode() + b"\n")

    def _sync(self) -> None:
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # a device or a pipe has nothing to sync
                raise

    def close(self) -> None:
        """Take the outdated lines out, in one step, and give the file free."""
        with self._stack:
            if self._dropped:
                atomic.write_parts(self.path, self._kept())
            elif not self._begun and self._is_cut:
                self._file.truncate(self._end)

    def _kept(self) -> Iterator[bytes]:
        """The bytes of the file without those of the outdated lines."""
        place = 0
        for line in sorted(self._dropped, key=lambda one: one.start):
            yield from self._bytes(place, line.start)
            place = line.end
        yield from self._bytes(place, self._file.seek(0, os.SEEK_END) if self._begun else self._end)

    def _bytes(self, start: int, end: int) -> Iterator[bytes]:
        self._file.seek(start)
        while start < end:
            block = self._file.read(min(_BLOCK, end - start))
            start += len(block)
            yield block


def _values(inputs: ScoreInputs) -> tuple[str | None, ...]:
    return (inputs.sound, inputs.prompt, inputs.lexicon, inputs.package, inputs.settings)


def _is_file(path: Path) -> bool:
    return path.is_file() or not path.exists()
