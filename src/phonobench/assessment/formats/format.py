"""What a format of `score` is: how scores become text, and into which files that text goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from phonobench.types import PhonobenchError

if TYPE_CHECKING:
    from phonobench.assessment.schema import Score

Layout = Literal["stream", "files", "page"]
"""Where many scores go: one after the other into one stream, each into a file of its own, or all into one page."""


@dataclass(frozen=True)
class Origin:
    """What a line of an earlier start is of: the sound file, the hashes of `ScoreInputs` (None: it has none), and the
    text where there are none."""

    file: str | None
    inputs: tuple[str | None, ...] | None
    text: str | None = None


@dataclass(frozen=True)
class Format:
    """A format of `score`, one row of `formats.FORMATS`.

    `name` is what `--format` takes, `help` half a line about it. `write` makes the whole text of some scores: of one,
    unless the `layout` is a page. `suffixes` are those of its files, the usual one first; without any it is for reading
    on a terminal and goes into no file.

    The rest is for the layout "stream". `line` makes the line of one score among many (None: `write` does), `header`
    is the line above the lines, and `line_suffixes` are those of files that have lines even for a single score.
    `parse` is the inverse of `line`: with it a file of lines is continued by the same command, without it refused. It
    raises PhonobenchError, as the end of a sentence that begins with the file's name, for a line that is no score.
    `origin` says what a line is of without parsing all of it (None: `parse` does): files may have a million lines.
    `begin` is how every file of lines begins (the header where it is empty), which tells one that was killed in its
    first line from a file of others.

    `is_ours` says of the content of a file that is there already whether this format wrote it: then it may be replaced
    without being asked. None: it cannot be known, and is never replaced unasked.
    """

    name: str
    help: str
    write: Callable[[Sequence[Score]], str]
    layout: Layout = "stream"
    suffixes: tuple[str, ...] = ()
    line: Callable[[Score], str] | None = None
    header: str | None = None
    line_suffixes: tuple[str, ...] = ()
    parse: Callable[[str], Score] | None = None
    origin: Callable[[bytes], Origin] | None = None
    begin: bytes = b""
    is_ours: Callable[[bytes], bool] | None = None

    def alone(self, score: Score, target: Path | None) -> str:
        """The text of a single score for a file, or (None) for stdout, without a line break at its end."""
        if target is None or target.suffix not in self.line_suffixes or self.line is None:
            return self.write([score]).rstrip("\n")
        return "\n".join(([] if self.header is None else [self.header]) + [self.line(score)])

    def may_begin_with(self, content: bytes) -> bool:
        """Whether a file without a whole line may be one of this format that was cut off."""
        begin = self.begin or (self.header or "").encode()
        return content[: len(begin)] == begin[: len(content)]

    def origin_of(self, line: bytes) -> Origin:
        """What a line is of. Raises PhonobenchError, as `parse`, for a line that is no score."""
        if self.origin is not None:
            return self.origin(line)
        if self.parse is None:
            raise PhonobenchError("cannot be continued in this format")
        score = self.parse(line.decode())
        inputs = None if score.inputs is None else tuple(score.inputs.model_dump().values())
        return Origin(score.file, inputs, score.text)

    def among_many(self, score: Score) -> str:
        """The text of one score in a stream, without a line break at its end."""
        return self.write([score]).rstrip("\n") if self.line is None else self.line(score)


def paths(files: Sequence[str], target: Path, suffix: str) -> list[Path]:
    """Where the scores of some sound files go: `target` itself for one, unless it is a folder, else in that folder.

    Args:
        files: the sound files.
        target: a file, or the folder of the files to be written.
        suffix: of the files, with its dot.

    Raises:
        PhonobenchError: where two files would share one name.

    Example:
        >>> [path.as_posix() for path in paths(["in/a.wav", "in/b.flac"], Path("out"), ".TextGrid")]
        ['out/a.TextGrid', 'out/b.TextGrid']
    """
    if len(files) == 1 and not target.is_dir() and target.suffix:
        return [target]
    found = [target / (Path(file).stem + suffix) for file in files]
    for place, path in enumerate(found):
        if path in found[:place]:
            raise PhonobenchError(f"two sound files would both become {path}: score them apart")
    return found
