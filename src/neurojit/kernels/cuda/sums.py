"""Sums over parts, over rows, and over everything; always in an order that depends on shapes alone."""

from neurojit.core.cuda import Floats, Int, Launch, Matrix, cuda, cuda_kernel
from neurojit.kernels.cuda.warps import block_sum

THREADS = 256
LANES = 32
ROWS = THREADS // LANES


def _sum_partials_plan(partial, total):
    return Launch(-(-total.size // THREADS), THREADS)


@cuda_kernel(_sum_partials_plan, registers=32)
def sum_partials(partial: Matrix, total: Floats):
    """total = partial[0] + partial[1] + ..., in that order; partial (splits, size)."""
    i = cuda.grid(1)
    if i < total.size:
        s = partial[0, i]
        for k in range(1, partial.shape[0]):
            s += partial[k, i]
        total[i] = s


def _channel_sums_plan(x, channels, partial):
    return Launch((-(-channels // LANES), partial.shape[0]), (LANES, ROWS))


@cuda_kernel(_channel_sums_plan, registers=40)
def channel_sums(x: Floats, channels: Int, partial: Matrix):
    """partial[b] = sums over block b of the rows of x (rows * channels,), which falls into as many as partial has."""
    tile = cuda.shared.array((ROWS, LANES), x.dtype)
    lane, stripe = cuda.threadIdx.x, cuda.threadIdx.y
    channel = LANES * cuda.blockIdx.x + lane
    rows, blocks = x.size // channels, partial.shape[0]
    begin, end = cuda.blockIdx.y * rows // blocks, (cuda.blockIdx.y + 1) * rows // blocks
    s = x.dtype.type(0)
    if channel < channels:
        for row in range(begin + stripe, end, ROWS):
            s += x[row * channels + channel]
    tile[stripe, lane] = s
    cuda.syncthreads()
    if stripe == 0 and channel < channels:
        for other in range(1, ROWS):
            s += tile[other, lane]
        partial[cuda.blockIdx.y, channel] = s


def _total_plan(x, partial):
    return Launch(partial.size, THREADS)


@cuda_kernel(_total_plan, registers=32)
def total(x: Floats, partial: Floats):
    """partial[b] = the sum of block b's share of x."""
    begin, end = cuda.blockIdx.x * x.size // partial.size, (cuda.blockIdx.x + 1) * x.size // partial.size
    s = x.dtype.type(0)
    for i in range(begin + cuda.threadIdx.x, end, THREADS):
        s += x[i]
    s = block_sum(s, cuda.shared.array(LANES, x.dtype))
    if cuda.threadIdx.x == 0:
        partial[cuda.blockIdx.x] = s


@cuda_kernel(_total_plan, registers=32)
def sum_of_squares(x: Floats, partial: Floats):
    """partial[b] = the sum of the squares of block b's share of x."""
    begin, end = cuda.blockIdx.x * x.size // partial.size, (cuda.blockIdx.x + 1) * x.size // partial.size
    s = x.dtype.type(0)
    for i in range(begin + cuda.threadIdx.x, end, THREADS):
        s += x[i] * x[i]
    s = block_sum(s, cuda.shared.array(LANES, x.dtype))
    if cuda.threadIdx.x == 0:
        partial[cuda.blockIdx.x] = s
