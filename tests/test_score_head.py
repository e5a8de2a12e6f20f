"""The second task of a recogniser: human scores read off its states."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from phonobench import ctc, phones, store
from phonobench.assessment.model import speech_span
from phonobench.corpora import synthetic
from phonobench.systems import cards, recipe
from phonobench.types import PhonobenchError

torch = pytest.importorskip("torch")
score_head = pytest.importorskip("phonobench.neural.assessment.score_head")
loop = pytest.importorskip("phonobench.neural.training.loop")
pytestmark = pytest.mark.torch

WIDTH, FRAMES = 6, 12
PLACES = {3: 5, 7: 9}
"""By frame the phone that the posteriors say there; blank elsewhere."""


def _posteriors() -> torch.Tensor:
    logits = torch.zeros(1, FRAMES, 40)
    logits[:, :, phones.BLANK] = 8.0
    for frame, phone in PLACES.items():
        logits[:, frame, phone] = 16.0
    return logits.log_softmax(-1)


def _scored(phone: list[float], sentence: float = np.nan, ids: tuple[int, ...] = (5, 9)) -> object:
    return score_head.ScoreTargets(ids, np.array(phone, dtype=np.float32), np.full(4, sentence, dtype=np.float32))


def _judge() -> torch.nn.Module:
    torch.manual_seed(0)
    made = score_head.ScoreHead(WIDTH).eval()
    for last in (made.score, made.sentence[-1]):
        torch.nn.init.normal_(last.weight)  # as it starts, hardly anything reaches its estimates
    return made


def _states(seed: int = 1) -> torch.Tensor:
    return torch.randn(1, FRAMES, WIDTH, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("scores", "place"), [([1.0, np.nan], 0), ([np.nan, 0.2], 1)])
def test_a_phone_s_score_is_read_off_its_own_time(scores: list[float], place: int) -> None:
    states = _states().requires_grad_()
    _judge().loss(states, _posteriors(), torch.tensor([FRAMES]), [_scored(scores)]).backward()
    reached = np.flatnonzero(states.grad[0].abs().sum(-1).numpy())
    first, last = ctc.align(_posteriors()[0].numpy(), (5, 9)).territories(FRAMES)
    assert reached.tolist() == list(range(first[place], last[place]))


def test_the_sentence_is_read_off_all_that_was_said_and_no_padding() -> None:
    states = _states().requires_grad_()
    _judge().loss(states, _posteriors(), torch.tensor([10]), [_scored([np.nan, np.nan], 0.5)]).backward()
    assert np.flatnonzero(states.grad[0].abs().sum(-1).numpy()).tolist() == list(range(10))


def test_the_loss_is_the_weighted_squared_error() -> None:
    made, states, logp, lengths = _judge(), _states(), _posteriors(), torch.tensor([FRAMES])
    first, last = ctc.align(logp[0].numpy(), (5, 9)).territories(FRAMES)
    pooled = torch.stack([states[0, a:b].mean(0) for a, b in zip(first, last, strict=True)])
    told = made.score(torch.nn.functional.gelu(made.read(pooled) + made.phone(torch.tensor([5, 9]))))[:, 0]
    of_sentence = made.sentence(states.mean(1))
    wanted = 10 * ((told - torch.tensor([1.0, 0.2])) ** 2).mean() + 3 * ((of_sentence - 0.5) ** 2).mean()
    found = made.loss(states, logp, lengths, [_scored([1.0, 0.2], 0.5)])
    assert found.item() == pytest.approx(wanted.item(), rel=1e-5)


def test_no_gradient_goes_through_the_times() -> None:
    logp = _posteriors().requires_grad_()
    value = _judge().loss(_states().requires_grad_(), logp, torch.tensor([FRAMES]), [_scored([1.0, 0.2])])
    value.backward()
    assert logp.grad is None


@pytest.mark.parametrize("ids", [(5, 9, 9, 9, 5, 5, 5), ()])
def test_what_cannot_be_aligned_counts_nothing(ids: tuple[int, ...]) -> None:
    scores = [0.0] * len(ids)
    short = _judge().loss(_states(), _posteriors(), torch.tensor([8]), [_scored(scores, np.nan, ids)])
    assert short.item() == 0.0


def test_it_learns_what_the_states_hold() -> None:
    made = _judge()
    optimiser = torch.optim.Adam(made.parameters(), lr=1e-2)
    rng, losses = np.random.default_rng(0), []
    for _ in range(150):
        scores = rng.uniform(0, 1, 2).astype(np.float32)
        states = 0.1 * _states(int(rng.integers(1 << 30)))
        states[0, :5, 0] += 4 * float(scores[0]) - 2
        states[0, 5:, 0] += 4 * float(scores[1]) - 2
        loss = made.loss(states, _posteriors(), torch.tensor([FRAMES]), [_scored(list(scores))])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert np.mean(losses[-20:]) < 0.2 * np.mean(losses[:20])


def test_human_scores_are_shares_of_their_scales() -> None:
    utterances = synthetic.read().split("train")[:3]
    ids = [phones.encode(u.prompt.phones) for u in utterances]
    for utterance, one in zip(utterances, score_head.score_targets(utterances, ids), strict=True):
        np.testing.assert_allclose(2 * one.phone, utterance.judgement.phone_accuracy, rtol=1e-6)
        human = utterance.judgement
        np.testing.assert_allclose(10 * one.sentence, [human.accuracy, human.fluency, human.prosodic, human.total])


def test_a_frozen_encoder_is_not_judged() -> None:
    with pytest.raises(PhonobenchError, match=r"score_loss_weight = 1\.0"):
        recipe.with_settings(recipe.find("probe"), {"score_loss_weight": "1"})


def test_states_further_apart_than_posteriors_are_refused(tmp_path) -> None:
    from tiny_checkpoints import save

    from phonobench.neural.checkpoints import pretrained
    from phonobench.neural.recogniser import Recogniser

    card = cards.find("parakeet-ctc-1.1b")
    encoder = pretrained.load(card, save(card, tmp_path))
    with pytest.raises(PhonobenchError, match="score_loss_weight needs states as close"):
        Recogniser(encoder, replace(recipe.find("finetune"), score_loss_weight=1.0))


def test_a_training_with_a_judge_keeps_it_and_differs_from_one_without(tmp_path) -> None:
    from phonobench.neural.checkpoints import trained
    from phonobench.neural.training import loop

    settings = {"epochs": "1", "head_only_epochs": "0", "batch_seconds": "8", "precision": "fp32"}
    corpus, learned = synthetic.read(), []
    for judged in ("0", "2"):
        plan = recipe.with_settings(recipe.find("scoring"), {**settings, "score_loss_weight": judged})
        run = loop.train(cards.find("scratch-mel"), plan, corpus, tmp_path, limit=12)
        assert store.read_run(run)["status"] == "trained"
        learned.append(trained.load(run).state_dict())
    without, judging = learned
    assert {name for name in judging if name not in without} == {n for n in judging if n.startswith("judge.")} != set()
    body = [name for name in without if name.startswith("encoder.") and without[name].is_floating_point()]
    assert any(not torch.equal(without[name], judging[name]) for name in body)


def _scoring_run(folder: Path) -> Path:
    settings = {"epochs": "1", "head_only_epochs": "0", "batch_seconds": "8", "precision": "fp32"}
    plan = recipe.with_settings(recipe.find("scoring"), {**settings, "score_loss_weight": "2"})
    return loop.train(cards.find("scratch-mel"), plan, synthetic.read(), folder, limit=4)


def test_scores_are_read_off_the_last_layer_but_one_in_training_and_when_recognised(tmp_path, monkeypatch) -> None:
    """Of three states (before the first layer, after it, after the second) it is the one in the middle."""
    trained = pytest.importorskip("phonobench.neural.checkpoints.trained")
    recognise = pytest.importorskip("phonobench.neural.assessment.recognise")
    recogniser = pytest.importorskip("phonobench.neural.recogniser")
    layers, read = [], []
    known, states_of = score_head.ScoreHead.loss, recogniser.Recogniser.states

    def noted(head, states, *others):
        read.append((len(layers[-1]), states is layers[-1][1]))
        return known(head, states, *others)

    def kept(model, *given):
        layers.append(states_of(model, *given))
        return layers[-1]

    monkeypatch.setattr(score_head.ScoreHead, "loss", noted)
    monkeypatch.setattr(recogniser.Recogniser, "states", kept)
    run_dir = _scoring_run(tmp_path)
    assert set(read) == {(3, True)}
    monkeypatch.undo()
    monkeypatch.setattr(speech_span, "with_margins", lambda output: output)  # the states as the encoder gives them
    wave = np.random.default_rng(0).standard_normal(16_000).astype(np.float32) * 0.1
    ((_, output),) = recognise.recognise(run_dir, (), None, [lambda: wave])
    model = trained.load(run_dir)
    with torch.no_grad():
        features = model.encoder.features([torch.from_numpy(wave)])
        middle = model.encoder(features)[1][0, : int(features.lengths[0])]
    np.testing.assert_allclose(output.head.states, middle.numpy(), atol=1e-5)
