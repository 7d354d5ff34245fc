"""One step of the LSTM, forward and backward; see recurrence.py for how steps lie.

    i = s(a_i + p_i c-)    f = s(a_f + p_f c-)    g = tanh(a_g)    c = f c- + i g    o = s(a_o + p_o c)    h = o tanh(c)

with a = bias + x W + h- U, s the logistic function and p the peepholes, if any. Coupled, i = 1 - f has no a of its own,
and G is 3: f, g and o. In a convolutional LSTM every position of every image is a row, and rows take turns with the
peepholes of their positions.

c (t + 1, n, h), or (1, n, h) where only the last is of use    peephole (3, positions, h) for i, f, o, or (0,)
"""

from neurojit.core.cuda import Floats, Int, Ints, Launch, Matrix, cuda, cuda_kernel, device_function, quotient
from neurojit.kernels.cuda.elementary import ONE, sigmoid, tanh
from neurojit.kernels.cuda.recurrence import gradient_after, length_of, seen, unit_each

LANES, STRIPES = 32, 8


@device_function
def peepholes(peephole, positions, row, unit, units, zero):
    """p_i, p_f and p_o of a unit."""
    if peephole.size == 0:
        return zero, zero, zero
    turn = positions * units
    at = (row - quotient(row, positions) * positions) * units + unit
    return peephole[at], peephole[turn + at], peephole[2 * turn + at]


@device_function
def cell(a_i, a_f, a_g, a_o, before, seen_by, coupled):
    """Gates i, f, g and o, the new cell and the new state, from what goes into the gates and the cell before."""
    f, g = sigmoid(a_f + seen_by[1] * before), tanh(a_g)
    i = ONE - f if coupled != 0 else sigmoid(a_i + seen_by[0] * before)
    new = f * before + i * g
    o = sigmoid(a_o + seen_by[2] * new)
    return i, f, g, o, new, o * tanh(new)


@device_function
def cell_backward(i, f, g, o, before, after, seen_by, coupled, d, dc):
    """Gradients to what went into i, f, g and o, and to the cell before, of those to the new state and cell."""
    i, squashed = ONE - f if coupled != 0 else i, tanh(after)
    do = d * squashed * (o * (ONE - o))
    dcell = dc + d * o * (ONE - squashed * squashed) + seen_by[2] * do
    df, di = dcell * before, dcell * g
    if coupled != 0:
        df, di = df - di, dcell - dcell
    df, di = df * (f * (ONE - f)), di * (i * (ONE - i))
    return di, df, dcell * i * (ONE - g * g), do, dcell * f + seen_by[0] * di + seen_by[1] * df


@device_function
def advance(gates, p_i, p_f, p_g, p_o, peephole, positions, coupled, length, step, row, unit, rows, units, c, states):
    """One unit at a step: its gates, cell and state, which is returned; p_i to p_o are the products of the states."""
    size = rows * units
    k, depth = row * units + unit, quotient(c.size, size)
    at = step * size + k
    before = (step - quotient(step, depth) * depth) * size + k
    after = (step + 1 - quotient(step + 1, depth) * depth) * size + k
    if step >= length:
        c[after] = c[before]
        states[at + size] = states[at]
        return states[at]
    first = units if coupled == 0 else 0  # i stands before f, unless there is none
    here = (step * rows + row) * (3 * units + first) + unit
    a_i = gates[here] + p_i
    here += first
    a_f, a_g, a_o = gates[here] + p_f, gates[here + units] + p_g, gates[here + 2 * units] + p_o
    seen_by = peepholes(peephole, positions, row, unit, units, c.dtype.type(0))
    i, f, g, o, new, v = cell(a_i, a_f, a_g, a_o, c[before], seen_by, coupled)
    if coupled == 0:
        gates[here - units] = i
    gates[here], gates[here + units], gates[here + 2 * units] = f, g, o
    c[after], states[at + size] = new, v
    return v


@device_function
def retreat(
    dy, gates, c, peephole, positions, coupled, mask, product, dlast, length, step, row, unit, rows, units, dc, dgates
):
    """One unit at a step of the way back: what goes into i, f, g and o, in dgates and returned, and dc."""
    size, zero = rows * units, dy.dtype.type(0)
    k = row * units + unit
    at, first = step * size + k, units if coupled == 0 else 0
    here = (step * rows + row) * (3 * units + first) + unit
    di, df, dg, do = zero, zero, zero, zero
    if step < length:
        d = gradient_after(dy, product, mask, dlast, step, length, size, k)
        seen_by = peepholes(peephole, positions, row, unit, units, zero)
        i, f, g, o = gates[here], gates[here + first], gates[here + first + units], gates[here + first + 2 * units]
        di, df, dg, do, dbefore = cell_backward(i, f, g, o, c[at], c[at + size], seen_by, coupled, d, dc[k])
        dc[k] = dbefore
    if coupled == 0:
        dgates[here] = di
    here += first
    dgates[here], dgates[here + units], dgates[here + 2 * units] = df, dg, do
    return di, df, dg, do


