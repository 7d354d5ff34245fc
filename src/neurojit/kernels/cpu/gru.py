"""The GRU over time, forward and backward; see recurrence.py for how sequences are walked and kept.

    r = s(a_r)    z = s(a_z)    n = tanh(a_n)    h = (1 - z) n + z h-

with a_r, a_z = bias + x W + h- U, s the logistic function, and

    a_n = bias + x W_n + (r h-) U_n          where the reset comes before the product,
    a_n = bias + x W_n + r (b_n + h- U_n)    where it comes after.

gates (depth, n, 3 h): r, z, n    inner (depth, n, h): r h-, or b_n + h- U_n    dinner: its gradient, where r is after
u_rz (h, 2 h) and u_n (h, h) are U in two; the transposed U is whole.
"""

import numpy as np

from neurojit.core.jit import exact_inner_kernel, kernel, parallel_kernel, prange
from neurojit.core.simd import address, keep
from neurojit.kernels.cpu.product import multiply_matrix
from neurojit.kernels.cpu.recurrence import (
    active_rows,
    add_product,
    address_table,
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
def _open_gates(h0, y, rows, count, lengths, reverse, s, slot, after, gates, inner):
    """r and z; r h-, or what r has to be multiplied with."""
    h = y.shape[2]
    for k in range(count):
        i = rows[k]
        gate, inside = gates[slot, i], inner[slot, i]
        sigmoid_all(gate[: 2 * h])
        if after:
            add_product(gate[:h], inside, gate[2 * h :])
        else:
            before = h0[i] if s == 0 else y[i, time_of(s - 1, lengths[i], reverse)]
            for j in range(h):
                inside[j] = gate[j] * before[j]


@exact_inner_kernel
def _mix(h0, y, rows, count, lengths, reverse, s, slot, gates):
    """n and the new state."""
    h, one = y.shape[2], y.dtype.type(1)
    for k in range(count):
        i = rows[k]
        gate = gates[slot, i]
        z, n = gate[h : 2 * h], gate[2 * h :]
        tanh_all(n)
        before = h0[i] if s == 0 else y[i, time_of(s - 1, lengths[i], reverse)]
        new = y[i, time_of(s, lengths[i], reverse)]
        for j in range(h):
            new[j] = (one - z[j]) * n[j] + z[j] * before[j]


@kernel
def forward_rows(
    task, x, w_ih, start, u_rz, u_n, start_n, after, h0, order, bounds, lengths, reverse, span, gates, inner, y
):
    """Steps begin .. end of a task's sequences, a chunk of steps of inputs at a time."""
    begin, end, chunk = span
    h = y.shape[2]
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
            multiply_matrix(x, states, count, 0, h, u_rz, starts, outs, 2 * h)
            if after:
                starts[:] = address(start_n, 0)
                tabulate_step(inner, slot, rows, count, 0, outs)
                multiply_matrix(x, states, count, 0, h, u_n, starts, outs, h)
            _open_gates(h0, y, rows, count, lengths, reverse, s, slot, after, gates, inner)
            if not after:
                tabulate_step(inner, slot, rows, count, 0, states)
                tabulate_step(gates, slot, rows, count, 2 * h, starts)
                tabulate_step(gates, slot, rows, count, 2 * h, outs)
                multiply_matrix(x, states, count, 0, h, u_n, starts, outs, h)
            _mix(h0, y, rows, count, lengths, reverse, s, slot, gates)
    keep(start_n)


@exact_inner_kernel
def _mix_backward(dy, h0, y, rows, count, lengths, reverse, s, slot, gates, dh, dgates):
    """dz and dn; dh comes in as gradient to the new state and goes out as what z hands on to the one before."""
    h, one = y.shape[2], y.dtype.type(1)
    for k in range(count):
        i = rows[k]
        gate, dgate, d = gates[slot, i], dgates[slot, i], dh[i]
        z, n, dz, dn = gate[h : 2 * h], gate[2 * h :], dgate[h : 2 * h], dgate[2 * h :]
        before = h0[i] if s == 0 else y[i, time_of(s - 1, lengths[i], reverse)]
        dy_i = dy[i, time_of(s, lengths[i], reverse)]
        for j in range(h):
            d[j] += dy_i[j]
        for j in range(h):
            dz[j] = d[j] * (before[j] - n[j]) * z[j] * (one - z[j])
        for j in range(h):
            dn[j] = d[j] * (one - z[j]) * (one - n[j] * n[j])
        for j in range(h):
            d[j] *= z[j]
    for k in range(count, rows.size):
        dgates[slot, rows[k]] = 0


@exact_inner_kernel
def _reset_backward(h0, y, rows, count, lengths, reverse, s, slot, after, gates, inner, dinner, dh, dgates):
    """dr from the gradient to n (and dinner), or from dinner, the gradient to r h-, of which dh takes its part."""
    h, one = y.shape[2], y.dtype.type(1)
    for k in range(count):
        i = rows[k]
        r, dgate, dinside, d = gates[slot, i, :h], dgates[slot, i], dinner[slot, i], dh[i]
        dr, dn = dgate[:h], dgate[2 * h :]
        if after:
            inside = inner[slot, i]
            for j in range(h):
                dr[j] = dn[j] * inside[j] * r[j] * (one - r[j])
            for j in range(h):
                dinside[j] = dn[j] * r[j]
        else:
            before = h0[i] if s == 0 else y[i, time_of(s - 1, lengths[i], reverse)]
            for j in range(h):
                dr[j] = dinside[j] * before[j] * r[j] * (one - r[j])
            add_product(dinside, r, d)
    for k in range(count, rows.size):
        dinner[slot, rows[k]] = 0


@kernel
def backward_rows(
    task,
    dy,
    h0,
    y,
    w_ih,
    u,
    after,
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
            _mix_backward(dy, h0, y, rows, count, lengths, reverse, s, slot, gates, dh, dgates)
            if not after:
                tabulate_step(dgates, slot, rows, count, 2 * h, inputs)
                state_gradients(inputs, rows, count, 2 * h, h, u, zeros, starts, outs, dinner[slot])
            _reset_backward(h0, y, rows, count, lengths, reverse, s, slot, after, gates, inner, dinner, dh, dgates)
            if after:
                tabulate_step(dinner, slot, rows, count, 0, inputs)
                state_gradients(inputs, rows, count, 2 * h, h, u, dh, starts, outs, dh)
            tabulate_step(dgates, slot, rows, count, 0, inputs)
            state_gradients(inputs, rows, count, 0, 2 * h, u, dh, starts, outs, dh)
        if dx.shape[0] > 0:
            input_gradients(dgates, w_ih, zeros, rows, lengths, reverse, first, last, begin, dx)
    keep(zeros)


@parallel_kernel
def forward(x, w_ih, start, u_rz, u_n, start_n, after, h0, order, bounds, lengths, reverse, span, gates, inner, y):
    """`forward_rows` for every task."""
    for task in prange(bounds.size - 1):
        forward_rows(
            np.int64(task),
            x,
            w_ih,
            start,
            u_rz,
            u_n,
            start_n,
            after,
            h0,
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
