"""Word vectors on all threads: racing on shared vectors, or in shards that are merged.

The kept tokens are cut into blocks of BLOCK. What is drawn for a block depends on its number alone.

- `hogwild`: blocks in any order, all on the same two matrices, without locks (Recht, Re, Wright and Niu, "Hogwild!",
  NIPS 2011). On several threads the result depends on timing.
- `sharded`: SHARDS blocks at a time, each on copies of the rows it uses; then each row takes up the changes of all
  copies, in the order of the blocks. The same bits for any number of threads.

A sharded row that m blocks have changed, each with c steps, becomes

    row + alpha sum over blocks of (copy - row),   alpha = (1 - rho^m) / (m (1 - rho)),   rho = exp(-rate c).

That is where m c steps one after another would have led, if each took the row the same share of the way to one goal:
the sum of the changes where they are few, their mean where every copy has arrived by itself. `rate` is the learning
rate times `stiffness`, a typical curvature of the objective along a row.

    settings          (10,) int64  in the order of the names below
    keys              (3,) uint64  streams of radii, noise and choice
    threshold, alias  (n_words,)   the table of the noise distribution; empty without negative samples
    path_starts, path_rows         the tree; empty without one
    learning_rates, loss, pairs    (n_blocks,) float64, float64, int64
    slots     (2, n_words, SHARDS) int32    where a row's copy is, -1 for none; 0 contexts, 1 targets
    members   (2, SHARDS, most) int32       which row a copy is of
    counts    (2, SHARDS) int64             how many copies
    steps     (2, SHARDS, most) int32       steps a copy has taken
    copies    (2, SHARDS, most, D)
"""

import numpy as np

from neurojit.core.jit import inner_kernel, kernel, parallel_kernel, prange
from neurojit.core.simd import address, keep, lane_count
from neurojit.core.simd_pairs import blend_row, copy_rows, fetch
from neurojit.kernels.cpu.word2vec import train_windows
from neurojit.kernels.cpu.word2vec_draws import WORDS, choose_negatives, choose_paths, draw_noise, draw_radii

SHARDS = 8
_PARTS = 16  # tasks of a merge
_AHEAD = 8  # rows between fetching one into the cache and using it
REACH, SHRINK, ARCHITECTURE, SOFTMAX, GROUPS, NEGATIVE, POOL, BLOCK, CONTEXT_STEPS, TARGET_STEPS = range(10)


@kernel
def _most_chosen(tokens, settings, path_starts):
    """Room for the target rows of a block."""
    if path_starts.size == 0:
        return tokens.size * settings[GROUPS] * (1 + settings[NEGATIVE])
    most = 0
    for token in tokens:
        if token >= 0:
            most += path_starts[token + 1] - path_starts[token]
    return most


