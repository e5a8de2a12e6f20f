"""Fits what helps the scorer's network: boosted trees for every score, and the gate, by scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from phonobench.assessment.model import gate
from phonobench.assessment.model.examples import Example, FitConfig
from phonobench.assessment.model.features import Description
from phonobench.assessment.model.gate import PromptGate
from phonobench.assessment.model.tables import tabulate
from phonobench.assessment.model.trees import TABLES, Forest, Trees
from phonobench.assessment.types import SENTENCE_SCORES, WORD_SCORES
from phonobench.types import OnProgress, PhonobenchError, Progress

GROWTH: dict[str, dict[str, Any]] = {
    "phones": {"learning_rate": 0.06, "max_leaf_nodes": 31, "min_samples_leaf": 40, "l2_regularization": 1.0},
    "words": {"learning_rate": 0.06, "max_leaf_nodes": 31, "min_samples_leaf": 40, "l2_regularization": 1.0},
    "sentence": {"learning_rate": 0.05, "max_leaf_nodes": 15, "min_samples_leaf": 20, "l2_regularization": 1.0},
}
"""By table how trees grow."""
SHARE = {"phones": 1.0, "words": 2 / 3, "sentence": 1 / 2}
"""By table how many of the configured trees there are: fewer rows bear fewer."""


def fit_forest(examples: Sequence[Example], names: Sequence[str], config: FitConfig, report: OnProgress) -> Forest:
    """Trees for every score, fitted to utterances whose rows hold `names` of each model.

    Raises:
        PhonobenchError: Where no phone is mispronounced, or all of them are.
    """
    tables = [tabulate(description_of(e), names) for e in examples]
    targets = {"phone": [e.phone for e in examples], "error": [e.error for e in examples]}
    targets |= {f"word.{name}": [e.word[:, k] for e in examples] for k, name in enumerate(WORD_SCORES)}
    targets |= {f"sentence.{name}": [e.sentence[k : k + 1] for e in examples] for k, name in enumerate(SENTENCE_SCORES)}
    together = {name: np.concatenate([getattr(one, name) for one in tables]) for name in GROWTH}
    trees = {}
    for place, (name, table) in enumerate(TABLES.items()):
        settings = {**GROWTH[table], "max_iter": max(1, round(SHARE[table] * config.trees))}
        trees[name] = _fitted(name, together[table], np.concatenate(targets[name]), settings)
        report(Progress("grow trees", place + 1, len(TABLES)))
    return Forest(trees)


def description_of(example: Example) -> Description:
    """The features of an example, without its scores."""
    return Description(example.rows, example.states, example.ids, example.words, example.word_rows)


def _fitted(name: str, table: np.ndarray, targets: np.ndarray, settings: dict[str, Any]) -> Trees:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    known = np.isfinite(targets)
    if name == "error" and len(np.unique(targets[known])) < 2:
        raise PhonobenchError(
            "all phones of the speakers that the scorer is fitted to are right, or none: there is no error to learn"
        )
    kind = HistGradientBoostingClassifier if name == "error" else HistGradientBoostingRegressor
    return arrays_of(kind(random_state=0, early_stopping=False, **settings).fit(table[known], targets[known]))


def arrays_of(model: Any) -> Trees:
    """The trees of a fitted model of scikit-learn (of two classes: the log-odds of the second)."""
    parts = [trees[0].nodes for trees in model._predictors]
    nodes = np.concatenate(parts)
    roots = np.cumsum([0, *(len(part) for part in parts[:-1])])
    shift = np.repeat(roots, [len(part) for part in parts])
    leaf = nodes["is_leaf"].astype(bool)
    left, right = (np.where(leaf, -1, nodes[side].astype(np.int64) + shift) for side in ("left", "right"))
    return Trees(
        start=np.asarray(model._baseline_prediction, np.float64).reshape(1),
        roots=roots.astype(np.int32),
        column=nodes["feature_idx"].astype(np.int16),
        threshold=nodes["num_threshold"].astype(np.float64),
        left=left.astype(np.int32),
        right=right.astype(np.int32),
        absent_left=nodes["missing_go_to_left"].astype(bool),
        value=nodes["value"].astype(np.float64),
    )


def fit_gate(
    examples: Sequence[Example], negatives: Sequence[Example], names: Sequence[str], config: FitConfig
) -> PromptGate:
    """The gate between utterances that were read and `negatives`: prompts against audio in which nobody reads them.

    Its probabilities are those where a share of `config.unread` of all recordings are negatives.
    """
    from sklearn.linear_model import LogisticRegression

    values = np.stack([gate.values_of(description_of(e), names) for e in [*examples, *negatives]])
    read = np.arange(len(values)) < len(examples)
    mean, scale = values.mean(0), np.maximum(values.std(0), 1e-3)
    model = LogisticRegression(C=1.0, max_iter=2000).fit(gate.standardised(values, mean, scale), read)
    shown, expected = len(negatives) / len(values), config.unread
    odds = np.log(shown / (1 - shown)) - np.log(expected / (1 - expected))
    return PromptGate(tuple(mean), tuple(scale), tuple(model.coef_[0]), float(model.intercept_[0] + odds))
