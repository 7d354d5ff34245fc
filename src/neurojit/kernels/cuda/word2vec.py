"""Word vectors: gradient steps over windows of text, by negative sampling.

    tokens (n,) int32, -1 between sentences     threshold (n_words,) int64, alias (n_words,) int32: the noise's table
    contexts, targets (n_words * width,)        width a multiple of 4, zero beyond the vector
    losses, pairs                               what each walker adds to its own number of

A block of threads is a walker: it trains on a piece of text, window after window; a thread holds four numbers of a row.
The target rows of a window are its word and draws from the noise, without those that repeat one of the same six; six at
a time are held in registers while all context vectors of the window go past, and all gradients are taken at the vectors
before the step. What is drawn for a token depends on its place in the text alone.

Steps are added to the vectors of all walkers at once. The plain kernels add them as they come, by atomic additions
(Recht, Re, Wright and Niu, "Hogwild!", NIPS 2011): no two runs are the same. Those that end in `_sums` leave the
vectors as they are and add up steps as integers, whose sum is the same in every order; `take_sums` takes them over.
"""

import numpy as np

from neurojit.core.cuda import (
    Bits,
    Float,
    Floats,
    Int,
    Ints,
    Launch,
    Long,
    Longs,
    add4,
    cuda,
    cuda_kernel,
    device_function,
    load4,
    quotient,
)
from neurojit.kernels.cuda.elementary import ONE, sigmoid, softplus
from neurojit.kernels.cuda.random_words import below, four_words
from neurojit.kernels.cuda.warps import ALL, warp_sum

ROWS = 6  # target rows held at a time
MOST_THREADS = 512  # 2048 numbers of a row
_PARTS = 2 * 8 * 32  # two turns of a dot product of every row and warp
UNIT = np.float32(2.0**48)  # steps as integers: so many to one
THREADS = 256


@device_function
def _radius(window, shrink, place, key):
    """How far the window of a token reaches."""
    if shrink == 0:
        return np.int64(window)
    words = four_words(place >> 2, key)
    lane = place & 3
    word = words[0] if lane == 0 else (words[1] if lane == 1 else (words[2] if lane == 2 else words[3]))
    return 1 + below(word, window)


@device_function
def _drawn(number, key, threshold, alias):
    """Draw `number` from the noise, by the alias method (Walker 1977)."""
    words = four_words(number >> 1, key)
    column_word, word = (words[0], words[1]) if (number & 1) == 0 else (words[2], words[3])
    column = below(column_word, threshold.size)
    return column if np.int64(word) < threshold[column] else np.int64(alias[column])


@device_function
def _bounds(tokens, p, radius):
    """The first token of a window and the one after its last: it stays within its sentence."""
    low, high = p, p + 1
    while low > 0 and p - low < radius and tokens[low - 1] >= 0:
        low -= 1
    while high < tokens.size and high - p <= radius and tokens[high] >= 0:
        high += 1
    return low, high


@device_function
def _row(array, word, width):
    """Four numbers of a row, those of this thread; zeros past its end."""
    zero = array.dtype.type(0)
    at = 4 * cuda.threadIdx.x
    return load4(array, word * width + at) if at < width else (zero, zero, zero, zero)


@device_function
def _add_steps(array, word, width, steps):
    at = 4 * cuda.threadIdx.x
    if at < width:
        add4(array, word * width + at, steps)


@device_function
def _sum_steps(array, word, width, steps):
    at = word * width + 4 * cuda.threadIdx.x
    if 4 * cuda.threadIdx.x < width:
        cuda.atomic.add(array, at, np.int64(steps[0] * UNIT))
        cuda.atomic.add(array, at + 1, np.int64(steps[1] * UNIT))
        cuda.atomic.add(array, at + 2, np.int64(steps[2] * UNIT))
        cuda.atomic.add(array, at + 3, np.int64(steps[3] * UNIT))


@device_function
def _mean(contexts, tokens, low, high, p, width):
    """Four numbers, those of this thread, of the mean of a window's context vectors."""
    zero = contexts.dtype.type(0)
    a, b, c, d = zero, zero, zero, zero
    for q in range(low, high):
        if q != p:
            v = _row(contexts, tokens[q], width)
            a, b, c, d = a + v[0], b + v[1], c + v[2], d + v[3]
    share = contexts.dtype.type(1) / contexts.dtype.type(high - low - 1)
    return share * a, share * b, share * c, share * d


