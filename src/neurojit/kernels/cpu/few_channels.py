"""Convolutions of few channels: the register tile takes every value that a window sees by its offset from the corner.

With few channels, the runs of values under one tap are too short for a loop of their own. Here all size = taps * c
values of a window make up one loop, through a table of their offsets. The gradient to data goes the other way: a
matrix of what every window gives back, added up where windows overlap.

Shapes: source (n, d, h, w, c), out and dy (n, D, H, W, columns); grid (D, H, W) and step are triples; offsets (size,)
in bytes. The rows of a window are runs of kernel width * c values, which start delta (window rows,) bytes behind its
corner. Weights come in panels of the register tile's width, (panels, size, full). Windows are taken a box at a time
(kernels/cpu/boxes.py); seen is the (planes, height, width) of what a box sees.
"""

import numpy as np

from neurojit.core.jit import inner_kernel, kernel, parallel_kernel, prange
from neurojit.core.runs import accumulate, copy
from neurojit.core.simd import (
    ROWS,
    VECTORS,
    WIDE_VECTORS,
    address,
    keep,
    lane_count,
    multiply_scattered,
    multiply_scattered_narrow,
)
from neurojit.kernels.cpu.boxes import box_count, place, read_box, tabulate_box
from neurojit.kernels.cpu.chunks import ceil_divide
from neurojit.kernels.cpu.product import PART, add_outer_products, multiply, outer_room

_POSITIONS = 128  # windows that give back at a time


@inner_kernel
def _corners(source, grid, step, first, count, corners):
    """Addresses of the first value that windows first .. first + count see."""
    _, d, h, w, c = source.shape
    p, x = divmod(first, grid[2])
    p, y = divmod(p, grid[1])
    n, z = divmod(p, grid[0])
    for i in range(count):
        corners[i] = address(source, (((n * d + step[0] * z) * h + step[1] * y) * w + step[2] * x) * c)
        x += 1
        if x == grid[2]:
            x, y = 0, y + 1
            if y == grid[1]:
                y, z = 0, z + 1
                if z == grid[0]:
                    z, n = 0, n + 1


@inner_kernel
def _tabulate(array, first, count, stride, addresses):
    """Addresses of `count` rows of an array, `stride` elements apart; those past the last repeat it."""
    for i in range(addresses.size):
        addresses[i] = address(array, first + min(i, count - 1) * stride)


@inner_kernel
def _multiply_windows(like, corners, offsets, weight, starts, outs, columns):
    """out[t] = start[t] + what window t sees, by offset, times the weights; addresses fill whole tiles."""
    full = VECTORS * lane_count(like)
    taps, count = address(offsets, 0), offsets.size
    for t in range(0, corners.size, ROWS):
        rows, begin, into = address(corners, t), address(starts, t), address(outs, t)
        if columns <= lane_count(like):
            multiply_scattered_narrow(like, rows, taps, count, weight, full, begin, into, columns)
        else:
            multiply_scattered(like, rows, taps, count, weight, full, begin, into, columns)


@kernel
def _correlate_box(source, weight, start, out, grid, step, dilation, before, box, seen, offsets, index):
    panels, size, full = weight.shape
    columns = out.shape[4]
    tiles = ceil_divide(box[0] * box[1], ROWS) * ROWS
    band, scratch = np.empty((*seen, source.shape[4]), source.dtype), np.empty(full, source.dtype)
    corners, positions = np.empty(tiles, np.int64), np.empty(tiles, np.int64)
    starts, outs = np.empty(tiles, np.int64), np.empty(tiles, np.int64)
    corner = place(index, grid, box)
    read_box(source, corner, step, dilation, before, band)
    count = tabulate_box(band, corner, grid, step, box, corners, positions)
    tiles = ceil_divide(count, ROWS) * ROWS
    corners[count:tiles] = corners[0]
    for panel in range(panels):
        for i in range(count):
            outs[i] = address(out, positions[i] * columns + panel * full)
        outs[count:tiles] = address(scratch, 0)
        for part in range(0, size, PART):
            if part == 0:
                starts[:tiles] = address(start, panel * full)
            else:
                starts[:tiles] = outs[:tiles]
            these = address(weight, (panel * size + part) * full)
            width = min(full, columns - panel * full)
            taps = offsets[part : part + PART]
            _multiply_windows(source, corners[:tiles], taps, these, starts, outs, width)
    keep(band)
    keep(scratch)


