"""Pooling over windows: maxima with switches, and weighted sums; forward and backward.

Signals, images and volumes are all (n, depth, height, width, channels), flat, the axes they lack being 1. Pixels of the
result are worked out one after another, each from a box of pixels of the source: on the way forward the pixels of x
under a window, on the way back the windows of dy that saw a pixel. `size` = (depth, height, width) of the source,
`grid` = those of the result. Along each axis a box is an arithmetic progression of `step`; boxes
(sum(grid), 2) int64 holds the first index and their number, for all depths, then heights, then widths of the result.
Borders, strides, dilation and windows that adapt to the input are all in that table.

Switches are (n, *grid, channels) int32: the place in the flattened (depth, height, width) of x of each maximum, -1
where a window holds no input. A task owns rows of its result, so no two threads meet.
"""

import numpy as np

from neurojit.core.jit import exact_kernel, kernel, parallel_kernel, prange
from neurojit.core.vector import lanes, larger, load, narrow, positions, rolled, splat, store, where_equal, wide
from neurojit.kernels.cpu.chunks import chunk_rows


@kernel
def _place_of(row, grid):
    """The depth and height of a row of the result: divisions to be made once a row, not once a pixel."""
    return row // grid[1] % grid[0], row % grid[1]


@kernel
def _box_along(boxes, place, grid):
    """First index and count along depth and height of the source, for a row of the result."""
    d, h = place[0], grid[0] + place[1]
    return boxes[d, 0], boxes[d, 1], boxes[h, 0], boxes[h, 1]


@kernel
def _box_across(boxes, j, grid):
    """First index and count along the width of the source, for pixel j of a row."""
    w = grid[0] + grid[1] + j
    return boxes[w, 0], boxes[w, 1]


@kernel
def _image_start(row, size, grid, channels):
    """Where in the source the image begins that a row of the result belongs to."""
    return row // (grid[0] * grid[1]) * (size[0] * size[1] * size[2] * channels)


