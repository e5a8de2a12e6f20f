"""The one way in for JSON files that programs wrote: read whole, checked against a typed model, or refused by name.

A file may come from another machine, another version or another person. A model says what it must hold: every field of
its type, numbers finite and in their range, names plain, nothing unknown, nothing missing. What passes is used without
further doubt; what does not ends in one sentence that names the file, the place in it and the remedy.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError

from phonobench.types import PhonobenchError

LARGEST_BYTES = 256 << 20
"""Of a JSON file. Ours are below 10 MB; more than this is refused before it is read into memory."""
LONGEST_NAME = 255
"""Bytes of a file's name: what file systems allow."""


class Checked(BaseModel):
    """A part of a file: strict types, no unknown fields, no NaN or infinity, immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, protected_namespaces=())


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


def read_bytes(path: Path) -> bytes:
    """The content of a regular file.

    Raises:
        PhonobenchError: It is absent, no regular file, larger than `LARGEST_BYTES`, or cannot be read.
    """
    try:
        if not path.is_file():
            kind = "is not a file" if path.exists() else "does not exist"
            raise PhonobenchError(f"{path} {kind}")
        if path.stat().st_size > LARGEST_BYTES:
            raise PhonobenchError(f"{path} has {path.stat().st_size:,} bytes: too large to be a file of ours")
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise PhonobenchError(f"{shown(os.fspath(path), 300)} cannot be read ({reason})") from error


def read_json(path: Path, remedy: str = "delete it and make it again") -> Any:
    """What a JSON file holds, unchecked.

    Raises:
        PhonobenchError: As `read_bytes`; or it is no UTF-8, no JSON, nested too deep, or holds an integer too long.
    """
    content = read_bytes(path)
    try:
        return json.loads(content.decode())
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else str(error).partition(";")[0]
        raise PhonobenchError(f"{path} is not readable JSON ({reason}): {remedy}") from error


def read_model(path: Path, model: type[M], remedy: str = "delete it and make it again") -> M:
    """What a JSON file holds, checked by a model.

    Args:
        path: The file.
        model: What it must hold.
        remedy: Ends the error, for example "export the run again".

    Raises:
        PhonobenchError: As `read_json`; or it differs from the model. Names the first place that does.
    """
    read_json(path, remedy)  # its errors say more about broken JSON than the checker's
    return checked(path, read_bytes(path), model, remedy)


def checked(path: Path, content: bytes, model: type[M], remedy: str) -> M:
    """JSON text as the model. `path` and `remedy` serve the error.

    Raises:
        PhonobenchError: The text differs from the model. Names the first place that does.
    """
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        first, *others = error.errors(include_url=False, include_input=False)
        place = ".".join(shown(str(part), 40).strip("'") for part in first["loc"]) or "the whole"
        more = f", and {len(others)} more" if others else ""
        message = first["msg"].removeprefix("Value error, ")
        raise PhonobenchError(f"{path}: {place}: {message[:200]}{more}; {remedy}") from error
