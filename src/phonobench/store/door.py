"""The one way in for JSON files that programs wrote: read whole, checked against a typed model, or refused by name.

A file may come from another machine, another version or another person. A model says what it must hold: every field of
its type, numbers finite and in their range, names plain, nothing unknown, nothing missing. What passes is used without
further doubt; what does not ends in one sentence that names the file, the place in it and the remedy.
"""

from __future__ import annotations

import json
import math
import os
import stat
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError

from phonobench.types import PhonobenchError

LARGEST_BYTES = 256 << 20
"""Of a JSON file. Ours are below 10 MB; more than this is refused before it is read into memory."""
LONGEST_NAME = 255
"""Bytes of a file's name: what file systems allow."""


class Checked(BaseModel):
    """A part of a file: strict types, no unknown fields, no NaN or infinity, immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, protected_namespaces=())


ABSENT: Any = None
"""The default of a field that a file may lack. Null, which `X | None` would take, is not allowed."""

M = TypeVar("M", bound=BaseModel)


def plain_name(name: str) -> str:
    """The name itself, where it is a plain name of one file or folder.

    Raises:
        ValueError: It is empty, holds a separator, a control character or half a surrogate pair, is `.` or `..`,
            or is longer than file systems allow.

    Example:
        >>> plain_name("scorer.onnx")
        'scorer.onnx'
        >>> plain_name("../x")
        Traceback (most recent call last):
        ValueError: '../x' is not a plain file name
    """
    try:
        fits = len(name.encode()) <= LONGEST_NAME
    except UnicodeEncodeError:
        fits = False
    if not fits or name in ("", ".", "..") or any(c in "/\\" or not c.isprintable() for c in name):
        raise ValueError(f"{shown(name)} is not a plain file name")
    return name


def shown(text: str, most: int = 60) -> str:
    """A foreign text as an error may show it: quoted, escaped, cut to `most` characters.

    Example:
        >>> shown("a" * 70, most=5)
        "'aaaaa...'"
    """
    return ascii(text if len(text) <= most else text[:most] + "...")


PlainName = Annotated[str, AfterValidator(plain_name)]
"""A name of one file or folder, which cannot lead elsewhere."""
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A hash as 64 hex digits."""
AGAIN = "delete it and make it again"
MOST_DIGITS = 18
"""Of an integer in a file: what 64 bits hold. Ours are hashes (text), counts and seeds."""


def look(path: Path, most: int | None = None) -> None:
    """See that a path is that of a regular file that is not too large.

    Args:
        path: The file.
        most: Bytes that it may have; None: any number.

    Raises:
        PhonobenchError: It is absent, no regular file, too large, or cannot be reached.
    """
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise PhonobenchError(f"{named(path)} does not exist") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL or a surrogate in the name
        raise unreadable(path, error) from error
    if not stat.S_ISREG(found.st_mode):
        raise PhonobenchError(f"{named(path)} is not a file")
    if most is not None and found.st_size > most:
        raise PhonobenchError(f"{named(path)} has {found.st_size:,} bytes: too large to be a file of ours")


def read_bytes(path: Path) -> bytes:
    """The content of a regular file.

    Raises:
        PhonobenchError: It is absent, no regular file, larger than `LARGEST_BYTES`, or cannot be read.
    """
    look(path, LARGEST_BYTES)
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> PhonobenchError:
    """The fault of a file that cannot be opened, in one line."""
    reason = getattr(error, "strerror", None) or str(error)
    return PhonobenchError(f"{named(path)} cannot be read ({reason})")


def named(path: Path) -> str:
    """A path as an error may show it: as it is where it is plain, else escaped and cut.

    Example:
        >>> named(Path("a")), named(Path("b" + chr(10))) == ascii("b" + chr(10))
        ('a', True)
    """
    text = os.fspath(path)
    return text if text.isprintable() and len(text) < 1_000 else shown(text, 300)


def read_json(path: Path, remedy: str = AGAIN) -> Any:
    """What a JSON file holds, unchecked but for what no file of ours has.

    Raises:
        PhonobenchError: As `read_bytes` and `parse`.
    """
    return parse(path, read_bytes(path), remedy)


def parse(path: Path, content: bytes, remedy: str = AGAIN) -> Any:
    """JSON text as plain values. `path` and `remedy` serve the error.

    Raises:
        PhonobenchError: It is no UTF-8, no JSON, nested too deep, or holds a key twice, a number that is not finite,
            an integer of more than `MOST_DIGITS` digits, or half a surrogate pair.

    Example:
        >>> parse(Path("a.json"), b'{"seed": 0, "loss": 1.5}')
        {'seed': 0, 'loss': 1.5}
    """
    try:
        text = content.decode()
        value = json.loads(
            text,
            parse_constant=_no_number,
            parse_float=_finite,
            parse_int=_short_integer,
            object_pairs_hook=_without_repeats,
        )
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        if isinstance(error, RecursionError):
            reason = "nested too deep"
        elif isinstance(error, UnicodeEncodeError):
            reason = "it holds half a surrogate pair"
        else:
            reason = str(error).partition(";")[0]
        raise PhonobenchError(f"{path} is not readable JSON ({reason}): {remedy}") from error
    return value


def read_model(path: Path, model: type[M], remedy: str = AGAIN) -> M:
    """What a JSON file holds, checked by a model.

    Args:
        path: The file.
        model: What it must hold.
        remedy: Ends the error, for example "export the run again".

    Raises:
        PhonobenchError: As `read_json`; or it differs from the model. Names the first place that does.
    """
    content = read_bytes(path)
    parse(path, content, remedy)  # its errors say more about broken JSON than the checker's
    return checked(path, content, model, remedy)


def checked(path: Path, content: bytes, model: type[M], remedy: str = AGAIN) -> M:
    """JSON text as the model. `path` and `remedy` serve the error.

    Raises:
        PhonobenchError: The text differs from the model. Names the first place that does.
    """
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        raise PhonobenchError(f"{path}: {first_fault(error)}; {remedy}") from error


def checked_value(path: Path, value: Any, model: type[M], remedy: str = AGAIN) -> M:
    """Plain values, as `parse` gives them, as the model. `path` and `remedy` serve the error.

    Raises:
        PhonobenchError: They differ from the model. Names the first place that does.
    """
    try:
        content = json.dumps(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise PhonobenchError(f"{path}: cannot be stored as JSON ({error}); {remedy}") from error
    return checked(path, content.encode(), model, remedy)


def first_fault(error: ValidationError) -> str:
    """Where and why a model refused: the first place, and how many more there are."""
    first, *others = error.errors(include_url=False, include_input=False)
    place = ".".join(shown(str(part), 40).strip("'") for part in first["loc"]) or "the whole"
    more = f", and {len(others)} more" if others else ""
    message = first["msg"].removeprefix("Value error, ").replace("\n", " ")
    return f"{place}: {message[:200]}{more}"


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]} is too large for a number")
    return value


def _short_integer(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise ValueError(f"an integer of {len(text)} digits")
    return int(text)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{shown(next(name for name in names if names.count(name) > 1))} stands there twice")
    return found
