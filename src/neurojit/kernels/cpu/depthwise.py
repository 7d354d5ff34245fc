"""Depthwise convolution, and grouped convolution with as few channels out of each group as into it.

    out[n, origin + spacing q, j] = start[j] + sum over taps t and c < width of seen[n, q, t, i + c] w[t, c, j]

with seen[n, q, t] = source[n, step q + displacement[t]] and i = j - j % width, the first channel of j's group, on the
grids of conv.py: forward and gradient to data with any stride, dilation and padding are the same walk, here with the
lanewise tile, whose lanes the channels of neighbouring groups fill.

A task goes down some rows of the grid, tile by tile. Where the windows of a tile lie within the rows of the source, the
tile reads them as they are; at the border a table says for every tap and position what is seen, zeros past the border.
Taps that look past the border above or below are left out.

Shapes: source (n, d, h, w, c), out (n, D, H, W, c), weight and partial[s] (panels, taps, width, full) with `full` the
width of a tile and zeros past the last channel, start (panels * full,). `group` is a tuple of `width` integers,
`window` one as long as a row of the window where the tile may take its taps together. For the taps that see something
from a row of the grid, moves holds the address of what each sees from the row's first position, across how far to the
right of that position it looks, places how many bytes into the weights those of the tap lie.
"""

import numpy as np

from neurojit.core.jit import inner_kernel, kernel, parallel_kernel, prange
from neurojit.core.lanewise import (
    multiply_lanes,
    multiply_lanes_along,
    multiply_lanes_narrow,
    sum_lanes,
    sum_lanes_along,
    sum_lanes_narrow,
)
from neurojit.core.simd import ROWS, address, keep, lane_count
from neurojit.kernels.cpu.chunks import CHUNK, ceil_divide, chunk_count

# What the rows of one task may weigh: those above and below that it reads as well then weigh little.
_TASK_BYTES = 1 << 19
_LEAST_TASKS = 8  # so that up to eight threads share the work evenly
_WIDE = 8  # channels in a group from which the full tile has too few registers for their weights


