"""The LSTM over time, forward and backward; see recurrence.py for how sequences are walked and kept.

    i = s(a_i + p_i c-)    f = s(a_f + p_f c-)    g = tanh(a_g)    c = f c- + i g    o = s(a_o + p_o c)    h = o tanh(c)

with a = bias + x W + h- U, s the logistic function and p the peepholes, if any. Coupled, i = 1 - f has no a of its own.

gates (depth, n, G h): i, f, g, o, or f, g, o    c (depth + 1, n, h), or (1, n, h) where only the last is of use
peephole (3, h) for i, f, o, or (0, h)           dh, dc (n, h): gradients to the state, here and before
"""

import numpy as np

from neurojit.core.jit import exact_inner_kernel, inner_kernel, kernel, parallel_kernel, prange
from neurojit.core.simd import keep
from neurojit.core.vector import lanes, load, multiply_add, pair, rolled, splat, store
from neurojit.kernels.cpu.elementary_vector import sigmoid, tanh
from neurojit.kernels.cpu.product import multiply_matrix
from neurojit.kernels.cpu.recurrence import (
    active_rows,
    address_table,
    copy_all,
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
def _cell(gates, at, c, before, after, peephole, coupled, y, into):
    """One step of one row: gates from what goes into them, the new cell and the new state; where they lie is given."""
    h = y.shape[2]
    like = pair(y)
    one, zero = splat(1.0, like), splat(0.0, like)
    at_f = at if coupled else at + h
    for j in range(0, h, lanes(like)):
        rolled()
        count = min(lanes(like), h - j)
        cell, i, f = (
            load(c, before + j, count, like),
            load(gates, at + j, count, like),
            load(gates, at_f + j, count, like),
        )
        g, o = load(gates, at_f + h + j, count, like), load(gates, at_f + 2 * h + j, count, like)
        p_o = zero
        if peephole.shape[0] > 0:
            i = multiply_add(load(peephole, j, count, like), cell, i)
            f = multiply_add(load(peephole, h + j, count, like), cell, f)
            p_o = load(peephole, 2 * h + j, count, like)
        f, g = sigmoid(f), tanh(g)
        if coupled:
            i = one - f
        else:
            i = sigmoid(i)
            store(gates, at + j, count, i)
        new = multiply_add(f, cell, i * g)
        if peephole.shape[0] > 0:
            o = multiply_add(p_o, new, o)
        o = sigmoid(o)
        store(gates, at_f + j, count, f)
        store(gates, at_f + h + j, count, g)
        store(gates, at_f + 2 * h + j, count, o)
        store(c, after + j, count, new)
        store(y, into + j, count, o * tanh(new))


@exact_inner_kernel
def _cell_backward(dy, dy_at, gates, at, c, before, after, peephole, coupled, dh, dc, state, dgates):
    """One step of one row back: dc comes in as gradient to this step's cell and goes out as that to the one before."""
    h = dy.shape[2]
    like = pair(dy)
    one = splat(1.0, like)
    at_f = at if coupled else at + h
    for j in range(0, h, lanes(like)):
        rolled()
        count = min(lanes(like), h - j)
        i, f = load(gates, at + j, count, like), load(gates, at_f + j, count, like)
        g, o = load(gates, at_f + h + j, count, like), load(gates, at_f + 2 * h + j, count, like)
        cell = load(c, before + j, count, like)
        squashed = tanh(load(c, after + j, count, like))
        d = load(dh, state + j, count, like) + load(dy, dy_at + j, count, like)
        do = d * squashed * (o * (one - o))
        dcell = load(dc, state + j, count, like) + d * o * (one - squashed * squashed)
        if peephole.shape[0] > 0:
            dcell = multiply_add(load(peephole, 2 * h + j, count, like), do, dcell)
        if coupled:
            i = one - f
        df = dcell * (f * (one - f))
        df = df * (cell - g) if coupled else df * cell
        dnext = dcell * f
        if not coupled:
            di = dcell * g * (i * (one - i))
            store(dgates, at + j, count, di)
            if peephole.shape[0] > 0:
                dnext = multiply_add(load(peephole, j, count, like), di, dnext)
        if peephole.shape[0] > 0:
            dnext = multiply_add(load(peephole, h + j, count, like), df, dnext)
        store(dgates, at_f + j, count, df)
        store(dgates, at_f + h + j, count, dcell * i * (one - g * g))
        store(dgates, at_f + 2 * h + j, count, do)
        store(dc, state + j, count, dnext)


@inner_kernel
def _cells(rows, count, lengths, reverse, s, slot, peephole, coupled, gates, c, before, after, y):
    """The gates of all rows at step s; the cells of those that have ended are carried on."""
    n, steps, h = y.shape
    columns = gates.shape[2]
    for k in range(count):
        i = rows[k]
        place, into = (slot * n + i) * columns, (i * steps + time_of(s, lengths[i], reverse)) * h
        _cell(gates, place, c, (before * n + i) * h, (after * n + i) * h, peephole, coupled, y, into)
    if before != after:
        for k in range(count, rows.size):
            copy_all(c[before, rows[k]], c[after, rows[k]])


@kernel
def forward_rows(
    task,
    x,
    tokens,
    w_ih,
    start,
    w_hh,
    peephole,
    coupled,
    h0,
    mask,
    masked,
    order,
    bounds,
    lengths,
    reverse,
    span,
    gates,
    c,
    y,
):
    """Steps begin .. end of a task's sequences, a chunk of steps of inputs at a time."""
    begin, end, chunk = span
    rows = rows_of(task, order, bounds)
    states, starts, outs = address_table(rows.size), address_table(rows.size), address_table(rows.size)
    for first in range(begin, end, chunk):
        last = min(first + chunk, end)
        input_products(x, tokens, w_ih, start, rows, lengths, reverse, first, last, begin, gates)
        for s in range(first, last):
            count, slot = active_rows(rows, lengths, s), (s - begin) % gates.shape[0]
            tabulate_states(h0, y, rows, count, lengths, reverse, s, states)
            mask_states(mask, masked, rows, count, states)
            tabulate_step(gates, slot, rows, count, 0, starts)
            tabulate_step(gates, slot, rows, count, 0, outs)
            multiply_matrix(x, states, count, 0, y.shape[2], w_hh, starts, outs, gates.shape[2])
            before, after = (s - begin) % c.shape[0], (s - begin + 1) % c.shape[0]
            _cells(rows, count, lengths, reverse, s, slot, peephole, coupled, gates, c, before, after, y)


@inner_kernel
def _cells_backward(dy, rows, count, lengths, reverse, s, slot, gates, c, peephole, coupled, dh, dc, dgates):
    """All rows at step s back; those that have ended have no gradient."""
    n, steps, h = dy.shape
    columns = gates.shape[2]
    for k in range(count):
        i = rows[k]
        before, place = (slot * n + i) * h, (slot * n + i) * columns
        dy_at = (i * steps + time_of(s, lengths[i], reverse)) * h
        _cell_backward(dy, dy_at, gates, place, c, before, before + n * h, peephole, coupled, dh, dc, i * h, dgates)
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
    mask,
    masked,
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
    for last in range(end, begin, -chunk):
        first = max(last - chunk, begin)
        for s in range(last - 1, first - 1, -1):
            count, slot = active_rows(rows, lengths, s), s - begin
            _cells_backward(dy, rows, count, lengths, reverse, s, slot, gates, c, peephole, coupled, dh, dc, dgates)
            tabulate_step(dgates, slot, rows, count, 0, inputs)
            state_gradients(inputs, rows, count, 0, dgates.shape[2], w_hh, False, zeros, mask, masked, starts, outs, dh)
        if dx.shape[0] > 0:
            input_gradients(dgates, w_ih, zeros, rows, lengths, reverse, first, last, begin, dx)
    keep(zeros)


@parallel_kernel
def forward(
    x,
    tokens,
    w_ih,
    start,
    w_hh,
    peephole,
    coupled,
    h0,
    mask,
    masked,
    order,
    bounds,
    lengths,
    reverse,
    span,
    gates,
    c,
    y,
):
    """`forward_rows` for every task."""
    for task in prange(bounds.size - 1):
        forward_rows(
            np.int64(task),
            x,
            tokens,
            w_ih,
            start,
            w_hh,
            peephole,
            coupled,
            h0,
            mask,
            masked,
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
    dy,
    w_ih,
    w_hh,
    peephole,
    coupled,
    mask,
    masked,
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
    """`backward_rows` for every task."""
    for task in prange(bounds.size - 1):
        backward_rows(
            np.int64(task),
            dy,
            w_ih,
            w_hh,
            peephole,
            coupled,
            mask,
            masked,
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