@kernel
def _task_rows(source, result, grid, channels):
    """Rows of the result, and how many of them make up one task."""
    rows = result.size // max(1, grid[2] * channels)
    return rows, chunk_rows((source.size + result.size) // max(1, rows))


# -- maximum ----------------------------------------------------------------------------------------------------------


@exact_kernel
def _largest(x, start, box, size, step, channels, count, zero):
    """The largest values of a box, and their places; the first of equals stays, a NaN wins. start : channel of x[n]."""
    d, depth, h, height, w, width = box
    first = (d * size[1] + h) * size[2] + w
    best = splat(-np.inf, zero)
    where = positions(first if depth * height * width > 0 else -1, zero)
    for a in range(depth):
        for b in range(height):
            place = first + (a * step[0] * size[1] + b * step[1]) * size[2]
            for _ in range(width):
                rolled()
                v = load(x, start + place * channels, count, zero)
                best, where = larger(v, positions(place, zero), best, where)
                place += step[2]
    return best, where


@exact_kernel
def _max_channels(x, start, box, size, step, channels, count, zero, y, switches, at):
    """`_largest` of `count` channels, written where y[at] is."""
    best, where = _largest(x, start, box, size, step, channels, count, zero)
    store(y, at, count, best)
    if switches.size > 0:
        store(switches, at, count, where)


@exact_kernel
def _max_rows(first, end, x, boxes, size, step, grid, channels, y, switches):
    many, few = wide(x), narrow(x)
    for row in range(first, end):
        start, along = _image_start(row, size, grid, channels), _box_along(boxes, _place_of(row, grid), grid)
        for j in range(grid[2]):
            box, at = along + _box_across(boxes, j, grid), (row * grid[2] + j) * channels
            c = 0
            while c + lanes(many) <= channels:
                rolled()
                count = lanes(many)
                _max_channels(x, start + c, box, size, step, channels, count, many, y, switches, at + c)
                c += count
            while c < channels:
                rolled()
                count = min(lanes(few), channels - c)
                _max_channels(x, start + c, box, size, step, channels, count, few, y, switches, at + c)
                c += count


@parallel_kernel
def max_pool(x, boxes, size, step, grid, channels, y, switches):
    """Maxima of all windows; `switches` of no length is not written."""
    rows, task_rows = _task_rows(x, y, grid, channels)
    for task in prange((rows + task_rows - 1) // task_rows):
        first, end = task * task_rows, min(rows, (task + 1) * task_rows)
        _max_rows(first, end, x, boxes, size, step, grid, channels, y, switches)


@kernel
def _taken(dy, switches, start, here, box, size, step, channels, count, zero):
    """Sum of dy over the windows of a box whose switch is `here`."""
    d, depth, h, height, w, width = box
    here = positions(here, zero)
    for a in range(depth):
        for b in range(height):
            window = ((d + a * step[0]) * size[1] + h + b * step[1]) * size[2] + w
            for _ in range(width):
                rolled()
                at = start + window * channels
                zero = zero + where_equal(load(switches, at, count, zero), here, load(dy, at, count, zero))
                window += step[2]
    return zero


@kernel
def _max_rows_backward(first, end, dy, switches, boxes, size, step, grid, channels, dx):
    many, few = wide(dy), narrow(dy)
    for row in range(first, end):
        start, place = _image_start(row, size, grid, channels), _place_of(row, grid)
        along, first_here = _box_along(boxes, place, grid), (place[0] * grid[1] + place[1]) * grid[2]
        for j in range(grid[2]):
            box, at = along + _box_across(boxes, j, grid), (row * grid[2] + j) * channels
            here = first_here + j
            c = 0
            while c + lanes(many) <= channels:
                rolled()
                count = lanes(many)
                part = _taken(dy, switches, start + c, here, box, size, step, channels, count, many)
                store(dx, at + c, count, part)
                c += count
            while c < channels:
                rolled()
                count = min(lanes(few), channels - c)
                rest = _taken(dy, switches, start + c, here, box, size, step, channels, count, few)
                store(dx, at + c, count, rest)
                c += count


@parallel_kernel
def max_pool_backward(dy, switches, boxes, size, step, grid, channels, dx):
    """dx = the sum of dy over the windows whose switch is at each input; `size` is that of dy, `grid` that of dx."""
    rows, task_rows = _task_rows(dy, dx, grid, channels)
    for task in prange((rows + task_rows - 1) // task_rows):
        first, end = task * task_rows, min(rows, (task + 1) * task_rows)
        _max_rows_backward(first, end, dy, switches, boxes, size, step, grid, channels, dx)


# -- sum --------------------------------------------------------------------------------------------------------------


@kernel
def _weighted_sum(x, start, box, size, step, weight, channels, count, zero):
    """Sum over a box of weight[d] weight[h] weight[w] x, weight being for all depths, then heights, then widths."""
    d, depth, h, height, w, width = box
    for a in range(depth):
        i = d + a * step[0]
        for b in range(height):
            j = h + b * step[1]
            outer = weight[i] * weight[size[0] + j]
            row = (i * size[1] + j) * size[2]
            k = w
            for _ in range(width):
                rolled()
                v = load(x, start + (row + k) * channels, count, zero)
                zero = zero + splat(outer * weight[size[0] + size[1] + k], zero) * v
                k += step[2]
    return zero


@kernel
def _sum_rows(first, end, x, boxes, size, step, grid, channels, weight, scale, y):
    many, few = wide(x), narrow(x)
    for row in range(first, end):
        start, place = _image_start(row, size, grid, channels), _place_of(row, grid)
        along, row_factor = _box_along(boxes, place, grid), scale[place[0]] * scale[grid[0] + place[1]]
        for j in range(grid[2]):
            box, at = along + _box_across(boxes, j, grid), (row * grid[2] + j) * channels
            factor = row_factor * scale[grid[0] + grid[1] + j]
            c = 0
            while c + lanes(many) <= channels:
                rolled()
                count = lanes(many)
                part = _weighted_sum(x, start + c, box, size, step, weight, channels, count, many)
                store(y, at + c, count, splat(factor, many) * part)
                c += count
            while c < channels:
                rolled()
                count = min(lanes(few), channels - c)
                rest = _weighted_sum(x, start + c, box, size, step, weight, channels, count, few)
                store(y, at + c, count, splat(factor, few) * rest)
                c += count


@parallel_kernel
def sum_pool(x, boxes, size, step, grid, channels, weight, scale, y):
    """y = scale times the weighted sum over every box of x.

    weight (sum(size),) is of the source's pixels, scale (sum(grid),) of the result's, axis by axis.
    """
    rows, task_rows = _task_rows(x, y, grid, channels)
    for task in prange((rows + task_rows - 1) // task_rows):
        first, end = task * task_rows, min(rows, (task + 1) * task_rows)
        _sum_rows(first, end, x, boxes, size, step, grid, channels, weight, scale, y)
