"""What `score(...)` is called with: each argument right, or one sentence that says what to give instead."""

from __future__ import annotations

import math
import operator
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from phonobench.pronounce import lexicon as lexicons
from phonobench.pronounce.lexicon import Phones
from phonobench.types import PhonobenchError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


MOST_CHARACTERS = 10_000
"""Of a text, or of phones as a string. Half a minute of speech has less than 1,000."""
LONGEST_WORD = 64
"""Letters or digits in a row. The longest words of dictionaries have 45."""
_LONG = re.compile(rf"[^\W_]{{{LONGEST_WORD + 1},}}")


def check_text(text: object) -> None:
    """Raises PhonobenchError for a text that is no string (None is: there may be phones), or too long to be read."""
    if text is None:
        return
    if not isinstance(text, str):
        raise PhonobenchError(f"text is {_kind(text)}: give the sentence as a string, 'We call it bear'")
    if len(text) > MOST_CHARACTERS:
        raise PhonobenchError(f"the text has {len(text):,} characters: give one sentence, {MOST_CHARACTERS:,} at most")
    long = _LONG.search(text)
    if long:
        raise PhonobenchError(
            f"the text has a word of {len(long[0]):,} letters ({long[0][:12]}...): {LONGEST_WORD} are the most"
        )
    if not _is_unicode(text):
        raise PhonobenchError("the text is not UTF-8: type it again, or save it as UTF-8")


def check_phones(phones: object) -> None:
    """Raises PhonobenchError for phones that are neither a string nor a list."""
    if phones is not None and (isinstance(phones, bytes) or not isinstance(phones, Sequence)):
        raise PhonobenchError(f"phones is {_kind(phones)}: give 'W IY | K AO L', or a list of lists of symbols")
    if isinstance(phones, str) and len(phones) > MOST_CHARACTERS:
        raise PhonobenchError(f"phones has {len(phones):,} characters: give one sentence, {MOST_CHARACTERS:,} at most")


def check_false_alarms(share: object) -> None:
    """Raises PhonobenchError for anything but a number between 0 and 1."""
    is_number = isinstance(share, int | float | np.integer | np.floating) and not isinstance(share, bool)
    if not is_number or not 0 < float(cast(float, share)) < 1:
        raise PhonobenchError(f"false_alarms is {share!r}: give a share between 0 and 1, for example 0.05")


def sampling_rate(rate: object) -> int:
    """The rate in Hz as an int; whole floats are taken.

    Raises:
        PhonobenchError: for None and for anything but a whole number.

    Example:
        >>> sampling_rate(44100.0)
        44100
    """
    if rate is None:
        raise PhonobenchError("samples need their rate: score(samples, text, rate=16000)")
    try:
        if isinstance(rate, float | np.floating) and math.isfinite(rate) and rate == int(rate):
            return int(rate)
        if not isinstance(rate, bool):
            return operator.index(cast(Any, rate))
    except TypeError:
        pass
    raise PhonobenchError(
        f"rate is {rate!r} ({type(rate).__name__}): give the samples a second as a number, rate=16000"
    )


def samples(recording: object) -> np.ndarray:
    """The samples as an array.

    Raises:
        PhonobenchError: for what holds no numbers, and for rows of unequal lengths.
    """
    if recording is None or isinstance(recording, bytes | bytearray | Mapping):
        raise PhonobenchError(f"the recording is {_kind(recording)}: give the path of a sound file, or its samples")
    try:
        found = np.asarray(cast("ArrayLike", recording))
    except (ValueError, TypeError, RuntimeError) as error:
        raise PhonobenchError(f"the audio: no array of samples ({error}); give one row of numbers") from error
    if found.dtype.kind not in "fiu":
        raise PhonobenchError(f"the audio: {_kind(recording)} of {found.dtype} holds no samples; give floats in -1..1")
    return found


def lexicon(given: object) -> Mapping[str, tuple[Phones, ...]] | None:
    """The user's lexicon, read from a file or checked.

    Raises:
        PhonobenchError: naming the entry that cannot be used.
    """
    if given is None:
        return None
    if isinstance(given, str | os.PathLike):
        return lexicons.read(given)
    if not isinstance(given, Mapping):
        raise PhonobenchError(f"lexicon is {_kind(given)}: give a file, or {{'bear': ['B EH R']}}")
    return lexicons.of_mapping(given)


def path(recording: str | os.PathLike[str], rate: object) -> str:
    """The path of a sound file.

    Raises:
        PhonobenchError: where a rate stands beside it, or it can be no path.
    """
    name = os.fspath(recording)
    if not isinstance(name, str) or not name or "\0" in name:
        raise PhonobenchError(f"{name!r} is no path of a sound file")
    if not _is_unicode(name):
        raise PhonobenchError(f"{name}: this name is not UTF-8, and no result can hold it; rename the file")
    if rate is not None:
        raise PhonobenchError(f"{name}: a sound file knows its own rate; leave out rate={rate!r}")
    return name


def package(given: object) -> None:
    """Raises PhonobenchError for what is neither a folder nor a loaded package."""
    if given is None or isinstance(given, str | Path | os.PathLike):
        return
    if not all(hasattr(given, name) for name in ("scorer", "facts", "recognise")):
        raise PhonobenchError(f"package is {_kind(given)}: give its folder, or what assessment.bundle.load returns")


def _is_unicode(text: str) -> bool:
    """Whether a text can be written. Names of files that are not UTF-8 come as halves of surrogate pairs."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _kind(value: object) -> str:
    return "None" if value is None else f"a {type(value).__name__}"
