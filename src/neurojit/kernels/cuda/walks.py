"""All steps of a recurrent network in one launch: blocks own units, and meet at a barrier of the whole grid each step.

For states so few that their weights stay in shared memory. See recurrence.py for what is kept of steps; rnn.py, lstm.py
and gru.py say what a unit does at a step. A block of eight warps owns `own` units of all n rows. It holds their
weights, four to a pair of units: forward those with which a unit's gates see every state, backward those with which
every unit's gates saw its state. A lane takes a row; the warps share out the block's units and the terms of their sums,
and then one warp a unit adds up what they found, in their order.

exchange is what blocks tell each other, (2, h, n) states as products see them, or (2, 4 h, n) gradients to gates, the
steps taking turns: who is a step ahead writes into the other half. Loops over rows end in a barrier even where nothing
waits for it: the compiler would unroll them else, and run out of registers.
"""

import functools

from neurojit.core.cuda import Floats, Int, Ints, Launch, cuda, cuda_kernel, device_function, load4, quotient
from neurojit.kernels.cuda.gru import advance as gru_advance
from neurojit.kernels.cuda.lstm import advance as lstm_advance
from neurojit.kernels.cuda.lstm import retreat as lstm_retreat
from neurojit.kernels.cuda.recurrence import length_of, seen
from neurojit.kernels.cuda.rnn import advance as rnn_advance
from neurojit.kernels.cuda.rnn import retreat as rnn_retreat

THREADS, WARPS, LANES = 256, 8, 32
HELD = 4096  # weights in shared memory
FOUND = 4 * THREADS
BLOCKS = 128  # so many share out the units, as far as their weights have room


