"""Word vectors: gradient steps over windows of text.

    tokens    (n,) int32      rows of `contexts`; -1 between sentences
    radii     (m,) int32      how far the windows of tokens first to first + m - 1 reach
    contexts  (n_words, D)    v, one vector a word; D is a whole number of vector registers, zero beyond the vector
    targets   (n_rows, D)     u, one vector a word or, under hierarchical softmax, an inner node of the tree
    starts, chosen            the target rows of each window and their labels, as in word2vec_draws

The objective of an input vector x and the target rows of a window is

    logistic: sum over its rows of -log sigmoid(s u . x), s = 1 for label 1 and -1 for label 0;
    softmax:  -u_r . x + log sum over all rows of exp(u . x), r being its one row.

Skip-gram has one x for each context vector of the window, CBOW their mean. All pairs of a window take one step, with
the gradients at the vectors before it; where each pair has target rows of its own, one pair after another.
"""

import numpy as np

from neurojit.core.jit import inner_kernel, kernel
from neurojit.core.simd import address, keep, lane_count
from neurojit.core.simd_logistic import FACTORS, logistic_slopes
from neurojit.core.simd_pairs import (
    TARGETS,
    add_row,
    copy_rows,
    fetch_row,
    mean_row,
    pair_dots,
    pair_updates,
)
from neurojit.kernels.cpu.elementary import exp

AHEAD = 2  # windows between fetching rows into the cache and using them
SKIP_GRAM, CBOW = 0, 1


@inner_kernel
def _row(place):
    """The row of an entry of `chosen`."""
    return place if place >= 0 else ~place


@inner_kernel
def _window(tokens, p, radius, contexts, zs):
    """Addresses of the rows of the tokens round token p, within its sentence; how many."""
    n, width = 0, contexts.shape[1]
    for q in range(p - 1, max(p - radius, 0) - 1, -1):
        if tokens[q] < 0:
            break
        zs[n] = address(contexts, tokens[q] * width)
        n += 1
    for q in range(p + 1, min(p + radius, tokens.size - 1) + 1):
        if tokens[q] < 0:
            break
        zs[n] = address(contexts, tokens[q] * width)
        n += 1
    return n


@inner_kernel
def _fetch(tokens, p, chosen, start, stop, contexts, targets, vectors):
    """Ask for a context row and for chosen target rows that a window will soon be the first to use."""
    if p < tokens.size and tokens[p] >= 0:
        fetch_row(contexts, address(contexts, tokens[p] * contexts.shape[1]), vectors)
    for i in range(start, stop):
        fetch_row(targets, address(targets, _row(chosen[i]) * targets.shape[1]), vectors)


@inner_kernel
def _point(chosen, first, stop, targets, spare, ys, signs):
    """Addresses of up to TARGETS chosen rows, the spare row for the rest; and their signs, again for each x.

    Most groups have the signs of the one before.
    """
    same = True
    for k in range(TARGETS):
        sign = signs.dtype.type(0)
        ys[k] = spare
        if first + k < stop:
            place = chosen[first + k]
            sign = signs.dtype.type(1 if place >= 0 else -1)
            ys[k] = address(targets, _row(place) * targets.shape[1])
        same &= signs[k] == sign
        signs[k] = sign
    if not same:
        for i in range(TARGETS, signs.size):
            signs[i] = signs[i - TARGETS]


@inner_kernel
def _take_sums(sums):
    """The losses summed up so far; the sums begin anew.

    sums : two registers, as `logistic_slopes` has them, and how many factors a product may have by now.
    """
    lanes = lane_count(sums)
    loss = np.float64(0)
    for i in range(lanes):
        loss += np.float64(sums[i]) + np.log(np.float64(sums[lanes + i]))
        sums[i], sums[lanes + i] = 0, 1
    sums[2 * lanes] = 0
    return loss


@inner_kernel
def _slopes(dots, n, signs, learning_rate, sums):
    """Dot products become steps along them; returns losses that had to leave the sums, lest a product overflow."""
    lanes = lane_count(sums)
    loss = np.float64(0)
    for first in range(0, n, FACTORS * lanes):
        count = min(n - first, FACTORS * lanes)
        factors = count // lanes + 1
        if sums[2 * lanes] + factors > FACTORS:
            loss += _take_sums(sums)
        sums[2 * lanes] += factors
        x, s = address(dots, first), address(signs, first)
        logistic_slopes(dots, x, s, count, learning_rate, address(sums, 0))
    return loss


@inner_kernel
def _logistic_step(xs, zs, n, chosen, start, stop, targets, spare, ys, signs, dots, learning_rate, sums):
    """z += step of the objective in x, for n of them, and the own steps of the chosen rows; see `_slopes`."""
    vectors = targets.shape[1] // lane_count(targets)
    loss = np.float64(0)
    for first in range(start, stop, TARGETS):
        _point(chosen, first, stop, targets, spare, ys, signs)
        pair_dots(targets, xs, n, address(ys, 0), vectors, address(dots, 0))
        loss += _slopes(dots, n * TARGETS, signs, learning_rate, sums)
        pair_updates(targets, xs, zs, n, address(ys, 0), address(dots, 0), vectors)
    return loss


