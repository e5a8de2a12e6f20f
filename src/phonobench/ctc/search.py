"""The compiled prefix beam search.

A sequence is a node of a prefix tree: one number, also after it was pruned and has come back. Everything stays in one
file because numba's cache does not notice a change in another one.
"""

from __future__ import annotations

import math

import numpy as np

from phonobench.compiled import compiled


@compiled
def _add(a: float, b: float) -> float:
    """log(exp(a) + exp(b)), also of -inf."""
    if a < b:
        a, b = b, a
    return a if b == -np.inf else a + math.log1p(math.exp(b - a))


@compiled
def search(logp: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A prefix beam search as a tree.

    Of equal sequences those are held that stayed, before those that grew, and of these the ones from better sequences.

    Args:
        logp: Log-posteriors (T, V), column 0 the blank.
        width: Sequences that are held after each frame.

    Returns:
        `parent` and `label` of each node (node 0 is the empty sequence), the nodes held after the last frame, best
        first, and their log-probabilities.
    """
    frames, columns = logp.shape
    nodes = frames * width + 1
    parent, label = np.full(nodes, -1), np.zeros(nodes, np.int64)
    # A node's children are a chain: `first_child` of the node, then `next_sibling` of each.
    first_child, next_sibling, place = np.full(nodes, -1), np.full(nodes, -1), np.full(nodes, -1)
    size, held = 1, 1
    node = np.zeros(width, np.int64)
    blank, spoken = np.full(width, -np.inf), np.full(width, -np.inf)  # held sequences, by how their paths end
    blank[0] = 0.0
    stays_blank, stays_spoken = np.empty(width), np.empty(width)
    value, source, column = np.empty(width), np.empty(width, np.int64), np.empty(width, np.int64)
    next_node, next_blank, next_spoken = np.empty(width, np.int64), np.empty(width), np.empty(width)
    for t in range(frames):
        for k in range(held):
            place[node[k]] = k
        for k in range(held):
            last = label[node[k]]
            stays_blank[k] = _add(blank[k], spoken[k]) + logp[t, 0]
            stays_spoken[k] = -np.inf
            if last > 0:
                stays_spoken[k] = spoken[k] + logp[t, last]
                above = place[parent[node[k]]]
                if above >= 0:  # the parent's paths that grow into this sequence join it
                    repeats = label[node[above]] == last  # a repeat needs a blank before it
                    grown = blank[above] if repeats else _add(blank[above], spoken[above])
                    stays_spoken[k] = _add(stays_spoken[k], grown + logp[t, last])
        chosen = 0
        for k in range(held):
            chosen = _offer(_add(stays_blank[k], stays_spoken[k]), k, 0, chosen, value, source, column)
        for k in range(held):
            both = _add(blank[k], spoken[k])
            for q in range(1, columns):
                grown = (blank[k] if q == label[node[k]] else both) + logp[t, q]
                if grown == -np.inf or (chosen == width and not grown > value[width - 1]):
                    continue
                child = _child(node[k], q, label, first_child, next_sibling)
                if child < 0 or place[child] < 0:  # one that is held has had its share
                    chosen = _offer(grown, k, q, chosen, value, source, column)
        for k in range(held):
            place[node[k]] = -1
        for j in range(chosen):
            k, q = source[j], column[j]
            if q == 0:
                next_node[j], next_blank[j], next_spoken[j] = node[k], stays_blank[k], stays_spoken[k]
                continue
            child = _child(node[k], q, label, first_child, next_sibling)
            if child < 0:
                child = size
                size += 1
                parent[child], label[child] = node[k], q
                next_sibling[child] = first_child[node[k]]
                first_child[node[k]] = child
            next_node[j], next_blank[j], next_spoken[j] = child, -np.inf, value[j]
        held = chosen
        node, next_node = next_node, node
        blank, next_blank = next_blank, blank
        spoken, next_spoken = next_spoken, spoken
    score = np.empty(held)
    for k in range(held):
        score[k] = _add(blank[k], spoken[k])
    order = np.argsort(-score, kind="mergesort")
    return parent[:size], label[:size], node[:held][order], score[order]


@compiled
def _child(node: int, column: int, label: np.ndarray, first_child: np.ndarray, next_sibling: np.ndarray) -> int:
    """The node of a sequence with one more phone, -1 where it was never held."""
    found: int = first_child[node]
    while found >= 0 and label[found] != column:
        found = next_sibling[found]
    return found


@compiled
def _offer(grown: float, k: int, q: int, chosen: int, value: np.ndarray, source: np.ndarray, column: np.ndarray) -> int:
    """Puts a candidate into the falling list `value` if it is good enough; returns how many are in it then."""
    if grown == -np.inf or (chosen == len(value) and not grown > value[chosen - 1]):
        return chosen
    j = min(chosen, len(value) - 1)
    while j > 0 and grown > value[j - 1]:
        value[j], source[j], column[j] = value[j - 1], source[j - 1], column[j - 1]
        j -= 1
    value[j], source[j], column[j] = grown, k, q
    return min(chosen + 1, len(value))
