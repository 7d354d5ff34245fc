"""Means over all positions of each sample, and their gradient: x (n, positions, channels), y (n, channels), flat."""

from neurojit.core.cuda import Float, Floats, Int, Launch, cuda, cuda_kernel, quotient

LANES, ROWS = 32, 8
THREADS = LANES * ROWS


def _mean_plan(x, positions, channels, share, y):
    return Launch((-(-channels // LANES), y.size // max(channels, 1)), (LANES, ROWS))


@cuda_kernel(_mean_plan, registers=40)
def image_means(x: Floats, positions: Int, channels: Int, share: Float, y: Floats):
    """y = share times the sum over the positions of each sample."""
    tile = cuda.shared.array((ROWS, LANES), x.dtype)
    lane, stripe, image = cuda.threadIdx.x, cuda.threadIdx.y, cuda.blockIdx.y
    channel = LANES * cuda.blockIdx.x + lane
    s = x.dtype.type(0)
    if channel < channels:
        for row in range(stripe, positions, ROWS):
            s += x[(image * positions + row) * channels + channel]
    tile[stripe, lane] = s
    cuda.syncthreads()
    if stripe == 0 and channel < channels:
        for other in range(1, ROWS):
            s += tile[other, lane]
        y[image * channels + channel] = share * s


@cuda_kernel(lambda dy, positions, channels, share, dx: Launch(-(-dx.size // THREADS), THREADS), registers=32)
def image_fill(dy: Floats, positions: Int, channels: Int, share: Float, dx: Floats):
    """dx = share dy at every position."""
    i = cuda.grid(1)
    if i < dx.size:
        pixel = quotient(i, channels)
        dx[i] = share * dy[quotient(pixel, positions) * channels + i - pixel * channels]
