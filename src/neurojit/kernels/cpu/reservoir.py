"""The leaky update of a reservoir, over time.

    x_l(n) = (1 - a) x_l(n-1) + a f(bias_l + W_in v_l(n) + W_l x_l(n-1) + noise)

with v_1(n) the input (and the output of the step before, where that is fed back), and v_l(n) = x_{l-1}(n) for the
deeper layers. N units in each of L layers; a step depends on the one before, so a series is walked in one serial call.

Sparse matrices are cut into blocks of rows, as wide as `core.sparse` keeps in registers; matrix m of the 2L - 1 (the W
of each layer, then the links from each layer to the next) has its numbers for row r of block b in slots
``starts[m, b] <= k < starts[m, b + 1]`` of

weight  (slots * rows of a block,)   row r of slot k stands at k * rows + r
index   (slots * rows of a block,)   the unit that it multiplies; empty when the matrices are sums of shifts
shift   (2L - 1, slots of a block)   instead of index: slot k of row i multiplies unit (i + shift[k]) mod N

Numbers that `core.lookup` can look up stand in panels, and those left over in the slots above; sizes are 0 for none:

panels  (2L - 1, blocks, segments, slots of a panel, rows of a block)
codes   (2L - 1, blocks, segments, rows of a block) uint32

u (T, F)    w_in (F, N)    bias (L, N)    x (L * N,)    states (T, L * N)
"""

import numpy as np

from neurojit.core.jit import exact_kernel, kernel
from neurojit.core.lookup import add_looked_up
from neurojit.core.simd import address, keep
from neurojit.core.sparse import add_gathered, add_shifted, block_rows
from neurojit.core.vector import whole_registers
from neurojit.kernels.cpu.dropout import fill_words
from neurojit.kernels.cpu.elementary import sigmoid, tanh

IDENTITY, TANH, SIGMOID, RELU = range(4)
_LINE = 64  # bytes
_WORD = 2.0**-31  # of a random word: from 0 to 2


@kernel
def multiply(panels, codes, weight, index, starts, shift, backward, x, out):
    """out += W x. Both run past the last unit to the end of a block; with shifts, x holds its units twice.

    Blocks are independent and may be walked from the last to the first: done so in every other step, a matrix somewhat
    larger than a cache finds most of itself there.
    """
    rows = block_rows(weight)
    segments, slots = panels.shape[1], panels.shape[2]
    panel_rows = segments * rows
    blocks = starts.size - 1
    for nth in range(blocks):
        b = blocks - 1 - nth if backward else nth
        sums = address(out, b * rows)
        if slots > 0:
            held, units = address(panels, b * panel_rows * slots), address(codes, b * panel_rows)
            add_looked_up(weight, held, units, segments, slots, address(x, 0), sums)
        first, count = starts[b], starts[b + 1] - starts[b]
        if count == 0:
            continue
        weights = address(weight, first * rows)
        if shift.size > 0:
            add_shifted(weight, weights, address(shift, 0), count, address(x, b * rows), sums)
        else:
            add_gathered(weight, index, weights, address(index, first * rows), count, address(x, 0), sums)
    keep(panels)
    keep(codes)
    keep(weight)
    keep(index)
    keep(shift)
    keep(x)
    keep(out)


@kernel
def leak_into(pre, leak, activation, x):
    """x[i] = (1 - leak) x[i] + leak f(pre[i])."""
    whole_registers()
    kept = x.dtype.type(1) - leak
    if activation == TANH:
        for i in range(x.size):
            x[i] = kept * x[i] + leak * tanh(pre[i])
    elif activation == SIGMOID:
        for i in range(x.size):
            x[i] = kept * x[i] + leak * sigmoid(pre[i])
    elif activation == RELU:
        for i in range(x.size):
            x[i] = kept * x[i] + leak * max(pre[i], x.dtype.type(0))
    else:
        for i in range(x.size):
            x[i] = kept * x[i] + leak * pre[i]


@kernel
def copy_into(source, target):
    """target[i] = source[i]."""
    for i in range(source.size):
        target[i] = source[i]


@kernel
def drive(bias, w_in, v, pre):
    """pre = bias + v w_in, for the units that there are."""
    if v.size == 0:
        copy_into(bias, pre)
        return
    first = w_in[0]
    for i in range(bias.size):
        pre[i] = bias[i] + first[i] * v[0]
    for f in range(1, v.size):
        row = w_in[f]
        for i in range(bias.size):
            pre[i] += row[i] * v[f]


@kernel
def add_noise(level, key, first, pre, words):
    """Add uniform draws between -level and level; pre[0] takes draw `first` of the key's stream, a multiple of 4."""
    fill_words(first, key, words)
    for i in range(pre.size):
        pre[i] += pre.dtype.type(level * (words[i] * _WORD - 1.0))


