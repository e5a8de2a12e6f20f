"""Which decoder a run is measured with: a small grid, chosen by PER (HQ) on dev, written into the run's manifest.

The blank of a trained run is set for the best path (`neural.training.blank_bias`), which counts one frame at a
time. A beam adds up what a phone has in several, so that the best blank lies elsewhere: width and blank are chosen
together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rapidfuzz.distance import Levenshtein

from phonobench import ctc, fusion, phones, store
from phonobench.corpora import folded
from phonobench.corpora.choice import ChoiceSet, choice_set
from phonobench.ctc import Decoder
from phonobench.evaluate.predictions import evidence, workers
from phonobench.evidence import CTCEvidence
from phonobench.types import Corpus, OnProgress, PhonobenchError, Progress, Utterance

WIDTHS = (1, 8, 16)
BLANKS = tuple(step / 8 for step in range(-4, 9))
"""Nats on the blank."""
GRID = tuple(Decoder(width, blank) for width in WIDTHS for blank in BLANKS)


def error_rates(
    run_dir: Path, corpus: Corpus, decoders: Iterable[Decoder] = GRID, *, report: OnProgress = lambda _: None
) -> dict[Decoder, float]:
    """PER on dev of each decoder, best first; of equal ones the narrower, then the one that shifts least.

    The PER is over the utterances of `chosen_by`: the well-read ones, or all where none is known to be.

    Raises:
        PhonobenchError: where dev has no utterance or was not inferred, or the run is a fusion by likelihoods.
    """
    run = store.read_run(run_dir)
    if len(fusion.parts(run_dir, run)) > 1:
        raise PhonobenchError(f"{run['run_id']} is a fusion by likelihoods, which decodes by climbing: no choice here")
    dev = folded(corpus, run.get("fold", 0)).split("dev")[: run.get("limit")]
    if not dev:
        raise PhonobenchError(f"{run['run_id']} has no dev utterances in {corpus.name}: nothing to choose by")
    well_read = [dev[place] for place in choice_set(dev).places]
    evidence_of, _ = evidence(run_dir, folded(corpus, run.get("fold", 0)), "dev", [u.id for u in well_read])
    tried = list(dict.fromkeys(decoders))
    jobs = [(decoder, utterance) for decoder in tried for utterance in well_read]

    def errors(job: tuple[Decoder, Utterance]) -> int:
        decoder, utterance = job
        found = evidence_of[utterance.id]
        assert isinstance(found, CTCEvidence)
        return Levenshtein.distance(phones.encode(utterance.prompt.phones), decoder.decode(found.logp))

    total = dict.fromkeys(tried, 0)
    with ThreadPoolExecutor(max_workers=workers()) as pool:
        for done, ((decoder, _), count) in enumerate(zip(jobs, pool.map(errors, jobs), strict=True), start=1):
            total[decoder] += count
            if done % 200 == 0 or done == len(jobs):
                report(Progress("choose on dev", done, len(jobs)))
    expected = sum(len(u.prompt.phones) for u in well_read)
    rates = {decoder: count / expected for decoder, count in total.items()}
    return dict(sorted(rates.items(), key=lambda item: (item[1], item[0].width, abs(item[0].blank))))


def chosen_by(run_dir: Path, corpus: Corpus) -> ChoiceSet:
    """By which dev utterances `error_rates` measures a run, and what that PER is called."""
    run = store.read_run(run_dir)
    return choice_set(folded(corpus, run.get("fold", 0)).split("dev")[: run.get("limit")])


def write(
    run_dir: Path, decoder: Decoder, rates: Mapping[Decoder, float] | None = None, choice: ChoiceSet | None = None
) -> None:
    """Puts a decoder into the manifest of a run.

    Args:
        run_dir: folder of the run.
        decoder: that it is to be measured with.
        rates: the PERs on dev by which it was chosen; None if it was given.
        choice: over which utterances these are (`chosen_by`); the well-read ones if nothing is given.
    """
    run = store.read_run(run_dir)
    if len(fusion.parts(run_dir, run)) > 1 and decoder != ctc.GREEDY:
        raise PhonobenchError(f"{run['run_id']} is a fusion by likelihoods, which decodes by climbing: no choice here")
    facts: dict[str, object] = {"name": decoder.name, "chosen_on": None if rates is None else "dev"}
    if rates is not None:
        metric = "per_hq" if choice is None else choice.metric
        facts[f"dev_{metric}"] = {one.name: round(rate, 6) for one, rate in rates.items()}
        if choice is not None and choice.reason is not None:
            facts["chosen_by"] = choice.reason
    store.write_run(run_dir, {**run, "decoder": facts})
