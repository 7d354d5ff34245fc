"""The vanilla recurrent network over time, forward and backward; see recurrence.py for how sequences are walked.

    h = f(bias + x W + h- U)

with f tanh or max(0, .). Everything the way back needs is y, the states themselves.

sums (depth, n, h): bias + x W + h- U of a few steps    dsums (depth, n, h): gradients to them, of all steps
"""

import numpy as np

from neurojit.core.jit import exact_inner_kernel, inner_kernel, kernel, parallel_kernel, prange
from neurojit.core.simd import keep
from neurojit.core.vector import at_least, lanes, load, pair, rolled, splat, store, where_negative
from neurojit.kernels.cpu.elementary_vector import tanh
from neurojit.kernels.cpu.product import multiply_matrix
from neurojit.kernels.cpu.recurrence import (
    active_rows,
    address_table,
    input_gradients,
    input_products,
    mask_states,
    rows_of,
    state_gradients,
    tabulate_states,
    tabulate_step,
    time_of,
)


@exact_inner_kernel
def _activate(sums, at, relu, y, into):
    """y = f(sums), one row, where they lie."""
    h = y.shape[2]
    like = pair(y)
    zero = splat(0.0, like)
    for j in range(0, h, lanes(like)):
        rolled()
        count = min(lanes(like), h - j)
        v = load(sums, at + j, count, like)
        store(y, into + j, count, at_least(v, zero) if relu else tanh(v))


@exact_inner_kernel
def _activate_backward(dy, y, time, dh, state, relu, dsums, at):
    """dsums = (dh + dy) f', one row, where they lie."""
    h = y.shape[2]
    like = pair(y)
    one, zero = splat(1.0, like), splat(0.0, like)
    for j in range(0, h, lanes(like)):
        rolled()
        count = min(lanes(like), h - j)
        v = load(y, time + j, count, like)
        d = load(dh, state + j, count, like) + load(dy, time + j, count, like)
        store(dsums, at + j, count, where_negative(zero - v, d, zero) if relu else d * (one - v * v))


@inner_kernel
def _states(rows, count, lengths, reverse, s, slot, relu, sums, y):
    n, steps, h = y.shape
    for k in range(count):
        i = rows[k]
        _activate(sums, (slot * n + i) * h, relu, y, (i * steps + time_of(s, lengths[i], reverse)) * h)


@inner_kernel
def _states_backward(dy, y, rows, count, lengths, reverse, s, slot, relu, dh, dsums):
    n, steps, h = y.shape
    for k in range(count):
        i = rows[k]
        time = (i * steps + time_of(s, lengths[i], reverse)) * h
        _activate_backward(dy, y, time, dh, i * h, relu, dsums, (slot * n + i) * h)
    for k in range(count, rows.size):
        dsums[slot, rows[k]] = 0


@kernel
def forward_rows(
    task, x, tokens, w_ih, start, w_hh, relu, h0, mask, masked, order, bounds, lengths, reverse, span, sums, y
):
    """Steps begin .. end of a task's sequences, a chunk of steps of inputs at a time."""
    begin, end, chunk = span
    rows = rows_of(task, order, bounds)
    states, starts, outs = address_table(rows.size), address_table(rows.size), address_table(rows.size)
    for first in range(begin, end, chunk):
        last = min(first + chunk, end)
        input_products(x, tokens, w_ih, start, rows, lengths, reverse, first, last, begin, sums)
        for s in range(first, last):
            count, slot = active_rows(rows, lengths, s), (s - begin) % sums.shape[0]
            tabulate_states(h0, y, rows, count, lengths, reverse, s, states)
            mask_states(mask, masked, rows, count, states)
            tabulate_step(sums, slot, rows, count, 0, starts)
            tabulate_step(sums, slot, rows, count, 0, outs)
            multiply_matrix(x, states, count, 0, y.shape[2], w_hh, starts, outs, y.shape[2])
            _states(rows, count, lengths, reverse, s, slot, relu, sums, y)


@kernel
def backward_rows(
    task, dy, y, w_ih, w_hh, relu, mask, masked, order, bounds, lengths, reverse, span, zeros, dh, dsums, dx
):
    """Steps end .. begin of a task's sequences; w_ih and w_hh are transposed, dx is (0, t, f) where not wanted."""
    begin, end, chunk = span
    rows = rows_of(task, order, bounds)
    inputs, starts, outs = address_table(rows.size), address_table(rows.size), address_table(rows.size)
    for last in range(end, begin, -chunk):
        first = max(last - chunk, begin)
        for s in range(last - 1, first - 1, -1):
            count, slot = active_rows(rows, lengths, s), s - begin
            _states_backward(dy, y, rows, count, lengths, reverse, s, slot, relu, dh, dsums)
            tabulate_step(dsums, slot, rows, count, 0, inputs)
            state_gradients(inputs, rows, count, 0, y.shape[2], w_hh, False, zeros, mask, masked, starts, outs, dh)
        if dx.shape[0] > 0:
            input_gradients(dsums, w_ih, zeros, rows, lengths, reverse, first, last, begin, dx)
    keep(zeros)


@parallel_kernel
def forward(x, tokens, w_ih, start, w_hh, relu, h0, mask, masked, order, bounds, lengths, reverse, span, sums, y):
    """`forward_rows` for every task."""
    for task in prange(bounds.size - 1):
        forward_rows(
            np.int64(task),
            x,
            tokens,
            w_ih,
            start,
            w_hh,
            relu,
            h0,
            mask,
            masked,
            order,
            bounds,
            lengths,
            reverse,
            span,
            sums,
            y,
        )


@parallel_kernel
def backward(dy, y, w_ih, w_hh, relu, mask, masked, order, bounds, lengths, reverse, span, zeros, dh, dsums, dx):
    """`backward_rows` for every task."""
    for task in prange(bounds.size - 1):
        backward_rows(
            np.int64(task),
            dy,
            y,
            w_ih,
            w_hh,
            relu,
            mask,
            masked,
            order,
            bounds,
            lengths,
            reverse,
            span,
            zeros,
            dh,
            dsums,
            dx,
        )
