"""tanh and the logistic function in float64, without branches or calls, so that LLVM works on several numbers at once.

Both come from exp(x) - 1 = 2^n (exp(r) - 1) + (2^n - 1), where n is the nearest integer to x / ln 2 and r what is left,
at most 0.35: there thirteen terms of the exponential series are exact to the last bit. Results are within 2 units in
the last place; a NaN stays a NaN.
"""

import numpy as np

from neurojit.core.jit import exact_kernel
from neurojit.core.scalar import multiply_add

_LOG2_E = 1.4426950408889634
_LN2_HIGH = 6.93147180369123816490e-01  # so few bits that n times it is exact
_LN2_LOW = 1.90821492927058770002e-10
_TO_INTEGER = 1.5 * 2.0**52  # adding it leaves a float's nearest integer in the low bits
_TO_INTEGER_BITS = np.int64(0x4338000000000000)
_NOTHING_BESIDE_ONE = -40.0  # exp of it
_LEAST = -708.0  # exp of less is no normal number and taken as zero


@exact_kernel
def _exp_parts(x):
    """2^n and exp(r) - 1 with exp(x) = 2^n exp(r), for -740 < x <= 0."""
    shifted = multiply_add(x, _LOG2_E, _TO_INTEGER)
    n = shifted - _TO_INTEGER
    r = multiply_add(n, -_LN2_LOW, multiply_add(n, -_LN2_HIGH, x))
    p = 1.6059043836821613e-10  # 1 / 13!
    p = multiply_add(p, r, 2.08767569878681e-09)
    p = multiply_add(p, r, 2.505210838544172e-08)
    p = multiply_add(p, r, 2.755731922398589e-07)
    p = multiply_add(p, r, 2.7557319223985893e-06)
    p = multiply_add(p, r, 2.48015873015873e-05)
    p = multiply_add(p, r, 0.0001984126984126984)
    p = multiply_add(p, r, 0.001388888888888889)
    p = multiply_add(p, r, 0.008333333333333333)
    p = multiply_add(p, r, 0.041666666666666664)
    p = multiply_add(p, r, 0.16666666666666666)
    p = multiply_add(p, r, 0.5)
    bits = np.float64(shifted).view(np.int64) - _TO_INTEGER_BITS
    power = np.int64((bits + np.int64(1023)) << np.int64(52)).view(np.float64)
    return power, multiply_add(p * r, r, r)


@exact_kernel
def tanh_double(x):
    """(1 - exp(-2|x|)) / (1 + exp(-2|x|)), with the sign of x."""
    y = -2.0 * abs(x)
    y = _NOTHING_BESIDE_ONE if y < _NOTHING_BESIDE_ONE else y
    power, rest = _exp_parts(y)
    expm1 = multiply_add(power, rest, power - 1.0)
    size = 0.0 - expm1 / (expm1 + 2.0)  # of 0 not -0
    return -size if x < 0.0 else size


@exact_kernel
def sigmoid_double(x):
    """1 / (1 + exp(-x)), from the exponential of -|x|, which cannot overflow."""
    y = -abs(x)
    power, rest = _exp_parts(_LEAST if y < _LEAST else y)
    e = multiply_add(power, rest, power)
    e = 0.0 if y < _LEAST else e
    return (e if x < 0.0 else 1.0) / (1.0 + e)
