"""Walks over (rows, channels) arrays as if they were wide, so that inner loops are long however few the channels.

The array is flat; a tile holds `width` = several rows of channels side by side, and whatever is known of a channel is
repeated along it.
"""

import numpy as np

from neurojit.core.jit import kernel, parallel_kernel, prange
from neurojit.kernels.cpu.chunks import CHUNK

# Offsets are cast to unsigned integers, for which numba compiles no test for negative indices: LLVM can then vectorise.
offset = np.uint64


@kernel
def block_size(width):
    """Elements of one task: whole tiles that make up about one chunk."""
    return width * max(1, CHUNK // width)


@kernel
def add_tiles(x, total):
    """total[k] = x[k] + x[k + width] + x[k + 2 width] + ...; four tiles go in at a time, to pass `total` less often."""
    width = total.size
    total[:] = 0
    fours = x.size // (4 * width) * (4 * width)
    for a in range(0, fours, 4 * width):
        b, c, d = a + width, a + 2 * width, a + 3 * width
        for k in range(width):
            total[k] += (x[offset(a + k)] + x[offset(b + k)]) + (x[offset(c + k)] + x[offset(d + k)])
    for a in range(fours, x.size, width):
        for k in range(min(width, x.size - a)):
            total[k] += x[offset(a + k)]


@kernel
def fold(tile, channels):
    """Add the rows of a tile together into its first row, by halves, which keeps rounding errors small."""
    rows = tile.size // channels
    while rows > 1:
        half = (rows + 1) // 2
        for k in range((rows - half) * channels):
            tile[k] += tile[k + half * channels]
        rows = half


@kernel
def unfold(tile, channels):
    """Repeat the first row of a tile along it."""
    for k in range(channels, tile.size):
        tile[k] = tile[k - channels]


@kernel
def _sum_block(x, channels, total):
    add_tiles(x, total)
    fold(total, channels)


@parallel_kernel
def channel_sums(x, channels, partial):
    """partial[block, :channels] = the sums of a block of x (rows * channels,) over its rows."""
    size = block_size(partial.shape[1])
    for block in prange(partial.shape[0]):
        _sum_block(x[block * size : (block + 1) * size], channels, partial[block])
