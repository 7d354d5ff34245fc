"""tanh and the logistic function of SIMD vectors (core/vector.py), for kernels that have them in registers.

As in elementary_double.py both come from exp(x) - 1 = 2^n (exp(r) - 1) + (2^n - 1), where n is the nearest integer to
x / ln 2 and r what is left; float32 takes a shorter polynomial. Within 4 units in the last place; a NaN stays a NaN.
"""

import math

import numpy as np

from neurojit.core.jit import exact_inner_kernel, overload, types
from neurojit.core.quotient import quotient
from neurojit.core.vector import (
    at_least,
    magnitude,
    multiply_add,
    power_of_two,
    splat,
    where_negative,
    with_sign,
)


def exp_parts(x):
    """2^n and exp(r) - 1 with exp(x) = 2^n exp(r), for x <= 0 that is not too small."""
    n = math.floor(x / math.log(2) + 0.5)
    return 2.0**n, math.expm1(x - n * math.log(2))


@exact_inner_kernel
def _exp_parts_single(x):
    shift = splat(np.float32(3 << 22), x)
    shifted = multiply_add(x, splat(np.float32(1.4426950408889634), x), shift)
    n = shifted - shift
    r = multiply_add(n, splat(np.float32(-0.693145751953125), x), x)
    r = multiply_add(n, splat(np.float32(-1.42860682030941723212e-6), x), r)
    q = splat(np.float32(0.0013882520142942667), x)
    q = multiply_add(q, r, splat(np.float32(0.00836651399731636), x))
    q = multiply_add(q, r, splat(np.float32(0.04166720062494278), x))
    q = multiply_add(q, r, splat(np.float32(0.1666654348373413), x))
    q = multiply_add(q, r, splat(np.float32(0.4999999701976776), x))
    return power_of_two(shifted), multiply_add(q * r, r, r)


@exact_inner_kernel
def _exp_parts_double(x):
    shift = splat(1.5 * 2.0**52, x)
    shifted = multiply_add(x, splat(1.4426950408889634, x), shift)
    n = shifted - shift
    r = multiply_add(n, splat(-6.93147180369123816490e-01, x), x)
    r = multiply_add(n, splat(-1.90821492927058770002e-10, x), r)
    q = splat(1.6059043836821613e-10, x)  # 1 / 13!
    q = multiply_add(q, r, splat(2.08767569878681e-09, x))
    q = multiply_add(q, r, splat(2.505210838544172e-08, x))
    q = multiply_add(q, r, splat(2.755731922398589e-07, x))
    q = multiply_add(q, r, splat(2.7557319223985893e-06, x))
    q = multiply_add(q, r, splat(2.48015873015873e-05, x))
    q = multiply_add(q, r, splat(0.0001984126984126984, x))
    q = multiply_add(q, r, splat(0.001388888888888889, x))
    q = multiply_add(q, r, splat(0.008333333333333333, x))
    q = multiply_add(q, r, splat(0.041666666666666664, x))
    q = multiply_add(q, r, splat(0.16666666666666666, x))
    q = multiply_add(q, r, splat(0.5, x))
    return power_of_two(shifted), multiply_add(q * r, r, r)


def _call_single(x):
    return _exp_parts_single(x)


def _call_double(x):
    return _exp_parts_double(x)


overload(exp_parts)(lambda x: _call_single if x.dtype == types.float32 else _call_double)


@exact_inner_kernel
def tanh(x):
    """(1 - exp(-2|x|)) / (1 + exp(-2|x|)), with the sign of x."""
    size = magnitude(x)
    power, rest = exp_parts(at_least(splat(-2.0, x) * size, splat(-40.0, x)))
    expm1 = multiply_add(power, rest, power - splat(1.0, x))
    return with_sign(quotient(expm1, expm1 + splat(2.0, x)), x)


@exact_inner_kernel
def sigmoid(x):
    """1 / (1 + exp(-x)), from the exponential of -|x|, which cannot overflow; 0 below -87."""
    one = splat(1.0, x)
    power, rest = exp_parts(at_least(splat(-1.0, x) * magnitude(x), splat(-87.0, x)))
    e = multiply_add(power, rest, power)
    return quotient(where_negative(x, e, one), one + e)