@inner_kernel
def _softmax_slopes(dots, n_rows, label, learning_rate):
    """As `_slopes`, for one x and dots[k] its product with row k."""
    largest = dots[0]
    for k in range(n_rows):
        largest = max(largest, dots[k])
    total = dots.dtype.type(0)
    at_label = dots[label] - largest
    for k in range(n_rows):
        dots[k] = exp(dots[k] - largest)
        total += dots[k]
    for k in range(n_rows):
        dots[k] *= -learning_rate / total
    dots[label] += learning_rate
    for k in range(n_rows, dots.size):
        dots[k] = dots.dtype.type(0)
    return np.log(np.float64(total)) - np.float64(at_label)


@kernel
def _softmax_step(xs, zs, n, label, targets, spare, ys, dots, learning_rate):
    """As `_logistic_step`, with all rows for targets and one of them the label."""
    vectors = targets.shape[1] // lane_count(targets)
    n_rows, width = targets.shape
    n_groups = -(-n_rows // TARGETS)
    products = np.zeros((n, n_groups * TARGETS), dots.dtype)
    loss = np.float64(0)
    for group in range(n_groups):
        for k in range(TARGETS):
            row = group * TARGETS + k
            ys[k] = address(targets, row * width) if row < n_rows else spare
        pair_dots(targets, xs, n, address(ys, 0), vectors, address(dots, 0))
        for a in range(n):
            for k in range(TARGETS):
                products[a, group * TARGETS + k] = dots[a * TARGETS + k]
    for a in range(n):
        loss += _softmax_slopes(products[a], n_rows, label, learning_rate)
    for group in range(n_groups):
        for k in range(TARGETS):
            row = group * TARGETS + k
            ys[k] = address(targets, row * width) if row < n_rows else spare
        for a in range(n):
            for k in range(TARGETS):
                dots[a * TARGETS + k] = products[a, group * TARGETS + k]
        pair_updates(targets, xs, zs, n, address(ys, 0), address(dots, 0), vectors)
    return loss


@inner_kernel
def _aligned(at):
    """The first address from `at` on where a cache line begins."""
    return (at + 63) // 64 * 64


@kernel
def train_windows(
    tokens, first, radii, reach, architecture, softmax, groups, starts, chosen, contexts, targets, learning_rate, ahead
):
    """Take a step for each window; the sum of the objective and how many pairs of an x and a window's targets.

    first : token whose window is window 0.
    reach : largest radius there can be.
    architecture : SKIP_GRAM or CBOW. CBOW moves each context vector by the step of their mean, not by its share of it.
    groups : 1, or 2 reach groups of target rows a window, one for each x.
    ahead : whether to fetch rows into the cache before they are used.
    """
    width = contexts.shape[1]
    lanes = lane_count(contexts)
    vectors = width // lanes
    most = 2 * reach
    room = most * TARGETS + lanes
    sums = np.ones(2 * lanes + 1, contexts.dtype)
    _take_sums(sums)
    scratch = np.zeros((most + 3) * width, contexts.dtype)
    lines = _aligned(address(scratch, 0))
    row_bytes = width * scratch.itemsize
    spare, step = lines + most * row_bytes, lines + (most + 1) * row_bytes
    xs, rows, ys = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(TARGETS, np.int64)
    signs, dots = np.zeros(room, contexts.dtype), np.zeros(room, contexts.dtype)
    learning_rate = contexts.dtype.type(learning_rate)
    for a in range(most):
        xs[a] = lines + a * row_bytes
    step_at, zero_at = np.full(1, step), np.full(1, spare)
    loss, pairs = np.float64(0), 0
    for i in range(radii.size):
        p = first + i
        if ahead and i + AHEAD < radii.size:
            j = (i + AHEAD) * groups
            _fetch(tokens, p + AHEAD + reach, chosen, starts[j], starts[j + groups], contexts, targets, vectors)
        n = _window(tokens, p, radii[i], contexts, rows) if tokens[p] >= 0 else 0
        if n == 0:
            continue
        if architecture == CBOW:
            mean_row(contexts, address(rows, 0), n, xs[0], vectors)
            copy_rows(contexts, address(zero_at, 0), address(step_at, 0), 1, vectors)
            zs, inputs = address(step_at, 0), 1
        else:
            copy_rows(contexts, address(rows, 0), address(xs, 0), n, vectors)
            zs, inputs = address(rows, 0), n
        apart = inputs if groups > 1 else 1
        for a in range(apart):
            x, z, count = address(xs, a), zs + 8 * a, inputs // apart
            j = i * groups + a
            if softmax:
                loss += _softmax_step(x, z, count, chosen[starts[j]], targets, spare, ys, dots, learning_rate)
            else:
                loss += _logistic_step(
                    x, z, count, chosen, starts[j], starts[j + 1], targets, spare, ys, signs, dots, learning_rate, sums
                )
        if architecture == CBOW:
            add_row(contexts, step, address(rows, 0), n, vectors)
        pairs += inputs
    keep(scratch)
    keep(step_at)
    keep(zero_at)
    keep(xs)
    keep(rows)
    keep(ys)
    keep(dots)
    keep(signs)
    return loss + _take_sums(sums), pairs
