"""Word vectors in shards that are merged: the same bits for any number of threads.

The kept tokens are cut into blocks, and SHARDS blocks, a round, are trained at a time. A row of a matrix that only one
shard of the round uses is changed in place. Where several use it, each changes a copy; then the row takes up the
changes of all copies, in the order of the blocks.

A row that m shards have changed, each with c steps, becomes

    row + alpha sum over shards of (copy - row),   alpha = (1 - rho^m) / (m (1 - rho)),   rho = exp(-rate c).

That is where m c steps one after another would have led, if each took the row the same share of the way to one goal:
the sum of the changes where they are few, their mean where every copy has arrived by itself. `rate` is the learning
rate times `stiffness`, a typical curvature of the objective along a row.

    contexts, targets  (n_words + SHARDS most, D)  the matrices, and below them room for copies, shard after shard
    slots     (2, n_words, SHARDS) int32    number of a row among those a shard uses, -1 for none; 0 contexts, 1 targets
    members   (2, SHARDS, most) int32       rows that a shard uses
    counts    (2, SHARDS) int64             how many
    steps     (2, SHARDS, most) int32       steps that the shard takes with each
    places    (2, SHARDS, most) int32       where each of these rows is changed: itself, or its copy
    radii, starts, chosen, around           of each shard, (SHARDS, ...): what is drawn for a block, as in
                                            word2vec_draws, and its tokens with those near it

The next round is planned while one is merged, so there are two sets of slots, members, counts and steps.
"""

import numpy as np

from neurojit.core.jit import inner_kernel, kernel, parallel_kernel, prange
from neurojit.core.simd import address, keep, lane_count
from neurojit.core.simd_pairs import blend_row, copy_rows, fetch_row
from neurojit.kernels.cpu.word2vec import train_windows
from neurojit.kernels.cpu.word2vec_blocks import (
    ARCHITECTURE,
    BLOCK,
    CONTEXT_STEPS,
    GROUPS,
    REACH,
    TARGET_STEPS,
    draw_block,
)

SHARDS = 8
_AHEAD = 8  # rows between fetching one into the cache and using it


# -- before training --------------------------------------------------------------------------------------------------


@inner_kernel
def _use(row, shard, slots, members, steps, weight, n):
    """The number of a row among those the shard uses, of which there were n; how many there are then."""
    slot = slots[row, shard]
    if slot < 0:
        slot = n
        n += 1
        slots[row, shard], members[slot], steps[slot] = slot, row, 0
    steps[slot] += weight
    return slot, n


@inner_kernel
def _use_tokens(tokens, shard, slots, members, steps, weight, around):
    """Write tokens as numbers of the rows used; how many rows."""
    n = 0
    for i in range(tokens.size):
        around[i] = tokens[i]
        if tokens[i] >= 0:
            around[i], n = _use(tokens[i], shard, slots, members, steps, weight, n)
    return n


@inner_kernel
def _use_chosen(chosen, size, shard, slots, members, steps, weight):
    """The same for chosen rows, in place."""
    n = 0
    for i in range(size):
        row = chosen[i] if chosen[i] >= 0 else ~chosen[i]
        slot, n = _use(row, shard, slots, members, steps, weight, n)
        chosen[i] = slot if chosen[i] >= 0 else ~slot
    return n


@inner_kernel
def _forget(slots, shard, members, n):
    for i in range(n):
        slots[members[i], shard] = -1


@kernel
def _plan(
    tokens,
    block,
    start,
    settings,
    keys,
    threshold,
    alias,
    path_starts,
    path_rows,
    radii,
    starts,
    chosen,
    around,
    shard,
    slots,
    members,
    counts,
    steps,
):
    """Draw what chance decides for a block, and number the rows it uses."""
    reach = settings[REACH]
    stop = min(start + settings[BLOCK], tokens.size)
    for matrix in range(2):
        _forget(slots[matrix], shard, members[matrix, shard], counts[matrix, shard])
    size = stop - start
    own_starts = starts[: size * settings[GROUPS] + 1]
    n = draw_block(
        tokens[start:stop],
        block,
        settings,
        keys,
        threshold,
        alias,
        path_starts,
        path_rows,
        radii[:size],
        own_starts,
        chosen,
    )
    near = tokens[max(start - reach, 0) : stop + reach]
    counts[0, shard] = _use_tokens(
        near, shard, slots[0], members[0, shard], steps[0, shard], settings[CONTEXT_STEPS], around
    )
    counts[1, shard] = _use_chosen(
        chosen, n, shard, slots[1], members[1, shard], steps[1, shard], settings[TARGET_STEPS]
    )


# -- training ---------------------------------------------------------------------------------------------------------


@inner_kernel
def _users(slots, row, n):
    """How many of the first n shards use a row."""
    m = 0
    for shard in range(n):
        m += slots[row, shard] >= 0
    return m


