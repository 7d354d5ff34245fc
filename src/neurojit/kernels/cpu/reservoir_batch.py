"""The leaky update of one reservoir over S series at once: see `kernels.cpu.reservoir` for the equation.

The S = `core.sparse.SERIES` series lie side by side in lanes, so a weight is read once for all of them and no unit is
gathered. Matrix m of the 2L - 1 is cut into blocks of R = `core.sparse.ROWS_AT_ONCE` rows, or of such parts of rows as
multiply units that fit the first-level cache; block b has its numbers in slots ``starts[m, b] <= k < starts[m, b + 1]``
of

weight  (slots, R)              index  (slots, R)   the unit that it multiplies
order   (2L - 1, blocks, R)     the rows of a block, some past the last unit: these are computed and not used

u (s, T, F)    keys (s,)    start (s, L * N)    states (S, T, L * N)    v (F, S)    x, pre (units, S)

of s <= S series; what stands beside them starts from zeros and is given none.
"""

import numpy as np

from neurojit.core.jit import kernel
from neurojit.core.simd import address, keep
from neurojit.core.sparse import ROWS_AT_ONCE, SERIES, add_rows, block_rows
from neurojit.core.transpose import transpose
from neurojit.core.vector import lanes, load, narrow, splat, store
from neurojit.kernels.cpu.reservoir import add_noise, aligned_zeros, leak_into


@kernel
def multiply_batch(weight, index, order, starts, x, out):
    """out += W x for each column."""
    for b in range(starts.size - 1):
        first, count = starts[b], starts[b + 1] - starts[b]
        if count > 0:
            weights, units = address(weight, first * ROWS_AT_ONCE), address(index, first * ROWS_AT_ONCE)
            add_rows(
                weight, index, weights, units, address(order, b * ROWS_AT_ONCE), count, address(x, 0), address(out, 0)
            )
    keep(weight)
    keep(index)
    keep(order)
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
def harvest_batch(u, w_in, bias, weight, index, order, starts, leak, activation, noise, keys, first, start, states):
    """states[s, t] from the states `start` and u[s, : t + 1]; `first` is the number of step 0, for the noise."""
    layers, n = bias.shape
    rows = block_rows(states)
    x = aligned_zeros(states, layers * (n + rows) * SERIES).reshape(layers, n + rows, SERIES)
    pre = aligned_zeros(states, (n + rows) * SERIES).reshape(n + rows, SERIES)
    v = np.zeros((w_in.shape[0], SERIES), states.dtype)
    none, drawn = np.empty((0, SERIES), states.dtype), np.empty(n, states.dtype)
    words = np.empty((n + 3) // 4 * 4, np.uint32)
    for layer in range(layers):
        for i in range(n):
            for s in range(u.shape[0]):
                x[layer, i, s] = start[s, layer * n + i]
    for t in range(states.shape[1]):
        for f in range(v.shape[0]):
            for s in range(u.shape[0]):
                v[f, s] = u[s, t, f]
        for layer in range(layers):
            drive_batch(bias[layer], w_in, v if layer == 0 else none, pre)
            if layer > 0:
                link = layers + layer - 1
                multiply_batch(weight, index, order[link], starts[link], x[layer - 1], pre)
            multiply_batch(weight, index, order[layer], starts[layer], x[layer], pre)
            if noise > 0:
                for s in range(u.shape[0]):
                    drawn[:] = 0
                    add_noise(noise, keys[s], ((first + t) * layers + layer) * words.size, drawn, words)
                    for i in range(n):
                        pre[i, s] += drawn[i]
            leak_into(pre.reshape(-1), leak, activation, x[layer, :n].reshape(-1))
            store_batch(x[layer], n, t, layer * n, states)
