"""Systems made of other encoders: which members they have, and how these are loaded again, the same ones.

A member is a trained run, whose encoder is taken out as training left it, or a system by name, as its checkpoint has
it. A manifest names every member with the hash of its weights; other weights under the same name are refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from phonobench import store
from phonobench.neural.checkpoints import pretrained
from phonobench.neural.encoders import DiscreteEncoder, Encoder, JointEncoder, QuantisedEncoder
from phonobench.neural.encoders.code_cache import CodeCache
from phonobench.neural.encoders.joint import Part
from phonobench.systems import cards
from phonobench.systems.cards import Card
from phonobench.types import Corpus, PhonobenchError

WEIGHTS = Path("weights") / "model.safetensors"
BOOKS, CODES = 8, 1024
"""Codebooks of a learned quantiser, and codes in each: as SpeechTokenizer has them."""

Facts = dict[str, Any]
LoadRun = Callable[[Path], Encoder]


def identify(card: Card, named: Sequence[str], runs_root: Path, corpus: Corpus, fold: int) -> list[Facts]:
    """The members of a system by facts that no other system shares.

    Args:
        card: The system.
        named: Run ids under `runs_root`, or systems.
        runs_root: The folder of all runs.
        corpus: The one that it is trained on.
        fold: Which fifth of the speakers is dev.

    Returns:
        The facts, one a member.

    Raises:
        PhonobenchError: For too few, one twice, a run that is not trained or was trained on other speakers.
    """
    if not card.members:
        raise PhonobenchError(f"{card.name} is made of no others: leave --member out")
    most = 1 if card.family == "quantised" else len(named)
    if not card.members <= len(named) <= most or len(set(named)) < len(named):
        wanted = "one other encoder" if most == 1 else f"{card.members} other encoders or more, each once"
        raise PhonobenchError(f"{card.name} is made of {wanted}: name it by --member RUN or --member SYSTEM")
    return [_facts(name, runs_root, corpus, fold) for name in named]


def _facts(name: str, runs_root: Path, corpus: Corpus, fold: int) -> Facts:
    if name in cards.SYSTEMS:
        card = _plain(cards.find(name), name)
        if card.scratch:
            raise PhonobenchError(f"{name} has no weights of its own: train it, and name its run by --member")
        folder = pretrained.locate(card)
        return {"card": name, "revision": pretrained.fingerprint(folder, card), "step": card.hop * card.upsample}
    run = store.read_run(runs_root / name)
    if run.get("status") != "trained":
        raise PhonobenchError(f"{name} is a {run.get('status')} run: only one trained to its end can be a member")
    card = _plain(cards.find(run["card"]), name)
    if (run["corpus"]["fingerprint"], run.get("fold", 0)) != (corpus.fingerprint, fold):
        raise PhonobenchError(f"{name} was trained on another corpus or other speakers, some of which are dev here")
    return {
        "run": run["run_id"],
        "card": card.name,
        "weights": store.hash_file(runs_root / name / WEIGHTS),
        "key": run["key"],
        "step": card.hop * card.upsample,
    }


def _plain(card: Card, name: str) -> Card:
    if card.members or card.input == "codes":
        raise PhonobenchError(f"{name} is itself made of others, or of codes: name encoders with states of their own")
    return card


def encoder(
    card: Card,
    members: Sequence[Facts],
    runs_root: Path,
    load_run: LoadRun,
    settings: Facts | None = None,
    kept_small: bool = False,
) -> Encoder:
    """The encoder of a system over its members.

    Args:
        card: The system.
        members: Their facts (`identify`).
        runs_root: The folder of all runs.
        load_run: Loads the encoder of a member that is a run.
        settings: Of an encoder that is loaded again; None for a new one.
        kept_small: The run comes from an int8 copy, and then its members may too.

    Returns:
        The encoder.
    """
    if len(members) < card.members:
        raise PhonobenchError(f"{card.name} is made of {card.members} other encoders or more, {len(members)} are named")
    parts = [_part(facts, runs_root, load_run, kept_small) for facts in members]
    if card.family == "joint":
        return JointEncoder(parts, list(members))
    size = settings or {"most": BOOKS, "size": CODES}
    if not all(isinstance(size.get(name), int) and 1 <= size[name] <= 65_536 for name in ("most", "size")):
        raise PhonobenchError(f"{card.name}: the size of its codebooks is not known; train the run again")
    inner = parts[0]
    return QuantisedEncoder(inner.encoder, inner.step, inner.fixed, size["most"], size["size"], list(members))


def _part(facts: Facts, runs_root: Path, load_run: LoadRun, kept_small: bool) -> Part:
    if "run" not in facts:
        card = cards.find(facts["card"])
        folder = pretrained.locate(card)
        if pretrained.fingerprint(folder, card) != facts["revision"]:
            raise PhonobenchError(f"{folder} is not the checkpoint of the training ({facts['revision']})")
        return Part(pretrained.load(card, folder), facts["step"], fixed=False)
    run_dir = runs_root / facts["run"]
    if not (run_dir / WEIGHTS).exists():
        raise PhonobenchError(f"the member {facts['run']} is not under {runs_root}; train or `phonobench restore` it")
    if store.hash_file(run_dir / WEIGHTS) != facts["weights"]:
        run = store.read_run(run_dir)
        if not (kept_small and run.get("weights") == "int8" and run["key"] == facts["key"]):
            raise PhonobenchError(f"{run_dir} has other weights than the member of the training; put those back")
    _plain(cards.find(store.read_run(run_dir)["card"]), facts["run"])  # else one could be its own member
    return Part(load_run(run_dir), facts["step"], fixed=True)


def identity(members: Sequence[Facts]) -> tuple[str, str]:
    """Names and revisions of members in one line each, for manifests."""
    names = [str(facts.get("run") or facts["card"]) for facts in members]
    return " + ".join(names), " + ".join((facts.get("weights") or facts["revision"])[:16] for facts in members)


def attach_code_cache(coder: Encoder, runs_root: Path, writes: bool = True) -> None:
    """Let a discrete encoder keep its codes under `runs_root/codes/`, where any run with the same codec finds them."""
    if isinstance(coder, DiscreteEncoder):
        coder.code_cache = CodeCache(runs_root / "codes" / _fingerprint(coder), writes)


def _fingerprint(coder: DiscreteEncoder) -> str:
    """Of all tensors that the codes depend on, and of what the encoder is given."""
    digest = hashlib.sha256(f"{coder.max_n_q} {coder.window}".encode())
    for name, tensor in sorted(coder.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def flush(coder: Encoder) -> None:
    """Put on disk the codes that are not there yet."""
    if isinstance(coder, DiscreteEncoder) and coder.code_cache is not None:
        coder.code_cache.flush()


def hop(card: Card, built: Encoder) -> float:
    """Seconds between two rows of the posteriorgram."""
    step = built.step if isinstance(built, JointEncoder | DiscreteEncoder) else card.hop * card.upsample
    return step / card.upsample
