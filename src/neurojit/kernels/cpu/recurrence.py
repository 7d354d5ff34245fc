"""What all recurrent layers share: which rows take part in a step, where their vectors lie, and the products over time.

Sequences of a batch do not depend on one another: a task walks some of them through all steps, without waiting for
other tasks. Step s of a sequence is its time s, or, in reverse, its time length - 1 - s; longer sequences come first in
a task's `rows`, so that those which take part in a step are the first few. Every row's arithmetic is the same
whichever rows are with it, so results do not depend on how the batch was shared out.

    x (n, t, f)    y (n, t, h)    h0 (n, h)    lengths (n,)    rows (of a task,)

What is kept of steps begin .. end lies by step, (depth, n, columns) with step s in slot (s - begin) % depth: all of
them for the way back, a few where nobody asks for them again. Weights are as `product.multiply_matrix` takes them.

Inputs may be numbers of symbols, tokens (n, t), with x (n, t, 0) and weights (1, symbols, columns) that hold the bias:
what goes into the gates is then a row of the weights. Without them tokens is (0, 0).

mask (n, h) is what products see of the states: all of a row's are multiplied by it on the way into the product, and
gradients on the way back, in room of the same shape, masked. Without one both are (0, h).
"""

import numpy as np

from neurojit.core.jit import inner_kernel, kernel
from neurojit.core.runs import copy
from neurojit.core.simd import ROWS, address
from neurojit.kernels.cpu.product import fill_tile, multiply_matrix


@inner_kernel
def copy_all(v, into):
    """into = v."""
    for j in range(v.size):
        into[j] = v[j]


@kernel
def rows_of(task, order, bounds):
    """The sequences that a task walks, longer ones first."""
    return order[bounds[task] : bounds[task + 1]]


@inner_kernel
def time_of(s, length, reverse):
    """The time of step s of a sequence."""
    return length - 1 - s if reverse else s


@inner_kernel
def active_rows(rows, lengths, s):
    """How many of a task's rows take part in step s."""
    count = rows.size
    while count > 0 and lengths[rows[count - 1]] <= s:
        count -= 1
    return count


@kernel
def address_table(count):
    """Room for `count` addresses and what fills up a tile."""
    return np.empty(count + ROWS, np.int64)


@inner_kernel
def tabulate_step(kept, slot, rows, count, column, table):
    """Addresses of the first `count` rows in a slot of kept (depth, n, columns), from a column on."""
    _, n, columns = kept.shape
    for k in range(count):
        table[k] = address(kept, (slot * n + rows[k]) * columns + column)
    fill_tile(table, count)


@inner_kernel
def tabulate_states(h0, y, rows, count, lengths, reverse, s, table):
    """Addresses of the states before step s."""
    _, steps, h = y.shape
    for k in range(count):
        i = rows[k]
        at = i * steps + time_of(s - 1, lengths[i], reverse)
        table[k] = address(h0, i * h) if s == 0 else address(y, at * h)
    fill_tile(table, count)


@inner_kernel
def tabulate_chunk(x, kept, rows, lengths, reverse, first, last, begin, times, slots):
    """Addresses of x (by time) and of kept (by step) for steps first .. last of all rows; returns how many."""
    _, steps, f = x.shape
    depth, n, columns = kept.shape
    count = 0
    for s in range(first, last):
        slot = (s - begin) % depth
        for k in range(active_rows(rows, lengths, s)):
            i = rows[k]
            times[count] = address(x, (i * steps + time_of(s, lengths[i], reverse)) * f)
            slots[count] = address(kept, (slot * n + i) * columns)
            count += 1
    fill_tile(times, count)
    fill_tile(slots, count)
    return count


