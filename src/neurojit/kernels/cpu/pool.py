"""Pooling over windows of images: maxima with switches, and means; forward and backward.

x and dx are (n, h, w, c), y and dy (n, oh, ow, c), switches (n, oh, ow, c) int32: the position h_index * w + w_index of
each maximum, -1 where a window holds no input. window, stride, dilation and before (the padding above and left) are
pairs. Backward passes gather: every input looks up the windows that see it, so no two threads meet.
"""

import numpy as np

from neurojit.core.jit import exact_kernel, kernel, parallel_kernel, prange
from neurojit.kernels.cpu.chunks import chunk_rows
from neurojit.kernels.cpu.columns import add_tiles, block_size, fold


@kernel
def _windows(position, extent, stride, before, windows):
    """The windows along an axis that reach an input position, as the first and one past the last."""
    return max(0, (position + before - extent + stride) // stride), min(windows, (position + before) // stride + 1)


# -- maximum --------------------------------------------------------------------------------------------------------------


@exact_kernel
def _raise_to(pixel, best):
    """best = max(best, pixel); a NaN wins."""
    for k in range(best.size):
        v = pixel[k]
        best[k] = v if (v > best[k]) | (v != v) else best[k]


@exact_kernel
def _raise_to_with_switch(pixel, position, best, switch):
    """`_raise_to` that notes the position of what is taken; the first of equal values stays."""
    for k in range(best.size):
        v = pixel[k]
        taken = (v > best[k]) | (v != v)
        best[k] = v if taken else best[k]
        switch[k] = position if taken else switch[k]


@kernel
def _max_window(image, top, left, window, dilation, best, switch):
    """The maximum of one window of image (h, w, c), and where it is unless `switch` has no length."""
    h, w, _ = image.shape
    best[:] = -np.inf
    switch[:] = -1
    for u in range(window[0]):
        i = top + u * dilation[0]
        if i < 0 or i >= h:
            continue
        for v in range(window[1]):
            j = left + v * dilation[1]
            if j < 0 or j >= w:
                continue
            if switch.size > 0:
                _raise_to_with_switch(image[i, j], np.int32(i * w + j), best, switch)
            else:
                _raise_to(image[i, j], best)


@parallel_kernel
def max_pool(x, window, stride, before, dilation, y, switches):
    """Maxima of all windows; switches of shape (0, 0, 0, 0) are not written."""
    n, oh, ow, c = y.shape
    rows = chunk_rows(x.shape[2] * c)
    for task in prange((n * oh + rows - 1) // rows):
        for row in range(task * rows, min(n * oh, (task + 1) * rows)):
            _max_row(x, row, window, stride, before, dilation, y, switches)


@kernel
def _max_row(x, row, window, stride, before, dilation, y, switches):
    image, oi = divmod(row, y.shape[1])
    top = oi * stride[0] - before[0]
    for oj in range(y.shape[2]):
        left = oj * stride[1] - before[1]
        switch = switches[image, oi, oj] if switches.size > 0 else switches.reshape(-1)
        _max_window(x[image], top, left, window, dilation, y[image, oi, oj], switch)


@kernel
def _take_gradient(dy, switch, position, dx):
    """dx += dy where the switch is here."""
    for k in range(dx.size):
        dx[k] += dy[k] if switch[k] == position else dx.dtype.type(0)


@kernel
def _max_row_backward(dy, switches, row, extent, stride, before, dx):
    _, oh, ow, _ = dy.shape
    image, i = divmod(row, dx.shape[1])
    top, bottom = _windows(i, extent[0], stride[0], before[0], oh)
    for j in range(dx.shape[2]):
        left, right = _windows(j, extent[1], stride[1], before[1], ow)
        pixel = dx[image, i, j]
        pixel[:] = 0
        position = np.int32(i * dx.shape[2] + j)
        for oi in range(top, bottom):
            for oj in range(left, right):
                _take_gradient(dy[image, oi, oj], switches[image, oi, oj], position, pixel)


@parallel_kernel
def max_pool_backward(dy, switches, extent, stride, before, dx):
    """dx = the sum of dy over the windows whose switch is at each input; extent is how far a window reaches."""
    n, h, w, c = dx.shape
    rows = chunk_rows(w * c)
    for task in prange((n * h + rows - 1) // rows):
        for row in range(task * rows, min(n * h, (task + 1) * rows)):
            _max_row_backward(dy, switches, row, extent, stride, before, dx)


# -- mean -----------------------------------------------------------------------------------------------------------------


@kernel
def _mean_row(x, row, window, stride, before, height_share, width_share, y):
    _, h, w, c = x.shape
    image, oi = divmod(row, y.shape[1])
    top = oi * stride[0] - before[0]
    for oj in range(y.shape[2]):
        left = oj * stride[1] - before[1]
        mean = y[image, oi, oj]
        mean[:] = 0
        for i in range(max(0, top), min(h, top + window[0])):
            for j in range(max(0, left), min(w, left + window[1])):
                pixel = x[image, i, j]
                for k in range(c):
                    mean[k] += pixel[k]
        share = height_share[oi] * width_share[oj]
        for k in range(c):
            mean[k] *= share


@parallel_kernel
def avg_pool(x, window, stride, before, height_share, width_share, y):
    """Means of all windows: the sum of window (oi, oj) counts height_share[oi] * width_share[oj]."""
    n, oh, ow, c = y.shape
    rows = chunk_rows(x.shape[2] * c)
    for task in prange((n * oh + rows - 1) // rows):
        for row in range(task * rows, min(n * oh, (task + 1) * rows)):
            _mean_row(x, row, window, stride, before, height_share, width_share, y)


@kernel
def _mean_row_backward(dy, row, window, stride, before, height_share, width_share, dx):
    _, oh, ow, c = dy.shape
    image, i = divmod(row, dx.shape[1])
    top, bottom = _windows(i, window[0], stride[0], before[0], oh)
    for j in range(dx.shape[2]):
        left, right = _windows(j, window[1], stride[1], before[1], ow)
        pixel = dx[image, i, j]
        pixel[:] = 0
        for oi in range(top, bottom):
            for oj in range(left, right):
                share = height_share[oi] * width_share[oj]
                gradient = dy[image, oi, oj]
                for k in range(c):
                    pixel[k] += share * gradient[k]


@parallel_kernel
def avg_pool_backward(dy, window, stride, before, height_share, width_share, dx):
    """dx = the sum of dy times its share over the windows that see each input."""
    n, h, w, c = dx.shape
    rows = chunk_rows(w * c)
    for task in prange((n * h + rows - 1) // rows):
        for row in range(task * rows, min(n * h, (task + 1) * rows)):
            _mean_row_backward(dy, row, window, stride, before, height_share, width_share, dx)


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
