"""Deformable convolution: taps that look beside their place, by offsets that differ from position to position.

    columns[p, g, t, c] = mask[p, t] * (x at (row, column)), bilinear, zero outside, with
    (row, column) = stride p - padding + dilation t + offset[p, t]

What is left is a product of the columns with the weights. Everything is flat; two zeros lie round the plane of
x and dx, so that every corner a position between pixels is read from has an address, and those outside add nothing.

Shapes: x and dx (n, *plane, channels) with plane = (height + 4, width + 4), offset (n, *out, offset_groups, taps, 2),
mask (n, *out, offset_groups, taps) or of no length, columns (n, *out, groups, taps, channels / groups). `numbers` is
(plane, out, window, stride, before, dilation), twelve integers, `parts` (channels, groups, offset_groups).
"""

import math

import numpy as np

from neurojit.core.jit import kernel, parallel_kernel, prange
from neurojit.kernels.cpu.chunks import ceil_divide

BORDER = (
    2  # zeros round the plane: one row on each side that a corner reaches, one that positions further off are put on
)
_SLICE = 32  # channels of one task of the gradient to x

# Unsigned offsets: numba compiles no test for negative indices, and LLVM can vectorise.
_at = np.uint64


@kernel
def _place(position, length):
    """The padded index of the pixel before a position, and how far past it the position lies; NaN stays NaN."""
    if -BORDER <= position < length:
        base = math.floor(position)
    else:
        base = -BORDER if position < 0 else length
    return np.int64(base) + BORDER, position - base


@kernel
def _look(t, i, j, at, offset, numbers):
    """Where tap t of the window at (i, j) looks: the first corner in the padded plane, and the two fractions."""
    plane, window, stride, before, dilation = numbers[:2], numbers[4:6], numbers[6:8], numbers[8:10], numbers[10:]
    u, v = t // window[1], t % window[1]
    row = i * stride[0] - before[0] + u * dilation[0] + np.float64(offset[2 * at])
    column = j * stride[1] - before[1] + v * dilation[1] + np.float64(offset[2 * at + 1])
    y, down = _place(row, plane[0] - 2 * BORDER)
    x, right = _place(column, plane[1] - 2 * BORDER)
    return y * plane[1] + x, offset.dtype.type(down), offset.dtype.type(right)


