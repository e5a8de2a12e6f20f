"""The compiled recursions. Log-domain but for `slots`, whose inner loop is linear, scaled, and certified.

States: a sequence of N labels has 2 N + 1, blank at even s, label s // 2 at odd s. Rows of `alpha` and `beta` have one
more than the T frames: row t of `alpha` holds the paths over the t frames before t, row t of `beta` those over frames
t to T - 1, so that the rows 0 and T are the ends of the lattice and need no special case.
Everything stays in one file because numba's cache does not notice a change in another one.
"""

from __future__ import annotations

import math

import numpy as np

from phonobench.compiled import compiled

HEADROOM = 400.0 * math.log(2.0)
"""Log of the largest scaled entry of `slots`; with T terms of it, sums stay far below overflow (2 ** 1024)."""
CERTAIN = 2.0**-500
"""Scaled sums from here up are exact to rounding; what lies below is computed again in the log domain."""

LOG_2 = math.log(2.0)
NEGLIGIBLE = -50.0
"""Log of a share that is left out of a sum: far below half a unit in the last place, even 2 ** 16 times."""


@compiled
def add(a: float, b: float) -> float:
    """log(exp(a) + exp(b)), also of -inf."""
    if a < b:
        a, b = b, a
    if not b - a > NEGLIGIBLE:  # also where both are -inf, and the difference is NaN
        return a
    return a + math.log1p(math.exp(b - a))


