"""One step of the GRU, forward and backward; see recurrence.py for how steps lie.

    r = s(a_r)    z = s(a_z)    n = tanh(a_n)    h = (1 - z) n + z h-

with a_r, a_z = bias + x W + h- U, s the logistic function, and

    a_n = bias + x W_n + (r h-) U_n          where the reset comes before the product,
    a_n = bias + x W_n + r (b_n + h- U_n)    where it comes after.

gates (t, n, 3 h): r, z, n    inner (t, n, h): r h-, or b_n + h- U_n
Reset before, `product` is (n, 2 h) for r and z, and `product_n` (n, h) comes of what `reset` makes; else product is
(n, 3 h) and product_n is not looked at.
"""

from neurojit.core.cuda import Floats, Int, Ints, cuda, cuda_kernel, quotient
from neurojit.kernels.cuda.elementary import ONE, sigmoid, tanh
from neurojit.kernels.cuda.recurrence import gradient_after, length_of, row_of, seen, unit_each


@cuda_kernel(
    lambda gates, product, mask, lengths, step, units, states, inner, reset_state: unit_each(reset_state.size),
    registers=40,
)
def reset(
    gates: Floats,
    product: Floats,
    mask: Floats,
    lengths: Ints,
    step: Int,
    units: Int,
    states: Floats,
    inner: Floats,
    reset_state: Floats,
):
    """Reset before the product: r, r h-, and reset_state (n, h), what the product with U_n sees of that."""
    k, size = cuda.grid(1), reset_state.size
    if k >= size:
        return
    row, at = row_of(k, units), step * size + k
    unit, rows = k - row * units, quotient(size, units)
    v = states.dtype.type(0)
    if step < length_of(lengths, row, step + 1):
        here = (step * rows + row) * 3 * units + unit
        r = sigmoid(gates[here] + product[row * 2 * units + unit])
        gates[here] = r
        v = r * states[at]
    inner[at], reset_state[k] = v, seen(v, mask, k)


def _mix_plan(gates, product, product_n, inside, after, mask, lengths, step, units, inner, states, state):
    return unit_each(state.size)


@cuda_kernel(_mix_plan, registers=40)
def mix(
    gates: Floats,
    product: Floats,
    product_n: Floats,
    inside: Floats,
    after: Int,
    mask: Floats,
    lengths: Ints,
    step: Int,
    units: Int,
    inner: Floats,
    states: Floats,
    state: Floats,
):
    """r where it comes after the product, z, n and the states; inside (h,) is the bias under the reset gate."""
    k, size = cuda.grid(1), state.size
    if k >= size:
        return
    row, at = row_of(k, units), step * size + k
    unit, rows = k - row * units, quotient(size, units)
    if step >= length_of(lengths, row, step + 1):
        states[at + size] = states[at]
        if after != 0:
            inner[at] = states.dtype.type(0)
        return
    here, there = (step * rows + row) * 3 * units + unit, row * (3 if after != 0 else 2) * units + unit
    z, a_n = sigmoid(gates[here + units] + product[there + units]), gates[here + 2 * units]
    if after != 0:
        r = sigmoid(gates[here] + product[there])
        within = inside[unit] + product[there + 2 * units]
        gates[here], inner[at] = r, within
        a_n += r * within
    else:
        a_n += product_n[k]
    n = tanh(a_n)
    v = z * states[at] + (ONE - z) * n
    gates[here + units], gates[here + 2 * units] = z, n
    states[at + size], state[k] = v, seen(v, mask, k)


def _mix_backward_plan(
    dy, gates, inner, states, after, mask, product, dlast, lengths, step, units, direct, dgates, dproducts, dgate
):
    return unit_each(direct.size)


@cuda_kernel(_mix_backward_plan, registers=40)
def mix_backward(
    dy: Floats,
    gates: Floats,
    inner: Floats,
    states: Floats,
    after: Int,
    mask: Floats,
    product: Floats,
    dlast: Floats,
    lengths: Ints,
    step: Int,
    units: Int,
    direct: Floats,
    dgates: Floats,
    dproducts: Floats,
    dgate: Floats,
):
    """dz and dn of a step, and what z hands on to the states before, in `direct` (n, h), which comes in as that of the
    step after. Reset after, also dr, and the gradients to the product with U in dproducts[step] (t, n, 3 h) and dgate
    (n, 3 h); reset before, dgate (n, h) is dn, dr is to follow and dproducts has no length.
    """
    k, size = cuda.grid(1), direct.size
    if k >= size:
        return
    row, at, zero = row_of(k, units), step * size + k, dy.dtype.type(0)
    unit, rows = k - row * units, quotient(size, units)
    length = length_of(lengths, row, quotient(dy.size, size))
    here, there = (step * rows + row) * 3 * units + unit, row * 3 * units + unit
    dr, dz, dn, dinner = zero, zero, zero, zero
    if step < length:
        d = gradient_after(dy, product, mask, dlast, step, length, size, k)
        if step < length - 1:
            d += direct[k]
        r, z, n = gates[here], gates[here + units], gates[here + 2 * units]
        dn = d * (ONE - z) * (ONE - n * n)
        dz = d * (states[at] - n) * (z * (ONE - z))
        direct[k] = d * z
        if after != 0:
            dr, dinner = dn * inner[at] * (r * (ONE - r)), dn * r
    dgates[here + units], dgates[here + 2 * units] = dz, dn
    if after != 0:
        dgates[here] = dproducts[here] = dgate[there] = dr
        dproducts[here + units] = dgate[there + units] = dz
        dproducts[here + 2 * units] = dgate[there + 2 * units] = dinner
    else:
        dgate[k] = dn


def _reset_backward_plan(gates, states, mask, product_n, lengths, step, units, direct, dgates, dproducts, dgate):
    return unit_each(direct.size)


@cuda_kernel(_reset_backward_plan, registers=40)
def reset_backward(
    gates: Floats,
    states: Floats,
    mask: Floats,
    product_n: Floats,
    lengths: Ints,
    step: Int,
    units: Int,
    direct: Floats,
    dgates: Floats,
    dproducts: Floats,
    dgate: Floats,
):
    """Reset before the product: dr from product_n (n, h), the gradient to what U_n saw; `direct` takes its part.

    dproducts (t, n, 2 h) and dgate (n, 2 h) are dr and dz.
    """
    k, size = cuda.grid(1), direct.size
    if k >= size:
        return
    row, at = row_of(k, units), step * size + k
    unit, rows = k - row * units, quotient(size, units)
    here, there = (step * rows + row) * 3 * units + unit, row * 2 * units + unit
    dr = states.dtype.type(0)
    if step < length_of(lengths, row, step + 1):
        r, d = gates[here], seen(product_n[k], mask, k)
        dr = d * states[at] * (r * (ONE - r))
        direct[k] += d * r
    dz, into = dgates[here + units], (step * rows + row) * 2 * units + unit
    dgates[here] = dproducts[into] = dgate[there] = dr
    dproducts[into + units] = dgate[there + units] = dz
