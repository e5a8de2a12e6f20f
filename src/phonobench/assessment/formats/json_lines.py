"""The score itself as JSON, whose schema is published: an object, or a line a score that a second start continues."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from phonobench.assessment.formats.format import Format, Origin
from phonobench.types import PhonobenchError
from phonobench.visible import visible_json

if TYPE_CHECKING:
    from phonobench.assessment.schema import Score


_HASH = rb'"([0-9a-f]{64})"'
_BEGIN = re.compile(
    rb'\{"format":"score/1","inputs":\{"sound":%b,"prompt":%b,"lexicon":(?:null|%b),"package":%b,"settings":%b\},'
    rb'"file":("(?:[^"\\\x00-\x1f]|\\.)*"),' % ((_HASH,) * 5)
)
"""How a line begins that has hashes: enough to know what it is of."""


def write(scores: Sequence[Score]) -> str:
    """One score as an indented object."""
    (score,) = scores
    return visible_json(json.dumps(score.model_dump(mode="json"), indent=2, ensure_ascii=False, allow_nan=False))


def line(score: Score) -> str:
    """One score as one line."""
    return visible_json(score.model_dump_json())


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


def origin(text: bytes) -> Origin:
    """What a line is of: from its beginning where it has hashes, else from its fields.

    Raises:
        PhonobenchError: for what is no JSON, or no score.
    """
    found = _BEGIN.match(text)
    if found is not None and text.endswith(b"}"):
        *hashes, file = found.groups()
        inputs = tuple(None if one is None else sys.intern(one.decode()) for one in hashes)
        return Origin(json.loads(file), inputs)
    try:
        fields = json.loads(text.decode())
    except (ValueError, RecursionError) as error:
        raise PhonobenchError("holds other things than JSON lines") from error
    if not isinstance(fields, dict) or fields.get("format") != "score/1" or "sentence" not in fields:
        raise PhonobenchError("holds lines that are no scores")
    score = parse(text.decode()) if fields.get("inputs") else None
    if score is not None and score.inputs is not None:
        return Origin(score.file, tuple(score.inputs.model_dump().values()))
    file, said = fields.get("file"), fields.get("text")
    return Origin(file if isinstance(file, str) else None, None, said if isinstance(said, str) else None)


FORMAT = Format(
    "json",
    "the whole score, of a published schema",
    write,
    suffixes=(".json",),
    line=line,
    line_suffixes=(".jsonl",),
    parse=parse,
    origin=origin,
    begin=b'{"format":"score/1"',
    is_ours=lambda content: content.startswith(b"{\n") and b'"format": "score/1"' in content[:200],
)
