"""The formats of `score`, a file and a row each: coloured text, JSON, Azure's JSON, Praat's TextGrid, one HTML page."""

from phonobench.assessment.formats import azure, json_lines, page, terminal, textgrid
from phonobench.assessment.formats.format import Format

FORMATS: dict[str, Format] = {
    one.name: one for one in (terminal.FORMAT, json_lines.FORMAT, azure.FORMAT, textgrid.FORMAT, page.FORMAT)
}
"""By the name that `--format` takes."""
TO_TERMINAL, TO_FILE = "text", "json"
"""What is written where no format is named, on stdout and with `-o`."""
PATH_OPTIONS = {"textgrid": "textgrid", "html": "html"}
"""Options of `score` that name a place for one more format, and the format."""

__all__ = ["FORMATS", "PATH_OPTIONS", "TO_FILE", "TO_TERMINAL", "Format"]
