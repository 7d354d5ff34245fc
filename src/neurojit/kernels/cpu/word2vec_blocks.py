"""Word vectors block by block: what is drawn for a block, and training in place on all threads.

The kept tokens are cut into blocks of BLOCK. What is drawn for a block depends on its number alone.

    settings          (10,) int64  in the order of the names below
    keys              (3,) uint64  streams of radii, noise and choice
    threshold, alias  (n_words,)   the table of the noise distribution; empty without negative samples
    path_starts, path_rows         the tree; empty without one
    learning_rates, loss, pairs    (n_blocks,) float64, float64, int64
"""

import numpy as np

from neurojit.core.jit import kernel, parallel_kernel, prange
from neurojit.kernels.cpu.word2vec import train_windows
from neurojit.kernels.cpu.word2vec_draws import WORDS, choose_negatives, choose_paths, draw_noise, draw_radii

REACH, SHRINK, ARCHITECTURE, SOFTMAX, GROUPS, NEGATIVE, POOL, BLOCK, CONTEXT_STEPS, TARGET_STEPS = range(10)
SETTINGS = 10


@kernel
def draw_block(tokens, block, settings, keys, threshold, alias, path_starts, path_rows, radii, starts, chosen):
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
def _train_in_place(
    tokens, block, start, settings, keys, threshold, alias, path_starts, path_rows, contexts, targets, learning_rate
):
    stop, reach, groups = min(start + settings[BLOCK], tokens.size), settings[REACH], settings[GROUPS]
    own = tokens[start:stop]
    radii, starts = np.empty(own.size, np.int32), np.empty(own.size * groups + 1, np.int32)
    chosen = np.empty(_most_chosen(own, settings, path_starts), np.int32)
    draw_block(own, block, settings, keys, threshold, alias, path_starts, path_rows, radii, starts, chosen)
    left = max(start - reach, 0)
    return train_windows(
        tokens[left : stop + reach],
        start - left,
        radii,
        reach,
        settings[ARCHITECTURE],
        settings[SOFTMAX],
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
    """Train on kept tokens in place, blocks in any order, without locks; on one thread, block after block.

    Recht, Re, Wright and Niu, "Hogwild!", NIPS 2011. On several threads the result depends on timing.
    """
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
