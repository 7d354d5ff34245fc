"""Copies that put convolution inputs and weights in the order the register tile reads them."""

import numpy as np

from neurojit.core.jit import inner_kernel, kernel, parallel_kernel, prange
from neurojit.core.runs import copy
from neurojit.core.simd import address
from neurojit.kernels.cpu.chunks import ceil_divide

# Rows of weights one packing task copies.
_PACK_ROWS = 64


@parallel_kernel
def pack_panels(weight, packed):
    """packed[g, panel, row, j] = weight[row, g, panel * full + j], zero past the last column.

    weight (rows, groups, columns), packed (groups, panels, rows, full), rows = taps * run.
    """
    rows = weight.shape[0]
    for task in prange(ceil_divide(rows, _PACK_ROWS)):
        first = np.int64(task) * _PACK_ROWS
        _pack_rows(weight, first, min(first + _PACK_ROWS, rows), packed)


@kernel
def _pack_rows(weight, first, last, packed):
    groups, panels, rows, full = packed.shape
    columns = weight.shape[2]
    for group in range(groups):
        for panel in range(panels):
            column = panel * full
            width = min(full, columns - column)
            for row in range(first, last):
                source = address(weight, (row * groups + group) * columns + column)
                copy(weight, source, address(packed, ((group * panels + panel) * rows + row) * full), width)
                for j in range(width, full):
                    packed[group, panel, row, j] = 0


@parallel_kernel
def pack_transposed(weight, taps, packed):
    """packed[g, panel, t * columns + o, j] = weight[taps[t], panel * full + j, g, o], zero past the last input channel.

    weight (all taps, c_in, groups, columns), packed (groups, panels, taps * columns, full).
    """
    groups, panels = packed.shape[0], packed.shape[1]
    for task in prange(groups * panels):
        group, panel = divmod(np.int64(task), panels)
        _pack_transposed_panel(weight, taps, group, panel, packed)


@kernel
def _pack_transposed_panel(weight, taps, group, panel, packed):
    _, c_in, _, columns = weight.shape
    full = packed.shape[3]
    width = min(full, c_in - panel * full)
    for t in range(taps.size):
        tap = taps[t]
        for j in range(width):
            for o in range(columns):
                packed[group, panel, t * columns + o, j] = weight[tap, panel * full + j, group, o]
        for j in range(width, full):
            for o in range(columns):
                packed[group, panel, t * columns + o, j] = 0


@parallel_kernel
def pad(x, before, out):
    """out = x (n, d, h, w, c) with zeros around it, `before` of them before each spatial axis."""
    for row in prange(out.shape[0] * out.shape[1] * out.shape[2]):
        _pad_row(x, before, out, np.int64(row))


@inner_kernel
def _pad_row(x, before, out, row):
    row, oy = divmod(row, out.shape[2])
    n, oz = divmod(row, out.shape[1])
    z, y = oz - before[0], oy - before[1]
    if not (0 <= z < x.shape[1] and 0 <= y < x.shape[2]):
        out[n, oz, oy] = 0
        return
    c, width = x.shape[4], x.shape[3]
    end = before[2] + width
    out[n, oz, oy, : before[2]] = 0
    out[n, oz, oy, end:] = 0
    source = address(x, ((n * x.shape[1] + z) * x.shape[2] + y) * width * c)
    row = ((n * out.shape[1] + oz) * out.shape[2] + oy) * out.shape[3] + before[2]
    copy(x, source, address(out, row * c), width * c)
