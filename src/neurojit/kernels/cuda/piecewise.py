"""Activations made of straight lines, forward and backward side by side; arrays as in elementwise.py.

A comparison with a NaN is false, so in every choice below the branch that passes NaNs on is the one not compared for.
"""

import numpy as np

from neurojit.core.cuda import Floats, Launch, Matrix, cuda, cuda_kernel, device_function, quotient
from neurojit.kernels.cuda.elementary import HALF, ONE, ZERO
from neurojit.kernels.cuda.elementwise import THREADS, of_one, of_two

_THREE, _SIX = np.float32(3), np.float32(6)


@device_function
def _relu(x):
    return ZERO if x <= ZERO else x


@device_function
def _relu_backward(dy, y):
    return ZERO if y <= ZERO else dy


@device_function
def _leaky_relu(x, slope):
    return slope * x if x <= ZERO else x


@device_function
def _leaky_relu_backward(dy, x, slope):
    return slope * dy if x <= ZERO else dy


@device_function
def _hard_sigmoid(x, slope, offset):
    v = slope * x + offset
    v = ZERO if v < ZERO else v
    return ONE if v > ONE else v


@device_function
def _hard_sigmoid_backward(dy, x, slope, offset):
    v = slope * x + offset
    return ZERO if v <= ZERO or v >= ONE else slope * dy


@device_function
def _hard_swish(x):
    inner = x * ((x + _THREE) / _SIX)
    inner = ZERO if x <= -_THREE else inner
    return x if x >= _THREE else inner


@device_function
def _hard_swish_backward(dy, x):
    inner = dy * (x / _THREE + HALF)
    inner = ZERO if x <= -_THREE else inner
    return dy if x >= _THREE else inner


@device_function
def _thresholded_relu(x, threshold):
    return ZERO if x <= threshold else x


@device_function
def _thresholded_relu_backward(dy, x, threshold):
    return ZERO if x <= threshold else dy


relu_forward = of_one(_relu, "relu_forward", __name__)
relu_backward = of_two(_relu_backward, "relu_backward", __name__)
leaky_relu_forward = of_one(_leaky_relu, "leaky_relu_forward", __name__, numbers=1)
leaky_relu_backward = of_two(_leaky_relu_backward, "leaky_relu_backward", __name__, numbers=1)
hard_sigmoid_forward = of_one(_hard_sigmoid, "hard_sigmoid_forward", __name__, numbers=2)
hard_sigmoid_backward = of_two(_hard_sigmoid_backward, "hard_sigmoid_backward", __name__, numbers=2)
hard_swish_forward = of_one(_hard_swish, "hard_swish_forward", __name__)
hard_swish_backward = of_two(_hard_swish_backward, "hard_swish_backward", __name__)
thresholded_relu_forward = of_one(_thresholded_relu, "thresholded_relu_forward", __name__, numbers=1)
thresholded_relu_backward = of_two(_thresholded_relu_backward, "thresholded_relu_backward", __name__, numbers=1)


# -- with slopes that are learned -------------------------------------------------------------------------------------


@cuda_kernel(lambda x, *others: Launch(-(-x.size // THREADS), THREADS), registers=32)
def prelu_forward(x: Matrix, slope: Floats, y: Matrix):
    """y = slope x where x <= 0, else x; x and y (rows, columns), slope (columns,)."""
    i = cuda.grid(1)
    if i < x.size:
        row = quotient(i, slope.size)
        j = i - row * slope.size
        v = x[row, j]
        y[row, j] = slope[j] * v if v <= ZERO else v


@cuda_kernel(lambda dy, *others: Launch(-(-dy.size // THREADS), THREADS), registers=32)
def prelu_backward(dy: Matrix, x: Matrix, slope: Floats, dx: Matrix, product: Matrix):
    """dx = slope dy where x <= 0, else dy; product, the slope's part, is dy x where x <= 0, else 0."""
    i = cuda.grid(1)
    if i < x.size:
        row = quotient(i, slope.size)
        j = i - row * slope.size
        u, v = dy[row, j], x[row, j]
        dx[row, j] = slope[j] * u if v <= ZERO else u
        product[row, j] = u * v if v <= ZERO else x.dtype.type(0)
