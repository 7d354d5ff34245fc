"""Softmax and its logarithm over rows, forward and backward.

x, y, dy and dx are (rows, classes). A row is shifted by its largest entry first, so no exponential overflows.
"""

import numpy as np

from neurojit.core.jit import kernel, parallel_kernel, prange
from neurojit.kernels.cpu.chunks import chunk_rows
from neurojit.kernels.cpu.elementary import exp


@kernel
def largest(row):
    """The largest entry; a NaN is passed over here and shows in the sum."""
    most = row[0]
    for v in row:
        most = v if v > most else most
    return most


@kernel
def shifted_exp(x, shift, y):
    """y = exp(x - shift) and the sum of y."""
    total = x.dtype.type(0)
    for j in range(x.size):
        e = exp(x[j] - shift)
        y[j] = e
        total += e
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


@kernel
def _log_softmax(x, y):
    """y = x - m - log(sum_j exp(x_j - m)), m the row's largest entry."""
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