def _plan(tokens, first, count, walkers, *others):
    width = others[-4]
    return Launch(walkers, 32 * -(-width // 128))


def _training(name, is_cbow, is_summed):
    """The kernel of an architecture, and of a way to add steps."""
    add, steps = (_sum_steps, Longs) if is_summed else (_add_steps, Floats)

    def train(
        tokens: Ints,
        first: Int,
        count: Int,
        walkers: Int,
        start: Long,
        window: Int,
        shrink: Int,
        apart: Int,
        negative: Int,
        threshold: Longs,
        alias: Ints,
        radius_key: Bits,
        noise_key: Bits,
        contexts: Floats,
        targets: Floats,
        context_steps: steps,
        target_steps: steps,
        width: Int,
        rate: Float,
        losses: Floats,
        pairs: Ints,
    ):
        """Train on the windows of `count` tokens from the `first` on; the first of all is number `start`."""
        partial = cuda.shared.array(_PARTS, contexts.dtype)
        u, du = cuda.local.array((ROWS, 4), contexts.dtype), cuda.local.array((ROWS, 4), contexts.dtype)
        dots, rows = cuda.local.array(ROWS, contexts.dtype), cuda.local.array(ROWS, "int64")
        walker, zero, warp = cuda.blockIdx.x, contexts.dtype.type(0), cuda.threadIdx.x // 32
        warps = cuda.blockDim.x // 32
        share = quotient(count + walkers - 1, walkers)
        loss, n_pairs, turn = zero, 0, 0
        for p in range(first + walker * share, min(first + (walker + 1) * share, first + count)):
            word, place = tokens[p], start + p
            if word < 0:
                continue
            low, high = _bounds(tokens, p, _radius(window, shrink, place, radius_key))
            if high - low == 1:
                continue
            mean = (zero, zero, zero, zero)
            if is_cbow:
                mean = _mean(contexts, tokens, low, high, p, width)
            mean_step = (zero, zero, zero, zero)
            for group in range(high - low - 1 if apart != 0 else 1):
                near, stop = (p, p + 1) if is_cbow else (low, high)
                if apart != 0:
                    near = p - 1 - group if group < p - low else low + group + 1  # the nearest on either side first
                    stop = near + 1
                first_draw = ((2 * window * place + group) if apart != 0 else place) * negative
                for head in range(0, 1 + negative, ROWS):
                    own = head + cuda.laneid - 1
                    drawn = np.int64(word)
                    if own >= 0 and own < negative and cuda.laneid < ROWS:
                        drawn = _drawn(first_draw + own, noise_key, threshold, alias)
                    for k in range(ROWS):
                        row = cuda.shfl_sync(ALL, drawn, k)
                        repeated = head + k > negative or (row == word and head + k > 0)
                        for j in range(ROWS):
                            repeated |= j < k and rows[j] == row
                        rows[k] = -1 if repeated else row
                        v = (zero, zero, zero, zero)
                        if not repeated:
                            v = _row(targets, row, width)
                        u[k, 0], u[k, 1], u[k, 2], u[k, 3] = v[0], v[1], v[2], v[3]
                        du[k, 0], du[k, 1], du[k, 2], du[k, 3] = zero, zero, zero, zero
                    for q in range(near, stop):
                        if q == p and not is_cbow:
                            continue
                        x = mean if is_cbow else _row(contexts, tokens[q], width)
                        for k in range(ROWS):
                            dots[k] = warp_sum(u[k, 0] * x[0] + u[k, 1] * x[1] + u[k, 2] * x[2] + u[k, 3] * x[3])
                        if warps > 1:
                            if cuda.laneid == 0:
                                for k in range(ROWS):
                                    partial[turn + 8 * warp + k] = dots[k]
                            cuda.syncthreads()
                            for k in range(ROWS):
                                dots[k] = zero
                            for other in range(warps):
                                for k in range(ROWS):
                                    dots[k] += partial[turn + 8 * other + k]
                            turn = _PARTS // 2 - turn
                        a, b, c, d = zero, zero, zero, zero
                        for k in range(ROWS):
                            if rows[k] >= 0:
                                towards = dots[k] if head + k == 0 else -dots[k]
                                loss += softplus(-towards)
                                slope = rate * sigmoid(-towards)
                                slope = slope if head + k == 0 else -slope
                                a, b, c, d = (
                                    a + slope * u[k, 0],
                                    b + slope * u[k, 1],
                                    c + slope * u[k, 2],
                                    d + slope * u[k, 3],
                                )
                                du[k, 0] += slope * x[0]
                                du[k, 1] += slope * x[1]
                                du[k, 2] += slope * x[2]
                                du[k, 3] += slope * x[3]
                        n_pairs += 1 if head == 0 else 0
                        if is_cbow:
                            mean_step = (mean_step[0] + a, mean_step[1] + b, mean_step[2] + c, mean_step[3] + d)
                        else:
                            add(context_steps, tokens[q], width, (a, b, c, d))
                    for k in range(ROWS):
                        if rows[k] >= 0:
                            add(target_steps, rows[k], width, (du[k, 0], du[k, 1], du[k, 2], du[k, 3]))
            if is_cbow:
                for q in range(low, high):
                    if q != p:
                        add(context_steps, tokens[q], width, mean_step)
        if cuda.threadIdx.x == 0:
            losses[walker] += loss
            pairs[walker] += n_pairs

    train.__name__ = train.__qualname__ = name
    return cuda_kernel(_plan, registers=128, threads=MOST_THREADS, wide_loads=ROWS)(train)


skip_gram = _training("skip_gram", False, False)
cbow = _training("cbow", True, False)
skip_gram_sums = _training("skip_gram_sums", False, True)
cbow_sums = _training("cbow_sums", True, True)


@cuda_kernel(lambda sums, vectors: Launch(-(-sums.size // THREADS), THREADS), registers=24)
def take_sums(sums: Longs, vectors: Floats):
    """vectors += sums, which are zero then."""
    i = cuda.grid(1)
    if i < sums.size:
        step = sums[i]
        if step != 0:
            vectors[i] += vectors.dtype.type(step) * (ONE / UNIT)
            sums[i] = 0
