"""Batch normalization: the batch's moments, the normalization, and the gradients through both.

x, y, dy and dx are flat (rows * channels,); what belongs to a channel comes as a tile of `width` elements that repeats
it (see columns.py). Partial results are (blocks, width), one row a block of the batch, with the sums in the first
`channels` places; the caller adds the blocks together in order.
"""

from neurojit.core.jit import kernel, parallel_kernel, prange
from neurojit.kernels.cpu.columns import add_deviations, add_squares, block_size, fold, offset, unfold


@kernel
def _moments(x, channels, mean, square):
    """mean = the block's mean, square = the sum of its squared deviations from that mean.

    The mean is the first row plus the mean deviation from it: sums stay small however large the values.
    """
    pivot = square
    for k in range(channels):
        pivot[k] = x[k]
    unfold(pivot, channels)
    add_deviations(x, pivot, mean)
    fold(mean, channels)
    rows = mean.dtype.type(x.size // channels)
    for k in range(channels):
        mean[k] = pivot[k] + mean[k] / rows
    unfold(mean, channels)
    add_squares(x, mean, square)
    fold(square, channels)


@parallel_kernel
def moments(x, channels, mean, square):
    """`_moments` of every block: two passes over memory that is still in the cache for the second."""
    size = block_size(mean.shape[1])
    for block in prange(mean.shape[0]):
        _moments(x[block * size : (block + 1) * size], channels, mean[block], square[block])


@kernel
def _normalize(x, mean, scale, shift, y):
    """y = scale (x - mean) + shift."""
    width = mean.size
    for a in range(0, x.size, width):
        for k in range(min(width, x.size - a)):
            y[offset(a + k)] = scale[k] * (x[offset(a + k)] - mean[k]) + shift[k]


@parallel_kernel
def normalize(x, mean, scale, shift, y):
    """`_normalize` on all threads."""
    size = block_size(mean.size)
    for block in prange((x.size + size - 1) // size):
        i, j = block * size, (block + 1) * size
        _normalize(x[i:j], mean, scale, shift, y[i:j])


@kernel
def _gradient_sums(dy, x, channels, mean, dy_sum, product_sum):
    """dy_sum = sum of dy, product_sum = sum of dy (x - mean), over a block."""
    width = mean.size
    dy_sum[:] = 0
    product_sum[:] = 0
    for a in range(0, x.size, width):
        for k in range(min(width, x.size - a)):
            dy_sum[k] += dy[offset(a + k)]
            product_sum[k] += dy[offset(a + k)] * (x[offset(a + k)] - mean[k])
    fold(dy_sum, channels)
    fold(product_sum, channels)


@parallel_kernel
def gradient_sums(dy, x, channels, mean, dy_sum, product_sum):
    """`_gradient_sums` of every block."""
    size = block_size(mean.size)
    for block in prange(dy_sum.shape[0]):
        i, j = block * size, (block + 1) * size
        _gradient_sums(dy[i:j], x[i:j], channels, mean, dy_sum[block], product_sum[block])


@kernel
def _normalize_backward(dy, x, mean, by_dy, by_x, shift, dx):
    """dx = by_dy dy + by_x (x - mean) + shift."""
    width = mean.size
    for a in range(0, x.size, width):
        for k in range(min(width, x.size - a)):
            dx[offset(a + k)] = by_dy[k] * dy[offset(a + k)] + by_x[k] * (x[offset(a + k)] - mean[k]) + shift[k]


@parallel_kernel
def normalize_backward(dy, x, mean, by_dy, by_x, shift, dx):
    """`_normalize_backward` on all threads."""
    size = block_size(mean.size)
    for block in prange((x.size + size - 1) // size):
        i, j = block * size, (block + 1) * size
        _normalize_backward(dy[i:j], x[i:j], mean, by_dy, by_x, shift, dx[i:j])
