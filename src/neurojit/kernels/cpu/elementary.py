"""Elementary functions of one number, written so that LLVM turns a loop over them into vector code.

In float32 each is a range reduction and a polynomial: no branches, no tables, no calls. Against the exact value they
are within 4 units in the last place wherever the result is a normal number (`normal_cdf`: within 3e-7); exp, tanh and
sigmoid are monotone, exact at infinities, and a NaN stays a NaN. In float64 tanh and sigmoid, which recurrent networks
spend their time in, are built in the same way (`elementary_double`); the others are the C library's. Call them from
compiled code: ``exp(x)`` takes the form for the type of x.

The polynomials are minimax fits, evaluated by Horner's rule with fused multiply-adds. IEEE arithmetic in the order
written matters here (the reductions subtract nearly equal numbers), so all are exact kernels.
"""

import math

import numpy as np

from neurojit.core.jit import exact_kernel, overload, types
from neurojit.core.scalar import multiply_add
from neurojit.kernels.cpu.elementary_double import sigmoid_double, tanh_double

_LOG2_E = np.float32(1.4426950408889634)
_LN2_HIGH = np.float32(0.693145751953125)  # so few bits that n times it is exact
_LN2_LOW = np.float32(1.42860682030941723212e-6)
_TO_INTEGER = np.float32(3 << 22)  # adding it leaves a small float's nearest integer in the low bits
_TO_INTEGER_BITS = np.int32(0x4B400000)


def _by_precision(function, single, double):
    """Make a call of `function` in compiled code one of `single` or `double`, by the type of its argument."""

    def call_single(x):
        return single(x)

    def call_double(x):
        return double(x)

    overload(function)(lambda x: call_single if x == types.float32 else call_double)


@exact_kernel
def _power_of_two(shifted):
    """2^n for the float32 n + _TO_INTEGER, -126 <= n <= 127, by writing the exponent's bits."""
    n = np.int32(np.float32(shifted).view(np.int32) - _TO_INTEGER_BITS)
    return np.int32((n + np.int32(127)) << np.int32(23)).view(np.float32)


# -- exp --------------------------------------------------------------------------------------------------------------


def exp(x):
    """e to the power x."""
    return math.exp(x)


@exact_kernel
def _exp_single(x):
    x = np.float32(-104) if x < np.float32(-104) else x
    x = np.float32(89) if x > np.float32(89) else x
    # exp(x) = 2^n exp(r) with n = floor(x / ln 2). For 0 <= r < ln 2 every step of Horner's rule is an increasing
    # function of r, rounding included: the result is monotone.
    shifted = multiply_add(x, _LOG2_E, np.float32(-0.5)) + _TO_INTEGER
    n = shifted - _TO_INTEGER
    r = multiply_add(n, -_LN2_LOW, multiply_add(n, -_LN2_HIGH, x))
    p = np.float32(0.0019125485559925437)
    p = multiply_add(p, r, np.float32(0.007868322543799877))
    p = multiply_add(p, r, np.float32(0.04185504466295242))
    p = multiply_add(p, r, np.float32(0.16663189232349396))
    p = multiply_add(p, r, np.float32(0.5000022649765015))
    p = multiply_add(p, r, np.float32(1))
    p = multiply_add(p, r, np.float32(1))
    # 2^n in two factors, since n runs past the exponents of normal numbers at both ends.
    bits = np.int32(np.float32(shifted).view(np.int32) - _TO_INTEGER_BITS)
    half = np.int32(bits >> np.int32(1))
    first = np.int32((half + np.int32(127)) << np.int32(23)).view(np.float32)
    second = np.int32((bits - half + np.int32(127)) << np.int32(23)).view(np.float32)
    return p * first * second


@exact_kernel
def _exp_double(x):
    return math.exp(x)


_by_precision(exp, _exp_single, _exp_double)


# -- expm1 ------------------------------------------------------------------------------------------------------------


def expm1(x):
    """exp(x) - 1 without cancellation near zero."""
    return math.expm1(x)