def own_units(units):
    """Units of a block; 0 where the weights of one have no room."""
    return min(-(-units // BLOCKS), HELD // (4 * units), WARPS)


@device_function
def hold(weight, units, own, gates, is_backward, held):
    """Fill `held` with own weights, (own, h, 4): zeros where there are fewer gates."""
    columns, first = gates * units, cuda.blockIdx.x * own
    for i in range(cuda.threadIdx.x, 4 * own * units, THREADS):
        gate, pair = i & 3, i >> 2
        u = quotient(pair, units)
        other, unit = pair - u * units, first + u
        v = weight.dtype.type(0)
        if gate < gates and unit < units:
            v = weight[unit * columns + gate * units + other if is_backward else other * columns + gate * units + unit]
        held[i] = v


@device_function
def find_sums(exchange, start, held, units, own, row, rows, found):
    """A warp's part of four sums for a unit: of each state times the weight of each gate."""
    warp, lane = cuda.threadIdx.x // LANES, cuda.threadIdx.x % LANES
    shares = quotient(WARPS, own)
    u = quotient(warp, shares)
    share, zero = warp - u * shares, found.dtype.type(0)
    a, b, c, d = zero, zero, zero, zero
    if row < rows and u < own:
        for k in range(share, units, shares):
            v, w = exchange[start + k * rows + row], load4(held, (u * units + k) * 4)
            a += v * w[0]
            b += v * w[1]
            c += v * w[2]
            d += v * w[3]
    at = (warp * LANES + lane) * 4
    found[at], found[at + 1], found[at + 2], found[at + 3] = a, b, c, d


@device_function
def find_gradient(exchange, start, held, units, own, row, rows, found):
    """A warp's part of the gradient to a state: of the gradients to each unit's gates times their weights."""
    warp, lane = cuda.threadIdx.x // LANES, cuda.threadIdx.x % LANES
    shares = quotient(WARPS, own)
    u = quotient(warp, shares)
    share, s = warp - u * shares, found.dtype.type(0)
    if row < rows and u < own:
        for k in range(share, units, shares):
            at, w = start + 4 * k * rows + row, load4(held, (u * units + k) * 4)
            s += exchange[at] * w[0] + exchange[at + rows] * w[1]
            s += exchange[at + 2 * rows] * w[2] + exchange[at + 3 * rows] * w[3]
    found[(warp * LANES + lane) * 4] = s


@device_function
def summed(found, own, gate):
    """The sum that the warps found for this thread's unit and row, which is its warp's unit and its lane's row."""
    warp, lane = cuda.threadIdx.x // LANES, cuda.threadIdx.x % LANES
    shares, s = quotient(WARPS, own), found.dtype.type(0)
    for share in range(shares):
        s += found[((warp * shares + share) * LANES + lane) * 4 + gate]
    return s


@device_function
def tell(exchange, start, unit, row, rows, a, b, c, d):
    """Gradients to a unit's four gates, for other blocks to read."""
    at = start + 4 * unit * rows + row
    exchange[at], exchange[at + rows], exchange[at + 2 * rows], exchange[at + 3 * rows] = a, b, c, d


@device_function
def start_exchange(states, mask, unit, row, rows, units, exchange):
    """The first state of a unit, as products see it, for other blocks to read."""
    k = row * units + unit
    exchange[unit * rows + row] = seen(states[k], mask, k)


def _plan(*arguments):
    *_, units, own, _exchange = arguments
    return Launch(-(-units // own), THREADS)


walk = functools.partial(cuda_kernel, _plan, registers=128, threads=THREADS, wide_loads=1, resident=2)


@walk()
def rnn_forward(
    sums: Floats,
    weight: Floats,
    relu: Int,
    mask: Floats,
    lengths: Ints,
    states: Floats,
    units: Int,
    own: Int,
    exchange: Floats,
):
    """The states of all steps."""
    held, found = cuda.shared.array(HELD, sums.dtype), cuda.shared.array(FOUND, sums.dtype)
    grid, warp, lane = cuda.cg.this_grid(), cuda.threadIdx.x // LANES, cuda.threadIdx.x % LANES
    unit, half = cuda.blockIdx.x * own + warp, exchange.size // 2
    rows, owns = half // units, warp < own and unit < units
    size, steps = rows * units, states.size // (rows * units) - 1
    hold(weight, units, own, 1, False, held)
    for row in range(lane, rows if owns else 0, LANES):
        start_exchange(states, mask, unit, row, rows, units, exchange)
    grid.sync()
    for step in range(steps):
        here, there = (step & 1) * half, (1 - (step & 1)) * half
        for first_row in range(0, rows, LANES):
            row = first_row + lane
            find_sums(exchange, here, held, units, own, row, rows, found)
            cuda.syncthreads()
            if owns and row < rows:
                k, length = row * units + unit, length_of(lengths, row, steps)
                v = rnn_advance(sums, summed(found, own, 0), relu, length, step, k, size, states)
                exchange[there + unit * rows + row] = seen(v, mask, k)
            cuda.syncthreads()
        grid.sync()


@device_function
def set_product(exchange, here, held, units, own, rows, found, unit, owns, product):
    """The block's units of product (rows, units): what all gradients told give back through the weights held."""
    for first_row in range(0, rows, LANES):
        row = first_row + cuda.threadIdx.x % LANES
        find_gradient(exchange, here, held, units, own, row, rows, found)
        cuda.syncthreads()
        if owns and row < rows:
            product[row * units + unit] = summed(found, own, 0)
        cuda.syncthreads()


@walk()
def rnn_backward(
    dy: Floats,
    states: Floats,
    weight: Floats,
    relu: Int,
    mask: Floats,
    dlast: Floats,
    lengths: Ints,
    product: Floats,
    dsums: Floats,
    units: Int,
    own: Int,
    exchange: Floats,
):
    """dsums of all steps; product (n, h) ends as the gradient to the first states."""
    held, found = cuda.shared.array(HELD, dy.dtype), cuda.shared.array(FOUND, dy.dtype)
    grid, warp, lane = cuda.cg.this_grid(), cuda.threadIdx.x // LANES, cuda.threadIdx.x % LANES
    unit, half, size, zero = cuda.blockIdx.x * own + warp, exchange.size // 2, product.size, dy.dtype.type(0)
    rows, steps, owns = size // units, dy.size // size, warp < own and unit < units
    hold(weight, units, own, 1, True, held)
    for step in range(steps - 1, -1, -1):
        here = (step & 1) * half
        for first_row in range(0, rows, LANES):
            row = first_row + lane
            if owns and row < rows:
                k, length = row * units + unit, length_of(lengths, row, steps)
                d = rnn_retreat(dy, states, relu, mask, product, dlast, length, step, k, size, dsums)
                tell(exchange, here, unit, row, rows, d, zero, zero, zero)
            cuda.syncwarp()
        grid.sync()
        set_product(exchange, here, held, units, own, rows, found, unit, owns, product)


@walk()
def lstm_forward(
    gates: Floats,
    weight: Floats,
    peephole: Floats,
    coupled: Int,
    mask: Floats,
    lengths: Ints,
    c: Floats,
    states: Floats,
    units: Int,
    own: Int,
    exchange: Floats,
):
    """Gates, cells and states of all steps."""
    held, found = cuda.shared.array(HELD, c.dtype), cuda.shared.array(FOUND, c.dtype)
    grid, warp, lane = cuda.cg.this_grid(), cuda.threadIdx.x // LANES, cuda.threadIdx.x % LANES
    unit, half = cuda.blockIdx.x * own + warp, exchange.size // 2
    rows, owns = half // units, warp < own and unit < units
    steps = states.size // (rows * units) - 1
    hold(weight, units, own, 4 - coupled, False, held)
    for row in range(lane, rows if owns else 0, LANES):
        start_exchange(states, mask, unit, row, rows, units, exchange)
    grid.sync()
    for step in range(steps):
        here, there = (step & 1) * half, (1 - (step & 1)) * half
        for first_row in range(0, rows, LANES):
            row = first_row + lane
            find_sums(exchange, here, held, units, own, row, rows, found)
            cuda.syncthreads()
            if owns and row < rows:
                p_i, p_f = summed(found, own, 0), summed(found, own, 1 - coupled)
                p_g, p_o = summed(found, own, 2 - coupled), summed(found, own, 3 - coupled)
                known = peephole, 1, coupled, length_of(lengths, row, steps), step, row, unit, rows, units
                v = lstm_advance(gates, p_i, p_f, p_g, p_o, *known, c, states)
                exchange[there + unit * rows + row] = seen(v, mask, row * units + unit)
            cuda.syncthreads()
        grid.sync()


@walk()
def lstm_backward(
    dy: Floats,
    gates: Floats,
    c: Floats,
    weight: Floats,
    peephole: Floats,
    coupled: Int,
    mask: Floats,
    dlast: Floats,
    lengths: Ints,
    product: Floats,
    dc: Floats,
    dgates: Floats,
    units: Int,
    own: Int,
    exchange: Floats,
):
    """dgates of all steps; product and dc (n, h) end as the gradients to the first states and cells."""
    held, found = cuda.shared.array(HELD, c.dtype), cuda.shared.array(FOUND, c.dtype)
    grid, warp, lane = cuda.cg.this_grid(), cuda.threadIdx.x // LANES, cuda.threadIdx.x % LANES
    unit, half = cuda.blockIdx.x * own + warp, exchange.size // 2
    rows, owns = dc.size // units, warp < own and unit < units
    steps, zero = dy.size // dc.size, dy.dtype.type(0)
    hold(weight, units, own, 4 - coupled, True, held)
    for step in range(steps - 1, -1, -1):
        here = (step & 1) * half
        for first_row in range(0, rows, LANES):
            row = first_row + lane
            if owns and row < rows:
                known = mask, product, dlast, length_of(lengths, row, steps), step, row, unit, rows, units
                di, df, dg, do = lstm_retreat(dy, gates, c, peephole, 1, coupled, *known, dc, dgates)
                if coupled != 0:
                    di, df, dg, do = df, dg, do, zero
                tell(exchange, here, unit, row, rows, di, df, dg, do)
            cuda.syncwarp()
        grid.sync()
        set_product(exchange, here, held, units, own, rows, found, unit, owns, product)


@walk()
def gru_forward(
    gates: Floats,
    weight: Floats,
    inside: Floats,
    mask: Floats,
    lengths: Ints,
    inner: Floats,
    states: Floats,
    units: Int,
    own: Int,
    exchange: Floats,
):
    """Gates, inner products and states of all steps, where the reset comes after the product."""
    held, found = cuda.shared.array(HELD, inner.dtype), cuda.shared.array(FOUND, inner.dtype)
    grid, warp, lane = cuda.cg.this_grid(), cuda.threadIdx.x // LANES, cuda.threadIdx.x % LANES
    unit, half = cuda.blockIdx.x * own + warp, exchange.size // 2
    rows, owns = half // units, warp < own and unit < units
    steps = states.size // (rows * units) - 1
    hold(weight, units, own, 3, False, held)
    for row in range(lane, rows if owns else 0, LANES):
        start_exchange(states, mask, unit, row, rows, units, exchange)
    grid.sync()
    for step in range(steps):
        here, there = (step & 1) * half, (1 - (step & 1)) * half
        for first_row in range(0, rows, LANES):
            row = first_row + lane
            find_sums(exchange, here, held, units, own, row, rows, found)
            cuda.syncthreads()
            if owns and row < rows:
                p_r, p_z, p_n = summed(found, own, 0), summed(found, own, 1), inside[unit] + summed(found, own, 2)
                known = 1, length_of(lengths, row, steps), step, row, unit, rows, units
                v = gru_advance(gates, p_r, p_z, p_n, *known, inner, states)
                exchange[there + unit * rows + row] = seen(v, mask, row * units + unit)
            cuda.syncthreads()
        grid.sync()
