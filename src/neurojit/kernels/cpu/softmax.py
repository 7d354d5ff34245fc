"""Softmax and its logarithm over rows, forward and backward.

x, y, dy and dx are (rows, classes). A row is shifted by its largest entry first, so no exponential overflows.
"""

import numpy as np

from neurojit.core.jit import exact_kernel, kernel, overload, parallel_kernel, prange, types
from neurojit.kernels.cpu.chunks import chunk_rows
from neurojit.kernels.cpu.elementary import exp


def largest(row):
    """The largest entry of a row; for a row with a NaN any of its entries, and the NaN shows in the sum."""
    return max(row)


@exact_kernel
def _ordered(bits):
    """The bits of a float32 as an integer that compares as the float does; applied twice, the bits again."""
    return np.int32(bits ^ np.int32(np.int32(bits >> np.int32(31)) & np.int32(0x7FFFFFFF)))


@exact_kernel
def _largest_single(row):
    # The maximum of integers is one that LLVM vectorises: eight times faster on long rows.
    most = _ordered(np.float32(row[0]).view(np.int32))
    for j in range(1, row.size):
        most = max(most, _ordered(np.float32(row[j]).view(np.int32)))
    return np.int32(_ordered(most)).view(np.float32)


@exact_kernel
def _largest_double(row):
    most = row[0]
    for v in row:
        most = v if v > most else most
    return most


@overload(largest)
def _choose_largest(row):
    if row.dtype == types.float32:
        return lambda row: _largest_single(row)  # noqa: PLW0108, numba wants a function of its own
    return lambda row: _largest_double(row)  # noqa: PLW0108


@kernel
def shifted_exp(x, shift, y):
    """y = exp(x - shift) and the sum of y."""
    for j in range(x.size):
        y[j] = exp(x[j] - shift)
    # Summed in a loop that stores nothing: else LLVM sums in another order where x and y lie close together.
    total = x.dtype.type(0)
    for j in range(y.size):
        total += y[j]
    return total


@kernel
def _softmax(x, y):
    for i in range(x.shape[0]):
        scale = x.dtype.type(1) / shifted_exp(x[i], largest(x[i]), y[i])
        for j in range(x.shape[1]):
            y[i, j] *= scale


@kernel
def _softmax_backward(dy, y, dx):
    """dx = y (dy - sum_j dy_j y_j)."""
    for i in range(y.shape[0]):
        inner = y.dtype.type(0)
        for j in range(y.shape[1]):
            inner += dy[i, j] * y[i, j]
        for j in range(y.shape[1]):
            dx[i, j] = y[i, j] * (dy[i, j] - inner)


@exact_kernel
def _log_softmax(x, y):
    """y = (x - m) - log(sum_j exp(x_j - m)), m the row's largest entry; in this order large entries do no harm."""
    for i in range(x.shape[0]):
        shift = largest(x[i])
        log_total = np.log(shifted_exp(x[i], shift, y[i]))
        for j in range(x.shape[1]):
            y[i, j] = (x[i, j] - shift) - log_total


@kernel
def _log_softmax_backward(dy, y, dx):
    """dx = dy - exp(y) sum_j dy_j."""
    for i in range(y.shape[0]):
        total = y.dtype.type(0)
        for j in range(y.shape[1]):
            total += dy[i, j]
        for j in range(y.shape[1]):
            dx[i, j] = dy[i, j] - exp(y[i, j]) * total


@parallel_kernel
def softmax_forward(x, y):
    """y = exp(x) / sum_j exp(x_j) for every row."""
    rows = chunk_rows(x.shape[1])
    for task in prange((x.shape[0] + rows - 1) // rows):
        i, j = task * rows, (task + 1) * rows
        _softmax(x[i:j], y[i:j])


@parallel_kernel
def softmax_backward(dy, y, dx):
    """`_softmax_backward` on all threads."""
    rows = chunk_rows(y.shape[1])
    for task in prange((y.shape[0] + rows - 1) // rows):
        i, j = task * rows, (task + 1) * rows
        _softmax_backward(dy[i:j], y[i:j], dx[i:j])


@parallel_kernel
def log_softmax_forward(x, y):
    """`_log_softmax` on all threads."""
    rows = chunk_rows(x.shape[1])
    for task in prange((x.shape[0] + rows - 1) // rows):
        i, j = task * rows, (task + 1) * rows
        _log_softmax(x[i:j], y[i:j])


@parallel_kernel
def log_softmax_backward(dy, y, dx):
    """`_log_softmax_backward` on all threads."""
    rows = chunk_rows(y.shape[1])
    for task in prange((y.shape[0] + rows - 1) // rows):
        i, j = task * rows, (task + 1) * rows
        _log_softmax_backward(dy[i:j], y[i:j], dx[i:j])
