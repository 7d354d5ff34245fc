"""Convolution of signs: +1 or -1 packed 64 to a word, multiplied by exclusive or and counted.

    y[p, o] = bias[o] + scale[p] alpha[o] (sum over taps t of sign(x[p, t]) . sign(w[t, :, o]))

Shapes: x (positions, channels), words (n, 1, h, w, words) with words = ceil(channels / 64) and spare bits 0, weight
(panels, taps * words, columns) with `columns` the width of the binary tile, plain (taps, panels * columns) the sums
each tap gives where it sees only zero bits, y (n, 1, oh, ow, c_out), scale (n * oh * ow,).
"""

import numpy as np

from neurojit.core.jit import kernel, parallel_kernel, prange
from neurojit.core.popcount import BINARY_COLUMNS, count_differences, sign_word
from neurojit.core.simd import ROWS, address, keep
from neurojit.kernels.cpu.addresses import tabulate_along_rows, tap_distances
from neurojit.kernels.cpu.chunks import ceil_divide, chunk_rows

_BLOCKS = 16  # tiles of positions in one task

# Unsigned offsets: numba compiles no test for negative indices, and LLVM can vectorise.
_at = np.uint64


@kernel
def _pack_rows(x, first, last, words, magnitude):
    channels = x.shape[1]
    whole = channels // 64
    for row in range(first, last):
        for k in range(whole):
            words[row, k] = sign_word(x, row * channels + 64 * k)
        word = np.uint64(0)
        for bit in range(channels - 64 * whole):
            word |= np.uint64(x[row, 64 * whole + bit] < 0) << np.uint64(bit)
        if whole < words.shape[1]:
            words[row, whole] = word
        total = x.dtype.type(0)
        for c in range(channels):
            total += abs(x[row, c])
        magnitude[row] = total / channels


@parallel_kernel
def pack_inputs(x, words, magnitude):
    """words[row, k] = signs of 64 numbers of x[row], a bit each, 1 where negative; magnitude[row] = mean |x[row]|."""
    step = chunk_rows(x.shape[1])
    for task in prange(ceil_divide(x.shape[0], step)):
        first = np.int64(task) * step
        _pack_rows(x, first, min(first + step, x.shape[0]), words, magnitude)


@kernel
def _pack_filters_word(weight, k, words, magnitude):
    """Word k of every filter for one tap, weight (channels, c_out)."""
    words[:] = 0
    magnitude[:] = 0
    for c in range(64 * k, min(64 * (k + 1), weight.shape[0])):
        bit = np.uint64(1) << np.uint64(c - 64 * k)
        for o in range(weight.shape[1]):
            words[o] |= bit if weight[c, o] < 0 else np.uint64(0)
            magnitude[o] += abs(weight[c, o])


@parallel_kernel
def pack_filters(weight, words, magnitude):
    """words[tap, k, o] = the signs of 64 channels of a filter; magnitude[tap, k, o] = the sum of their magnitudes."""
    taps, per_tap, _ = magnitude.shape
    for task in prange(taps * per_tap):
        tap, k = divmod(np.int64(task), per_tap)
        _pack_filters_word(weight[tap], k, words[tap, k, : weight.shape[2]], magnitude[tap, k])


@kernel
def _finish(first, count, counts, channels, plain, alpha, scale, bias, grid, step, displacement, size, y):
    """Results at `count` positions from counts (tiles, panels, ROWS, columns): the taps past the border go out."""
    c_out, taps, panels = alpha.size, displacement.shape[0], counts.shape[1]
    most = y.dtype.type(taps * channels)
    for i in range(count):
        block, r = divmod(i, ROWS)
        p = first + i
        by = scale[p]
        for panel in range(panels):
            column = panel * BINARY_COLUMNS
            for j in range(min(BINARY_COLUMNS, c_out - column)):
                signs = most - 2 * counts[block, panel, r, j]
                y[_at(p * c_out + column + j)] = bias[_at(column + j)] + by * alpha[_at(column + j)] * signs
        rest, x = divmod(p, grid[2])
        for t in range(taps):
            row = step[1] * (rest % grid[1]) + displacement[t, 1]
            column = step[2] * x + displacement[t, 2]
            if not (0 <= row < size[0] and 0 <= column < size[1]):
                for o in range(c_out):
                    y[_at(p * c_out + o)] -= by * alpha[o] * plain[t, o]


@kernel
def _binary_task(first, blocks, words, weight, channels, plain, alpha, scale, bias, y, grid, step, displacement):
    """All filters at `blocks` tiles of positions from the `first` on."""
    taps, panels = displacement.shape[0], weight.shape[0]
    zeros = np.zeros(words.shape[4], words.dtype)
    table, outs = np.empty(blocks * ROWS * taps, np.int64), np.empty(blocks * ROWS, np.int64)
    moves, places = np.empty(blocks * taps, np.int64), np.empty(blocks * taps, np.int64)
    steps, tap_counts = np.empty(blocks, np.int64), np.empty(blocks, np.int64)
    counts = np.empty((blocks, panels, ROWS, BINARY_COLUMNS), y.dtype)
    tabulate_along_rows(
        first,
        blocks,
        words,
        address(zeros, 0),
        y,
        0,
        grid,
        step,
        displacement,
        tap_distances(words, displacement),
        words.shape[4] * BINARY_COLUMNS * 8,
        (0, 0, 0),
        (1, 1, 1),
        table,
        steps,
        moves,
        places,
        tap_counts,
        outs,
    )
    for b in range(blocks):
        rows, by, place = address(table, b * taps * ROWS), address(moves, b * taps), address(places, b * taps)
        for panel in range(panels):
            w = address(weight, panel * weight.shape[1] * BINARY_COLUMNS)
            into = address(counts, (b * panels + panel) * ROWS * BINARY_COLUMNS)
            count_differences(y, rows, steps[b], by, tap_counts[b], words.shape[4], w, place, into)
    keep(zeros)
    p, size = first * ROWS, (words.shape[2], words.shape[3])
    count = min(blocks * ROWS, y.shape[0] * grid[1] * grid[2] - p)
    flat = y.reshape(-1)
    _finish(p, count, counts, channels, plain, alpha, scale, bias, grid, step, displacement, size, flat)


@parallel_kernel
def binary_conv(words, weight, channels, plain, alpha, scale, bias, y, grid, step, displacement):
    """y as in the module's header."""
    blocks = ceil_divide(y.shape[0] * grid[1] * grid[2], ROWS)
    for task in prange(ceil_divide(blocks, _BLOCKS)):
        first = np.int64(task) * _BLOCKS
        count = min(_BLOCKS, blocks - first)
        _binary_task(first, count, words, weight, channels, plain, alpha, scale, bias, y, grid, step, displacement)
