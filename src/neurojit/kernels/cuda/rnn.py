"""One step of the vanilla recurrent network, h = f(a + h- U), forward and backward; see recurrence.py."""

from neurojit.core.cuda import Floats, Int, Ints, cuda, cuda_kernel, quotient
from neurojit.kernels.cuda.elementary import ONE, ZERO, tanh
from neurojit.kernels.cuda.recurrence import gradient_after, length_of, row_of, seen, unit_each


@cuda_kernel(lambda sums, product, relu, mask, lengths, step, units, states, state: unit_each(state.size), registers=32)
def step(
    sums: Floats,
    product: Floats,
    relu: Int,
    mask: Floats,
    lengths: Ints,
    step: Int,
    units: Int,
    states: Floats,
    state: Floats,
):
    """The states after a step; sums (t, n, h) are what the inputs give."""
    k, size = cuda.grid(1), state.size
    if k >= size:
        return
    at = step * size + k
    if step >= length_of(lengths, row_of(k, units), step + 1):
        states[at + size] = states[at]
        return
    v = sums[at] + product[k]
    if relu != 0:
        v = ZERO if v < ZERO else v
    else:
        v = tanh(v)
    states[at + size] = v
    state[k] = seen(v, mask, k)


def _backward_plan(dy, states, relu, mask, product, dlast, lengths, step, units, dsums, dsum):
    return unit_each(dsum.size)


@cuda_kernel(_backward_plan, registers=32)
def step_backward(
    dy: Floats,
    states: Floats,
    relu: Int,
    mask: Floats,
    product: Floats,
    dlast: Floats,
    lengths: Ints,
    step: Int,
    units: Int,
    dsums: Floats,
    dsum: Floats,
):
    """dsums[step], and the same apart for the product: the gradient to the state times f'."""
    k, size = cuda.grid(1), dsum.size
    if k >= size:
        return
    at, d = step * size + k, dy.dtype.type(0)
    length = length_of(lengths, row_of(k, units), quotient(dy.size, size))
    if step < length:
        v = states[at + size]
        d = gradient_after(dy, product, mask, dlast, step, length, size, k)
        if relu != 0:
            d = d if v > ZERO else ZERO
        else:
            d = d * (ONE - v * v)
    dsums[at] = dsum[k] = d
