"""Depthwise convolution, and grouped convolution with as few channels out of each group as into it.

    out[n, q, j] = start[j] + sum over taps t and c < width of source[n, step q + displacement[t], i + c] w[t, c, j]

with i = j - j % width, the first channel of j's group, on the grids of conv.py: forward, gradient to data, any stride,
dilation and padding are the same walk through tables of addresses, here with the lanewise tile, whose lanes the
channels of neighbouring groups fill.

Shapes: source (n, d, h, w, c), out (n, D, H, W, c), weight and partial[s] (panels, taps, width, full) with `full` the
width of a tile and zeros past the last channel, start (panels * full,). `group` is a tuple of `width` integers,
`window` one as long as a row of the window where the tile may take its taps together.
"""

import numpy as np

from neurojit.core.jit import kernel, parallel_kernel, prange
from neurojit.core.lanewise import (
    multiply_lanes,
    multiply_lanes_along,
    multiply_lanes_narrow,
    sum_lanes,
    sum_lanes_along,
    sum_lanes_narrow,
)
from neurojit.core.simd import ROWS, address, keep, lane_count
from neurojit.kernels.cpu.addresses import tabulate_along_rows, tap_distances
from neurojit.kernels.cpu.chunks import CHUNK, ceil_divide, chunk_count

_BLOCKS = 32  # tiles of positions in one task: what they read and their tables stay in the second-level cache
_WIDE = 8  # channels in a group from which the full tile has too few registers for their weights


@kernel
def _multiply_blocks(blocks, source, group, window, table, steps, moves, places, counts, weight, start, outs):
    """All channels of `blocks` tiles of positions."""
    panels, taps, width, full = weight.shape
    lanes, size, columns = lane_count(source), source.itemsize, source.shape[4]
    pixel, rows = columns * size, taps // len(window)
    wide = len(group) >= _WIDE
    for b in range(blocks):
        at, step, count = b * taps * ROWS, steps[b], counts[b]
        runs, into = address(table, at), address(outs, b * ROWS)
        by, place = address(moves, b * taps), address(places, b * taps)
        # Whether the positions are neighbours whose windows lie within the source.
        along = (step == 0) & (table[at + ROWS - 1] - table[at] == (ROWS - 1) * pixel)
        for panel in range(panels):
            offset, rest = panel * full * size, columns - panel * full
            w, first = address(weight, panel * taps * width * full), address(start, panel * full)
            if rest < full or wide:
                for j in range(0, min(rest, full), lanes):
                    here, left = j * size, rest - j
                    at_j = offset + here
                    multiply_lanes_narrow(
                        source, group, runs, step, by, count, at_j, w + here, place, into, left, first + here
                    )
            elif along:
                multiply_lanes_along(source, group, window, table[at], pixel, by, rows, offset, w, place, into, first)
            else:
                multiply_lanes(source, group, runs, step, by, count, offset, w, place, into, full, first)


@kernel
def _depthwise_task(
    first, blocks, source, group, window, weight, start, out, grid, step, displacement, origin, spacing
):
    """All channels of `blocks` tiles of positions from the `first` on."""
    taps = displacement.shape[0]
    zeros, scratch = np.zeros(source.shape[4], source.dtype), np.empty(out.shape[4], source.dtype)
    table, outs = np.empty(blocks * ROWS * taps, np.int64), np.empty(blocks * ROWS, np.int64)
    moves, places = np.empty(blocks * taps, np.int64), np.empty(blocks * taps, np.int64)
    steps, counts = np.empty(blocks, np.int64), np.empty(blocks, np.int64)
    tabulate_along_rows(
        first,
        blocks,
        source,
        address(zeros, 0),
        out,
        address(scratch, 0),
        grid,
        step,
        displacement,
        tap_distances(source, displacement),
        weight.shape[2] * weight.shape[3] * source.itemsize,
        origin,
        spacing,
        table,
        steps,
        moves,
        places,
        counts,
        outs,
    )
    _multiply_blocks(blocks, source, group, window, table, steps, moves, places, counts, weight, start, outs)
    keep(zeros)
    keep(scratch)


@parallel_kernel
def depthwise(source, group, window, weight, start, out, grid, step, displacement, origin, spacing):
    """out = start + sum over taps of each group's channels times its weights, on the grid given."""
    blocks = ceil_divide(out.shape[0] * grid[0] * grid[1] * grid[2], ROWS)
    for task in prange(ceil_divide(blocks, _BLOCKS)):
        first = np.int64(task) * _BLOCKS
        count = min(_BLOCKS, blocks - first)
        _depthwise_task(
            first, count, source, group, window, weight, start, out, grid, step, displacement, origin, spacing
        )