@inner_kernel
def _rows_of_task(rows, source):
    """How many of the grid's rows make up one task."""
    row_bytes = source.shape[3] * source.shape[4] * source.itemsize
    return max(1, min(_TASK_BYTES // max(1, row_bytes), ceil_divide(rows, _LEAST_TASKS)))


@inner_kernel
def _look(source, row, grid, step, displacement, tap_bytes, moves, across, places):
    """moves, across and places of the taps that see something from a row of the grid; returns their number."""
    _, d, h, w, c = source.shape
    n, z, y = row // grid[1] // grid[0], row // grid[1] % grid[0], row % grid[1]
    count = 0
    for t in range(displacement.shape[0]):
        tz, ty, tx = step[0] * z + displacement[t, 0], step[1] * y + displacement[t, 1], displacement[t, 2]
        if 0 <= tz < d and 0 <= ty < h:
            moves[count] = address(source, (((n * d + tz) * h + ty) * w + tx) * c)
            across[count], places[count] = tx, t * tap_bytes
            count += 1
    return count


@inner_kernel
def _clear_columns(source, step, displacement):
    """The positions first <= x < last of a row from which no tap looks past the border on the left or right."""
    low, high = displacement[0, 2], displacement[0, 2]
    for t in range(1, displacement.shape[0]):
        low, high = min(low, displacement[t, 2]), max(high, displacement[t, 2])
    return max(-(low // step[2]), 0), (source.shape[3] - 1 - high) // step[2] + 1


@inner_kernel
def _tabulate(source, x, is_clear, positions, step, moves, across, count, nothing, table):
    """What ROWS positions from x on see, of `positions` in the row: their distances from the first where `is_clear`.

    Else addresses table[t * ROWS + i] of what each tap sees from each position; that of `nothing` past the border.
    """
    w, pixel = source.shape[3], source.shape[4] * source.itemsize
    if is_clear:
        for i in range(ROWS):
            table[i] = step[2] * (x + i) * pixel
        return
    for t in range(count):
        for i in range(ROWS):
            sees = x + i < positions and 0 <= step[2] * (x + i) + across[t] < w
            table[t * ROWS + i] = moves[t] + step[2] * (x + i) * pixel if sees else nothing


# -- forward and gradient to data -----------------------------------------------------------------------------------


@inner_kernel
def _multiply_tile(source, group, window, table, step, along, moves, places, count, weight, start, outs):
    """All channels of one tile of positions; `along`: they are neighbours, and so are the taps of a row."""
    panels, taps, width, full = weight.shape
    lanes, size, columns = lane_count(source), source.itemsize, source.shape[4]
    runs, by, place, into = address(table, 0), address(moves, 0), address(places, 0), address(outs, 0)
    for panel in range(panels):
        offset, rest = panel * full * size, columns - panel * full
        w, first = address(weight, panel * taps * width * full), address(start, panel * full)
        if rest < full or len(group) >= _WIDE:
            for j in range(0, min(rest, full), lanes):
                here, left = j * size, rest - j
                at_j = offset + here
                multiply_lanes_narrow(
                    source, group, runs, step, by, count, at_j, w + here, place, into, left, first + here
                )
        elif along:
            rows, pixel = count // len(window), columns * size
            multiply_lanes_along(source, group, window, table[0], pixel, by, rows, offset, w, place, into, first)
        else:
            multiply_lanes(source, group, runs, step, by, count, offset, w, place, into, full, first)


@kernel
def _depthwise_rows(first, last, source, group, window, weight, start, out, grid, step, displacement, origin, spacing):
    """Rows first .. last of the grid."""
    taps, c = displacement.shape[0], source.shape[4]
    tap_bytes, out_pixel = weight.shape[2] * weight.shape[3] * source.itemsize, spacing[2] * c * source.itemsize
    _, depth, height, out_width, _ = out.shape
    zeros, scratch = np.zeros(c, source.dtype), np.empty(c, source.dtype)
    moves, across, places = np.empty(taps, np.int64), np.empty(taps, np.int64), np.empty(taps, np.int64)
    table, outs, still = np.empty(taps * ROWS, np.int64), np.empty(ROWS, np.int64), np.zeros(taps, np.int64)
    x_first, x_last = _clear_columns(source, step, displacement)
    together = step[2] == 1 and len(window) > 1
    for row in range(first, last):
        count = _look(source, row, grid, step, displacement, tap_bytes, moves, across, places)
        n, z, y = row // grid[1] // grid[0], row // grid[1] % grid[0], row % grid[1]
        out_row = (n * depth + origin[0] + spacing[0] * z) * height + origin[1] + spacing[1] * y
        out_start = address(out, (out_row * out_width + origin[2]) * c)
        for x in range(0, grid[2], ROWS):
            is_clear = x_first <= x and x + ROWS <= min(x_last, grid[2])
            _tabulate(source, x, is_clear, grid[2], step, moves, across, count, address(zeros, 0), table)
            for i in range(ROWS):
                outs[i] = out_start + (x + i) * out_pixel if x + i < grid[2] else address(scratch, 0)
            by, by_tap = (moves, 0) if is_clear else (still, ROWS)
            along = is_clear and together
            _multiply_tile(source, group, window, table, by_tap, along, by, places, count, weight, start, outs)
    keep(zeros)
    keep(scratch)
    keep(moves)
    keep(places)
    keep(table)
    keep(outs)
    keep(still)


@parallel_kernel
def depthwise(source, group, window, weight, start, out, grid, step, displacement, origin, spacing):
    """out = start + sum over taps of each group's channels times its weights, on the grid given."""
    rows = out.shape[0] * grid[0] * grid[1]
    share = _rows_of_task(rows, source)
    for task in prange(ceil_divide(rows, share)):
        first = np.int64(task) * share
        last = min(rows, first + share)
        _depthwise_rows(
            first, last, source, group, window, weight, start, out, grid, step, displacement, origin, spacing
        )


# -- gradient to weights --------------------------------------------------------------------------------------------


@inner_kernel
def _sum_tile(source, group, window, table, step, along, moves, places, count, dweight, douts):
    """Add to all of dweight what one tile of positions gives."""
    panels, taps, width, full = dweight.shape
    lanes, size, columns = lane_count(source), source.itemsize, source.shape[4]
    runs, by, place, dy = address(table, 0), address(moves, 0), address(places, 0), address(douts, 0)
    for panel in range(panels):
        offset, rest = panel * full * size, columns - panel * full
        dw = address(dweight, panel * taps * width * full)
        if rest < full or len(group) >= _WIDE:
            for j in range(0, min(rest, full), lanes):
                here, left = j * size, rest - j
                at_j = offset + here
                sum_lanes_narrow(source, group, runs, step, by, count, at_j, dy, dw + here, place, left)
        elif along:
            rows, pixel = count // len(window), columns * size
            sum_lanes_along(source, group, window, table[0], pixel, by, rows, offset, dy, dw, place)
        else:
            sum_lanes(source, group, runs, step, by, count, offset, dy, dw, place, full)


@kernel
def _sum_rows(first, last, source, group, window, dout, dweight, grid, step, displacement):
    """Set dweight to what rows first .. last of the grid give."""
    taps, c = displacement.shape[0], source.shape[4]
    tap_bytes, pixel = dweight.shape[2] * dweight.shape[3] * source.itemsize, c * source.itemsize
    zeros = np.zeros(c, source.dtype)  # what lies past the border, and dy past the last position of a row
    moves, across, places = np.empty(taps, np.int64), np.empty(taps, np.int64), np.empty(taps, np.int64)
    table, douts, still = np.empty(taps * ROWS, np.int64), np.empty(ROWS, np.int64), np.zeros(taps, np.int64)
    x_first, x_last = _clear_columns(source, step, displacement)
    together = step[2] == 1 and len(window) > 1
    dweight[:] = 0
    for row in range(first, last):
        count = _look(source, row, grid, step, displacement, tap_bytes, moves, across, places)
        dy_start = address(dout, row * grid[2] * c)
        for x in range(0, grid[2], ROWS):
            is_clear = x_first <= x and x + ROWS <= min(x_last, grid[2])
            _tabulate(source, x, is_clear, grid[2], step, moves, across, count, address(zeros, 0), table)
            for i in range(ROWS):
                douts[i] = dy_start + (x + i) * pixel if x + i < grid[2] else address(zeros, 0)
            by, by_tap = (moves, 0) if is_clear else (still, ROWS)
            along = is_clear and together
            _sum_tile(source, group, window, table, by_tap, along, by, places, count, dweight, douts)
    keep(zeros)
    keep(moves)
    keep(places)
    keep(table)
    keep(douts)
    keep(still)


@parallel_kernel
def depthwise_weight_gradient(source, group, window, dout, partial, grid, step, displacement):
    """partial[s] = the sum over part s of the grid's rows of source times dout, tap by tap and lane by lane."""
    splits, rows = partial.shape[0], dout.shape[0] * grid[0] * grid[1]
    share = ceil_divide(rows, splits)
    for task in prange(splits):
        first = min(rows, np.int64(task) * share)
        last = min(rows, first + share)
        _sum_rows(first, last, source, group, window, dout, partial[task], grid, step, displacement)


# -- channels with several filters ----------------------------------------------------------------------------------


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
