"""The gates of a convolutional LSTM at one step, forward and backward; the convolutions are the engine's.

    i = s(a_i + p_i c-)    f = s(a_f + p_f c-)    g = tanh(a_g)    c = f c- + i g    o = s(a_o + p_o c)    h = o tanh(c)

Every position is a row of its own: m = n * height * width rows of `channels` units.

a, gates, dgates (m, 4 channels): i, f, g, o    before, c, h, dh, dc (m, channels)
peephole (3, positions, channels) for i, f, o, or (0, positions, channels): a row takes that of its position
"""

import numpy as np

from neurojit.core.jit import exact_inner_kernel, parallel_kernel, prange
from neurojit.core.vector import lanes, load, multiply_add, pair, rolled, splat, store
from neurojit.kernels.cpu.chunks import ceil_divide, chunk_rows
from neurojit.kernels.cpu.elementary_vector import sigmoid, tanh


@exact_inner_kernel
def _gates(a, state, before, peephole, gates, c, h, row):
    """One row: gates from the two convolutions' sums, the new cell and the new state."""
    channels, positions = c.shape[1], peephole.shape[1]
    like = pair(c)
    at, cell_at, p_at, p_step = row * 4 * channels, row * channels, row % positions * channels, positions * channels
    for j in range(0, channels, lanes(like)):
        rolled()
        count = min(lanes(like), channels - j)
        at_j = at + j
        i = load(a, at_j, count, like) + load(state, at_j, count, like)
        f = load(a, at_j + channels, count, like) + load(state, at_j + channels, count, like)
        g = load(a, at_j + 2 * channels, count, like) + load(state, at_j + 2 * channels, count, like)
        o = load(a, at_j + 3 * channels, count, like) + load(state, at_j + 3 * channels, count, like)
        cell = load(before, cell_at + j, count, like)
        if peephole.shape[0] > 0:
            i = multiply_add(load(peephole, p_at + j, count, like), cell, i)
            f = multiply_add(load(peephole, p_at + p_step + j, count, like), cell, f)
        i, f, g = sigmoid(i), sigmoid(f), tanh(g)
        new = multiply_add(f, cell, i * g)
        if peephole.shape[0] > 0:
            o = multiply_add(load(peephole, p_at + 2 * p_step + j, count, like), new, o)
        o = sigmoid(o)
        store(gates, at_j, count, i)
        store(gates, at_j + channels, count, f)
        store(gates, at_j + 2 * channels, count, g)
        store(gates, at_j + 3 * channels, count, o)
        store(c, cell_at + j, count, new)
        store(h, cell_at + j, count, o * tanh(new))


@exact_inner_kernel
def _gates_backward(gates, before, c, peephole, dh, dc, dgates, row):
    """One row: dc comes in as gradient to the new cell from later steps, and goes out as that to the cell before."""
    channels, positions = c.shape[1], peephole.shape[1]
    like = pair(c)
    one = splat(1.0, like)
    at, cell_at, p_at, p_step = row * 4 * channels, row * channels, row % positions * channels, positions * channels
    for j in range(0, channels, lanes(like)):
        rolled()
        count = min(lanes(like), channels - j)
        at_j = at + j
        i, f = load(gates, at_j, count, like), load(gates, at_j + channels, count, like)
        g, o = load(gates, at_j + 2 * channels, count, like), load(gates, at_j + 3 * channels, count, like)
        cell, squashed = load(before, cell_at + j, count, like), tanh(load(c, cell_at + j, count, like))
        d = load(dh, cell_at + j, count, like)
        do = d * squashed * (o * (one - o))
        dcell = load(dc, cell_at + j, count, like) + d * o * (one - squashed * squashed)
        if peephole.shape[0] > 0:
            dcell = multiply_add(load(peephole, p_at + 2 * p_step + j, count, like), do, dcell)
        di, df = dcell * g * (i * (one - i)), dcell * cell * (f * (one - f))
        dnext = dcell * f
        if peephole.shape[0] > 0:
            dnext = multiply_add(load(peephole, p_at + j, count, like), di, dnext)
            dnext = multiply_add(load(peephole, p_at + p_step + j, count, like), df, dnext)
        store(dgates, at_j, count, di)
        store(dgates, at_j + channels, count, df)
        store(dgates, at_j + 2 * channels, count, dcell * i * (one - g * g))
        store(dgates, at_j + 3 * channels, count, do)
        store(dc, cell_at + j, count, dnext)


@parallel_kernel
def forward(a, state, before, peephole, gates, c, h):
    """`_gates` for every row; state (m, 4 channels) is the convolution of the state before."""
    rows, share = c.shape[0], chunk_rows(gates.shape[1])
    for task in prange(ceil_divide(rows, share)):
        first = np.int64(task) * share
        for row in range(first, min(first + share, rows)):
            _gates(a, state, before, peephole, gates, c, h, row)


@parallel_kernel
def backward(gates, before, c, peephole, dh, dc, dgates):
    """`_gates_backward` for every row."""
    rows, share = c.shape[0], chunk_rows(gates.shape[1])
    for task in prange(ceil_divide(rows, share)):
        first = np.int64(task) * share
        for row in range(first, min(first + share, rows)):
            _gates_backward(gates, before, c, peephole, dh, dc, dgates, row)
