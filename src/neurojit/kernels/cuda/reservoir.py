"""The leaky update of a reservoir, over time: all steps of several series in one launch.

    x_l(n) = (1 - a) x_l(n-1) + a f(bias_l + W_in v_l(n) + W_l x_l(n-1) + noise)

with v_1(n) the input and v_l(n) = x_{l-1}(n) for the deeper layers, N units in each of L layers. All arrays are flat:

    u (T, S, F)    start (S, L * N)    w_in (F, N)    bias (L, N)    states (T + 1, S, L * N), the first being `start`
    weight (2L - 1, N, K): the W of each layer, then the links from each layer to the next; row i has K numbers
    index  (2L - 1, N, K): the units that they multiply; or (2L - 1, K) where matrices are sums of shifts, and number k
           of row i multiplies unit (i + index[k]) mod N

Eight threads share a row. A barrier for the whole grid stands after each layer of each step.
"""

import numpy as np

from neurojit.core.cuda import (
    Float,
    Floats,
    Int,
    Ints,
    Launch,
    Long,
    Seeds,
    Share,
    Triple,
    cuda,
    cuda_kernel,
    device_function,
    quotient,
)
from neurojit.kernels.cuda.elementary import ZERO, sigmoid, tanh
from neurojit.kernels.cuda.random_words import four_words
from neurojit.kernels.cuda.warps import ALL

THREADS = 384
WARPS = THREADS // 32
LANES, ROWS = 8, 4  # threads of a row, rows of a warp
RESIDENT = 1  # block of a processor: all have to be there at the same time, and threads hold many registers
TANH, SIGMOID, RELU = range(1, 4)
_WORD = np.float32(2.0**-31)  # of a random word: from 0 to 2


@device_function
def _product(weight, index, matrix, row, lane, numbers, x, at):
    """The share of one of eight threads in row `row` of a matrix times the units x[at:]."""
    units, slots = numbers[0], numbers[1]
    first = (matrix * units + row) * slots
    names, shift = (matrix * slots, row) if numbers[2] != 0 else (first, 0)
    s = x.dtype.type(0)
    for k in range(lane, slots, LANES):
        unit = shift + index[names + k]
        s += weight[first + k] * x[at + (unit - units if unit >= units else unit)]
    return s


@device_function
def _activated(v, activation):
    if activation == TANH:
        return tanh(v)
    if activation == SIGMOID:
        return sigmoid(v)
    return ZERO if activation == RELU and v < ZERO else v


@device_function
def _noise(level, seed, first, i, like):
    """A uniform draw between -level and level, of the type of an array; unit 0 takes draw `first` of the stream."""
    words = four_words((first + i) >> 2, seed)
    k = i & 3
    word = words[0] if k == 0 else (words[1] if k == 1 else (words[2] if k == 2 else words[3]))
    return level * (like.dtype.type(word) * _WORD - like.dtype.type(1))


def most_blocks(series, units):
    """Blocks that there are rows for."""
    return -(-series * units // (ROWS * WARPS))


@cuda_kernel(lambda blocks, *others: Launch(blocks, THREADS), registers=168, threads=THREADS, resident=RESIDENT)
def harvest_series(
    blocks: Int,
    u: Floats,
    start: Floats,
    w_in: Floats,
    bias: Floats,
    weight: Floats,
    index: Ints,
    series: Int,
    steps: Int,
    numbers: Triple,
    layers: Int,
    leak: Share,
    activation: Int,
    noise: Float,
    seeds: Seeds,
    first: Long,
    states: Floats,
):
    """states[t + 1, s] from start[s] and u[: t + 1, s]; `first` is the number of step 0, for the noise.

    numbers : units of a layer, numbers of a row, and whether the matrices are sums of shifts.
    """
    grid, lane, zero = cuda.cg.this_grid(), cuda.threadIdx.x & 7, u.dtype.type(0)
    units, size = numbers[0], layers * numbers[0]
    inputs = quotient(w_in.size, units)
    own, warps = cuda.blockIdx.x * WARPS + cuda.threadIdx.x // 32, cuda.gridDim.x * WARPS
    draws = (units + 3) // 4 * 4
    for k in range(cuda.grid(1), start.size, cuda.gridsize(1)):
        states[k] = start[k]
    grid.sync()
    for t in range(steps):
        for layer in range(layers):
            for base in range(ROWS * own, series * units, ROWS * warps):
                e = base + (cuda.laneid >> 3)
                s = quotient(e, units)
                i, before = e - s * units, (t * series + s) * size + layer * units
                now, pre = before + series * size, zero
                if s < series:
                    for part in range(2 if layer > 0 else 1):
                        matrix, at = (layer, before) if part == 0 else (layers + layer - 1, now - units)
                        pre += _product(weight, index, matrix, i, lane, numbers, states, at)
                    for f in range(lane, inputs if layer == 0 else 0, LANES):
                        pre += w_in[f * units + i] * u[(t * series + s) * inputs + f]
                pre += cuda.shfl_xor_sync(ALL, pre, 4)
                pre += cuda.shfl_xor_sync(ALL, pre, 2)
                pre += cuda.shfl_xor_sync(ALL, pre, 1)
                if s < series and lane == 0:
                    pre += bias[layer * units + i]
                    if noise > zero:
                        pre += _noise(noise, seeds[s], ((first + t) * layers + layer) * draws, i, states)
                    states[now + i] = leak[1] * states[before + i] + leak[0] * _activated(pre, activation)
            grid.sync()