@kernel
def _piece(parts):
    """Channels in a run that is whole both in the groups of the weights and in those of the offsets."""
    channels, groups, offset_groups = parts
    return math.gcd(channels // groups, channels // offset_groups)


@kernel
def _sample_row(row, x, offset, mask, columns, numbers, parts):
    """The columns of one row of positions of one image."""
    plane, out, window = numbers[:2], numbers[2:4], numbers[4:6]
    channels, groups, offset_groups = parts
    n, i = divmod(row, out[0])
    taps, depth, piece = window[0] * window[1], channels // groups, _piece(parts)
    share, line, one = channels // offset_groups, plane[1] * channels, x.dtype.type(1)
    for j in range(out[1]):
        p = row * out[1] + j
        for g in range(offset_groups):
            for t in range(taps):
                at = (p * offset_groups + g) * taps + t
                corner, down, right = _look(t, i, j, at, offset, numbers)
                corner = (n * plane[0] * plane[1] + corner) * channels
                m = mask[at] if mask.size > 0 else one
                w00, w01 = m * (one - down) * (one - right), m * (one - down) * right
                w10, w11 = m * down * (one - right), m * down * right
                for first in range(g * share, (g + 1) * share, piece):
                    to = ((p * groups + first // depth) * taps + t) * depth + first % depth
                    a, b = corner + first, corner + first + line
                    for k in range(piece):
                        above = w00 * x[_at(a + k)] + w01 * x[_at(a + k + channels)]
                        below = w10 * x[_at(b + k)] + w11 * x[_at(b + k + channels)]
                        columns[_at(to + k)] = above + below


@parallel_kernel
def sample(x, offset, mask, columns, numbers, parts, images):
    """columns = x where the taps look, times the mask."""
    for row in prange(images * numbers[2]):
        _sample_row(np.int64(row), x, offset, mask, columns, numbers, parts)


@kernel
def _place_gradients_row(row, x, offset, mask, dcolumns, doffset, dmask, numbers, parts):
    """Gradients to the offsets and the mask of one row of positions of one image."""
    plane, out, window = numbers[:2], numbers[2:4], numbers[4:6]
    channels, groups, offset_groups = parts
    n, i = divmod(row, out[0])
    taps, depth, piece = window[0] * window[1], channels // groups, _piece(parts)
    share, line, one = channels // offset_groups, plane[1] * channels, x.dtype.type(1)
    for j in range(out[1]):
        p = row * out[1] + j
        for g in range(offset_groups):
            for t in range(taps):
                at = (p * offset_groups + g) * taps + t
                corner, down, right = _look(t, i, j, at, offset, numbers)
                corner = (n * plane[0] * plane[1] + corner) * channels
                s00, s01, s10, s11 = x.dtype.type(0), x.dtype.type(0), x.dtype.type(0), x.dtype.type(0)
                for first in range(g * share, (g + 1) * share, piece):
                    of = ((p * groups + first // depth) * taps + t) * depth + first % depth
                    a, b = corner + first, corner + first + line
                    for k in range(piece):
                        d = dcolumns[_at(of + k)]
                        s00 += d * x[_at(a + k)]
                        s01 += d * x[_at(a + k + channels)]
                        s10 += d * x[_at(b + k)]
                        s11 += d * x[_at(b + k + channels)]
                m = mask[at] if mask.size > 0 else one
                doffset[2 * at] = m * ((one - right) * (s10 - s00) + right * (s11 - s01))
                doffset[2 * at + 1] = m * ((one - down) * (s01 - s00) + down * (s11 - s10))
                if dmask.size > 0:
                    above, below = (one - right) * s00 + right * s01, (one - right) * s10 + right * s11
                    dmask[at] = (one - down) * above + down * below


@parallel_kernel
def sample_backward_places(x, offset, mask, dcolumns, doffset, dmask, numbers, parts, images):
    """doffset and, where it has a length, dmask from the gradient to the columns."""
    for row in prange(images * numbers[2]):
        _place_gradients_row(np.int64(row), x, offset, mask, dcolumns, doffset, dmask, numbers, parts)


@kernel
def _spread_image(n, low, high, offset, mask, dcolumns, dx, numbers, parts):
    """Channels low .. high - 1 of dx of image n: every position hands its gradient to four corners."""
    plane, out, window = numbers[:2], numbers[2:4], numbers[4:6]
    channels, groups, offset_groups = parts
    taps, depth, piece = window[0] * window[1], channels // groups, _piece(parts)
    share, line, one = channels // offset_groups, plane[1] * channels, dx.dtype.type(1)
    for pixel in range(n * plane[0] * plane[1], (n + 1) * plane[0] * plane[1]):
        for k in range(low, high):
            dx[_at(pixel * channels + k)] = 0
    for position in range(out[0] * out[1]):
        i, j = divmod(position, out[1])
        p = n * out[0] * out[1] + position
        for g in range(low // share, (high - 1) // share + 1):
            for t in range(taps):
                at = (p * offset_groups + g) * taps + t
                corner, down, right = _look(t, i, j, at, offset, numbers)
                corner = (n * plane[0] * plane[1] + corner) * channels
                m = mask[at] if mask.size > 0 else one
                w00, w01 = m * (one - down) * (one - right), m * (one - down) * right
                w10, w11 = m * down * (one - right), m * down * right
                for first in range(g * share, (g + 1) * share, piece):
                    of = ((p * groups + first // depth) * taps + t) * depth + first % depth - first
                    for k in range(max(first, low), min(first + piece, high)):
                        d = dcolumns[_at(of + k)]
                        dx[_at(corner + k)] += w00 * d
                        dx[_at(corner + k + channels)] += w01 * d
                        dx[_at(corner + k + line)] += w10 * d
                        dx[_at(corner + k + line + channels)] += w11 * d


@parallel_kernel
def sample_backward(offset, mask, dcolumns, dx, numbers, parts, images):
    """dx, with its border, from the gradient to the columns."""
    channels = parts[0]
    slices = ceil_divide(channels, _SLICE)
    for task in prange(images * slices):
        n, s = divmod(np.int64(task), slices)
        _spread_image(n, s * _SLICE, min((s + 1) * _SLICE, channels), offset, mask, dcolumns, dx, numbers, parts)
