"""A score for reading at a terminal: the sentence coloured phone by phone, its scores, and what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from phonobench.assessment.formats.format import Format
from phonobench.visible import visible

if TYPE_CHECKING:
    from phonobench.assessment.schema import Figure, PhoneScore, Score, WordScore

COLOURS = {"right": "green", "accented": "yellow", "wrong": "bold red"}
"""By the verdict on a phone."""
MISCUES = {"omission": "not said", "substitution": "something else was said", "repetition": "said again"}
"""What became of a word that was not simply read."""


def write(scores: Sequence[Score], console: Console | None = None) -> str:
    """One score, as wide as the terminal; coloured where stdout is one."""
    (score,) = scores
    console = console or Console(highlight=False)
    with console.capture() as captured:
        console.print(render(score))
    return captured.get()


def render(score: Score) -> RenderableType:
    """The parts of the print, one below the other."""
    parts: list[RenderableType] = [_title(score), _sentence(score), Text(), _words(score)]
    faults = [one for one in (_fault(word) for word in score.words) if one is not None]
    inserted = [
        Text(f"  {one.phone} /{one.phone_ipa}/ inserted at {one.start:.2f} s ({100 * one.probability:.0f} %)")
        for one in score.insertions
    ]
    inserted += [
        Text(f"  /{one.phones_ipa}/ said besides at {one.start:.2f} s")
        for one in score.inserted_words
        if not one.repeats
    ]
    if faults or inserted:
        parts += [Text(), *faults, *inserted]
    parts += [Text(f"warning: {visible(one.message)}", style="yellow") for one in score.warnings]
    return Group(*parts)


def colour(phone: PhoneScore) -> str:
    """The style of a phone by its verdict."""
    return COLOURS[phone.verdict]


def _title(score: Score) -> Text:
    title = Text(f"{visible(score.file or 'audio')}, {score.duration:.1f} s\n\n", style="dim")
    for place, word in enumerate(score.words):
        title.append("  " * (place > 0))
        title.append(f"{_shown(word)} ", style="default not dim")
        for phone in word.phones:
            title.append(phone.expected_ipa, style=f"not dim {colour(phone)}")
    title.append("\n")
    return title


def _sentence(score: Score) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for justify in ("left", "right", "left", "right", "left"):  # the fourth: of the corpus' readings it is above
        table.add_column(justify=justify, overflow="fold")
    for name in ("total", "accuracy", "fluency", "prosody"):
        one = getattr(score.sentence, name)
        stands = "" if one.percentile is None else f"> {one.percentile:.0f} %"
        table.add_row(name, f"{one.value:.0f}", _interval(one), stands, one.meaning)
    return table


def _words(score: Score) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("word", overflow="fold")
    for name in ("time", "total", "", "accuracy", "stress"):
        table.add_column(name, justify="left" if name == "" else "right")
    table.add_column("phones (accuracy)", overflow="fold")
    for word in score.words:
        phones = Text(" ").join(Text(f"{one.expected} {one.accuracy.value:.0f}", colour(one)) for one in word.phones)
        if word.source not in ("lexicon", "given"):
            phones.append(f"  ({word.source})", style="dim")
        figures = (f"{one.value:.0f}" for one in (word.accuracy, word.stress))
        table.add_row(
            Text(_shown(word)), f"{word.start:.2f}", f"{word.total.value:.0f}", _interval(word.total), *figures, phones
        )
    return table


def _fault(word: WordScore) -> Text | None:
    """One line on a word that was not read, or on its phones that are not right; None where all are."""
    if word.miscue in ("omission", "substitution"):
        return Text(f"  {_shown(word)}: {MISCUES[word.miscue]}")
    faults = [MISCUES[word.miscue]] if word.miscue in MISCUES else []
    for phone in word.phones:
        expected = f"{phone.expected} /{phone.expected_ipa}/"
        if phone.error == "substitution":
            instead = "another sound" if phone.instead is None else f"{phone.instead} /{phone.instead_ipa}/"
            faults.append(f"{expected} sounds like {instead}")
        elif phone.error == "deletion":
            faults.append(f"{expected} is missing")
        elif phone.error == "accent":
            faults.append(f"{expected} is off")
    return Text(f"  {_shown(word)}: {'; '.join(faults)}") if faults else None


def _shown(word: WordScore) -> str:
    """The word in the capitals that it was written in, where that is all the difference: I, not i."""
    bare = word.written.strip('"“”„()[]{}<>.,;:!?*_~-')
    return visible(bare if bare.lower() == word.text else word.text)


def _interval(figure: Figure) -> Text:
    return Text(f"{figure.low:.0f}-{figure.high:.0f}", style="dim")


FORMAT = Format("text", "coloured, to read at a terminal", write)
