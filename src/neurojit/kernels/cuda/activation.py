"""Smooth activations of single numbers, forward and backward side by side; arrays as in elementwise.py.

A backward takes the forward's result y where the derivative follows from it, else its input x. A comparison with a NaN
is false, so in every choice below the second branch is the one that passes NaNs on.
"""

import math

import numpy as np

from neurojit.core.cuda import device_function
from neurojit.kernels.cuda.elementary import (
    HALF,
    ONE,
    TWO,
    ZERO,
    above,
    at_most,
    exp,
    expm1,
    normal_cdf,
    parts,
    sigmoid,
    softplus,
    tanh,
    within,
)
from neurojit.kernels.cuda.elementwise import of_one, of_two

_THREE = np.float32(3)
_DENSITY, _DENSITY_LOW = parts(math.sqrt(0.5 / math.pi))
_RATE, _RATE_LOW = parts(2 * math.sqrt(2 / math.pi))
_CUBE, _CUBE_LOW = parts(0.044715)


@device_function
def _elu(x, alpha, rate, gain):
    return alpha * expm1(rate * x) if x <= ZERO else gain * x


@device_function
def _elu_backward(dy, x, alpha, rate, gain):
    return dy * (alpha * rate * exp(rate * x)) if x <= ZERO else gain * dy


@device_function
def _gelu(x):
    v = above(x)
    return v * normal_cdf(v)


@device_function
def _gelu_backward(dy, x):
    """dy (Phi(x) + x phi(x)), phi the normal density."""
    v = within(x)
    bell = exp(-HALF * v * v)
    return dy * (normal_cdf(v) + v * (bell * _DENSITY + bell * _DENSITY_LOW))


@device_function
def _twice_u(v):
    """2 sqrt(2 / pi) (v + 0.044715 v^3)."""
    cube = v * v * v
    inner = v + (cube * _CUBE + cube * _CUBE_LOW)
    return inner * _RATE + inner * _RATE_LOW


@device_function
def _gelu_tanh(x):
    v = above(x)
    return v * sigmoid(_twice_u(v))


@device_function
def _gelu_tanh_backward(dy, x):
    v = within(x)
    s = sigmoid(_twice_u(v))
    square = _THREE * v * v
    inner = ONE + (square * _CUBE + square * _CUBE_LOW)
    slope = inner * _RATE + inner * _RATE_LOW
    return dy * (s + v * slope * s * (ONE - s))


@device_function
def _silu(x):
    v = above(x)
    return v * sigmoid(v)


@device_function
def _silu_backward(dy, x):
    v = within(x)
    s = sigmoid(v)
    return dy * s * (ONE + v * (ONE - s))


@device_function
def _sigmoid_backward(dy, y):
    return dy * (ONE - y) * y


@device_function
def _tanh_backward(dy, y):
    return dy * (ONE - y) * (ONE + y)


@device_function
def _softplus_backward(dy, x):
    return dy * sigmoid(x)


@device_function
def _mish(x):
    """x tanh(log(1 + e)) = x n / (n + 2), e = exp(x), n = e (e + 2)."""
    v = above(x)
    e = exp(at_most(v))
    n = e * (e + TWO)
    return v * (n / (n + TWO))


@device_function
def _mish_backward(dy, x):
    """dy (w + x (1 - w^2) e / (1 + e)), w = n / (n + 2), where 1 - w^2 = 4 (1 + e)^2 / (n + 2)^2."""
    v = within(x)
    e = exp(at_most(v))
    n = e * (e + TWO)
    rest = TWO / (n + TWO)
    return dy * (n / (n + TWO) + v * (rest * rest) * (ONE + e) * e)


elu_forward = of_one(_elu, "elu_forward", __name__, numbers=3)
elu_backward = of_two(_elu_backward, "elu_backward", __name__, numbers=3)
gelu_forward = of_one(_gelu, "gelu_forward", __name__)
gelu_backward = of_two(_gelu_backward, "gelu_backward", __name__)
gelu_tanh_forward = of_one(_gelu_tanh, "gelu_tanh_forward", __name__)
gelu_tanh_backward = of_two(_gelu_tanh_backward, "gelu_tanh_backward", __name__)
silu_forward = of_one(_silu, "silu_forward", __name__)
silu_backward = of_two(_silu_backward, "silu_backward", __name__)
sigmoid_forward = of_one(sigmoid, "sigmoid_forward", __name__)
sigmoid_backward = of_two(_sigmoid_backward, "sigmoid_backward", __name__)
tanh_forward = of_one(tanh, "tanh_forward", __name__)
tanh_backward = of_two(_tanh_backward, "tanh_backward", __name__)
softplus_forward = of_one(softplus, "softplus_forward", __name__)
softplus_backward = of_two(_softplus_backward, "softplus_backward", __name__)
mish_forward = of_one(_mish, "mish_forward", __name__)
mish_backward = of_two(_mish_backward, "mish_backward", __name__)