@kernel
def _copy_shared(matrix, slots, members, counts, shard, n, places):
    """Copy the rows that other shards use as well, and ask for all; the place of each row or its copy in the matrix."""
    width = matrix.shape[1]
    vectors = width // lane_count(matrix)
    count, free = counts[shard], slots.shape[0] + counts[:shard].sum()  # no more copies than rows
    x, z = np.empty(1, np.int64), np.empty(1, np.int64)
    for slot in range(count):
        if slot + _AHEAD < count:
            fetch_row(matrix, address(matrix, members[slot + _AHEAD] * width), vectors)
        row = members[slot]
        places[slot] = row
        if _users(slots, row, n) > 1:
            places[slot] = free
            x[0], z[0] = address(matrix, row * width), address(matrix, free * width)
            copy_rows(matrix, address(x, 0), address(z, 0), 1, vectors)
            free += 1
    keep(x)
    keep(z)


@kernel
def _train(
    first,
    size,
    settings,
    radii,
    starts,
    chosen,
    around,
    shard,
    n,
    slots,
    members,
    counts,
    places,
    contexts,
    targets,
    rate,
):
    """Train on a planned block of `size` tokens, the first of which is number `first` of those around it."""
    _copy_shared(contexts, slots[0], members[0, shard], counts[0], shard, n, places[0, shard])
    _copy_shared(targets, slots[1], members[1, shard], counts[1], shard, n, places[1, shard])
    for i in range(around.size):
        if around[i] >= 0:
            around[i] = places[0, shard, around[i]]
    for i in range(starts[size * settings[GROUPS]]):
        chosen[i] = places[1, shard, chosen[i]] if chosen[i] >= 0 else ~places[1, shard, ~chosen[i]]
    return train_windows(
        around,
        first,
        radii[:size],
        settings[REACH],
        settings[ARCHITECTURE],
        False,
        settings[GROUPS],
        starts,
        chosen,
        contexts,
        targets,
        rate,
        True,
    )


# -- after training ---------------------------------------------------------------------------------------------------


@inner_kernel
def merged_share(m, steps, rate):
    """alpha: the share of each of m copies' changes that a row takes up, after so many steps of each."""
    gone = -np.expm1(-rate * steps)
    if m == 1 or gone < 1e-12:
        return 1.0
    return -np.expm1(-rate * steps * m) / (m * gone)


@kernel
def _merge(matrix, slots, members, counts, steps, places, shard, n, rate):
    """Bring the changes of copies into the rows that fall to a shard: of m that use row r, the one numbered r mod m."""
    width, number = matrix.shape[1], matrix.dtype.type
    vectors = width // lane_count(matrix)
    xs = np.empty(SHARDS, np.int64)
    for slot in range(counts[shard]):
        row = members[shard, slot]
        m = _users(slots, row, n)
        if m == 1 or row % m != _users(slots, row, shard):
            continue
        k, taken = 0, 0
        for other in range(n):
            at = slots[row, other]
            if at >= 0:
                xs[k] = address(matrix, places[other, at] * width)
                taken += steps[other, at]
                k += 1
        share = merged_share(m, taken / m, rate)
        z = address(matrix, row * width)
        blend_row(matrix, z, number(1 - m * share), address(xs, 0), m, number(share), vectors)
    keep(xs)


# -- rounds -----------------------------------------------------------------------------------------------------------


@parallel_kernel
def sharded(
    tokens,
    first_block,
    settings,
    keys,
    threshold,
    alias,
    path_starts,
    path_rows,
    contexts,
    targets,
    learning_rates,
    stiffness,
    loss,
    pairs,
    slots,
    members,
    counts,
    steps,
    places,
    radii,
    starts,
    chosen,
    around,
):
    """Train on kept tokens, SHARDS blocks at a time.

    slots, members, counts, steps : two of each.
    """
    block, reach, n_blocks = settings[BLOCK], settings[REACH], loss.size
    for before in range(-SHARDS, n_blocks, SHARDS):
        # Merge the round that begins with block `before`, and plan the one after it; at first there is none to merge.
        old, new = (before // SHARDS) % 2, (before // SHARDS + 1) % 2
        after = before + SHARDS
        n, n_next = min(SHARDS, n_blocks - before), min(SHARDS, n_blocks - after)
        for task in prange(3 * SHARDS):
            shard, kind = task // 3, task % 3
            if kind < 2 and before >= 0 and shard < n:
                _merge(
                    contexts if kind == 0 else targets,
                    slots[old, kind],
                    members[old, kind],
                    counts[old, kind],
                    steps[old, kind],
                    places[kind],
                    shard,
                    n,
                    stiffness * learning_rates[before],
                )
            elif kind == 2 and shard < n_next:
                b = after + shard
                _plan(
                    tokens,
                    first_block + b,
                    b * block,
                    settings,
                    keys,
                    threshold,
                    alias,
                    path_starts,
                    path_rows,
                    radii[shard],
                    starts[shard],
                    chosen[shard],
                    around[shard],
                    shard,
                    slots[new],
                    members[new],
                    counts[new],
                    steps[new],
                )
        for shard in prange(max(n_next, 0)):
            b = after + shard
            start, stop = b * block, min((b + 1) * block, tokens.size)
            left = max(start - reach, 0)
            right = min(stop + reach, tokens.size)
            loss[b], pairs[b] = _train(
                start - left,
                stop - start,
                settings,
                radii[shard],
                starts[shard],
                chosen[shard],
                around[shard, : right - left],
                shard,
                n_next,
                slots[new],
                members[new],
                counts[new],
                places,
                contexts,
                targets,
                learning_rates[b],
            )
