"""The GRU over time, forward and backward; see recurrence.py for how sequences are walked and kept.

    r = s(a_r)    z = s(a_z)    n = tanh(a_n)    h = (1 - z) n + z h-

with a_r, a_z = bias + x W + h- U, s the logistic function, and

    a_n = bias + x W_n + (r h-) U_n          where the reset comes before the product,
    a_n = bias + x W_n + r (b_n + h- U_n)    where it comes after.

gates (depth, n, 3 h): r, z, n    inner (depth, n, h): r h-, or b_n + h- U_n    dinner: its gradient, where r is after
u_rz (h, 2 h) and u_n (h, h) are U in two; the transposed U is whole.
"""

import numpy as np

from neurojit.core.jit import exact_inner_kernel, inner_kernel, kernel, parallel_kernel, prange
from neurojit.core.simd import address, keep
from neurojit.core.vector import lanes, load, multiply_add, pair, rolled, splat, store
from neurojit.kernels.cpu.elementary_vector import sigmoid, tanh
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
def _reset(gates, at, before, state, inner, inside):
    """One row where the reset comes before the product: r, and r h-."""
    h = inner.shape[2]
    like = pair(inner)
    for j in range(0, h, lanes(like)):
        rolled()
        count = min(lanes(like), h - j)
        r = sigmoid(load(gates, at + j, count, like))
        store(gates, at + j, count, r)
        store(inner, inside + j, count, r * load(before, state + j, count, like))


@exact_inner_kernel
def _mix(gates, at, before, state, inner, inside, after, y, into):
    """One row: r where it comes after the product, z, n and the new state."""
    h = y.shape[2]
    like = pair(y)
    one = splat(1.0, like)
    for j in range(0, h, lanes(like)):
        rolled()
        count = min(lanes(like), h - j)
        z, n = sigmoid(load(gates, at + h + j, count, like)), load(gates, at + 2 * h + j, count, like)
        if after:
            r = sigmoid(load(gates, at + j, count, like))
            store(gates, at + j, count, r)
            n = multiply_add(r, load(inner, inside + j, count, like), n)
        n = tanh(n)
        store(gates, at + h + j, count, z)
        store(gates, at + 2 * h + j, count, n)
        store(y, into + j, count, multiply_add(z, load(before, state + j, count, like), (one - z) * n))


@inner_kernel
def _resets(h0, y, rows, count, lengths, reverse, s, slot, gates, inner):
    n, steps, h = y.shape
    for k in range(count):
        i = rows[k]
        place = slot * n + i
        if s == 0:
            _reset(gates, place * 3 * h, h0, i * h, inner, place * h)
        else:
            before = i * steps + time_of(s - 1, lengths[i], reverse)
            _reset(gates, place * 3 * h, y, before * h, inner, place * h)


@inner_kernel
def _mixes(h0, y, rows, count, lengths, reverse, s, slot, after, gates, inner):
    n, steps, h = y.shape
    for k in range(count):
        i = rows[k]
        place, into = slot * n + i, (i * steps + time_of(s, lengths[i], reverse)) * h
        if s == 0:
            _mix(gates, place * 3 * h, h0, i * h, inner, place * h, after, y, into)
        else:
            before = i * steps + time_of(s - 1, lengths[i], reverse)
            _mix(gates, place * 3 * h, y, before * h, inner, place * h, after, y, into)


@kernel
def forward_rows(
    task,
    x,
    tokens,
    w_ih,
    start,
    u_rz,
    u_n,
    start_n,
    after,
    h0,
    mask,
    masked,
    order,
    bounds,
    lengths,
    reverse,
    span,
    gates,
    inner,
    y,
):
    """Steps begin .. end of a task's sequences, a chunk of steps of inputs at a time."""
    begin, end, chunk = span
    h = y.shape[2]
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
            multiply_matrix(x, states, count, 0, h, u_rz, starts, outs, 2 * h)
            if after:
                starts[:] = address(start_n, 0)
                tabulate_step(inner, slot, rows, count, 0, outs)
                multiply_matrix(x, states, count, 0, h, u_n, starts, outs, h)
            else:
                _resets(h0, y, rows, count, lengths, reverse, s, slot, gates, inner)
                tabulate_step(inner, slot, rows, count, 0, states)
                mask_states(mask, masked, rows, count, states)
                tabulate_step(gates, slot, rows, count, 2 * h, starts)
                tabulate_step(gates, slot, rows, count, 2 * h, outs)
                multiply_matrix(x, states, count, 0, h, u_n, starts, outs, h)
            _mixes(h0, y, rows, count, lengths, reverse, s, slot, after, gates, inner)
    keep(start_n)


@exact_inner_kernel
def _mix_backward(dy, time, gates, at, before, state, inner, inside, after, dh, row, dinner, dgates):
    """One row: dz and dn, and where the reset comes after the product dr and dinner; dh, the gradient to the new state,
    goes out as what z hands on to the one before.
    """
    h = dy.shape[2]
    like = pair(dy)
    one = splat(1.0, like)
    for j in range(0, h, lanes(like)):
        rolled()
        count = min(lanes(like), h - j)
        z, n = load(gates, at + h + j, count, like), load(gates, at + 2 * h + j, count, like)
        d = load(dh, row + j, count, like) + load(dy, time + j, count, like)
        dn = d * (one - z) * (one - n * n)
        store(dgates, at + h + j, count, d * (load(before, state + j, count, like) - n) * (z * (one - z)))
        store(dgates, at + 2 * h + j, count, dn)
        store(dh, row + j, count, d * z)
        if after:
            r = load(gates, at + j, count, like)
            store(dgates, at + j, count, dn * load(inner, inside + j, count, like) * (r * (one - r)))
            store(dinner, inside + j, count, dn * r)


