"""Rows of a table by number: only the way back needs a kernel.

tokens (m,)    dy (m, units)    dweight (size, units)
"""

import numpy as np

from neurojit.core.jit import inner_kernel, parallel_kernel, prange
from neurojit.core.runs import accumulate
from neurojit.core.simd import address
from neurojit.kernels.cpu.chunks import ceil_divide

_COLUMNS = 32  # of the table that one task owns: a few cache lines of each row


@inner_kernel
def _add_columns(tokens, dy, column, columns, dweight):
    units = dy.shape[1]
    for k in range(tokens.size):
        into = address(dweight, tokens[k] * units + column)
        accumulate(dy, address(dy, k * units + column), into, columns)


@parallel_kernel
def scatter_rows(tokens, dy, dweight):
    """dweight[tokens[k]] += dy[k], in the order of k; a task owns some columns."""
    units = dy.shape[1]
    for task in prange(ceil_divide(units, _COLUMNS)):
        column = np.int64(task) * _COLUMNS
        _add_columns(tokens, dy, column, min(_COLUMNS, units - column), dweight)
