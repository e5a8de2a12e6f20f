"""What decides the result of a training: resolved before the first random draw, and hashed into the run's name."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phonobench import store
from phonobench.corpora import folded
from phonobench.neural import composition, hardware
from phonobench.neural.checkpoints import pretrained, trained
from phonobench.neural.recogniser import Recogniser
from phonobench.neural.training.data import Splits
from phonobench.store.provenance import versions
from phonobench.systems.cards import Card
from phonobench.systems.identity import identifying
from phonobench.systems.recipe import Recipe
from phonobench.types import Corpus


@dataclass(frozen=True, eq=False)
class TrainingInputs:
    """The inputs of one training, with nothing left to look up.

    `corpus` is that of the fold. `checkpoint` is the folder of the pretrained weights, None for random weights or a
    system made of other encoders, which are then `members`. `start` is the folder of the run whose weights come first.
    `key` is the fingerprint of all of these, and `run_dir` the folder that it names.
    """

    card: Card
    recipe: Recipe
    corpus: Corpus
    seed: int
    limit: int | None
    fold: int
    checkpoint: Path | None
    model_id: str
    revision: str
    members: tuple[dict[str, Any], ...]
    start: Path | None
    key: str
    run_dir: Path

    @property
    def finished(self) -> bool:
        """True where a training with these inputs has already come to its end."""
        return (self.run_dir / store.RUN_FILE).exists() and store.read_run(self.run_dir).get("status") == "trained"


def resolve(
    card: Card,
    recipe: Recipe,
    corpus: Corpus,
    runs_root: Path,
    *,
    seed: int = 0,
    source: str | None = None,
    limit: int | None = None,
    start: Path | None = None,
    fold: int = 0,
    members: Sequence[str] = (),
) -> TrainingInputs:
    """The inputs of a training; the arguments are those of `loop.train`.

    Raises:
        PhonobenchError: a checkpoint or a member cannot be had, or members do not fit the card.
    """
    corpus = folded(corpus, fold)
    made_of = composition.identify(card, members, runs_root, corpus, fold) if card.members or members else []
    checkpoint = None if card.scratch or made_of else pretrained.locate(card, source)
    if made_of:
        model_id, revision = composition.identity(made_of)
    else:
        model_id = card.checkpoint or "scratch"
        revision = "scratch" if checkpoint is None else pretrained.fingerprint(checkpoint, card)
    start_digest = None if start is None else trained.digest(start)
    key = run_key(card, recipe, corpus, seed, revision, limit, start_digest, made_of)
    run_dir = runs_root / f"{card.name}.{recipe.name}.s{seed}{f'.f{fold}' if fold else ''}.{key[:8]}"
    return TrainingInputs(
        card, recipe, corpus, seed, limit, fold, checkpoint, model_id, revision, tuple(made_of), start, key, run_dir
    )


def run_key(
    card: Card,
    recipe: Recipe,
    corpus: Corpus,
    seed: int,
    revision: str,
    limit: int | None,
    start: str | None = None,
    members: Sequence[dict[str, Any]] = (),
) -> str:
    """The fingerprint of all that decides the result of a training.

    Args:
        revision: of the pretrained weights, or of the members.
        start: the hash of the weights that the training starts from, None where it starts from the checkpoint.

    Returns:
        64 hex digits. Fields of a recipe that came later and change nothing are left out, so that older runs keep
        theirs.
    """
    settings = identifying(recipe_settings(recipe))
    facts: dict[str, Any] = {"card": card_facts(card), "recipe": settings, "corpus": corpus.fingerprint}
    facts |= {"seed": seed, "revision": revision, "limit": limit}
    facts |= {} if start is None else {"start": start}
    return store.fingerprint(facts | ({"members": list(members)} if members else {}))


def build_model(inputs: TrainingInputs) -> Recogniser:
    """The recogniser as training begins, on this machine's device: pretrained, random, or of an earlier run.

    Draws from torch's generator: the caller seeds it.
    """
    card = inputs.card
    if inputs.members:
        runs_root = inputs.run_dir.parent
        encoder = composition.encoder(card, inputs.members, runs_root, lambda member: trained.load(member).encoder)
    elif inputs.checkpoint is None:
        encoder = pretrained.build(card)
    else:
        encoder = pretrained.load(card, inputs.checkpoint)
    model = Recogniser(encoder, inputs.recipe).to(hardware.device())
    if inputs.start is not None:
        trained.begin_from(inputs.start, model, card)
    return model


def first_manifest(inputs: TrainingInputs, splits: Splits, model: Recogniser) -> dict[str, Any]:
    """The manifest of a run that begins: its inputs, the model's size, and a history without epochs."""
    card, corpus = inputs.card, inputs.corpus
    return {
        "run_id": inputs.run_dir.name,
        "key": inputs.key,
        "card": card.name,
        "card_key": store.fingerprint(card_facts(card)),
        "recipe": recipe_settings(inputs.recipe),
        "seed": inputs.seed,
        "limit": inputs.limit,
        "fold": inputs.fold,
        "started_from": None if inputs.start is None else store.read_run(inputs.start)["run_id"],
        "corpus": {
            "name": corpus.name,
            "fingerprint": corpus.fingerprint,
            "synthetic": corpus.synthetic,
            "train_utterances": len(splits.train),
            "train_speakers": len({utterance.speaker for utterance in splits.train}),
        },
        "model": {"id": inputs.model_id, "revision": inputs.revision},
        "members": list(inputs.members),
        "hop": composition.hop(card, model.encoder),
        "versions": versions(),
        "parameters": sum(p.numel() for p in model.encoder.parameters()),
        "trained_parameters": model.count_trained(),
        "precision": hardware.precision(inputs.recipe),
        "status": "training",
        "history": [],
        "best_epoch": None,
    }


def recipe_settings(recipe: Recipe) -> dict[str, Any]:
    """The fields of a recipe, JSON-able."""
    return {k: list(v) if isinstance(v, tuple) else v for k, v in dataclasses.asdict(recipe).items()}


def card_facts(card: Card) -> dict[str, Any]:
    """What of a card decides the result of a training (not its licence or title)."""
    facts = {"name": card.name, "family": card.family, "checkpoint": card.checkpoint, "config": dict(card.config)}
    factors = {"pool": card.pool, "upsample": card.upsample}
    return facts | {name: factor for name, factor in factors.items() if factor != 1}
