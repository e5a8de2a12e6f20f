"""Puts scores and their sound into one self-contained HTML file. Everything that is not ours is escaped."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2

from phonobench._version import __version__
from phonobench.assessment.schema import Score
from phonobench.visible import visible, visible_within

AUDIO_BYTES = 20_000_000
"""Sound that a page holds, base64 digits; the recordings after that are shown without."""


def render(scores: Sequence[Score]) -> str:
    """The page. Scores of samples in memory, and those past `AUDIO_BYTES`, have no sound.

    Raises PhonobenchError where a sound file has gone or cannot be decoded.
    """
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    text = json.dumps(_data(scores), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for mark in "<>&\u2028\u2029":  # so that nothing in the data can end the script element
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return environment.from_string(_asset("page.html.j2")).render(
        data=text, style=_asset("page.css"), script=_asset("page.js"), version=__version__,
        count=len(scores), model=visible_within(scores[0].model) if scores else {},
        coverage=scores[0].coverage if scores else 0,
    )  # fmt: skip


def _data(scores: Sequence[Score]) -> list[dict[str, Any]]:
    # here, because it brings along all of the report
    from phonobench.assessment.formats.page import sound

    left, found = AUDIO_BYTES, []
    for score in scores:
        one = visible_within(score.model_dump(mode="json"))
        one["name"] = visible(Path(score.file).name) if score.file else "recording"
        one["sound"] = None
        if score.file:
            embedded = asdict(sound.embed(Path(score.file)))
            left -= len(embedded["data"])
            one["peaks"] = embedded["peaks"]
            one["sound"] = {"mime": embedded["mime"], "data": embedded["data"]} if left >= 0 else None
        found.append(one)
    return found


def _asset(name: str) -> str:
    return resources.files("phonobench.assessment.formats.page").joinpath(name).read_text(encoding="utf-8")
