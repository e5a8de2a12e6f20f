"""What was said, without knowing what should have been: best path and prefix beam search."""

from __future__ import annotations

import numpy as np

from phonobench.ctc import checks
from phonobench.types import PhonobenchError


def greedy(logp: np.ndarray) -> tuple[int, ...]:
    """The best column of every frame, repeats merged, blanks dropped. Ties go to the lower column.

    Raises PhonobenchError for posteriors that are none.
    """
    best = checks.posteriors(logp).argmax(axis=1)
    fresh = np.ones(len(best), dtype=bool)
    fresh[1:] = best[1:] != best[:-1]
    return tuple(best[fresh & (best > 0)].tolist())


def beam(logp: np.ndarray, width: int = 16) -> list[tuple[tuple[int, ...], float]]:
    """Prefix beam search: at most `width` sequences with their log-probabilities, best first.

    Paths of one sequence are merged exactly, whether they met before or after pruning; a log-probability is the sum
    over the paths that were kept, `forward`'s value if `width` never pruned one of them, else below it. Raises
    PhonobenchError for posteriors that are none and for a width below 1.
    """
    logp = checks.posteriors(logp)
    if width < 1:
        raise PhonobenchError(f"beam width {width}: must be at least 1")
    tree = _Tree()
    active = [0]
    blank, label = np.zeros(1), np.full(1, -np.inf)
    for frame in logp:
        last = np.array([tree.label[node] for node in active])
        both = np.logaddexp(blank, label)
        stay_blank = both + frame[0]
        stay_label = np.where(last > 0, label + frame[last], -np.inf)
        grown = both[:, None] + frame
        spoken = np.flatnonzero(last)
        grown[spoken, last[spoken]] = blank[spoken] + frame[last[spoken]]  # a repeat needs a blank before it
        grown[:, 0] = -np.inf
        place = {node: k for k, node in enumerate(active)}
        for k in spoken:
            mother = place.get(tree.mother[active[k]])
            if mother is not None:  # the mother's path that grows into this sequence joins it
                stay_label[k] = np.logaddexp(stay_label[k], grown[mother, last[k]])
                grown[mother, last[k]] = -np.inf
        stay = np.logaddexp(stay_blank, stay_label)
        chosen = _highest(np.concatenate([stay, grown.ravel()]), width)
        kept, new = chosen[chosen < len(stay)], chosen[chosen >= len(stay)] - len(stay)
        sources, columns = np.divmod(new, logp.shape[1])
        active = [active[k] for k in kept] + [
            tree.daughter(active[k], q) for k, q in zip(sources.tolist(), columns.tolist(), strict=True)
        ]
        blank = np.concatenate([stay_blank[kept], np.full(len(new), -np.inf)])
        label = np.concatenate([stay_label[kept], grown.ravel()[new]])
    score = np.logaddexp(blank, label)
    return [(tree.sequence(active[k]), float(score[k])) for k in _highest(score, width)]


class _Tree:
    """Sequences as nodes of a prefix tree, so that one sequence is one number, also after it was pruned."""

    def __init__(self) -> None:
        self.mother, self.label = [-1], [0]
        self._daughters: dict[tuple[int, int], int] = {}

    def daughter(self, node: int, label: int) -> int:
        found = self._daughters.get((node, label))
        if found is None:
            found = self._daughters[node, label] = len(self.mother)
            self.mother.append(node)
            self.label.append(label)
        return found

    def sequence(self, node: int) -> tuple[int, ...]:
        labels = []
        while node:
            labels.append(self.label[node])
            node = self.mother[node]
        return tuple(reversed(labels))


def _highest(score: np.ndarray, width: int) -> np.ndarray:
    """Places of the `width` highest values, falling; ties by place; -inf left out."""
    floor = np.partition(score, -width)[-width] if width < len(score) else -np.inf
    some = np.flatnonzero((score >= floor) & (score > -np.inf))
    return some[np.argsort(-score[some], kind="stable")][:width]