@kernel
def _choose(tokens, block, settings, keys, threshold, alias, path_starts, path_rows, radii, starts, chosen):
    """Draw radii and target rows of a block of tokens; how many rows."""
    size, groups, negative = settings[BLOCK], settings[GROUPS], settings[NEGATIVE]
    draw_radii(settings[REACH], settings[SHRINK], block * size, keys[0], radii)
    if path_starts.size > 0:
        return choose_paths(tokens, path_starts, path_rows, starts, chosen)
    pool = np.empty(settings[POOL], np.int32)
    if negative > 0:
        draw_noise(threshold, alias, 2 * block * pool.size, keys[1], pool)
    most_words = (size * groups * negative // WORDS + 1) * WORDS
    return choose_negatives(tokens, groups, negative, pool, block * most_words, keys[2], starts, chosen)


@kernel
def _train_in_place(
    tokens, block, start, settings, keys, threshold, alias, path_starts, path_rows, contexts, targets, learning_rate
):
    stop, reach, groups = min(start + settings[BLOCK], tokens.size), settings[REACH], settings[GROUPS]
    own = tokens[start:stop]
    radii, starts = np.empty(own.size, np.int32), np.empty(own.size * groups + 1, np.int32)
    chosen = np.empty(_most_chosen(own, settings, path_starts), np.int32)
    _choose(own, block, settings, keys, threshold, alias, path_starts, path_rows, radii, starts, chosen)
    left = max(start - reach, 0)
    around = tokens[left : stop + reach]
    kind, softmax = settings[ARCHITECTURE], settings[SOFTMAX]
    return train_windows(
        around,
        start - left,
        radii,
        reach,
        kind,
        softmax,
        groups,
        starts,
        chosen,
        contexts,
        targets,
        learning_rate,
        True,
    )


@parallel_kernel
def hogwild(
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
    loss,
    pairs,
):
    """Train on kept tokens in place; on one thread, block after block."""
    for b in prange(loss.size):
        loss[b], pairs[b] = _train_in_place(
            tokens,
            first_block + b,
            b * settings[BLOCK],
            settings,
            keys,
            threshold,
            alias,
            path_starts,
            path_rows,
            contexts,
            targets,
            learning_rates[b],
        )


@inner_kernel
def _copy_of(row, shard, slots, members, steps, weight, n):
    """The place of a row's copy, a new one where it has none, and how many copies there are then."""
    slot = slots[row, shard]
    if slot < 0:
        slot = n
        n += 1
        slots[row, shard], members[slot], steps[slot] = slot, row, 0
    steps[slot] += weight
    return slot, n


@inner_kernel
def _localize_tokens(tokens, shard, slots, members, steps, weight, local):
    """Tokens as places of the copies of their rows; how many copies."""
    n = 0
    for i in range(tokens.size):
        local[i] = tokens[i]
        if tokens[i] >= 0:
            local[i], n = _copy_of(tokens[i], shard, slots, members, steps, weight, n)
    return n


@inner_kernel
def _localize_chosen(chosen, size, shard, slots, members, steps, weight):
    """Chosen rows, in place, as places of their copies; how many copies."""
    n = 0
    for i in range(size):
        row = chosen[i] if chosen[i] >= 0 else ~chosen[i]
        slot, n = _copy_of(row, shard, slots, members, steps, weight, n)
        chosen[i] = slot if chosen[i] >= 0 else ~slot
    return n


@kernel
def _copy_rows(matrix, members, n, copies):
    width = matrix.shape[1]
    vectors = width // lane_count(matrix)
    x, z = np.empty(1, np.int64), np.empty(1, np.int64)
    for slot in range(n):
        if slot + _AHEAD < n:
            fetch(matrix, address(matrix, members[slot + _AHEAD] * width), vectors)
        x[0], z[0] = address(matrix, members[slot] * width), address(copies, slot * width)
        copy_rows(matrix, address(x, 0), address(z, 0), 1, vectors)
    keep(x)
    keep(z)


@inner_kernel
def _forget(slots, shard, members, n):
    for i in range(n):
        slots[members[i], shard] = -1


@kernel
def _train_copies(
    tokens,
    block,
    start,
    settings,
    keys,
    threshold,
    alias,
    path_starts,
    path_rows,
    contexts,
    targets,
    learning_rate,
    slots,
    members,
    counts,
    steps,
    copies,
    shard,
):
    """`_train_in_place` on copies of the rows that the block uses."""
    stop, reach, groups = min(start + settings[BLOCK], tokens.size), settings[REACH], settings[GROUPS]
    own = tokens[start:stop]
    radii, starts = np.empty(own.size, np.int32), np.empty(own.size * groups + 1, np.int32)
    chosen = np.empty(_most_chosen(own, settings, path_starts), np.int32)
    n = _choose(own, block, settings, keys, threshold, alias, path_starts, path_rows, radii, starts, chosen)
    left = max(start - reach, 0)
    around = tokens[left : stop + reach]
    local = np.empty(around.size, np.int32)
    for matrix in range(2):
        _forget(slots[matrix], shard, members[matrix, shard], counts[matrix, shard])
    counts[0, shard] = _localize_tokens(
        around, shard, slots[0], members[0, shard], steps[0, shard], settings[CONTEXT_STEPS], local
    )
    counts[1, shard] = _localize_chosen(
        chosen, n, shard, slots[1], members[1, shard], steps[1, shard], settings[TARGET_STEPS]
    )
    _copy_rows(contexts, members[0, shard], counts[0, shard], copies[0, shard])
    _copy_rows(targets, members[1, shard], counts[1, shard], copies[1, shard])
    own_contexts, own_targets = copies[0, shard], copies[1, shard]
    kind, first = settings[ARCHITECTURE], start - left
    return train_windows(
        local, first, radii, reach, kind, False, groups, starts, chosen, own_contexts, own_targets, learning_rate, False
    )


@inner_kernel
def merged_share(m, steps, rate):
    """alpha: the share of each of m copies' changes that a row takes up, after so many steps of each."""
    gone = -np.expm1(-rate * steps)
    if m == 1 or gone < 1e-12:
        return 1.0
    return -np.expm1(-rate * steps * m) / (m * gone)


@kernel
def _merge(matrix, slots, members, counts, steps, copies, n, rate, part):
    """Bring the changes of the copies of n shards into the rows of one part of a matrix."""
    width, number = matrix.shape[1], matrix.dtype.type
    vectors = width // lane_count(matrix)
    xs = np.empty(SHARDS, np.int64)
    for shard in range(n):
        for i in range(counts[shard]):
            row = members[shard, i]
            if row % _PARTS != part:
                continue
            if i + _AHEAD < counts[shard]:
                fetch(matrix, address(slots, members[shard, i + _AHEAD] * SHARDS), 1)
            m, taken, is_first = 0, 0, True
            for other in range(n):
                slot = slots[row, other]
                if slot >= 0:
                    xs[m] = address(copies, (other * copies.shape[1] + slot) * width)
                    m += 1
                    taken += steps[other, slot]
                    is_first &= other >= shard
            if is_first:
                share = merged_share(m, taken / m, rate)
                z = address(matrix, row * width)
                blend_row(matrix, z, number(1 - m * share), address(xs, 0), m, number(share), vectors)
    keep(xs)


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
    copies,
):
    """Train on kept tokens, SHARDS blocks at a time."""
    for first in range(0, loss.size, SHARDS):
        n = min(SHARDS, loss.size - first)
        for shard in prange(n):
            b = first + shard
            loss[b], pairs[b] = _train_copies(
                tokens,
                first_block + b,
                b * settings[BLOCK],
                settings,
                keys,
                threshold,
                alias,
                path_starts,
                path_rows,
                contexts,
                targets,
                learning_rates[b],
                slots,
                members,
                counts,
                steps,
                copies,
                shard,
            )
        for part in prange(2 * _PARTS):
            matrix, half = part % 2, part // 2
            _merge(
                contexts if matrix == 0 else targets,
                slots[matrix],
                members[matrix],
                counts[matrix],
                steps[matrix],
                copies[matrix],
                n,
                stiffness * learning_rates[first],
                half,
            )