@parallel_kernel
def correlate_windows(source, weight, start, out, grid, step, dilation, before, box, seen, offsets):
    """out = start + the convolution, a box to a task; start (panels * full,) is bias or zeros."""
    for index in prange(box_count(source.shape[0], grid, box)):
        _correlate_box(source, weight, start, out, grid, step, dilation, before, box, seen, offsets, np.int64(index))


@kernel
def _sum_boxes(source, dy, grid, step, dilation, before, box, seen, offsets, first, last, total):
    """total (size, columns) = sum over the windows of boxes first .. last of what a window sees times dy."""
    size, columns = total.shape
    full = WIDE_VECTORS * lane_count(source)
    most = box[0] * box[1]
    band, room = np.empty((*seen, source.shape[4]), source.dtype), outer_room(source)
    # A tile reads whole vectors of dy, as these are even past its last column.
    panel = np.empty((most, full), source.dtype)
    corners, positions, rows = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64)
    total[:] = 0
    for index in range(first, last):
        corner = place(index, grid, box)
        read_box(source, corner, step, dilation, before, band)
        count = tabulate_box(band, corner, grid, step, box, corners, positions)
        ahead = address(dy, (positions[count - 1] + 1) * columns)
        for column in range(0, columns, full):
            for i in range(count):
                rows[i] = address(dy, positions[i] * columns + column)
            if columns % lane_count(source) > 0:
                for i in range(count):
                    copy(source, rows[i], address(panel, i * full), min(full, columns - column))
                    rows[i] = address(panel, i * full)
            add_outer_products(source, corners[:count], offsets, rows, 0, total, 0, size, column, room, ahead)
    keep(band)
    keep(panel)


@parallel_kernel
def window_weight_gradient(source, dy, partial, grid, step, dilation, before, box, seen, offsets):
    """partial[s] (size, columns) = the gradient to the weights from part s of the boxes."""
    splits = partial.shape[0]
    boxes = box_count(source.shape[0], grid, box)
    share = ceil_divide(boxes, splits)
    for task in prange(splits):
        first = min(np.int64(task) * share, boxes)
        last = min(first + share, boxes)
        _sum_boxes(source, dy, grid, step, dilation, before, box, seen, offsets, first, last, partial[task])


@kernel
def _give_back(dy, weight, image, grid, step, delta, run, n):
    """image (1, d, h, w, c) += what the windows of image n of dy give back."""
    columns, (panels, _, full) = dy.shape[4], weight.shape
    size, positions = delta.size * run, grid[0] * grid[1] * grid[2]
    tiles = ceil_divide(_POSITIONS, ROWS) * ROWS
    rows, zeros = np.empty((tiles, panels * full), dy.dtype), np.zeros(full, dy.dtype)
    corners, at = np.empty(_POSITIONS, np.int64), np.empty(tiles, np.int64)
    starts, outs = np.empty(tiles, np.int64), np.empty(tiles, np.int64)
    for first in range(0, positions, _POSITIONS):
        count = min(_POSITIONS, positions - first)
        for panel in range(panels):
            _tabulate(rows, panel * full, tiles, panels * full, outs)
            for part in range(0, columns, PART):
                _tabulate(dy, (n * positions + first) * columns + part, count, columns, at)
                if part == 0:
                    starts[:] = address(zeros, 0)
                else:
                    starts[:] = outs
                these = address(weight, (panel * columns + part) * full)
                multiply(dy, at, min(PART, columns - part), these, starts, outs, min(full, size - panel * full))
        _corners(image, grid, step, first, count, corners)
        for i in range(count):
            for k in range(delta.size):
                accumulate(dy, address(rows, i * panels * full + k * run), corners[i] + delta[k], run)
    keep(zeros)
    keep(rows)


@kernel
def _data_gradient_task(dy, weight, start, before, padded, grid, step, delta, run, n, dx):
    image = np.empty((1, padded[0], padded[1], padded[2], dx.shape[4]), dy.dtype)
    image[:] = start
    _give_back(dy, weight, image, grid, step, delta, run, n)
    _, d, h, w, _ = dx.shape
    z, y, x = before
    dx[n] = image[0, z : z + d, y : y + h, x : x + w]


@parallel_kernel
def window_data_gradient(dy, weight, start, before, padded, dx, grid, step, delta, run):
    """dx (n, d, h, w, c) = start (c,) + the gradient, an image to a task; weight (panels, columns, full) has a row for
    each output channel.

    `before` counts the zeros before each axis, `padded` the lengths of the axes with them.
    """
    for n in prange(dx.shape[0]):
        _data_gradient_task(dy, weight, start, before, padded, grid, step, delta, run, np.int64(n), dx)
