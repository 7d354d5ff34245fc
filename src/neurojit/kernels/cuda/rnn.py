"""One step of the vanilla recurrent network, h = f(a + h- U), forward and backward; see recurrence.py."""

from neurojit.core.cuda import Floats, Int, Ints, cuda, cuda_kernel, device_function, quotient
from neurojit.kernels.cuda.elementary import ONE, ZERO, tanh
from neurojit.kernels.cuda.recurrence import gradient_after, length_of, seen, unit_each


@device_function
def advance(sums, product, relu, length, step, k, size, states):
    """One unit at a step: its state, which is returned too."""
    at = step * size + k
    v = states[at]
    if step < length:
        v = sums[at] + product
        if relu != 0:
            v = ZERO if v < ZERO else v
        else:
            v = tanh(v)
    states[at + size] = v
    return v


@device_function
def retreat(dy, states, relu, mask, product, dlast, length, step, k, size, dsums):
    """One unit at a step of the way back: the gradient to the state times f', in dsums and returned."""
    at, d = step * size + k, dy.dtype.type(0)
    if step < length:
        v = states[at + size]
        d = gradient_after(dy, product, mask, dlast, step, length, size, k)
        if relu != 0:
            d = d if v > ZERO else ZERO
        else:
            d = d * (ONE - v * v)
    dsums[at] = d
    return d


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
    k = cuda.grid(1)
    if k < state.size:
        length = length_of(lengths, quotient(k, units), step + 1)
        state[k] = seen(advance(sums, product[k], relu, length, step, k, state.size, states), mask, k)


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
    """dsums[step], and the same apart for the product."""
    k = cuda.grid(1)
    if k < dsum.size:
        length = length_of(lengths, quotient(k, units), quotient(dy.size, dsum.size))
        dsum[k] = retreat(dy, states, relu, mask, product, dlast, length, step, k, dsum.size, dsums)