def _step_plan(gates, product, peephole, positions, coupled, mask, lengths, step, units, c, states, state):
    return unit_each(state.size)


@cuda_kernel(_step_plan, registers=40)
def step(
    gates: Floats,
    product: Floats,
    peephole: Floats,
    positions: Int,
    coupled: Int,
    mask: Floats,
    lengths: Ints,
    step: Int,
    units: Int,
    c: Floats,
    states: Floats,
    state: Floats,
):
    """Gates, cells and states of a step."""
    k = cuda.grid(1)
    if k >= state.size:
        return
    row, rows = quotient(k, units), quotient(state.size, units)
    unit, first = k - row * units, units if coupled == 0 else 0
    there, length = row * (3 * units + first) + unit, length_of(lengths, row, step + 1)
    p_i, p_f = product[there], product[there + first]
    p_g, p_o = product[there + first + units], product[there + first + 2 * units]
    known = peephole, positions, coupled, length, step
    v = advance(gates, p_i, p_f, p_g, p_o, *known, row, unit, rows, units, c, states)
    state[k] = seen(v, mask, k)


def _backward_plan(
    dy, gates, c, peephole, positions, coupled, mask, product, dlast, lengths, step, units, dc, dgates, dgate
):
    return unit_each(dc.size)


@cuda_kernel(_backward_plan, registers=40)
def step_backward(
    dy: Floats,
    gates: Floats,
    c: Floats,
    peephole: Floats,
    positions: Int,
    coupled: Int,
    mask: Floats,
    product: Floats,
    dlast: Floats,
    lengths: Ints,
    step: Int,
    units: Int,
    dc: Floats,
    dgates: Floats,
    dgate: Floats,
):
    """dgates[step], and the same apart for the product; dc (n, h) comes in as gradient to this step's cells and goes
    out as that to the ones before.
    """
    k = cuda.grid(1)
    if k >= dc.size:
        return
    row, rows = quotient(k, units), quotient(dc.size, units)
    unit, first = k - row * units, units if coupled == 0 else 0
    there, length = row * (3 * units + first) + unit, length_of(lengths, row, quotient(dy.size, dc.size))
    known = peephole, positions, coupled, mask, product, dlast, length, step
    di, df, dg, do = retreat(dy, gates, c, *known, row, unit, rows, units, dc, dgates)
    if coupled == 0:
        dgate[there] = di
    there += first
    dgate[there], dgate[there + units], dgate[there + 2 * units] = df, dg, do


def _peephole_plan(dgates, c, coupled, units, partial):
    return Launch((-(-partial.shape[1] // LANES), partial.shape[0]), (LANES, STRIPES))


@cuda_kernel(_peephole_plan, registers=40)
def peephole_gradient(dgates: Floats, c: Floats, coupled: Int, units: Int, partial: Matrix):
    """partial (blocks, 3 * positions * h): what gates i, f and o pass on to the cells they saw, summed over a share of
    all steps and images.
    """
    tile = cuda.shared.array((STRIPES, LANES), c.dtype)
    lane, stripe = cuda.threadIdx.x, cuda.threadIdx.y
    blocks, columns = partial.shape
    column = LANES * cuda.blockIdx.x + lane
    per_gate = quotient(columns, 3)
    gate = quotient(column, per_gate)
    place = column - gate * per_gate
    position, first = quotient(place, units), units if coupled == 0 else 0
    unit, width, positions = place - position * units, 3 * units + first, quotient(per_gate, units)
    turns = quotient(quotient(dgates.size, width), positions)
    later = c.size - turns * per_gate if gate == 2 else 0  # o saw the cell after
    which = unit if gate == 0 else first + 2 * (gate - 1) * units + unit
    begin, end = cuda.blockIdx.y * turns // blocks, (cuda.blockIdx.y + 1) * turns // blocks
    s = c.dtype.type(0)
    if column < columns and (gate > 0 or coupled == 0):
        for turn in range(begin + stripe, end, STRIPES):
            row = turn * positions + position
            s += dgates[row * width + which] * c[later + row * units + unit]
    tile[stripe, lane] = s
    cuda.syncthreads()
    if stripe == 0 and column < columns:
        for other in range(1, STRIPES):
            s += tile[other, lane]
        partial[cuda.blockIdx.y, column] = s
