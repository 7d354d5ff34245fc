"""Pooling over windows of images: maxima with switches, and means; forward and backward.

x and dx are (n, h, w, c), y and dy (n, oh, ow, c), switches (n, oh, ow, c) int32: the position h_index * w + w_index of
each maximum, -1 where a window holds no input. All come flat, with `size` = (h, w), `windows` = (oh, ow) and the number
of channels. window, stride, dilation and before (the padding above and left) are pairs; taps (window size,) int64 are
the positions of a window's taps from its first one.

Forward passes take four taps at a time, so that the running result does not go to memory and back for each. Backward
passes gather: every input looks up the windows that see it, so no two threads meet. Inner loops run over the channels
of one pixel and are short: they index flat arrays from an offset, which costs less than to make views of pixels.
"""

import numpy as np

from neurojit.core.jit import exact_kernel, kernel, parallel_kernel, prange
from neurojit.kernels.cpu.chunks import chunk_rows
from neurojit.kernels.cpu.columns import add_tiles, block_size, fold

# Offsets are cast to unsigned integers, for which numba compiles no test for negative indices: LLVM can then vectorise.
_at = np.uint64


@kernel
def _taps_inside(top, left, size, window, dilation, positions):
    """The positions of the taps of one window that lie in the image; returns their number."""
    count = 0
    for i in range(top, top + window[0] * dilation[0], dilation[0]):
        for j in range(left, left + window[1] * dilation[1], dilation[1]):
            if 0 <= i < size[0] and 0 <= j < size[1]:
                positions[count] = i * size[1] + j
                count += 1
    return count


@kernel
def _is_inside(top, left, size, window, dilation):
    """Whether all taps of a window lie in the image."""
    bottom, right = top + (window[0] - 1) * dilation[0], left + (window[1] - 1) * dilation[1]
    return top >= 0 and left >= 0 and bottom < size[0] and right < size[1]


