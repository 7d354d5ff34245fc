"""Normalization of channels: their moments, the normalization, and the gradients through both.

x, y, dy and dx are (images, positions * channels): each image has moments of its own, and a whole batch may stand as
one image. An image is cut into blocks; what is known of a channel comes as a tile of `width` elements that repeats it
(see columns.py), one tile for each image or (1, width) for all. Partial results are (images, blocks, width), with the
block's sums in the first `channels` places, which are joined in order.
"""

import numpy as np

from neurojit.core.jit import exact_kernel, kernel, parallel_kernel, prange
from neurojit.core.vector import lanes, load, rolled, store, wide
from neurojit.kernels.cpu.chunks import backwards
from neurojit.kernels.cpu.columns import block_size, fold, unfold


@kernel
def _block_of(task, blocks, width, length):
    """The image a task belongs to, its block, and where that begins and ends."""
    image, block = task // blocks, task % blocks
    start = block * block_size(width)
    return image, block, start, min(length, start + block_size(width))


# Loops over the tiles take whole vectors as long as there are some, with nothing to mask and what is known of a channel
# in registers; the rows that are left at the end are masked.


@exact_kernel
def _deviations(x, start, end, pivot, k, count, zero):
    """Sum over the tiles of x[start:end] of x - pivot, for `count` places of a tile from k on."""
    center, at = load(pivot, k, count, zero), start + k
    while at + count <= end:
        rolled()
        zero = zero + (load(x, at, count, zero) - center)
        at += pivot.size
    if at < end:
        few = end - at
        zero = zero + (load(x, at, few, zero) - load(pivot, k, few, zero))
    return zero


@kernel
def _squares(x, start, end, mean, k, count, zero):
    """As `_deviations`, of (x - mean)^2."""
    center, at = load(mean, k, count, zero), start + k
    while at + count <= end:
        rolled()
        deviation = load(x, at, count, zero) - center
        zero = zero + deviation * deviation
        at += mean.size
    if at < end:
        few = end - at
        deviation = load(x, at, few, zero) - load(mean, k, few, zero)
        zero = zero + deviation * deviation
    return zero


