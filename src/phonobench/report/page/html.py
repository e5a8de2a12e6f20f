"""A template, its data and its scripts as one HTML file that needs no network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

import jinja2

from phonobench._version import __version__
from phonobench.visible import visible, visible_within


def render(template: str, data: Any, scripts: Sequence[str], **fields: Any) -> str:
    """The page as HTML, its `data` as JSON for its scripts. Everything in the data and the fields is escaped."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, finalize=_visible
    )
    text = json.dumps(visible_within(data), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for mark in "<>&\u2028\u2029":  # so that nothing in the data can end the script element
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return environment.from_string(_asset(template)).render(
        data=text,
        style=_asset("page.css"),
        script="\n".join(_asset(name) for name in scripts),
        version=__version__,
        **fields,
    )


def _visible(value: Any) -> Any:
    return visible(value, keep="\n\t") if isinstance(value, str) else value


@cache
def _asset(name: str) -> str:
    return resources.files("phonobench.report.page").joinpath(name).read_text(encoding="utf-8")