@compiled
def prefixes(logp: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Forward variables. Before the first frame everything is in the leading blank, which emits nothing there.

    Args:
        logp: Log-posteriors (T, V), column 0 the blank.
        labels: (N,).

    Returns:
        (T + 1, 2 N + 1): log-probability of all paths over the first t frames that end in state s.
    """
    frames, states = logp.shape[0], 2 * len(labels) + 1
    alpha = np.full((frames + 1, states), -np.inf)
    alpha[0, 0] = 0.0
    for t in range(frames):
        for s in range(min(states, 2 * t + 2)):
            total = alpha[t, s]
            if s > 0:
                total = add(total, alpha[t, s - 1])
            column = 0
            if s % 2 == 1:
                column = labels[s // 2]
                if s > 1 and column != labels[s // 2 - 1]:  # equal neighbours need a blank between them
                    total = add(total, alpha[t, s - 2])
            alpha[t + 1, s] = total + logp[t, column]
    return alpha


@compiled
def through(emitted: np.ndarray, entering: np.ndarray, leaving: np.ndarray) -> float:
    """Log of the sum, over all stretches of frames t to u, of entering(t) emitted(t) .. emitted(u) leaving(u).

    Scaled by the best single stretch from each frame on, so that no term that matters can underflow; terms below
    exp(NEGLIGIBLE) of the best are left out.

    Args:
        emitted: Logs, (T,).
        entering: Logs, (T,).
        leaving: Logs, (T,).

    Returns:
        The log; -inf where no stretch is possible.
    """
    frames = len(emitted)
    gain = np.empty(frames)  # of the best way on after frame t
    ahead = best = -np.inf
    for t in range(frames - 1, -1, -1):
        ahead = max(ahead, leaving[t])
        gain[t] = ahead
        ahead += emitted[t]
        best = max(best, entering[t] + ahead)
    if best == -np.inf:
        return best
    inside = total = 0.0
    for t in range(frames):
        ahead = emitted[t] + gain[t]
        if inside > 0.0:
            change = ahead - gain[t - 1]  # 0 unless it was best to leave
            inside = 0.0 if change < NEGLIGIBLE else inside if change == 0.0 else inside * math.exp(change)
        if entering[t] + ahead - best > NEGLIGIBLE:
            inside += math.exp(entering[t] + ahead - best)
        if inside > 0.0 and leaving[t] - gain[t] > NEGLIGIBLE:
            total += inside * math.exp(leaving[t] - gain[t])
    return math.log(total) + best


@compiled
def slots(
    logp: np.ndarray, labels: np.ndarray, alpha: np.ndarray, beta: np.ndarray, before: np.ndarray, after: np.ndarray
) -> tuple[np.ndarray, int]:
    """Log-likelihoods (K, V), column 0 unused, of the sequences with any one column at each of K places, each between
    its blank states `before` and `after`; and how many had to be computed singly, by `through`.

    A place takes the prefixes that end in `before` or in the label before it, and the suffixes that begin in `after` or
    in the label after it, these labels only where they differ from the column. All columns go through the frames
    together, as y (g r + a), scaled so that every factor is at most 1 and every entering term a at most 2 ** 400. With
    C(t) the log of a bound on what any column can still gain after frame t,
        C(t) = max(log 2 + max beta(t + 1), max_q logp(t + 1, q) + C(t + 1)),
    frame t is scaled by exp(C(t) - K). All terms are positive, so the only loss is underflow: at most
    4 T^2 2^(400 + 16 - 1022), below one unit in the last place of any sum of at least CERTAIN while T < 2 ** 16.
    """
    frames, columns = logp.shape
    found = np.full((len(before), columns), -np.inf)
    recomputed = 0
    top = np.empty(frames)
    share = np.empty_like(logp)
    for t in range(frames):
        top[t] = -np.inf
        for q in range(1, columns):
            top[t] = max(top[t], logp[t, q])
        for q in range(columns):
            share[t, q] = math.exp(logp[t, q] - top[t]) if q > 0 and top[t] > -np.inf else 0.0
    gain = np.empty(frames)
    inside, total = np.empty(columns), np.empty(columns)
    for k in range(len(before)):
        b, e = before[k], after[k]
        left = labels[b // 2 - 1] if b > 0 else 0
        right = labels[e // 2] if e + 1 < alpha.shape[1] else 0
        scale = _bounds(top, alpha, beta, b, e, gain)
        if scale == -np.inf:
            continue
        _run(share, top, gain, scale, alpha, beta, b, e, left, right, inside, total)
        doubtful = 0
        for q in range(1, columns):
            if total[q] >= CERTAIN:
                found[k, q] = math.log(total[q]) + scale
            else:
                doubtful += 1
        if doubtful > 0:
            _recompute(logp, alpha, beta, b, e, left, right, total, found[k])
            recomputed += doubtful
    return found, recomputed


@compiled
def _recompute(
    logp: np.ndarray,
    alpha: np.ndarray,
    beta: np.ndarray,
    before: int,
    after: int,
    left: int,
    right: int,
    total: np.ndarray,
    found: np.ndarray,
) -> None:
    """Puts `through` into `found` for the columns whose scaled `total` is below CERTAIN."""
    frames = logp.shape[0]
    entering, leaving = alpha[:frames, before].copy(), beta[1:, after].copy()
    for t in range(frames):
        if before > 0:
            entering[t] = add(entering[t], alpha[t, before - 1])
        if after + 1 < beta.shape[1]:
            leaving[t] = add(leaving[t], beta[t + 1, after + 1])
    for q in range(1, len(total)):
        if total[q] < CERTAIN:
            into = alpha[:frames, before].copy() if q == left else entering
            out = beta[1:, after].copy() if q == right else leaving
            found[q] = through(logp[:, q].copy(), into, out)


@compiled
def _bounds(top: np.ndarray, alpha: np.ndarray, beta: np.ndarray, before: int, after: int, gain: np.ndarray) -> float:
    """Fills `gain` with C(t) of `slots` and returns its K; -inf where no path exists for any column."""
    frames = len(top)
    scale = ahead = -np.inf
    for t in range(frames - 1, -1, -1):
        leaving = beta[t + 1, after]
        if after + 1 < beta.shape[1]:
            leaving = max(leaving, beta[t + 1, after + 1])
        ahead = max(leaving + LOG_2, ahead)
        gain[t] = ahead
        entering = alpha[t, before]
        if before > 0:
            entering = max(entering, alpha[t, before - 1])
        ahead += top[t]
        scale = max(scale, entering + LOG_2 + ahead)
    return scale - HEADROOM


@compiled
def _run(
    share: np.ndarray,
    top: np.ndarray,
    gain: np.ndarray,
    scale: float,
    alpha: np.ndarray,
    beta: np.ndarray,
    before: int,
    after: int,
    left: int,
    right: int,
    inside: np.ndarray,
    total: np.ndarray,
) -> None:
    """Scaled sums of one place into `total`. The columns equal to a neighbour run apart, as they need a blank there."""
    columns = share.shape[1]
    inside[:] = 0.0
    total[:] = 0.0
    inside_left = total_left = inside_right = total_right = 0.0
    from_label, to_label, twins = before > 0, after + 1 < alpha.shape[1], left == right
    for t in range(share.shape[0]):
        ahead = top[t] + gain[t]
        if ahead == -np.inf:  # no column is possible here, or none can go on from here
            inside[:] = 0.0
            inside_left = inside_right = 0.0
            continue
        keep = math.exp(ahead - gain[t - 1]) if t > 0 else 0.0
        a_blank = math.exp(alpha[t, before] + ahead - scale)
        a_label = math.exp(alpha[t, before - 1] + ahead - scale) if from_label else 0.0
        o_blank = math.exp(beta[t + 1, after] - gain[t])
        o_label = math.exp(beta[t + 1, after + 1] - gain[t]) if to_label else 0.0
        entering, leaving = a_blank + a_label, o_blank + o_label
        row = share[t]
        for q in range(columns):
            inside[q] = row[q] * (inside[q] * keep + entering)
            total[q] += inside[q] * leaving
        inside_left = row[left] * (inside_left * keep + a_blank)
        total_left += inside_left * (o_blank if twins else leaving)
        inside_right = row[right] * (inside_right * keep + (a_blank if twins else entering))
        total_right += inside_right * o_blank
    total[left] = total_left  # column 0 where there is no neighbour: its share is 0, and nobody reads it
    total[right] = total_right


@compiled
def deletions(labels: np.ndarray, alpha: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Log-likelihoods of the sequence with one label deleted; neighbours that become equal need their blank.

    Args:
        labels: (N,).
        alpha: Forward variables (`prefixes`).
        beta: Backward variables of the same shape.

    Returns:
        (N,), one a deleted label.
    """
    frames, count = alpha.shape[0] - 1, len(labels)
    found = np.full(count, -np.inf)
    for i in range(count):
        last = i == count - 1
        direct = i > 0 and (last or labels[i - 1] != labels[i + 1])
        for t in range(frames if last else 0, frames + 1 if last else frames):
            entering = add(alpha[t, 2 * i], alpha[t, 2 * i - 1]) if direct else alpha[t, 2 * i]
            found[i] = entering if last else add(found[i], entering + beta[t, 2 * i + 3])
    return found


@compiled
def viterbi(logp: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, float]:
    """The most probable path. Ties go to staying.

    Args:
        logp: Log-posteriors (T, V), column 0 the blank.
        labels: (N,).

    Returns:
        States (T,) and the log-probability of the path; -inf where there is none.
    """
    frames, states = logp.shape[0], 2 * len(labels) + 1
    steps = np.zeros((frames, states), np.int8)
    best = np.full(states, -np.inf)
    best[0] = 0.0
    for t in range(frames):
        for s in range(states - 1, -1, -1):  # downwards: what a state reads is still of the frame before
            value, step = best[s], 0
            if s > 0 and best[s - 1] > value:
                value, step = best[s - 1], 1
            if s > 1 and s % 2 == 1 and labels[s // 2] != labels[s // 2 - 1] and best[s - 2] > value:
                value, step = best[s - 2], 2
            best[s] = value + logp[t, labels[s // 2] if s % 2 == 1 else 0]
            steps[t, s] = step
    state = states - 1
    if states > 1 and best[states - 2] > best[state]:
        state = states - 2
    loglik = best[state]
    path = np.empty(frames, np.int64)
    for t in range(frames - 1, -1, -1):
        path[t] = state
        state -= steps[t, state]
    return path, loglik
