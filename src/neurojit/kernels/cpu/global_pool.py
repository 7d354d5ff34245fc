"""Sums over all positions of each sample, and their gradient; see columns.py for how the positions are walked."""

from neurojit.core.jit import kernel, parallel_kernel, prange
from neurojit.kernels.cpu.columns import add_tiles, block_size, fold


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
