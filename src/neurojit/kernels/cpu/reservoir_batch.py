"""The leaky update of one reservoir over S series at once: see `kernels.cpu.reservoir` for equation and matrices.

The S = `core.sparse.SERIES` series lie side by side in lanes, so a weight is read once for all of them and no unit is
gathered; panels have no place here. Rows past the last unit, up to the end of a block, are computed and not used.

u (S, T, F)    keys (S,)    start (S, L * N)    states (S, T, L * N)    v (F, S)    x, pre (units, S)
"""

import numpy as np

from neurojit.core.jit import kernel
from neurojit.core.simd import address, keep
from neurojit.core.sparse import ROWS_AT_ONCE, SERIES, add_rows, add_rows_shifted, block_rows
from neurojit.core.transpose import transpose
from neurojit.core.vector import lanes, load, narrow, splat, store
from neurojit.kernels.cpu.reservoir import add_noise, aligned_zeros, leak_into


@kernel
def multiply_batch(weight, index, starts, shift, backward, x, out):
    """out += W x for each column; blocks from the last to the first where `backward`, as in `reservoir.multiply`."""
    rows = block_rows(weight)
    shifted = shift.size > 0
    blocks = starts.size - 1
    for nth in range(blocks):
        b = blocks - 1 - nth if backward else nth
        count = starts[b + 1] - starts[b]
        if count == 0:
            continue
        for i in range(b * rows, (b + 1) * rows, ROWS_AT_ONCE):
            at = starts[b] * rows + i - b * rows
            weights, sums, own = address(weight, at), address(out, i * SERIES), address(x, i * SERIES)
            if shifted:
                add_rows_shifted(weight, weights, address(shift, 0), rows, count, own, sums)
            else:
                add_rows(weight, index, weights, address(index, at), rows, count, address(x, 0), sums)
    keep(weight)
    keep(index)
    keep(shift)
    keep(x)
    keep(out)


@kernel
def drive_batch(bias, w_in, v, pre):
    """pre[i, s] = bias[i] + sum_f w_in[f, i] v[f, s]."""
    zero = narrow(pre)
    width = lanes(zero)
    for i in range(bias.size):
        for s in range(0, SERIES, width):
            total = splat(bias[i], zero)
            for f in range(v.shape[0]):
                total = total + splat(w_in[f, i], zero) * load(v, f * SERIES + s, width, zero)
            store(pre, i * SERIES + s, width, total)


@kernel
def store_batch(x, n, t, first, states):
    """states[s, t, first + i] = x[i, s] for i < n."""
    steps, size = states.shape[1], states.shape[2]
    transpose(x, address(x, 0), n, SERIES, address(states, t * size + first), steps * size)
    keep(x)
    keep(states)


@kernel
def harvest_batch(u, w_in, bias, weight, index, starts, shift, leak, activation, noise, keys, first, start, states):
    """states[s, t] from the states `start` and u[s, : t + 1]; `first` is the number of step 0, for the noise."""
    layers, n = bias.shape
    rows = block_rows(states)
    shifted = shift.size > 0
    x = aligned_zeros(states, layers * (2 * n + rows) * SERIES).reshape(layers, 2 * n + rows, SERIES)
    pre = aligned_zeros(states, (n + rows) * SERIES).reshape(n + rows, SERIES)
    v = np.empty((w_in.shape[0], SERIES), states.dtype)
    none, drawn = np.empty((0, SERIES), states.dtype), np.empty(n, states.dtype)
    words = np.empty((n + 3) // 4 * 4, np.uint32)
    for layer in range(layers):
        for i in range(2 * n):
            for s in range(SERIES):
                x[layer, i, s] = start[s, layer * n + i % n]
    for t in range(states.shape[1]):
        for f in range(v.shape[0]):
            for s in range(SERIES):
                v[f, s] = u[s, t, f]
        for layer in range(layers):
            drive_batch(bias[layer], w_in, v if layer == 0 else none, pre)
            if layer > 0:
                link = layers + layer - 1
                multiply_batch(weight, index, starts[link], shift[link], t % 2, x[layer - 1], pre)
            multiply_batch(weight, index, starts[layer], shift[layer], t % 2, x[layer], pre)
            if noise > 0:
                for s in range(SERIES):
                    drawn[:] = 0
                    add_noise(noise, keys[s], ((first + t) * layers + layer) * words.size, drawn, words)
                    for i in range(n):
                        pre[i, s] += drawn[i]
            units = x[layer, :n]
            leak_into(pre.reshape(-1), leak, activation, units.reshape(-1))
            if shifted:
                x[layer, n : 2 * n] = units
            store_batch(x[layer], n, t, layer * n, states)