@inner_kernel
def mask_states(mask, masked, rows, count, table):
    """Let a table of the addresses of states show them masked, where there is a mask."""
    _, h = mask.shape
    for k in range(count if mask.shape[0] > 0 else 0):
        i = rows[k]
        at = address(masked, i * h)
        copy(masked, table[k], at, h)
        for j in range(h):
            masked[i, j] *= mask[i, j]
        table[k] = at
    if mask.shape[0] > 0:
        fill_tile(table, count)


@inner_kernel
def _input_rows(tokens, weight, rows, lengths, reverse, first, last, begin, kept):
    """kept[step] = weight[token], steps first .. last of the rows of a task."""
    depth, n, columns = kept.shape
    for s in range(first, last):
        slot = (s - begin) % depth
        for k in range(active_rows(rows, lengths, s)):
            i = rows[k]
            symbol = tokens[i, time_of(s, lengths[i], reverse)]
            copy(kept, address(weight, symbol * columns), address(kept, (slot * n + i) * columns), columns)


@kernel
def input_products(x, tokens, weight, start, rows, lengths, reverse, first, last, begin, kept):
    """kept[step] = start + x[time] @ weight, steps first .. last of the rows of a task: one product over time."""
    if tokens.shape[0] > 0:
        _input_rows(tokens, weight, rows, lengths, reverse, first, last, begin, kept)
        return
    size = rows.size * (last - first)
    inputs, outs, starts = address_table(size), address_table(size), address_table(size)
    count = tabulate_chunk(x, kept, rows, lengths, reverse, first, last, begin, inputs, outs)
    starts[:] = address(start, 0)
    multiply_matrix(x, inputs, count, 0, x.shape[2], weight, starts, outs, kept.shape[2])


@kernel
def input_gradients(dkept, weight, zeros, rows, lengths, reverse, first, last, begin, dx):
    """dx[time] = dkept[step] @ weight, the transposed one, steps first .. last of the rows of a task."""
    size = rows.size * (last - first)
    outs, inputs, starts = address_table(size), address_table(size), address_table(size)
    count = tabulate_chunk(dx, dkept, rows, lengths, reverse, first, last, begin, outs, inputs)
    starts[:] = address(zeros, 0)
    multiply_matrix(dx, inputs, count, 0, dkept.shape[2], weight, starts, outs, dx.shape[2])


@kernel
def state_gradients(inputs, rows, count, first, run, weight, adds, zeros, mask, masked, starts, outs, dh):
    """dh[row] = dgates @ weight[first : first + run], the transposed one, for `count` rows and their `inputs`.

    With `adds` it is added to what dh holds; zeros is a row as wide as whole panels.
    """
    if count == 0:
        return
    h, is_masked = dh.shape[1], mask.shape[0] > 0
    for k in range(count):
        outs[k] = address(masked if is_masked else dh, rows[k] * h)
        starts[k] = outs[k] if adds and not is_masked else address(zeros, 0)
    fill_tile(starts, count)
    fill_tile(outs, count)
    multiply_matrix(dh, inputs, count, first, run, weight, starts, outs, h)
    for k in range(count if is_masked else 0):
        i = rows[k]
        for j in range(h):
            held = dh[i, j] if adds else dh.dtype.type(0)
            dh[i, j] = held + masked[i, j] * mask[i, j]


@kernel
def tabulate_pairs(x, h0, y, lengths, reverse, begin, end, dkept, inputs, states, dgates):
    """Addresses of the input, of the state before, and of dkept, for all steps begin .. end; returns how many."""
    n, steps, h = y.shape
    f, columns = x.shape[2], dkept.shape[2]
    count = 0
    for s in range(begin, end):
        for i in range(n):
            if s >= lengths[i]:
                continue
            before = i * steps + time_of(s - 1, lengths[i], reverse)
            inputs[count] = address(x, (i * steps + time_of(s, lengths[i], reverse)) * f)
            states[count] = address(h0, i * h) if s == 0 else address(y, before * h)
            dgates[count] = address(dkept, ((s - begin) * n + i) * columns)
            count += 1
    return count
