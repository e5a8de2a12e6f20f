"""The features that a scorer reads, made once from an acoustic model's outputs and kept beside the model.

A file holds one split or its controls: rows, states, phone ids and words of all utterances end to end, with their
bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from phonobench import audio, store
from phonobench.assessment.model import features
from phonobench.assessment.model.features import Description
from phonobench.assessment.model.word_evidence import WORD_FEATURES
from phonobench.corpora import control_audio
from phonobench.fitting.acoustic import AcousticModel
from phonobench.phones import PHONES
from phonobench.store import door
from phonobench.store.array_checks import Wanted, check_arrays, check_bounds, check_unique
from phonobench.tasks import controls
from phonobench.types import Corpus, OnProgress, PhonobenchError, Prompt, Utterance

PARTS = ("rows", "states", "ids", "words")
"""Arrays of a file with a row a phone: fields of a `Description`; `word_rows` has a row a word."""
WANTED = {
    "rows": Wanted("f", ("phones", len(features.NAMES)), finite=False),  # a feature may be unknown
    "states": Wanted("f", ("phones", "width")),
    "ids": Wanted("i", ("phones",), low=1, high=len(PHONES)),
    "words": Wanted("i", ("phones",), low=0),
    "word_rows": Wanted("f", ("all words", len(WORD_FEATURES))),
    "bounds": Wanted("i", ("bounds",)),
}


class CacheFacts(door.Checked):
    """What stands beside the arrays: the inputs' hash, and the names of the requests."""

    key: door.Sha256
    names: tuple[str, ...]


@dataclass(frozen=True)
class FeatureRequest:
    """Features to be made: their name, the prompt, and the audio. Equal names of audio are recognised once."""

    name: str
    prompt: Prompt
    audio: str
    wave: Callable[[], np.ndarray]


def recorded(utterances: Sequence[Utterance]) -> list[FeatureRequest]:
    """Requests for every utterance as it was recorded, named by its id."""
    return [FeatureRequest(u.id, u.prompt, u.id, partial(audio.read, u.audio)) for u in utterances]


def mismatched(
    utterances: Sequence[Utterance], swapped_every: int, replaced_every: int
) -> dict[str, list[FeatureRequest]]:
    """Requests for prompts against audio in which nobody reads them, by the name of the control.

    Args:
        utterances: Whose prompts are taken; requests have their ids.
        swapped_every: Every so many of them against another speaker's recording of another sentence.
        replaced_every: Every so many of them against silence, and against noise, of the same length.
    """
    by_id = {u.id: u for u in utterances}
    pairs = [*controls.partners(utterances).items()][::swapped_every]
    requests = {
        controls.SWAPPED: [
            FeatureRequest(id, by_id[id].prompt, to, partial(audio.read, by_id[to].audio)) for id, to in pairs
        ]
    }
    for name, wave_of in control_audio.CONTROL_AUDIO.items():
        replaced = utterances[::replaced_every]
        requests[name] = [FeatureRequest(u.id, u.prompt, f"{u.id} {name}", partial(wave_of, u)) for u in replaced]
    return requests


def together(requests: Mapping[str, Sequence[FeatureRequest]]) -> list[FeatureRequest]:
    """The requests of all kinds in one list, each named by its kind and its own name."""
    return [replace(one, name=key(kind, one.name)) for kind, part in requests.items() for one in part]


def key(kind: str, name: str) -> str:
    """The name of a request in the list that `together` gives.

    Example:
        >>> key("swapped", "000010011")
        'swapped 000010011'
    """
    return f"{kind} {name}"


