"""Normalization of samples that fit a core's second-level cache: moments and all in one visit to each.

x, y, dy and dx are (images, positions * channels), one task an image; channels fall into `groups` that share moments.
gamma and beta are tiles (width,), which repeat what belongs to a channel (see columns.py); all that is written besides
results is (images, width), and holds in its first `channels` places what norm.py would find.
"""

import numpy as np

from neurojit.core.jit import kernel, parallel_kernel, prange
from neurojit.kernels.cpu.columns import unfold
from neurojit.kernels.cpu.norm import (
    block_gradient_sums,
    block_moments,
    normalize_block,
    normalize_block_backward,
)

_PIECE = 1 << 13  # elements that the first-level cache keeps from the first pass over them to the second


@kernel
def _sample_moments(x, channels, mean, square):
    """`block_moments` of a whole sample, by pieces that are joined as in Chan, Golub and LeVeque (1983), equations 2.1.

    The results are in the first `channels` places of mean and square.
    """
    size = mean.size * max(1, _PIECE // mean.size)
    piece_mean, piece_square = np.empty_like(mean), np.empty_like(square)
    so_far, squares = np.zeros(channels, np.float64), np.zeros(channels, np.float64)
    for start in range(0, x.size, size):
        end = min(x.size, start + size)
        block_moments(x, start, end, channels, piece_mean, piece_square)
        weight = (end - start) / end
        for c in range(channels):
            shift = piece_mean[c] - so_far[c]
            squares[c] += piece_square[c] + (start // channels) * weight * (shift * shift)
            so_far[c] += weight * shift
    for c in range(channels):
        mean[c], square[c] = so_far[c], squares[c]


@kernel
def _share(mean, square, rows, channels, groups):
    """From each channel's mean and sum of squared deviations to its group's mean and variance."""
    size = channels // groups
    for first in range(0, channels, size):
        center, variance = np.float64(0), np.float64(0)
        for c in range(first, first + size):
            center += mean[c]
        center /= size
        for c in range(first, first + size):
            shift = mean[c] - center
            variance += square[c] / rows + shift * shift
        for c in range(first, first + size):
            mean[c], square[c] = center, variance / size


@kernel
def _normalize_sample(x, channels, groups, gamma, beta, eps, mean, inverse, scale, y):
    rows = x.size // channels
    _sample_moments(x, channels, mean, inverse)
    _share(mean, inverse, rows, channels, groups)
    for c in range(channels):
        inverse[c] = 1.0 / np.sqrt(np.float64(inverse[c]) + eps)
        scale[c] = inverse[c] * gamma[c]
    unfold(mean, channels)
    unfold(scale, channels)
    normalize_block(x, 0, x.size, mean, scale, beta, y)


@parallel_kernel
def normalize_samples(x, channels, groups, gamma, beta, eps, mean, inverse, scale, y):
    """y = gamma (x - mean) inverse + beta; mean, inverse and scale = gamma inverse are written too."""
    for n in prange(x.shape[0]):
        _normalize_sample(x[n], channels, groups, gamma, beta, eps, mean[n], inverse[n], scale[n], y[n])


@kernel
def _sample_backward(dy, x, channels, groups, gamma, mean, inverse, scale, dy_sum, product_sum, by_x, shift, dx):
    block_gradient_sums(dy, x, 0, x.size, channels, mean, dy_sum, product_sum)
    size = channels // groups
    count = size * (x.size // channels)
    for first in range(0, channels, size):
        for c in range(first, first + size):
            product_sum[c] *= inverse[c]
        by_mean, by_xhat = np.float64(0), np.float64(0)
        for c in range(first, first + size):  # storing nothing, so that the order does not depend on where arrays lie
            by_mean += gamma[c] * dy_sum[c]
            by_xhat += gamma[c] * product_sum[c]
        for c in range(first, first + size):
            by_x[c] = -inverse[c] * inverse[c] * (by_xhat / count)
            shift[c] = -inverse[c] * (by_mean / count)
    unfold(by_x, channels)
    unfold(shift, channels)
    if dx.size > 0:
        normalize_block_backward(dy, x, 0, x.size, mean, scale, by_x, shift, dx)


@parallel_kernel
def samples_backward(dy, x, channels, groups, gamma, mean, inverse, scale, dy_sum, product_sum, by_x, shift, dx):
    """dx = inverse (gamma dy - its mean - xhat times the mean of gamma dy xhat), the means being a group's.

    dy_sum and product_sum take each image's sums of dy and of dy xhat; by_x and shift are room for factors. A dx of no
    columns is not written.
    """
    for n in prange(x.shape[0]):
        sums, factors = (dy_sum[n], product_sum[n]), (by_x[n], shift[n])
        own = mean[n], inverse[n], scale[n]
        _sample_backward(dy[n], x[n], channels, groups, gamma, *own, *sums, *factors, dx[n])
