"""A Praat TextGrid: words, expected phones, recognised phones, accuracy and verdicts, each as an interval tier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from phonobench.assessment.formats.format import Format

if TYPE_CHECKING:
    from phonobench.assessment.schema import Score

NOTHING = "-"
"""Label of a phone in whose place nothing was recognised."""

TIERS = ("words", "phones", "heard", "accuracy")
"""Names of the interval tiers, from the top."""

VERDICTS = "verdict"
"""Name of one more interval tier, which former files lack."""

Interval = tuple[float, float, str]


def convert(score: Score) -> str:
    """The TextGrid of one score in Praat's long text format. Insertions are a tier of their own where there are any."""
    from praatio.textgrid import IntervalTier, PointTier, Textgrid
    from praatio.utilities.textgrid_io import getTextgridAsStr

    phones = [phone for word in score.words for phone in word.phones]
    rows: tuple[list[Interval], ...] = (
        [(word.start, word.end, word.text) for word in score.words],
        [(phone.start, phone.end, phone.expected) for phone in phones],
        [(phone.start, phone.end, phone.heard or NOTHING) for phone in phones],
        [(phone.start, phone.end, f"{phone.accuracy.value:.0f}") for phone in phones],
    )
    rows = (*rows, [(phone.start, phone.end, phone.verdict) for phone in phones])
    grid = Textgrid(0, score.duration)
    for name, entries in zip((*TIERS, VERDICTS), rows, strict=True):
        grid.addTier(IntervalTier(name, _clear(entries, score.duration), 0, score.duration))
    if score.inserted_words:
        spoken = [(one.start, one.end, " ".join(one.phones)) for one in score.inserted_words]
        grid.addTier(IntervalTier("words said besides", _clear(spoken, score.duration), 0, score.duration))
    if score.insertions:
        marks = {round((one.start + one.end) / 2, 4): one.phone for one in score.insertions}
        grid.addTier(PointTier("inserted", sorted(marks.items()), 0, score.duration))
    grid.validate("error")
    fields = {
        "xmin": grid.minTimestamp,
        "xmax": grid.maxTimestamp,
        "tiers": [
            {
                "class": tier.tierType,
                "name": tier.name,
                "xmin": tier.minTimestamp,
                "xmax": tier.maxTimestamp,
                "entries": tier.entries,
            }
            for tier in grid.tiers
        ],
    }
    made: str = getTextgridAsStr(fields, "long_textgrid", includeBlankSpaces=True)
    return made


def _clear(entries: Sequence[Interval], duration: float) -> list[Interval]:
    """Intervals within the duration; those that rounding made empty are left out, as Praat has none."""
    cut = [(start, min(end, duration), label) for start, end, label in entries]
    return [one for one in cut if one[1] > one[0]]


def write(scores: Sequence[Score]) -> str:
    """The TextGrid of one score."""
    (score,) = scores
    return convert(score)


def is_ours(content: bytes) -> bool:
    """Whether a file has all our tiers, which an annotator's own does not have."""
    return all(f'"{name}"'.encode() in content for name in TIERS)


FORMAT = Format(
    "textgrid",
    "Praat's tiers, a file a recording",
    write,
    layout="files",
    suffixes=(".TextGrid",),
    is_ours=is_ours,
)
