"""Products of matrices on the device, as the convolutions with windows of one position that they are."""

import numpy as np

from neurojit.core.cuda import device_empty
from neurojit.functional import device_correlation
from neurojit.functional.devices import constant
from neurojit.functional.geometry import geometry_of
from neurojit.kernels.cuda.packing import pack_transposed

_NO_OPTIONS = (1, 0, 1, 1)


def _positions(x):
    """Rows as images of one position."""
    return x.reshape(x.size // x.shape[-1], 1, 1, 1, x.shape[-1])


def _geometry(rows, run, columns):
    return geometry_of((rows, 1, run), (1, run, columns), *_NO_OPTIONS)


def product(x, weight, bias=None):
    """x (..., run) @ weight (run, columns) + bias."""
    run, columns = weight.shape
    x_rows = _positions(x)
    y = device_correlation.forward(x_rows, weight, bias, _geometry(len(x_rows), run, columns))
    return y.reshape(*x.shape[:-1], columns)


def outer_product(x, dy):
    """x^T @ dy, (run, columns), over all rows of x (..., run) and dy (..., columns)."""
    x, dy = _positions(x), _positions(dy)
    shape = x.shape[-1], dy.shape[-1]
    return device_correlation.weight_gradient(x, dy, shape, _geometry(len(x), *shape))


def transposed(matrix):
    """A matrix (rows, columns) with its axes exchanged."""
    rows, columns = matrix.shape
    result = device_empty((columns, rows), matrix.dtype)
    taps = constant(np.zeros(1, np.int32))
    pack_transposed(matrix.reshape(-1), taps, rows, 1, columns, result.reshape(-1))
    return result