@kernel
def step(v, w_in, bias, panels, codes, weight, index, starts, shift, leak, activation, noise, key, nth, x, pre, words):
    """All layers one step on, in the buffers x (L, >= 2 N and a block) and pre (N and a block)."""
    layers, n = bias.shape
    for layer in range(layers):
        if layer == 0:
            drive(bias[0], w_in, v, pre)
        else:
            copy_into(bias[layer], pre)
            link = layers + layer - 1
            multiply(panels[link], codes[link], weight, index, starts[link], shift[link], nth % 2, x[layer - 1], pre)
        multiply(panels[layer], codes[layer], weight, index, starts[layer], shift[layer], nth % 2, x[layer], pre)
        if noise > 0:
            add_noise(noise, key, (nth * layers + layer) * words.size, pre[:n], words)
        units = x[layer, :n]
        leak_into(pre, leak, activation, units)
        if shift.size > 0:
            copy_into(units, x[layer, n:])


@kernel
def aligned_zeros(like, size):
    """Zeros that start at a cache line: a vector that straddles two takes twice as long to load."""
    line = _LINE // like.itemsize
    room = np.zeros(size + line, like.dtype)
    start = -(address(room, 0) // like.itemsize) % line
    return room[start : start + size]


@kernel
def buffers(like, n, layers):
    """Room for x, pre and random words of `step`, zeros."""
    rows = block_rows(like)
    width = -(-(2 * n + rows) // rows) * rows
    x = aligned_zeros(like, layers * width).reshape(layers, width)
    return x, aligned_zeros(like, n + rows), np.empty((n + 3) // 4 * 4, np.uint32)


@kernel
def load_units(units, layers, x):
    """Take the units of a state (L * N,) into the buffer x, twice over."""
    n = units.size // layers
    for layer in range(layers):
        for i in range(n):
            x[layer, i] = x[layer, n + i] = units[layer * n + i]


@kernel
def store_units(x, n, units):
    """The units of all layers from the buffer x."""
    for layer in range(x.shape[0]):
        copy_into(x[layer, :n], units[layer * n :])


@kernel
def take_inputs(u, t, last, v):
    """v = [u[t] or, past the rows of u, the output before; the output before again, in what columns are left]."""
    width = u.shape[1]
    for f in range(width):
        v[f] = u[t, f] if t < u.shape[0] else last[f]
    for o in range(v.size - width):
        v[width + o] = last[o]


@kernel
def harvest(
    u, w_in, bias, panels, codes, weight, index, starts, shift, leak, activation, noise, key, first, start, states
):
    """states[t] from the state `start` and u[: t + 1]; `first` is the number of step 0, for the noise."""
    layers, n = bias.shape
    x, pre, words = buffers(states, n, layers)
    load_units(start, layers, x)
    for t in range(states.shape[0]):
        v, nth = u[t], first + t
        step(
            v, w_in, bias, panels, codes, weight, index, starts, shift, leak, activation, noise, key, nth, x, pre, words
        )
        store_units(x, n, states[t])


@exact_kernel
def is_finite(x):
    """Whether a number is neither infinite nor a NaN; IEEE, since reordered arithmetic may lose the question."""
    return abs(x) < np.inf


@kernel
def close_loop(
    u, w_in, bias, panels, codes, weight, index, starts, shift, leak, activation, w_out, offset, inputs, state, y
):
    """Each step reads the output of the step before: y[t] = offset + w_out [inputs used; state].

    y[0] comes in as the output before step 0 (see `take_inputs`). w_out is (outputs, inputs + L * N), with `inputs` 0
    where the readout does not see the inputs. `state` (L * N,) comes in as the state before step 0 and ends as the
    last. Returns the number of steps done: fewer than y has when an output is no longer finite.
    """
    layers, n = bias.shape
    outputs = y.shape[1]
    x, pre, words = buffers(state, n, layers)
    load_units(state, layers, x)
    v = np.zeros(w_in.shape[0], y.dtype)
    last = y[0].copy()
    silent, seed = y.dtype.type(0), np.uint64(0)
    for t in range(y.shape[0]):
        take_inputs(u, t, last, v)
        step(
            v, w_in, bias, panels, codes, weight, index, starts, shift, leak, activation, silent, seed, t, x, pre, words
        )
        store_units(x, n, state)
        finite = True
        for o in range(outputs):
            total = offset[o]
            for f in range(inputs):
                total += w_out[o, f] * v[f]
            for i in range(layers * n):
                total += w_out[o, inputs + i] * state[i]
            y[t, o] = last[o] = total
            finite = finite and is_finite(total)
        if not finite:
            return t
    return y.shape[0]
