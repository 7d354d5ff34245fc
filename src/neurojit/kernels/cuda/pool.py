"""Pooling over windows: maxima with switches, and weighted sums; forward and backward.

A pixel of the result is made of a box of pixels of the source, as the header of kernels/cpu/pool.py says: x and y are
flat (n, depth, height, width, channels), `boxes` (sum(grid), 2) holds the first index and the number of each box along
each axis, `step` the distance from one pixel of a box to the next. A thread makes one number; neighbouring threads have
neighbouring channels.
"""

import math

from neurojit.core.cuda import Floats, Int, Ints, Launch, Pairs, Triple, cuda, cuda_kernel, device_function, quotient
from neurojit.kernels.cuda.places import place_of

THREADS = 256
_MINUS_INFINITY = -math.inf


def _each(size):
    return Launch(-(-size // THREADS), THREADS)


@device_function
def _box(boxes, place, grid):
    """First index and count along depth, height and width."""
    d, h, w = place[1], grid[0] + place[2], grid[0] + grid[1] + place[3]
    return boxes[d, 0], boxes[d, 1], boxes[h, 0], boxes[h, 1], boxes[w, 0], boxes[w, 1]


@cuda_kernel(lambda x, boxes, size, step, grid, channels, y, switches: _each(y.size), registers=64)
def max_pool(
    x: Floats, boxes: Pairs, size: Triple, step: Triple, grid: Triple, channels: Int, y: Floats, switches: Ints
):
    """Maxima of all windows, the first of equals, a NaN above all; `switches` of no length is not written."""
    i = cuda.grid(1)
    if i >= y.size:
        return
    pixel = quotient(i, channels)
    place = place_of(pixel, grid)
    d, depth, h, height, w, width = _box(boxes, place, grid)
    start = place[0] * size[0] * size[1] * size[2]
    best, where = x.dtype.type(_MINUS_INFINITY), -1
    for a in range(depth):
        for b in range(height):
            row = ((d + a * step[0]) * size[1] + h + b * step[1]) * size[2] + w
            for c in range(width):
                here = row + c * step[2]
                v = x[(start + here) * channels + i - pixel * channels]
                if where < 0 or v > best or v != v:
                    best, where = v, here
    y[i] = best
    if switches.size > 0:
        switches[i] = where


@cuda_kernel(lambda dy, switches, boxes, size, step, grid, channels, dx: _each(dx.size), registers=64)
def max_pool_backward(
    dy: Floats, switches: Ints, boxes: Pairs, size: Triple, step: Triple, grid: Triple, channels: Int, dx: Floats
):
    """dx = the sum of dy over the windows whose switch is at each input; `size` is that of dy, `grid` that of dx."""
    i = cuda.grid(1)
    if i >= dx.size:
        return
    pixel = quotient(i, channels)
    place = place_of(pixel, grid)
    d, depth, h, height, w, width = _box(boxes, place, grid)
    start, here = place[0] * size[0] * size[1] * size[2], pixel - place[0] * grid[0] * grid[1] * grid[2]
    s = dx.dtype.type(0)
    for a in range(depth):
        for b in range(height):
            row = ((d + a * step[0]) * size[1] + h + b * step[1]) * size[2] + w
            for c in range(width):
                at = (start + row + c * step[2]) * channels + i - pixel * channels
                if switches[at] == here:
                    s += dy[at]
    dx[i] = s


@cuda_kernel(lambda x, boxes, size, step, grid, channels, weight, scale, y: _each(y.size), registers=64)
def sum_pool(
    x: Floats,
    boxes: Pairs,
    size: Triple,
    step: Triple,
    grid: Triple,
    channels: Int,
    weight: Floats,
    scale: Floats,
    y: Floats,
):
    """y = scale times the weighted sum over every box of x; weight (sum(size),), scale (sum(grid),), axis by axis."""
    i = cuda.grid(1)
    if i >= y.size:
        return
    pixel = quotient(i, channels)
    place = place_of(pixel, grid)
    d, depth, h, height, w, width = _box(boxes, place, grid)
    start = place[0] * size[0] * size[1] * size[2]
    s = x.dtype.type(0)
    for a in range(depth):
        for b in range(height):
            outer = weight[d + a * step[0]] * weight[size[0] + h + b * step[1]]
            row = ((d + a * step[0]) * size[1] + h + b * step[1]) * size[2]
            for c in range(width):
                k = w + c * step[2]
                v = x[(start + row + k) * channels + i - pixel * channels]
                s += outer * weight[size[0] + size[1] + k] * v
    factor = scale[place[1]] * scale[grid[0] + place[2]] * scale[grid[0] + grid[1] + place[3]]
    y[i] = factor * s