@kernel
def _sum_blocks(blocks, source, group, window, table, steps, moves, places, counts, dweight, douts):
    """Add to all of dweight what `blocks` tiles of positions give."""
    panels, taps, width, full = dweight.shape
    lanes, size, columns = lane_count(source), source.itemsize, source.shape[4]
    pixel, rows = columns * size, taps // len(window)
    wide = len(group) >= _WIDE
    for b in range(blocks):
        at, step, count = b * taps * ROWS, steps[b], counts[b]
        runs, dy = address(table, at), address(douts, b * ROWS)
        by, place = address(moves, b * taps), address(places, b * taps)
        # Whether the positions are neighbours whose windows lie within the source.
        along = (step == 0) & (table[at + ROWS - 1] - table[at] == (ROWS - 1) * pixel)
        for panel in range(panels):
            offset, rest = panel * full * size, columns - panel * full
            dw = address(dweight, panel * taps * width * full)
            if rest < full or wide:
                for j in range(0, min(rest, full), lanes):
                    here, left = j * size, rest - j
                    at_j = offset + here
                    sum_lanes_narrow(source, group, runs, step, by, count, at_j, dy, dw + here, place, left)
            elif along:
                sum_lanes_along(source, group, window, table[at], pixel, by, rows, offset, dy, dw, place)
            else:
                sum_lanes(source, group, runs, step, by, count, offset, dy, dw, place, full)


@kernel
def _weight_gradient_task(first, blocks, source, group, window, dout, dweight, grid, step, displacement):
    """Add to dweight the products at `blocks` tiles of positions from the `first` on."""
    taps = displacement.shape[0]
    zeros = np.zeros(source.shape[4], source.dtype)  # what lies past the border, and dy past the last position
    table, douts = np.empty(blocks * ROWS * taps, np.int64), np.empty(blocks * ROWS, np.int64)
    moves, places = np.empty(blocks * taps, np.int64), np.empty(blocks * taps, np.int64)
    steps, counts = np.empty(blocks, np.int64), np.empty(blocks, np.int64)
    tabulate_along_rows(
        first,
        blocks,
        source,
        address(zeros, 0),
        dout,
        address(zeros, 0),
        grid,
        step,
        displacement,
        tap_distances(source, displacement),
        dweight.shape[2] * dweight.shape[3] * source.itemsize,
        (0, 0, 0),
        (1, 1, 1),
        table,
        steps,
        moves,
        places,
        counts,
        douts,
    )
    _sum_blocks(blocks, source, group, window, table, steps, moves, places, counts, dweight, douts)
    keep(zeros)


@parallel_kernel
def depthwise_weight_gradient(source, group, window, dout, partial, grid, step, displacement):
    """partial[s] = the sum over part s of the positions of source times dout, tap by tap and lane by lane."""
    splits = partial.shape[0]
    blocks = ceil_divide(dout.shape[0] * grid[0] * grid[1] * grid[2], ROWS)
    share = ceil_divide(blocks, splits)
    for task in prange(splits):
        split = np.int64(task)
        partial[split] = 0
        for first in range(split * share, min((split + 1) * share, blocks), _BLOCKS):
            count = min(_BLOCKS, min((split + 1) * share, blocks) - first)
            _weight_gradient_task(first, count, source, group, window, dout, partial[split], grid, step, displacement)


@kernel
def _repeat_slice(x, first, last, out):
    times = out.size // x.size
    for i in range(first, last):
        for r in range(times):
            out[i * times + r] = x[i]


@parallel_kernel
def repeat_channels(x, out):
    """out[i * times + r] = x[i]: every channel as often as it has filters."""
    for task in prange(chunk_count(x.size)):
        first = np.int64(task) * CHUNK
        _repeat_slice(x, first, min(first + CHUNK, x.size), out)


@kernel
def _sum_slice(dout, first, last, dx):
    times = dout.size // dx.size
    for i in range(first, last):
        total = dout[i * times]
        for r in range(1, times):
            total += dout[i * times + r]
        dx[i] = total


@parallel_kernel
def repeat_channels_backward(dout, dx):
    """dx[i] = the sum over r of dout[i * times + r]."""
    for task in prange(chunk_count(dx.size)):
        first = np.int64(task) * CHUNK
        _sum_slice(dout, first, min(first + CHUNK, dx.size), dx)
