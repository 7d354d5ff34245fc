"""What chance decides when word vectors are trained: words left out, widths of windows, negative samples.

All draws are counter-based: `key` names a stream and `first`, a multiple of 4, the first random word taken from it.

    tokens     (n,) int32        word numbers; -1 between sentences
    threshold  (n_words,) uint64  a share of 2^32
    starts     (m + 1,) int32    group i has the target rows chosen[starts[i]:starts[i + 1]]
    chosen     int32             a target row r stands as r where its label is 1, as ~r where it is 0
"""

import numpy as np

from neurojit.core.jit import inner_kernel, kernel
from neurojit.kernels.cpu.dropout import fill_words

WORDS = 1024  # random words drawn at a time
_32 = np.uint64(32)


@inner_kernel
def below(word, n):
    """A random uint32 word as an integer in 0..n-1."""
    return np.int64((np.uint64(word) * np.uint64(n)) >> _32)


@kernel
def subsample(tokens, threshold, first, key, kept):
    """Copy the tokens whose random word is below the threshold of their word, and the ends of sentences; how many."""
    words = np.empty(WORDS, np.uint32)
    count = 0
    for start in range(0, tokens.size, WORDS):
        fill_words(first + start, key, words)
        for i in range(min(WORDS, tokens.size - start)):
            token = tokens[start + i]
            if token < 0 or np.uint64(words[i]) < threshold[token]:
                kept[count] = token
                count += 1
    return count


@kernel
def draw_radii(window, shrink, first, key, radii):
    """radii[i] = a draw from 1..window, or `window` itself where windows do not shrink."""
    if not shrink:
        radii[:] = window
        return
    words = np.empty(WORDS, np.uint32)
    for start in range(0, radii.size, WORDS):
        fill_words(first + start, key, words)
        for i in range(min(WORDS, radii.size - start)):
            radii[start + i] = 1 + below(words[i], window)


@kernel
def draw_noise(threshold, alias, first, key, noise):
    """noise[i] = a word drawn by the alias method (Walker 1977), from random words first + 2 i and the one after."""
    words = np.empty(WORDS, np.uint32)
    half = WORDS // 2
    for start in range(0, noise.size, half):
        fill_words(first + 2 * start, key, words)
        for i in range(min(half, noise.size - start)):
            column = below(words[2 * i], threshold.size)
            noise[start + i] = column if np.uint64(words[2 * i + 1]) < threshold[column] else alias[column]


@kernel
def choose_negatives(tokens, groups, negative, pool, first, key, starts, chosen):
    """For each token `groups` groups of its own row and `negative` draws from a pool; how many rows in all.

    A draw that is the token itself or stands in the group already is left out: no group has a row twice.
    """
    words = np.empty(WORDS, np.uint32)
    used, count = WORDS, 0
    for i in range(tokens.size * groups):
        token = tokens[i // groups]
        starts[i] = count
        if token < 0:
            continue
        chosen[count] = token
        count += 1
        for _ in range(negative):
            if used == WORDS:
                fill_words(first, key, words)
                first += WORDS
                used = 0
            row = pool[below(words[used], pool.size)]
            used += 1
            repeated = row == token
            for j in range(starts[i] + 1, count):
                repeated |= chosen[j] == ~row
            if not repeated:
                chosen[count] = ~row
                count += 1
    starts[tokens.size * groups] = count
    return count


@kernel
def choose_paths(tokens, path_starts, path_rows, starts, chosen):
    """For each token the inner nodes on its path from the root of the tree; how many in all.

    path_starts, path_rows : the paths of all words, in the form of `starts` and `chosen`.
    """
    count = 0
    for i in range(tokens.size):
        starts[i] = count
        if tokens[i] >= 0:
            for j in range(path_starts[tokens[i]], path_starts[tokens[i] + 1]):
                chosen[count] = path_rows[j]
                count += 1
    starts[tokens.size] = count
    return count


@kernel
def alias_table(weights, threshold, alias):
    """Walker's table of a discrete distribution, by Vose's method (IEEE Transactions on Software Engineering, 1991).

    weights : (n,) float64 with mean 1; used up.
    threshold, alias : (n,) uint64 and int32. Column i is its own word below the threshold, else its alias.
    """
    n = weights.size
    small, large = np.empty(n, np.int64), np.empty(n, np.int64)
    n_small, n_large = 0, 0
    for i in range(n):
        threshold[i], alias[i] = np.uint64(1) << _32, i
        if weights[i] < 1:
            small[n_small] = i
            n_small += 1
        else:
            large[n_large] = i
            n_large += 1
    while n_small > 0 and n_large > 0:
        n_small -= 1
        i, j = small[n_small], large[n_large - 1]
        threshold[i], alias[i] = np.uint64(weights[i] * 2.0**32), j
        weights[j] -= 1 - weights[i]
        if weights[j] < 1:
            n_large -= 1
            small[n_small] = j
            n_small += 1
