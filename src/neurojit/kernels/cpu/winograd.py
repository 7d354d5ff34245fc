"""Winograd convolution: forward and gradient to data of windows 2 x 2, 3 x 3 and 5 x 5 with stride 1.

The map is cut into tiles of m x m outputs. Patches of the source and filters are mapped (winograd_maps.py), for each of
the points^2 elements the tiles are multiplied with the filters by the register tile, and the products are mapped back:

    products[p, t] = patches[p, t] @ filters[p],    p < points^2, t < tiles

The gradient to data is the same with the window turned round and the filters' channels exchanged (`is_adjoint`); where
it makes up one phase of the gradient of a convolution with a larger stride, its outputs lie `spacing` apart from
`origin` on. Where
filters are light, each task maps patches, multiplies and maps back a few tiles (`convolve_by_tiles`); where they
outweigh the tiles, each task maps the filters of a panel instead (`convolve_by_panels`), which never leave its cache.

Shapes: source (n, h, w, c), out (n, H, W, columns), weight (taps, c, columns); a panel is as wide as the register tile,
`full`. Of patches (layers, rows * c), products (layers, rows * full) and filters (layers, c * full) each layer p is a
matrix, rows being tiles rounded up to whole register tiles; layers lie `layer_size` apart.
"""

import numpy as np

from neurojit.core.jit import inner_kernel, kernel, parallel_kernel, prange
from neurojit.core.simd import ROWS, VECTORS, address, fetch, keep, lane_count
from neurojit.kernels.cpu.chunks import ceil_divide
from neurojit.kernels.cpu.product import PART, multiply
from neurojit.kernels.cpu.winograd_maps import (
    CHANNELS,
    layer_size,
    map_filter,
    map_output,
    map_patches,
    outputs_of,
    tabulate_layers,
    tabulate_patch,
    tile_corner,
)


@inner_kernel
def _gather_adjoint(weight, channel, count, column, columns, gathered):
    """gathered[tap, c, j] = the weight of the adjoint from input `channel` + c to output `column` + j."""
    taps = weight.shape[0]
    for tap in range(taps):
        for j in range(columns):
            for c in range(count):
                gathered[tap, c, j] = weight[taps - 1 - tap, column + j, channel + c]


@inner_kernel
def _fetch_filters(weight, is_adjoint, channel, step, column, columns):
    """Ask for a part of the weights that come next, from `channel` on: they lie in lines far from one another."""
    taps, rows, row = weight.shape
    line = lane_count(weight)
    if is_adjoint:
        at = (column + step % columns) * row + channel + step // columns * columns
    else:
        at = (channel + step) * row + column
    for tap in range(taps):
        for j in range(0, columns, line):
            fetch(weight, min(tap * rows * row + at + j, weight.size - 1))


@kernel
def _map_filters(variant, weight, is_adjoint, channel, count, column, columns, filters):
    """Filters from `count` input channels to one panel of outputs, of weight (taps, c, k) or its adjoint."""
    (taps, rows, row), layers, full = weight.shape, filters.shape[0], VECTORS * lane_count(weight)
    gathered = np.empty((taps, count, full) if is_adjoint else (0, 0, 0), weight.dtype)
    zeros = np.zeros(full, weight.dtype)
    sources, targets = np.empty(taps, np.int64), np.empty(layers, np.int64)
    if is_adjoint:
        _gather_adjoint(weight, channel, count, column, columns, gathered)
        first, row, tap = address(gathered, 0), full, count * full
    else:
        first, tap = address(weight, channel * row + column), rows * row
    if columns < full:
        filters[:] = 0
    for c in range(count):
        _fetch_filters(weight, is_adjoint, channel + count, c, column, columns)
        tabulate_layers(first + c * row * weight.itemsize, tap * weight.itemsize, sources)
        tabulate_layers(address(filters, c * full), filters.shape[1] * weight.itemsize, targets)
        map_filter(variant, weight, address(sources, 0), columns, address(targets, 0), address(zeros, 0))
    keep(zeros)
    keep(gathered)
    keep(sources)
    keep(targets)


@kernel
def _multiply(patches, rows, channels, is_first, filters, products):
    """products += patches @ filters, layer by layer; `is_first` sets them anew."""
    full = VECTORS * lane_count(patches)
    zeros = np.zeros(full, patches.dtype)
    where, starts, outs = np.empty(rows, np.int64), np.empty(rows, np.int64), np.empty(rows, np.int64)
    for layer in range(patches.shape[0]):
        for part in range(0, channels, PART):
            for t in range(rows):
                where[t] = address(patches, layer * patches.shape[1] + t * channels + part)
                outs[t] = address(products, layer * products.shape[1] + t * full)
                starts[t] = address(zeros, 0) if is_first and part == 0 else outs[t]
            weights = address(filters, layer * filters.shape[1] + part * full)
            multiply(patches, where, min(PART, channels - part), weights, starts, outs, full)
    keep(zeros)


