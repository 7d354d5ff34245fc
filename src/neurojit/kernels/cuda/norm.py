"""Normalization of channels: their moments, the normalization, and the gradients through both.

x, y, dy and dx are flat (images, rows, channels): each image has moments of its own, and a whole batch may stand as one
image. What is known of a channel of an image is (images * channels,). Moments and sums are taken of blocks of
`block_rows` rows, (images, blocks, channels), and joined in order. Channels fall into `groups` that share their
moments. gamma and beta are (channels,), or of no length for ones and zeros.
"""

import math

from neurojit.core.cuda import Float, Floats, Int, Launch, cuda, cuda_kernel, device_function, quotient

LANES, STRIPES = 32, 8
THREADS = LANES * STRIPES


@device_function
def _over_stripes(v, tile):
    """The sum of v over the threads of a channel, for each of them."""
    lane, stripe = cuda.threadIdx.x, cuda.threadIdx.y
    cuda.syncthreads()
    tile[stripe, lane] = v
    cuda.syncthreads()
    s = tile[0, lane]
    for other in range(1, STRIPES):
        s += tile[other, lane]
    return s


def _block_plan(x, images, rows, channels, block_rows, *others):
    return Launch((-(-channels // LANES), -(-rows // block_rows), images), (LANES, STRIPES))


@cuda_kernel(_block_plan, registers=48)
def block_moments(x: Floats, images: Int, rows: Int, channels: Int, block_rows: Int, means: Floats, squares: Floats):
    """The mean of each block, and the sum of its squared deviations from that.

    The mean is the first row plus the mean deviation from it: sums stay small however large the values.
    """
    tile = cuda.shared.array((STRIPES, LANES), x.dtype)
    channel = LANES * cuda.blockIdx.x + cuda.threadIdx.x
    begin = cuda.blockIdx.y * block_rows
    end = min(begin + block_rows, rows)
    is_channel, start = channel < channels, cuda.blockIdx.z * rows
    pivot, deviations, square = x.dtype.type(0), x.dtype.type(0), x.dtype.type(0)
    if is_channel:
        pivot = x[(start + begin) * channels + channel]
        for row in range(begin + cuda.threadIdx.y, end, STRIPES):
            deviations += x[(start + row) * channels + channel] - pivot
    mean = pivot + _over_stripes(deviations, tile) / x.dtype.type(end - begin)
    if is_channel:
        for row in range(begin + cuda.threadIdx.y, end, STRIPES):
            deviation = x[(start + row) * channels + channel] - mean
            square += deviation * deviation
    square = _over_stripes(square, tile)
    if is_channel and cuda.threadIdx.y == 0:
        to = (cuda.blockIdx.z * cuda.gridDim.y + cuda.blockIdx.y) * channels + channel
        means[to], squares[to] = mean, square


@cuda_kernel(lambda means, squares, rows, block_rows, channels, groups, eps, mean, *_: _each(mean.size), registers=48)
def join_moments(
    means: Floats,
    squares: Floats,
    rows: Int,
    block_rows: Int,
    channels: Int,
    groups: Int,
    eps: Float,
    mean: Floats,
    var: Floats,
    inverse: Floats,
):
    """Moments from those of the blocks (Chan, Golub and LeVeque (1983), equations 2.1), shared within groups."""
    i = cuda.grid(1)
    if i >= mean.size:
        return
    image, size = quotient(i, channels), quotient(channels, groups)
    first = quotient(i - image * channels, size) * size
    blocks, count = quotient(rows + block_rows - 1, block_rows), mean.dtype.type(rows * size)
    start = image * blocks * channels + first
    pivot, s, square = means[start], mean.dtype.type(0), mean.dtype.type(0)
    for b in range(blocks):
        own = mean.dtype.type(min(block_rows, rows - b * block_rows))
        for c in range(size):
            s += own * (means[start + b * channels + c] - pivot)
    center = pivot + s / count
    for b in range(blocks):
        own = mean.dtype.type(min(block_rows, rows - b * block_rows))
        for c in range(size):
            shift = means[start + b * channels + c] - center
            square += squares[start + b * channels + c] + own * (shift * shift)
    variance = square / count
    mean[i], var[i] = center, variance
    inverse[i] = mean.dtype.type(1) / math.sqrt(variance + eps)


def _each(size):
    return Launch(-(-size // THREADS), THREADS)


@cuda_kernel(lambda var, eps, inverse: _each(var.size), registers=24)
def invert_deviation(var: Floats, eps: Float, inverse: Floats):
    """inverse = 1 / sqrt(var + eps)."""
    i = cuda.grid(1)
    if i < var.size:
        inverse[i] = var.dtype.type(1) / math.sqrt(var[i] + eps)


@cuda_kernel(lambda x, mean, inverse, gamma, beta, rows, channels, y: _each(x.size), registers=32)
def normalize(
    x: Floats, mean: Floats, inverse: Floats, gamma: Floats, beta: Floats, rows: Int, channels: Int, y: Floats
):
    """y = gamma (x - mean) inverse + beta."""
    i = cuda.grid(1)
    if i >= x.size:
        return
    row = quotient(i, channels)
    channel = i - row * channels
    at = quotient(row, rows) * channels + channel
    scale = inverse[at] * gamma[channel] if gamma.size > 0 else inverse[at]
    shift = beta[channel] if beta.size > 0 else x.dtype.type(0)
    y[i] = scale * (x[i] - mean[at]) + shift


def _gradient_plan(dy, x, mean, images, rows, channels, block_rows, *others):
    return _block_plan(x, images, rows, channels, block_rows)


@cuda_kernel(_gradient_plan, registers=48)
def gradient_sums(
    dy: Floats,
    x: Floats,
    mean: Floats,
    images: Int,
    rows: Int,
    channels: Int,
    block_rows: Int,
    dy_sums: Floats,
    product_sums: Floats,
):
    """Sums of dy and of dy (x - mean) over each block."""
    tile = cuda.shared.array((STRIPES, LANES), x.dtype)
    channel = LANES * cuda.blockIdx.x + cuda.threadIdx.x
    begin = cuda.blockIdx.y * block_rows
    end = min(begin + block_rows, rows)
    s, product = x.dtype.type(0), x.dtype.type(0)
    if channel < channels:
        center = mean[cuda.blockIdx.z * channels + channel]
        for row in range(begin + cuda.threadIdx.y, end, STRIPES):
            at = (cuda.blockIdx.z * rows + row) * channels + channel
            s += dy[at]
            product += dy[at] * (x[at] - center)
    s, product = _over_stripes(s, tile), _over_stripes(product, tile)
    if channel < channels and cuda.threadIdx.y == 0:
        to = (cuda.blockIdx.z * cuda.gridDim.y + cuda.blockIdx.y) * channels + channel
        dy_sums[to], product_sums[to] = s, product


def _join_plan(dy_sums, product_sums, inverse, *others):
    return _each(inverse.size)


@cuda_kernel(_join_plan, registers=56)
def join_gradients(
    dy_sums: Floats,
    product_sums: Floats,
    inverse: Floats,
    gamma: Floats,
    rows: Int,
    block_rows: Int,
    channels: Int,
    groups: Int,
    dbeta: Floats,
    dgamma: Floats,
    by_mean: Floats,
    by_xhat: Floats,
):
    """dbeta and dgamma of each image; and the means of gamma dy and of gamma dy xhat over its groups."""
    i = cuda.grid(1)
    if i >= inverse.size:
        return
    image, size = quotient(i, channels), quotient(channels, groups)
    own = i - image * channels
    first = quotient(own, size) * size
    blocks = quotient(rows + block_rows - 1, block_rows)
    zero = inverse.dtype.type(0)
    mean, xhat = zero, zero
    for channel in range(first, first + size):
        s, product = zero, zero
        for b in range(blocks):
            at = (image * blocks + b) * channels + channel
            s += dy_sums[at]
            product += product_sums[at]
        product *= inverse[image * channels + channel]
        if channel == own:
            dbeta[i], dgamma[i] = s, product
        weight = gamma[channel] if gamma.size > 0 else inverse.dtype.type(1)
        mean += weight * s
        xhat += weight * product
    count = inverse.dtype.type(rows * size)
    by_mean[i], by_xhat[i] = mean / count, xhat / count


def _backward_plan(dy, *others):
    return _each(dy.size)


@cuda_kernel(_backward_plan, registers=40)
def normalize_backward(
    dy: Floats,
    x: Floats,
    mean: Floats,
    inverse: Floats,
    gamma: Floats,
    by_mean: Floats,
    by_xhat: Floats,
    rows: Int,
    channels: Int,
    dx: Floats,
):
    """dx = inverse (gamma dy - by_mean - xhat by_xhat); with by_mean of no length inverse gamma dy."""
    i = cuda.grid(1)
    if i >= dy.size:
        return
    row = quotient(i, channels)
    channel = i - row * channels
    at = quotient(row, rows) * channels + channel
    v = gamma[channel] * dy[i] if gamma.size > 0 else dy[i]
    if by_mean.size > 0:
        v -= by_mean[at] + (x[i] - mean[at]) * inverse[at] * by_xhat[at]
    dx[i] = inverse[at] * v


@cuda_kernel(lambda running, batch, momentum: _each(running.size), registers=16)
def blend(running: Floats, batch: Floats, momentum: Float):
    """running += momentum (batch - running)."""
    i = cuda.grid(1)
    if i < running.size:
        running[i] += momentum * (batch[i] - running[i])