@kernel
def _windows_over(position, extent, stride, before, windows):
    """The windows along an axis that reach an input position, as the first and one past the last."""
    return max(0, (position + before - extent + stride) // stride), min(windows, (position + before) // stride + 1)


# -- maximum ----------------------------------------------------------------------------------------------------------


@exact_kernel
def _larger(v, best):
    """The larger of the two; the first of equals stays, a NaN wins."""
    return v if (v > best) | (v != v) else best


@exact_kernel
def _choose(v, best, here, there):
    """`here` where `_larger` takes v, else `there`."""
    return here if (v > best) | (v != v) else there


@exact_kernel
def _raise_by_four(x, a, b, c, d, channels, first, y, at):
    """y = max(y, four pixels of x) for the pixels at offsets a to d; y counts for nothing the first time."""
    for k in range(channels):
        best = x[_at(a + k)] if first else _larger(x[_at(a + k)], y[_at(at + k)])
        best = _larger(x[_at(b + k)], best)
        best = _larger(x[_at(c + k)], best)
        y[_at(at + k)] = _larger(x[_at(d + k)], best)


@exact_kernel
def _raise_by_four_with_switch(x, base, p, q, r, s, channels, first, y, switches, at):
    """`_raise_by_four` for the pixels at positions p to s of the image at offset `base`, noting what is taken."""
    a, b, c, d = base + p * channels, base + q * channels, base + r * channels, base + s * channels
    p, q, r, s = np.int32(p), np.int32(q), np.int32(r), np.int32(s)
    for k in range(channels):
        v, best, where = x[_at(a + k)], y[_at(at + k)], switches[_at(at + k)]
        where = p if first else _choose(v, best, p, where)
        best = v if first else _larger(v, best)
        v = x[_at(b + k)]
        where, best = _choose(v, best, q, where), _larger(v, best)
        v = x[_at(c + k)]
        where, best = _choose(v, best, r, where), _larger(v, best)
        v = x[_at(d + k)]
        switches[_at(at + k)] = _choose(v, best, s, where)
        y[_at(at + k)] = _larger(v, best)


@kernel
def _max_of_taps(x, base, origin, taps, count, channels, y, switches, at):
    """Maximum over the pixels at positions origin + taps; the last group of four repeats its last tap."""
    last = count - 1
    for t in range(0, count, 4):
        p, q = origin + taps[t], origin + taps[min(t + 1, last)]
        r, s = origin + taps[min(t + 2, last)], origin + taps[min(t + 3, last)]
        if switches.size > 0:
            _raise_by_four_with_switch(x, base, p, q, r, s, channels, t == 0, y, switches, at)
        else:
            a, b, c, d = base + p * channels, base + q * channels, base + r * channels, base + s * channels
            _raise_by_four(x, a, b, c, d, channels, t == 0, y, at)


@kernel
def _max_rows(rows, x, size, windows, channels, window, stride, before, dilation, taps, y, switches):
    """Rows of windows first to last - 1 of all images' rows, `rows` = (first, last)."""
    clipped = np.empty_like(taps)
    for row in range(rows[0], rows[1]):
        n, i = divmod(row, windows[0])
        base = n * size[0] * size[1] * channels
        top = i * stride[0] - before[0]
        for j in range(windows[1]):
            left = j * stride[1] - before[1]
            at = (row * windows[1] + j) * channels
            if _is_inside(top, left, size, window, dilation):
                _max_of_taps(x, base, top * size[1] + left, taps, taps.size, channels, y, switches, at)
                continue
            count = _taps_inside(top, left, size, window, dilation, clipped)
            _max_of_taps(x, base, 0, clipped, count, channels, y, switches, at)
            if count == 0:
                y[at : at + channels] = -np.inf
                switches[at : at + channels] = -1


@parallel_kernel
def max_pool(x, size, windows, channels, window, stride, before, dilation, taps, y, switches):
    """Maxima of all windows; `switches` of no length is not written."""
    total = y.size // max(1, windows[1] * channels)
    step = chunk_rows(size[1] * channels)
    for task in prange((total + step - 1) // step):
        rows = (task * step, min(total, (task + 1) * step))
        _max_rows(rows, x, size, windows, channels, window, stride, before, dilation, taps, y, switches)


@kernel
def _take_gradient(dy, switches, at, pair, position, channels, first, dx, to):
    """dx += dy of one window, or of a pair side by side, where its switch is here; dx is new the first time."""
    zero = dx.dtype.type(0)
    beside = at + channels if pair else at
    for k in range(channels):
        taken = dy[_at(at + k)] if switches[_at(at + k)] == position else zero
        taken += dy[_at(beside + k)] if pair & (switches[_at(beside + k)] == position) else zero
        dx[_at(to + k)] = taken if first else dx[_at(to + k)] + taken


@kernel
def _max_rows_backward(rows, dy, switches, size, windows, channels, extent, stride, before, dx):
    """Rows of inputs first to last - 1 of all images' rows, `rows` = (first, last)."""
    for row in range(rows[0], rows[1]):
        n, i = divmod(row, size[0])
        top, bottom = _windows_over(i, extent[0], stride[0], before[0], windows[0])
        for j in range(size[1]):
            left, right = _windows_over(j, extent[1], stride[1], before[1], windows[1])
            position = np.int32(i * size[1] + j)
            to = (row * size[1] + j) * channels
            for oi in range(top, bottom):
                for oj in range(left, right, 2):
                    at = ((n * windows[0] + oi) * windows[1] + oj) * channels
                    first, pair = oi == top and oj == left, oj + 1 < right
                    _take_gradient(dy, switches, at, pair, position, channels, first, dx, to)
            if top >= bottom or left >= right:
                dx[to : to + channels] = 0


@parallel_kernel
def max_pool_backward(dy, switches, size, windows, channels, extent, stride, before, dx):
    """dx = the sum of dy over the windows whose switch is at each input; extent is how far a window reaches."""
    total = dx.size // max(1, size[1] * channels)
    step = chunk_rows(size[1] * channels)
    for task in prange((total + step - 1) // step):
        rows = (task * step, min(total, (task + 1) * step))
        _max_rows_backward(rows, dy, switches, size, windows, channels, extent, stride, before, dx)


# -- mean -------------------------------------------------------------------------------------------------------------


@kernel
def _add_four(x, a, b, c, d, count, channels, first, scale, y, at):
    """y = scale (y + the first `count` of four pixels of x); y counts for nothing the first time."""
    zero = y.dtype.type(0)
    for k in range(channels):
        total = x[_at(a + k)] if first else y[_at(at + k)] + x[_at(a + k)]
        total += x[_at(b + k)] if count > 1 else zero
        total += x[_at(c + k)] if count > 2 else zero
        total += x[_at(d + k)] if count > 3 else zero
        y[_at(at + k)] = scale * total


@kernel
def _mean_of_taps(x, base, origin, taps, count, channels, share, y, at):
    """share times the sum of the pixels at positions origin + taps."""
    last = count - 1
    for t in range(0, count, 4):
        p, q = origin + taps[t], origin + taps[min(t + 1, last)]
        r, s = origin + taps[min(t + 2, last)], origin + taps[min(t + 3, last)]
        a, b, c, d = base + p * channels, base + q * channels, base + r * channels, base + s * channels
        scale = share if t + 4 > last else y.dtype.type(1)
        _add_four(x, a, b, c, d, count - t, channels, t == 0, scale, y, at)


@kernel
def _mean_rows(rows, x, size, windows, channels, window, stride, before, taps, height_share, width_share, y):
    """Rows of windows first to last - 1 of all images' rows, `rows` = (first, last)."""
    clipped = np.empty_like(taps)
    for row in range(rows[0], rows[1]):
        n, i = divmod(row, windows[0])
        base = n * size[0] * size[1] * channels
        top = i * stride[0] - before[0]
        for j in range(windows[1]):
            left = j * stride[1] - before[1]
            at = (row * windows[1] + j) * channels
            share = height_share[i] * width_share[j]
            if _is_inside(top, left, size, window, (1, 1)):
                _mean_of_taps(x, base, top * size[1] + left, taps, taps.size, channels, share, y, at)
                continue
            count = _taps_inside(top, left, size, window, (1, 1), clipped)
            _mean_of_taps(x, base, 0, clipped, count, channels, share, y, at)
            if count == 0:
                y[at : at + channels] = 0


@parallel_kernel
def avg_pool(x, size, windows, channels, window, stride, before, taps, height_share, width_share, y):
    """Means of all windows: the sum of window (oi, oj) counts height_share[oi] * width_share[oj]."""
    total = y.size // max(1, windows[1] * channels)
    step = chunk_rows(size[1] * channels)
    for task in prange((total + step - 1) // step):
        rows = (task * step, min(total, (task + 1) * step))
        _mean_rows(rows, x, size, windows, channels, window, stride, before, taps, height_share, width_share, y)


@kernel
def _spread_gradient(dy, at, pair, share, share_beside, channels, first, dx, to):
    """dx += share dy of one window, or of a pair side by side; dx is new the first time."""
    zero = dx.dtype.type(0)
    beside = at + channels if pair else at
    for k in range(channels):
        part = share * dy[_at(at + k)]
        part += share_beside * dy[_at(beside + k)] if pair else zero
        dx[_at(to + k)] = part if first else dx[_at(to + k)] + part


@kernel
def _mean_rows_backward(rows, dy, size, windows, channels, window, stride, before, height_share, width_share, dx):
    """Rows of inputs first to last - 1 of all images' rows, `rows` = (first, last)."""
    for row in range(rows[0], rows[1]):
        n, i = divmod(row, size[0])
        top, bottom = _windows_over(i, window[0], stride[0], before[0], windows[0])
        for j in range(size[1]):
            left, right = _windows_over(j, window[1], stride[1], before[1], windows[1])
            to = (row * size[1] + j) * channels
            for oi in range(top, bottom):
                for oj in range(left, right, 2):
                    at = ((n * windows[0] + oi) * windows[1] + oj) * channels
                    first, pair = oi == top and oj == left, oj + 1 < right
                    share = height_share[oi] * width_share[oj]
                    beside = height_share[oi] * width_share[min(oj + 1, right - 1)]
                    _spread_gradient(dy, at, pair, share, beside, channels, first, dx, to)
            if top >= bottom or left >= right:
                dx[to : to + channels] = 0


@parallel_kernel
def avg_pool_backward(dy, size, windows, channels, window, stride, before, height_share, width_share, dx):
    """dx = the sum of dy times its share over the windows that see each input."""
    total = dx.size // max(1, size[1] * channels)
    step = chunk_rows(size[1] * channels)
    for task in prange((total + step - 1) // step):
        rows = (task * step, min(total, (task + 1) * step))
        _mean_rows_backward(rows, dy, size, windows, channels, window, stride, before, height_share, width_share, dx)


@kernel
def _block_sums(x, channels, total):
    add_tiles(x, total)
    fold(total, channels)


@parallel_kernel
def image_sums(x, channels, partial):
    """Sums over the positions of each image, x (n, positions * channels), in blocks: partial (n, blocks, width)."""
    n, blocks, width = partial.shape
    size = block_size(width)
    for task in prange(n * blocks):
        image, block = task // blocks, task % blocks
        _block_sums(x[image, block * size : (block + 1) * size], channels, partial[image, block])
