"""Softmax and its logarithm over rows, forward and backward; x, y, dy and dx are (rows, classes).

A warp takes a row, which is shifted by its largest entry first, so no exponential overflows.
"""

import math

from neurojit.core.cuda import Launch, Matrix, cuda, cuda_kernel, device_function
from neurojit.kernels.cuda.warps import warp_max, warp_sum

THREADS = 256
WARPS = THREADS // 32


def _row_each(x, *others):
    """A warp for every row."""
    return Launch(-(-x.shape[0] // WARPS), THREADS)


@device_function
def own_row():
    """The row of this warp."""
    return cuda.blockIdx.x * WARPS + cuda.threadIdx.x // 32


@device_function
def largest(x, row):
    """The largest entry of a row; for a row with a NaN any of its entries, and the NaN shows in the sum."""
    most = x[row, 0]
    for j in range(cuda.laneid, x.shape[1], 32):
        most = max(most, x[row, j])
    return warp_max(most)


@device_function
def exp_sum(x, row, shift):
    """The sum of exp(x - shift) over a row."""
    s = x.dtype.type(0)
    for j in range(cuda.laneid, x.shape[1], 32):
        s += math.exp(x[row, j] - shift)
    return warp_sum(s)


@cuda_kernel(_row_each, registers=40)
def softmax_forward(x: Matrix, y: Matrix):
    """y = exp(x) / sum_j exp(x_j) for every row."""
    row = own_row()
    if row < x.shape[0]:
        shift = largest(x, row)
        scale = x.dtype.type(1) / exp_sum(x, row, shift)
        for j in range(cuda.laneid, x.shape[1], 32):
            y[row, j] = math.exp(x[row, j] - shift) * scale


@cuda_kernel(_row_each, registers=40)
def softmax_backward(dy: Matrix, y: Matrix, dx: Matrix):
    """dx = y (dy - sum_j dy_j y_j)."""
    row = own_row()
    if row < y.shape[0]:
        inner = y.dtype.type(0)
        for j in range(cuda.laneid, y.shape[1], 32):
            inner += dy[row, j] * y[row, j]
        inner = warp_sum(inner)
        for j in range(cuda.laneid, y.shape[1], 32):
            dx[row, j] = y[row, j] * (dy[row, j] - inner)


@cuda_kernel(_row_each, registers=40)
def log_softmax_forward(x: Matrix, y: Matrix):
    """y = (x - m) - log(sum_j exp(x_j - m)), m the row's largest entry; in this order large entries do no harm."""
    row = own_row()
    if row < x.shape[0]:
        shift = largest(x, row)
        log_total = math.log(exp_sum(x, row, shift))
        for j in range(cuda.laneid, x.shape[1], 32):
            y[row, j] = (x[row, j] - shift) - log_total


@cuda_kernel(_row_each, registers=40)
def log_softmax_backward(dy: Matrix, y: Matrix, dx: Matrix):
    """dx = dy - exp(y) sum_j dy_j."""
    row = own_row()
    if row < y.shape[0]:
        s = y.dtype.type(0)
        for j in range(cuda.laneid, y.shape[1], 32):
            s += dy[row, j]
        s = warp_sum(s)
        for j in range(cuda.laneid, y.shape[1], 32):
            dx[row, j] = dy[row, j] - math.exp(y[row, j]) * s