@kernel
def _map_products(variant, products, bias, tiling, first, count, column, columns, out, origin, spacing):
    """Outputs of `count` tiles from `first` on, for one panel of columns."""
    full = VECTORS * lane_count(out)
    m, steps = outputs_of(variant), (spacing[0] * tiling[2], spacing[1] * tiling[3])
    scratch = np.empty(out.shape[3], out.dtype)
    sources, targets = np.empty(products.shape[0], np.int64), np.empty(m * m, np.int64)
    for t in range(count):
        n, y, x = tile_corner(first + t, m, tiling)
        tabulate_layers(address(products, t * full), products.shape[1] * out.itemsize, sources)
        y, x = origin[0] + spacing[0] * y, origin[1] + spacing[1] * x
        tabulate_patch(out, address(scratch, 0), n, y, x, m, steps, targets)
        for i in range(targets.size):
            targets[i] += column * out.itemsize
        map_output(variant, out, address(sources, 0), columns, address(targets, 0), address(bias, column))
    keep(scratch)
    keep(sources)
    keep(targets)


@parallel_kernel
def map_all_filters(variant, weight, is_adjoint, filters):
    """filters (panels, layers, layer size) of weight (taps, c, columns), or of its adjoint."""
    full = VECTORS * lane_count(weight)
    c_in, columns = (weight.shape[2], weight.shape[1]) if is_adjoint else (weight.shape[1], weight.shape[2])
    for panel in prange(filters.shape[0]):
        column = np.int64(panel) * full
        _map_filters(variant, weight, is_adjoint, 0, c_in, column, min(full, columns - column), filters[panel])


@kernel
def _convolve_tiles(variant, source, before, tiling, first, count, filters, bias, out, origin, spacing):
    c_in, full = source.shape[3], VECTORS * lane_count(source)
    panels, layers, _ = filters.shape
    rows = ceil_divide(count, ROWS) * ROWS
    patches = np.empty((layers, layer_size(rows * c_in, source.itemsize)), source.dtype)
    patches[:, count * c_in :] = 0
    products = np.empty((layers, layer_size(rows * full, source.itemsize)), source.dtype)
    map_patches(variant, False, source, before, tiling, first, count, 0, c_in, patches, 0)
    for panel in range(panels):
        column = panel * full
        _multiply(patches, rows, c_in, True, filters[panel], products)
        columns = min(full, out.shape[3] - column)
        _map_products(variant, products, bias, tiling, first, count, column, columns, out, origin, spacing)


@parallel_kernel
def convolve_by_tiles(variant, source, before, tiling, tiles, share, filters, bias, out, origin, spacing):
    """out = bias + the convolution, `share` tiles to a task."""
    for task in prange(ceil_divide(tiles, share)):
        first = np.int64(task) * share
        count = min(share, tiles - first)
        _convolve_tiles(variant, source, before, tiling, first, count, filters, bias, out, origin, spacing)


@kernel
def _convolve_panel(
    variant, patches, c_in, tiling, tiles, weight, is_adjoint, column, columns, bias, out, origin, spacing
):
    full = VECTORS * lane_count(patches)
    blocks, layers, _ = patches.shape
    rows = ceil_divide(tiles, ROWS) * ROWS
    products = np.empty((layers, layer_size(rows * full, patches.itemsize)), patches.dtype)
    filters = np.empty((layers, layer_size(CHANNELS * full, patches.itemsize)), patches.dtype)
    for block in range(blocks):
        channel = block * CHANNELS
        count = min(CHANNELS, c_in - channel)
        _map_filters(variant, weight, is_adjoint, channel, count, column, columns, filters)
        _multiply(patches[block], rows, count, block == 0, filters, products)
    _map_products(variant, products, bias, tiling, 0, tiles, column, columns, out, origin, spacing)


@parallel_kernel
def convolve_by_panels(variant, patches, c_in, tiling, tiles, weight, is_adjoint, bias, out, origin, spacing):
    """out = bias + the convolution of mapped patches, one panel of columns to a task."""
    columns = out.shape[3]
    full = VECTORS * lane_count(patches)
    for panel in prange(ceil_divide(columns, full)):
        column = np.int64(panel) * full
        rest = min(full, columns - column)
        _convolve_panel(
            variant, patches, c_in, tiling, tiles, weight, is_adjoint, column, rest, bias, out, origin, spacing
        )
