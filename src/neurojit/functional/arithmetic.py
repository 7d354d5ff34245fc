"""Plain arithmetic on arrays wherever they are, for what operations do beside their kernels."""

import numpy as np

from neurojit.core.cuda import device_empty, device_empty_like, on_device
from neurojit.kernels.cuda import rows, sums

_SHARE = 1 << 14  # numbers that a block of threads adds up


def total(x):
    """The sum of all elements, as a number."""
    if not on_device(x):
        return x.sum()
    partial = device_empty(-(-x.size // _SHARE), x.dtype)
    sums.total(x.reshape(-1), partial)
    return partial.numpy().sum()


def sum_of_squares(x):
    """The sum of the squares of the elements of an array on the device, as a float."""
    partial = device_empty(-(-x.size // _SHARE), x.dtype)
    sums.sum_of_squares(x.reshape(-1), partial)
    return float(partial.numpy().sum(dtype=np.float64))


def scale_rows(x, factor):
    """x (rows, columns) times factor (rows,), row by row."""
    if not on_device(x):
        return x * factor[:, np.newaxis]
    y = device_empty_like(x)
    rows.scale_rows(x.reshape(-1), factor, y.reshape(-1))
    return y


def product(x, factor):
    """x times a number, or times an array of its shape."""
    if on_device(factor):
        return scale_rows(x.reshape(-1, 1), factor.reshape(-1)).reshape(x.shape)
    return x * factor
