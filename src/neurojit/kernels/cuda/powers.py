"""Powers and roots of single numbers, for norms; arrays as in elementwise.py. The square has no need of a logarithm."""

import math

from neurojit.core.cuda import device_function
from neurojit.kernels.cuda.elementary import ONE, TWO, ZERO
from neurojit.kernels.cuda.elementwise import of_one, of_two


@device_function
def _power(x, p):
    return x * x if p == TWO else math.pow(abs(x), p)


@device_function
def _root(x, p, inverse):
    return math.sqrt(x) if p == TWO else math.pow(x, inverse)


@device_function
def _share(dy, y, less):
    power = y if less == ONE else math.pow(y, less)
    return ZERO if y == ZERO else dy / power


@device_function
def _slope(s, x, less):
    power = abs(x) if less == ONE else math.pow(abs(x), less)
    signed = -power if x < ZERO else power
    return ZERO if x == ZERO else s * signed


power = of_one(_power, "power", __name__, numbers=1)  # |x|^p
root = of_one(_root, "root", __name__, numbers=2)  # x^(1 / p)
share = of_two(_share, "share", __name__, numbers=1)  # dy / y^(p - 1), 0 where y is 0
slope = of_two(_slope, "slope", __name__, numbers=1)  # s sign(x) |x|^(p - 1)
