"""Pooling over windows of images: maxima with switches, and means; forward and backward.

x and dx are (n, h, w, c), y and dy (n, oh, ow, c), switches (n, oh, ow, c) int32: the position h_index * w + w_index of
each maximum, -1 where a window holds no input. All come flat, with `size` = (h, w), `windows` = (oh, ow) and the number
of channels. window, stride, dilation and before (the padding above and left) are pairs; taps (window size,) int64 are
the positions of a window's taps from its first one.

Windows of one row are worked through together, a few taps at a time: taps four by four on the way forward, so that the
running result does not go to memory and back for each, one by one on the way back. A task owns rows of its result,
inputs on the way back, so no two threads meet. Inner loops run over the channels of one pixel and are short: they index
flat arrays from an offset, which costs less than to make views of pixels.
"""

import numpy as np

from neurojit.core.jit import exact_kernel, kernel, parallel_kernel, prange
from neurojit.kernels.cpu.chunks import chunk_rows
from neurojit.kernels.cpu.columns import add_tiles, block_size, fold, offset


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
def _windows_with(tap, size, stride, before, dilation, windows):
    """The windows along an axis whose tap number `tap` lies in the image, as the first and one past the last."""
    shift = tap * dilation - before
    first = max(0, (stride - 1 - shift) // stride)
    return first, max(first, min(windows, (size - 1 - shift) // stride + 1))


@kernel
def _inner_windows(size, window, stride, before, dilation, windows):
    """The windows along an axis whose taps all lie in the image, as the first and one past the last."""
    tap = 0
    first, _ = _windows_with(tap, size, stride, before, dilation, windows)
    _, end = _windows_with(window - 1, size, stride, before, dilation, windows)
    return first, max(first, end)


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
def _raise_by_four(x, a, b, c, d, step, count, channels, first, y, at):
    """y = max(y, four pixels of x) for `count` windows in a row; y counts for nothing the first time.

    The first window's pixels are at offsets a to d of x, each next window's `step` further; y's pixels begin at `at`.
    """
    for _ in range(count):
        for k in range(channels):
            best = x[offset(a + k)] if first else _larger(x[offset(a + k)], y[offset(at + k)])
            best = _larger(x[offset(b + k)], best)
            best = _larger(x[offset(c + k)], best)
            y[offset(at + k)] = _larger(x[offset(d + k)], best)
        a, b, c, d, at = a + step, b + step, c + step, d + step, at + channels


@exact_kernel
def _raise_by_four_with_switch(x, base, p, q, r, s, step, count, channels, first, y, switches, at):
    """`_raise_by_four` for pixels at positions p to s of the image at offset `base`, noting what is taken."""
    for _ in range(count):
        a, b, c, d = base + p * channels, base + q * channels, base + r * channels, base + s * channels
        at_a, at_b, at_c, at_d = np.int32(p), np.int32(q), np.int32(r), np.int32(s)
        for k in range(channels):
            v, best, where = x[offset(a + k)], y[offset(at + k)], switches[offset(at + k)]
            where = at_a if first else _choose(v, best, at_a, where)
            best = v if first else _larger(v, best)
            v = x[offset(b + k)]
            where, best = _choose(v, best, at_b, where), _larger(v, best)
            v = x[offset(c + k)]
            where, best = _choose(v, best, at_c, where), _larger(v, best)
            v = x[offset(d + k)]
            switches[offset(at + k)] = _choose(v, best, at_d, where)
            y[offset(at + k)] = _larger(v, best)
        p, q, r, s, at = p + step, q + step, r + step, s + step, at + channels


@kernel
def _max_run(x, base, origin, taps, tap_count, step, count, channels, y, switches, at):
    """Maxima of `count` windows in a row, `step` positions apart; the first one's taps are at positions origin + taps.

    The last group of four taps repeats its last one.
    """
    last = tap_count - 1
    for t in range(0, tap_count, 4):
        p, q = origin + taps[t], origin + taps[min(t + 1, last)]
        r, s = origin + taps[min(t + 2, last)], origin + taps[min(t + 3, last)]
        first = t == 0
        if switches.size > 0:
            _raise_by_four_with_switch(x, base, p, q, r, s, step, count, channels, first, y, switches, at)
        else:
            a, b, c, d = base + p * channels, base + q * channels, base + r * channels, base + s * channels
            _raise_by_four(x, a, b, c, d, step * channels, count, channels, first, y, at)


@kernel
def _max_rows(rows, x, size, windows, channels, window, stride, before, dilation, taps, y, switches):
    """Rows of windows first to last - 1 of all images' rows, `rows` = (first, last)."""
    clipped = np.empty_like(taps)
    above, below = _inner_windows(size[0], window[0], stride[0], before[0], dilation[0], windows[0])
    left, right = _inner_windows(size[1], window[1], stride[1], before[1], dilation[1], windows[1])
    for row in range(rows[0], rows[1]):
        n, i = divmod(row, windows[0])
        base, top, j = n * size[0] * size[1] * channels, i * stride[0] - before[0], 0
        while j < windows[1]:
            at, start = (row * windows[1] + j) * channels, j * stride[1] - before[1]
            if above <= i < below and left <= j < right:
                origin, these, tap_count, run = top * size[1] + start, taps, taps.size, right - j
            else:
                tap_count = _taps_inside(top, start, size, window, dilation, clipped)
                origin, these, run = 0, clipped, 1
            _max_run(x, base, origin, these, tap_count, stride[1], run, channels, y, switches, at)
            if tap_count == 0:
                y[at : at + channels] = -np.inf
                switches[at : at + channels] = -1
            j += run


@parallel_kernel
def max_pool(x, size, windows, channels, window, stride, before, dilation, taps, y, switches):
    """Maxima of all windows; `switches` of no length is not written."""
    total = y.size // max(1, windows[1] * channels)
    step = chunk_rows(size[1] * channels)
    for task in prange((total + step - 1) // step):
        rows = (task * step, min(total, (task + 1) * step))
        _max_rows(rows, x, size, windows, channels, window, stride, before, dilation, taps, y, switches)


@kernel
def _take_run(dy, switches, at, position, step, count, channels, dx, to):
    """dx += dy where the switch is here, for `count` windows in a row and inputs `step` positions apart."""
    zero = dx.dtype.type(0)
    for _ in range(count):
        here = np.int32(position)
        for k in range(channels):
            dx[offset(to + k)] += dy[offset(at + k)] if switches[offset(at + k)] == here else zero
        position, at, to = position + step, at + channels, to + step * channels


@kernel
def _max_rows_backward(rows, dy, switches, size, windows, channels, window, stride, before, dilation, dx):
    """Rows of inputs first to last - 1 of all images' rows, `rows` = (first, last)."""
    length = size[1] * channels
    for row in range(rows[0], rows[1]):
        n, i = divmod(row, size[0])
        dx[row * length : (row + 1) * length] = 0
        for u in range(window[0]):
            oi, off = divmod(i + before[0] - u * dilation[0], stride[0])
            if off != 0 or oi < 0 or oi >= windows[0]:
                continue
            for v in range(window[1]):
                first, end = _windows_with(v, size[1], stride[1], before[1], dilation[1], windows[1])
                j = first * stride[1] + v * dilation[1] - before[1]
                at = ((n * windows[0] + oi) * windows[1] + first) * channels
                to = (row * size[1] + j) * channels
                _take_run(dy, switches, at, i * size[1] + j, stride[1], end - first, channels, dx, to)


@parallel_kernel
def max_pool_backward(dy, switches, size, windows, channels, window, stride, before, dilation, dx):
    """dx = the sum of dy over the windows whose switch is at each input."""
    total = dx.size // max(1, size[1] * channels)
    step = chunk_rows(size[1] * channels)
    for task in prange((total + step - 1) // step):
        rows = (task * step, min(total, (task + 1) * step))
        _max_rows_backward(rows, dy, switches, size, windows, channels, window, stride, before, dilation, dx)


# -- mean -------------------------------------------------------------------------------------------------------------


@kernel
def _add_four(x, a, b, c, d, four, step, count, channels, first, y, at):
    """y += the first `four` of four pixels of x, as `_raise_by_four` goes along a row of windows."""
    zero = y.dtype.type(0)
    for _ in range(count):
        for k in range(channels):
            total = x[offset(a + k)] if first else y[offset(at + k)] + x[offset(a + k)]
            total += x[offset(b + k)] if four > 1 else zero
            total += x[offset(c + k)] if four > 2 else zero
            total += x[offset(d + k)] if four > 3 else zero
            y[offset(at + k)] = total
        a, b, c, d, at = a + step, b + step, c + step, d + step, at + channels


@kernel
def _sum_run(x, base, origin, taps, tap_count, step, count, channels, y, at):
    """Sums of `count` windows in a row, as `_max_run` takes them."""
    last = tap_count - 1
    for t in range(0, tap_count, 4):
        p, q = origin + taps[t], origin + taps[min(t + 1, last)]
        r, s = origin + taps[min(t + 2, last)], origin + taps[min(t + 3, last)]
        a, b, c, d = base + p * channels, base + q * channels, base + r * channels, base + s * channels
        _add_four(x, a, b, c, d, tap_count - t, step * channels, count, channels, t == 0, y, at)


@kernel
def _scale_row(height_share, width_share, channels, y):
    """y = height_share * width_share * y for a row of windows y (windows * channels,)."""
    for j in range(width_share.size):
        share = height_share * width_share[j]
        for k in range(j * channels, (j + 1) * channels):
            y[offset(k)] *= share


@kernel
def _mean_rows(rows, x, size, windows, channels, window, stride, before, taps, height_share, width_share, y):
    """Rows of windows first to last - 1 of all images' rows, `rows` = (first, last)."""
    dilation, clipped = (1, 1), np.empty_like(taps)
    above, below = _inner_windows(size[0], window[0], stride[0], before[0], dilation[0], windows[0])
    left, right = _inner_windows(size[1], window[1], stride[1], before[1], dilation[1], windows[1])
    for row in range(rows[0], rows[1]):
        n, i = divmod(row, windows[0])
        base, top, j = n * size[0] * size[1] * channels, i * stride[0] - before[0], 0
        while j < windows[1]:
            at, start = (row * windows[1] + j) * channels, j * stride[1] - before[1]
            if above <= i < below and left <= j < right:
                origin, these, tap_count, run = top * size[1] + start, taps, taps.size, right - j
            else:
                tap_count = _taps_inside(top, start, size, window, dilation, clipped)
                origin, these, run = 0, clipped, 1
            _sum_run(x, base, origin, these, tap_count, stride[1], run, channels, y, at)
            if tap_count == 0:
                y[at : at + channels] = 0
            j += run
        at = row * windows[1] * channels
        _scale_row(height_share[i], width_share, channels, y[at : at + windows[1] * channels])


@parallel_kernel
def avg_pool(x, size, windows, channels, window, stride, before, taps, height_share, width_share, y):
    """Means of all windows: the sum of window (oi, oj) counts height_share[oi] * width_share[oj]."""
    total = y.size // max(1, windows[1] * channels)
    step = chunk_rows(size[1] * channels)
    for task in prange((total + step - 1) // step):
        rows = (task * step, min(total, (task + 1) * step))
        _mean_rows(rows, x, size, windows, channels, window, stride, before, taps, height_share, width_share, y)


@kernel
def _spread_run(dy, at, height_share, width_share, first, count, step, channels, dx, to):
    """dx += dy times its share for `count` windows in a row from `first` on and inputs `step` positions apart."""
    for j in range(first, first + count):
        share = height_share * width_share[j]
        for k in range(channels):
            dx[offset(to + k)] += share * dy[offset(at + k)]
        at, to = at + channels, to + step * channels


@kernel
def _mean_rows_backward(rows, dy, size, windows, channels, window, stride, before, height_share, width_share, dx):
    """Rows of inputs first to last - 1 of all images' rows, `rows` = (first, last)."""
    length = size[1] * channels
    for row in range(rows[0], rows[1]):
        n, i = divmod(row, size[0])
        dx[row * length : (row + 1) * length] = 0
        for u in range(window[0]):
            oi, off = divmod(i + before[0] - u, stride[0])
            if off != 0 or oi < 0 or oi >= windows[0]:
                continue
            for v in range(window[1]):
                first, end = _windows_with(v, size[1], stride[1], before[1], 1, windows[1])
                at = ((n * windows[0] + oi) * windows[1] + first) * channels
                to = (row * size[1] + first * stride[1] + v - before[1]) * channels
                share = height_share[oi]
                _spread_run(dy, at, share, width_share, first, end - first, stride[1], channels, dx, to)


@parallel_kernel
def avg_pool_backward(dy, size, windows, channels, window, stride, before, height_share, width_share, dx):
    """dx = the sum of dy times its share over the windows that see each input."""
    total = dx.size // max(1, size[1] * channels)
    step = chunk_rows(size[1] * channels)
    for task in prange((total + step - 1) // step):
        rows = (task * step, min(total, (task + 1) * step))
        _mean_rows_backward(rows, dy, size, windows, channels, window, stride, before, height_share, width_share, dx)


# -- all positions ----------------------------------------------------------------------------------------------------


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


@kernel
def _repeat(tile, x):
    """x = the tile over and over."""
    for start in range(0, x.size, tile.size):
        part = x[start : start + tile.size]
        for k in range(part.size):
            part[k] = tile[k]


@parallel_kernel
def image_fill(tiles, blocks, x):
    """Fill every image x[n] (positions * channels,) with its tile: tiles (n, width), in `blocks` parts."""
    n, width = tiles.shape
    size = block_size(width)
    for task in prange(n * blocks):
        image, block = task // blocks, task % blocks
        _repeat(tiles[image], x[image, block * size : (block + 1) * size])