@kernel
def block_moments(x, start, end, channels, mean, square):
    """mean = the block's mean, square = the sum of its squared deviations from that mean.

    The mean is the first row plus the mean deviation from it: sums stay small however large the values.
    """
    pivot, zero, width = square, wide(x), mean.size
    whole = width - width % lanes(zero)
    for k in range(channels):
        pivot[k] = x[start + k]
    unfold(pivot, channels)
    for k in range(0, whole, lanes(zero)):
        rolled()
        store(mean, k, lanes(zero), _deviations(x, start, end, pivot, k, lanes(zero), zero))
    if whole < width:
        store(mean, whole, width - whole, _deviations(x, start, end, pivot, whole, width - whole, zero))
    fold(mean, channels)
    rows = mean.dtype.type((end - start) // channels)
    for k in range(channels):
        mean[k] = pivot[k] + mean[k] / rows
    unfold(mean, channels)
    for k in range(0, whole, lanes(zero)):
        rolled()
        store(square, k, lanes(zero), _squares(x, start, end, mean, k, lanes(zero), zero))
    if whole < width:
        store(square, whole, width - whole, _squares(x, start, end, mean, whole, width - whole, zero))
    fold(square, channels)


@parallel_kernel
def moments(x, channels, mean, square):
    """`block_moments` of every block: two passes over memory that is still in the cache for the second."""
    images, blocks, width = mean.shape
    for task in prange(images * blocks):
        image, block, start, end = _block_of(task, blocks, width, x.shape[1])
        block_moments(x[image], start, end, channels, mean[image, block], square[image, block])


@exact_kernel
def join_moments(means, squares, channels, rows, block_rows, mean, square):
    """Moments of images from those of their blocks, joined as in Chan, Golub and LeVeque (1983), equations 2.1.

    mean and square, the sum of squared deviations, are (images, channels) float64; blocks have `block_rows` of an
    image's `rows`, the last of them the rest.
    """
    images, blocks, _ = means.shape
    mean[:] = 0
    square[:] = 0
    for n in range(images):
        for b in range(blocks):
            count = min(block_rows, rows - b * block_rows)
            for c in range(channels):
                mean[n, c] += count * np.float64(means[n, b, c])
        for c in range(channels):
            mean[n, c] /= rows
        for b in range(blocks):
            count = min(block_rows, rows - b * block_rows)
            for c in range(channels):
                shift = means[n, b, c] - mean[n, c]
                square[n, c] += squares[n, b, c] + count * (shift * shift)


@exact_kernel
def join_sums(partial, channels, total):
    """total (images, channels) float64 = the sum of what the blocks have in their first places."""
    images, blocks, _ = partial.shape
    total[:] = 0
    for n in range(images):
        for b in range(blocks):
            for c in range(channels):
                total[n, c] += partial[n, b, c]


@kernel
def _normalize_tiles(x, start, end, mean, scale, shift, k, count, zero, y):
    """`normalize_block` of `count` places of every tile from k on."""
    center, slope, offset = load(mean, k, count, zero), load(scale, k, count, zero), load(shift, k, count, zero)
    at = start + k
    while at + count <= end:
        rolled()
        store(y, at, count, slope * (load(x, at, count, zero) - center) + offset)
        at += mean.size
    if at < end:
        few = end - at
        store(y, at, few, slope * (load(x, at, few, zero) - center) + offset)


@kernel
def normalize_block(x, start, end, mean, scale, shift, y):
    """y = scale (x - mean) + shift."""
    zero, width = wide(x), mean.size
    whole = width - width % lanes(zero)
    for k in range(0, whole, lanes(zero)):
        rolled()
        _normalize_tiles(x, start, end, mean, scale, shift, k, lanes(zero), zero, y)
    if whole < width:
        _normalize_tiles(x, start, end, mean, scale, shift, whole, width - whole, zero, y)


@parallel_kernel
def normalize(x, blocks, threads, mean, scale, shift, y):
    """`normalize_block` of every block, on `threads` threads; the tiles are (images or 1, width)."""
    tiles, width = mean.shape
    tasks = x.shape[0] * blocks
    for i in prange(tasks):
        task = backwards(i, tasks, threads)
        image, _, start, end = _block_of(task, blocks, width, x.shape[1])
        t = min(image, tiles - 1)
        normalize_block(x[image], start, end, mean[t], scale[t], shift[t], y[image])


@kernel
def _products(dy, x, start, end, mean, k, count, zero):
    """As `_deviations`, of dy and of dy (x - mean)."""
    center, at, product = load(mean, k, count, zero), start + k, zero
    while at + count <= end:
        rolled()
        v = load(dy, at, count, zero)
        zero = zero + v
        product = product + v * (load(x, at, count, zero) - center)
        at += mean.size
    if at < end:
        few = end - at
        v = load(dy, at, few, zero)
        zero = zero + v
        product = product + v * (load(x, at, few, zero) - center)
    return zero, product


@kernel
def block_gradient_sums(dy, x, start, end, channels, mean, dy_sum, product_sum):
    """dy_sum = sum of dy, product_sum = sum of dy (x - mean), over a block."""
    zero, width = wide(x), mean.size
    whole = width - width % lanes(zero)
    for k in range(0, whole, lanes(zero)):
        rolled()
        total, product = _products(dy, x, start, end, mean, k, lanes(zero), zero)
        store(dy_sum, k, lanes(zero), total)
        store(product_sum, k, lanes(zero), product)
    if whole < width:
        total, product = _products(dy, x, start, end, mean, whole, width - whole, zero)
        store(dy_sum, whole, width - whole, total)
        store(product_sum, whole, width - whole, product)
    fold(dy_sum, channels)
    fold(product_sum, channels)


@parallel_kernel
def gradient_sums(dy, x, channels, mean, dy_sum, product_sum):
    """`block_gradient_sums` of every block."""
    images, blocks, width = dy_sum.shape
    for task in prange(images * blocks):
        image, block, start, end = _block_of(task, blocks, width, x.shape[1])
        own, t = (image, block), min(image, mean.shape[0] - 1)
        block_gradient_sums(dy[image], x[image], start, end, channels, mean[t], dy_sum[own], product_sum[own])


@kernel
def _normalize_tiles_backward(dy, x, start, end, mean, by_dy, by_x, shift, k, count, zero, dx):
    """`normalize_block_backward` of `count` places of every tile from k on."""
    center, offset = load(mean, k, count, zero), load(shift, k, count, zero)
    slope, factor = load(by_x, k, count, zero), load(by_dy, k, count, zero)
    at = start + k
    while at + count <= end:
        rolled()
        deviation = load(x, at, count, zero) - center
        store(dx, at, count, factor * load(dy, at, count, zero) + slope * deviation + offset)
        at += mean.size
    if at < end:
        few = end - at
        deviation = load(x, at, few, zero) - center
        store(dx, at, few, factor * load(dy, at, few, zero) + slope * deviation + offset)


@kernel
def normalize_block_backward(dy, x, start, end, mean, by_dy, by_x, shift, dx):
    """dx = by_dy dy + by_x (x - mean) + shift."""
    zero, width = wide(x), mean.size
    whole = width - width % lanes(zero)
    for k in range(0, whole, lanes(zero)):
        rolled()
        _normalize_tiles_backward(dy, x, start, end, mean, by_dy, by_x, shift, k, lanes(zero), zero, dx)
    if whole < width:
        _normalize_tiles_backward(dy, x, start, end, mean, by_dy, by_x, shift, whole, width - whole, zero, dx)


@parallel_kernel
def normalize_backward(dy, x, blocks, threads, mean, by_dy, by_x, shift, dx):
    """`normalize_block_backward` of every block, on `threads` threads; the tiles are (images or 1, width)."""
    tiles, width = mean.shape
    tasks = x.shape[0] * blocks
    for i in prange(tasks):
        task = backwards(i, tasks, threads)
        image, _, start, end = _block_of(task, blocks, width, x.shape[1])
        t = min(image, tiles - 1)
        normalize_block_backward(dy[image], x[image], start, end, mean[t], by_dy[t], by_x[t], shift[t], dx[image])