def features_of(
    model: AcousticModel,
    corpus: Corpus,
    name: str,
    requests: Sequence[FeatureRequest],
    *,
    lenient: bool = False,
    report: OnProgress = lambda _: None,
) -> dict[str, Description]:
    """The features of every request by its name, read from the cache where they are there.

    Args:
        model: Makes the acoustic outputs; its folder is the cache.
        corpus: Where the requests come from.
        name: Begins the name of the file.
        requests: What features are wanted of.
        lenient: Leave out requests whose audio is too short for the prompt.
        report: Is told of the progress of the recognition.

    Raises:
        PhonobenchError: Unless `lenient`, where audio is too short for its prompt.
    """
    inputs = {
        "ear": model.key,  # the names of these fields are hashed: another name makes every cached file unknown
        "corpus": corpus.fingerprint,
        "jobs": [[one.name, one.audio, [word.phones for word in one.prompt.words]] for one in requests],
        "features": [*features.NAMES, *WORD_FEATURES],
    }
    fingerprint = store.fingerprint(inputs)
    path = model.folder / f"{name}.{fingerprint[:8]}.safetensors"
    if path.exists():
        return _read(path, fingerprint)
    made = _make(model, requests, lenient, report)
    _write(path, fingerprint, made)
    return made


def panel_features(
    panel: Sequence[AcousticModel],
    corpus: Corpus,
    name: str,
    requests: Sequence[FeatureRequest],
    *,
    lenient: bool = False,
    report: OnProgress = lambda _: None,
) -> dict[str, Description]:
    """As `features_of`, of several acoustic models side by side.

    Where `lenient`, a request is left out that one of them leaves out.
    """
    parts = [features_of(model, corpus, name, requests, lenient=lenient, report=report) for model in panel]
    return {
        one.name: features.side_by_side([part[one.name] for part in parts])
        for one in requests
        if all(one.name in part for part in parts)
    }


def _make(
    model: AcousticModel, requests: Sequence[FeatureRequest], lenient: bool, report: OnProgress
) -> dict[str, Description]:
    """The features in the order of the requests; each audio is recognised once."""
    by_audio: dict[str, list[FeatureRequest]] = {}
    for one in requests:
        by_audio.setdefault(one.audio, []).append(one)
    groups = list(by_audio.values())
    found: dict[str, Description] = {}
    for place, output in model.recognise([group[0].wave for group in groups], report):
        for one in groups[place]:
            try:
                found[one.name] = features.describe(output, one.prompt)
            except PhonobenchError as fault:
                if not lenient:
                    raise PhonobenchError(f"{one.audio} against {one.name}: {fault}") from fault
    return {one.name: found[one.name] for one in requests if one.name in found}


def _write(path: Path, fingerprint: str, found: Mapping[str, Description]) -> None:
    bounds = np.cumsum([0, *(len(one.ids) for one in found.values())])
    arrays = {part: np.concatenate([getattr(one, part) for one in found.values()]) for part in PARTS}
    arrays["states"] = arrays["states"].astype(np.float16)
    arrays["word_rows"] = np.concatenate([one.word_rows for one in found.values()])
    store.write_arrays(path, {**arrays, "bounds": bounds}, {"key": fingerprint, "names": list(found)})


def _read(path: Path, fingerprint: str) -> dict[str, Description]:
    arrays, written = store.read_arrays(path)
    facts = door.checked_value(path, written, CacheFacts, "delete it")
    if facts.key != fingerprint:
        raise PhonobenchError(f"{path} belongs to other inputs: delete it")
    check_unique(path, facts.names, "request", "delete it")
    sizes = check_arrays(path, arrays, WANTED, remedy="delete it")
    bounds = arrays["bounds"]
    check_bounds(path, bounds, len(facts.names), sizes["phones"], "delete it")
    found: dict[str, Description] = {}
    word = 0
    for name, start, end in zip(facts.names, bounds[:-1], bounds[1:], strict=True):
        rows, states, ids, words = (arrays[part][start:end] for part in PARTS)
        first, word = word, word + int(words[-1]) + 1
        found[name] = Description(rows, states.astype(np.float32), ids, words, arrays["word_rows"][first:word])
    if word != len(arrays["word_rows"]):
        raise PhonobenchError(
            f"{path}: {len(arrays['word_rows'])} rows of words are there, {word} are wanted; delete it"
        )
    return found
