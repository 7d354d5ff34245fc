"""The LSTM over time, forward and backward; see recurrence.py for how sequences are walked and kept.

    i = s(a_i + p_i c-)    f = s(a_f + p_f c-)    g = tanh(a_g)    c = f c- + i g    o = s(a_o + p_o c)    h = o tanh(c)

with a = bias + x W + h- U, s the logistic function and p the peepholes, if any. Coupled, i = 1 - f has no a of its own.

gates (depth, n, G h): i, f, g, o, or f, g, o    c (depth + 1, n, h), or (1, n, h) where only the last is of use
peephole (3, h) for i, f, o, or (0, h)           dh, dc (n, h): gradients to the state, here and before
"""

import numpy as np

from neurojit.core.jit import exact_inner_kernel, inner_kernel, kernel, parallel_kernel, prange
from neurojit.core.simd import keep
from neurojit.kernels.cpu.elementary import tanh
from neurojit.kernels.cpu.product import multiply_matrix
from neurojit.kernels.cpu.recurrence import (
    active_rows,
    add_product,
    address_table,
    copy_all,
    input_gradients,
    input_products,
    rows_of,
    sigmoid_all,
    state_gradients,
    tabulate_states,
    tabulate_step,
    tanh_all,
    time_of,
)


@exact_inner_kernel
def _cell(gates, before, peephole, coupled, c, y):
    """One step of one row: gates from what goes into them, the new cell and the new state."""
    h = y.size
    one = y.dtype.type(1)
    first = 0 if coupled else h
    f, g, o = gates[first : first + h], gates[first + h : first + 2 * h], gates[first + 2 * h :]
    i = gates[:h]
    if peephole.shape[0] > 0:
        if not coupled:
            add_product(peephole[0], before, i)
        add_product(peephole[1], before, f)
    sigmoid_all(gates[: first + h])
    tanh_all(g)
    if coupled:
        for j in range(h):
            c[j] = f[j] * before[j] + (one - f[j]) * g[j]
    else:
        for j in range(h):
            c[j] = f[j] * before[j] + i[j] * g[j]
    if peephole.shape[0] > 0:
        add_product(peephole[2], c, o)
    sigmoid_all(o)
    for j in range(h):
        y[j] = o[j] * tanh(c[j])


@exact_inner_kernel
def _cell_backward(dy, gates, before, c, peephole, coupled, dh, dc, squashed, dgates):
    """One step of one row back: dh and dc come in as gradients to this step's state, dc goes out to the one before."""
    h = dy.size
    one = dy.dtype.type(1)
    first = 0 if coupled else h
    i, f = gates[:h], gates[first : first + h]
    g, o = gates[first + h : first + 2 * h], gates[first + 2 * h :]
    di, df = dgates[:h], dgates[first : first + h]
    dg, do = dgates[first + h : first + 2 * h], dgates[first + 2 * h :]
    for j in range(h):
        dh[j] += dy[j]
    for j in range(h):
        squashed[j] = tanh(c[j])
    for j in range(h):
        do[j] = dh[j] * squashed[j] * o[j] * (one - o[j])
    for j in range(h):
        dc[j] += dh[j] * o[j] * (one - squashed[j] * squashed[j])
    if peephole.shape[0] > 0:
        add_product(peephole[2], do, dc)
    if coupled:
        for j in range(h):
            df[j] = dc[j] * (before[j] - g[j]) * f[j] * (one - f[j])
        for j in range(h):
            dg[j] = dc[j] * (one - f[j]) * (one - g[j] * g[j])
    else:
        for j in range(h):
            di[j] = dc[j] * g[j] * i[j] * (one - i[j])
        for j in range(h):
            df[j] = dc[j] * before[j] * f[j] * (one - f[j])
        for j in range(h):
            dg[j] = dc[j] * i[j] * (one - g[j] * g[j])
    for j in range(h):
        dc[j] *= f[j]
    if peephole.shape[0] > 0:
        if not coupled:
            add_product(peephole[0], di, dc)
        add_product(peephole[1], df, dc)


@inner_kernel
def _cells(rows, count, lengths, reverse, s, begin, peephole, coupled, gates, c, y):
    """The gates of all rows at step s; the cells of those that have ended are carried on."""
    slot, before, after = (s - begin) % gates.shape[0], (s - begin) % c.shape[0], (s - begin + 1) % c.shape[0]
    for k in range(count):
        i = rows[k]
        _cell(gates[slot, i], c[before, i], peephole, coupled, c[after, i], y[i, time_of(s, lengths[i], reverse)])
    if before != after:
        for k in range(count, rows.size):
            copy_all(c[before, rows[k]], c[after, rows[k]])