@exact_kernel
def _expm1_single(x):
    x = np.float32(-20) if x < np.float32(-20) else x
    x = np.float32(89) if x > np.float32(89) else x
    # exp(x) - 1 = 2^n (exp(r) - 1) + (2^n - 1) with n the nearest integer to x / ln 2; computed in halves, since 2^128
    # is no float.
    shifted = x * _LOG2_E + _TO_INTEGER
    n = shifted - _TO_INTEGER
    r = multiply_add(n, -_LN2_LOW, multiply_add(n, -_LN2_HIGH, x))
    q = np.float32(0.0013882520142942667)
    q = multiply_add(q, r, np.float32(0.00836651399731636))
    q = multiply_add(q, r, np.float32(0.04166720062494278))
    q = multiply_add(q, r, np.float32(0.1666654348373413))
    q = multiply_add(q, r, np.float32(0.4999999701976776))
    p = multiply_add(q * r, r, r)
    half = _power_of_two(shifted - np.float32(1))
    return np.float32(2) * multiply_add(half, p, half - np.float32(0.5))


@exact_kernel
def _expm1_double(x):
    return math.expm1(x)


_by_precision(expm1, _expm1_single, _expm1_double)


# -- tanh and sigmoid -------------------------------------------------------------------------------------------------


def tanh(x):
    """Hyperbolic tangent."""
    return math.tanh(x)


@exact_kernel
def _tanh_single(x):
    size = abs(x)
    z = x * x
    p = np.float32(-0.005717036779969931)
    p = multiply_add(p, z, np.float32(0.020650578662753105))
    p = multiply_add(p, z, np.float32(-0.05374349653720856))
    p = multiply_add(p, z, np.float32(0.13331490755081177))
    p = multiply_add(p, z, np.float32(-0.3333328366279602))
    near = multiply_add(p * z, x, x)
    far = np.float32(1) - np.float32(2) / (_exp_single(size + size) + np.float32(1))
    far = -far if x < np.float32(0) else far
    return near if size < np.float32(0.625) else far


_by_precision(tanh, _tanh_single, tanh_double)


def sigmoid(x):
    """1 / (1 + exp(-x)), the logistic function."""
    return 1 / (1 + math.exp(-x))


@exact_kernel
def _sigmoid_single(x):
    return np.float32(1) / (np.float32(1) + _exp_single(-x))


_by_precision(sigmoid, _sigmoid_single, sigmoid_double)


# -- softplus ---------------------------------------------------------------------------------------------------------


def softplus(x):
    """log(1 + exp(x))."""
    return max(x, 0) + math.log1p(math.exp(-abs(x)))


@exact_kernel
def _softplus_single(x):
    # log(1 + u) = 2 artanh(s) with s = u / (2 + u), at most 1/3 here.
    u = _exp_single(-abs(x))
    s = u / (np.float32(2) + u)
    z = s * s
    p = np.float32(0.14012232422828674)
    p = multiply_add(p, z, np.float32(0.13999569416046143))
    p = multiply_add(p, z, np.float32(0.20010849833488464))
    p = multiply_add(p, z, np.float32(0.3333320617675781))
    p = multiply_add(p * z, s, s)
    return (np.float32(0) if x < np.float32(0) else x) + np.float32(2) * p


@exact_kernel
def _softplus_double(x):
    return (0.0 if x < 0.0 else x) + math.log1p(math.exp(-abs(x)))


_by_precision(softplus, _softplus_single, _softplus_double)


# -- normal distribution ----------------------------------------------------------------------------------------------


def normal_cdf(x):
    """Phi(x), the standard normal distribution function."""
    return 0.5 * math.erfc(-x / math.sqrt(2))


@exact_kernel
def _normal_cdf_single(x):
    # The upper tail is exp(-x^2 / 2) times a polynomial in t = 1 / (1 + 0.35 |x|).
    t = np.float32(1) / (np.float32(1) + np.float32(0.35) * abs(x))
    p = np.float32(-2.80456507e-02)
    p = multiply_add(p, t, np.float32(1.38258208e-01))
    p = multiply_add(p, t, np.float32(-2.42945507e-01))
    p = multiply_add(p, t, np.float32(1.43103683e-01))
    p = multiply_add(p, t, np.float32(-1.05973510e-02))
    p = multiply_add(p, t, np.float32(9.92786027e-02))
    p = multiply_add(p, t, np.float32(1.21809476e-01))
    p = multiply_add(p, t, np.float32(1.39477559e-01))
    p = multiply_add(p, t, np.float32(1.39662853e-01))
    p = multiply_add(p, t, np.float32(-1.88661417e-06))
    tail = _exp_single(np.float32(-0.5) * x * x) * p
    return tail if x < np.float32(0) else np.float32(1) - tail


@exact_kernel
def _normal_cdf_double(x):
    return 0.5 * math.erfc(-x * math.sqrt(0.5))


_by_precision(normal_cdf, _normal_cdf_single, _normal_cdf_double)
