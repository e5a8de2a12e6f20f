"""The one library call behind `phonobench score`: a recording and its text to a `Score`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from phonobench import audio
from phonobench.assessment import diagnosis, miscues
from phonobench.assessment.schema import Score
from phonobench.assessment.scoring import arguments, assembly, warnings
from phonobench.assessment.types import COVERAGE, AcousticOutput, Assessment, Scorer
from phonobench.evidence import CTCEvidence
from phonobench.phones import encode
from phonobench.pronounce import reading
from phonobench.pronounce.lexicon import Phones
from phonobench.pronounce.reading import Reading
from phonobench.types import SAMPLE_RATE, PhonobenchError, Prompt

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

FASTEST = 25.0
"""Phones a second that nobody says: more of them make the audio too short for its text."""
SPOKEN = 0.2
"""Phones recognised, by expected ones, below which there is hardly any speech: noise and tones have none, dev
speakers of SpeechOcean762 0.76 and more. A trained scorer has not learned what to say of such audio."""
Lexicon = Mapping[str, tuple[Phones, ...]]


class Assessor(Protocol):
    """An acoustic model with its scorer: what `assessment.bundle.load` gives."""

    @property
    def scorer(self) -> Scorer:
        """The fitted scorer."""
        ...

    @property
    def facts(self) -> Mapping[str, Any]:
        """Name, version, licence and what else is to stand in a result."""
        ...

    @property
    def key(self) -> str:
        """SHA-256 of all that decides its scores, as hex digits."""
        ...

    def recognise(self, wave: np.ndarray) -> AcousticOutput:
        """What the model makes of a float32 wave at 16 kHz."""
        ...


def score(
    recording: str | os.PathLike[str] | ArrayLike, text: str | None = None, *,
    phones: str | Sequence[str] | Sequence[Sequence[str]] | None = None, rate: int | None = None,
    package: Assessor | Path | str | None = None, lexicon: Lexicon | Path | str | None = None,
    false_alarms: float = 0.05,
) -> Score:  # fmt: skip
    """Scores of a sound file (or of samples and their `rate`) against its text, or against `phones` (ARPAbet or IPA,
    `|` between words).

    `package`: a loaded one or its folder, else the one that ships. `lexicon`: own pronunciations, or a file of them.
    `false_alarms`: the share of well-said phones that may be flagged. Raises PhonobenchError for audio that cannot be
    read, is silent, holds no speech, is too long, or too short for the text, and for text without known phones.
    """
    arguments.check_false_alarms(false_alarms)
    arguments.package(package)
    loaded = load(package)
    threshold = loaded.scorer.threshold(false_alarms)  # first: it needs no recording to be refused
    try:
        readings = _readings(text, phones, lexicon)
    except PhonobenchError as error:
        if isinstance(recording, str | os.PathLike):
            raise PhonobenchError(f"{os.fspath(recording)}: {error}") from error
        raise
    sound, file = _sound(recording, rate)
    wave = sound.wave
    source = file or "the audio"
    _check_length(wave, readings, source)
    output = loaded.recognise(wave)
    evidence = [CTCEvidence(one.logp.astype(np.float64), one.hop) for one in (output, *output.others)]
    _check_speech(evidence, readings, source)
    try:
        readings = reading.choose(readings, *evidence)
        prompt = reading.prompt(readings)
        assessment = loaded.scorer.assess(output, prompt)
        flagged = assessment.phone_error >= threshold
        omitted = _omitted(assessment, prompt)
        found = diagnosis.diagnose(
            evidence, encode(prompt.phones), assessment.phone.value, flagged, omitted, begin=output.start
        )
        inserted = _inserted(evidence[0], assessment, prompt, output.start)
    except PhonobenchError as error:
        raise PhonobenchError(f"{source}: {error}") from error
    seconds = round(len(wave) / SAMPLE_RATE, 3)
    return Score(
        file=file,
        duration=seconds,
        text=text,
        model=dict(loaded.facts),
        coverage=COVERAGE,
        false_alarms=false_alarms,
        threshold=round(float(threshold), 4),
        sentence=assembly.sentence(assessment),
        words=assembly.words(readings, assessment, found, flagged, seconds, inserted),
        insertions=assembly.insertions(readings, found, seconds),
        inserted_words=assembly.inserted_words(inserted, seconds),
        warnings=warnings.warnings(sound, readings, evidence[0], assessment.read_probability),
    )


def _omitted(assessment: Assessment, prompt: Prompt) -> np.ndarray | None:
    """Which phones (N,) are of omitted words; None where all words are, or the scorer cannot tell."""
    gone = np.array([one == "omission" for one in assessment.miscues], dtype=bool)
    return gone[list(prompt.word_of_phone)] if len(gone) and not gone.all() else None


def _inserted(
    evidence: CTCEvidence, assessment: Assessment, prompt: Prompt, begin: float
) -> tuple[miscues.InsertedSpeech, ...]:
    """Speech that is not in the prompt, by indices of its words and times of the recording; () for older scorers."""
    said = [k for k, one in enumerate(assessment.miscues) if one != "omission"]
    if not said:
        return ()
    found = miscues.inserted_speech(evidence, [encode(prompt.words[k].phones) for k in said])
    return tuple(
        replace(
            one,
            before=said[one.before] if one.before < len(said) else len(prompt.words),
            repeats=tuple(said[k] for k in one.repeats),
            start=begin + one.start,
            end=begin + one.end,
        )
        for one in found
    )


def _readings(
    text: str | None, phones: str | Sequence[str] | Sequence[Sequence[str]] | None, lexicon: Lexicon | Path | str | None
) -> tuple[Reading, ...]:
    arguments.check_text(text)
    arguments.check_phones(phones)
    if phones is not None:
        return reading.of_phones(phones, text)
    if text is None:
        raise PhonobenchError("what was read? give the text (--text), or its phones (--phones)")
    return reading.of_text(text, arguments.lexicon(lexicon))


def _sound(recording: str | os.PathLike[str] | ArrayLike, rate: int | None) -> tuple[audio.Sound, str | None]:
    """The sound at 16 kHz and, for a file, its name. Raises PhonobenchError for silence."""
    file: str | None
    if isinstance(recording, str | os.PathLike):
        file = arguments.path(recording, rate)
        sound = audio.load(file)
    else:
        sound, file = audio.sound(arguments.samples(recording), arguments.sampling_rate(rate)), None
    if float(np.abs(sound.wave).max()) < audio.SILENT_PEAK:
        raise PhonobenchError(f"{file or 'the audio'}: silent, no sample reaches -60 dBFS; check the microphone")
    return sound, file


def _check_length(wave: np.ndarray, readings: Sequence[Reading], source: str) -> None:
    fewest = reading.fewest_phones(readings)
    seconds = len(wave) / SAMPLE_RATE
    if fewest > FASTEST * seconds:
        raise PhonobenchError(
            f"{source}: {seconds:.1f} s cannot hold the {fewest} phones of its text; is the recording cut off?"
        )


def _check_speech(evidence: Sequence[CTCEvidence], readings: Sequence[Reading], source: str) -> None:
    found, expected = max(len(one.best()) for one in evidence), len(reading.prompt(readings).phones)
    if found < SPOKEN * expected:
        raise PhonobenchError(
            f"{source}: hardly any speech in it, {found} phones were recognised where the text has {expected}; "
            "check the microphone, and that it is the right recording"
        )


def load(package: Assessor | Path | str | None) -> Assessor:
    """A package that is loaded already, or from its folder, or (None) the one that ships. What a folder holds is kept
    in memory, so that a second recording does not wait for it, until its facts change.

    Raises PhonobenchError where the folder holds none.
    """
    if package is None or isinstance(package, str | os.PathLike):
        from phonobench.assessment import bundle

        folder = bundle.DEFAULT if package is None else Path(package).resolve()
        facts = folder / bundle.FACTS
        return _kept(folder, facts.stat().st_mtime_ns if facts.exists() else 0)
    return package


@lru_cache(maxsize=2)
def _kept(folder: Path, changed: int) -> Assessor:
    """The package in `folder`, whose facts were last `changed` then."""
    from phonobench.assessment import bundle

    return bundle.load(folder)
