"""Smooth activations of single numbers, forward and backward side by side.

x, y, dy and dx are 1-D arrays of one length and type; a parallel driver cuts them into chunks. A backward takes the
forward's result y where the derivative follows from it, else its input x.
"""

import numpy as np

from neurojit.core.jit import exact_kernel, parallel_kernel, prange
from neurojit.kernels.cpu.chunks import CHUNK, chunk_count
from neurojit.kernels.cpu.elementary import exp, expm1, normal_cdf, sigmoid, softplus, tanh

# A comparison with a NaN is false, so in every choice below the second branch is the one that passes NaNs on.


@exact_kernel
def _above(x):
    """max(x, -1000): far below zero, where the functions that use it are zero, keeps inf * 0 out."""
    return np.float32(-1000) if x < np.float32(-1000) else x


@exact_kernel
def _within(x):
    """x between -1000 and 1000, where the derivatives that use it have long reached their limits."""
    x = _above(x)
    return np.float32(1000) if x > np.float32(1000) else x


@exact_kernel
def _elu(x, alpha, rate, gain, y):
    """y = alpha (exp(rate x) - 1) where x <= 0, else gain x."""
    zero, alpha, rate, gain = x.dtype.type(0), x.dtype.type(alpha), x.dtype.type(rate), x.dtype.type(gain)
    for i in range(x.size):
        y[i] = alpha * expm1(rate * x[i]) if x[i] <= zero else gain * x[i]


@exact_kernel
def _elu_backward(dy, x, alpha, rate, gain, dx):
    """dx = dy alpha rate exp(rate x) where x <= 0, else gain dy."""
    zero, slope, rate, gain = x.dtype.type(0), x.dtype.type(alpha * rate), x.dtype.type(rate), x.dtype.type(gain)
    for i in range(dy.size):
        dx[i] = dy[i] * (slope * exp(rate * x[i])) if x[i] <= zero else gain * dy[i]


@parallel_kernel
def elu_forward(x, alpha, rate, gain, y):
    """`_elu` on all threads."""
    for chunk in prange(chunk_count(x.size)):
        i, j = chunk * CHUNK, (chunk + 1) * CHUNK
        _elu(x[i:j], alpha, rate, gain, y[i:j])


@parallel_kernel
def elu_backward(dy, x, alpha, rate, gain, dx):
    """`_elu_backward` on all threads."""
    for chunk in prange(chunk_count(dy.size)):
        i, j = chunk * CHUNK, (chunk + 1) * CHUNK
        _elu_backward(dy[i:j], x[i:j], alpha, rate, gain, dx[i:j])


@exact_kernel
def _gelu(x, y):
    """y = x Phi(x)."""
    for i in range(x.size):
        v = _above(x[i])
        y[i] = v * normal_cdf(v)


@exact_kernel
def _gelu_backward(dy, x, dx):
    """dx = dy (Phi(x) + x phi(x)), phi the normal density."""
    half, scale = x.dtype.type(-0.5), x.dtype.type(np.sqrt(0.5 / np.pi))
    for i in range(dy.size):
        v = _within(x[i])
        dx[i] = dy[i] * (normal_cdf(v) + v * (scale * exp(half * v * v)))


@parallel_kernel
def gelu_forward(x, y):
    """`_gelu` on all threads."""
    for chunk in prange(chunk_count(x.size)):
        i, j = chunk * CHUNK, (chunk + 1) * CHUNK
        _gelu(x[i:j], y[i:j])


@parallel_kernel
def gelu_backward(dy, x, dx):
    """`_gelu_backward` on all threads."""
    for chunk in prange(chunk_count(dy.size)):
        i, j = chunk * CHUNK, (chunk + 1) * CHUNK
        _gelu_backward(dy[i:j], x[i:j], dx[i:j])


@exact_kernel
def _gelu_tanh(x, y):
    """y = x (1 + tanh(u)) / 2 = x sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3)."""
    a, b = x.dtype.type(2 * np.sqrt(2 / np.pi)), x.dtype.type(0.044715)
    for i in range(x.size):
        v = _above(x[i])
        y[i] = v * sigmoid(a * (v + b * v * v * v))


@exact_kernel
def _gelu_tanh_backward(dy, x, dx):
    """dx = dy (s + x s (1 - s) 2 du/dx), s = sigmoid(2 u)."""
    one = x.dtype.type(1)
    a, b = x.dtype.type(2 * np.sqrt(2 / np.pi)), x.dtype.type(0.044715)
    for i in range(dy.size):
        v = _within(x[i])
        s = sigmoid(a * (v + b * v * v * v))
        slope = a * (one + x.dtype.type(3) * b * v * v)
        dx[i] = dy[i] * (s + v * slope * s * (one - s))


@parallel_kernel
def gelu_tanh_forward(x, y):
    """`_gelu_tanh` on all threads."""
    for chunk in prange(chunk_count(x.size)):
        i, j = chunk * CHUNK, (chunk + 1) * CHUNK
        _gelu_tanh(x[i:j], y[i:j])


@parallel_kernel
def gelu_tanh_backward(dy, x, dx):
    """`_gelu_tanh_backward` on all threads."""
    for chunk in prange(chunk_count(dy.size)):
        i, j = chunk * CHUNK, (chunk + 1) * CHUNK
        _gelu_tanh_backward(dy[i:j], x[i:j], dx[i:j])


@exact_kernel
def _silu(x, y):
    """y = x sigmoid(x)."""
    for i in range(x.size):
        v = _above(x[i])
        y[i] = v * sigmoid(v)


