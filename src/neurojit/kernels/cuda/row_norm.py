"""Normalization of rows: each by the moments of its own features, forward and backward.

x, y, dy and dx are flat (rows, features); mean and inverse, one divided by the standard deviation, are (rows,); gamma
and beta are (features,). A warp takes a row. `centered` says whether the mean is taken off: root-mean-square
normalization leaves it in, and its `mean` is 0.
"""

import math

from neurojit.core.cuda import Float, Floats, Int, Launch, Matrix, cuda, cuda_kernel
from neurojit.kernels.cuda.warps import warp_sum

THREADS = 256
WARPS = THREADS // 32
LANES, STRIPES = 32, 8


def _row_each(rows):
    return Launch(-(-rows // WARPS), THREADS)


@cuda_kernel(lambda x, gamma, beta, eps, centered, mean, inverse, y: _row_each(mean.size), registers=40)
def normalize_rows(
    x: Floats, gamma: Floats, beta: Floats, eps: Float, centered: Int, mean: Floats, inverse: Floats, y: Floats
):
    """y = gamma (x - mean) inverse + beta with the moments of each row, which are written too."""
    row, features = cuda.blockIdx.x * WARPS + cuda.threadIdx.x // 32, gamma.size
    if row >= mean.size:
        return
    start, count = row * features, x.dtype.type(features)
    center, square = x.dtype.type(0), x.dtype.type(0)
    if centered != 0:
        pivot, deviations = x[start], x.dtype.type(0)
        for k in range(cuda.laneid, features, 32):
            deviations += x[start + k] - pivot
        center = pivot + warp_sum(deviations) / count
    for k in range(cuda.laneid, features, 32):
        deviation = x[start + k] - center
        square += deviation * deviation
    scale = x.dtype.type(1) / math.sqrt(warp_sum(square) / count + eps)
    if cuda.laneid == 0:
        mean[row], inverse[row] = center, scale
    for k in range(cuda.laneid, features, 32):
        y[start + k] = gamma[k] * ((x[start + k] - center) * scale) + beta[k]


@cuda_kernel(lambda dy, x, gamma, centered, mean, inverse, dx: _row_each(mean.size), registers=40)
def rows_data_gradient(dy: Floats, x: Floats, gamma: Floats, centered: Int, mean: Floats, inverse: Floats, dx: Floats):
    """dx = inverse (gamma dy - its mean - xhat times the mean of gamma dy xhat)."""
    row, features = cuda.blockIdx.x * WARPS + cuda.threadIdx.x // 32, gamma.size
    if row >= mean.size:
        return
    start, center, scale = row * features, mean[row], inverse[row]
    by_mean, by_xhat = x.dtype.type(0), x.dtype.type(0)
    for k in range(cuda.laneid, features, 32):
        v = gamma[k] * dy[start + k]
        by_mean += v
        by_xhat += v * ((x[start + k] - center) * scale)
    by_mean, by_xhat = warp_sum(by_mean) / x.dtype.type(features), warp_sum(by_xhat) / x.dtype.type(features)
    if centered == 0:
        by_mean = x.dtype.type(0)
    for k in range(cuda.laneid, features, 32):
        xhat = (x[start + k] - center) * scale
        dx[start + k] = scale * (gamma[k] * dy[start + k] - by_mean - xhat * by_xhat)


def _weight_plan(dy, x, mean, inverse, dgamma, dbeta):
    return Launch((-(-dgamma.shape[1] // LANES), dgamma.shape[0]), (LANES, STRIPES))


@cuda_kernel(_weight_plan, registers=48)
def rows_weight_gradient(dy: Floats, x: Floats, mean: Floats, inverse: Floats, dgamma: Matrix, dbeta: Matrix):
    """dgamma and dbeta (parts, features) = sums of dy xhat and of dy over as many parts of the rows."""
    tile = cuda.shared.array((2, STRIPES, LANES), x.dtype)
    lane, stripe = cuda.threadIdx.x, cuda.threadIdx.y
    parts, features = dgamma.shape
    feature = LANES * cuda.blockIdx.x + lane
    begin, end = cuda.blockIdx.y * mean.size // parts, (cuda.blockIdx.y + 1) * mean.size // parts
    product, s = x.dtype.type(0), x.dtype.type(0)
    if feature < features:
        for row in range(begin + stripe, end, STRIPES):
            v = dy[row * features + feature]
            product += v * ((x[row * features + feature] - mean[row]) * inverse[row])
            s += v
    tile[0, stripe, lane], tile[1, stripe, lane] = product, s
    cuda.syncthreads()
    if stripe == 0 and feature < features:
        for other in range(1, STRIPES):
            product += tile[0, other, lane]
            s += tile[1, other, lane]
        dgamma[cuda.blockIdx.y, feature], dbeta[cuda.blockIdx.y, feature] = product, s
