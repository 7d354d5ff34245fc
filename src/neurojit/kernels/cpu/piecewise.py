"""Activations made of straight lines, forward and backward side by side.

x, y, dy and dx are 1-D arrays of one length and type, or (rows, columns) where each column has a slope of its own; a
parallel driver cuts them into chunks. A backward takes the forward's result y where the derivative follows from it,
else its input x.
"""

from neurojit.core.jit import exact_kernel, parallel_kernel, prange
from neurojit.kernels.cpu.chunks import CHUNK, chunk_count, chunk_rows

# A comparison with a NaN is false, so in every choice below the branch that passes NaNs on is the one not compared for.


@exact_kernel
def _relu(x, y):
    """y = max(0, x)."""
    zero = x.dtype.type(0)
    for i in range(x.size):
        y[i] = zero if x[i] <= zero else x[i]


@exact_kernel
def _relu_backward(dy, y, dx):
    """dx = 0 where y <= 0, else dy."""
    zero = y.dtype.type(0)
    for i in range(dy.size):
        dx[i] = zero if y[i] <= zero else dy[i]


@parallel_kernel
def relu_forward(x, y):
    """`_relu` on all threads."""
    for chunk in prange(chunk_count(x.size)):
        i, j = chunk * CHUNK, (chunk + 1) * CHUNK
        _relu(x[i:j], y[i:j])


@parallel_kernel
def relu_backward(dy, y, dx):
    """`_relu_backward` on all threads."""
    for chunk in prange(chunk_count(dy.size)):
        i, j = chunk * CHUNK, (chunk + 1) * CHUNK
        _relu_backward(dy[i:j], y[i:j], dx[i:j])


@exact_kernel
def _leaky_relu(x, slope, y):
    """y = slope x where x <= 0, else x."""
    zero, slope = x.dtype.type(0), x.dtype.type(slope)
    for i in range(x.size):
        y[i] = slope * x[i] if x[i] <= zero else x[i]


@exact_kernel
def _leaky_relu_backward(dy, x, slope, dx):
    """dx = slope dy where x <= 0, else dy."""
    zero, slope = x.dtype.type(0), x.dtype.type(slope)
    for i in range(dy.size):
        dx[i] = slope * dy[i] if x[i] <= zero else dy[i]


@parallel_kernel
def leaky_relu_forward(x, slope, y):
    """`_leaky_relu` on all threads."""
    for chunk in prange(chunk_count(x.size)):
        i, j = chunk * CHUNK, (chunk + 1) * CHUNK
        _leaky_relu(x[i:j], slope, y[i:j])


@parallel_kernel
def leaky_relu_backward(dy, x, slope, dx):
    """`_leaky_relu_backward` on all threads."""
    for chunk in prange(chunk_count(dy.size)):
        i, j = chunk * CHUNK, (chunk + 1) * CHUNK
        _leaky_relu_backward(dy[i:j], x[i:j], slope, dx[i:j])


@exact_kernel
def _prelu(x, slope, y):
    """y = slope x where x <= 0, else x; x and y (rows, columns), slope (columns,)."""
    zero = x.dtype.type(0)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            y[i, j] = slope[j] * x[i, j] if x[i, j] <= zero else x[i, j]


@exact_kernel
def _prelu_backward(dy, x, slope, dx, product):
    """dx = slope dy where x <= 0, else dy; product, the slope's part, is dy x where x <= 0, else 0."""
    zero = x.dtype.type(0)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            dx[i, j] = slope[j] * dy[i, j] if x[i, j] <= zero else dy[i, j]
            product[i, j] = dy[i, j] * x[i, j] if x[i, j] <= zero else zero


