"""The hashes of what a score is made of, by which a second start knows what is done."""

from __future__ import annotations

from pathlib import Path

from phonobench import store
from phonobench._version import __version__
from phonobench.assessment.schema import ScoreInputs
from phonobench.assessment.scoring.batch import Request
from phonobench.assessment.scoring.call import Assessor, Lexicon


def hashes(request: Request, package: Assessor, lexicon: Lexicon | None, false_alarms: float) -> ScoreInputs | None:
    """What a request would be scored from.

    Args:
        request: With its text or phones.
        package: The scorer.
        lexicon: The user's own pronunciations.
        false_alarms: The wanted share of flags among well pronounced phones.

    Returns:
        The hashes; None where the sound file cannot be read, of which scoring says more.
    """
    path = Path(request.file)
    try:
        if not path.is_file():
            return None
        sound = store.hash_file(path)
    except (OSError, ValueError):
        return None
    return ScoreInputs(
        sound=sound,
        prompt=store.fingerprint({"text": request.text, "phones": request.phones}),
        lexicon=None if lexicon is None else store.fingerprint(dict(lexicon)),
        package=package.key,
        settings=store.fingerprint({"false_alarms": false_alarms, "phonobench": __version__}),
    )
