"""Local response normalization across channels, forward and backward.

x, y, dy and dx are (pixels, channels). Channel c is divided by base[c]^beta, base[c] being k + alpha times the sum of
squares of the channels from c - before to c + after.
"""

from neurojit.core.jit import kernel, parallel_kernel, prange
from neurojit.kernels.cpu.chunks import chunk_rows


@kernel
def _window_sums(values, before, after, sums):
    """sums[c] = values[c - before] + ... + values[c + after]; added up anew for each, so that nothing cancels."""
    zero, channels = values.dtype.type(0), values.size
    sums[:] = zero
    for shift in range(-before, after + 1):
        for c in range(max(0, -shift), min(channels, channels - shift)):
            sums[c] += values[c + shift]


@kernel
def _powers(base, beta, factor):
    """factor = base^-beta."""
    for c in range(base.size):
        factor[c] = base[c] ** -beta


@kernel
def _respond(x, before, after, alpha, beta, k, base, factor, y):
    """base and factor of one pixel, and y = factor x."""
    for c in range(x.size):
        y[c] = x[c] * x[c]
    _window_sums(y, before, after, base)
    for c in range(x.size):
        base[c] = k + alpha * base[c]
    _powers(base, beta, factor)
    for c in range(x.size):
        y[c] = factor[c] * x[c]


@parallel_kernel
def local_response(x, before, after, alpha, beta, k, base, factor, y):
    """`_respond` of all pixels; alpha, beta and k are of the type of x."""
    rows, step = x.shape[0], chunk_rows(8 * x.shape[1])  # powers cost more than passing memory
    for task in prange((rows + step - 1) // step):
        for i in range(task * step, min(rows, (task + 1) * step)):
            _respond(x[i], before, after, alpha, beta, k, base[i], factor[i], y[i])


@kernel
def _respond_backward(dy, x, before, after, by_sum, base, factor, dx):
    """dx = factor dy - by_sum x times the sum of dy x factor / base over the channels whose windows hold this one."""
    shares = base.copy()
    for c in range(x.size):
        shares[c] = dy[c] * x[c] * factor[c] / base[c]
    _window_sums(shares, after, before, dx)
    for c in range(x.size):
        dx[c] = factor[c] * dy[c] - by_sum * x[c] * dx[c]


@parallel_kernel
def local_response_backward(dy, x, before, after, by_sum, base, factor, dx):
    """`_respond_backward` of all pixels; by_sum = 2 alpha beta."""
    rows, step = x.shape[0], chunk_rows(8 * x.shape[1])
    for task in prange((rows + step - 1) // step):
        for i in range(task * step, min(rows, (task + 1) * step)):
            _respond_backward(dy[i], x[i], before, after, by_sum, base[i], factor[i], dx[i])