@parallel_kernel
def prelu_forward(x, slope, y):
    """`_prelu` on all threads."""
    rows = chunk_rows(x.shape[1])
    for task in prange((x.shape[0] + rows - 1) // rows):
        i, j = task * rows, (task + 1) * rows
        _prelu(x[i:j], slope, y[i:j])


@parallel_kernel
def prelu_backward(dy, x, slope, dx, product):
    """`_prelu_backward` on all threads."""
    rows = chunk_rows(x.shape[1])
    for task in prange((x.shape[0] + rows - 1) // rows):
        i, j = task * rows, (task + 1) * rows
        _prelu_backward(dy[i:j], x[i:j], slope, dx[i:j], product[i:j])


@exact_kernel
def _hard_sigmoid(x, slope, offset, y):
    """y = slope x + offset, held between 0 and 1."""
    zero, one = x.dtype.type(0), x.dtype.type(1)
    slope, offset = x.dtype.type(slope), x.dtype.type(offset)
    for i in range(x.size):
        v = slope * x[i] + offset
        v = zero if v < zero else v
        y[i] = one if v > one else v


@exact_kernel
def _hard_sigmoid_backward(dy, x, slope, offset, dx):
    """dx = slope dy where 0 < slope x + offset < 1, else 0."""
    zero, one = x.dtype.type(0), x.dtype.type(1)
    slope, offset = x.dtype.type(slope), x.dtype.type(offset)
    for i in range(dy.size):
        v = slope * x[i] + offset
        dx[i] = zero if (v <= zero) | (v >= one) else slope * dy[i]


@parallel_kernel
def hard_sigmoid_forward(x, slope, offset, y):
    """`_hard_sigmoid` on all threads."""
    for chunk in prange(chunk_count(x.size)):
        i, j = chunk * CHUNK, (chunk + 1) * CHUNK
        _hard_sigmoid(x[i:j], slope, offset, y[i:j])


@parallel_kernel
def hard_sigmoid_backward(dy, x, slope, offset, dx):
    """`_hard_sigmoid_backward` on all threads."""
    for chunk in prange(chunk_count(dy.size)):
        i, j = chunk * CHUNK, (chunk + 1) * CHUNK
        _hard_sigmoid_backward(dy[i:j], x[i:j], slope, offset, dx[i:j])


@exact_kernel
def _hard_swish(x, y):
    """y = x min(1, max(0, x / 6 + 1 / 2))."""
    zero, three, six = x.dtype.type(0), x.dtype.type(3), x.dtype.type(6)
    for i in range(x.size):
        v = x[i]
        inner = v * ((v + three) / six)
        inner = zero if v <= -three else inner
        y[i] = v if v >= three else inner


@exact_kernel
def _hard_swish_backward(dy, x, dx):
    """dx = 0 where x <= -3, dy where x >= 3, else dy (x / 3 + 1 / 2)."""
    zero, half, three = x.dtype.type(0), x.dtype.type(0.5), x.dtype.type(3)
    for i in range(dy.size):
        v = x[i]
        inner = dy[i] * (v / three + half)
        inner = zero if v <= -three else inner
        dx[i] = dy[i] if v >= three else inner


@parallel_kernel
def hard_swish_forward(x, y):
    """`_hard_swish` on all threads."""
    for chunk in prange(chunk_count(x.size)):
        i, j = chunk * CHUNK, (chunk + 1) * CHUNK
        _hard_swish(x[i:j], y[i:j])


@parallel_kernel
def hard_swish_backward(dy, x, dx):
    """`_hard_swish_backward` on all threads."""
    for chunk in prange(chunk_count(dy.size)):
        i, j = chunk * CHUNK, (chunk + 1) * CHUNK
        _hard_swish_backward(dy[i:j], x[i:j], dx[i:j])


@exact_kernel
def _thresholded_relu(x, threshold, y):
    """y = 0 where x <= threshold, else x."""
    zero, threshold = x.dtype.type(0), x.dtype.type(threshold)
    for i in range(x.size):
        y[i] = zero if x[i] <= threshold else x[i]


@exact_kernel
def _thresholded_relu_backward(dy, x, threshold, dx):
    """dx = 0 where x <= threshold, else dy."""
    zero, threshold = x.dtype.type(0), x.dtype.type(threshold)
    for i in range(dy.size):
        dx[i] = zero if x[i] <= threshold else dy[i]


@parallel_kernel
def thresholded_relu_forward(x, threshold, y):
    """`_thresholded_relu` on all threads."""
    for chunk in prange(chunk_count(x.size)):
        i, j = chunk * CHUNK, (chunk + 1) * CHUNK
        _thresholded_relu(x[i:j], threshold, y[i:j])


@parallel_kernel
def thresholded_relu_backward(dy, x, threshold, dx):
    """`_thresholded_relu_backward` on all threads."""
    for chunk in prange(chunk_count(dy.size)):
        i, j = chunk * CHUNK, (chunk + 1) * CHUNK
        _thresholded_relu_backward(dy[i:j], x[i:j], threshold, dx[i:j])
