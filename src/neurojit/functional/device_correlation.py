"""The three products of a convolution on the device, and how large a tile of them a block of threads makes."""

import math

import numpy as np

from neurojit.core.cuda import device_empty
from neurojit.functional.columns import over_parts
from neurojit.functional.devices import constant
from neurojit.kernels.cuda import conv, depthwise
from neurojit.kernels.cuda.packing import pack_transposed

# A processor has two blocks at work, and the largest GPUs have 132 processors: so many blocks keep them busy.
_BLOCKS = 264
_LARGE = 128  # rows and columns of the large tile
_FEW_COLUMNS = 16  # fewer columns, or terms, a group are no work for a tile
_MOST_SPLITS = 1024


def _is_direct(run, columns, groups):
    """Whether groups are too small for tiles, as those of a depthwise convolution are."""
    return groups > 1 and min(run, columns) < _FEW_COLUMNS


def _fits_large(rows, columns, groups):
    """Whether there are large tiles enough for the whole GPU."""
    return columns >= _LARGE and groups * (rows // _LARGE) * (columns // _LARGE) >= _BLOCKS


def _correlate_kernel(positions, run, columns, groups):
    if _is_direct(run, columns, groups):
        return depthwise.correlate
    if run % 4 or columns % 4:
        return conv.correlate
    return conv.correlate_vector_large if _fits_large(positions, columns, groups) else conv.correlate_vector


def _correlate(x, weight, bias, out, numbers, run, columns, groups):
    """Run the kernel that suits; `numbers` are grid, step, displacement, origin and spacing."""
    grid, step, displacement, origin, spacing = numbers
    start = device_empty(0, x.dtype) if bias is None else bias.reshape(-1)
    table = constant(displacement.astype(np.int32).reshape(-1))
    kernel = _correlate_kernel(len(x) * math.prod(grid), run, columns, groups)
    places = grid, step, origin, spacing, out.shape[1:-1]
    flat = x.reshape(-1), weight.reshape(-1), start, out.reshape(-1), table
    kernel(*flat, len(x), x.shape[1:-1], run, *places, columns, groups)
    return out


def forward(x, weight, bias, geometry):
    """The convolution of x (n, *geometry.size, c_in), shape (n, *geometry.output, c_out)."""
    c_out, groups = weight.shape[-1], geometry.groups
    out = device_empty((len(x), *geometry.output, c_out), x.dtype)
    numbers = geometry.output, geometry.stride, geometry.displacement, (0, 0, 0), (1, 1, 1)
    return _correlate(x, weight, bias, out, numbers, geometry.c_in // groups, c_out // groups, groups)


def data_gradient(dy, weight, geometry, bias=None):
    """Gradient to x plus `bias`, shape (n, *geometry.size, c_in), phase by phase."""
    groups, c_out = geometry.groups, weight.shape[-1]
    run, columns = geometry.c_in // groups, c_out // groups
    dx = device_empty((len(dy), *geometry.size, geometry.c_in), dy.dtype)
    for phase in geometry.phases:
        packed = device_empty((phase.taps.size, columns, groups * run), dy.dtype)
        taps = constant(phase.taps.astype(np.int32))
        pack_transposed(weight.reshape(-1), taps, run, groups, columns, packed.reshape(-1))
        numbers = phase.grid, (1, 1, 1), phase.displacement, phase.origin, geometry.stride
        _correlate(dy, packed, bias, dx, numbers, columns, run, groups)
    return dx


def weight_gradient(x, dy, weight_shape, geometry):
    """Gradient to the weights, of their shape."""
    groups, c_out, size = geometry.groups, weight_shape[-1], math.prod(weight_shape)
    run, columns, rows = geometry.c_in // groups, c_out // groups, size // c_out
    positions = len(x) * math.prod(geometry.output)
    if _is_direct(run, columns, groups):
        kernel, blocks, units = depthwise.correlate_weight_gradient, -(-size // 256), positions // geometry.output[-1]
    else:
        is_vector, is_large = run % 4 == columns % 4 == 0, min(rows, columns) >= _LARGE
        kernel = conv.correlate_weight_gradient
        if is_vector:
            kernel = conv.correlate_weight_gradient_vector
        if is_vector and is_large:
            kernel = conv.correlate_weight_gradient_vector_large
        tile = _LARGE if is_vector and is_large else 64
        blocks, units = groups * -(-rows // tile) * -(-columns // tile), -(-positions // 64)
    splits = max(1, min(-(-_BLOCKS // blocks), units, _MOST_SPLITS))
    share = max(1, -(-(units if kernel is depthwise.correlate_weight_gradient else positions) // splits))
    partial = device_empty((splits, size), x.dtype)
    table = constant(geometry.displacement.astype(np.int32).reshape(-1))
    numbers = len(x), geometry.size, run, geometry.output, geometry.stride, columns, groups, share
    kernel(x.reshape(-1), dy.reshape(-1), partial, table, *numbers)
    return over_parts(partial).reshape(weight_shape)
