"""Local response normalization across channels, forward and backward; arrays as in kernels/cpu/response_norm.py.

A thread takes a channel of a pixel. Its neighbours take much the same channels, which are in the first-level cache.
"""

import math

from neurojit.core.cuda import Float, Int, Launch, Matrix, cuda, cuda_kernel, quotient

THREADS = 256


def _each(x, *others):
    return Launch(-(-x.size // THREADS), THREADS)


@cuda_kernel(_each, registers=40)
def local_response(
    x: Matrix, before: Int, after: Int, alpha: Float, beta: Float, k: Float, base: Matrix, factor: Matrix, y: Matrix
):
    """base = k + alpha (the squares of channels c - before to c + after), factor = base^-beta, y = factor x."""
    i, channels = cuda.grid(1), x.shape[1]
    if i >= x.size:
        return
    row = quotient(i, channels)
    c = i - row * channels
    s = x.dtype.type(0)
    for j in range(max(0, c - before), min(channels, c + after + 1)):
        s += x[row, j] * x[row, j]
    divisor = k + alpha * s
    power = math.pow(divisor, -beta)
    base[row, c], factor[row, c], y[row, c] = divisor, power, power * x[row, c]


@cuda_kernel(_each, registers=48)
def local_response_backward(
    dy: Matrix, x: Matrix, before: Int, after: Int, by_sum: Float, base: Matrix, factor: Matrix, dx: Matrix
):
    """dx = factor dy - by_sum x times the sum of dy x factor / base over the channels whose windows hold this one."""
    i, channels = cuda.grid(1), x.shape[1]
    if i >= x.size:
        return
    row = quotient(i, channels)
    c = i - row * channels
    s = x.dtype.type(0)
    for j in range(max(0, c - after), min(channels, c + before + 1)):
        s += dy[row, j] * x[row, j] * factor[row, j] / base[row, j]
    dx[row, c] = factor[row, c] * dy[row, c] - by_sum * x[row, c] * s
