"""Weights as the register tile reads them: in panels as wide as it is; and partial results put together."""

import numpy as np

from neurojit.core import simd
from neurojit.core.memory import empty, empty_at_line
from neurojit.kernels.cpu import conv as kernels
from neurojit.kernels.cpu.packing import pack_panels

_SMALL = 1 << 17  # NumPy has packed so many weights before a kernel is on its way


def panel_count(columns, dtype, vectors=simd.VECTORS):
    """The width of a register tile of so many vectors, and how many it takes for a number of columns."""
    full = vectors * simd.lanes(dtype)
    return full, -(-columns // full)


def packed_panels(matrix, groups=1, vectors=simd.VECTORS):
    """A matrix (rows, groups * columns) in panels, shape (groups, panels, rows, full), with zeros past the columns."""
    rows, columns = len(matrix), matrix.shape[1] // groups
    full, panels = panel_count(columns, matrix.dtype, vectors)
    packed = empty_at_line((groups, panels, rows, full), matrix.dtype)  # else every load crosses two lines
    if columns % full == 0 and matrix.size <= _SMALL:
        packed[:] = matrix.reshape(rows, groups, panels, full).transpose(1, 2, 0, 3)
    else:
        pack_panels(matrix.reshape(rows, groups, columns), packed)
    return packed


def start_rows(bias, columns, groups, dtype, vectors=simd.VECTORS):
    """The row every sum starts from, bias or zeros, for whole panels of `columns` columns in each group."""
    full, panels = panel_count(columns, dtype, vectors)
    start = np.zeros((groups, panels * full), dtype)
    if bias is not None:
        start[:, :columns] = bias.reshape(groups, columns)
    return start


def sum_partials(partial):
    """partial[0] + partial[1] + ..., in that order, for partial (splits, size)."""
    if len(partial) == 1:
        return partial[0]
    total = empty(partial.shape[1], partial.dtype)
    kernels.sum_partials(partial, total)
    return total
