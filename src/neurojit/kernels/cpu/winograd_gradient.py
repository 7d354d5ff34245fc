"""Gradient to the weights of a Winograd convolution: the adjoint of winograd.py's product, layer by layer.

    dfilters[p] = sum over tiles t of patches[p, t]^T gradients[p, t],    p < points^2

with gradients = A dy A^T, and dweight = G^T dfilters G. Where the weights are light, parts of the batch sum filters of
their own (`sum_by_tiles`, `map_back_partials`); where they outweigh the tiles, all tiles are mapped beforehand and
each task makes one block of the weights (`sum_by_blocks`).

Shapes: x (n, h, w, c), dy (n, H, W, columns), dweight (taps, c, columns), partial (splits, points^2, c, columns);
patches and gradients as in winograd.py.
"""

import numpy as np

from neurojit.core.jit import kernel, parallel_kernel, prange
from neurojit.core.simd import WIDE_VECTORS, address, keep, lane_count
from neurojit.kernels.cpu.chunks import ceil_divide
from neurojit.kernels.cpu.product import add_outer_products, outer_room
from neurojit.kernels.cpu.winograd_maps import (
    CHANNELS,
    layer_size,
    map_filter_gradient,
    map_patches,
    tabulate_layers,
)


@kernel
def _add_products(patches, gradients, count, totals):
    """totals (layers, channels, columns) += patches^T gradients over `count` tiles, layer by layer."""
    layers, channels, columns = totals.shape
    full = WIDE_VECTORS * lane_count(patches)
    room = outer_room(patches)
    table, rows = np.empty(count, np.int64), np.empty(count, np.int64)
    offsets = np.arange(channels) * patches.itemsize
    for layer in range(layers):
        for t in range(count):
            table[t] = address(patches, layer * patches.shape[1] + t * channels)
            rows[t] = address(gradients, layer * gradients.shape[1] + t * columns)
        total, ahead = totals[layer], table[0]
        for column in range(0, columns, full):
            skip = column * patches.itemsize
            add_outer_products(patches, table, offsets, rows, skip, total, 0, channels, column, room, ahead)


@kernel
def _sum_split(variant, x, dy, before, tiling, first, last, share, totals):
    layers, c_in, columns = totals.shape
    patches = np.empty((layers, layer_size(share * c_in, x.itemsize)), x.dtype)
    gradients = np.empty((layers, layer_size(share * columns, x.itemsize)), x.dtype)
    totals[:] = 0
    for tile in range(first, last, share):
        count = min(share, last - tile)
        map_patches(variant, False, x, before, tiling, tile, count, 0, c_in, patches, 0)
        map_patches(variant, True, dy, (0, 0), tiling, tile, count, 0, columns, gradients, 0)
        _add_products(patches, gradients, count, totals)


@parallel_kernel
def sum_by_tiles(variant, x, dy, before, tiling, tiles, share, partial):
    """partial[s] = dfilters summed over part s of the tiles, `share` of them at a time."""
    splits = partial.shape[0]
    part = ceil_divide(tiles, splits)
    for task in prange(splits):
        split = np.int64(task)
        first = min(split * part, tiles)
        _sum_split(variant, x, dy, before, tiling, first, min(first + part, tiles), share, partial[split])


@kernel
def _map_back(variant, filters, columns, dweight, channel, column):
    """dweight[:, channel, column .. column + columns] = G^T dfilters G of filters (layers, full)."""
    taps, c_in, row = dweight.shape
    zeros = np.zeros(columns, dweight.dtype)
    sources, targets = np.empty(filters.shape[0], np.int64), np.empty(taps, np.int64)
    tabulate_layers(address(filters, 0), filters.shape[1] * filters.itemsize, sources)
    tabulate_layers(address(dweight, channel * row + column), c_in * row * dweight.itemsize, targets)
    map_filter_gradient(variant, filters, address(sources, 0), columns, address(targets, 0), address(zeros, 0))
    keep(zeros)
    keep(sources)
    keep(targets)


@kernel
def _map_back_partial(variant, partial, dweight, channel):
    splits, layers, _, columns = partial.shape
    total = np.empty((layers, columns), partial.dtype)
    for layer in range(layers):
        for j in range(columns):
            total[layer, j] = partial[0, layer, channel, j]
        for split in range(1, splits):
            for j in range(columns):
                total[layer, j] += partial[split, layer, channel, j]
    _map_back(variant, total, columns, dweight, channel, 0)


@parallel_kernel
def map_back_partials(variant, partial, dweight):
    """dweight = G^T (partial[0] + partial[1] + ...) G."""
    for channel in prange(dweight.shape[1]):
        _map_back_partial(variant, partial, dweight, np.int64(channel))


@kernel
def _sum_block(variant, patches, gradients, tiles, channel, column, dweight):
    _, c_in, row = dweight.shape
    channels, columns = min(CHANNELS, c_in - channel), min(WIDE_VECTORS * lane_count(patches), row - column)
    totals = np.zeros((patches.shape[0], channels, columns), patches.dtype)
    block = np.empty((patches.shape[0], columns), patches.dtype)
    _add_products(patches, gradients, tiles, totals)
    for c in range(channels):
        block[:] = totals[:, c]
        _map_back(variant, block, columns, dweight, channel + c, column)


@parallel_kernel
def sum_by_blocks(variant, patches, gradients, tiles, dweight):
    """dweight from patches in blocks of CHANNELS channels and gradients in panels, one pair of them to a task."""
    full = WIDE_VECTORS * lane_count(patches)
    blocks, panels = patches.shape[0], gradients.shape[0]
    for task in prange(blocks * panels):
        panel, block = divmod(np.int64(task), blocks)
        _sum_block(variant, patches[block], gradients[panel], tiles, block * CHANNELS, panel * full, dweight)
