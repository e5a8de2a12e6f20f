"""The score itself as JSON, whose schema is published: an object, or a line a score that a second start continues."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from phonobench.assessment.formats.format import Format
from phonobench.types import PhonobenchError

if TYPE_CHECKING:
    from phonobench.assessment.schema import Score


def write(scores: Sequence[Score]) -> str:
    """One score as an indented object."""
    (score,) = scores
    return json.dumps(score.model_dump(mode="json"), indent=2, ensure_ascii=False, allow_nan=False)


def line(score: Score) -> str:
    """One score as one line."""
    return score.model_dump_json()


def parse(text: str) -> Score:
    """The inverse of `line`.

    Raises:
        PhonobenchError: for what is no JSON, or no score.
    """
    from pydantic import ValidationError

    from phonobench.assessment.schema import Score

    try:
        fields = json.loads(text)
    except ValueError as error:
        raise PhonobenchError("holds other things than JSON lines") from error
    try:
        return Score.model_validate(fields)
    except ValidationError as error:
        raise PhonobenchError("holds lines that are no scores") from error


FORMAT = Format(
    "json",
    "the whole score, of a published schema",
    write,
    suffixes=(".json",),
    line=line,
    line_suffixes=(".jsonl",),
    parse=parse,
    is_ours=lambda content: content.startswith(b"{\n") and b'"format": "score/1"' in content[:200],
)
