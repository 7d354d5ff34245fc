"""The three products of a convolution: forward, gradient to data, gradient to weights."""

import math

import numpy as np

from neurojit.core import simd
from neurojit.core.cuda import on_device
from neurojit.core.memory import empty
from neurojit.functional import depthwise, device_correlation, few_channels, winograd
from neurojit.functional.cells import gathered, weights_of_cells, weights_over_cells
from neurojit.functional.panels import packed_panels, panel_count, start_rows, sum_partials
from neurojit.kernels.cpu import conv as kernels
from neurojit.kernels.cpu.packing import pack_transposed

# Panels of weights are packed where it pays: their rows then follow one another and start at a cache line. It does for
# this many positions, and for half as many where rows are so long that those one below the other share few sets of the
# cache; below, the weights are read too few times.
_MANY_POSITIONS = 1024
_LONG_ROW = 4096
# The wide tile takes products of this many positions and more.
_WIDE_POSITIONS = 512


def _tile(images, grid, taps, columns, dtype):
    """Rows and vectors of the register tile that fits a product of so many rows on `grid` for each tap."""
    full, panels = panel_count(columns, dtype, simd.WIDE_VECTORS)
    fills = panels * full - columns < simd.lanes(dtype)
    positions = math.prod(grid)
    is_walked_along_rows = taps == 1 or positions > kernels.SMALL_MAP
    if fills and is_walked_along_rows and images * positions >= _WIDE_POSITIONS:
        return simd.WIDE_ROWS, simd.WIDE_VECTORS
    return simd.ROWS, simd.VECTORS


