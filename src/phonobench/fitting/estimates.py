"""What a scorer estimates for a split: on train from its cross-validation, on test through its acoustic models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from phonobench.assessment.model.features import Description
from phonobench.assessment.model.scorer import assessment
from phonobench.assessment.types import Assessment
from phonobench.corpora import control_audio
from phonobench.fitting import feature_cache
from phonobench.fitting.cross_validation import read_outputs
from phonobench.fitting.feature_cache import FeatureRequest, panel_features
from phonobench.fitting.open import OpenScorer
from phonobench.tasks import controls
from phonobench.types import Corpus, OnProgress, PhonobenchError, Split, Utterance

TRUE = "true"
"""The kind of the requests for the recordings themselves, beside the names of the controls."""


@dataclass(frozen=True, eq=False)
class Estimates:
    """Of each of the `utterances` its assessment, and by control the assessment of its prompt under other audio.

    An utterance has no entry for a control that was not run on it, or whose audio is too short. `notes` say what a
    reader of the figures should know.
    """

    split: Split
    utterances: list[Utterance]
    assessments: list[Assessment]
    controls: list[dict[str, Assessment]]
    notes: list[str] = field(default_factory=list)


def estimate_train(run_dir: Path, scorer: OpenScorer, corpus: Corpus) -> Estimates:
    """Cross-validated estimates for all speakers that a fitted run was fitted to; there are no controls."""
    utterances, outputs = read_outputs(run_dir, corpus)
    assessments = [assessment(output, scorer.scorer.calibration) for output in outputs]
    notes = ["cross-validated over speakers, calibration and thresholds chosen on these predictions"]
    return Estimates("train", utterances, assessments, [{} for _ in utterances], notes)


def estimate_test(scorer: OpenScorer, corpus: Corpus, report: OnProgress = lambda _: None) -> Estimates:
    """Estimates for the recordings of test and for the controls: swapped recordings, silence and noise.

    Features come from the cache, or the acoustic models recognise all recordings first.

    Raises:
        PhonobenchError: Where a recording is too short for its text.
    """
    utterances = scorer.test_utterances(corpus)
    requests = {
        TRUE: feature_cache.recorded(utterances),
        **feature_cache.mismatched(utterances, 1, control_audio.EVERY),
    }
    everything = feature_cache.together(requests)
    features = [
        panel_features(panel, corpus, "test", everything, lenient=True, report=report) for panel in scorer.panels()
    ]
    votes = {
        kind: {one.name: found for one in part if (found := _votes(features, feature_cache.key(kind, one.name)))}
        for kind, part in requests.items()
    }
    assessed = _assess(scorer, corpus, requests, votes, report)
    if short := [u.id for u in utterances if u.id not in assessed[TRUE]]:
        raise PhonobenchError(
            f"{corpus.name}: the audio of {short[0]} is too short for its text; copy the corpus again"
        )
    return Estimates(
        "test",
        utterances,
        [assessed[TRUE][u.id] for u in utterances],
        [{name: assessed[name][u.id] for name in controls.CONTROLS if u.id in assessed[name]} for u in utterances],
        _refused(requests, assessed),
    )


def _votes(features: Sequence[Mapping[str, Description]], name: str) -> list[Description]:
    """What those panels give that have features of the request."""
    return [panel[name] for panel in features if name in panel]


def _assess(
    scorer: OpenScorer,
    corpus: Corpus,
    requests: Mapping[str, Sequence[FeatureRequest]],
    votes: Mapping[str, Mapping[str, Sequence[Description]]],
    report: OnProgress,
) -> dict[str, dict[str, Assessment]]:
    """By kind and request the assessment by all panels that have features of it; requests without any are left out.

    Prompts of which words were not said are described a second time, without these words.
    """
    found = {(kind, name): scorer.scorer.absence(one) for kind, part in votes.items() for name, one in part.items()}
    shorter = []
    for kind, part in requests.items():
        for one in part:
            absent = found.get((kind, one.name))
            rest = None if absent is None else absent.rest(one.prompt)
            if rest is not None:
                shorter.append(replace(one, name=feature_cache.key(kind, one.name), prompt=rest))
    described = [
        panel_features(panel, corpus, "test-rest", shorter, lenient=True, report=report) if shorter else {}
        for panel in scorer.panels()
    ]
    return {
        kind: {
            name: scorer.scorer.assess_features(
                one, found[kind, name], _votes(described, feature_cache.key(kind, name)) or None
            )
            for name, one in part.items()
        }
        for kind, part in votes.items()
    }


def _refused(
    requests: Mapping[str, Sequence[FeatureRequest]], assessed: Mapping[str, Mapping[str, Assessment]]
) -> list[str]:
    """A note for each control of which recordings were too short."""
    notes = []
    for name in controls.CONTROLS:
        if refused := len(requests[name]) - len(assessed[name]):
            notes.append(
                f"{refused} of {len(requests[name])} {name} recordings are too short for the text: refused, left out"
            )
    return notes