@exact_inner_kernel
def _reset_backward(gates, at, before, state, dinner, inside, dh, row, dgates):
    """One row where the reset comes before the product: dr from dinner, the gradient to r h-; dh takes its part."""
    h = dh.shape[1]
    like = pair(dh)
    one = splat(1.0, like)
    for j in range(0, h, lanes(like)):
        rolled()
        count = min(lanes(like), h - j)
        r, d = load(gates, at + j, count, like), load(dinner, inside + j, count, like)
        store(dgates, at + j, count, d * load(before, state + j, count, like) * (r * (one - r)))
        store(dh, row + j, count, multiply_add(d, r, load(dh, row + j, count, like)))


@inner_kernel
def _mixes_backward(dy, h0, y, rows, count, lengths, reverse, s, slot, after, gates, inner, dh, dinner, dgates):
    """All rows at step s back; those that have ended have no gradient."""
    n, steps, h = y.shape
    for k in range(count):
        i = rows[k]
        place, time = slot * n + i, (i * steps + time_of(s, lengths[i], reverse)) * h
        at, inside = place * 3 * h, place * h
        if s == 0:
            _mix_backward(dy, time, gates, at, h0, i * h, inner, inside, after, dh, i * h, dinner, dgates)
        else:
            before = (i * steps + time_of(s - 1, lengths[i], reverse)) * h
            _mix_backward(dy, time, gates, at, y, before, inner, inside, after, dh, i * h, dinner, dgates)
    for k in range(count, rows.size):
        dgates[slot, rows[k]] = 0
        dinner[slot, rows[k]] = 0


@inner_kernel
def _resets_backward(h0, y, rows, count, lengths, reverse, s, slot, gates, dinner, dh, dgates):
    n, steps, h = y.shape
    for k in range(count):
        i = rows[k]
        place = slot * n + i
        if s == 0:
            _reset_backward(gates, place * 3 * h, h0, i * h, dinner, place * h, dh, i * h, dgates)
        else:
            before = (i * steps + time_of(s - 1, lengths[i], reverse)) * h
            _reset_backward(gates, place * 3 * h, y, before, dinner, place * h, dh, i * h, dgates)


@kernel
def backward_rows(
    task,
    dy,
    h0,
    y,
    w_ih,
    u,
    after,
    mask,
    masked,
    order,
    bounds,
    lengths,
    reverse,
    span,
    gates,
    inner,
    zeros,
    dh,
    dinner,
    dgates,
    dx,
):
    """Steps end .. begin of a task's sequences; w_ih and u are transposed, dx is (0, t, f) where not wanted."""
    begin, end, chunk = span
    h = y.shape[2]
    rows = rows_of(task, order, bounds)
    inputs, starts, outs = address_table(rows.size), address_table(rows.size), address_table(rows.size)
    for last in range(end, begin, -chunk):
        first = max(last - chunk, begin)
        for s in range(last - 1, first - 1, -1):
            count, slot = active_rows(rows, lengths, s), s - begin
            _mixes_backward(dy, h0, y, rows, count, lengths, reverse, s, slot, after, gates, inner, dh, dinner, dgates)
            if after:
                tabulate_step(dinner, slot, rows, count, 0, inputs)
                state_gradients(inputs, rows, count, 2 * h, h, u, True, zeros, mask, masked, starts, outs, dh)
            else:
                tabulate_step(dgates, slot, rows, count, 2 * h, inputs)
                state_gradients(
                    inputs, rows, count, 2 * h, h, u, False, zeros, mask, masked, starts, outs, dinner[slot]
                )
                _resets_backward(h0, y, rows, count, lengths, reverse, s, slot, gates, dinner, dh, dgates)
            tabulate_step(dgates, slot, rows, count, 0, inputs)
            state_gradients(inputs, rows, count, 0, 2 * h, u, True, zeros, mask, masked, starts, outs, dh)
        if dx.shape[0] > 0:
            input_gradients(dgates, w_ih, zeros, rows, lengths, reverse, first, last, begin, dx)
    keep(zeros)


@parallel_kernel
def forward(
    x,
    tokens,
    w_ih,
    start,
    u_rz,
    u_n,
    start_n,
    after,
    h0,
    mask,
    masked,
    order,
    bounds,
    lengths,
    reverse,
    span,
    gates,
    inner,
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
            u_rz,
            u_n,
            start_n,
            after,
            h0,
            mask,
            masked,
            order,
            bounds,
            lengths,
            reverse,
            span,
            gates,
            inner,
            y,
        )


@parallel_kernel
def backward(
    dy,
    h0,
    y,
    w_ih,
    u,
    after,
    mask,
    masked,
    order,
    bounds,
    lengths,
    reverse,
    span,
    gates,
    inner,
    zeros,
    dh,
    dinner,
    dgates,
    dx,
):
    """`backward_rows` for every task."""
    for task in prange(bounds.size - 1):
        backward_rows(
            np.int64(task),
            dy,
            h0,
            y,
            w_ih,
            u,
            after,
            mask,
            masked,
            order,
            bounds,
            lengths,
            reverse,
            span,
            gates,
            inner,
            zeros,
            dh,
            dinner,
            dgates,
            dx,
        )