@kernel
def forward_rows(task, x, w_ih, start, w_hh, peephole, coupled, h0, order, bounds, lengths, reverse, span, gates, c, y):
    """Steps begin .. end of a task's sequences, a chunk of steps of inputs at a time."""
    begin, end, chunk = span
    rows = rows_of(task, order, bounds)
    states, starts, outs = address_table(rows.size), address_table(rows.size), address_table(rows.size)
    for first in range(begin, end, chunk):
        last = min(first + chunk, end)
        input_products(x, w_ih, start, rows, lengths, reverse, first, last, begin, gates)
        for s in range(first, last):
            count, slot = active_rows(rows, lengths, s), (s - begin) % gates.shape[0]
            tabulate_states(h0, y, rows, count, lengths, reverse, s, states)
            tabulate_step(gates, slot, rows, count, 0, starts)
            tabulate_step(gates, slot, rows, count, 0, outs)
            multiply_matrix(x, states, count, 0, y.shape[2], w_hh, starts, outs, gates.shape[2])
            _cells(rows, count, lengths, reverse, s, begin, peephole, coupled, gates, c, y)


@inner_kernel
def _cells_backward(dy, rows, count, lengths, reverse, slot, s, gates, c, peephole, coupled, dh, dc, squashed, dgates):
    """All rows at step s back; those that have ended have no gradient."""
    for k in range(count):
        i = rows[k]
        dy_i, dgates_i = dy[i, time_of(s, lengths[i], reverse)], dgates[slot, i]
        before, after = c[slot, i], c[slot + 1, i]
        _cell_backward(dy_i, gates[slot, i], before, after, peephole, coupled, dh[i], dc[i], squashed, dgates_i)
    for k in range(count, rows.size):
        dgates[slot, rows[k]] = 0


@kernel
def backward_rows(
    task,
    dy,
    w_ih,
    w_hh,
    peephole,
    coupled,
    order,
    bounds,
    lengths,
    reverse,
    span,
    gates,
    c,
    zeros,
    dh,
    dc,
    dgates,
    dx,
):
    """Steps end .. begin of a task's sequences; w_ih and w_hh are transposed, dx is (0, t, f) where not wanted."""
    begin, end, chunk = span
    rows = rows_of(task, order, bounds)
    inputs, starts, outs = address_table(rows.size), address_table(rows.size), address_table(rows.size)
    squashed = np.empty(dy.shape[2], dy.dtype)
    for last in range(end, begin, -chunk):
        first = max(last - chunk, begin)
        for s in range(last - 1, first - 1, -1):
            count, slot = active_rows(rows, lengths, s), s - begin
            _cells_backward(
                dy, rows, count, lengths, reverse, slot, s, gates, c, peephole, coupled, dh, dc, squashed, dgates
            )
            tabulate_step(dgates, slot, rows, count, 0, inputs)
            state_gradients(inputs, rows, count, 0, dgates.shape[2], w_hh, zeros, starts, outs, dh)
        if dx.shape[0] > 0:
            input_gradients(dgates, w_ih, zeros, rows, lengths, reverse, first, last, begin, dx)
    keep(zeros)


@parallel_kernel
def forward(x, w_ih, start, w_hh, peephole, coupled, h0, order, bounds, lengths, reverse, span, gates, c, y):
    """`forward_rows` for every task."""
    for task in prange(bounds.size - 1):
        forward_rows(
            np.int64(task),
            x,
            w_ih,
            start,
            w_hh,
            peephole,
            coupled,
            h0,
            order,
            bounds,
            lengths,
            reverse,
            span,
            gates,
            c,
            y,
        )


@parallel_kernel
def backward(
    dy, w_ih, w_hh, peephole, coupled, order, bounds, lengths, reverse, span, gates, c, zeros, dh, dc, dgates, dx
):
    """`backward_rows` for every task."""
    for task in prange(bounds.size - 1):
        backward_rows(
            np.int64(task),
            dy,
            w_ih,
            w_hh,
            peephole,
            coupled,
            order,
            bounds,
            lengths,
            reverse,
            span,
            gates,
            c,
            zeros,
            dh,
            dc,
            dgates,
            dx,
        )
