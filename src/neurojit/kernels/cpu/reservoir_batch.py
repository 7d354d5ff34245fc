"""The leaky update of one reservoir over SERIES series at once: see `kernels.cpu.reservoir` for equation and matrices.

The series lie side by side in lanes, so a weight is read once for all of them and no unit is gathered.

u (SERIES, T, F)    keys (SERIES,)    x (SERIES, L * N)    states (SERIES, T, L * N)
"""

import numpy as np

from neurojit.core.jit import kernel
from neurojit.core.simd import address, keep
from neurojit.core.sparse import SERIES, add_row, add_row_shifted, block_rows
from neurojit.kernels.cpu.reservoir import add_noise, leak_into

_TILE = 16  # units that are transposed at a time: a cache line or two of each series


@kernel
def multiply_batch(weight, index, starts, shift, x, out):
    """out += W x for the columns of x and out; out (N, SERIES)."""
    rows = block_rows(weight)
    shifted = shift.size > 0
    for i in range(out.shape[0]):
        b = i // rows
        count = starts[b + 1] - starts[b]
        if count == 0:
            continue
        at = starts[b] * rows + i - b * rows
        sums = address(out, i * SERIES)
        if shifted:
            add_row_shifted(weight, address(weight, at), address(shift, 0), rows, count, address(x, i * SERIES), sums)
        else:
            add_row(weight, index, address(weight, at), address(index, at), rows, count, address(x, 0), sums)
    keep(weight)
    keep(index)
    keep(shift)
    keep(x)
    keep(out)


@kernel
def add_inputs(v, w_in, pre):
    """pre[i, s] += sum_f w_in[f, i] v[s, f]."""
    for f in range(w_in.shape[0]):
        for i in range(pre.shape[0]):
            w = w_in[f, i]
            for s in range(SERIES):
                pre[i, s] += w * v[f, s]


@kernel
def transpose_into(x, rows, t, first):
    """rows[s, t, first + i] = x[i, s]."""
    n = x.shape[0]
    for start in range(0, n, _TILE):
        stop = min(start + _TILE, n)
        for s in range(SERIES):
            row = rows[s, t]
            for i in range(start, stop):
                row[first + i] = x[i, s]


@kernel
def harvest_batch(u, w_in, bias, weight, index, starts, shift, leak, activation, noise, keys, first, start, states):
    """states[s, t] from the states `start` and u[s, : t + 1]; `first` is the number of step 0, for the noise."""
    layers, n = bias.shape
    shifted = shift.size > 0
    x = np.zeros((layers, 2 * n if shifted else n, SERIES), states.dtype)
    pre = np.empty((n, SERIES), states.dtype)
    v = np.empty((w_in.shape[0], SERIES), states.dtype)
    drawn, words = np.empty(n, states.dtype), np.empty((n + 3) // 4 * 4, np.uint32)
    for layer in range(layers):
        for i in range(x.shape[1]):
            for s in range(SERIES):
                x[layer, i, s] = start[s, layer * n + i % n]
    for t in range(states.shape[1]):
        for f in range(v.shape[0]):
            for s in range(SERIES):
                v[f, s] = u[s, t, f]
        for layer in range(layers):
            for i in range(n):
                pre[i] = bias[layer, i]
            if layer == 0:
                add_inputs(v, w_in, pre)
            else:
                link = layers + layer - 1
                multiply_batch(weight, index, starts[link], shift[link], x[layer - 1], pre)
            multiply_batch(weight, index, starts[layer], shift[layer], x[layer], pre)
            if noise > 0:
                for s in range(SERIES):
                    drawn[:] = 0
                    add_noise(noise, keys[s], ((first + t) * layers + layer) * words.size, drawn, words)
                    for i in range(n):
                        pre[i, s] += drawn[i]
            units = x[layer, :n]
            leak_into(pre.reshape(-1), leak, activation, units.reshape(-1))
            if shifted:
                x[layer, n:] = units
            transpose_into(units, states, t, layer * n)
