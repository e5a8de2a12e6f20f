"""The blank's bias: found where it was planted, chosen on dev, folded into the weights once."""

from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from phonobench import store  # noqa: E402
from phonobench.corpora import synthetic  # noqa: E402
from phonobench.neural.checkpoints import trained  # noqa: E402
from phonobench.neural.posteriors import batch_posteriors  # noqa: E402
from phonobench.neural.training import batches, blank_bias, loop  # noqa: E402
from phonobench.systems import cards, recipe  # noqa: E402

pytestmark = pytest.mark.torch


def planted(excess):
    """Posteriors of 20 utterances whose phones are recognised, but for a blank that is `excess` nats too ready."""
    rng = np.random.default_rng(5)
    logp, targets, utterances = [], [], []
    for _ in range(20):
        ids = tuple(rng.integers(1, 40, size=8).tolist())
        frames = np.full((3 * len(ids), 40), -6.0)
        frames[:, 0] = -2.5
        for place, phone in enumerate(ids):
            frames[3 * place + 1, phone] = -2.5 + 1.4 * rng.random()
        frames[:, 0] += excess
        logp.append(frames - np.logaddexp.reduce(frames, axis=1, keepdims=True))
        targets.append(ids)
        utterances.append(SimpleNamespace(judgement=SimpleNamespace(accuracy=9.0)))
    return logp, batches.TrainingData(tuple(utterances), (), tuple(targets))


def test_the_planted_excess_is_found():
    logp, dev = planted(excess=1.5)
    found = blank_bias.choose(logp, dev)
    best = next(iter(found))
    assert 1.5 <= best <= 2.25
    assert found[best] < 0.05 < found[0.0]


def test_balanced_posteriors_are_left_alone():
    logp, dev = planted(excess=0.0)
    assert next(iter(blank_bias.choose(logp, dev))) == 0.0


def test_it_is_folded_into_the_weights_once(tmp_path):
    corpus = synthetic.read()
    plan = recipe.with_settings(recipe.find("scratch"), {"epochs": "1", "batch_seconds": "8"})
    run_dir = loop.train(cards.find("scratch-mel"), plan, corpus, tmp_path, limit=8)
    dev = batches.read(corpus.split("dev")[:8], lambda _: None)
    blank = store.read_run(run_dir)["blank"]
    assert blank["bias"] in blank_bias.GRID
    before = trained.digest(run_dir)
    blank_bias.calibrate(run_dir, dev, lambda _: None)
    assert trained.digest(run_dir) == before

    arrays, facts = store.read_arrays(run_dir / "weights" / trained.FILE)
    facts.pop("blank")
    store.write_arrays(run_dir / "weights" / trained.FILE, arrays, facts)
    (plain,) = batch_posteriors(trained.load(run_dir), [dev.waves[0]])
    blank_bias.calibrate(run_dir, dev, lambda _: None)
    bias = store.read_run(run_dir)["blank"]["bias"]
    (moved,) = batch_posteriors(trained.load(run_dir), [dev.waves[0]])
    np.testing.assert_allclose(moved, blank_bias.shifted(plain, bias), atol=1e-4)
