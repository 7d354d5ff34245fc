"""Elementary functions of one number, for the inside of other kernels; in the precision of their argument.

Constants are float32, which takes part in arithmetic of either precision without widening it. One that is no float32
comes in two parts, which together have 48 bits.
"""

import math

import numpy as np

from neurojit.core.cuda import device_function

ZERO, ONE, TWO, HALF = np.float32(0), np.float32(1), np.float32(2), np.float32(0.5)


def parts(value):
    """A number as the sum of two float32."""
    high = np.float32(value)
    return high, np.float32(value - float(high))


_SQRT_HALF, _SQRT_HALF_LOW = parts(math.sqrt(0.5))


@device_function
def exp(x):
    """e to the power x."""
    return math.exp(x)


@device_function
def expm1(x):
    """exp(x) - 1 without cancellation near zero."""
    return math.expm1(x)


@device_function
def tanh(x):
    """Hyperbolic tangent."""
    return math.tanh(x)


@device_function
def sigmoid(x):
    """1 / (1 + exp(-x)), the logistic function."""
    return ONE / (ONE + math.exp(-x))


@device_function
def softplus(x):
    """log(1 + exp(x))."""
    size = -x if x > ZERO else x
    return (ZERO if x < ZERO else x) + math.log1p(math.exp(size))


@device_function
def normal_cdf(x):
    """Phi(x), the standard normal distribution function."""
    return HALF * math.erfc(-(x * _SQRT_HALF + x * _SQRT_HALF_LOW))


@device_function
def above(x):
    """max(x, -1000): far below zero, where the functions that use it are zero, keeps inf * 0 out."""
    return np.float32(-1000) if x < np.float32(-1000) else x


@device_function
def within(x):
    """x between -1000 and 1000, where the derivatives that use it have long reached their limits."""
    x = np.float32(-1000) if x < np.float32(-1000) else x
    return np.float32(1000) if x > np.float32(1000) else x


@device_function
def at_most(x):
    """min(x, 40), where the functions that use it are their limit, and exp(x)^2 is no infinity."""
    return np.float32(40) if x > np.float32(40) else x
