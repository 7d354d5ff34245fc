"""Normalization of rows: each by the moments of its own features, forward and backward.

x, y, dy and dx are (rows, features); mean and inverse, one divided by the standard deviation, are (rows,); gamma and
beta are (features,). A row is worked through while it is in the first cache. `centered` says whether the mean is taken
off: root-mean-square normalization leaves it in, and its `mean` is 0.
"""

import numpy as np

from neurojit.core.jit import exact_kernel, kernel, parallel_kernel, prange
from neurojit.core.vector import lanes, load, rolled, splat, store, total, wide
from neurojit.kernels.cpu.chunks import chunk_rows


@exact_kernel
def _mean(x, start, features):
    """The mean of a row: its first value plus the mean deviation from it, so that sums stay small."""
    zero = wide(x)
    pivot, deviations = splat(x[start], zero), zero
    k = 0
    while k + lanes(zero) <= features:
        rolled()
        deviations = deviations + (load(x, start + k, lanes(zero), zero) - pivot)
        k += lanes(zero)
    rest = x.dtype.type(0)
    while k < features:
        rolled()
        rest += x[start + k] - x[start]
        k += 1
    return x[start] + (total(deviations) + rest) / x.dtype.type(features)


@kernel
def _square_sum(x, start, features, mean):
    """Sum of (x - mean)^2 over a row."""
    zero = wide(x)
    center, squares = splat(mean, zero), zero
    k = 0
    while k + lanes(zero) <= features:
        rolled()
        deviation = load(x, start + k, lanes(zero), zero) - center
        squares = squares + deviation * deviation
        k += lanes(zero)
    rest = x.dtype.type(0)
    while k < features:
        rolled()
        rest += (x[start + k] - mean) * (x[start + k] - mean)
        k += 1
    return total(squares) + rest


@kernel
def _normalize_rows(first, end, x, gamma, beta, eps, centered, mean, inverse, y):
    zero, features = wide(x), gamma.size
    for row in range(first, end):
        start = row * features
        m = _mean(x, start, features) if centered else x.dtype.type(0)
        variance = _square_sum(x, start, features, m) / x.dtype.type(features)
        s = x.dtype.type(1) / np.sqrt(variance + x.dtype.type(eps))
        mean[row], inverse[row] = m, s
        center, scale = splat(m, zero), splat(s, zero)
        for k in range(0, features, lanes(zero)):
            rolled()
            count = min(lanes(zero), features - k)
            xhat = (load(x, start + k, count, zero) - center) * scale
            store(y, start + k, count, xhat * load(gamma, k, count, zero) + load(beta, k, count, zero))


@parallel_kernel
def normalize_rows(x, gamma, beta, eps, centered, mean, inverse, y):
    """y = gamma (x - mean) inverse + beta with the moments of each row, which are written too; x and y are flat."""
    rows, step = mean.size, chunk_rows(gamma.size)
    for task in prange((rows + step - 1) // step):
        first, end = task * step, min(rows, (task + 1) * step)
        _normalize_rows(first, end, x, gamma, beta, eps, centered, mean, inverse, y)


@kernel
def _row_sums(dy, x, start, gamma, center, scale, dgamma, dbeta):
    """Sums over a row of gamma dy and of gamma dy xhat; dbeta += dy and dgamma += dy xhat."""
    zero, features = wide(x), gamma.size
    dy_sum, product_sum = zero, zero
    for k in range(0, features, lanes(zero)):
        rolled()
        count = min(lanes(zero), features - k)
        v = load(dy, start + k, count, zero)
        product = v * (load(x, start + k, count, zero) - center) * scale
        weight = load(gamma, k, count, zero)
        dy_sum, product_sum = dy_sum + weight * v, product_sum + weight * product
        store(dbeta, k, count, load(dbeta, k, count, zero) + v)
        store(dgamma, k, count, load(dgamma, k, count, zero) + product)
    return total(dy_sum), total(product_sum)


@kernel
def _rows_backward(first, end, dy, x, gamma, centered, mean, inverse, dgamma, dbeta, dx):
    zero, features = wide(x), gamma.size
    dgamma[:] = 0
    dbeta[:] = 0
    for row in range(first, end):
        start = row * features
        center, scale = splat(mean[row], zero), splat(inverse[row], zero)
        dy_sum, product_sum = _row_sums(dy, x, start, gamma, center, scale, dgamma, dbeta)
        if dx.size == 0:
            continue
        by_mean = splat(dy_sum / x.dtype.type(features) if centered else x.dtype.type(0), zero)
        by_xhat = splat(product_sum / x.dtype.type(features), zero)
        for k in range(0, features, lanes(zero)):
            rolled()
            count = min(lanes(zero), features - k)
            xhat = (load(x, start + k, count, zero) - center) * scale
            weighted = load(gamma, k, count, zero) * load(dy, start + k, count, zero)
            store(dx, start + k, count, scale * (weighted - by_mean - xhat * by_xhat))


@parallel_kernel
def rows_backward(dy, x, gamma, step, centered, mean, inverse, dgamma, dbeta, dx):
    """dx = inverse (gamma dy - its mean - xhat times the mean of gamma dy xhat), `step` rows to a task.

    dgamma and dbeta (tasks, features) take the sums of each task's rows; a dx of no length is not written.
    """
    rows = mean.size
    for task in prange(dgamma.shape[0]):
        first, end = task * step, min(rows, (task + 1) * step)
        _rows_backward(first, end, dy, x, gamma, centered, mean, inverse, dgamma[task], dbeta[task], dx)
