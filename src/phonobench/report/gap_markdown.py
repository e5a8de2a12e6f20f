"""A gap analysis as Markdown: tables with paired intervals, and the cases with links to their audio."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from phonobench import edits
from phonobench.evaluate.gap import Case, CaseKind, Contrast, GapAnalysis
from phonobench.report.markdown import SYNTHETIC, grid, plain

Link = Callable[[str], str]
"""From an utterance's id to the address of its audio."""


def links(audio: Mapping[str, Path], folder: Path) -> Link:
    """Addresses of sound files as seen from the Markdown file.

    Args:
        audio: By utterance id its sound file.
        folder: Where the Markdown file will lie.

    Returns:
        A function that gives the quoted relative address of an utterance's file.

    Example:
        >>> links({"u 1": Path("/corpus/u 1.wav")}, Path("/reports"))("u 1")
        '../corpus/u%201.wav'
    """

    def link(id: str) -> str:
        return quote(Path(os.path.relpath(audio[id].absolute(), folder.absolute())).as_posix())

    return link


def titles(gap: GapAnalysis) -> dict[CaseKind, str]:
    """The heading of each kind of case, with its thresholds."""
    t = gap.thresholds
    poor = f"accuracy {t.low_accuracy:g} or less"
    return {
        "first_better": f"First under {_percent(t.good)}, second over {_percent(t.bad)}",
        "second_better": f"Second under {_percent(t.good)}, first over {_percent(t.bad)}",
        "first_detects": f"{poor}: first over {_percent(t.detects)}, second under {_percent(t.misses)}",
        "second_detects": f"{poor}: second over {_percent(t.detects)}, first under {_percent(t.misses)}",
    }


def write(gap: GapAnalysis, link: Link, shown: int = 20, top: int = 15) -> str:
    """The whole analysis as Markdown.

    Args:
        gap: What `gap.analyse` found.
        link: Gives the address of an utterance's sound file (`links`).
        shown: Cases of each kind that are listed at most; each list gives their number.
        top: Phones that are listed at most.

    Returns:
        The text of the file.
    """
    first, second = gap.runs
    parts = ["# Gap analysis", f"First: `{first}`\n\nSecond: `{second}`"]
    if gap.synthetic:
        parts.append(SYNTHETIC)
    if not gap.complete:
        parts.append("**A trial on the first utterances of the split: not to be cited.**")
    size = f"{gap.utterances} {gap.split} utterances of {gap.speakers} speakers, {gap.corpus}."
    spread = ", ".join(_number(one) for one in gap.spread)
    wins = "first {}, second {}, ties {}".format(*gap.wins)
    parts += [
        f"{size} {legend(gap)}",
        "## Overall",
        _table("", gap.overall),
        f"Standard deviation over utterances (first, second, difference), % : {spread}. Lower PER: {wins}.",
        "## By human sentence accuracy",
        "Mean PER of an utterance.",
        _table("accuracy", gap.by_score),
        "## Phones where they differ most",
        f"Share of occurrences not recognised; {min(top, len(gap.by_phone))} of {len(gap.by_phone)} phones.",
        _table("phone", gap.by_phone[:top]),
        "## Cases",
        "PER of each system; in the hypotheses, phones that are not the expected ones are bold.",
    ]
    for kind, title in titles(gap).items():
        cases = gap.of_kind(kind)
        count = f"{len(cases)}" if len(cases) <= shown else f"{shown} of {len(cases)}"
        parts += [f"### {title}", f"{count} utterances." if cases else "None.", *_cases(cases[:shown], link)]
    return "\n\n".join(parts) + "\n"


def legend(gap: GapAnalysis) -> str:
    """What the columns are, and how small a p can be."""
    t = gap.thresholds
    return (
        "Difference: first less second, in percentage points, with its 95 % interval from a paired bootstrap over "
        f"speakers. p after Holm is corrected over its table; {gap.resamples} draws give no p below "
        f"{2 / (gap.resamples + 1):.4f} before it. Poor speech: human accuracy {t.low_accuracy:g} or less, detected "
        f"(and other speech flagged) over {_percent(t.detects)} PER, missed under {_percent(t.misses)}."
    )


def _table(heading: str, rows: Sequence[Contrast]) -> str:
    header = [heading, "n", "first %", "second %", "difference", "95 % interval", "p", "p Holm"]
    return grid(header, [_row(one) for one in rows])


def _row(one: Contrast) -> list[str]:
    ends = "–" if math.isnan(one.low) else f"[{_number(one.low)}, {_number(one.high)}]"
    shown = [_number(value) for value in (one.first, one.second, one.difference)]
    ps = ["–" if math.isnan(p) else "< 0.001" if p < 0.001 else f"{p:.3f}" for p in (one.p, one.p_holm)]
    return [one.name, str(one.n), *shown, ends if not one.reason else f"– ({one.reason})", *ps]


def _cases(cases: Sequence[Case], link: Link) -> list[str]:
    if not cases:
        return []
    header = ["audio", "text", "accuracy", "first %", "second %", "expected", "first hypothesis", "second hypothesis"]
    rows = [
        [
            f"[{case.id}]({link(case.id)})", plain(case.text), f"{case.accuracy:g}",
            f"{100 * case.per_first:.1f}", f"{100 * case.per_second:.1f}",
            " ".join(case.expected), _marked(case.expected, case.heard_first),
            _marked(case.expected, case.heard_second),
        ]
        for case in cases
    ]  # fmt: skip
    return [grid(header, rows)]


def _marked(expected: Sequence[str], recognised: Sequence[str]) -> str:
    """The hypothesis, with wrong phones bold and missing ones as a dash."""
    words = []
    for i, j in edits.align(expected, recognised).pairs:
        if j is None:
            words.append("**–**")
        else:
            words.append(recognised[j] if i is not None and expected[i] == recognised[j] else f"**{recognised[j]}**")
    return " ".join(words)


def _percent(share: float) -> str:
    return f"{100 * share:g} %"


def _number(share: float) -> str:
    return "–" if math.isnan(share) else f"{100 * share:.2f}"
