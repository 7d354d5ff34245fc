"""Space to depth: the pixels of each cell of an image side by side, as the channels of one."""

import numpy as np

from neurojit.core.jit import kernel, parallel_kernel, prange
from neurojit.core.runs import copy
from neurojit.core.simd import address


@kernel
def _gather_row(x, before, cell, row, out):
    """Row `row` of out, counted through all images."""
    (_, h, w, c), (_, down, across, depth) = x.shape, out.shape
    n, y = divmod(row, down)
    for i in range(cell[0]):
        source_y = y * cell[0] + i - before[0]
        for place in range(across * cell[1]):
            column, j = divmod(place, cell[1])
            source_x = place - before[1]
            first = (row * across + column) * depth + (i * cell[1] + j) * c
            if 0 <= source_y < h and 0 <= source_x < w:
                copy(x, address(x, ((n * h + source_y) * w + source_x) * c), address(out, first), c)
            else:
                out.reshape(-1)[first : first + c] = 0


@parallel_kernel
def gather_cells(x, before, cell, out):
    """out[n, Y, X, i, j, c] = x[n, cell Y + i - before, cell X + j - before, c], zero past the border.

    x (n, h, w, c), out (n, H, W, cell[0] * cell[1] * c).
    """
    for row in prange(out.shape[0] * out.shape[1]):
        _gather_row(x, before, cell, np.int64(row), out)
