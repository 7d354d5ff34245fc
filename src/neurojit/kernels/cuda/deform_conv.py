"""Deformable convolution: what taps see that look beside their place, and the way back.

As in kernels/cpu/deform_conv.py, but for the border round the images: a corner outside adds nothing here.

    columns[p, g, t, c] = mask[p, t] * (x at stride p - padding + dilation t + offset[p, t]), bilinear, zero outside

All arrays are flat: x and dx (n, height, width, channels), offset (n, *out, offset_groups, taps, 2), mask like it
without the pairs or of no length, columns (n, *out, groups, taps, channels / groups). `numbers` are six pairs: height
and width, out, window, stride, padding before, dilation; `parts` are channels, groups and offset_groups.
"""

import math

import numpy as np

from neurojit.core.cuda import Dozen, Floats, Launch, Triple, cuda, cuda_kernel, device_function, quotient
from neurojit.kernels.cuda.warps import warp_sum

THREADS = 256
WARPS = THREADS // 32
_FAR = np.float32(2**30)  # a place further off is outside of every image


@device_function
def _floor(v):
    """The integer below v and how far v lies above it, which is exact; NaN for a NaN or an infinity."""
    if v > -_FAR and v < _FAR:
        whole = np.int64(math.floor(v))
        return whole, v - np.float32(whole) if abs(v) < np.float32(2**24) else v - v
    return np.int64(-(2**30)), v - v


@device_function
def _corner(p, t, at, offset, numbers):
    """Image, row and column of the pixel before the place where tap t of position p looks, and the two fractions."""
    line = quotient(p, numbers[3])
    image = quotient(line, numbers[2])
    u = quotient(t, numbers[5])
    down, below = _floor(offset[2 * at])
    right, beside = _floor(offset[2 * at + 1])
    row = (line - image * numbers[2]) * numbers[6] - numbers[8] + u * numbers[10] + down
    column = (p - line * numbers[3]) * numbers[7] - numbers[9] + (t - u * numbers[5]) * numbers[11] + right
    return image, row, column, below, beside


@device_function
def _pixel(image, row, column, numbers):
    """The number of a pixel, -1 outside of the image."""
    if row < 0 or row >= numbers[0] or column < 0 or column >= numbers[1]:
        return -1
    return (image * numbers[0] + row) * numbers[1] + column


@device_function
def _value(x, pixel, channels, c):
    """Channel c of a pixel, 0 outside."""
    return x[pixel * channels + c] if pixel >= 0 else x.dtype.type(0)


@device_function
def _column(i, numbers, parts):
    """Position, tap, channel and the place of the offset of a number of the columns."""
    depth, taps = quotient(parts[0], parts[1]), numbers[4] * numbers[5]
    window = quotient(i, depth)
    line = quotient(window, taps)
    p, t = quotient(line, parts[1]), window - line * taps
    c = (line - p * parts[1]) * depth + i - window * depth
    g = quotient(c, quotient(parts[0], parts[2]))
    return p, t, c, (p * parts[2] + g) * taps + t


def _each(size):
    return Launch(-(-size // THREADS), THREADS)


@cuda_kernel(lambda x, offset, mask, columns, numbers, parts: _each(columns.size), registers=64)
def gather_columns(x: Floats, offset: Floats, mask: Floats, columns: Floats, numbers: Dozen, parts: Triple):
    """columns = x where the taps look, times the mask."""
    i = cuda.grid(1)
    if i >= columns.size:
        return
    p, t, c, at = _column(i, numbers, parts)
    image, row, column, down, right = _corner(p, t, at, offset, numbers)
    one, channels = x.dtype.type(1), parts[0]
    m = mask[at] if mask.size > 0 else one
    upper = (one - right) * _value(x, _pixel(image, row, column, numbers), channels, c)
    upper += right * _value(x, _pixel(image, row, column + 1, numbers), channels, c)
    lower = (one - right) * _value(x, _pixel(image, row + 1, column, numbers), channels, c)
    lower += right * _value(x, _pixel(image, row + 1, column + 1, numbers), channels, c)
    columns[i] = m * ((one - down) * upper + down * lower)


@cuda_kernel(lambda offset, mask, dcolumns, dx, numbers, parts: _each(dcolumns.size), registers=64)
def scatter_columns(offset: Floats, mask: Floats, dcolumns: Floats, dx: Floats, numbers: Dozen, parts: Triple):
    """Add to dx what every column gives back to its four corners: atomically, in no fixed order."""
    i = cuda.grid(1)
    if i >= dcolumns.size:
        return
    p, t, c, at = _column(i, numbers, parts)
    image, row, column, down, right = _corner(p, t, at, offset, numbers)
    one, channels = dx.dtype.type(1), parts[0]
    d = dcolumns[i] * mask[at] if mask.size > 0 else dcolumns[i]
    for corner in range(4):
        below, beside = corner >> 1, corner & 1
        pixel = _pixel(image, row + below, column + beside, numbers)
        if pixel >= 0:
            by_row = down if below == 1 else one - down
            by_column = right if beside == 1 else one - right
            cuda.atomic.add(dx, pixel * channels + c, by_row * by_column * d)


def _places_plan(x, offset, mask, dcolumns, doffset, dmask, numbers, parts):
    return Launch(-(-(offset.size // 2) // WARPS), THREADS)


@cuda_kernel(_places_plan, registers=64)
def place_gradients(
    x: Floats,
    offset: Floats,
    mask: Floats,
    dcolumns: Floats,
    doffset: Floats,
    dmask: Floats,
    numbers: Dozen,
    parts: Triple,
):
    """doffset and, where it has a length, dmask from the gradient to the columns; a warp takes a tap of a position."""
    at = cuda.blockIdx.x * WARPS + cuda.threadIdx.x // 32
    if at >= quotient(offset.size, 2):
        return
    taps, channels, groups = numbers[4] * numbers[5], parts[0], parts[1]
    depth, share = quotient(channels, groups), quotient(channels, parts[2])
    line = quotient(at, taps)
    p, t = quotient(line, parts[2]), at - line * taps
    first = (line - p * parts[2]) * share
    image, row, column, down, right = _corner(p, t, at, offset, numbers)
    a, b = _pixel(image, row, column, numbers), _pixel(image, row, column + 1, numbers)
    c, d = _pixel(image, row + 1, column, numbers), _pixel(image, row + 1, column + 1, numbers)
    zero, one = x.dtype.type(0), x.dtype.type(1)
    s00, s01, s10, s11 = zero, zero, zero, zero
    for k in range(first + cuda.laneid, first + share, 32):
        group = quotient(k, depth)
        v = dcolumns[((p * groups + group) * taps + t) * depth + k - group * depth]
        s00 += v * _value(x, a, channels, k)
        s01 += v * _value(x, b, channels, k)
        s10 += v * _value(x, c, channels, k)
        s11 += v * _value(x, d, channels, k)
    s00, s01, s10, s11 = warp_sum(s00), warp_sum(s01), warp_sum(s10), warp_sum(s11)
    if cuda.laneid == 0:
        m = mask[at] if mask.size > 0 else one
        doffset[2 * at] = m * ((one - right) * (s10 - s00) + right * (s11 - s01))
        doffset[2 * at + 1] = m * ((one - down) * (s01 - s00) + down * (s11 - s10))
        if dmask.size > 0:
            upper, lower = (one - right) * s00 + right * s01, (one - right) * s10 + right * s11
            dmask[at] = (one - down) * upper + down * lower
