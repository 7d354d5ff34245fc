"""tanh and the logistic function in float64, without branches or calls, so that LLVM works on several numbers at once.

Both come from exp(x) - 1 = 2^n (exp(r) - 1) + (2^n - 1), where n is the nearest integer to x / ln 2 and r what is left,
at most 0.35: there a minimax polynomial of twelve terms is exact to the last bit. All is done in halves, x / 2 and
r / 2: for tanh(x), which needs exp(-2 |x|), that is |x| itself. Results are within 2 units in the last place; a NaN
stays a NaN.
"""

import numpy as np

from neurojit.core.jit import exact_kernel
from neurojit.core.scalar import multiply_add

_TWO_LOG2_E = 2.0 * 1.4426950408889634
_HALF_LN2_HIGH = 0.5 * 6.93147180369123816490e-01  # so few bits that n times it is exact
_HALF_LN2_LOW = 0.5 * 1.90821492927058770002e-10
_TO_INTEGER = 1.5 * 2.0**52  # adding it leaves a float's nearest integer in the low bits
_TO_INTEGER_BITS = np.int64(0x4338000000000000)
_SIGN = np.int64(-(1 << 63))
_NOTHING_BESIDE_ONE = -20.0  # exp of twice it
_LEAST = -354.0  # exp of twice less is no normal number and taken as zero


@exact_kernel
def _exp_parts(half):
    """2^(n + 1) and (exp(r) - 1) / 2 with exp(2 half) = 2^n exp(r), for -370 < half <= 0."""
    shifted = multiply_add(half, _TWO_LOG2_E, _TO_INTEGER)
    n = shifted - _TO_INTEGER
    h = multiply_add(n, -_HALF_LN2_LOW, multiply_add(n, -_HALF_LN2_HIGH, half))
    p = 4.283327891064192e-06
    p = multiply_add(p, h, 2.5707742212834043e-05)
    p = multiply_add(p, h, 0.00014109324105272472)
    p = multiply_add(p, h, 0.0007054657382452844)
    p = multiply_add(p, h, 0.003174603177670111)
    p = multiply_add(p, h, 0.012698412719885201)
    p = multiply_add(p, h, 0.044444444444427994)
    p = multiply_add(p, h, 0.13333333333321817)
    p = multiply_add(p, h, 0.33333333333333337)
    p = multiply_add(p, h, 0.6666666666666669)
    p = multiply_add(p, h, 1.0)
    bits = np.float64(shifted).view(np.int64) - _TO_INTEGER_BITS
    power = np.int64((bits + np.int64(1024)) << np.int64(52)).view(np.float64)
    return power, multiply_add(p * h, h, h)


@exact_kernel
def _minus_size(x):
    """-|x|."""
    return np.int64(np.float64(x).view(np.int64) | _SIGN).view(np.float64)


@exact_kernel
def tanh_double(x):
    """(1 - exp(-2|x|)) / (1 + exp(-2|x|)), with the sign of x."""
    half = _minus_size(x)
    half = _NOTHING_BESIDE_ONE if half < _NOTHING_BESIDE_ONE else half
    power, rest = _exp_parts(half)
    expm1 = multiply_add(power, rest, multiply_add(power, 0.5, -1.0))
    size = expm1 / (expm1 + 2.0)
    bits = (np.float64(size).view(np.int64) & ~_SIGN) | (np.float64(x).view(np.int64) & _SIGN)
    return np.int64(bits).view(np.float64)


@exact_kernel
def sigmoid_double(x):
    """1 / (1 + exp(-x)), from the exponential of -|x|, which cannot overflow."""
    half = 0.5 * _minus_size(x)
    power, rest = _exp_parts(_LEAST if half < _LEAST else half)
    e = multiply_add(power, rest, 0.5 * power)
    e = 0.0 if half < _LEAST else e
    return (e if x < 0.0 else 1.0) / (1.0 + e)