def _packed(weight, groups, positions, vectors):
    """Weights (taps, run, groups * columns) as the kernels read them: a flat array and its layout."""
    c_out = weight.shape[2]
    columns = c_out // groups
    full, _ = panel_count(columns, weight.dtype, vectors)
    is_worth_it = positions >= (_MANY_POSITIONS // 2 if weight.strides[1] >= _LONG_ROW else _MANY_POSITIONS)
    if columns % simd.lanes(weight.dtype) == 0 and not is_worth_it:
        return weight.reshape(-1), (columns, full, c_out)
    packed = packed_panels(weight.reshape(-1, c_out), groups, vectors)
    return packed.reshape(-1), (packed[0].size, packed[0, 0].size, full)


def _packed_transposed(weight, taps, groups, vectors):
    """Chosen taps of weights (all taps, c_in, groups * columns), inputs and outputs exchanged, with their layout."""
    _, c_in, c_out = weight.shape
    full, panels = panel_count(c_in, weight.dtype, vectors)
    rows = taps.size * (c_out // groups)
    packed = empty((groups, panels, rows, full), weight.dtype)
    pack_transposed(weight.reshape(-1, c_in, groups, c_out // groups), taps, packed)
    return packed.reshape(-1), (packed[0].size, packed[0, 0].size, full)


def _winograd_cells(geometry, images, c_out):
    """The convolution over cells where Winograd's algorithm pays for it, or None."""
    cells = geometry.over_cells
    return None if cells is None or winograd.forward_tiling(cells, images, c_out) is None else cells


def algorithm(geometry, images, c_out):
    """What `forward` will do, in words."""
    if depthwise.takes(geometry, c_out):
        return "lanewise product"
    tiling = winograd.forward_tiling(geometry, images, c_out)
    if tiling is not None:
        return tiling.name
    cells = _winograd_cells(geometry, images, c_out)
    if cells is not None:
        return f"{algorithm(cells, images, c_out)} over cells"
    if geometry.has_few_channels:
        return "product of scattered values"
    return "matrix product" if math.prod(geometry.window) == 1 else "indirect matrix product"


def forward(x, weight, bias, geometry):
    """The convolution of x (n, *geometry.size, c_in), shape (n, *geometry.output, c_out)."""
    if on_device(x):
        return device_correlation.forward(x, weight, bias, geometry)
    if depthwise.takes(geometry, weight.shape[-1]):
        return depthwise.forward(x, weight, bias, geometry)
    c_out, groups = weight.shape[-1], geometry.groups
    tiling = winograd.forward_tiling(geometry, len(x), c_out)
    if tiling is not None:
        taps = weight.reshape(-1, *weight.shape[-2:])
        y = empty((len(x), *geometry.output, c_out), x.dtype)
        winograd.convolve(_image(x), taps, bias, tiling, False, _image(y))
        return y
    cells = _winograd_cells(geometry, len(x), c_out)
    if cells is not None:
        return forward(gathered(x, geometry, cells), weights_over_cells(weight, geometry, cells), bias, cells)
    if geometry.has_few_channels:
        return few_channels.forward(x, weight, bias, geometry)
    out = empty((len(x), *geometry.output, c_out), weight.dtype)
    positions, run = len(x) * math.prod(geometry.output), geometry.c_in // groups
    grid, step, columns, displacement = geometry.output, geometry.stride, c_out // groups, geometry.displacement
    rows, vectors = _tile(len(x), grid, len(displacement), columns, weight.dtype)
    packed, layout = _packed(weight.reshape(-1, run, c_out), groups, positions, vectors)
    start = start_rows(bias, columns, groups, weight.dtype, vectors)
    tile = rows, vectors * simd.lanes(weight.dtype)
    kernels.correlate(x, packed, layout, tile, run, start, out, grid, step, displacement, (0, 0, 0), (1, 1, 1))
    return out


def data_gradient(dy, weight, geometry, bias=None):
    """Gradient to x plus `bias`, shape (n, *geometry.size, c_in): phases correlate dy with the taps that reach them."""
    if on_device(dy):
        return device_correlation.data_gradient(dy, weight, geometry, bias)
    if depthwise.takes(geometry, weight.shape[-1]):
        return depthwise.data_gradient(dy, weight, geometry, bias)
    group_in, c_out = weight.shape[-2:]
    weight = weight.reshape(-1, group_in, c_out)
    if geometry.has_few_channels:
        return few_channels.data_gradient(dy, weight, geometry, bias)
    dx = empty((dy.shape[0], *geometry.size, geometry.c_in), dy.dtype)
    for phase in geometry.phases:
        if phase.taps.size == 0:
            d, h, w = (slice(r, None, s) for r, s in zip(phase.origin, geometry.stride, strict=True))
            dx[:, d, h, w] = 0 if bias is None else bias
        elif min(phase.grid) > 0:
            _set_phase(dy, weight, geometry, bias, phase, dx)
    return dx


def _set_phase(dy, weight, geometry, bias, phase, dx):
    """Every stride-th element of dx from `phase.origin` on."""
    groups, (_, group_in, c_out) = geometry.groups, weight.shape
    tiling = winograd.data_gradient_tiling(geometry, phase, len(dy), c_out)
    if tiling is not None:
        taps = weight if len(phase.taps) == len(weight) else weight[phase.taps]
        origin, spacing = phase.origin[1:], geometry.stride[1:]
        winograd.convolve(_image(dy), taps, bias, tiling, True, _image(dx), origin, spacing)
        return
    rows, vectors = _tile(len(dy), phase.grid, len(phase.taps), group_in, dy.dtype)
    packed, layout = _packed_transposed(weight, phase.taps, groups, vectors)
    start = start_rows(bias, group_in, groups, dy.dtype, vectors)
    grid, displacement, tile = phase.grid, phase.displacement, (rows, vectors * simd.lanes(dy.dtype))
    run, step = c_out // groups, (1, 1, 1)
    kernels.correlate(dy, packed, layout, tile, run, start, dx, grid, step, displacement, phase.origin, geometry.stride)


def weight_gradient(x, dy, weight_shape, geometry):
    """Gradient to the weights, of their shape: for every tap, the inputs it saw times dy."""
    if on_device(x):
        return device_correlation.weight_gradient(x, dy, weight_shape, geometry)
    if depthwise.takes(geometry, weight_shape[-1]):
        return depthwise.weight_gradient(x, dy, weight_shape, geometry)
    c_out, groups = weight_shape[-1], geometry.groups
    tiling = winograd.weight_gradient_tiling(geometry, len(dy), c_out)
    if tiling is not None:
        taps = (math.prod(geometry.window), *weight_shape[-2:])
        return winograd.weight_gradient(_image(x), _image(dy), taps, tiling).reshape(weight_shape)
    cells = _winograd_cells(geometry, len(dy), c_out)
    if cells is not None:
        shape = (*cells.window, cells.c_in, c_out)
        dweight = weight_gradient(gathered(x, geometry, cells), dy, shape, cells)
        return weights_of_cells(dweight, geometry, cells).reshape(weight_shape)
    if geometry.has_few_channels:
        return few_channels.weight_gradient(x, dy, weight_shape, geometry)
    taps, run = len(geometry.displacement), geometry.c_in // groups
    offset = np.arange(run, dtype=np.int64) * dy.itemsize
    splits = _splits(x.nbytes + dy.nbytes, math.prod(weight_shape) * dy.itemsize)
    partial = empty((splits, groups, taps, run, c_out // groups), dy.dtype)
    kernels.correlate_weight_gradient(x, dy, partial, geometry.output, geometry.stride, geometry.displacement, offset)
    total = sum_partials(partial.reshape(splits, -1)).reshape(groups, taps * run, c_out // groups)
    return total.transpose(1, 0, 2).reshape(weight_shape)


def _image(array):
    """(n, 1, h, w, c) as (n, h, w, c)."""
    return array.reshape(len(array), *array.shape[2:])


def _splits(data_bytes, weight_bytes):
    """Parts of the batch that sum weight gradients of their own: many only while those are light beside the data."""
    return max(1, min(8, 2 * data_bytes // weight_bytes))
