"""Where in a recording the speech lies: every recording is scored with the same margin before and after it.

Readers of SpeechOcean762 wait 0.6 s before and after a sentence (medians of dev; 98 % wait 0.2 to 1.1 s), and how long
they wait says nothing of how they speak. So posteriors, states and wave are cut or lengthened to that margin on either
side. What counts as speech are the frames in which a recogniser finds phones. Where much is cut off, the rest is
recognised anew, because an encoder and the loudness of a recording depend on all that it holds.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from phonobench.assessment.types import AcousticOutput
from phonobench.types import SAMPLE_RATE

MARGIN = 0.6
"""Seconds before and after the speech."""
LONG = 1.0
"""Seconds more than the margin, on both sides together, from which a recording is recognised anew without them."""
BLANK = 0.5
"""Probability of the blank below which a frame holds a phone."""
FLOOR = 0.05
"""Quantile of the level of 20 ms frames at which the noise lies that a wave is lengthened with."""


def speech_span(logp: np.ndarray) -> tuple[int, int] | None:
    """The first frame in which a phone is recognised and the one after the last; None where there are none.

    Args:
        logp: (T, V), log-posteriors, blank first.

    Example:
        >>> speech_span(np.log([[0.9, 0.1], [0.2, 0.8], [0.9, 0.1]]))
        (1, 2)
    """
    phones = np.flatnonzero(np.exp(logp[:, 0]) < BLANK)
    return (int(phones[0]), int(phones[-1]) + 1) if len(phones) else None


def cut(samples: int, logp: np.ndarray, hop: float) -> slice | None:
    """The part of a wave that is to be recognised anew; None where the margins are not that long.

    Args:
        samples: of the wave, at 16 kHz.
        logp: (T, V), log-posteriors of the wave.
        hop: seconds between frames.

    Example:
        >>> quiet, phone = [[0.9, 0.1]], [[0.2, 0.8]]
        >>> cut(40_000, np.log(quiet * 4 + phone), 0.5)
        slice(22400, 40000, None)
        >>> cut(16_000, np.log(quiet + phone), 0.5) is None
        True
    """
    span = speech_span(logp)
    if span is None:
        return None
    first = max(0, round((span[0] * hop - MARGIN) * SAMPLE_RATE))
    last = min(samples, round((span[1] * hop + MARGIN) * SAMPLE_RATE))
    return slice(first, last) if samples - (last - first) > LONG * SAMPLE_RATE else None


def with_margins(output: AcousticOutput) -> AcousticOutput:
    """The output with `MARGIN` before and after the speech; as it is where no phones are recognised.

    What is added are repetitions of the frame that is the surest to hold no phone, and noise as loud as the recording's
    quietest parts. `start` moves along; it is negative where something was added.

    Args:
        output: of one acoustic model.
    """
    span = speech_span(output.logp)
    if span is None:
        return output
    margin = round(MARGIN / output.hop)
    frames = (span[0] - margin, span[1] + margin)
    quiet, head = int(np.argmax(output.logp[:, 0])), output.head

    def moved(rows: np.ndarray) -> np.ndarray:
        ratio = len(rows) / len(output.logp)  # states may be further apart than posteriors
        wanted = np.arange(round(frames[0] * ratio), round(frames[1] * ratio))
        outside = (wanted < 0) | (wanted >= len(rows))
        return rows[np.where(outside, min(round(quiet * ratio), len(rows) - 1), wanted)]

    return replace(
        output,
        logp=moved(output.logp),
        states=moved(output.states),
        wave=_lengthened(output.wave, *(round(frame * output.hop * SAMPLE_RATE) for frame in frames)),
        head=None if head is None else replace(head, states=moved(head.states)),
        start=output.start + frames[0] * output.hop,
    )


def _lengthened(wave: np.ndarray, first: int, last: int) -> np.ndarray:
    """The samples from `first` up to `last`, with noise for those outside the wave."""
    inside = wave[max(0, first) : max(0, min(last, len(wave)))]
    before, after = max(0, -first), max(0, last - len(wave))
    if not before and not after:
        return inside
    size = min(320, len(wave))
    frames = wave[: len(wave) // size * size].reshape(-1, size).astype(np.float64)
    level = np.quantile(np.sqrt(np.mean(frames**2, axis=1)), FLOOR)
    noise = level * np.random.default_rng(0).standard_normal(before + after)
    return np.concatenate([noise[:before], inside, noise[before:]]).astype(np.float32)
