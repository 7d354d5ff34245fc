"""One step of the GRU, forward and backward; see recurrence.py for how steps lie.

    r = s(a_r)    z = s(a_z)    n = tanh(a_n)    h = (1 - z) n + z h-

with a_r, a_z = bias + x W + h- U, s the logistic function, and

    a_n = bias + x W_n + (r h-) U_n          where the reset comes before the product,
    a_n = bias + x W_n + r (b_n + h- U_n)    where it comes after.

gates (t, n, 3 h): r, z, n    inner (t, n, h): r h-, or b_n + h- U_n
Reset before, `product` is (n, 2 h) for r and z, and `product_n` (n, h) comes of what `reset` makes; else product is
(n, 3 h) and product_n is not looked at.
"""

from neurojit.core.cuda import Floats, Int, Ints, cuda, cuda_kernel, device_function, quotient
from neurojit.kernels.cuda.elementary import ONE, sigmoid, tanh
from neurojit.kernels.cuda.recurrence import gradient_after, length_of, seen, unit_each


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
    row, at = quotient(k, units), step * size + k
    unit, rows = k - row * units, quotient(size, units)
    v = states.dtype.type(0)
    if step < length_of(lengths, row, step + 1):
        here = (step * rows + row) * 3 * units + unit
        r = sigmoid(gates[here] + product[row * 2 * units + unit])
        gates[here] = r
        v = r * states[at]
    inner[at], reset_state[k] = v, seen(v, mask, k)


@device_function
def advance(gates, p_r, p_z, p_n, after, length, step, row, unit, rows, units, inner, states):
    """One unit at a step: r where it comes after the product, z, n and the state, which is returned too.

    p_r and p_z are the products of the states, p_n that which n takes, with its bias where the reset comes after it.
    """
    size = rows * units
    at = step * size + row * units + unit
    v = states[at]
    if step < length:
        here = (step * rows + row) * 3 * units + unit
        z, a_n = sigmoid(gates[here + units] + p_z), gates[here + 2 * units]
        if after != 0:
            r = sigmoid(gates[here] + p_r)
            gates[here], inner[at] = r, p_n
            a_n += r * p_n
        else:
            a_n += p_n
        n = tanh(a_n)
        v = z * v + (ONE - z) * n
        gates[here + units], gates[here + 2 * units] = z, n
    elif after != 0:
        inner[at] = states.dtype.type(0)
    states[at + size] = v
    return v


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
    k = cuda.grid(1)
    if k >= state.size:
        return
    row, rows = quotient(k, units), quotient(state.size, units)
    unit, length = k - row * units, length_of(lengths, row, step + 1)
    there = row * (3 if after != 0 else 2) * units + unit
    p_n = inside[unit] + product[there + 2 * units] if after != 0 else product_n[k]
    known = after, length, step, row, unit, rows, units, inner, states
    state[k] = seen(advance(gates, product[there], product[there + units], p_n, *known), mask, k)


@device_function
def retreat(
    dy, gates, inner, states, after, mask, product, dlast, length, step, row, unit, rows, units, direct, dgates
):
    """One unit at a step of the way back: dr, which is zero where the reset comes before, dz, dn and dinner; dz and dn
    go into dgates, too, and so does dr where the reset comes after.
    """
    size, zero = rows * units, dy.dtype.type(0)
    k = row * units + unit
    at, here = step * size + k, (step * rows + row) * 3 * units + unit
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
        dgates[here] = dr
    return dr, dz, dn, dinner


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
    k = cuda.grid(1)
    if k >= direct.size:
        return
    row, rows = quotient(k, units), quotient(direct.size, units)
    unit, length = k - row * units, length_of(lengths, row, quotient(dy.size, direct.size))
    known = after, mask, product, dlast, length, step, row, unit, rows, units, direct, dgates
    dr, dz, dn, dinner = retreat(dy, gates, inner, states, *known)
    if after != 0:
        here, there = (step * rows + row) * 3 * units + unit, row * 3 * units + unit
        dproducts[here], dproducts[here + units], dproducts[here + 2 * units] = dr, dz, dinner
        dgate[there], dgate[there + units], dgate[there + 2 * units] = dr, dz, dinner
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
    row, at = quotient(k, units), step * size + k
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
