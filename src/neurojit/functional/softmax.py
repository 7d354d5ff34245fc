"""Softmax and its logarithm along an axis."""

import numpy as np

from neurojit.core.arrays import canonical
from neurojit.core.cuda import on_device
from neurojit.core.memory import empty_like
from neurojit.functional.devices import kernel_for
from neurojit.functional.layout import with_axis_last, with_last_axis_at
from neurojit.functional.op import op
from neurojit.kernels.cpu import softmax as kernels


class _Rows:
    """One call's logits, with the axis of the classes last, as rows."""

    def __init__(self, x, axis):
        x = canonical(x, "x")
        if not isinstance(axis, int):
            raise TypeError(f"axis: got {axis!r}, wanted an int")
        if not -x.ndim <= axis < x.ndim:
            raise ValueError(f"axis: got {axis}, wanted one of an array of shape {x.shape}")
        if x.shape[axis] < 1:
            raise ValueError(f"x: got shape {x.shape}, wanted (..., classes) with at least one class")
        self.axis = axis % x.ndim
        self.shape = (*x.shape[: self.axis], *x.shape[self.axis + 1 :], x.shape[axis])
        self.x = self.of(x)

    def of(self, array):
        """An array like the logits as rows."""
        if on_device(array):
            return with_axis_last(array, self.axis).reshape(-1, self.shape[-1])
        return np.ascontiguousarray(np.moveaxis(array, self.axis, -1)).reshape(-1, self.shape[-1])

    def apply(self, kernel, *rows):
        """What a kernel makes of rows."""
        result = empty_like(rows[0])
        kernel_for(kernel, result)(*rows, result)
        return result

    def result(self, rows):
        """Rows as an array like the logits."""
        if on_device(rows):
            return with_last_axis_at(rows.reshape(self.shape), self.axis)
        return np.ascontiguousarray(np.moveaxis(rows.reshape(self.shape), -1, self.axis))


def _vjp(x, axis, forward, backward):
    rows = _Rows(x, axis)
    y = rows.apply(forward, rows.x)

    def pullback(dy, wrt):
        return (rows.result(rows.apply(backward, rows.of(dy), y)) if wrt[0] else None,)

    return rows.result(y), pullback


@op("x")
def softmax(x, axis=-1):
    """Probabilities from logits along an axis, y_j = exp(x_j) / sum_k exp(x_k).

    Parameters
    ----------
    x : array, shape (..., classes)
        float32 or float64; -inf is a class that cannot be.
    axis : int, default=-1
        The axis of the classes; another one than the last costs a copy.

    Returns
    -------
    array, shape of `x`
        Sums to 1 along the axis; NaN where a row is all -inf or holds +inf or NaN.

    Raises
    ------
    TypeError
        If `x` is not of real numbers.
    ValueError
        If there is no class or no such axis.

    Notes
    -----
    The pullback gives dx = y (dy - sum_k dy_k y_k) (Bridle 1990, equation 13). It looks at y, which must therefore
    be left as it is.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.softmax(np.array([[0.0, 0.0], [1000.0, -np.inf]]))
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    rows = _Rows(x, axis)
    return rows.result(rows.apply(kernels.softmax_forward, rows.x))


@softmax.define_vjp
def _softmax_vjp(x, axis=-1):
    return _vjp(x, axis, kernels.softmax_forward, kernels.softmax_backward)


@op("x")
def log_softmax(x, axis=-1):
    """Logarithms of `softmax`, y_j = x_j - log sum_k exp(x_k), without its underflow.

    Parameters
    ----------
    x : array, shape (..., classes)
        float32 or float64.
    axis : int, default=-1
        The axis of the classes.

    Returns
    -------
    array, shape of `x`

    Raises
    ------
    TypeError
        If `x` is not of real numbers.
    ValueError
        If there is no class or no such axis.

    Notes
    -----
    The pullback gives dx = dy - exp(y) sum_k dy_k (Goodfellow, Bengio and Courville, "Deep Learning" (2016),
    equation 6.30). It looks at y, which must therefore be left as it is.

    Examples
    --------
    >>> import numpy as np
    >>> import neurojit.functional as F
    >>> F.log_softmax(np.array([[0.0, 1000.0]]))
    array([[-1000.,     0.]])
    """
    rows = _Rows(x, axis)
    return rows.result(rows.apply(kernels.log_softmax_forward, rows.x))


@log_softmax.define_vjp
def _log_softmax_vjp(x, axis=-1):
    return _vjp(x, axis, kernels.log_softmax_forward, kernels.log_softmax_backward)