@exact_kernel
def _silu_backward(dy, x, dx):
    """dx = dy s (1 + x (1 - s)), s = sigmoid(x)."""
    one = x.dtype.type(1)
    for i in range(dy.size):
        v = _within(x[i])
        s = sigmoid(v)
        dx[i] = dy[i] * s * (one + v * (one - s))


@parallel_kernel
def silu_forward(x, y):
    """`_silu` on all threads."""
    for chunk in prange(chunk_count(x.size)):
        i, j = chunk * CHUNK, (chunk + 1) * CHUNK
        _silu(x[i:j], y[i:j])


@parallel_kernel
def silu_backward(dy, x, dx):
    """`_silu_backward` on all threads."""
    for chunk in prange(chunk_count(dy.size)):
        i, j = chunk * CHUNK, (chunk + 1) * CHUNK
        _silu_backward(dy[i:j], x[i:j], dx[i:j])


@exact_kernel
def _sigmoid(x, y):
    """y = 1 / (1 + exp(-x))."""
    for i in range(x.size):
        y[i] = sigmoid(x[i])


@exact_kernel
def _sigmoid_backward(dy, y, dx):
    """dx = dy y (1 - y)."""
    one = y.dtype.type(1)
    for i in range(dy.size):
        dx[i] = dy[i] * (one - y[i]) * y[i]


@parallel_kernel
def sigmoid_forward(x, y):
    """`_sigmoid` on all threads."""
    for chunk in prange(chunk_count(x.size)):
        i, j = chunk * CHUNK, (chunk + 1) * CHUNK
        _sigmoid(x[i:j], y[i:j])


@parallel_kernel
def sigmoid_backward(dy, y, dx):
    """`_sigmoid_backward` on all threads."""
    for chunk in prange(chunk_count(dy.size)):
        i, j = chunk * CHUNK, (chunk + 1) * CHUNK
        _sigmoid_backward(dy[i:j], y[i:j], dx[i:j])


@exact_kernel
def _tanh(x, y):
    """y = tanh(x)."""
    for i in range(x.size):
        y[i] = tanh(x[i])


@exact_kernel
def _tanh_backward(dy, y, dx):
    """dx = dy (1 - y^2)."""
    one = y.dtype.type(1)
    for i in range(dy.size):
        dx[i] = dy[i] * (one - y[i]) * (one + y[i])


@parallel_kernel
def tanh_forward(x, y):
    """`_tanh` on all threads."""
    for chunk in prange(chunk_count(x.size)):
        i, j = chunk * CHUNK, (chunk + 1) * CHUNK
        _tanh(x[i:j], y[i:j])


@parallel_kernel
def tanh_backward(dy, y, dx):
    """`_tanh_backward` on all threads."""
    for chunk in prange(chunk_count(dy.size)):
        i, j = chunk * CHUNK, (chunk + 1) * CHUNK
        _tanh_backward(dy[i:j], y[i:j], dx[i:j])


@exact_kernel
def _softplus(x, y):
    """y = log(1 + exp(x))."""
    for i in range(x.size):
        y[i] = softplus(x[i])


@exact_kernel
def _softplus_backward(dy, x, dx):
    """dx = dy sigmoid(x)."""
    for i in range(dy.size):
        dx[i] = dy[i] * sigmoid(x[i])


@parallel_kernel
def softplus_forward(x, y):
    """`_softplus` on all threads."""
    for chunk in prange(chunk_count(x.size)):
        i, j = chunk * CHUNK, (chunk + 1) * CHUNK
        _softplus(x[i:j], y[i:j])


@parallel_kernel
def softplus_backward(dy, x, dx):
    """`_softplus_backward` on all threads."""
    for chunk in prange(chunk_count(dy.size)):
        i, j = chunk * CHUNK, (chunk + 1) * CHUNK
        _softplus_backward(dy[i:j], x[i:j], dx[i:j])


@exact_kernel
def _at_most(x):
    """min(x, 40), where the functions that use it are their limit, and exp(x)^2 is no infinity."""
    return np.float32(40) if x > np.float32(40) else x


@exact_kernel
def _mish(x, y):
    """y = x tanh(log(1 + e)) = x n / (n + 2), e = exp(x), n = e (e + 2)."""
    two = x.dtype.type(2)
    for i in range(x.size):
        v = _above(x[i])
        e = exp(_at_most(v))
        n = e * (e + two)
        y[i] = v * (n / (n + two))


@exact_kernel
def _mish_backward(dy, x, dx):
    """dx = dy (w + x (1 - w^2) e / (1 + e)), w = n / (n + 2), where 1 - w^2 = 4 (1 + e)^2 / (n + 2)^2."""
    one, two = x.dtype.type(1), x.dtype.type(2)
    for i in range(dy.size):
        v = _within(x[i])
        e = exp(_at_most(v))
        n = e * (e + two)
        rest = two / (n + two)
        dx[i] = dy[i] * (n / (n + two) + v * (rest * rest) * (one + e) * e)


@parallel_kernel
def mish_forward(x, y):
    """`_mish` on all threads."""
    for chunk in prange(chunk_count(x.size)):
        i, j = chunk * CHUNK, (chunk + 1) * CHUNK
        _mish(x[i:j], y[i:j])


@parallel_kernel
def mish_backward(dy, x, dx):
    """`_mish_backward` on all threads."""
    for chunk in prange(chunk_count(dy.size)):
        i, j = chunk * CHUNK, (chunk + 1) * CHUNK
        _mish_backward(dy[i:j], x[i:j], dx[i:j])
